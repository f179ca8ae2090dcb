/** `attach`: the streams of a container that runs, or of its next start. */

import { readLogs } from '../containers/logs/reader.ts';
import type { ControlSession } from '../containers/processes.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { ContainerContext } from './container-context.ts';
import { logPath } from './container-start.ts';
import { assertManaged, isRunning } from './container-state.ts';
import type { AttachedStreams, AttachOptions, LogChunk, LogOptions } from './engine.ts';
import { pause } from './timing.ts';

const POLL_MS = 100;

/** Of a container that does not run: resolves at once, and is connected when it starts, before its first instruction. */
export async function attachContainer(
  context: ContainerContext,
  name: string,
  options: AttachOptions,
): Promise<AttachedStreams> {
  const record = await context.find(name);
  assertManaged(record, 'attach to');
  const { Tty } = record.config;
  if (record.state.status === 'paused') {
    throw new WctrError('conflict', `container ${record.name} is paused, unpause the container before attach`);
  }
  const isLive = options.stream !== false;
  const past = options.logs === true ? logsOf(context, record, options, false) : undefined;
  await context.parts.events.container(record, 'attach');
  if (!isLive) return streamsOf(new Relay(Tty, past), undefined, Tty);
  const relay = new Relay(Tty, past);
  const request = {
    op: 'attach',
    stdin: options.stdin ?? false,
    stdout: options.stdout ?? false,
    stderr: options.stderr ?? false,
  } as const;
  const connect = async (socket: string) => relay.feed(await (await context.processes()).connect(socket, request));
  if (isRunning(record.state)) await connect(context.socket(record.key));
  else waitForStart(context, record, relay, connect);
  return streamsOf(relay, options.stdin === true ? relay.stdin : undefined, Tty);
}

function waitForStart(
  context: ContainerContext,
  record: ContainerRecord,
  relay: Relay,
  connect: (socket: string) => Promise<void>,
): void {
  const leave = context.addPending(record.key, { connect, fail: () => relay.end() });
  relay.onLeave(leave);
  // Somebody else may start it, in another process.
  const watch = async () => {
    while (!relay.isFed && !relay.isOver) {
      await pause(POLL_MS);
      const now = await context.parts.containers.get(record.key);
      if (relay.isFed || relay.isOver) return;
      if (now === undefined) return relay.end();
      if (context.pending.has(record.key) && isRunning(now.state) && now.state.status !== 'restarting') {
        leave();
        await connect(context.socket(record.key)).catch(() => relay.end());
      }
    }
  };
  watch().catch(() => relay.end());
}

function streamsOf(relay: Relay, stdin: AttachedStreams['stdin'], tty: boolean): AttachedStreams {
  return {
    stdin,
    stdout: relay.stdout.readable,
    stderr: tty ? undefined : relay.stderr.readable,
    tty,
    detach: async () => relay.end(),
  };
}

/** Streams that are there before the session they come from. */
class Relay {
  readonly stdout = new TransformStream<Uint8Array, Uint8Array>();
  readonly stderr = new TransformStream<Uint8Array, Uint8Array>();
  readonly #input = new TransformStream<Uint8Array, Uint8Array>();
  readonly #leaving = new AbortController();
  readonly #past: Promise<void>;
  readonly #tty: boolean;
  #onLeave: () => void = () => {};
  isFed = false;
  isOver = false;

  constructor(tty: boolean, past: AsyncIterable<LogChunk> | undefined) {
    this.#tty = tty;
    this.#past = past === undefined ? Promise.resolve() : this.#replay(past);
    this.#past.catch(() => {});
  }

  get stdin(): WritableStream<Uint8Array> {
    return this.#input.writable;
  }

  onLeave(action: () => void): void {
    this.#onLeave = action;
  }

  async feed(session: ControlSession): Promise<void> {
    this.isFed = true;
    const { signal } = this.#leaving;
    signal.addEventListener('abort', () => session.close(), { once: true });
    if (signal.aborted) return session.close();
    this.#input.readable.pipeTo(session.stdin, { signal }).catch(() => {});
    this.#past
      .catch(() => {})
      .then(() => {
        const outputs = [session.stdout.pipeTo(this.stdout.writable, { signal })];
        if (!this.#tty) outputs.push(session.stderr.pipeTo(this.stderr.writable, { signal }));
        Promise.allSettled([...outputs, session.end]).then(() => this.end());
      });
  }

  async #replay(past: AsyncIterable<LogChunk>): Promise<void> {
    const writers = { stdout: this.stdout.writable.getWriter(), stderr: this.stderr.writable.getWriter() };
    try {
      for await (const { stream, bytes } of past) {
        await writers[this.#tty ? 'stdout' : stream].write(bytes);
      }
    } finally {
      writers.stdout.releaseLock();
      writers.stderr.releaseLock();
      // Nothing else is to come.
      if (!this.isFed && this.isOver) this.#close();
    }
  }

  /** Both ends are closed, and the session is left. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#onLeave();
    this.#leaving.abort();
    this.#past.catch(() => {}).then(() => this.#close());
  }

  #close(): void {
    for (const { writable } of [this.stdout, this.stderr]) if (!writable.locked) writable.close().catch(() => {});
    if (!this.#input.readable.locked) this.#input.readable.cancel().catch(() => {});
  }
}

/** A container's log, with `follow` until its guest has ended. */
export async function* containerLogs(
  context: ContainerContext,
  name: string,
  options: LogOptions = {},
): AsyncGenerator<LogChunk> {
  const record = await context.find(name);
  assertManaged(record, 'read the log of');
  yield* logsOf(context, record, options, options.follow === true);
}

async function* logsOf(
  context: ContainerContext,
  record: ContainerRecord,
  options: LogOptions,
  follow: boolean,
): AsyncGenerator<LogChunk> {
  const { fs } = context.parts;
  const log = record.hostConfig.LogConfig ?? { Type: 'json-file', Config: {} };
  const ended = follow ? untilEnded(context, record, options.signal) : undefined;
  yield* readLogs({ fs, path: logPath(context, record), log }, { ...options, follow }, ended);
}

/** Also while it is restarted by its policy. */
async function untilEnded(context: ContainerContext, record: ContainerRecord, signal?: AbortSignal): Promise<void> {
  if (!isRunning(record.state)) return;
  const { waitForContainer } = await import('./container-wait.ts');
  await waitForContainer(context, record.key, 'not-running', signal).catch(() => {});
}

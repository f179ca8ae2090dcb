/** A conversation with a container or an exec: this terminal's input and output on its streams. */
import type { AttachedStreams, TerminalSize } from '../engine/engine.ts';
import { isWctrError } from '../errors.ts';
import type { Signal } from '../host/sandbox.ts';
import type { Context } from './command.ts';
import { complain } from './complain.ts';
import { DEFAULT_DETACH_KEYS, DetachFilter, parseDetachKeys } from './detach-keys.ts';

export interface SessionOptions {
  readonly streams: AttachedStreams;
  readonly detachKeys?: string;
  /** Told the terminal's size, at first and whenever it changes. */
  readonly resize?: (size: TerminalSize) => Promise<void>;
  /** Told the signals this process gets; not with a terminal, whose keys reach the program themselves. */
  readonly signal?: (name: Signal) => Promise<void>;
}

export interface Session {
  /** When the output has ended or the user typed the detach keys. The terminal is as it was before. */
  readonly done: Promise<'ended' | 'detached'>;
  /** Tells the size now: a container has no terminal before it is started. */
  resize(): void;
  /** Gives the terminal back at once. */
  stop(): void;
}

/** Begins at once. Checks the detach keys first, so that a wrong spelling changes nothing. */
export function converse(context: Context, options: SessionOptions): Session {
  const { terminal, host } = context;
  const { streams } = options;
  const keys = parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS);
  const undo: (() => void)[] = [];
  const stop = () => {
    for (const step of undo.splice(0)) step();
  };
  const resize = () => {
    const size = terminal.size();
    // A program that ended meanwhile has no terminal to tell.
    if (size !== undefined) options.resize?.(size).catch(() => {});
  };
  if (streams.tty && options.resize !== undefined) undo.push(terminal.onResize(resize));
  if (!streams.tty && options.signal !== undefined) {
    const tell = options.signal;
    undo.push(host.onSignal((name) => void tell(name).catch((error: unknown) => sayUnlessGone(context, error))));
  }
  const output = Promise.all([
    pump(streams.stdout, (chunk) => host.writeStdout(chunk)),
    streams.stderr === undefined ? undefined : pump(streams.stderr, (chunk) => host.writeStderr(chunk)),
  ]);
  let detached: Promise<'detached'> = new Promise(() => {});
  if (streams.stdin !== undefined) {
    const isTerminal = streams.tty && terminal.stdinIsTTY;
    if (isTerminal) undo.push(terminal.raw());
    detached = feed(host.stdin(), streams.stdin, streams.tty ? new DetachFilter(keys) : undefined);
  }
  const done = Promise.race([output.then(() => 'ended' as const), detached]).finally(stop);
  // `stop` may be all that the caller ever asks for.
  done.catch(() => {});
  return { done, resize, stop };
}

async function pump(stream: ReadableStream<Uint8Array>, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    await write(value);
  }
}

/** Resolves when the detach keys were typed, and never otherwise: the end of the input is not the end of the output. */
async function feed(
  input: AsyncIterable<Uint8Array>,
  stdin: WritableStream<Uint8Array>,
  filter: DetachFilter | undefined,
): Promise<'detached'> {
  const writer = stdin.getWriter();
  try {
    for await (const chunk of input) {
      const { bytes, detached } = filter?.push(chunk) ?? { bytes: chunk, detached: false };
      if (bytes.length > 0) await writer.write(bytes);
      if (detached) return 'detached';
    }
    await writer.close();
  } catch {
    // The program has ended or closed its input; its output tells the rest.
  }
  return new Promise(() => {});
}

function sayUnlessGone({ terminal }: Context, error: unknown): void {
  if (!isWctrError(error)) throw error;
  if (error.code !== 'conflict' && error.code !== 'no-such-container') complain(terminal, error.message, error.hint);
}

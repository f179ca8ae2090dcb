/** `wait`: for the end of what runs, of what will run next, or for the container to be gone. */
import type { ContainerRecord } from '../containers/record.ts';
import type { SandboxExit } from '../host/sandbox.ts';
import type { WaitResponse } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { isRunning } from './container-state.ts';
import type { WaitCondition } from './engine.ts';
import { cancelledBy, pause } from './timing.ts';

const POLL_MS = 25;

export async function waitForContainer(
  context: ContainerContext,
  name: string,
  condition: WaitCondition = 'not-running',
  signal?: AbortSignal,
): Promise<WaitResponse> {
  const first = await context.find(name);
  if (condition === 'not-running' && !isRunning(first.state)) return responseOf(first.state.exit, first);
  const seen = new NextStart(context, first);
  try {
    return await watch(context, first, condition, seen, signal);
  } finally {
    seen.leave();
  }
}

async function watch(
  context: ContainerContext,
  first: ContainerRecord,
  condition: WaitCondition,
  seen: NextStart,
  signal: AbortSignal | undefined,
): Promise<WaitResponse> {
  const { containers } = context.parts;
  let last = first;
  for (;;) {
    if (signal?.aborted === true) throw cancelledBy(signal);
    const record = await containers.get(first.key);
    if (record === undefined) return responseOf(seen.exit ?? (await exitFromEvents(context, first)), last);
    last = record;
    const hasEnded = !isRunning(record.state) && record.state.finishedAt !== first.state.finishedAt;
    if (condition !== 'removed' && (hasEnded || (condition === 'not-running' && !isRunning(record.state)))) {
      return responseOf(record.state.exit, record);
    }
    if (hasEnded) seen.exit ??= record.state.exit;
    if (isRunning(record.state)) {
      if (!containers.runs(record)) {
        const { reconcile } = await import('./reconcile.ts');
        await reconcile(context, record.key);
      } else if (record.managed && record.state.status !== 'paused') {
        await seen.untilEnd(record, signal);
      }
    }
    await pause(POLL_MS, signal);
  }
}

/** Hears how the guest ends even where its record is removed at once. */
class NextStart {
  exit: SandboxExit | undefined;
  readonly #context: ContainerContext;
  readonly #leave: () => void;
  #session: { readonly end: Promise<unknown>; close(): void } | undefined;

  constructor(context: ContainerContext, record: ContainerRecord) {
    this.#context = context;
    this.#leave = isRunning(record.state)
      ? () => {}
      : context.addPending(record.key, {
          connect: (socket) => this.#connect(socket),
          fail: () => {},
        });
  }

  async #connect(socket: string): Promise<void> {
    const session = await (await this.#context.processes()).connect(socket, { op: 'wait' });
    this.#session = session;
    session.end.then(
      (exit) => {
        this.exit = exit as SandboxExit;
      },
      () => {},
    );
  }

  /** Until the guest has ended, or its process is gone, or the caller has enough. */
  async untilEnd(record: ContainerRecord, signal: AbortSignal | undefined): Promise<void> {
    try {
      if (this.#session === undefined) await this.#connect(this.#context.socket(record.key));
    } catch {
      // It has just ended, or its process has been killed: the record tells.
      return;
    }
    const session = this.#session!;
    const stop = () => session.close();
    signal?.addEventListener('abort', stop, { once: true });
    await session.end.catch(() => {});
    signal?.removeEventListener('abort', stop);
    this.#session = undefined;
  }

  leave(): void {
    this.#leave();
    this.#session?.close();
  }
}

async function exitFromEvents({ parts }: ContainerContext, { key }: ContainerRecord): Promise<SandboxExit | undefined> {
  const { pastEvents } = await import('./events.ts');
  const died = (await pastEvents(parts)).findLast(({ Action, Actor }) => Action === 'die' && Actor.ID === key);
  const exitCode = Number(died?.Actor.Attributes.exitCode);
  return Number.isNaN(exitCode) ? undefined : { exitCode, oomKilled: false };
}

function responseOf(exit: SandboxExit | undefined, record: ContainerRecord): WaitResponse {
  const failed = exit === undefined ? undefined : record.state.error;
  return { StatusCode: exit?.exitCode ?? 0, ...(failed === undefined ? {} : { Error: { Message: failed } }) };
}

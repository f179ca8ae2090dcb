/** What ends, holds and resumes a container that runs. */
import type { ControlRequest } from '../containers/control/protocol.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { ContainerContext } from './container-context.ts';
import { startContainer } from './container-start.ts';
import { assertRunning, isRunning } from './container-state.ts';
import type { StopOptions } from './engine.ts';
import { signalNumber } from './signals.ts';

const DEFAULT_STOP_SECONDS = 10;
/** As good as for ever, and fits a timer. */
const NEVER_MS = 2 ** 31 - 1;
const POLL_MS = 20;

/** Stop signal, then KILL after the timeout. Nothing happens to one that does not run. */
export async function stopContainer(context: ContainerContext, name: string, options?: StopOptions): Promise<void> {
  await stop(context, await context.find(name), options, false);
}

async function stop(
  context: ContainerContext,
  record: ContainerRecord,
  options: StopOptions = {},
  restarts: boolean,
): Promise<void> {
  if (!isRunning(record.state)) return;
  const { events } = context.parts;
  const signal = checkedSignal(options.signal || record.config.StopSignal || 'SIGTERM');
  const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_STOP_SECONDS;
  const timeoutMs = seconds < 0 ? NEVER_MS : seconds * 1000;
  await stoppedByUser(context, record);
  await events.container(record, 'kill', { signal: String(signalNumber(signal)) });
  if (record.managed) await stopManaged(context, record, { op: 'stop', signal, timeoutMs, restarts });
  else await stopForeground(context, record, signal, timeoutMs);
  await events.container(record, 'stop');
}

async function stopManaged(context: ContainerContext, record: ContainerRecord, request: ControlRequest): Promise<void> {
  const { containers } = context.parts;
  try {
    if (record.state.status === 'paused') await resume(context, record);
    const session = await (await context.processes()).connect(context.socket(record.key), request);
    await session.end;
    session.close();
  } catch (error) {
    // Its process went away meanwhile: that is what was asked for.
    if (await goes(context, record, 1000)) return;
    const { pid } = record.state;
    if (pid === undefined || !containers.runs(record)) throw error;
    // It does not listen any more: nothing else is left.
    context.host.signal(pid, 'SIGKILL');
    await goes(context, record, NEVER_MS);
    const { reconcile } = await import('./reconcile.ts');
    await reconcile(context, record.key);
  }
}

async function stopForeground(
  context: ContainerContext,
  record: ContainerRecord,
  signal: string,
  timeoutMs: number,
): Promise<void> {
  const { pid } = record.state;
  if (pid === undefined) throw new WctrError('unsupported', `container ${record.name} has no process to be stopped by`);
  context.host.signal(pid, signal);
  if (await goes(context, record, timeoutMs)) return;
  context.host.signal(pid, 'SIGKILL');
  await goes(context, record, NEVER_MS);
}

/** True when the container's process is gone within the time. */
async function goes(context: ContainerContext, { key }: ContainerRecord, withinMs: number): Promise<boolean> {
  const { containers } = context.parts;
  const end = Date.now() + withinMs;
  for (;;) {
    const record = await containers.get(key);
    if (record === undefined || !isRunning(record.state) || !containers.runs(record)) return true;
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function restartContainer(context: ContainerContext, name: string, options?: StopOptions): Promise<void> {
  const record = await context.find(name);
  // One that is to be removed at its end comes through a restart all the same.
  await stop(context, record, options, true);
  await startContainer(context, record.key);
  await context.parts.events.container(record, 'restart');
}

/** Throws 'conflict' when it is not running. Default SIGKILL. */
export async function killContainer(context: ContainerContext, name: string, signal = 'SIGKILL'): Promise<void> {
  const record = await context.find(name);
  const checked = checkedSignal(signal || 'SIGKILL');
  assertRunning(record, 'kill');
  const isKill = signalNumber(checked) === 9;
  if (isKill) await stoppedByUser(context, record);
  await context.parts.events.container(record, 'kill', { signal: String(signalNumber(checked)) });
  if (!record.managed) {
    if (record.state.pid !== undefined) context.host.signal(record.state.pid, checked);
  } else {
    // A process that is held cannot hear of it.
    if (record.state.status === 'paused' && isKill) await resume(context, record);
    await context.ask(record, { op: 'signal', signal: checked }, 'kill').catch((error: unknown) => {
      if (!isKill || !isWctrError(error)) throw error;
      if (record.state.pid !== undefined && context.parts.containers.runs(record)) {
        context.host.signal(record.state.pid, 'SIGKILL');
      }
    });
  }
  if (!isKill) return;
  await goes(context, record, 10_000);
  const { reconcile } = await import('./reconcile.ts');
  await reconcile(context, record.key);
}

/** Its whole process is stopped by the system: at once, and without a cost. */
export async function pauseContainer(context: ContainerContext, name: string): Promise<void> {
  const record = await context.find(name);
  if (record.state.status === 'paused') {
    throw new WctrError('conflict', `container ${record.name} is already paused`);
  }
  if (record.state.status !== 'running') assertRunning({ ...record, state: { status: 'exited' } }, 'pause');
  const { pid } = record.state;
  if (pid === undefined) throw new WctrError('unsupported', `container ${record.name} has no process to be paused`);
  const { containers } = context.parts;
  // Under the lock of the record, so that its process is not stopped while it holds that. The record comes first: one
  // that says `paused` of a container that goes on can be unpaused, the other way round nobody would know.
  await containers.locked(record.key, async () => {
    let isHeld = false;
    await containers.changeLocked(record.key, (current) => {
      isHeld = current.state.status === 'running' && current.state.pid === pid;
      return isHeld ? { ...current, state: { ...current.state, status: 'paused' } } : undefined;
    });
    if (isHeld) context.host.signal(pid, 'SIGSTOP');
  });
  await context.parts.events.container(record, 'pause');
}

export async function unpauseContainer(context: ContainerContext, name: string): Promise<void> {
  const record = await context.find(name);
  if (record.state.status !== 'paused') {
    throw new WctrError('conflict', `container ${record.name} is not paused`);
  }
  await resume(context, record);
  await context.parts.events.container(record, 'unpause');
}

async function resume({ parts, host }: ContainerContext, record: ContainerRecord): Promise<void> {
  await parts.containers.change(record.key, (current) => {
    if (current.state.status !== 'paused') return undefined;
    if (current.state.pid !== undefined) host.signal(current.state.pid, 'SIGCONT');
    return { ...current, state: { ...current.state, status: 'running' } };
  });
}

/** What restart policies go by. */
async function stoppedByUser({ parts }: ContainerContext, { key }: ContainerRecord): Promise<void> {
  await parts.containers.change(key, (record) =>
    record.stoppedByUser ? undefined : { ...record, stoppedByUser: true },
  );
}

/** `KILL`, `SIGKILL` and `9` are the same. Throws 'invalid-argument'. */
function checkedSignal(text: string): string {
  if (signalNumber(text) !== undefined)
    return /^\d+$/.test(text) ? text : `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  throw new WctrError('invalid-argument', `invalid signal: ${text}`, {
    hint: 'write a name such as TERM, or a number',
  });
}

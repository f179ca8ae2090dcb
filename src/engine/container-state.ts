/** What a container's record means right now: its process may have been killed since it was written. */
import type { ListedContainer } from '../containers/listing.ts';
import type { ContainerRecord, ContainerState } from '../containers/record.ts';
import type { ContainerRecords } from '../containers/records.ts';
import { WctrError } from '../errors.ts';

/** What `kill -9` of a container's process leaves: docker's code for it. */
export const EXIT_KILLED = 137;

export function isRunning({ status }: ContainerState): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting';
}

/** The record says that a process runs, and there is none. */
export function isLost(record: ListedContainer, records: Pick<ContainerRecords, 'runs'>): boolean {
  return isRunning(record.state) && !records.runs(record);
}

/** How long one that removes itself may be there after its end: who restarts it needs it for a moment. */
const FORGOTTEN_MS = 5_000;

/** It was to be removed at its end, and its process was killed before it could do that. */
export function isForgotten({ managed, hostConfig, state }: ListedContainer): boolean {
  if (!managed || hostConfig.AutoRemove !== true || state.status !== 'exited') return false;
  return Date.now() - Date.parse(state.finishedAt ?? '') > FORGOTTEN_MS;
}

/** Somebody has to put it right: see reconcile. */
export function isUnsettled(record: ListedContainer, records: Pick<ContainerRecords, 'runs'>): boolean {
  return isLost(record, records) || isForgotten(record);
}

/** The record as it will be once somebody has noticed what became of its process; the same one where nothing has. */
export function currentRecord<T extends ListedContainer>(record: T, records: Pick<ContainerRecords, 'runs'>): T {
  return isLost(record, records) ? lostRecord(record) : record;
}

/**
 * What the record says of a container whose process was killed: exited, or, where its policy wants it to run, restarting.
 * The latter still names the process that is gone, so that whoever comes next goes on where a restart was cut off.
 */
export function lostRecord<T extends ListedContainer>(record: T): T {
  const { state, restartCount } = record;
  const wasRestarting = state.status === 'restarting';
  const { startedAt, pid, pidStartedAt } = state;
  const ended: ContainerState = {
    status: 'exited',
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: (wasRestarting ? state.finishedAt : undefined) ?? now(),
    exit: (wasRestarting ? state.exit : undefined) ?? { exitCode: EXIT_KILLED, signal: 'SIGKILL', oomKilled: false },
  };
  if (!wasRestarting && !mayRestart(record)) return { ...record, ports: {}, state: ended };
  const process = {
    ...(pid === undefined ? {} : { pid }),
    ...(pidStartedAt === undefined ? {} : { pidStartedAt }),
  };
  const count = wasRestarting ? restartCount : restartCount + 1;
  return { ...record, ports: {}, restartCount: count, state: { ...ended, ...process, status: 'restarting' } };
}

/** Whether its policy starts a container again that nobody stopped and that ended with an error. */
function mayRestart({ managed, stoppedByUser, hostConfig, restartCount }: ListedContainer): boolean {
  const { Name: policy, MaximumRetryCount: most } = hostConfig.RestartPolicy ?? { Name: 'no', MaximumRetryCount: 0 };
  if (!managed || stoppedByUser) return false;
  return (
    policy === 'always' ||
    policy === 'unless-stopped' ||
    (policy === 'on-failure' && (most === 0 || restartCount < most))
  );
}

/** Throws 'conflict' unless it runs. Paused counts. */
export function assertRunning(record: ContainerRecord, action: string): void {
  if (isRunning(record.state)) return;
  throw new WctrError(
    'conflict',
    `cannot ${action} container ${record.name}: container ${shortId(record)} is not running`,
    {
      hint: `start it: wctr start ${record.name}`,
    },
  );
}

export function assertNotPaused(record: ContainerRecord): void {
  if (record.state.status !== 'paused') return;
  throw new WctrError('conflict', `container ${record.name} is paused, unpause the container before exec`, {
    hint: `wctr unpause ${record.name}`,
  });
}

/** Throws 'unsupported' for a foreground run, which nothing but its own process can be reached by. */
export function assertManaged(record: ContainerRecord, action: string): void {
  if (record.managed) return;
  throw new WctrError('unsupported', `cannot ${action} container ${record.name}: it is a foreground run of its own`, {
    hint: 'start it with -d, or with --name, to reach it from elsewhere',
  });
}

export function shortId({ key }: Pick<ContainerRecord, 'key'>): string {
  return key.slice(0, 12);
}

export function now(): string {
  return new Date().toISOString();
}

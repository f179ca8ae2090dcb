/** What a container's record means right now: its process may have been killed since it was written. */
import type { ContainerRecord, ContainerState } from '../containers/record.ts';
import type { ContainerRecords } from '../containers/records.ts';
import { WctrError } from '../errors.ts';

/** What `kill -9` of a container's process leaves: docker's code for it. */
export const EXIT_KILLED = 137;

export function isRunning({ status }: ContainerState): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting';
}

/** The record says that a process runs, and there is none. */
export function isLost(record: ContainerRecord, records: Pick<ContainerRecords, 'runs'>): boolean {
  return isRunning(record.state) && !records.runs(record);
}

/** The record as it will be once somebody has noticed what became of its process. */
export function currentRecord(record: ContainerRecord, records: Pick<ContainerRecords, 'runs'>): ContainerRecord {
  return isLost(record, records) ? { ...record, ports: {}, state: lostState(record.state) } : record;
}

export function lostState({ startedAt }: ContainerState): ContainerState {
  return {
    status: 'exited',
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: now(),
    exit: { exitCode: EXIT_KILLED, signal: 'SIGKILL', oomKilled: false },
  };
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

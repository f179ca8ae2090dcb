/** Puts right what a container process could not write itself, because it was killed. */
import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerContext } from './container-context.ts';
import { discard } from './container-remove.ts';
import { launch, starting } from './container-start.ts';
import { EXIT_KILLED, isForgotten, isLost, isUnsettled, lostRecord } from './container-state.ts';
import { removeSockets, sweepRuns } from './container-sweep.ts';
import { pause } from './timing.ts';

/**
 * Does nothing unless the record says that a process runs and there is none. Then: event `die`, and exited with 137, or
 * what its restart policy or AutoRemove asks for; with `backsOff` after a while, if it ran for a short time only. One that
 * was to remove itself and could not is removed. Whoever is killed while doing it leaves a record that is lost as before.
 */
export async function reconcile(
  context: ContainerContext,
  id: string,
  options: { readonly backsOff?: boolean } = {},
): Promise<void> {
  const { containers, events } = context.parts;
  const before = await containers.get(id);
  if (before === undefined || !isUnsettled(before, containers)) return;
  // Nobody starts or removes it less soon for that: the lock comes after it.
  if (options.backsOff === true) await pause(backOffMs(lostRecord(before)));
  await starting(context, id, async () => {
    const now = await containers.get(id);
    if (now !== undefined && isForgotten(now)) return discard(context, now, { volumes: true });
    let was: ContainerRecord | undefined;
    const record = await containers.change(id, (current) => {
      was = isLost(current, containers) ? current : undefined;
      return was === undefined ? undefined : lostRecord(current);
    });
    if (was === undefined || record === undefined) return;
    if (record.managed) await removeSockets(context, record);
    // One that waited for its restart has ended before.
    if (was.state.status !== 'restarting') {
      await events.container(record, 'die', { exitCode: String(EXIT_KILLED), execDuration: seconds(record) });
    }
    if (record.state.status === 'restarting') await restart(context, record);
    else if (record.hostConfig.AutoRemove === true) await discard(context, record, { volumes: true });
    else await context.networks.release(record).catch(() => {});
  });
}

const FIRST_BACK_OFF_MS = 100;
const LONGEST_BACK_OFF_MS = 5_000;
const STEADY_MS = 10_000;

/** Something kills it again and again, the system for its memory for one: that must not keep the machine busy. */
function backOffMs({ state, restartCount }: ContainerRecord): number {
  if (state.status !== 'restarting') return 0;
  const ranMs = Date.parse(state.finishedAt ?? '') - Date.parse(state.startedAt ?? '');
  if (ranMs >= STEADY_MS) return FIRST_BACK_OFF_MS;
  return Math.min(FIRST_BACK_OFF_MS * 2 ** Math.min(restartCount - 1, 16), LONGEST_BACK_OFF_MS);
}

/** The reason of a failure is in the record; whoever only looked at the container need not hear of it. */
async function restart(context: ContainerContext, record: ContainerRecord): Promise<void> {
  await launch(context, record, { restartCount: record.restartCount }).catch(() => {});
}

/** When a daemon begins: those that are to run as long as it does. */
export async function startWanted(context: ContainerContext): Promise<void> {
  const { containers } = context.parts;
  await sweepRuns(context).catch(() => {});
  for (const record of await containers.list()) {
    await reconcile(context, record.key);
    const now = await containers.get(record.key);
    const policy = now?.hostConfig.RestartPolicy?.Name;
    const isWanted = policy === 'always' || (policy === 'unless-stopped' && now?.stoppedByUser === false);
    if (now === undefined || !isWanted || now.state.status !== 'exited') continue;
    await starting(context, now.key, async () => {
      const current = await containers.get(now.key);
      if (current?.state.status === 'exited') await launch(context, current).catch(() => {});
    });
  }
}

function seconds({ state }: ContainerRecord): string {
  const { startedAt, finishedAt } = state;
  return startedAt === undefined || finishedAt === undefined
    ? '0'
    : String(Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
}

/** `rm` and `prune`, and what a container leaves behind at its end. */
import type { ContainerRecord } from '../containers/record.ts';
import { isWctrError, WctrError } from '../errors.ts';
import { diskUsage } from '../images/gc.ts';
import type { Filters } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { starting } from './container-start.ts';
import { isRunning } from './container-state.ts';
import { killContainer } from './container-stop.ts';
import { removeSockets, sweepLeftovers } from './container-sweep.ts';
import { matchesLabels, readFilters } from './filters.ts';
import { parseTime } from './timing.ts';

export interface RemoveOptions {
  readonly force?: boolean;
  readonly volumes?: boolean;
  readonly link?: boolean;
}

/** Throws 'conflict' when it runs and `force` is not given. */
export async function removeContainer(
  context: ContainerContext,
  name: string,
  options: RemoveOptions = {},
): Promise<void> {
  const record = await context.find(name);
  if (options.link === true) {
    throw new WctrError('unsupported', 'links are removed with their container', { hint: 'leave out --link' });
  }
  if (isRunning(record.state)) {
    if (options.force !== true) throw stillRuns(record);
    await killContainer(context, record.key).catch((error: unknown) => {
      if (!isWctrError(error, 'conflict') && !isWctrError(error, 'no-such-container')) throw error;
    });
  }
  await starting(context, record.key, async () => {
    const current = await context.parts.containers.get(record.key);
    // One with AutoRemove may have gone by itself when it was killed.
    if (current === undefined) return;
    if (isRunning(current.state) && context.parts.containers.runs(current)) throw stillRuns(current);
    await discard(context, current, { volumes: options.volumes === true });
  });
}

function stillRuns({ name, state }: ContainerRecord): WctrError {
  const paused = state.status === 'paused';
  return new WctrError(
    'conflict',
    `cannot remove container "/${name}": container is ${state.status}: ${paused ? 'unpause and then ' : ''}stop the container before removing or force remove`,
    { hint: `wctr rm -f ${name}` },
  );
}

/** Everything of a container that does not run. */
export async function discard(
  context: ContainerContext,
  record: ContainerRecord,
  options: { readonly volumes: boolean },
): Promise<void> {
  const { containers, events } = context.parts;
  await containers.locked(record.key, () => containers.remove(record));
  // Its process may have been killed before it was known to run.
  if (record.managed) await removeSockets(context, record).catch(() => {});
  await context.networks.release(record).catch(() => {});
  if (options.volumes) await context.mounts.release(record).catch(() => {});
  await events.container(record, 'destroy');
}

export async function pruneContainers(context: ContainerContext, given: Filters = {}) {
  const { containers, fs } = context.parts;
  const filters = readFilters(given, ['label', 'label!', 'until']);
  const until = filters.until === undefined ? undefined : parseTime(filters.until[0] ?? '');
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of await containers.list()) {
    if (isRunning(record.state) && containers.runs(record)) continue;
    if (until !== undefined && Date.parse(record.createdAt) >= until) continue;
    if (!matchesLabels(record.config.Labels, filters)) continue;
    const size = await diskUsage(fs, containers.directory(record.key)).catch(() => 0);
    try {
      await removeContainer(context, record.key);
    } catch {
      // Started, or removed by somebody else, meanwhile.
      continue;
    }
    deleted.push(record.key);
    reclaimed += size;
  }
  await sweepLeftovers(context);
  if (deleted.length > 0) {
    await context.parts.events.append({
      Type: 'container',
      Action: 'prune',
      Actor: { ID: '', Attributes: { reclaimed: String(reclaimed) } },
    });
  }
  return { ContainersDeleted: deleted, SpaceReclaimed: reclaimed };
}

/** What may be changed of a container while it is there: its name, limits, restart policy, terminal. */
import { checkName } from '../containers/names.ts';
import { WctrError } from '../errors.ts';
import type { Resources, RestartPolicy } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { isRunning } from './container-state.ts';
import type { TerminalSize } from './engine.ts';
import { checkResources, checkRestartPolicy } from './host-config.ts';

/** Throws 'conflict' when the name is taken. */
export async function renameContainer(context: ContainerContext, name: string, newName: string): Promise<void> {
  const { containers, events } = context.parts;
  const wanted = checkName(newName.replace(/^\//, ''));
  const record = await context.find(name);
  if (record.name === wanted) {
    throw new WctrError('invalid-argument', 'renaming a container with the same name as its current name');
  }
  await containers.claimName(wanted, record.key);
  let oldName = record.name;
  const renamed = await containers.change(record.key, (current) => {
    oldName = current.name;
    return { ...current, name: wanted };
  });
  if (renamed === undefined) {
    await containers.releaseName(wanted, record.key);
    throw new WctrError('no-such-container', `no such container: ${name}`);
  }
  await containers.releaseName(oldName, record.key);
  if (isRunning(renamed.state)) await context.networks.renamed(renamed);
  await events.container(renamed, 'rename', { oldName: `/${oldName}` });
}

const UPDATABLE = [
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'NanoCpus',
  'CpuShares',
  'CpuPeriod',
  'CpuQuota',
  'CpusetCpus',
  'PidsLimit',
  'Ulimits',
  'BlkioWeight',
] as const;

const LATER = {
  cpus: 'The program was started without a limit of CPUs; it is held to this one from its next start.',
  memoryBytes: 'The program may have more memory from its next start; what is started beside it has it now.',
};

/** Members that are absent or zero stay as they are, as docker has it. */
export async function updateContainer(
  context: ContainerContext,
  name: string,
  changes: Resources & { RestartPolicy?: RestartPolicy },
): Promise<{ Warnings: readonly string[] }> {
  const { containers, host, events } = context.parts;
  const record = await context.find(name);
  checkResources(changes, host.facts());
  const policy = changes.RestartPolicy?.Name ? checkRestartPolicy(changes.RestartPolicy) : undefined;
  if (policy !== undefined && policy.Name !== 'no' && record.hostConfig.AutoRemove === true) {
    throw new WctrError(
      'invalid-argument',
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    );
  }
  const given = Object.fromEntries(
    UPDATABLE.flatMap((key) => (changes[key] ? [[key, changes[key]] as const] : [])),
  ) as Resources;
  const later = isRunning(record.state)
    ? await context.ask(
        record,
        { op: 'update', resources: given, ...(policy === undefined ? {} : { restartPolicy: policy }) },
        'update',
      )
    : [];
  const changed = await containers.change(record.key, (current) => ({
    ...current,
    hostConfig: { ...current.hostConfig, ...given, ...(policy === undefined ? {} : { RestartPolicy: policy }) },
  }));
  if (changed !== undefined) await events.container(changed, 'update');
  return { Warnings: (Array.isArray(later) ? later : []).map((limit) => LATER[limit as keyof typeof LATER]) };
}

/** Throws 'conflict' when it is not running. */
export async function resizeContainer(context: ContainerContext, name: string, size: TerminalSize): Promise<void> {
  const record = await context.find(name);
  const { height, width } = size;
  await context.ask(record, { op: 'resize', height, width }, 'resize');
  await context.parts.events.container(record, 'resize', { height: String(height), width: String(width) });
}

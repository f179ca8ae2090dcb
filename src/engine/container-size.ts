import type { ProcessStats } from '../containers/control/protocol.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { diskUsage } from '../images/gc.ts';
import type { ContainerContext } from './container-context.ts';

/**
 * Bytes that were written over the image, and those and the image's files together: of one that runs what its kernel
 * holds, of another one what its writable layer takes on disk.
 */
export async function containerSize(
  context: ContainerContext,
  record: ContainerRecord,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const { fs, containers, layers } = context.parts;
  const onDisk = () => diskUsage(fs, `${containers.directory(record.key)}/upper.journal`).catch(() => 0);
  const written = record.managed ? ((await heldBytes(context, record)) ?? (await onDisk())) : 0;
  let below = 0;
  for (const diffId of record.diffIds) below += (await layers.get(diffId))?.tarSizeBytes ?? 0;
  return { SizeRw: written, SizeRootFs: written + below };
}

/** Undefined where nobody can be asked: a process that is held does not answer. */
async function heldBytes(context: ContainerContext, record: ContainerRecord): Promise<number | undefined> {
  if (record.state.status !== 'running') return undefined;
  const stats = await context.ask(record, { op: 'stats' }, 'size').catch(() => undefined);
  return (stats as ProcessStats | undefined)?.storageBytes;
}

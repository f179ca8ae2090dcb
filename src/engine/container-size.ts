import type { ContainerRecord } from '../containers/record.ts';
import { diskUsage } from '../images/gc.ts';
import type { ContainerContext } from './container-context.ts';

/** What the writable layer takes on disk, and that and the image's files together, bytes. */
export async function containerSize(
  { parts }: ContainerContext,
  record: ContainerRecord,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const { fs, containers, layers } = parts;
  const directory = containers.directory(record.key);
  const written = record.managed ? await diskUsage(fs, `${directory}/upper.journal`).catch(() => 0) : 0;
  let below = 0;
  for (const diffId of record.diffIds) below += (await layers.get(diffId))?.tarSizeBytes ?? 0;
  return { SizeRw: written, SizeRootFs: written + below };
}

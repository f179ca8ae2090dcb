/** The end of a container: its record, its name, its directory, and the volumes nobody named. */
import type { ContainerRecord } from './record.ts';

export interface RemovalPorts {
  readonly records: { remove(record: ContainerRecord): Promise<void> };
  /** Removes an anonymous volume; one that is still used stays, and rejects. */
  removeVolume?(name: string): Promise<void>;
}

/** Anonymous volumes go with it, as with `docker run --rm` and `docker rm -v`. */
export async function removeContainer(record: ContainerRecord, ports: RemovalPorts): Promise<void> {
  await ports.records.remove(record);
  for (const name of anonymousVolumes(record)) await ports.removeVolume?.(name).catch(() => {});
}

const ANONYMOUS = /^[0-9a-f]{64}$/;

export function anonymousVolumes(record: ContainerRecord): string[] {
  return volumeNames(record).filter((name) => ANONYMOUS.test(name));
}

export function volumeNames({ mounts }: Pick<ContainerRecord, 'mounts'>): string[] {
  return mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : []));
}

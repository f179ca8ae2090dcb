/**
 * Where the data of volumes is: the interface of volume drivers, wctr's own and those an embedder brings
 * (`Wctr.open({ volumeDrivers: [...] })`). A driver keeps data; names, labels, who uses what and when a volume goes are
 * not its business.
 */
import type { SyncFileSystem } from '../../host/ports.ts';

export interface DriverVolume {
  /** Checked: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, so it is one component of a path. */
  readonly name: string;
  /** `--opt`, as the user gave them. */
  readonly options: Readonly<Record<string, string>>;
}

/** What a container gets: a directory of the host, or an object like Node's fs and a path in it. */
export type VolumeSource = { readonly path: string } | { readonly fs: SyncFileSystem; readonly path: string };

export interface VolumeDriver {
  /** What `--driver` calls it. */
  readonly name: string;
  /** `global`: the same volume is there on other machines too. */
  readonly scope: 'local' | 'global';
  /** Makes an empty volume. Throws 'invalid-argument' for options it does not know. Idempotent. */
  create(volume: DriverVolume): Promise<void>;
  /** Removes its data. Idempotent. */
  remove(volume: DriverVolume): Promise<void>;
  /** What `inspect` shows as Mountpoint. Asks nobody. */
  mountpoint(volume: DriverVolume): string;
  /** Before a container that uses it starts; makes it again if its data is gone. */
  mount(volume: DriverVolume, containerId: string): Promise<VolumeSource>;
  /** The container has ended. */
  unmount?(volume: DriverVolume, containerId: string): Promise<void>;
  /** Bytes of its files; undefined where nobody can say. */
  sizeBytes?(volume: DriverVolume): Promise<number | undefined>;
  /** Whether nothing is in it, so that the image's files may be put there. Absent: it never is. */
  isEmpty?(volume: DriverVolume): Promise<boolean>;
}

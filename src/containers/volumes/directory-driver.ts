/** Volumes as directories: `local` beneath the data root, `memfs` where the host keeps files in memory. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { diskError, isMissing } from '../../images/store/disk-error.ts';
import { syncDirectory, uniqueName } from '../../images/store/durable.ts';
import type { DriverVolume, VolumeDriver, VolumeSource } from './driver.ts';

export interface DirectoryDriverOptions {
  readonly fs: FileSystem;
  /** Holds `<name>/_data`. Asked at each use: it may have to be made first. */
  readonly directory: () => string;
  /** Directory on the same file system for what is being deleted; default: `directory` itself, as `.removed-…`. */
  readonly tempDir?: string;
}

/** docker's `local`. Options of mount(8) need a kernel that mounts: they are refused by name. */
export function localDriver(options: DirectoryDriverOptions): VolumeDriver {
  return directoryDriver('local', options, ({ name, options: given }) => {
    const [option] = Object.keys(given);
    if (option === undefined) return;
    throw new WctrError('unsupported', `create ${name}: the option "${option}" of the local driver is not supported`, {
      hint: 'use a bind mount instead: --mount type=bind,source=DIR,target=PATH, or --tmpfs PATH',
    });
  });
}

/** Gone with the machine's next start. */
export function memoryDriver(options: DirectoryDriverOptions): VolumeDriver {
  return directoryDriver('memfs', options, ({ name, options: given }) => {
    const [option] = Object.keys(given);
    if (option === undefined) return;
    throw new WctrError('invalid-argument', `create ${name}: the memfs driver has no option "${option}"`);
  });
}

function directoryDriver(
  name: string,
  { fs, directory, tempDir }: DirectoryDriverOptions,
  check: (volume: DriverVolume) => void,
): VolumeDriver {
  const dataOf = (volume: DriverVolume) => `${directory()}/${volume.name}/_data`;
  const make = async (volume: DriverVolume) => {
    try {
      await fs.mkdir(directory(), { recursive: true, mode: 0o700 });
      await fs.mkdir(dataOf(volume), { recursive: true, mode: 0o755 });
      await syncDirectory(fs, directory());
    } catch (error) {
      throw diskError(error, `make the volume ${volume.name}`, directory());
    }
  };
  return {
    name,
    scope: 'local',
    async create(volume) {
      check(volume);
      await make(volume);
    },
    async remove(volume) {
      // Away in one step first: half of a volume is never seen under its name.
      const away = `${tempDir ?? directory()}/.removed-${uniqueName(volume.name.slice(0, 64))}`;
      try {
        if (tempDir !== undefined) await fs.mkdir(tempDir, { recursive: true, mode: 0o700 });
        await fs.rename(`${directory()}/${volume.name}`, away);
      } catch (error) {
        if (isMissing(error)) return;
        throw diskError(error, `remove the volume ${volume.name}`, directory());
      }
      await fs.rm(away, { recursive: true, force: true });
    },
    mountpoint: dataOf,
    async mount(volume): Promise<VolumeSource> {
      await make(volume);
      return { path: dataOf(volume) };
    },
    sizeBytes: (volume) => treeBytes(fs, dataOf(volume)),
    async isEmpty(volume) {
      const names = await fs.readdir(dataOf(volume)).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      return names.length === 0;
    },
  };
}

/** Bytes of the files of a tree; links are counted, not followed. */
async function treeBytes(fs: FileSystem, path: string): Promise<number> {
  let total = 0;
  const todo = [path];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    for (const name of await fs.readdir(dir).catch(() => [])) {
      const stat = await fs.lstat(`${dir}/${name}`).catch(() => undefined);
      if (stat?.isDirectory() === true) todo.push(`${dir}/${name}`);
      else total += stat?.size ?? 0;
    }
  }
  return total;
}

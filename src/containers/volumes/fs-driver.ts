/**
 * `memfs` for embedders whose containers run in their own thread: each volume is a Node-fs-shaped object (memfs fits) that
 * containers and the embedder see alike.
 */
import { WctrError } from '../../errors.ts';
import type { SyncFileSystem } from '../../host/ports.ts';
import type { VolumeDriver } from './driver.ts';

export function fsDriver(createFs: () => SyncFileSystem, name = 'memfs'): VolumeDriver {
  const volumes = new Map<string, SyncFileSystem>();
  const open = (volume: string) => {
    const fs = volumes.get(volume) ?? createFs();
    volumes.set(volume, fs);
    return fs;
  };
  return {
    name,
    scope: 'local',
    async create(volume) {
      const [option] = Object.keys(volume.options);
      if (option !== undefined) {
        throw new WctrError('invalid-argument', `create ${volume.name}: the ${name} driver has no option "${option}"`);
      }
      open(volume.name);
    },
    async remove(volume) {
      volumes.delete(volume.name);
    },
    mountpoint: () => '/',
    mount: async (volume) => ({ fs: open(volume.name), path: '/' }),
    isEmpty: async (volume) => open(volume.name).readdirSync('/').length === 0,
  };
}

/** The volumes of a local engine: its drivers, and who uses what by the containers' records. */
import { localDriver, memoryDriver } from '../containers/volumes/directory-driver.ts';
import { VolumeStore } from '../containers/volumes/volume-store.ts';
import type { EngineParts } from './parts.ts';

export function openVolumes(parts: EngineParts): VolumeStore {
  const { fs, layout, locks, createHasher, host, containers, events } = parts;
  const own = [
    localDriver({ fs, directory: () => `${layout.root}/volumes`, tempDir: layout.tmp }),
    ...(host.memoryDirectory === undefined ? [] : [memoryDriver({ fs, directory: host.memoryDirectory })]),
  ];
  const given = parts.volumeDrivers ?? [];
  return new VolumeStore({
    fs,
    root: layout.root,
    tempDir: layout.tmp,
    locks,
    createHasher,
    randomBytes: host.randomBytes,
    drivers: [...given, ...own.filter(({ name }) => given.every((driver) => driver.name !== name))],
    users: async () =>
      (await containers.list()).map(({ key, mounts }) => ({
        id: key,
        volumes: mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : [])),
      })),
    onEvent: (action, { key, driver }) =>
      events.append({ Type: 'volume', Action: action, Actor: { ID: key, Attributes: { driver } } }),
  });
}

import { lstatSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Volume as MemoryFiles } from 'memfs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDriver, memoryDriver } from '../../../src/containers/volumes/directory-driver.ts';
import { fsDriver } from '../../../src/containers/volumes/fs-driver.ts';
import { readMounts, readVolumesFrom } from '../../../src/containers/volumes/mount-requests.ts';
import { VolumeStore, type VolumeStoreOptions } from '../../../src/containers/volumes/volume-store.ts';
import { LocalVolumes } from '../../../src/engine/volume-use-cases.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import type { HostConfig } from '../../../src/spec/engine-api.ts';
import { removeTree } from '../../support/remove-tree.ts';

let root: string;
let used: { id: string; volumes: string[] }[];
let seen: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wctr-volumes-'));
  used = [];
  seen = [];
});
afterEach(() => removeTree(root));

function open(options: Partial<VolumeStoreOptions> = {}) {
  const fs = nodeFileSystem;
  let next = 0;
  const store = new VolumeStore({
    fs,
    root,
    tempDir: `${root}/tmp`,
    locks: new MemoryLocks(),
    createHasher: nodeHasher,
    randomBytes: (length) => new Uint8Array(length).fill(++next),
    drivers: [
      localDriver({ fs, directory: () => `${root}/volumes`, tempDir: `${root}/tmp` }),
      memoryDriver({ fs, directory: () => `${root}/memory` }),
    ],
    users: async () => used,
    onEvent: async (action, { key }) => void seen.push(`${action} ${key}`),
    ...options,
  });
  return { store, volumes: new LocalVolumes(store) };
}

describe('volumes', () => {
  it('are made, shown, listed and removed', async () => {
    const { volumes } = open();
    const made = await volumes.create({ Name: 'data', Labels: { a: 'b' } });
    expect(made).toMatchObject({
      Name: 'data',
      Driver: 'local',
      Mountpoint: `${root}/volumes/data/_data`,
      Scope: 'local',
      Labels: { a: 'b' },
      Options: null,
    });
    expect(lstatSync(made.Mountpoint).isDirectory()).toBe(true);
    expect(await open().volumes.inspect('data')).toEqual(made);
    expect((await volumes.list()).Volumes).toEqual([made]);
    writeFileSync(`${made.Mountpoint}/f`, 'x');
    await volumes.remove('data');
    expect(readdirSync(`${root}/volumes`)).toEqual([]);
    expect(readdirSync(`${root}/tmp`)).toEqual([]);
    await expect(volumes.inspect('data')).rejects.toMatchObject({
      code: 'not-found',
      message: 'get data: no such volume',
    });
    await expect(volumes.remove('data')).rejects.toMatchObject({ code: 'not-found' });
    await volumes.remove('data', { force: true });
    expect(seen).toEqual(['create data', 'destroy data']);
  });

  it('stay as they are when they are made again, and are one thing under one name', async () => {
    const { volumes } = open();
    const first = await volumes.create({ Name: 'data', Labels: { a: '1' } });
    expect(await volumes.create({ Name: 'data', Labels: { a: '2' } })).toEqual(first);
    await expect(volumes.create({ Name: 'data', Driver: 'memfs' })).rejects.toMatchObject({ code: 'conflict' });
    const many = await Promise.all(Array.from({ length: 10 }, () => volumes.create({ Name: 'same' })));
    expect(new Set(many.map(({ CreatedAt }) => CreatedAt)).size).toBe(1);
    expect(seen.filter((event) => event === 'create same')).toHaveLength(1);
  });

  it('without a name get one of 64 hex digits', async () => {
    const { Name, Labels } = await open().volumes.create({});
    expect(Name).toMatch(/^[0-9a-f]{64}$/);
    expect(Labels).toEqual({ 'com.docker.volume.anonymous': '' });
  });

  it('are not removed while a container has them', async () => {
    const { volumes } = open();
    await volumes.create({ Name: 'data' });
    used = [{ id: 'c'.repeat(64), volumes: ['data'] }];
    await expect(volumes.remove('data')).rejects.toMatchObject({
      code: 'in-use',
      message: `remove data: volume is in use - [${'c'.repeat(64)}]`,
    });
    await expect(volumes.remove('data', { force: true })).rejects.toMatchObject({ code: 'in-use' });
    expect(await volumes.prune({ all: ['true'] })).toEqual({ VolumesDeleted: [], SpaceReclaimed: 0 });
  });

  it('are filtered and pruned as docker does', async () => {
    const { volumes } = open();
    for (const Name of ['keep', 'web-1', 'web-2']) await volumes.create({ Name, Labels: { tier: Name.slice(0, 3) } });
    const { Name: anonymous, Mountpoint } = await volumes.create({});
    await volumes.create({ Name: 'fast', Driver: 'memfs' });
    writeFileSync(`${Mountpoint}/f`, 'x'.repeat(1000));
    used = [{ id: 'c', volumes: ['web-1'] }];
    const names = async (filters: Record<string, string[]>) =>
      (await volumes.list(filters)).Volumes.map(({ Name }) => Name);
    expect(await names({ name: ['web'] })).toEqual(['web-1', 'web-2']);
    expect(await names({ dangling: ['false'] })).toEqual(['web-1']);
    expect(await names({ dangling: ['true'], label: ['tier=web'] })).toEqual(['web-2']);
    expect(await names({ driver: ['memfs'] })).toEqual(['fast']);
    await expect(names({ nope: ['1'] })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await volumes.prune()).toEqual({ VolumesDeleted: [anonymous], SpaceReclaimed: 1000 });
    expect((await volumes.prune({ all: ['1'], 'label!': ['tier=kee'] })).VolumesDeleted).toEqual(['fast', 'web-2']);
    expect(await names({})).toEqual(['keep', 'web-1']);
  });

  it.each(['../up', 'a/b', '.hidden', 'x', 'a\0b', '-flag', 'ä-ö', 'v'.repeat(256), '..', 'a b'])(
    'refuse the name %j',
    async (Name) => {
      const { volumes } = open();
      await expect(volumes.create({ Name })).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(volumes.inspect(Name)).rejects.toMatchObject({ code: 'not-found' });
      await expect(volumes.remove(Name)).rejects.toMatchObject({ code: 'not-found' });
      expect(readdirSync(root)).toEqual([]);
    },
  );

  it.each([
    ['local', { type: 'none', o: 'bind', device: '/etc' }, 'unsupported'],
    ['local', { device: '/' }, 'unsupported'],
    ['memfs', { size: '1' }, 'invalid-argument'],
    ['nfs', {}, 'not-found'],
  ])('refuse what the driver %s does not have: %j', async (Driver, DriverOpts, code) => {
    await expect(open().volumes.create({ Name: 'data', Driver, DriverOpts })).rejects.toMatchObject({ code });
    expect(readdirSync(root)).toEqual([]);
  });

  it('never delete what a link in them leads to', async () => {
    const { volumes } = open();
    const outside = `${root}/outside`;
    writeFileSync(outside, 'mine');
    const { Mountpoint } = await volumes.create({ Name: 'data' });
    symlinkSync(outside, `${Mountpoint}/link`);
    symlinkSync(root, `${Mountpoint}/up`);
    expect((await volumes.usage())[0]!.UsageData!.Size).toBeLessThan(4096);
    await volumes.remove('data');
    expect(readFileSync(outside, 'utf8')).toBe('mine');
  });

  it('are filled once, and again only when the filling was broken off', async () => {
    const { store, volumes } = open();
    const { Mountpoint } = await volumes.create({ Name: 'data' });
    const calls: string[] = [];
    const fill = (what: string, result: boolean | Error) =>
      store.populateOnce('data', async () => {
        calls.push(what);
        if (result instanceof Error) throw result;
        return result;
      });
    await fill('nothing to put in', false);
    await expect(fill('broken', new Error('killed'))).rejects.toThrow('killed');
    writeFileSync(`${Mountpoint}/half`, '');
    await fill('again', true);
    await fill('no more', true);
    expect(calls).toEqual(['nothing to put in', 'broken', 'again']);
    await volumes.create({ Name: 'full' });
    writeFileSync(`${root}/volumes/full/_data/f`, '');
    await store.populateOnce('full', () => Promise.reject(new Error('must not be called')));
  });

  it('take drivers of others', async () => {
    const driver = fsDriver(() => new MemoryFiles() as never, 'mine');
    const { store, volumes } = open({ drivers: [driver] });
    await volumes.create({ Name: 'data', Driver: 'mine' });
    const [one, two] = await Promise.all(
      ['a', 'b'].map((id) => store.driver('mine').mount({ name: 'data', options: {} }, id)),
    );
    expect('fs' in one! && 'fs' in two! && one.fs === two.fs).toBe(true);
  });
});

describe('mounts of a request', () => {
  const read = (hostConfig: HostConfig, volumes: Record<string, object> | null = null) =>
    readMounts(hostConfig, volumes, (path) => path.startsWith('/'));

  it("are read by docker's rules", () => {
    const mounts = read(
      {
        Binds: ['/src:/dst:ro', 'vol:/data', '/anon', 'raw:/raw:nocopy'],
        Mounts: [
          {
            Type: 'volume',
            Source: 'named',
            Target: '/m/',
            ReadOnly: true,
            VolumeOptions: { NoCopy: true, Labels: { a: 'b' } },
          },
          { Type: 'bind', Source: '/host', Target: '/b' },
          { Type: 'tmpfs', Target: '/t' },
        ],
        VolumeDriver: 'memfs',
      },
      { '/data': {}, '/image': {} },
    );
    const short = mounts.map(({ type, source, destination, readonly, noCopy, driver }) =>
      [type, source, destination, readonly ? 'ro' : '', noCopy ? 'nocopy' : '', driver ?? ''].join(' ').trimEnd(),
    );
    expect(short).toEqual([
      'bind /src /dst ro',
      'volume vol /data   memfs',
      'volume  /anon   memfs',
      'volume raw /raw  nocopy memfs',
      'volume named /m ro nocopy',
      'bind /host /b',
      'tmpfs  /t',
      'volume  /image   memfs',
    ]);
  });

  it.each<[string, HostConfig, Record<string, object>?]>([
    ['a volume that climbs', { Binds: ['../x:/y'] }],
    ['a name with a slash', { Binds: ['a/b:/y'] }],
    ['no destination', { Binds: ['/x:'] }],
    ['a relative destination', { Binds: ['vol:data'] }],
    ['the root', { Binds: ['vol:/'] }],
    ['the root by detour', { Binds: ['vol:/a/..'] }],
    ['an unknown mode', { Binds: ['vol:/a:rx'] }],
    ['two of a place', { Binds: ['a1:/a'], Mounts: [{ Type: 'tmpfs', Target: '/a/' }] }],
    ['a tmpfs over a volume', { Binds: ['a1:/a'], Tmpfs: { '/a': '' } }],
    ['an image volume that is no path', {}, { '../../etc': {} }],
    ['a relative bind', { Mounts: [{ Type: 'bind', Source: 'x', Target: '/a' }] }],
    ['a hostile volume in a mount', { Mounts: [{ Type: 'volume', Source: '../../etc', Target: '/a' }] }],
  ])('refuse %s', (_what, hostConfig, volumes) => {
    expect(() => read(hostConfig, volumes ?? null)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('read --volumes-from', () => {
    expect(readVolumesFrom('c1')).toEqual({ container: 'c1', readonly: false });
    expect(readVolumesFrom('c1:ro')).toEqual({ container: 'c1', readonly: true });
    for (const text of ['', ':ro', 'c1:x', 'c1:ro:rw']) expect(() => readVolumesFrom(text)).toThrow();
  });
});

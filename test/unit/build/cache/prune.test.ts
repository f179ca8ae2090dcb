import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CacheItem } from '../../../../src/build/cache/cache-items.ts';
import { chooseItems, DEFAULT_CACHE_LIMITS, overLimits } from '../../../../src/build/cache/choose-items.ts';
import { LocalBuildCache } from '../../../../src/build/cache/local-build-cache.ts';
import { KeptChecksums } from '../../../../src/build/context/kept-checksums.ts';
import { ContainerRecords } from '../../../../src/containers/records.ts';
import { buildCacheUsage, enforceCacheLimits, pruneBuildCache } from '../../../../src/engine/build-cache-use-cases.ts';
import { collectorOptions } from '../../../../src/engine/collector.ts';
import type { EngineParts } from '../../../../src/engine/parts.ts';
import { collectGarbage } from '../../../../src/images/gc.ts';
import { importImage } from '../../../../src/images/import.ts';
import { parseReference } from '../../../../src/images/reference.ts';
import {
  chunks,
  createNodeHasher,
  diskStore,
  openImages,
  sha256,
  tarOf,
  tempDir,
} from '../../../support/image-store.ts';

const HOUR = 3_600_000;

function world(root: string) {
  const store = openImages(diskStore(root));
  const containers = new ContainerRecords({
    ...store,
    root,
    createHasher: createNodeHasher,
    isAlive: () => true,
    keepsListing: false,
  });
  const parts = { ...store, containers, createHasher: createNodeHasher } as unknown as EngineParts;
  const lease = store.leases.open();
  /** A step of that name, made so many hours ago. */
  const step = async (name: string, hoursAgo = 0, bytes = 1000) => {
    const cache = new LocalBuildCache({ ...store, now: () => Date.now() - hoursAgo * HOUR });
    const tar = await tarOf({ [name]: name.repeat(bytes) });
    const descriptor = await store.layers.write(chunks(tar), { pin: async () => {} });
    await cache.keep(sha256(name), {
      layers: [{ descriptor, diffId: descriptor.digest }],
      description: `COPY ${name}`,
      kind: 'copy',
    });
    return { digest: descriptor.digest, tar };
  };
  const mount = (name: string) => {
    const directory = join(root, 'build/mounts', sha256(name).slice(7));
    mkdirSync(join(directory, '0'), { recursive: true });
    writeFileSync(join(directory, '0/file'), 'x'.repeat(500));
    const at = new Date().toISOString();
    writeFileSync(
      join(directory, '0.json'),
      JSON.stringify({ id: name, createdAt: at, lastUsedAt: at, usageCount: 3 }),
    );
    return directory;
  };
  const collect = () => collectGarbage(collectorOptions(parts));
  return { ...store, root, parts, lease, step, mount, collect };
}

describe('builder du and builder prune', () => {
  it('list steps, mounts and directories', async () => {
    using dir = tempDir();
    const { parts, step, mount, fs, layout } = world(dir.path);
    await step('a', 5);
    await step('b', 1);
    mount('npm');
    const kept = new KeptChecksums({ fs, layout, createHasher: createNodeHasher, now: () => Date.now() + HOUR });
    const checksums = await kept.open('/home/me/app');
    checksums.set({ path: 'x', size: 1, state: '1 0 0 1 1', changedNs: 0n }, 'hex');
    await checksums.save(() => false);
    const usage = await buildCacheUsage(parts);
    expect(usage.map(({ Type, Description }) => `${Type} ${Description}`).sort()).toEqual([
      'exec.cachemount cache mount npm',
      'regular COPY a',
      'regular COPY b',
      'source.local checksums of /home/me/app',
    ]);
    expect(usage.findIndex(({ Description }) => Description === 'COPY b')).toBeLessThan(
      usage.findIndex(({ Description }) => Description === 'COPY a'),
    );
    expect(usage.find(({ Type }) => Type === 'exec.cachemount')).toMatchObject({ UsageCount: 3, InUse: false });
    expect(usage.every(({ Size }) => Size > 0)).toBe(true);
    expect(await buildCacheUsage(parts, { type: ['regular'], description: ['a'] })).toHaveLength(1);
    await expect(buildCacheUsage(parts, { colour: ['red'] })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('removes steps and their layers, and nothing else does', async () => {
    using dir = tempDir();
    const { parts, step, content, collect } = world(dir.path);
    const { digest, tar } = await step('a');
    expect((await collect()).blobs).toEqual([]);
    expect(await content.has(digest)).toBe(true);
    const { CachesDeleted, SpaceReclaimed } = await pruneBuildCache(parts);
    expect(CachesDeleted).toEqual([sha256('a').slice(7, 32)]);
    expect(SpaceReclaimed).toBe(tar.length);
    expect(await content.has(digest)).toBe(false);
    expect(await buildCacheUsage(parts)).toEqual([]);
  });

  it('leaves what an image has, unless all is to go, and the image whole either way', async () => {
    using dir = tempDir();
    const opened = world(dir.path);
    const { parts, step, content } = opened;
    const { digest, tar } = await step('a');
    await importImage(opened, chunks(tar), { reference: parseReference('app') });
    expect(await buildCacheUsage(parts)).toMatchObject([{ Shared: true }]);
    expect((await pruneBuildCache(parts)).CachesDeleted).toEqual([]);
    expect((await pruneBuildCache(parts, { all: true })).CachesDeleted).toHaveLength(1);
    expect(await content.has(digest)).toBe(true);
  });

  it('leaves what a build uses now', async () => {
    using dir = tempDir();
    const { parts, step, mount, lease, locks } = world(dir.path);
    const { digest } = await step('a');
    const directory = mount('npm');
    await lease.pin([digest]);
    const lock = await locks.acquire(`build-mount-${directory.slice(-64)}`, { shared: true });
    expect(await buildCacheUsage(parts)).toMatchObject([{ InUse: true }, { InUse: true }]);
    expect((await pruneBuildCache(parts, { all: true })).CachesDeleted).toEqual([]);
    await Promise.all([lease.release(), lock.release()]);
    expect((await pruneBuildCache(parts, { all: true })).CachesDeleted).toHaveLength(2);
  });

  it.each<[string, Parameters<typeof pruneBuildCache>[1], string[]]>([
    ['a time', { filters: { until: ['2h'] } }, ['old']],
    ['another word for it', { filters: { 'unused-for': ['2h'] } }, ['old']],
    ['a size', { keepBytes: 6000 }, ['old', 'mid']],
    ['a size nothing is beyond', { keepBytes: 1e9 }, []],
    ['an id', { filters: { id: [sha256('mid').slice(7, 20)] } }, ['mid']],
    ['a type', { filters: { type: ['exec.cachemount'] } }, []],
  ])('goes by %s', async (_, options, expected) => {
    using dir = tempDir();
    const { parts, step } = world(dir.path);
    for (const [name, hours] of [['old', 5], ['mid', 1.5], ['new', 0]] as const) await step(name, hours); // biome-ignore format: pairs
    const { CachesDeleted } = await pruneBuildCache(parts, options);
    expect(CachesDeleted).toEqual(expected.map((name) => sha256(name).slice(7, 32)));
  });

  it('counts a layer of two steps once', async () => {
    using dir = tempDir();
    const { parts, step, ...store } = world(dir.path);
    const { digest, tar } = await step('a', 1);
    const descriptor = { mediaType: 'x', digest, size: tar.length };
    await new LocalBuildCache({ ...store, createHasher: createNodeHasher }).keep(sha256('alias'), {
      layers: [{ descriptor, diffId: digest }],
      description: 'COPY again',
      kind: 'copy',
    });
    const usage = await buildCacheUsage(parts);
    expect(usage.map(({ Size }) => Size)).toEqual([0, tar.length]);
  });
});

describe('a cache that nobody prunes', () => {
  const item = (id: string, sizeBytes: number, unusedHours: number, more: Partial<CacheItem> = {}): CacheItem => ({
    id,
    type: 'regular',
    description: id,
    sizeBytes,
    isShared: false,
    isInUse: false,
    createdAtMs: 0,
    lastUsedMs: 1e12 - unusedHours * HOUR,
    usageCount: 1,
    remove: async () => true,
    ...more,
  });
  const ids = (items: readonly CacheItem[]) => items.map(({ id }) => id);
  const limits = { maxBytes: 100, keepBytes: 50, maxUnusedMs: 100 * HOUR, maxUnusedContextMs: 10 * HOUR };

  it.each<[string, CacheItem[], string[]]>([
    ['what is old', [item('a', 1, 101), item('b', 1, 99)], ['a']],
    ['directories that are old', [item('a', 1, 11, { type: 'source.local' }), item('b', 1, 11)], ['a']],
    ['nothing below its size', [item('a', 50, 3), item('b', 50, 2)], []],
    ['the longest unused beyond its size', [item('a', 40, 3), item('b', 40, 2), item('c', 40, 1)], ['a', 'b']],
    ['nothing that is used now', [item('a', 80, 3, { isInUse: true }), item('b', 40, 2)], ['b']],
    ['nothing an image has for its size', [item('a', 500, 3, { isShared: true }), item('b', 40, 2)], []],
  ])('loses %s', (_, items, expected) => {
    expect(ids(overLimits(items, limits, 1e12))).toEqual(expected);
  });

  it('chooses among what fits', () => {
    const items = [item('a', 1, 3), item('b', 1, 2), item('c', 1, 1)];
    expect(ids(chooseItems(items, { isWanted: ({ id }) => id !== 'b' }))).toEqual(['a', 'c']);
    expect(DEFAULT_CACHE_LIMITS.keepBytes).toBeLessThan(DEFAULT_CACHE_LIMITS.maxBytes);
  });

  it('is looked at once an hour', async () => {
    using dir = tempDir();
    const { parts, step } = world(dir.path);
    const left = async () => (await buildCacheUsage(parts)).length;
    const none = { maxBytes: 0, keepBytes: 0, maxUnusedMs: HOUR, maxUnusedContextMs: HOUR };
    await step('a');
    await enforceCacheLimits(parts, none);
    expect(await left()).toBe(0);
    await step('b');
    await enforceCacheLimits(parts, none);
    expect(await left()).toBe(1);
    utimesSync(join(dir.path, 'build/limits-checked'), 0, Date.now() / 1000 - 3601);
    await enforceCacheLimits(parts, none);
    expect(await left()).toBe(0);
  });
});

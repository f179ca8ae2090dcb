import { describe, expect, it } from 'vitest';
import type { StepResult } from '../../../../src/build/cache/build-cache.ts';
import { buildCacheRoots, LocalBuildCache, USE_NOTED_MS } from '../../../../src/build/cache/local-build-cache.ts';
import { collectGarbage } from '../../../../src/images/gc.ts';
import { type Digest, MEDIA_TYPE } from '../../../../src/spec/image-spec.ts';
import { chunks, createNodeHasher, memoryStore, openImages, sha256, tarOf } from '../../../support/image-store.ts';

const KEY = sha256('step');

async function world() {
  const store = openImages(memoryStore());
  let now = 1_000_000;
  const cache = new LocalBuildCache({ ...store, now: () => now });
  const pinned: Digest[] = [];
  const pins = { pin: async (digests: readonly Digest[]) => void pinned.push(...digests) };
  const result = async (content: string): Promise<StepResult> => {
    const tar = await tarOf({ a: content });
    const descriptor = { mediaType: MEDIA_TYPE.ociLayerTar, digest: sha256(tar), size: tar.length };
    await store.layers.ingest(descriptor, descriptor.digest, () => chunks(tar));
    return { layers: [{ descriptor, diffId: descriptor.digest }], description: `COPY ${content}`, kind: 'copy' };
  };
  const recordFile = async () => {
    const [name] = await store.fs.readdir(store.layout.buildCache);
    return `${store.layout.buildCache}/${name}`;
  };
  const wait = (ms: number) => {
    now += ms;
  };
  return { store, cache, pins, pinned, result, recordFile, wait };
}

describe('the build cache of a store', () => {
  it('knows nothing at first, and then what was kept', async () => {
    const { cache, pins, pinned, result } = await world();
    expect(await cache.find(KEY, pins)).toBeUndefined();
    const made = await result('a');
    expect(await cache.keep(KEY, made)).toEqual(made);
    expect(await cache.find(KEY, pins)).toEqual(made);
    expect(pinned).toContain(made.layers[0]?.descriptor.digest);
    expect(await cache.find(sha256('another'), pins)).toBeUndefined();
  });

  it('keeps a step without layers', async () => {
    const { cache, pins } = await world();
    const made: StepResult = { layers: [], description: 'RUN true', kind: 'run' };
    await cache.keep(KEY, made);
    expect(await cache.find(KEY, pins)).toEqual(made);
  });

  it('lets the first stay, unless the second replaces it', async () => {
    const { cache, pins, result } = await world();
    const [first, second] = [await result('first'), await result('second')];
    await cache.keep(KEY, first);
    expect(await cache.keep(KEY, second)).toEqual(first);
    expect(await cache.keep(KEY, second, { replaces: true })).toEqual(second);
    expect(await cache.find(KEY, pins)).toEqual(second);
  });

  it('lets the second stay when the layers of the first are gone', async () => {
    const { store, cache, result } = await world();
    const [first, second] = [await result('first'), await result('second')];
    await cache.keep(KEY, first);
    await store.content.delete(first.layers[0]?.descriptor.digest as Digest);
    expect(await cache.keep(KEY, second)).toEqual(second);
  });

  it.each([
    ['flipped', (bytes: Uint8Array) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte))],
    ['cut', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
    ['emptied', () => new Uint8Array()],
    ['replaced', () => new TextEncoder().encode('{"sha256":"","record":{}}')],
  ])('removes a record that was %s', async (_, damage) => {
    const { store, cache, pins, result, recordFile } = await world();
    await cache.keep(KEY, await result('a'));
    const path = await recordFile();
    await store.fs.writeFile(path, damage(await store.fs.readFile(path)));
    expect(await cache.records()).toEqual([]);
    expect(await cache.find(KEY, pins)).toBeUndefined();
    expect(await store.fs.readdir(store.layout.buildCache)).toEqual([]);
  });

  it('removes a record whose layer is gone', async () => {
    const { store, cache, pins, result } = await world();
    const made = await result('a');
    await cache.keep(KEY, made);
    await store.content.delete(made.layers[0]?.descriptor.digest as Digest);
    expect(await cache.find(KEY, pins)).toBeUndefined();
    expect(await cache.records()).toEqual([]);
  });

  it('notes when it was used, not more often than is of use', async () => {
    const { cache, pins, result, wait } = await world();
    await cache.keep(KEY, await result('a'));
    wait(USE_NOTED_MS - 1);
    await cache.find(KEY, pins);
    expect(await cache.records()).toMatchObject([{ lastUsedMs: 1_000_000, usageCount: 1 }]);
    wait(1);
    await cache.find(KEY, pins);
    expect(await cache.records()).toMatchObject([{ lastUsedMs: 1_000_000 + USE_NOTED_MS, usageCount: 2 }]);
  });

  it('keeps layers from the garbage collector', async () => {
    const { store, cache, pins, result } = await world();
    const [kept, other] = [await result('kept'), await result('other')];
    await cache.keep(KEY, kept);
    const roots = async () => ({
      manifests: [],
      ...(await buildCacheRoots({ ...store, createHasher: createNodeHasher })),
    });
    const { blobs } = await collectGarbage({ ...store.collector, roots });
    expect(blobs).toEqual(other.layers.map(({ descriptor }) => descriptor.digest));
    expect(await cache.find(KEY, pins)).toEqual(kept);
    await cache.remove(KEY);
    expect((await collectGarbage({ ...store.collector, roots })).blobs).toEqual([kept.layers[0]?.diffId]);
  });
});

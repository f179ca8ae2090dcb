import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { RootfsIndex } from '../../../src/core/rootfs-index.ts';
import type { ByteLocation } from '../../../src/host/ports.ts';
import type { BlobOrigin, Descriptor, Digest } from '../../../src/images/contracts.ts';
import { imageDiskUsage } from '../../../src/images/disk-usage.ts';
import { collectGarbage, diskUsage } from '../../../src/images/gc.ts';
import { layerPaths } from '../../../src/images/layer-files.ts';
import { Layers, type LayersOptions } from '../../../src/images/layers.ts';
import { MEDIA_TYPE } from '../../../src/spec/image-spec.ts';
import {
  chunks,
  createNodeHasher,
  diskStore,
  memoryStore,
  openImages,
  openTestStore,
  sha256,
  type TestStore,
} from '../../support/image-store.ts';
import { core } from '../../support/layers.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { entry, gnuLong, type TarEntry, tar } from '../../support/tar-builder.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-layers-'));
afterAll(() => removeTree(dir));
let stores = 0;

interface Opened extends TestStore {
  readonly layers: Layers;
  readonly locateBy: 'path' | 'bytes';
}

function open(kind: 'disk' | 'memory', options: Partial<LayersOptions> = {}): Opened {
  const store = kind === 'disk' ? diskStore(join(dir, String(++stores))) : memoryStore();
  const locateBy = kind === 'disk' ? 'path' : 'bytes';
  const { fs, layout, locks, content } = store;
  const layers = new Layers({ fs, layout, locks, content, core, createHasher: createNodeHasher, locateBy, ...options });
  return { ...store, layers, locateBy };
}

interface Blob {
  readonly bytes: Uint8Array;
  readonly plain: Uint8Array;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

function blob(entries: readonly TarEntry[], mediaType: string = MEDIA_TYPE.ociLayerGzip): Blob {
  const plain = tar(...entries);
  const bytes = mediaType.endsWith('gzip') ? gzipSync(plain) : plain;
  return { bytes, plain, descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, diffId: sha256(plain) };
}

const from =
  (bytes: Uint8Array): BlobOrigin =>
  (offset) =>
    chunks(bytes.subarray(offset), 1000);

function read(location: ByteLocation): Uint8Array {
  return 'path' in location ? readFileSync(location.path) : location.bytes;
}

async function leftovers({ fs, layout }: TestStore): Promise<string[]> {
  return fs.readdir(layout.tmp).catch(() => []);
}

const hello = () =>
  blob([
    { name: 'hello', data: 'world' },
    { name: 'big', data: 'z'.repeat(300_000) },
  ]);

describe.each<['disk' | 'memory', Partial<LayersOptions>]>([
  ['disk', {}],
  ['disk', { hostHash: false }],
  ['disk', { writesShared: true }],
  ['memory', {}],
])('layer store on %s %j', (kind, options) => {
  const isPlain = Object.keys(options).length === 0;

  it.each([MEDIA_TYPE.ociLayerGzip, MEDIA_TYPE.ociLayerTar])('takes in %s in one pass', async (mediaType) => {
    const store = open(kind, options);
    const layer = blob(
      [
        { name: 'a', data: 'x'.repeat(100_000) },
        { name: 'd/', type: '5' },
      ],
      mediaType,
    );
    const progress: number[] = [];
    const record = await store.layers.ingest(layer.descriptor, layer.diffId, from(layer.bytes), {
      onProgress: (received) => progress.push(received),
    });
    expect(record).toMatchObject({ diffId: layer.diffId, tarSizeBytes: layer.plain.length, entryCount: 2 });
    expect(Buffer.compare(read(record.tar), layer.plain)).toBe(0);
    expect(await store.content.has(layer.descriptor.digest)).toBe(true);
    expect(await store.layers.get(layer.diffId)).toEqual(record);
    expect(progress.at(-1)).toBe(layer.bytes.length);
    expect(await leftovers(store)).toEqual([]);
  });

  it('unpacks a blob that is there already', async () => {
    const store = open(kind, options);
    const layer = hello();
    await store.content.ingest(layer.descriptor, from(layer.bytes));
    const record = await store.layers.unpack(layer.descriptor, undefined);
    expect(record.diffId).toBe(layer.diffId);
    // With the blob there, ingest asks nobody for bytes.
    const origin: BlobOrigin = () => {
      throw new Error('asked for');
    };
    expect(await store.layers.ingest(layer.descriptor, layer.diffId, origin)).toEqual(record);
  });

  it('merges a stack and keeps the result', async () => {
    const store = open(kind, options);
    const stack = [
      blob([
        { name: 'a', data: '1' },
        { name: 'b', data: '2' },
      ]),
      blob([{ name: '.wh.a' }, { name: 'c', data: '33' }]),
    ];
    for (const layer of stack) await store.layers.ingest(layer.descriptor, layer.diffId, from(layer.bytes));
    const diffIds = stack.map(({ diffId }) => diffId);
    const first = await store.layers.rootfs(diffIds);
    const index = new RootfsIndex(read(first.index));
    expect([...index.walk()].map(({ path, node }) => [path, node.layer])).toEqual([
      ['b', 0],
      ['c', 1],
    ]);
    const c = index.node(index.lookup('c')!);
    expect(
      Buffer.from(read(first.layers[1]!))
        .subarray(c.dataOffset, c.dataOffset + c.size)
        .toString(),
    ).toBe('33');
    expect(await store.layers.rootfs(diffIds)).toEqual(first);
  });

  it('gives an image without layers an empty root', async () => {
    const { index, layers } = await open(kind, options).layers.rootfs([]);
    expect([new RootfsIndex(read(index)).nodeCount, layers]).toEqual([1, []]);
  });

  it('takes one transfer for many callers', async () => {
    const store = open(kind, options);
    const layer = hello();
    let transfers = 0;
    const origin: BlobOrigin = (offset) => {
      transfers++;
      return from(layer.bytes)(offset);
    };
    const records = await Promise.all(
      Array.from({ length: 10 }, () => store.layers.ingest(layer.descriptor, layer.diffId, origin)),
    );
    expect([transfers, new Set(records.map(({ diffId }) => diffId)).size]).toEqual([1, 1]);
  });

  const layer = hello();
  const other = blob([{ name: 'other' }]);
  const invalid = blob([gnuLong('L', 'a'), gnuLong('L', 'b'), { name: 'c' }]);
  const truncated = (() => {
    const bytes = gzipSync(entry({ name: 'f', size: 10_000 }));
    return { ...other, bytes, descriptor: { ...other.descriptor, digest: sha256(bytes), size: bytes.length } };
  })();
  if (!isPlain) return;
  it.each<[string, Blob, Digest | undefined, Uint8Array, object]>([
    ['bytes of another digest', layer, layer.diffId, flip(layer.bytes), { code: 'digest-mismatch' }],
    ['too few bytes', layer, layer.diffId, layer.bytes.subarray(0, 200), { code: 'size-mismatch' }],
    ['too many bytes', layer, layer.diffId, Buffer.concat([layer.bytes, layer.bytes]), { code: 'size-mismatch' }],
    [
      'another diff ID',
      layer,
      other.diffId,
      layer.bytes,
      { code: 'digest-mismatch', data: { expected: other.diffId, actual: layer.diffId } },
    ],
    ['a tar that is read differently', invalid, undefined, invalid.bytes, { code: 'invalid-layer' }],
    [
      'a tar that ends early',
      truncated,
      undefined,
      truncated.bytes,
      { code: 'invalid-layer', message: expect.stringContaining('the tar ends early, at entry "f"') },
    ],
    [
      'plain bytes announced as gzip',
      { ...layer, descriptor: { ...layer.descriptor, digest: layer.diffId, size: layer.plain.length } },
      undefined,
      layer.plain,
      { code: 'unsupported-media-type', message: expect.stringContaining('not compressed in a known way') },
    ],
    [
      'gzip announced as plain',
      { ...layer, descriptor: { ...layer.descriptor, mediaType: MEDIA_TYPE.ociLayerTar } },
      undefined,
      layer.bytes,
      { code: 'unsupported-media-type', message: expect.stringContaining('its bytes are gzip') },
    ],
    [
      'no layer at all',
      { ...layer, descriptor: { ...layer.descriptor, mediaType: 'text/plain' } },
      undefined,
      layer.bytes,
      { code: 'unsupported-media-type' },
    ],
  ])('refuses %s and keeps nothing', async (_, { descriptor }, diffId, bytes, expected) => {
    const store = open(kind, options);
    await expect(store.layers.ingest(descriptor, diffId, from(bytes))).rejects.toMatchObject(expected);
    expect(await store.content.has(descriptor.digest)).toBe(false);
    expect(await store.layers.get(layer.diffId)).toBeUndefined();
    expect((await leftovers(store)).filter((name) => name.startsWith('layer'))).toEqual([]);
    // The right bytes are taken afterwards.
    await store.layers.ingest(layer.descriptor, layer.diffId, from(layer.bytes));
  });

  it('stops when it is told to, and leaves no draft', async () => {
    const store = open(kind, options);
    const abort = new AbortController();
    const origin: BlobOrigin = async function* () {
      yield layer.bytes.subarray(0, 100);
      abort.abort();
      yield layer.bytes.subarray(100);
    };
    await expect(
      store.layers.ingest(layer.descriptor, layer.diffId, origin, { signal: abort.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect((await leftovers(store)).filter((name) => name.startsWith('layer'))).toEqual([]);
  });
});

describe('what is damaged is made again', () => {
  const damage: [string, (paths: { tar: string; index: string; rootfs: string }) => void][] = [
    ['the index is gone', ({ index }) => rmSync(index)],
    ['the tar is gone', ({ tar: path }) => rmSync(path)],
    ['the tar was cut', ({ tar: path }) => writeFileSync(path, readFileSync(path).subarray(512))],
    ['the index was cut', ({ index }) => writeFileSync(index, readFileSync(index).subarray(0, 80))],
    ['the index has a flipped bit', ({ index }) => writeFileSync(index, flip(readFileSync(index)))],
    ['the merged index is gone', ({ rootfs }) => rmSync(rootfs)],
    ['the merged index has a flipped bit', ({ rootfs }) => writeFileSync(rootfs, flip(readFileSync(rootfs)))],
  ];
  it.each(damage)('%s', async (what, break_) => {
    const store = open('disk');
    const layer = hello();
    const record = await store.layers.ingest(layer.descriptor, layer.diffId, from(layer.bytes));
    const good = await store.layers.rootfs([layer.diffId]);
    const rootfs = (good.index as { path: string }).path;
    const before = [read(record.tar), read(record.index), read(good.index)].map((bytes) => sha256(bytes));
    break_({ tar: (record.tar as { path: string }).path, index: (record.index as { path: string }).path, rootfs });
    // A damaged layer index shows when it is merged.
    if (what === 'the index has a flipped bit') rmSync(rootfs);
    const { fs, layout, locks, content } = store;
    const again = new Layers({ fs, layout, locks, content, core, createHasher: createNodeHasher, locateBy: 'path' });
    await again.rootfs([layer.diffId]);
    expect([read(record.tar), read(record.index), read(good.index)].map((bytes) => sha256(bytes))).toEqual(before);
  });

  it('a layer that is not here and cannot be made is named', async () => {
    const store = open('disk');
    const { diffId } = hello();
    await expect(store.layers.rootfs([diffId])).rejects.toMatchObject({ code: 'not-found', data: { digest: diffId } });
  });

  it('a damaged blob is not unpacked', async () => {
    const store = open('disk');
    const layer = hello();
    await store.content.ingest(layer.descriptor, from(layer.bytes));
    writeFileSync(store.layout.blob(layer.descriptor.digest), flip(layer.bytes));
    await expect(store.layers.unpack(layer.descriptor, layer.diffId)).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(readdirSync(store.layout.tmp)).toEqual([]);
  });
});

function flip(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length >> 1]! ^= 1;
  return copy;
}

describe('a layer that is made here', () => {
  const pins = () => {
    const pinned: Digest[] = [];
    return { pinned, pin: async (digests: readonly Digest[]) => void pinned.push(...digests) };
  };
  const made = () =>
    blob([entry({ name: 'd/', type: '5' }), entry({ name: 'd/a', data: 'A' })], MEDIA_TYPE.ociLayerTar);

  it.each(['disk', 'memory'] as const)('is the blob and the layer at once, on %s', async (kind) => {
    const opened = open(kind);
    const { plain, descriptor, diffId } = made();
    const { pinned, pin } = pins();
    expect(await opened.layers.write(chunks(plain, 100), { pin })).toEqual(descriptor);
    expect(pinned).toEqual([diffId]);
    const record = await opened.layers.get(diffId);
    expect(record).toMatchObject({ entryCount: 2, tarSizeBytes: plain.length });
    expect(Buffer.from(plain).equals(read(record!.tar))).toBe(true);
    expect(await opened.content.read(diffId)).toEqual(plain);
    expect(await leftovers(opened)).toEqual([]);
  });

  it('is one file with two names where there are links', async () => {
    const { layers, fs, layout } = open('disk');
    const { digest } = await layers.write(chunks(made().plain), pins());
    const { tar } = (await layers.get(digest))!;
    expect((await fs.stat(layout.blob(digest))).ino).toBe((await fs.stat((tar as { path: string }).path)).ino);
  });

  it('counts once on disk, and goes with both of its names', async () => {
    const { layers, ...store } = open('disk');
    const opened = openImages(store, Date.now, layers);
    const { plain } = made();
    const { digest } = await layers.write(chunks(plain), pins());
    const onDisk = await diskUsage(store.fs, layerPaths(store.layout.layers, digest.slice(7)).directory);
    const usage = await imageDiskUsage({ ...opened.collector, images: opened.images }, async () => 0);
    expect([usage.totalBytes, usage.reclaimableBytes]).toEqual([onDisk, onDisk]);
    const { blobs, reclaimedBytes } = await collectGarbage(opened.collector);
    expect([blobs, reclaimedBytes]).toEqual([[digest], onDisk]);
  });

  it('is copied where there are none', async () => {
    const base = open('disk');
    const link = async () => {
      throw Object.assign(new Error('no links'), { code: 'EPERM' });
    };
    const fs = { ...base.fs, link };
    const store = openTestStore(fs, base.layout.root, base.locks, 'path');
    const layers = new Layers({ ...store, core, createHasher: createNodeHasher, locateBy: 'path' });
    const { plain } = made();
    const { digest } = await layers.write(chunks(plain), pins());
    expect(await store.content.read(digest)).toEqual(plain);
  });

  it.each(['tar', 'index', 'blob'])('is made whole again when its %s is gone', async (what) => {
    const { layers, layout, content } = open('disk');
    const { plain, diffId } = made();
    await layers.write(chunks(plain), pins());
    rmSync(what === 'blob' ? layout.blob(diffId) : join(layout.layers, 'sha256', diffId.slice(7), what));
    await layers.write(chunks(plain), pins());
    expect(Buffer.from(plain).equals(read((await layers.get(diffId))!.tar))).toBe(true);
    expect(await content.read(diffId)).toEqual(plain);
  });

  it.each<[string, () => AsyncIterable<Uint8Array>]>([
    ['is no tar', () => chunks(new Uint8Array(2048).fill(7))],
    ['ends within a member', () => chunks(made().plain.subarray(0, 700))],
    [
      'cannot be read',
      async function* () {
        yield made().plain.subarray(0, 512);
        throw new Error('broken');
      },
    ],
  ])('leaves nothing behind when it %s', async (_, tar) => {
    const opened = open('disk');
    const { pinned, pin } = pins();
    await expect(opened.layers.write(tar(), { pin })).rejects.toThrow();
    expect(pinned).toEqual([]);
    expect(await leftovers(opened)).toEqual([]);
    expect(await opened.content.list()).toEqual([]);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const opened = open('disk');
    const abort = new AbortController();
    const tar = async function* () {
      yield made().plain.subarray(0, 512);
      abort.abort();
      yield made().plain.subarray(512);
    };
    const writing = opened.layers.write(tar(), { ...pins(), signal: abort.signal });
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    expect(await leftovers(opened)).toEqual([]);
  });
});

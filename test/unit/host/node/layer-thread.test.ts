import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createLayerPass } from '../../../../src/core/layer-pass.ts';
import { createLayerThread, type LayerThreadOptions } from '../../../../src/host/node/layer-thread.ts';
import { Layers } from '../../../../src/images/layers.ts';
import { MEDIA_TYPE } from '../../../../src/spec/image-spec.ts';
import { chunks, createNodeHasher, diskStore, sha256 } from '../../../support/image-store.ts';
import { core } from '../../../support/layers.ts';
import { removeTree } from '../../../support/remove-tree.ts';
import { tar } from '../../../support/tar-builder.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-thread-'));
afterAll(() => removeTree(dir));

/** 20 MB that compress, but not to nothing. */
const plain = tar(
  ...Array.from({ length: 40 }, (_, i) => ({ name: `f${i}`, data: `${i} line of text\n`.repeat(32_000 + i) })),
);
const blob = gzipSync(plain, { level: 1 });

const variants: [string, () => Promise<LayerThreadOptions>][] = [
  ["the host's SHA-256", async () => ({})],
  ["the core's SHA-256 over the same memory", async () => ({ core: await core.module(true) })],
];

describe.each(variants)('second thread with %s', (_, options) => {
  it('hashes and writes what the first thread decodes, layer after layer', async () => {
    for (let round = 0; round < 3; round++) {
      const path = join(dir, 'tar');
      writeFileSync(path, '');
      const thread = createLayerThread(path, { ...(await options()), maxThreads: 1 })!;
      const pass = await createLayerPass({ core, thread });
      for await (const piece of chunks(blob, 300_000)) await pass.push(piece);
      const result = await pass.finish();
      expect(result).toMatchObject({ diffId: sha256(plain), entryCount: 40, tarSizeBytes: plain.length });
      expect(`sha256:${result.blobDigestHex}`).toBe(sha256(blob));
      expect(Buffer.compare(readFileSync(path), plain)).toBe(0);
    }
  });
});

it('there are no more threads than allowed, and a thread given up comes back', async () => {
  const path = join(dir, 'given-up');
  writeFileSync(path, '');
  const first = createLayerThread(path, { maxThreads: 1 })!;
  expect(createLayerThread(path, { maxThreads: 1 })).toBeUndefined();
  const pass = await createLayerPass({ core, thread: first });
  await pass.push(blob.subarray(0, 1_000_000));
  await first.abort();
  const second = createLayerThread(path, { maxThreads: 1 })!;
  expect(second).toBeDefined();
  await second.abort();
});

it('an error of the disk reaches the caller with its code', async () => {
  const thread = createLayerThread('/dev/full', { maxThreads: 1 })!;
  const pass = await createLayerPass({ core, thread });
  const run = async (): Promise<void> => {
    for await (const piece of chunks(blob, 300_000)) await pass.push(piece);
    await pass.finish();
  };
  await expect(run()).rejects.toMatchObject({ code: 'ENOSPC' });
  await thread.abort();
});

it('the layer store gives large layers to it', async () => {
  const { fs, layout, locks, content } = diskStore(join(dir, 'store'));
  let threads = 0;
  const layers = new Layers({
    fs,
    layout,
    locks,
    content,
    core,
    createHasher: createNodeHasher,
    locateBy: 'path',
    threadFromBytes: 1000,
    createTarThread: (path) => {
      threads++;
      return createLayerThread(path, { maxThreads: 1 });
    },
  });
  const bad = Uint8Array.from(blob);
  bad[bad.length - 3]! ^= 1;
  const descriptor = (bytes: Uint8Array) => ({
    mediaType: MEDIA_TYPE.ociLayerGzip,
    digest: sha256(bytes),
    size: bytes.length,
  });
  await expect(layers.ingest(descriptor(bad), undefined, () => chunks(bad))).rejects.toMatchObject({
    code: 'invalid-layer',
  });
  const record = await layers.ingest(descriptor(blob), sha256(plain), () => chunks(blob));
  expect([threads, record.diffId, record.entryCount]).toEqual([2, sha256(plain), 40]);
  expect(Buffer.compare(readFileSync((record.tar as { path: string }).path), plain)).toBe(0);
  expect(await fs.readdir(layout.tmp)).toEqual([]);
});

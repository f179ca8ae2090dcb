import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../support/image-store.ts';
import { passLayer } from '../../support/layers.ts';
import { peer } from '../../support/peers.ts';
import { tar } from '../../support/tar-builder.ts';

const ZSTD = peer('zstd');
const plain = tar(...Array.from({ length: 300 }, (_, i) => ({ name: `dir/${i}`, data: `${i} `.repeat(5000 + i) })));
const zstd = (bytes: Uint8Array): Uint8Array => execFileSync(ZSTD!, ['-q', '-c'], { input: bytes, maxBuffer: 2 ** 28 });

const compressions: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
  ['plain', (bytes) => bytes, 'application/vnd.oci.image.layer.v1.tar'],
  ['gzip', (bytes) => gzipSync(bytes), 'application/vnd.oci.image.layer.v1.tar+gzip'],
  [
    'two gzip members',
    (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 5000)), gzipSync(bytes.subarray(5000))]),
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
  ],
];
if (ZSTD !== undefined) {
  compressions.push(['zstd', zstd, 'application/vnd.oci.image.layer.v1.tar+zstd']);
}

describe('layer pass', () => {
  it.each(compressions)('%s: both digests, the tar and its index', async (_, compress, mediaType) => {
    const blob = compress(plain);
    const index = (await passLayer(plain)).index;
    for (const options of [{ mediaType }, {}, { mediaType, keepChunks: 4 }]) {
      const result = await passLayer(blob, { ...options, pieceBytes: 10_000 });
      expect(result).toMatchObject({ diffId: sha256(plain), sizeBytes: blob.length, tarSizeBytes: plain.length });
      expect(`sha256:${result.blobDigestHex}`).toBe(sha256(blob));
      expect(Buffer.compare(result.tar, plain) || Buffer.compare(result.index, index)).toBe(0);
    }
  });

  it('takes the same memory for a layer ten times as large, in bytes and in entries', async () => {
    const memory = async (files: number): Promise<number> => {
      const bytes = gzipSync(
        tar(...Array.from({ length: files }, (_, i) => ({ name: `${'d/'.repeat(100)}${i}`, data: `${i}` }))),
      );
      return (await passLayer(bytes, { onTar: () => {} })).memoryBytes;
    };
    const [small, large] = [await memory(1000), await memory(20_000)];
    expect(large).toBe(small);
    expect(large).toBeLessThan(16 * 2 ** 20);
  });

  it('says where a layer breaks', async () => {
    const cut = gzipSync(plain).subarray(0, 2000);
    await expect(passLayer(cut, { what: 'layer x' })).rejects.toMatchObject({
      code: 'invalid-layer',
      message: 'layer x: the compressed data ends early',
    });
    const broken = Uint8Array.from(plain);
    // The first header, 10,000 bytes of data and padding; then the second header's name.
    broken[512 + 10_240]! ^= 1;
    await expect(passLayer(broken)).rejects.toMatchObject({ code: 'invalid-layer', data: { positionBytes: 11_264 } });
  });

  it.each(['application/vnd.oci.image.config.v1+json', 'application/x-tar-list'])('refuses %s', async (mediaType) => {
    await expect(passLayer(plain, { mediaType })).rejects.toMatchObject({ code: 'unsupported-media-type' });
  });

  it('an error of a sink reaches the caller', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const onTar = (): Promise<void> => Promise.reject(full);
    await expect(passLayer(plain, { onTar })).rejects.toBe(full);
  });
});

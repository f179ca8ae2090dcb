/** Whatever bytes come, the pass answers with a layer or a WctrError: it never traps and never reads elsewhere. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeLayerIndexes } from '../../src/core/merge.ts';
import { isWctrError } from '../../src/errors.ts';
import { core, passLayer } from '../support/layers.ts';
import { entry, gnuLong, gnuSparse, pax, tar } from '../support/tar-builder.ts';

const seed = tar(
  gnuLong('L', `${'long/'.repeat(30)}name`),
  { name: 'x', data: 'data' },
  pax([
    ['path', 'p/q'],
    ['mtime', '1.5'],
    ['SCHILY.xattr.user.a', 'v'],
    ['size', '700'],
  ]),
  entry({ name: 'y', data: 'y'.repeat(700) }),
  gnuSparse(
    's',
    90_000,
    [
      [0, 512],
      [1024, 512],
      [4096, 512],
      [8192, 512],
      [20_000, 300],
    ],
    new Uint8Array(2348),
  ),
  pax([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'z'],
    ['GNU.sparse.realsize', '5000'],
  ]),
  entry({ name: 'z', data: `1\n0\n512\n`.padEnd(1024, '\0') }),
  { name: 'l', type: '2', link: 'p' },
  { name: 'l/.wh.q' },
  { name: 'h', type: '1', link: 'l/q' },
);

async function survives(bytes: Uint8Array, pieceBytes: number): Promise<void> {
  try {
    const { index } = await passLayer(bytes, { pieceBytes });
    await mergeLayerIndexes(core, [index]);
  } catch (error) {
    if (!isWctrError(error)) throw error;
    expect(error.code).toMatch(/^(invalid-layer|limit-exceeded|store-corrupt)$/);
    expect(error.message.length).toBeLessThan(20_000);
  }
}

/** Sums the checksum anew, so that what was changed is looked at. */
function resum(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (Buffer.from(bytes.subarray(at + 257, at + 262)).toString() !== 'ustar') continue;
    bytes.fill(0x20, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), at + 148);
  }
  return bytes;
}

const edits = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });

it('a good tar is read', async () => {
  expect((await passLayer(seed)).entryCount).toBe(7);
});

it('changed bytes under right checksums', async () => {
  await fc.assert(
    fc.asyncProperty(edits, fc.constantFrom(7, 512, 65536), async (changes, pieceBytes) => {
      const bytes = Uint8Array.from(seed);
      for (const [at, value] of changes) bytes[at] = value;
      await survives(resum(bytes), pieceBytes);
    }),
    { numRuns: 150 },
  );
});

it('cut, repeated and random', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(seed.length),
      fc.nat(seed.length),
      fc.uint8Array({ maxLength: 600 }),
      async (from, to, noise) => {
        await survives(Buffer.concat([seed.subarray(0, from), noise, seed.subarray(to)]), 1000);
      },
    ),
    { numRuns: 150 },
  );
});

it('damaged gzip', async () => {
  const good = gzipSync(seed);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, value) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = value;
      await survives(bytes, 100);
    }),
    { numRuns: 150 },
  );
});

it('a damaged index is refused by the merge, never followed', async () => {
  const { index } = await passLayer(seed);
  await fc.assert(
    fc.asyncProperty(fc.nat(index.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const bytes = Uint8Array.from(index);
      bytes[at]! ^= mask;
      await expect(mergeLayerIndexes(core, [bytes])).rejects.toMatchObject({ code: 'store-corrupt' });
    }),
    { numRuns: 150 },
  );
});

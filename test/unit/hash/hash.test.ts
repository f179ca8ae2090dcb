import { createHash } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../../../src/core/core.ts';
import { createHasher } from '../../../src/core/hash.ts';
import { loadCore, type RawExports, raw, sample } from '../../support/codec.ts';

let core: Core;
let x: RawExports;
beforeAll(async () => {
  core = await loadCore();
  x = raw(core);
});

/** Places `data` in the core at an address off any alignment. */
function withBytes<T>(data: Uint8Array, use: (address: number) => T, skew = 3): T {
  const region = core.alloc(data.length + 16);
  core.bytes.set(data, region + skew);
  try {
    return use(region + skew);
  } finally {
    core.free(region);
  }
}

describe('SHA-256', () => {
  // FIPS 180-4 example values (NIST, "SHA256.pdf" and the long message of one million "a").
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('of %.20s', (text, digest) => {
    const hasher = createHasher(core);
    hasher.update(new TextEncoder().encode(text));
    expect(hasher.digestHex()).toBe(digest);
  });

  it('agrees with node:crypto for every length around a block and any split', () => {
    for (let length = 0; length <= 200; length++) {
      const data = sample(length, length + 1);
      const hasher = createHasher(core);
      for (let at = 0; at < length; at += 7) hasher.update(data.subarray(at, at + 7));
      expect(hasher.digestHex()).toBe(createHash('sha256').update(data).digest('hex'));
    }
  });

  it('keeps hashers that run at once apart', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 300 })), { maxLength: 40 }), (updates) => {
        const ours = [0, 1, 2, 3].map(() => createHasher(core));
        const theirs = [0, 1, 2, 3].map(() => createHash('sha256'));
        for (const [which, bytes] of updates) {
          ours[which]!.update(bytes);
          theirs[which]!.update(bytes);
        }
        expect(ours.map((h) => h.digestHex())).toEqual(theirs.map((h) => h.digest('hex')));
      }),
      { numRuns: 50 },
    );
  });

  it('takes more at once than its staging area holds', () => {
    const data = sample(1_000_003);
    const hasher = createHasher(core);
    hasher.update(data);
    expect(hasher.digestHex()).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('refuses work after the digest', () => {
    const hasher = createHasher(core);
    hasher.digestHex();
    expect(() => hasher.update(new Uint8Array(1))).toThrow('after its digest');
    expect(() => hasher.digestHex()).toThrow('after its digest');
  });

  it('gives its context back', () => {
    const before = core.memory.buffer.byteLength;
    for (let i = 0; i < 20_000; i++) createHasher(core).digestHex();
    expect(core.memory.buffer.byteLength).toBe(before);
  });
});

describe('CRC-32 and Adler-32', () => {
  const LENGTHS = [0, 1, 7, 8, 15, 16, 17, 63, 1000, 3247, 3248, 12_990, 12_992, 12_993, 20_000, 131_072, 300_001];

  it.each(LENGTHS)('agree with zlib for %i bytes', (length) => {
    const data = sample(length, length + 9);
    const scratch = core.alloc(x.crc32ScratchSize());
    const crc = withBytes(data, (at) => x.crc32Update(0, at, length, scratch) >>> 0);
    core.free(scratch);
    expect(crc).toBe(gzipSync(data, { level: 0 }).readUInt32LE(-8 + gzipSync(data, { level: 0 }).length));
    const adler = withBytes(data, (at) => x.adler32Update(1, at, length) >>> 0);
    expect(adler).toBe(deflateSync(data, { level: 0 }).readUInt32BE(deflateSync(data, { level: 0 }).length - 4));
  });

  it('do not overflow on the greatest bytes', () => {
    const data = new Uint8Array(500_000).fill(255);
    const packed = deflateSync(data);
    expect(withBytes(data, (at) => x.adler32Update(1, at, data.length) >>> 0)).toBe(
      packed.readUInt32BE(packed.length - 4),
    );
  });

  it('go on from any split', () => {
    const data = sample(400_000, 5);
    const scratch = core.alloc(x.crc32ScratchSize());
    withBytes(data, (at) => {
      const whole = x.crc32Update(0, at, data.length, scratch);
      const adler = x.adler32Update(1, at, data.length);
      fc.assert(
        fc.property(fc.nat(data.length), (split) => {
          const head = x.crc32Update(0, at, split, scratch);
          expect(x.crc32Update(head, at + split, data.length - split, scratch)).toBe(whole);
          const first = x.adler32Update(1, at, split);
          expect(x.adler32Update(first, at + split, data.length - split)).toBe(adler);
        }),
        { numRuns: 60 },
      );
    });
    core.free(scratch);
  });
});

describe('XXH64', () => {
  // Seed 0; computed with the reference implementation.
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['message digest', 0x066ed728fceeb3ben],
    ['abcdefghijklmnopqrstuvwxyz', 0xcfe1f278fa89835cn],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 0xaaa46907d3047814n],
    ['1234567890'.repeat(8), 0xe04a477f19ee145dn],
  ])('of %.30s', (text, hash) => {
    const data = new TextEncoder().encode(text);
    for (const step of [1, 5, 31, 32, 33, 1000]) {
      const context = core.alloc(x.xxh64Size());
      x.xxh64Init(context);
      withBytes(data, (at) => {
        for (let i = 0; i < data.length; i += step) x.xxh64Update(context, at + i, Math.min(step, data.length - i));
      });
      expect(BigInt.asUintN(64, x.xxh64Digest(context))).toBe(hash);
      core.free(context);
    }
  });
});

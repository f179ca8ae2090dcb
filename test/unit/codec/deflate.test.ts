import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES,
  CHUNK_OVERRUN,
  FORMAT_DEFLATE,
  FORMAT_GZIP,
  FORMAT_ZLIB,
  RUN_DONE,
} from '../../../src/core/abi/codec.ts';
import { E_CHECKSUM, E_CORRUPT, E_TRUNCATED, E_UNSUPPORTED } from '../../../src/core/abi/status.ts';
import type { Core } from '../../../src/core/core.ts';
import { loadCore, run, sample } from '../../support/codec.ts';

let core: Core;
beforeAll(async () => {
  core = await loadCore();
});

const STRATEGIES = {
  default: constants.Z_DEFAULT_STRATEGY,
  filtered: constants.Z_FILTERED,
  huffmanOnly: constants.Z_HUFFMAN_ONLY,
  rle: constants.Z_RLE,
  fixed: constants.Z_FIXED,
};

describe('round trips with zlib', () => {
  const data = sample(600_000, 77);
  for (const [name, strategy] of Object.entries(STRATEGIES)) {
    it.each([0, 1, 3, 6, 9])(`${name}, level %i: gzip, zlib and raw`, (level) => {
      const options = { level, strategy, memLevel: level === 3 ? 1 : 8 };
      for (const [packed, format] of [
        [gzipSync(data, options), FORMAT_GZIP],
        [deflateSync(data, options), FORMAT_ZLIB],
        [deflateRawSync(data, options), FORMAT_DEFLATE],
      ] as const) {
        const result = run(core, packed, { format });
        expect(result.status).toBe(RUN_DONE);
        expect(result.output.equals(data)).toBe(true);
      }
    });
  }

  it.each([9, 10, 12, 15])('window of 2^%i bytes', (windowBits) => {
    const result = run(core, deflateSync(data, { windowBits }), { format: FORMAT_ZLIB });
    expect(result.status).toBe(RUN_DONE);
    expect(result.output.equals(data)).toBe(true);
  });

  it('lengths around every boundary', () => {
    for (const length of [
      0,
      1,
      2,
      257,
      258,
      259,
      32_767,
      32_768,
      32_769,
      CHUNK_BYTES - 1,
      CHUNK_BYTES,
      CHUNK_BYTES + 1,
    ]) {
      for (const fill of [false, true]) {
        const input = fill ? Buffer.alloc(length, 'ab') : sample(length, length + 3);
        const result = run(core, gzipSync(input));
        expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
      }
    }
  });

  it('matches of every short distance', () => {
    for (let distance = 1; distance <= 40; distance++) {
      const input = Buffer.alloc(5000);
      for (let i = 0; i < input.length; i++) input[i] = i < distance ? i * 7 + 1 : input[i - distance]!;
      expect(run(core, gzipSync(input, { level: 9 })).output.equals(input)).toBe(true);
    }
  });
});

describe('pieces', () => {
  const data = sample(40_000, 3);

  it('of one byte', () => {
    for (const level of [0, 1, 9]) {
      const result = run(core, gzipSync(data, { level }), { pieces: [1] });
      expect([result.status, result.output.equals(data)]).toEqual([RUN_DONE, true]);
    }
  });

  it('of any sizes give the same', () => {
    const big = sample(700_000, 11);
    const packed = gzipSync(big, { level: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        (pieces, slots) => {
          const result = run(core, packed, { pieces, slots });
          expect(result.status).toBe(RUN_DONE);
          expect(result.output.equals(big)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('do not change how the output is cut: full chunks, then the rest', () => {
    const big = sample(1_000_000, 12);
    const { chunks } = run(core, gzipSync(big), { pieces: [777] });
    for (const length of chunks.slice(0, -1)) {
      expect(length).toBeGreaterThanOrEqual(CHUNK_BYTES);
      expect(length).toBeLessThanOrEqual(CHUNK_BYTES + CHUNK_OVERRUN);
    }
  });
});

/** A gzip member by hand: RFC 1952 section 2.3. */
function member(data: Uint8Array, fields: { extra?: Buffer; name?: string; comment?: string; crc?: number }): Buffer {
  const plain = gzipSync(data);
  const flags =
    (fields.extra ? 4 : 0) |
    (fields.name !== undefined ? 8 : 0) |
    (fields.comment !== undefined ? 16 : 0) |
    (fields.crc !== undefined ? 2 : 0);
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = flags;
  const parts: Buffer[] = [header];
  if (fields.extra) {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(fields.extra.length);
    parts.push(length, fields.extra);
  }
  if (fields.name !== undefined) parts.push(Buffer.from(`${fields.name}\0`));
  if (fields.comment !== undefined) parts.push(Buffer.from(`${fields.comment}\0`));
  if (fields.crc !== undefined) {
    const sum = gzipSync(Buffer.concat(parts));
    const crc = Buffer.alloc(2);
    crc.writeUInt16LE((sum.readUInt32LE(sum.length - 8) & 0xffff) ^ fields.crc);
    parts.push(crc);
  }
  return Buffer.concat([...parts, plain.subarray(10)]);
}

describe('gzip', () => {
  const data = Buffer.from('the quick brown fox');
  const extra = Buffer.alloc(60_000, 'x');

  it.each([
    ['extra field', { extra: Buffer.from('AB\x02\0hi') }],
    ['empty extra field', { extra: Buffer.alloc(0) }],
    ['name', { name: 'layer.tar' }],
    ['comment', { comment: 'no comment' }],
    ['header CRC', { crc: 0 }],
    ['everything, long', { extra, name: 'n'.repeat(50_000), comment: 'c'.repeat(400_000), crc: 0 }],
  ])('header with %s', (_, fields) => {
    for (const pieces of [[1 << 20], [1, 997]]) {
      const result = run(core, member(data, fields), { pieces });
      expect([result.status, result.output.toString()]).toEqual([RUN_DONE, data.toString()]);
    }
  });

  it('a wrong header CRC', () => {
    expect(run(core, member(data, { name: 'a', crc: 1 })).status).toBe(E_CHECKSUM);
  });

  it('several members, an empty one among them', () => {
    const packed = Buffer.concat([
      gzipSync(data),
      gzipSync(''),
      member(data, { name: 'x' }),
      gzipSync(sample(300_000)),
    ]);
    for (const pieces of [[packed.length], [1], [13, 1, 400]]) {
      const result = run(core, packed, { pieces });
      expect(result.status).toBe(RUN_DONE);
      expect(result.output.equals(Buffer.concat([data, data, sample(300_000)]))).toBe(true);
    }
  });

  it('a member may not reach into the one before it', () => {
    // A stored "abcd" in the first member; the second starts with a match of distance 4 (fixed code).
    const first = deflateRawSync(Buffer.from('abcd'), { level: 0 });
    expect(run(core, first, { format: FORMAT_DEFLATE }).output.toString()).toBe('abcd');
    // Fixed block: length symbol 257 (0000001), distance symbol 3 (00011), end (0000000).
    const reach = Buffer.from([0b00000011, 0b01100010, 0b00000000, 0]);
    const head = gzipSync('').subarray(0, 10);
    const result = run(core, Buffer.concat([gzipSync('abcd'), head, reach, Buffer.alloc(8)]));
    expect(result.status).toBe(E_CORRUPT);
  });

  it.each([
    ['zero padding', Buffer.alloc(1000), RUN_DONE],
    ['one zero', Buffer.alloc(1), RUN_DONE],
    ['zeros, then something', Buffer.from([0, 0, 7]), E_CORRUPT],
    ['zeros, then a member', Buffer.concat([Buffer.alloc(3), gzipSync('x')]), E_CORRUPT],
    ['text', Buffer.from('trailing garbage'), E_CORRUPT],
    ['one byte', Buffer.from('t'), E_CORRUPT],
    ['the first byte of a member', Buffer.from([0x1f]), E_TRUNCATED],
    ['half a member', gzipSync('hello').subarray(0, 14), E_TRUNCATED],
  ])('followed by %s', (_, tail, status) => {
    const packed = Buffer.concat([gzipSync(data), tail]);
    for (const pieces of [[packed.length], [1]]) expect(run(core, packed, { pieces }).status).toBe(status);
  });

  const patched = (at: number, value: number) => {
    const packed = gzipSync(data);
    packed[at < 0 ? packed.length + at : at] = value;
    return packed;
  };
  it.each([
    ['wrong magic', patched(1, 0), E_CORRUPT],
    ['another method', patched(2, 7), E_UNSUPPORTED],
    ['reserved flags', patched(3, 0x20), E_UNSUPPORTED],
    ['wrong CRC', patched(-8, 1), E_CHECKSUM],
    ['wrong length', patched(-4, 200), E_CHECKSUM],
    ['nothing', Buffer.alloc(0), E_TRUNCATED],
  ])('%s', (_, packed, status) => {
    expect(run(core, packed, { format: FORMAT_GZIP }).status).toBe(status);
  });

  it('cut anywhere is truncated, never done', () => {
    const packed = member(sample(3000), { name: 'n', comment: 'c', extra: Buffer.from('AB\0\0'), crc: 0 });
    for (let length = 0; length < packed.length; length++) {
      expect(run(core, packed.subarray(0, length), { format: FORMAT_GZIP }).status).toBe(E_TRUNCATED);
    }
  });
});

describe('zlib and raw', () => {
  const packed = deflateSync(sample(5000));
  const patch = (at: number, value: number) => {
    const copy = Buffer.from(packed);
    copy[at < 0 ? copy.length + at : at]! ^= value;
    return copy;
  };
  it.each([
    ['header check', patch(1, 1), E_CORRUPT],
    ['checksum', patch(-1, 1), E_CHECKSUM],
    ['trailing byte', Buffer.concat([packed, Buffer.from([0])]), E_CORRUPT],
    ['preset dictionary', deflateSync('abc', { dictionary: Buffer.from('abc') }), E_UNSUPPORTED],
    ['method', Buffer.from([0x79, 0x18, 0, 0]), E_UNSUPPORTED],
    ['cut', packed.subarray(0, -1), E_TRUNCATED],
  ])('%s', (_, bytes, status) => {
    expect(run(core, bytes, { format: FORMAT_ZLIB }).status).toBe(status);
  });

  // Bits of a block by hand, least significant first.
  it.each([
    ['block type 3', [0b111], E_CORRUPT],
    ['stored length that disagrees', [0b001, 5, 0, 5, 0, 1, 2, 3, 4, 5], E_CORRUPT],
    ['stored block cut short', [0b001, 5, 0, 0xfa, 0xff, 1, 2], E_TRUNCATED],
    ['more than 286 length symbols', [0b11101 | (31 << 3), 0xff, 0xff], E_CORRUPT],
    ['nothing', [], E_TRUNCATED],
    ['not a last block, then nothing', [0b000, 0, 0, 0xff, 0xff], E_TRUNCATED],
    // 110000110: literal/length symbol 286 of the fixed code is 8 bits, 11000110.
    ['length symbol 286', [0b00011011, 0b00000011, 0, 0], E_CORRUPT],
    ['a distance before the start', [0b00000011, 0b00000010, 0, 0], E_CORRUPT],
  ])('%s', (_, bytes, status) => {
    expect(run(core, Buffer.from(bytes), { format: FORMAT_DEFLATE }).status).toBe(status);
  });

  it('a block whose only distance code has one symbol of one bit', () => {
    // One distance is used throughout: level 9 of a constant run.
    const input = Buffer.alloc(100_000, 'q');
    const result = run(core, deflateRawSync(input, { level: 9 }), { format: FORMAT_DEFLATE });
    expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
  });
});

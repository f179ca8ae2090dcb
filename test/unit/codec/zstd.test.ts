import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FORMAT_ZSTD, RUN_DONE } from '../../../src/core/abi/codec.ts';
import { E_CHECKSUM, E_CORRUPT, E_LIMIT, E_TRUNCATED, E_UNSUPPORTED } from '../../../src/core/abi/status.ts';
import type { Core } from '../../../src/core/core.ts';
import { loadCore, run, sample, zstd } from '../../support/codec.ts';
import { peer } from '../../support/peers.ts';

let core: Core;
beforeAll(async () => {
  core = await loadCore();
});

const FORMAT = { format: FORMAT_ZSTD };
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const skippable = (length: number, nibble = 0) => {
  const frame = Buffer.alloc(8 + length, 0xee);
  frame.writeUInt32LE(0x184d2a50 + nibble);
  frame.writeUInt32LE(length, 4);
  return frame;
};

describe.skipIf(!peer('zstd'))('round trips with the zstd tool', () => {
  const data = sample(700_000, 21);

  it.each([1, 2, 3, 5, 7, 9, 12, 15, 17, 19])('level %i', (level) => {
    for (const input of [data, data.subarray(0, 3000), data.subarray(0, 130_000)]) {
      const result = run(core, zstd(input, `-${level}`));
      expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
    }
  });

  it.each([
    ['fast', ['--fast=10']],
    ['long', ['--long=27', '-3']],
    ['no checksum', ['--no-check']],
    ['no content size', ['--no-content-size']],
    ['raw literals', ['--no-compress-literals']],
    ['small target blocks', ['--target-compressed-block-size=1340']],
    ['window of 1 KiB', ['--zstd=wlog=10']],
    ['window of 64 KiB', ['--zstd=wlog=16', '-9']],
    ['ultra', ['--ultra', '-20']],
  ])('%s', (_, args) => {
    const result = run(core, zstd(data, ...args));
    expect([result.status, result.output.equals(data)]).toEqual([RUN_DONE, true]);
  });

  it('short inputs of every length', () => {
    for (const length of [0, 1, 2, 3, 5, 8, 20, 63, 64, 255, 256, 257, 1000, 65_791, 65_792]) {
      const input = sample(length, length + 1);
      const result = run(core, zstd(input));
      expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
    }
  });

  it('runs and nearly empty data: RLE blocks and literals, one-symbol tables', () => {
    const inputs = [
      Buffer.alloc(600_000, 'a'),
      Buffer.concat([Buffer.alloc(300_000), Buffer.from('x'), Buffer.alloc(9)]),
    ];
    const stripes = Buffer.alloc(400_000);
    for (let i = 0; i < stripes.length; i++) stripes[i] = i % 97 === 0 ? (i / 97) & 255 : 7;
    for (const input of [...inputs, stripes]) {
      for (const level of ['-1', '-19']) {
        const result = run(core, zstd(input, level));
        expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
      }
    }
  });

  it('matches of every short distance', () => {
    for (let distance = 1; distance <= 40; distance++) {
      const input = Buffer.alloc(3000);
      for (let i = 0; i < input.length; i++) input[i] = i < distance ? i * 7 + 1 : input[i - distance]!;
      expect(run(core, zstd(input, '-19')).output.equals(input)).toBe(true);
    }
  });

  it('far matches across the end of the ring', () => {
    // A window of 256 KiB and far repeats: the ring wraps many times and matches straddle its end.
    const block = sample(250_000, 5);
    const input = Buffer.concat(Array.from({ length: 16 }, (_, i) => Buffer.concat([block, sample(i * 997, i + 1)])));
    const packed = zstd(input, '-12', '--zstd=wlog=18');
    for (const slots of [1, 2, 8]) {
      const result = run(core, packed, { slots });
      expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
    }
  });

  it('pieces of one byte', () => {
    const input = data.subarray(0, 60_000);
    const result = run(core, zstd(input, '-3'), { pieces: [1] });
    expect([result.status, result.output.equals(input)]).toEqual([RUN_DONE, true]);
  });

  it('pieces of any sizes', () => {
    const packed = zstd(data, '-5');
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        (pieces, slots) => {
          const result = run(core, packed, { pieces, slots });
          expect([result.status, result.output.equals(data)]).toEqual([RUN_DONE, true]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('several frames of different windows, and skippable ones between', () => {
    const parts = [
      sample(1000, 1),
      Buffer.alloc(0),
      sample(500_000, 2),
      sample(3_000_000, 3),
      sample(20, 4),
      sample(800_000, 5),
    ];
    const args = [['-1'], ['-3'], ['--zstd=wlog=17'], ['--zstd=wlog=21'], ['--no-check'], ['--long=24']];
    const frames = parts.map((part, i) => zstd(part, ...args[i]!));
    const packed = Buffer.concat(frames.flatMap((frame, i) => [skippable(i * 100_000, i), frame]).concat(skippable(0)));
    for (const pieces of [[packed.length], [4099]]) {
      const result = run(core, packed, { pieces });
      expect([result.status, result.output.equals(Buffer.concat(parts))]).toEqual([RUN_DONE, true]);
    }
  });

  it('a window beyond the limit', () => {
    const packed = zstd(data, '--zstd=wlog=20', '--no-content-size');
    expect(run(core, packed, { windowLimit: 1 << 20 }).status).toBe(RUN_DONE);
    expect(run(core, packed, { windowLimit: (1 << 20) - 1 }).status).toBe(E_LIMIT);
  });

  it('a damaged checksum, and a content size that lies', () => {
    const packed = zstd(data.subarray(0, 50_000));
    packed[packed.length - 1]! ^= 1;
    expect(run(core, packed).status).toBe(E_CHECKSUM);
    const short = zstd(sample(10), '--no-check');
    for (const wrong of [9, 11]) {
      const copy = Buffer.from(short);
      expect(copy[5]).toBe(10);
      copy[5] = wrong;
      expect([E_CHECKSUM, E_CORRUPT]).toContain(run(core, copy).status);
    }
  });

  it('cut anywhere is truncated, never done', () => {
    const packed = Buffer.concat([skippable(5), zstd(sample(2000), '-3')]);
    for (let length = 0; length < packed.length; length++) {
      const status = run(core, packed.subarray(0, length), FORMAT).status;
      if (length === 13) expect(status).toBe(RUN_DONE);
      else expect(status).toBe(E_TRUNCATED);
    }
  });

  it('followed by anything but a frame', () => {
    const packed = zstd(data.subarray(0, 1000));
    expect(run(core, Buffer.concat([packed, Buffer.from('garbage')])).status).toBe(E_CORRUPT);
    expect(run(core, Buffer.concat([packed, Buffer.alloc(512)])).status).toBe(E_CORRUPT);
  });
});

describe('frames by hand', () => {
  const frame = (descriptor: number, ...rest: number[]) => Buffer.concat([MAGIC, Buffer.from([descriptor, ...rest])]);
  /** Single segment, one-byte content size, then blocks. */
  const blocks = (size: number, ...bytes: number[]) => frame(0x20, size, ...bytes);

  it.each<[string, Buffer, number]>([
    ['empty frame', blocks(0, 0x01, 0, 0), RUN_DONE],
    ['raw block', blocks(2, 0x11, 0, 0, 65, 66), RUN_DONE],
    ['RLE block', blocks(5, 0x2b, 0, 0, 65), RUN_DONE],
    ['reserved block type', blocks(2, 0x17, 0, 0, 65, 66), E_CORRUPT],
    ['raw block larger than the content', blocks(2, 0x19, 0, 0, 65, 66, 67), E_CORRUPT],
    ['less content than announced', blocks(3, 0x11, 0, 0, 65, 66), E_CHECKSUM],
    ['compressed block of one byte', blocks(20, 0x0d, 0, 0, 0), E_CORRUPT],
    ['reserved bit', frame(0x28, 0, 1, 0, 0), E_UNSUPPORTED],
    ['dictionary id 1', frame(0x21, 1, 0, 1, 0, 0), E_UNSUPPORTED],
    ['dictionary id 0 is none', frame(0x21, 0, 0, 1, 0, 0), RUN_DONE],
    ['dictionary id of four bytes', frame(0x23, 0, 0, 0, 9, 0, 1, 0, 0), E_UNSUPPORTED],
    ['window of 2^41', frame(0x00, 0xf8, 1, 0, 0), E_LIMIT],
    ['content of 2^40 in one segment', frame(0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0), E_LIMIT],
    ['treeless literals without a tree', blocks(9, 0x25, 0, 0, 0x93, 0x40, 0, 0), E_CORRUPT],
    ['repeated tables without tables', blocks(9, 0x25, 0, 0, 0x00, 1, 0xfc, 1), E_CORRUPT],
    ['reserved modes', blocks(9, 0x25, 0, 0, 0x00, 1, 0x01, 1), E_CORRUPT],
    ['another magic', Buffer.from('\x29\xb5\x2f\xfd\x20\0\x01\0\0', 'latin1'), E_CORRUPT],
    ['nothing', Buffer.alloc(0), E_TRUNCATED],
    ['a skippable frame alone', skippable(3, 15), RUN_DONE],
    ['a skippable frame cut short', skippable(3).subarray(0, 9), E_TRUNCATED],
  ])('%s', (_, bytes, status) => {
    for (const pieces of [[1000], [1]]) expect(run(core, bytes, { ...FORMAT, pieces }).status).toBe(status);
  });
});

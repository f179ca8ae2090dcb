import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  FORMAT_AUTO,
  FORMAT_GZIP,
  FORMAT_PLAIN,
  FORMAT_ZSTD,
  RUN_DONE,
  RUN_NEED_INPUT,
  RUN_OUTPUT,
} from '../../../src/core/abi/codec.ts';
import { E_CORRUPT, E_STATE } from '../../../src/core/abi/status.ts';
import type { Core } from '../../../src/core/core.ts';
import { type DecodeOptions, decode, decodeSync } from '../../../src/core/decode.ts';
import { decodeFailure } from '../../../src/core/status.ts';
import { isWctrError } from '../../../src/errors.ts';
import { drive, loadCore, raw, run, sample } from '../../support/codec.ts';

let core: Core;
beforeAll(async () => {
  core = await loadCore();
});

const data = sample(400_000, 9);

function all(source: Iterable<Uint8Array>, options?: DecodeOptions): Buffer {
  return Buffer.concat([...decodeSync(core, source, options)]);
}

describe('decode', () => {
  it.each([
    ['gzip', gzipSync(data)],
    ['zlib', deflateSync(data)],
    ['deflate', deflateRawSync(data)],
    ['plain', data],
    ['auto', gzipSync(data)],
    ['auto', data],
  ] as const)('%s, at once and awaited', async (format, packed) => {
    expect(all([packed], { format }).equals(data)).toBe(true);
    async function* arriving() {
      for (let at = 0; at < packed.length; at += 50_000) yield packed.subarray(at, at + 50_000);
    }
    const parts: Uint8Array[] = [];
    for await (const part of decode(core, arriving(), { format })) parts.push(part);
    expect(Buffer.concat(parts).equals(data)).toBe(true);
  });

  it('of nothing is nothing', () => {
    expect(all([]).length).toBe(0);
    expect(all([new Uint8Array(0)]).length).toBe(0);
  });

  it('throws what is wrong with which data', () => {
    const cases: [Uint8Array, DecodeOptions, string, string][] = [
      [gzipSync(data).subarray(0, 5000), {}, 'invalid-layer', 'layer x: the compressed data ends early'],
      [Buffer.from('not gzip at all'), { format: 'gzip' }, 'invalid-layer', 'layer x: the compressed data is damaged'],
      [data, { maxOutputBytes: 1000 }, 'limit-exceeded', 'layer x: decompresses to more than 1000 bytes'],
      [
        Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x88, 1, 0, 0]),
        { maxWindowBytes: 1 << 20 },
        'limit-exceeded',
        'layer x: it needs a larger decompression window than is allowed',
      ],
    ];
    for (const [packed, options, code, message] of cases) {
      let error: unknown;
      try {
        all([packed], { ...options, what: 'layer x' });
      } catch (caught) {
        error = caught;
      }
      expect(isWctrError(error) && [error.code, error.message]).toEqual([code, message]);
    }
  });

  it('gives its buffers back, also when it is left early', () => {
    for (const _ of decodeSync(core, [gzipSync(data)])) break;
    const before = core.memory.buffer.byteLength;
    for (let i = 0; i < 50; i++) for (const _ of decodeSync(core, [gzipSync(data)])) break;
    expect(core.memory.buffer.byteLength).toBe(before);
  });

  it('names a status it does not know', () => {
    expect(decodeFailure('blob', -99).message).toBe('blob: core status -99');
  });
});

describe('the decoder', () => {
  it('tells formats apart by their first bytes', () => {
    const x = raw(core);
    const at = core.alloc(16);
    const sniff = (bytes: number[], last = 0) => {
      core.bytes.set(bytes, at);
      return x.sniffFormat(at, bytes.length, last);
    };
    expect(sniff([0x1f, 0x8b])).toBe(FORMAT_GZIP);
    expect(sniff([0x28, 0xb5, 0x2f, 0xfd])).toBe(FORMAT_ZSTD);
    expect(sniff([0x5a, 0x2a, 0x4d, 0x18])).toBe(FORMAT_ZSTD);
    expect(sniff([0x60, 0x2a, 0x4d, 0x18])).toBe(FORMAT_PLAIN);
    expect(sniff([0x28, 0xb5, 0x2f])).toBe(FORMAT_AUTO);
    expect(sniff([0x28, 0xb5, 0x2f], 1)).toBe(FORMAT_PLAIN);
    expect(sniff([], 1)).toBe(FORMAT_PLAIN);
  });

  it('serves several streams in turns', () => {
    const x = raw(core);
    const packed = [gzipSync(data), gzipSync(sample(300_000, 4)), deflateSync(data.subarray(5))];
    const outputs: Buffer[][] = packed.map(() => []);
    const decoders = [FORMAT_AUTO, FORMAT_GZIP, 3].map((format) => x.decoderNew(format, 1 << 20, 1) >>> 0);
    const at = [0, 0, 0];
    const open = new Set([0, 1, 2]);
    while (open.size > 0) {
      for (const i of open) {
        const status = x.decoderRun(decoders[i]!);
        if (status === RUN_DONE) open.delete(i);
        else if (status === RUN_OUTPUT) {
          const address = x.decoderOutput(decoders[i]!) >>> 0;
          outputs[i]!.push(Buffer.from(core.bytes.subarray(address, address + x.decoderOutputLength(decoders[i]!))));
        } else {
          expect(status).toBe(RUN_NEED_INPUT);
          const piece = packed[i]!.subarray(at[i]!, at[i]! + 9000);
          at[i]! += piece.length;
          if (piece.length === 0) x.decoderEnd(decoders[i]!);
          core.bytes.set(piece, x.decoderInput(decoders[i]!) >>> 0);
          x.decoderPush(decoders[i]!, piece.length);
        }
      }
    }
    for (const decoder of decoders) x.decoderFree(decoder);
    expect(outputs.map((parts) => Buffer.concat(parts).length)).toEqual([400_000, 300_000, 399_995]);
    expect(Buffer.concat(outputs[0]!).equals(data)).toBe(true);
    expect(Buffer.concat(outputs[2]!).equals(data.subarray(5))).toBe(true);
  });

  it.each([1, 2, 3, 8])('keeps a chunk untouched until %i more were asked for', (slots) => {
    const x = raw(core);
    const input = sample(3_000_000, 31);
    for (const packed of [gzipSync(input), input]) {
      const decoder = x.decoderNew(FORMAT_AUTO, 1 << 20, slots) >>> 0;
      const held: { address: number; copy: Buffer }[] = [];
      let at = 0;
      for (;;) {
        const status = x.decoderRun(decoder);
        if (status === RUN_DONE) break;
        // The run just made is call number `slots` for the oldest one held.
        for (const { address, copy } of held.slice(-(slots - 1) || held.length)) {
          expect(copy.equals(core.bytes.subarray(address, address + copy.length))).toBe(true);
        }
        if (status === RUN_OUTPUT) {
          const address = x.decoderOutput(decoder) >>> 0;
          const copy = Buffer.from(core.bytes.subarray(address, address + x.decoderOutputLength(decoder)));
          held.push({ address, copy });
        } else {
          const piece = packed.subarray(at, at + x.decoderInputSpace(decoder));
          if (piece.length === 0) x.decoderEnd(decoder);
          core.bytes.set(piece, x.decoderInput(decoder) >>> 0);
          x.decoderPush(decoder, piece.length);
          at += piece.length;
        }
      }
      x.decoderFree(decoder);
      expect(held.length).toBeGreaterThan(20);
    }
  });

  it('answers the same error again, and starts afresh after a reset', () => {
    const x = raw(core);
    const decoder = x.decoderNew(FORMAT_GZIP, 1 << 20, 1) >>> 0;
    expect(drive(core, decoder, Buffer.from('this is not gzip')).status).toBe(E_CORRUPT);
    expect(x.decoderRun(decoder)).toBe(E_CORRUPT);
    expect(x.decoderReset(decoder, 77, 0)).toBe(E_STATE);
    expect(x.decoderReset(decoder, FORMAT_AUTO, 1 << 20)).toBe(0);
    expect(drive(core, decoder, gzipSync(data)).output.equals(data)).toBe(true);
    x.decoderFree(decoder);
  });

  it('refuses a push beyond its room, after the end, and formats it does not know', () => {
    const x = raw(core);
    const decoder = x.decoderNew(FORMAT_PLAIN, 0, 1) >>> 0;
    expect(x.decoderPush(decoder, x.decoderInputSpace(decoder) + 1)).toBe(E_STATE);
    x.decoderEnd(decoder);
    expect(x.decoderPush(decoder, 1)).toBe(E_STATE);
    expect(x.decoderInputSpace(decoder)).toBe(0);
    x.decoderFree(decoder);
    expect(x.decoderNew(6, 0, 1)).toBe(0);
    expect(x.decoderNew(FORMAT_PLAIN, 0, 0)).toBe(0);
  });

  it('works over shared memory', async () => {
    const shared = await loadCore({ shared: true });
    expect(run(shared, gzipSync(data)).output.equals(data)).toBe(true);
    expect(shared.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

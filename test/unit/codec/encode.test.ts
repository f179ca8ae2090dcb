import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../../../src/core/core.ts';
import { decodeSync } from '../../../src/core/decode.ts';
import { gzip } from '../../../src/core/encode.ts';
import { loadCore, sample } from '../../support/codec.ts';

let core: Core;
beforeAll(async () => {
  core = await loadCore();
});

const PIECE = 131_072;

async function packed(data: Uint8Array, cut = data.length): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += cut) pieces.push(data.subarray(at, at + cut));
  const out: Uint8Array[] = [];
  for await (const chunk of gzip(core, pieces)) out.push(chunk);
  return Buffer.concat(out);
}

async function expectRoundTrip(data: Uint8Array): Promise<Buffer> {
  const bytes = await packed(data);
  expect(gunzipSync(bytes).equals(data)).toBe(true);
  expect(Buffer.concat([...decodeSync(core, [bytes], { format: 'gzip' })]).equals(data)).toBe(true);
  return bytes;
}

/** Xorshift: bytes nothing can be found in. */
function noise(length: number, seed = 1): Buffer {
  let state = seed;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    }),
  );
}

describe('what is packed', () => {
  const text = Buffer.from('All work and no play makes Jack a dull boy. ');
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('a')],
    ['three bytes', Buffer.from('abc')],
    ['zeroes', Buffer.alloc(1 << 20)],
    ['one byte less than a piece', sample(PIECE - 1, 3)],
    ['a piece', sample(PIECE, 4)],
    ['one byte more than a piece', sample(PIECE + 1, 5)],
    ['noise', noise(3 * PIECE + 17)],
    ['noise of the length of stored blocks', noise(2 * 65535)],
    ['the same noise again and again', Buffer.concat([noise(32_768), noise(32_768), noise(32_769), noise(32_768)])],
    ['text', Buffer.concat(Array.from({ length: 20_000 }, () => text))],
    ['every byte once', Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i))],
    ['two values', Buffer.from(Uint8Array.from({ length: 70_000 }, (_, i) => ((i * i) % 7) & 1))],
  ])('%s comes back', async (_name, data) => {
    await expectRoundTrip(data);
  });

  it('has codes of the longest kind', async () => {
    // Frequencies like Fibonacci's numbers make the deepest tree
    const parts: Buffer[] = [];
    for (let [a, b, symbol] = [1, 1, 0]; symbol < 22; [a, b, symbol] = [b, a + b, symbol + 1]) {
      parts.push(Buffer.alloc(a, symbol * 11));
    }
    const sorted = Buffer.concat(parts);
    const mixed = Buffer.from(sorted);
    const order = noise(4 * sorted.length, 9);
    for (let i = mixed.length - 1; i > 0; i -= 1) {
      const j = order.readUInt32LE(4 * i) % (i + 1);
      [mixed[i], mixed[j]] = [mixed[j] ?? 0, mixed[i] ?? 0];
    }
    await expectRoundTrip(mixed);
  });

  it('comes back whatever it is', async () => {
    const runs = fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 3000 })), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(runs, async (parts) => {
        await expectRoundTrip(Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(Buffer.from(bytes)))));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the output', () => {
  it('does not depend on how the input was cut', async () => {
    const data = Buffer.concat([sample(300_000, 8), noise(200_000), sample(100_000, 8)]);
    const whole = await packed(data);
    for (const cut of [1, 4095, PIECE, PIECE + 1]) {
      const part = cut === 1 ? data.subarray(0, 20_000) : data;
      expect((await packed(part, cut)).equals(cut === 1 ? await packed(part) : whole)).toBe(true);
    }
  });

  it('is the same bytes for ever', async () => {
    // A change here changes the digest of every image that is built again
    expect((await packed(Buffer.from('hello hello hello hello\n'))).toString('hex')).toBe(
      '1f8b08000000000000ffcb48cdc9c957c020b9000088590b18000000',
    );
  });

  it('is never much longer than the input', async () => {
    const data = noise(10 * PIECE);
    expect((await packed(data)).length).toBeLessThan(data.length * 1.0003 + 40);
  });

  it('names no file, time or system', async () => {
    expect((await packed(Buffer.from('x'))).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
  });
});

describe('a compressor', () => {
  it('gives back its memory, also when its reader leaves', async () => {
    const fresh = await loadCore();
    const data = sample(600_000, 2);
    const use = async () => {
      for await (const chunk of gzip(fresh, [data])) if (chunk.length > 0) break;
    };
    await use();
    const { byteLength } = fresh.memory.buffer;
    for (let i = 0; i < 50; i += 1) await use();
    expect(fresh.memory.buffer.byteLength).toBe(byteLength);
  });

  it('works beside another one', async () => {
    const [a, b] = [sample(300_000, 21), noise(300_000, 5)];
    const [packedA, packedB] = await Promise.all([packed(a, 1000), packed(b, 777)]);
    expect(gunzipSync(packedA).equals(a)).toBe(true);
    expect(gunzipSync(packedB).equals(b)).toBe(true);
  });
});

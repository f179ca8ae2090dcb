/**
 * THREATS: damaged and hostile compressed data. Whatever the bytes, a decoder answers with a status; it never traps, never
 * writes outside its own buffers, agrees with zlib and the zstd tool on what is valid, and its memory stays bounded.
 */
import { execFileSync } from 'node:child_process';
import { deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMAT_DEFLATE, FORMAT_GZIP, FORMAT_ZSTD, RUN_DONE } from '../../src/core/abi/codec.ts';
import { E_LIMIT, E_NO_MEMORY } from '../../src/core/abi/status.ts';
import type { Core } from '../../src/core/core.ts';
import { drive, loadCore, raw, run, sample, zstd } from '../support/codec.ts';
import { peer } from '../support/peers.ts';

const FENCE_BYTES = 64 * 1024;
const WINDOW_LIMIT = 1 << 20;

/** A decoder with a fence of known bytes before it, behind it and behind its ring. */
async function fenced(warmUp: Buffer): Promise<{ core: Core; decode(input: Buffer, format: number): RunResult }> {
  const core = await loadCore();
  const x = raw(core);
  const fences = [core.alloc(FENCE_BYTES)];
  const decoder = x.decoderNew(FORMAT_ZSTD, WINDOW_LIMIT, 2) >>> 0;
  fences.push(core.alloc(FENCE_BYTES));
  expect(drive(core, decoder, warmUp).status).toBe(RUN_DONE);
  fences.push(core.alloc(FENCE_BYTES));
  for (const fence of fences) core.bytes.fill(0x5a, fence, fence + FENCE_BYTES);
  const intact = Buffer.alloc(FENCE_BYTES, 0x5a);
  return {
    core,
    decode(input, format) {
      x.decoderReset(decoder, format, WINDOW_LIMIT);
      const result = drive(core, decoder, input, { pieces: [input.length, 1, 300] });
      for (const fence of fences) expect(intact.equals(core.bytes.subarray(fence, fence + FENCE_BYTES))).toBe(true);
      return result;
    },
  };
}

type RunResult = ReturnType<typeof drive>;

type Changes = readonly (readonly [kind: number, position: number, value: number])[];

/** Up to `most` changes of a stream. */
function changes(most = 4): fc.Arbitrary<Changes> {
  const change = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat(1_000_000), fc.nat(255));
  return fc.array(change, { minLength: 1, maxLength: most });
}

/** Applies them: bytes set, bits flipped, stretches cut out, doubled or zeroed, the end cut. */
function mutate(valid: Buffer, list: Changes): Buffer {
  let bytes = Buffer.from(valid);
  for (const [kind, position, value] of list) {
    if (bytes.length === 0) break;
    const at = position % bytes.length;
    if (kind === 0) bytes[at] = value;
    else if (kind <= 2) bytes[at]! ^= 1 << (value & 7);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + value)]);
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at + value), bytes.subarray(at)]);
    else bytes = value < 40 ? bytes.subarray(0, at) : bytes.fill(0, at, Math.min(bytes.length, at + (value & 31)));
  }
  return bytes;
}

/** What zlib makes of a raw stream: its output and how much it read; undefined when it refuses. */
function reference(bytes: Buffer): { output: Buffer; used: number } | undefined {
  try {
    const { buffer, engine } = inflateRawSync(bytes, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { output: buffer, used: engine.bytesWritten };
  } catch {
    return undefined;
  }
}

const small = sample(9000, 41);
const WARM_UP = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0x01, 0, 0]);

describe('damaged deflate', () => {
  for (const [name, valid] of [
    ['dynamic blocks', deflateRawSync(small, { level: 9 })],
    ['many small blocks', deflateRawSync(small, { level: 6, memLevel: 1 })],
    ['fixed blocks', deflateRawSync(small.subarray(0, 2000), { strategy: 4 })],
    ['stored blocks', deflateRawSync(small, { level: 0 })],
  ] as const) {
    it(`${name}: accepted exactly when zlib accepts it, with the same output`, async () => {
      const { decode } = await fenced(WARM_UP);
      fc.assert(
        fc.property(changes(), (list) => {
          const bytes = mutate(valid, list);
          const ours = decode(bytes, FORMAT_DEFLATE);
          const theirs = reference(bytes);
          expect(ours.status === RUN_DONE).toBe(theirs !== undefined && theirs.used === bytes.length);
          if (ours.status === RUN_DONE) expect(ours.output.equals(theirs!.output)).toBe(true);
        }),
        { numRuns: 700 },
      );
    });
  }

  it('noise', async () => {
    const { decode } = await fenced(WARM_UP);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(FORMAT_DEFLATE, FORMAT_ZSTD), (noise, format) => {
        decode(Buffer.from(noise), format);
      }),
      { numRuns: 1500 },
    );
  });
});

/** True where the bytes are whole members one after the other, in any number and order. */
function isMadeOf(members: readonly Buffer[], bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  return members.some(
    (member) => bytes.subarray(0, member.length).equals(member) && isMadeOf(members, bytes.subarray(member.length)),
  );
}

describe('damaged gzip', () => {
  it('is found out: the checksum, the length or the structure', async () => {
    const valid = Buffer.concat([gzipSync(small), gzipSync(small.subarray(0, 100))]);
    const members = [small, small.subarray(0, 100)];
    const { decode } = await fenced(WARM_UP);
    fc.assert(
      fc.property(changes(), (list) => {
        const bytes = mutate(valid, list);
        const { status, output } = decode(bytes, FORMAT_GZIP);
        // Header fields that carry no data (time, system) may change; a whole member may be lost or doubled by a cut.
        if (status === RUN_DONE) expect(isMadeOf(members, output)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });
});

describe.skipIf(!peer('zstd'))('damaged zstd', () => {
  it('with a checksum is found out', async () => {
    const valid = zstd(small, '-19');
    const { decode } = await fenced(zstd(small, '-1'));
    fc.assert(
      fc.property(changes(), (list) => {
        const bytes = mutate(valid, list);
        const { status, output } = decode(bytes, FORMAT_ZSTD);
        if (status === RUN_DONE && output.length > 0) expect(output.equals(small)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  for (const [name, args] of [
    ['level 1', ['-1']],
    ['level 19', ['-19']],
    ['small blocks', ['-3', '--target-compressed-block-size=1340']],
    ['short window', ['-9', '--zstd=wlog=10']],
  ] as const) {
    it(`without a checksum, ${name}: never out of bounds`, async () => {
      const valid = zstd(small, '--no-check', ...args);
      const { decode } = await fenced(zstd(small, '-1'));
      fc.assert(
        fc.property(changes(3), (list) => {
          const bytes = mutate(valid, list);
          decode(bytes, FORMAT_ZSTD);
        }),
        { numRuns: 1200 },
      );
    });
  }

  it('is accepted only if the zstd tool accepts it, with the same output', async () => {
    const valid = zstd(small, '--no-check', '-7');
    const { decode } = await fenced(zstd(small, '-1'));
    const tool = (input: Buffer) => {
      try {
        return execFileSync(peer('zstd')!, ['-dqc'], { input, stdio: ['pipe', 'pipe', 'ignore'] });
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(changes(1), (list) => {
        const bytes = mutate(valid, list);
        const ours = decode(bytes, FORMAT_ZSTD);
        // The tool is laxer: its fast path does not look whether Huffman streams are used up (RFC 8878 section 4.2.2).
        if (ours.status === RUN_DONE) expect(tool(bytes)?.equals(ours.output)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });
});

describe('bombs', () => {
  it('gzip: 1 GiB of zeros in less than a megabyte does not grow the memory', async () => {
    const core = await loadCore();
    const member = gzipSync(Buffer.alloc(64 << 20), { level: 9 });
    run(core, gzipSync('warm'));
    const before = core.memory.buffer.byteLength;
    const bomb = Buffer.concat(Array.from({ length: 16 }, () => member));
    const { status, chunks } = run(core, bomb, { discard: true });
    expect(status).toBe(RUN_DONE);
    expect(chunks.reduce((sum, length) => sum + length, 0)).toBe(2 ** 30);
    expect(core.memory.buffer.byteLength - before).toBeLessThan(1 << 20);
  });

  it('zstd: 1 GiB of RLE blocks in 32 kB does not grow the memory', async () => {
    const core = await loadCore();
    const blocks = Array.from({ length: 8192 }, (_, i) => {
      const header = (131072 << 3) | 2 | (i === 8191 ? 1 : 0);
      return Buffer.from([header & 255, (header >> 8) & 255, header >> 16, 0]);
    });
    const bomb = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), ...blocks]);
    const before = core.memory.buffer.byteLength;
    const { status, chunks } = run(core, bomb, { discard: true });
    expect(status).toBe(RUN_DONE);
    expect(chunks.reduce((sum, length) => sum + length, 0)).toBe(2 ** 30);
    expect(core.memory.buffer.byteLength - before).toBeLessThan(3 << 20);
  });

  /** A frame of no content that asks for a window of 2^log. */
  const windowFrame = (log: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3, 0x01, 0, 0]);

  it('a window beyond the limit is refused before memory is taken', async () => {
    const core = await loadCore();
    run(core, windowFrame(20));
    const before = core.memory.buffer.byteLength;
    expect(run(core, windowFrame(28)).status).toBe(E_LIMIT);
    expect(run(core, windowFrame(24), { windowLimit: 1 << 23 }).status).toBe(E_LIMIT);
    expect(core.memory.buffer.byteLength).toBe(before);
  });

  it('frames of ever larger windows cost at most three times the limit', async () => {
    const core = await loadCore();
    const frames = Array.from({ length: 17 }, (_, i) => windowFrame(10 + i));
    const { status } = run(core, Buffer.concat([...frames, ...frames, ...frames]), { windowLimit: 1 << 26 });
    expect(status).toBe(RUN_DONE);
    expect(core.memory.buffer.byteLength).toBeLessThan(3 << 26);
  });

  it('memory that runs out is said, and the core goes on', async () => {
    const core = await loadCore({ maximumBytes: 8 << 20 });
    expect(run(core, windowFrame(25)).status).toBe(E_NO_MEMORY);
    expect(run(core, gzipSync('still here')).output.toString()).toBe('still here');
  });

  it('a header field without end costs no memory', async () => {
    const core = await loadCore();
    const header = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]);
    run(core, gzipSync('warm'));
    const before = core.memory.buffer.byteLength;
    expect(run(core, Buffer.concat([header, Buffer.alloc(20 << 20, 'n')])).status).toBeLessThan(0);
    expect(core.memory.buffer.byteLength).toBe(before);
  });
});

/** Drives the core's decoders and hashes by their raw ABI, and makes input for them. */
import { execFileSync } from 'node:child_process';
import { FORMAT_AUTO, RUN_DONE, RUN_NEED_INPUT, RUN_OUTPUT, WINDOW_LIMIT_DEFAULT } from '../../src/core/abi/codec.ts';
import { Core, type CoreExports } from '../../src/core/core.ts';
import { createCoreModules } from '../../src/core/core-modules.ts';
import { peer } from './peers.ts';
import { coreBytes } from './wasm.ts';

/** What the TypeScript side does not call, but tests do. */
export interface RawExports extends CoreExports {
  crc32Update(crc: number, data: number, length: number, scratch: number): number;
  crc32ScratchSize(): number;
  adler32Update(adler: number, data: number, length: number): number;
  xxh64Init(context: number): void;
  xxh64Update(context: number, data: number, length: number): void;
  xxh64Digest(context: number): bigint;
  xxh64Size(): number;
  regionBytes(address: number): number;
  decoderReset(decoder: number, format: number, windowLimit: number): number;
  decoderFormat(decoder: number): number;
  sniffFormat(data: number, length: number, last: number): number;
}

export async function loadCore(options: { shared?: boolean; maximumBytes?: number } = {}): Promise<Core> {
  return Core.create(createCoreModules(coreBytes()), options);
}

export function raw(core: Core): RawExports {
  return core.exports as RawExports;
}

export interface Run {
  /** RUN_DONE, or the E_* it ended with. */
  readonly status: number;
  readonly output: Buffer;
  /** Length of each chunk. */
  readonly chunks: readonly number[];
}

export interface RunOptions {
  readonly format?: number;
  readonly windowLimit?: number;
  readonly slots?: number;
  /** Sizes of the pieces the input is pushed in, repeated; default all at once. */
  readonly pieces?: readonly number[];
  /** Stop collecting output, count only. */
  readonly discard?: boolean;
}

/** Pushes `input` through a fresh decoder. */
export function run(core: Core, input: Uint8Array, options: RunOptions = {}): Run {
  const x = raw(core);
  const decoder = x.decoderNew(
    options.format ?? FORMAT_AUTO,
    options.windowLimit ?? WINDOW_LIMIT_DEFAULT,
    options.slots ?? 1,
  );
  if (decoder === 0) throw new Error('no decoder');
  try {
    return drive(core, decoder >>> 0, input, options);
  } finally {
    x.decoderFree(decoder);
  }
}

/** The same with a decoder that is there. */
export function drive(core: Core, decoder: number, input: Uint8Array, options: RunOptions = {}): Run {
  const x = raw(core);
  const pieces = options.pieces ?? [input.length];
  const parts: Buffer[] = [];
  const chunks: number[] = [];
  let at = 0;
  let turn = 0;
  for (;;) {
    const status = x.decoderRun(decoder);
    if (status === RUN_OUTPUT) {
      const address = x.decoderOutput(decoder) >>> 0;
      const length = x.decoderOutputLength(decoder);
      if (length === 0) throw new Error('an empty chunk');
      chunks.push(length);
      if (!options.discard) parts.push(Buffer.from(core.bytes.subarray(address, address + length)));
    } else if (status !== RUN_NEED_INPUT) {
      if (status > RUN_DONE) throw new Error(`status ${status}`);
      return { status, output: Buffer.concat(parts), chunks };
    } else if (at === input.length) {
      x.decoderEnd(decoder);
    } else {
      const address = x.decoderInput(decoder) >>> 0;
      const space = x.decoderInputSpace(decoder);
      if (space <= 0) throw new Error('no room for input although input is wanted');
      const length = Math.min(space, pieces[turn++ % pieces.length]!, input.length - at);
      core.bytes.set(input.subarray(at, at + length), address);
      if (x.decoderPush(decoder, length) !== 0) throw new Error('push refused');
      at += length;
    }
  }
}

/** Compresses with the zstd tool; test first that `peer('zstd')` is there. */
export function zstd(input: Uint8Array, ...args: string[]): Buffer {
  // Without it the tool cannot know the length of what comes through a pipe.
  const size = args.includes('--no-content-size') ? [] : [`--stream-size=${input.length}`];
  return execFileSync(peer('zstd')!, ['-q', '-c', ...size, ...args], { input, maxBuffer: 1 << 30 });
}

/** Deterministic bytes: text-like, machine-code-like and random stretches, so that all kinds of block occur. */
export function sample(length: number, seed = 1): Buffer {
  const out = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const words = Array.from({ length: 400 }, () =>
    Buffer.from(Array.from({ length: 2 + (next() % 9) }, () => 97 + (next() % 26))),
  );
  let at = 0;
  while (at < length) {
    const kind = next() % 8;
    const end = Math.min(length, at + 200 + (next() % 20_000));
    if (kind === 0) while (at < end) out[at++] = next() & 255;
    else if (kind === 1) out.fill(next() & 255, at, end);
    else if (kind === 2 && at > 1000) {
      const from = next() % (at - 100);
      out.copyWithin(at, from, Math.min(at, from + end - at));
    } else
      while (at < end) {
        at += words[next() % words.length]!.copy(out, at);
        if (at < end) out[at++] = 32;
      }
    at = end;
  }
  return out;
}

/**
 * A frozen program in one file: what its instance held beyond what its module gives every fresh one.
 *
 * ```
 *  0  8 bytes "wctrfrz1"
 *  8  u32 headerBytes   12 u32 rangeCount   16 u32 dataBlocks   20 u32 0          (little endian)
 * 24  header: JSON (CheckpointHeader), padded with spaces to a multiple of 8
 * ..  ranges, 8 bytes each: u32 first block, u32 blocks; ascending, apart from each other
 * ..  zeros to a multiple of 4096
 * ..  data: the blocks of the ranges, one after the other, to the end of the file
 * ```
 *
 * A block is 4 KiB of linear memory. A checkpoint is untrusted input: everything is checked before it is used, and what it
 * can do is fill the guest's own memory, which the guest could have filled itself.
 */
import { WctrError } from '../../errors.ts';
import type { BlockSource } from '../ports.ts';

export const BLOCK_BYTES = 4096;

const MAGIC = 'wctrfrz1';
const FIXED_BYTES = 24;
const RANGE_BYTES = 8;
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const MAX_PAGES = 65536;
const BLOCKS_PER_PAGE = 16;
/** Every second block of 4 GiB: more ranges cannot be apart. */
const MAX_RANGES = (MAX_PAGES * BLOCKS_PER_PAGE) / 2;

export interface CheckpointHeader {
  /** Path of the program in the container; empty for a module that is no file of it. */
  readonly program: string;
  /** The program's export that was to run; absent: `_start`. */
  readonly entry?: string;
  /** SHA-256 of the program, lower-case hex. */
  readonly module: string;
  /** `init`: an initialising export has returned. `stack`: frozen in a call, its frames lie in memory at `stack`. */
  readonly how: 'init' | 'stack';
  /** Address of Asyncify's structure. */
  readonly stack?: number;
  /** argv, where the frames go by it. */
  readonly args?: readonly string[];
  /** Size of memory 0 in pages of 64 KiB. */
  readonly pages: number;
  readonly globals: readonly GlobalState[];
  readonly tables: readonly TableState[];
  /** Standard streams that were open, by their number. */
  readonly streams: readonly number[];
  readonly preopens: readonly { readonly fd: number; readonly name: string }[];
  readonly cwd: string;
  readonly files: readonly OpenFile[];
}

/** A mutable global that differs from a fresh instance's. */
export interface GlobalState {
  readonly index: number;
  /** `n`: i32, f32 or f64, as the bits of an f64. `l`: i64. `f`: a function of the module by its index, -1 for null. */
  readonly type: 'n' | 'l' | 'f';
  /** 16 hex digits; for `f` a decimal number. */
  readonly value: string;
}

export interface TableState {
  readonly index: number;
  readonly length: number;
  /** Slots that differ: function by its index in the module, -1 for null. */
  readonly slots: readonly (readonly [slot: number, func: number])[];
}

export interface OpenFile {
  readonly fd: number;
  /** Absolute, in the container. */
  readonly path: string;
  /** O_* of the kernel, without those that create or truncate. */
  readonly flags: number;
  readonly offset: number;
  readonly rights: number;
  readonly inheriting: number;
}

/** Blocks of memory, `first` and on. */
export interface BlockRange {
  readonly first: number;
  readonly blocks: number;
}

/** A checkpoint opened: what it says, and where its blocks are. */
export interface Checkpoint {
  readonly header: CheckpointHeader;
  readonly ranges: readonly BlockRange[];
  /** Position of the data in the source. */
  readonly dataAt: number;
  readonly source: BlockSource;
}

/** Everything before the data. */
export function encodeCheckpoint(header: CheckpointHeader, ranges: readonly BlockRange[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = roundUp(json.length, 8);
  const rangesAt = FIXED_BYTES + headerBytes;
  const bytes = new Uint8Array(roundUp(rangesAt + ranges.length * RANGE_BYTES, BLOCK_BYTES));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, headerBytes, true);
  view.setUint32(12, ranges.length, true);
  bytes.fill(0x20, FIXED_BYTES, rangesAt);
  bytes.set(json, FIXED_BYTES);
  let blocks = 0;
  for (const [i, range] of ranges.entries()) {
    view.setUint32(rangesAt + i * RANGE_BYTES, range.first, true);
    view.setUint32(rangesAt + i * RANGE_BYTES + 4, range.blocks, true);
    blocks += range.blocks;
  }
  view.setUint32(16, blocks, true);
  return bytes;
}

/** `source`: the checkpoint alone, from its first byte to its last. Throws 'store-corrupt'. */
export function readCheckpoint(source: BlockSource): Checkpoint {
  const fixed = readExactly(source, 0, FIXED_BYTES);
  const view = new DataView(fixed.buffer);
  if (new TextDecoder().decode(fixed.subarray(0, MAGIC.length)) !== MAGIC) throw damaged('it does not begin as one');
  const headerBytes = view.getUint32(8, true);
  const rangeCount = view.getUint32(12, true);
  const dataBlocks = view.getUint32(16, true);
  if (headerBytes > MAX_HEADER_BYTES || rangeCount > MAX_RANGES) throw damaged('its header is too large');
  const rangesAt = FIXED_BYTES + headerBytes;
  const dataAt = roundUp(rangesAt + rangeCount * RANGE_BYTES, BLOCK_BYTES);
  if (source.sizeBytes !== dataAt + dataBlocks * BLOCK_BYTES) throw damaged('it is cut off, or too long');
  const header = parseHeader(readExactly(source, FIXED_BYTES, headerBytes));
  const words = new DataView(readExactly(source, rangesAt, rangeCount * RANGE_BYTES).buffer);
  const ranges: BlockRange[] = [];
  let end = 0;
  let blocks = 0;
  for (let i = 0; i < rangeCount; i++) {
    const first = words.getUint32(i * RANGE_BYTES, true);
    const count = words.getUint32(i * RANGE_BYTES + 4, true);
    if (count === 0 || first < end || first + count > header.pages * BLOCKS_PER_PAGE) {
      throw damaged('its memory lies outside of the memory');
    }
    ranges.push({ first, blocks: count });
    end = first + count;
    blocks += count;
  }
  if (blocks !== dataBlocks) throw damaged('its sizes disagree');
  return { header, ranges, dataAt, source };
}

export function damaged(why: string, cause?: unknown): WctrError {
  return new WctrError('store-corrupt', `the checkpoint is damaged: ${why}`, {
    hint: 'make it again: wctr checkpoint create',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** All of [position, position + length). */
export function readInto(source: BlockSource, position: number, target: Uint8Array): void {
  for (let done = 0; done < target.length; ) {
    const got = source.readSync(target.subarray(done), position + done);
    if (got <= 0) throw damaged('it cannot be read to its end');
    done += got;
  }
}

function readExactly(source: BlockSource, position: number, length: number): Uint8Array<ArrayBuffer> {
  if (position + length > source.sizeBytes) throw damaged('it is cut off');
  const bytes = new Uint8Array(length);
  readInto(source, position, bytes);
  return bytes;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function parseHeader(bytes: Uint8Array): CheckpointHeader {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged('its header is no JSON', cause);
  }
  const wrong = wrongField(header);
  if (wrong !== undefined) throw damaged(`its header has no valid ${wrong}`);
  return header as CheckpointHeader;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isPath: Check = (value) => typeof value === 'string' && value.startsWith('/') && !value.includes('\0');
const isNumber =
  (most: number, least = 0): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isU32 = isNumber(0xffffffff);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const GLOBAL_VALUES: Readonly<Record<string, RegExp>> = {
  n: /^[0-9a-f]{16}$/,
  l: /^[0-9a-f]{16}$/,
  f: /^(-1|\d{1,7})$/,
};
const isGlobal: Check = (value) => {
  const { index, type, value: text } = fieldsOf(value);
  const form = typeof type === 'string' && Object.hasOwn(GLOBAL_VALUES, type) ? GLOBAL_VALUES[type] : undefined;
  return isU32(index) && form !== undefined && typeof text === 'string' && form.test(text);
};
const isSlot: Check = (value) =>
  Array.isArray(value) && value.length === 2 && isU32(value[0]) && isNumber(1e7, -1)(value[1]);

const TABLE: Readonly<Record<string, Check>> = { index: isU32, length: isU32, slots: isListOf(isSlot) };
const PREOPEN: Readonly<Record<string, Check>> = { fd: isU32, name: isText };
const FILE: Readonly<Record<string, Check>> = {
  fd: isU32,
  path: isPath,
  flags: isU32,
  offset: isNumber(Number.MAX_SAFE_INTEGER),
  rights: isU32,
  inheriting: isU32,
};
const HEADER: Readonly<Record<string, Check>> = {
  program: isText,
  entry: maybe(isText),
  module: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  how: (value) => value === 'init' || value === 'stack',
  stack: maybe(isU32),
  args: maybe(isListOf(isText)),
  pages: isNumber(MAX_PAGES),
  globals: isListOf(isGlobal),
  tables: isListOf((value) => isRecord(value, TABLE)),
  streams: isListOf(isNumber(2)),
  preopens: isListOf((value) => isRecord(value, PREOPEN)),
  cwd: isPath,
  files: isListOf((value) => isRecord(value, FILE)),
};

/** The first field that is not what it has to be. */
function wrongField(value: unknown): string | undefined {
  const fields = fieldsOf(value);
  const wrong = Object.entries(HEADER).find(([name, check]) => !check(fields[name]))?.[0];
  return wrong ?? (fields.how === 'stack' && fields.stack === undefined ? 'stack' : undefined);
}

function isRecord(value: unknown, checks: Readonly<Record<string, Check>>): boolean {
  const fields = fieldsOf(value);
  return Object.entries(checks).every(([name, check]) => check(fields[name]));
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * The data runs of a sparse file, in the three ways tar writes them (GNU tar manual, "Storing Sparse Files"):
 *  - GNU 'S': four {offset, numbytes} pairs in the header, 21 more in each extension block (isextended at 504);
 *  - pax 0.0 and 0.1: in pax records, as repeated offset/numbytes or as one comma-separated map;
 *  - pax 1.0: decimal lines at the head of the data, padded to a block: count, then offset and length of each run.
 *
 * Runs are kept as {u64 logical offset, u64 length, u64 offset in the data}, ascending and without overlap.
 */
import { E_CORRUPT, E_LIMIT, OK } from '../../src/core/abi/status';
import { EXTENT_BYTES, MAX_EXTENTS } from './caps';
import { BLOCK, badField, field } from './header';

export const SPARSE_BYTES: u32 = (MAX_EXTENTS + 1) * EXTENT_BYTES;

let runs: usize = 0;
let count: u32 = 0;
let logicalEnd: u64 = 0;
let dataUsed: u64 = 0;
let ended: bool = false;
let offset: u64 = 0;
let haveOffset: bool = false;

export function sparsePlace(at: usize): void {
  runs = at;
  sparseClear();
}

export function sparseClear(): void {
  count = 0;
  logicalEnd = 0;
  dataUsed = 0;
  ended = false;
  haveOffset = false;
  mapState = MAP_COUNT;
  mapValue = 0;
  mapDigits = 0;
  mapLeft = 0;
}

export function sparseCount(): u32 {
  return count;
}

export function sparseRuns(): usize {
  return runs;
}

function addRun(at: u64, length: u64): i32 {
  if (<i64>at < 0 || <i64>length < 0 || <i64>(at + length) < 0 || at < logicalEnd) return E_CORRUPT;
  logicalEnd = at + length;
  if (length == 0) return OK;
  if (count >= MAX_EXTENTS) return E_LIMIT;
  const run = runs + count * EXTENT_BYTES;
  store<u64>(run, at);
  store<u64>(run, length, 8);
  store<u64>(run, dataUsed, 16);
  dataUsed += length;
  count++;
  return OK;
}

/** Checks the runs against the file's size and the bytes stored for it, and makes their data offsets absolute. */
export function sparseFinish(realSize: u64, dataOffset: u64, dataSize: u64): i32 {
  if (haveOffset || logicalEnd > realSize || dataUsed != dataSize) return E_CORRUPT;
  if (count == 0 && realSize != 0) {
    // All hole: one empty run, since a file without runs means a contiguous one.
    store<u64>(runs, realSize);
    store<u64>(runs, 0, 8);
    store<u64>(runs, 0, 16);
    count = 1;
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = runs + i * EXTENT_BYTES + 16;
    store<u64>(at, load<u64>(at) + dataOffset);
  }
  return OK;
}

/** GNU 'S': `pairs` {offset[12], numbytes[12]} at p; the first one without an offset ends the map. */
export function sparseGnuPairs(p: usize, pairs: u32): i32 {
  for (let i: u32 = 0; i < pairs; i++, p += 24) {
    const noOffset = load<u8>(p) == 0;
    if (noOffset != (load<u8>(p, 12) == 0) || (ended && !noOffset)) return E_CORRUPT;
    if (noOffset) {
      ended = true;
      continue;
    }
    const at = field(p, 12);
    const length = field(p + 12, 12);
    if (badField) return E_CORRUPT;
    const status = addRun(at, length);
    if (status != OK) return status;
  }
  return OK;
}

/** pax 0.0, GNU.sparse.offset and GNU.sparse.numbytes, in turn. */
export function sparseOffset(value: i64): i32 {
  if (value < 0 || haveOffset) return E_CORRUPT;
  offset = value;
  haveOffset = true;
  return OK;
}

export function sparseLength(value: i64): i32 {
  if (value < 0 || !haveOffset) return E_CORRUPT;
  haveOffset = false;
  return addRun(offset, value);
}

/** pax 0.1, GNU.sparse.map=offset,length,offset,length... It replaces one that came before. */
export function sparseMapText(p: usize, length: u32): i32 {
  sparseClear();
  let value: u64 = 0;
  let digits: u32 = 0;
  for (let i: u32 = 0; i <= length; i++) {
    const c: u32 = i < length ? load<u8>(p + i) : 0x2c;
    if (c == 0x2c) {
      if (digits == 0) return length == 0 ? OK : E_CORRUPT;
      const status = haveOffset ? sparseLength(value) : sparseOffset(value);
      if (status != OK) return status;
      value = 0;
      digits = 0;
      continue;
    }
    if (c - 0x30 > 9 || ++digits > 18) return E_CORRUPT;
    value = value * 10 + <u64>(c - 0x30);
  }
  return haveOffset ? E_CORRUPT : OK;
}

// pax 1.0: a number may straddle blocks, so the parse is a state machine over bytes.
const MAP_COUNT: u32 = 0;
const MAP_OFFSET: u32 = 1;
const MAP_LENGTH: u32 = 2;
const MAP_DONE: u32 = 3;
let mapState: u32 = MAP_COUNT;
let mapValue: u64 = 0;
let mapDigits: u32 = 0;
let mapLeft: u64 = 0;

export function sparseMapDone(): bool {
  return mapState == MAP_DONE;
}

/** One block of a pax 1.0 map; what follows the last number is padding. */
export function sparseMapBlock(p: usize): i32 {
  const end = p + BLOCK;
  for (; p < end && mapState != MAP_DONE; p++) {
    const c: u32 = load<u8>(p);
    if (c != 0x0a) {
      if (c - 0x30 > 9 || ++mapDigits > 18) return E_CORRUPT;
      mapValue = mapValue * 10 + <u64>(c - 0x30);
      continue;
    }
    if (mapDigits == 0) return E_CORRUPT;
    const status = mapNumber(mapValue);
    if (status != OK) return status;
    mapValue = 0;
    mapDigits = 0;
  }
  return OK;
}

function mapNumber(value: u64): i32 {
  if (mapState == MAP_COUNT) {
    if (value > <u64>MAX_EXTENTS) return E_LIMIT;
    mapLeft = value;
    mapState = value == 0 ? MAP_DONE : MAP_OFFSET;
    return OK;
  }
  if (mapState == MAP_OFFSET) {
    mapState = MAP_LENGTH;
    return sparseOffset(value);
  }
  mapState = --mapLeft == 0 ? MAP_DONE : MAP_OFFSET;
  return sparseLength(value);
}

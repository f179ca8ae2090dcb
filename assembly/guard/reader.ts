/**
 * The cursor over the module. A read past the limit, or any other fault, is remembered once (the first is the true
 * one) and ends the section: from then on every read gives 0 and the cursor stays at the limit, so that no loop over a
 * declared count outlives its bytes.
 */
import {
  DETAIL_END,
  DETAIL_HEAP,
  DETAIL_LEB,
  NO_SECTION,
  RESULT_DETAIL,
  RESULT_LIMIT,
  RESULT_OFFSET,
  RESULT_SECTION,
  RESULT_VALUE,
} from '../../src/core/abi/guard';
import { E_CORRUPT, E_LIMIT, E_NO_MEMORY, E_TRUNCATED } from '../../src/core/abi/status';
import { heapAlloc, heapTake } from './heap';

let block: usize = 0;
let base: usize = 0;
let cursor: usize = 0;
let limit: usize = 0;
let status: i32 = 0;
let section: u32 = NO_SECTION;

export function readerReset(guardBlock: usize, start: usize, length: usize): void {
  block = guardBlock;
  base = start;
  cursor = start;
  limit = start + length;
  status = 0;
  section = NO_SECTION;
}

export function failed(): bool {
  return status != 0;
}

export function statusOf(): i32 {
  return status;
}

export function position(): usize {
  return cursor;
}

export function offsetOf(address: usize): u32 {
  return <u32>(address - base);
}

export function remaining(): u32 {
  return <u32>(limit - cursor);
}

export function atEnd(): bool {
  return cursor >= limit;
}

/** Reads on from `start` up to `end`, both addresses inside the module. */
export function enter(id: u32, start: usize, end: usize): void {
  section = id;
  cursor = start;
  limit = end;
}

export function fail(code: i32, detail: u32, value: u32 = 0, allowed: u32 = 0): void {
  failAt(cursor, code, detail, value, allowed);
}

export function failAt(address: usize, code: i32, detail: u32, value: u32 = 0, allowed: u32 = 0): void {
  if (status == 0) {
    status = code;
    store<u32>(block + RESULT_DETAIL, detail);
    store<u32>(block + RESULT_OFFSET, offsetOf(address));
    store<u32>(block + RESULT_SECTION, section);
    store<u32>(block + RESULT_VALUE, value);
    store<u32>(block + RESULT_LIMIT, allowed);
  }
  cursor = limit;
}

export function policy(field: usize): u32 {
  return load<u32>(block + field);
}

export function setResult(field: usize, value: u32): void {
  store<u32>(block + field, value);
}

export function addResult(field: usize, value: u32): void {
  store<u32>(block + field, load<u32>(block + field) + value);
}

export function readByte(): u32 {
  if (cursor >= limit) {
    fail(E_TRUNCATED, DETAIL_END);
    return 0;
  }
  return load<u8>(cursor++);
}

export function peekByte(): u32 {
  return cursor < limit ? load<u8>(cursor) : 0;
}

/** Unsigned LEB128 of 32 bits: at most 5 bytes, no bits beyond. */
export function readU32(): u32 {
  let result: u32 = 0;
  for (let shift: u32 = 0; shift < 35; shift += 7) {
    const byte = readByte();
    if (shift == 28 && byte > 0x0f) break;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) return result;
  }
  fail(E_CORRUPT, DETAIL_LEB);
  return 0;
}

/** Steps over a LEB128 number of at most `maxBytes`; its value is the engine's to check. */
export function skipLeb(maxBytes: u32): void {
  for (let i: u32 = 0; i < maxBytes; i++) {
    if (readByte() < 0x80) return;
  }
  fail(E_CORRUPT, DETAIL_LEB);
}

export function skip(bytes: u32): void {
  if (bytes > remaining()) fail(E_TRUNCATED, DETAIL_END);
  else cursor += bytes;
}

/** The length of a vector whose entries take at least `entryBytes`: above `field`'s cap it is over the limit. */
export function readCount(field: usize, detail: u32, entryBytes: u32): u32 {
  const at = cursor;
  const count = readU32();
  if (count > policy(field)) {
    failAt(at, E_LIMIT, detail, count, policy(field));
    return 0;
  }
  if (<u64>count * entryBytes > remaining()) {
    failAt(at, E_TRUNCATED, DETAIL_END, count);
    return 0;
  }
  return count;
}

/** heapAlloc, with the fault noted. */
export function reserve(bytes: u64): usize {
  const at = heapAlloc(bytes);
  if (at == 0) fail(E_NO_MEMORY, DETAIL_HEAP);
  return at;
}

/** heapTake, with the fault noted: for what is written before it is read. */
export function reserveScratch(bytes: u64): usize {
  const at = heapTake(bytes);
  if (at == 0) fail(E_NO_MEMORY, DETAIL_HEAP);
  return at;
}

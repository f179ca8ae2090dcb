/** The sections that use what was declared: exports, start, elements, code, data, and custom sections. */
import {
  DETAIL_BODY_BYTES,
  DETAIL_CODE_COUNT,
  DETAIL_DATA_SEGMENTS,
  DETAIL_ELEMENT_SEGMENTS,
  DETAIL_ELEMENTS,
  DETAIL_EXPORT_RESERVED,
  DETAIL_EXPORTS,
  DETAIL_KIND,
  DETAIL_LOCALS,
  DETAIL_SECTION_SIZE,
  DETAIL_SEGMENT,
  DETAIL_TOTAL_LOCALS,
  EXPORT_RECORD_BYTES,
  POLICY_MAX_BODY_BYTES,
  POLICY_MAX_DATA_SEGMENTS,
  POLICY_MAX_ELEMENT_SEGMENTS,
  POLICY_MAX_ELEMENTS,
  POLICY_MAX_EXPORTS,
  POLICY_MAX_FUNCTIONS,
  POLICY_MAX_LOCALS,
  POLICY_MAX_TOTAL_LOCALS,
  RESULT_EXPORT_COUNT,
  RESULT_EXPORTS_PTR,
  RESULT_HAS_START,
} from '../../src/core/abi/guard';
import { E_CORRUPT, E_DENIED, E_LIMIT, E_TRUNCATED } from '../../src/core/abi/status';
import { noteAsyncify } from './asyncify';
import {
  BODIES,
  CODE_AT,
  CODE_END,
  count,
  ELEMENTS,
  EXPORTS,
  FUNCTIONS,
  functionParams,
  GLOBALS,
  HAS_START,
  IMPORTED_FUNCTIONS,
  LARGEST_BODY,
  MEMORIES,
  START_FUNCTION,
  setCount,
  TABLES,
  TAGS,
} from './facts';
import {
  fail,
  failAt,
  failed,
  offsetOf,
  policy,
  position,
  readByte,
  readCount,
  readU32,
  remaining,
  reserve,
  setResult,
  skip,
} from './reader';
import { readIndex, readRefType, readValueType, skipConstExpr } from './types';

/** "wctr", little endian: names `wctr.*` are the guard's own. */
const RESERVED_PREFIX: u32 = 0x72746377;
const FULL_STOP: u32 = 0x2e;

const EXPORT_FUNCTION: u32 = 0;
const EXPORT_TABLE: u32 = 1;
const EXPORT_MEMORY: u32 = 2;
const EXPORT_GLOBAL: u32 = 3;
const EXPORT_TAG: u32 = 4;

function spaceOfKind(kind: u32): u32 {
  if (kind == EXPORT_FUNCTION) return count(FUNCTIONS);
  if (kind == EXPORT_TABLE) return count(TABLES);
  if (kind == EXPORT_MEMORY) return count(MEMORIES);
  if (kind == EXPORT_GLOBAL) return count(GLOBALS);
  if (kind == EXPORT_TAG) return count(TAGS);
  fail(E_CORRUPT, DETAIL_KIND, kind);
  return 0;
}

export function readExports(): void {
  const total = readCount(POLICY_MAX_EXPORTS, DETAIL_EXPORTS, 3);
  const records = reserve(<u64>total * EXPORT_RECORD_BYTES);
  if (failed()) return;
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const record = records + <usize>i * EXPORT_RECORD_BYTES;
    const length = readU32();
    const name = position();
    skip(length);
    if (length > 4 && load<u32>(name) == RESERVED_PREFIX && load<u8>(name + 4) == FULL_STOP && !failed()) {
      failAt(name, E_DENIED, DETAIL_EXPORT_RESERVED);
    }
    const kind = readByte();
    const index = readIndex(spaceOfKind(kind));
    if (kind == EXPORT_FUNCTION && !failed()) noteAsyncify(name, length, index);
    store<u32>(record, offsetOf(name));
    store<u32>(record + 4, length);
    store<u32>(record + 8, kind);
    store<u32>(record + 12, index);
  }
  setCount(EXPORTS, total);
  setResult(RESULT_EXPORTS_PTR, <u32>records);
  setResult(RESULT_EXPORT_COUNT, total);
}

export function readStart(): void {
  setCount(START_FUNCTION, readIndex(count(FUNCTIONS)));
  setCount(HAS_START, 1);
  setResult(RESULT_HAS_START, 1);
}

/** One segment; its flags (5.5.12): 1 passive or declared, 2 explicit table (or declared), 4 expressions. */
function readElementSegment(): void {
  const flags = readU32();
  if (flags > 7) fail(E_CORRUPT, DETAIL_SEGMENT, flags);
  if (!(flags & 1)) {
    if (flags & 2) readIndex(count(TABLES));
    else if (count(TABLES) == 0) fail(E_CORRUPT, DETAIL_SEGMENT, flags);
    skipConstExpr(count(GLOBALS), count(FUNCTIONS));
  }
  if (flags & 3) {
    if (flags & 4) readRefType();
    else if (readByte() != 0) fail(E_CORRUPT, DETAIL_SEGMENT, flags);
  }
  const entries = readCount(POLICY_MAX_ELEMENTS, DETAIL_ELEMENTS, flags & 4 ? 2 : 1);
  const sum = <u64>count(ELEMENTS) + entries;
  if (sum > policy(POLICY_MAX_ELEMENTS)) fail(E_LIMIT, DETAIL_ELEMENTS, <u32>sum, policy(POLICY_MAX_ELEMENTS));
  setCount(ELEMENTS, <u32>sum);
  const functions = count(FUNCTIONS);
  for (let i: u32 = 0; i < entries && !failed(); i++) {
    if (flags & 4) skipConstExpr(count(GLOBALS), functions);
    else readIndex(functions);
  }
}

export function readElements(): void {
  const total = readCount(POLICY_MAX_ELEMENT_SEGMENTS, DETAIL_ELEMENT_SEGMENTS, 2);
  for (let i: u32 = 0; i < total && !failed(); i++) readElementSegment();
}

/** Steps over a body's local declarations; gives the number of locals with the parameters. */
export function readLocals(defined: u32): u32 {
  const at = position();
  let locals: u64 = functionParams(defined);
  const groups = readU32();
  if ((<u64>groups) << 1 > remaining()) fail(E_TRUNCATED, DETAIL_LOCALS, groups);
  for (let i: u32 = 0; i < groups && !failed(); i++) {
    locals += readU32();
    readValueType();
  }
  const allowed = policy(POLICY_MAX_LOCALS);
  if (locals > allowed) failAt(at, E_LIMIT, DETAIL_LOCALS, locals > 0xffffffff ? 0xffffffff : <u32>locals, allowed);
  return <u32>locals;
}

/** Walks over the bodies: sizes and local declarations only, so that it costs next to nothing per byte. */
export function readCode(): void {
  setCount(CODE_AT, <u32>position());
  setCount(CODE_END, <u32>position() + remaining());
  const total = readCount(POLICY_MAX_FUNCTIONS, DETAIL_CODE_COUNT, 3);
  const declared = count(FUNCTIONS) - count(IMPORTED_FUNCTIONS);
  if (total != declared) fail(E_CORRUPT, DETAIL_CODE_COUNT, total, declared);
  let largest: u32 = 0;
  let locals: u64 = 0;
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const at = position();
    const size = readU32();
    const body = position();
    if (size > policy(POLICY_MAX_BODY_BYTES))
      failAt(at, E_LIMIT, DETAIL_BODY_BYTES, size, policy(POLICY_MAX_BODY_BYTES));
    if (size > remaining()) failAt(at, E_TRUNCATED, DETAIL_SECTION_SIZE, size, remaining());
    locals += readLocals(i);
    const head = <u32>(position() - body);
    if (head > size) failAt(at, E_CORRUPT, DETAIL_SECTION_SIZE, size, head);
    if (locals > policy(POLICY_MAX_TOTAL_LOCALS)) {
      failAt(at, E_LIMIT, DETAIL_TOTAL_LOCALS, <u32>locals, policy(POLICY_MAX_TOTAL_LOCALS));
    }
    if (failed()) return;
    skip(size - head);
    if (size > largest) largest = size;
  }
  setCount(LARGEST_BODY, largest);
  setCount(BODIES, total);
}

export function readData(): void {
  const total = readCount(POLICY_MAX_DATA_SEGMENTS, DETAIL_DATA_SEGMENTS, 2);
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const flags = readU32();
    if (flags > 2) fail(E_CORRUPT, DETAIL_SEGMENT, flags);
    if (flags == 2) readIndex(count(MEMORIES));
    if (flags != 1) skipConstExpr(count(GLOBALS), count(FUNCTIONS));
    skip(readU32());
  }
}

/** A custom section is a name and bytes; the name must lie inside. */
export function readCustom(): void {
  skip(readU32());
  skip(remaining());
}

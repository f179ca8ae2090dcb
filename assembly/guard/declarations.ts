/** The sections that declare: types, imports, functions, tables, memories, tags and globals. */
import {
  DETAIL_EXN_TABLE,
  DETAIL_FUNCTIONS,
  DETAIL_GC,
  DETAIL_GLOBALS,
  DETAIL_IMPORT_DENIED,
  DETAIL_IMPORTS,
  DETAIL_KIND,
  DETAIL_LIMITS,
  DETAIL_MEMORIES,
  DETAIL_MEMORY_PAGES,
  DETAIL_PARAMS,
  DETAIL_RESULTS,
  DETAIL_SHARED_MEMORY,
  DETAIL_SHARED_TABLE,
  DETAIL_TABLE_ELEMENTS,
  DETAIL_TABLES,
  DETAIL_TAG_COUNT,
  DETAIL_TAGS,
  DETAIL_TYPE_FORM,
  DETAIL_TYPES,
  DETAIL_VALUE_TYPE,
  IMPORT_RECORD_BYTES,
  POLICY_ALLOW_MEMORY_IMPORT,
  POLICY_ALLOW_SHARED_MEMORY,
  POLICY_ALLOW_TAGS,
  POLICY_FLAGS,
  POLICY_MAX_FUNCTIONS,
  POLICY_MAX_GLOBALS,
  POLICY_MAX_IMPORTS,
  POLICY_MAX_MEMORIES,
  POLICY_MAX_MEMORY_PAGES,
  POLICY_MAX_PARAMS,
  POLICY_MAX_RESULTS,
  POLICY_MAX_TABLE_ELEMENTS,
  POLICY_MAX_TABLES,
  POLICY_MAX_TAGS,
  POLICY_MAX_TYPES,
  POLICY_TRAP_UNGRANTED,
  RESULT_DENIED_COUNT,
  RESULT_IMPORT_COUNT,
  RESULT_IMPORTS_PTR,
} from '../../src/core/abi/guard';
import { E_CORRUPT, E_DENIED, E_LIMIT, E_UNSUPPORTED } from '../../src/core/abi/status';
import {
  addCount,
  addSpace,
  count,
  FUNCTIONS,
  GLOBALS,
  IMPORTED_FUNCTIONS,
  IMPORTED_MEMORIES,
  IMPORTS,
  KIND_MEMORY,
  KIND_TABLE,
  MEMORIES,
  MEMORY_PAGES,
  noteFunctionType,
  noteMutableGlobal,
  noteTypeParams,
  setCount,
  setFunctionTypes,
  setMutableGlobals,
  setTypeParams,
  TABLE_ELEMENTS,
  TABLES,
  TAGS,
  TYPES,
} from './facts';
import { isGranted } from './grants';
import {
  fail,
  failAt,
  failed,
  offsetOf,
  peekByte,
  policy,
  position,
  readByte,
  readCount,
  readU32,
  reserve,
  setResult,
  skip,
} from './reader';
import {
  EXNREF,
  LIMITS_SHARED,
  limitsFlagsOf,
  limitsMaxOf,
  limitsMinOf,
  readIndex,
  readLimits,
  readRefType,
  readValueType,
  skipConstExpr,
} from './types';

const IMPORT_FUNCTION: u32 = 0;
const IMPORT_TABLE: u32 = 1;
const IMPORT_MEMORY: u32 = 2;
const IMPORT_GLOBAL: u32 = 3;
const IMPORT_TAG: u32 = 4;
/** Engines stop at 65536 pages, 4 GiB. */
const PAGES_4G: u32 = 65536;

export function readTypes(): void {
  const total = readCount(POLICY_MAX_TYPES, DETAIL_TYPES, 2);
  setCount(TYPES, total);
  const params = reserve((<u64>total) << 2);
  if (failed()) return;
  setTypeParams(params);
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const at = position();
    const form = readByte();
    if (form != 0x60) {
      // array, struct, sub final, sub, rec: garbage-collected values have no bound
      const gc = form == 0x5e || form == 0x5f || form == 0x4e || form == 0x4f || form == 0x50;
      failAt(at, gc ? E_UNSUPPORTED : E_CORRUPT, gc ? DETAIL_GC : DETAIL_TYPE_FORM, form);
      return;
    }
    const inputs = readCount(POLICY_MAX_PARAMS, DETAIL_PARAMS, 1);
    for (let k: u32 = 0; k < inputs; k++) readValueType();
    const outputs = readCount(POLICY_MAX_RESULTS, DETAIL_RESULTS, 1);
    for (let k: u32 = 0; k < outputs; k++) readValueType();
    noteTypeParams(i, inputs);
  }
}

/** One more of something that has a cap over imports and definitions together. */
function admit(slot: usize, more: u32, field: usize, detail: u32): void {
  const sum = <u64>count(slot) + more;
  if (sum > policy(field)) fail(E_LIMIT, detail, <u32>sum, policy(field));
  else addCount(slot, more);
}

function readTable(imported: u32): void {
  const type = readRefType();
  if (type == EXNREF) fail(E_DENIED, DETAIL_EXN_TABLE);
  const start = position();
  readLimits();
  if (limitsFlagsOf() & LIMITS_SHARED) fail(E_UNSUPPORTED, DETAIL_SHARED_TABLE);
  const sum = <u64>count(TABLE_ELEMENTS) + limitsMinOf();
  const allowed = policy(POLICY_MAX_TABLE_ELEMENTS);
  if (sum > allowed) failAt(start, E_LIMIT, DETAIL_TABLE_ELEMENTS, limitsMinOf(), allowed);
  if (failed()) return;
  setCount(TABLE_ELEMENTS, <u32>sum);
  addSpace(KIND_TABLE, start, position(), limitsFlagsOf(), limitsMinOf(), limitsMaxOf(), imported);
}

function readMemory(imported: u32): void {
  const start = position();
  readLimits();
  const flags = limitsFlagsOf();
  if (limitsMinOf() > PAGES_4G || (limitsMaxOf() != 0xffffffff && limitsMaxOf() > PAGES_4G)) {
    failAt(start, E_CORRUPT, DETAIL_LIMITS, limitsMinOf(), limitsMaxOf());
  }
  if (flags & LIMITS_SHARED && !(policy(POLICY_FLAGS) & POLICY_ALLOW_SHARED_MEMORY)) {
    failAt(start, E_DENIED, DETAIL_SHARED_MEMORY);
  }
  const sum = count(MEMORY_PAGES) + limitsMinOf();
  const allowed = policy(POLICY_MAX_MEMORY_PAGES);
  if (sum > allowed) failAt(start, E_LIMIT, DETAIL_MEMORY_PAGES, limitsMinOf(), allowed);
  if (failed()) return;
  setCount(MEMORY_PAGES, sum);
  addSpace(KIND_MEMORY, start, position(), flags, limitsMinOf(), limitsMaxOf(), imported);
}

/** Whether it is mutable. */
function readGlobalType(): bool {
  readValueType();
  const mutability = readByte();
  if (mutability > 1) fail(E_CORRUPT, DETAIL_VALUE_TYPE);
  return mutability == 1;
}

function readTag(): void {
  if (!(policy(POLICY_FLAGS) & POLICY_ALLOW_TAGS)) fail(E_DENIED, DETAIL_TAGS);
  if (readByte() != 0) fail(E_CORRUPT, DETAIL_KIND);
  readIndex(count(TYPES));
}

export function readImports(): void {
  const total = readCount(POLICY_MAX_IMPORTS, DETAIL_IMPORTS, 4);
  const records = reserve(<u64>total * IMPORT_RECORD_BYTES);
  if (failed()) return;
  const first = position();
  let denied: u32 = 0;
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const record = records + <usize>i * IMPORT_RECORD_BYTES;
    const moduleLength = readU32();
    const moduleAt = position();
    skip(moduleLength);
    const nameLength = readU32();
    const nameAt = position();
    skip(nameLength);
    const kind = readByte();
    if (failed()) return;
    store<u32>(record, offsetOf(moduleAt));
    store<u32>(record + 4, moduleLength);
    store<u32>(record + 8, offsetOf(nameAt));
    store<u32>(record + 12, nameLength);
    store<u32>(record + 16, kind);
    let granted = false;
    if (kind == IMPORT_FUNCTION) {
      readIndex(count(TYPES));
      admit(FUNCTIONS, 1, POLICY_MAX_FUNCTIONS, DETAIL_FUNCTIONS);
      granted = isGranted(moduleAt, moduleLength, nameAt, nameLength);
    } else if (kind == IMPORT_TABLE) {
      admit(TABLES, 1, POLICY_MAX_TABLES, DETAIL_TABLES);
      readTable(1);
    } else if (kind == IMPORT_MEMORY) {
      admit(MEMORIES, 1, POLICY_MAX_MEMORIES, DETAIL_MEMORIES);
      readMemory(1);
      addCount(IMPORTED_MEMORIES, 1);
      granted = (policy(POLICY_FLAGS) & POLICY_ALLOW_MEMORY_IMPORT) != 0;
    } else if (kind == IMPORT_GLOBAL) {
      readGlobalType();
      admit(GLOBALS, 1, POLICY_MAX_GLOBALS, DETAIL_GLOBALS);
    } else if (kind == IMPORT_TAG) {
      readTag();
      admit(TAGS, 1, POLICY_MAX_TAGS, DETAIL_TAG_COUNT);
    } else {
      fail(E_CORRUPT, DETAIL_KIND, kind);
    }
    if (!granted) {
      store<u32>(record + 20, 1);
      if (kind != IMPORT_FUNCTION || (policy(POLICY_FLAGS) & POLICY_TRAP_UNGRANTED) == 0) denied++;
    }
  }
  if (failed()) return;
  setCount(IMPORTS, total);
  setCount(IMPORTED_FUNCTIONS, count(FUNCTIONS));
  setResult(RESULT_IMPORTS_PTR, <u32>records);
  setResult(RESULT_IMPORT_COUNT, total);
  setResult(RESULT_DENIED_COUNT, denied);
  if (denied != 0) failAt(first, E_DENIED, DETAIL_IMPORT_DENIED, denied);
}

export function readFunctions(): void {
  const total = readCount(POLICY_MAX_FUNCTIONS, DETAIL_FUNCTIONS, 1);
  admit(FUNCTIONS, total, POLICY_MAX_FUNCTIONS, DETAIL_FUNCTIONS);
  const table = reserve((<u64>total) << 2);
  if (failed()) return;
  setFunctionTypes(table);
  const types = count(TYPES);
  for (let i: u32 = 0; i < total; i++) noteFunctionType(i, readIndex(types));
}

export function readTables(): void {
  const total = readCount(POLICY_MAX_TABLES, DETAIL_TABLES, 3);
  admit(TABLES, total, POLICY_MAX_TABLES, DETAIL_TABLES);
  for (let i: u32 = 0; i < total && !failed(); i++) {
    const initialised = peekByte() == 0x40;
    if (initialised) {
      readByte();
      if (readByte() != 0) fail(E_CORRUPT, DETAIL_KIND);
    }
    readTable(0);
    if (initialised) skipConstExpr(count(GLOBALS), count(FUNCTIONS));
  }
}

export function readMemories(): void {
  const total = readCount(POLICY_MAX_MEMORIES, DETAIL_MEMORIES, 2);
  admit(MEMORIES, total, POLICY_MAX_MEMORIES, DETAIL_MEMORIES);
  for (let i: u32 = 0; i < total && !failed(); i++) readMemory(0);
}

export function readTags(): void {
  const total = readCount(POLICY_MAX_TAGS, DETAIL_TAG_COUNT, 2);
  admit(TAGS, total, POLICY_MAX_TAGS, DETAIL_TAG_COUNT);
  for (let i: u32 = 0; i < total && !failed(); i++) readTag();
}

export function readGlobals(): void {
  const total = readCount(POLICY_MAX_GLOBALS, DETAIL_GLOBALS, 4);
  const before = count(GLOBALS);
  admit(GLOBALS, total, POLICY_MAX_GLOBALS, DETAIL_GLOBALS);
  setMutableGlobals(reserve((<u64>total) << 2));
  for (let i: u32 = 0; i < total && !failed(); i++) {
    if (readGlobalType()) noteMutableGlobal(before + i);
    skipConstExpr(before + i, count(FUNCTIONS));
  }
}

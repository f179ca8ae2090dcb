/**
 * Steps through one function body and notes where fuel has to be charged. Every index that could reach an item the
 * guard appends (local, global, function, table) is checked against the module's own count; all else is left to the
 * engine, which validates the result.
 *
 * mark, 8 bytes: u32 address to insert before, u32 kind (MARK_LOOP, MARK_BULK).
 */
import { DETAIL_GC, DETAIL_INDEX, DETAIL_LEB, DETAIL_NESTING, DETAIL_OPCODE } from '../../src/core/abi/guard';
import { E_CORRUPT, E_UNSUPPORTED } from '../../src/core/abi/status';
import {
  BLOCK,
  BR_TABLE,
  BYTES4,
  BYTES8,
  CALL,
  CALL_INDIRECT,
  CALL_REF,
  DELEGATE,
  END,
  FC_DATA_DROP,
  FC_ELEM_DROP,
  FC_LAST_SATURATING,
  FC_MEMORY_COPY,
  FC_MEMORY_FILL,
  FC_MEMORY_INIT,
  FC_TABLE_COPY,
  FC_TABLE_FILL,
  FC_TABLE_GROW,
  FC_TABLE_INIT,
  FC_TABLE_SIZE,
  FE_FENCE,
  FE_FIRST_ACCESS,
  FE_LAST_ACCESS,
  FE_LAST_WAIT,
  GC,
  GLOBAL,
  LEB,
  LEB64,
  LOCAL,
  LOOP,
  MEMARG,
  MEMORY_GROW,
  NONE,
  opcodeKind,
  PREFIX_FC,
  PREFIX_FD,
  PREFIX_FE,
  REF_FUNC,
  SELECT_TYPED,
  SIMD_BYTES16,
  SIMD_LANE,
  SIMD_MEMARG,
  SIMD_MEMARG_LANE,
  SIMD_NONE,
  simdKind,
  TABLE,
  TRY_TABLE,
} from './opcodes';
import { failAt } from './reader';

export const MARK_BYTES: usize = 8;
export const MARK_LOOP: u32 = 0;
export const MARK_BULK: u32 = 1;

/** One instruction reads at most this far beyond the body's end before it is refused; what lies there is memory. */
export const SCAN_SLACK = 64;

const REF: u8 = 0x64;
const REF_NULL: u8 = 0x63;
const MEMARG_HAS_INDEX: u8 = 0x40;

let at: usize = 0;
let bad: bool = false;
let markCount: u32 = 0;
let loopCount: u32 = 0;
let calls: bool = false;

export function scanMarks(): u32 {
  return markCount;
}

export function scanLoops(): u32 {
  return loopCount;
}

/** Whether the body calls anything: only then can it take part in recursion. */
export function scanCalls(): bool {
  return calls;
}

function stepLeb(maxBytes: u32): void {
  let p = at;
  const last = p + maxBytes - 1;
  while (load<u8>(p) >= 0x80) {
    if (p == last) {
      bad = true;
      break;
    }
    p++;
  }
  at = p + 1;
}

function stepU32(): u32 {
  let byte: u32 = load<u8>(at++);
  if (byte < 0x80) return byte;
  let result = byte & 0x7f;
  for (let shift: u32 = 7; shift < 35; shift += 7) {
    byte = load<u8>(at++);
    if (shift == 28 && byte > 0x0f) break;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) return result;
  }
  bad = true;
  return 0;
}

function stepIndex(count: u32): void {
  const start = at;
  const index = stepU32();
  if (index >= count) failAt(start, E_CORRUPT, DETAIL_INDEX, index, count);
}

/** Value type or block type: one byte, `ref` with a heap type, or a type index. */
function stepType(): void {
  const byte = load<u8>(at);
  if (byte == REF || byte == REF_NULL) at++;
  stepLeb(5);
}

function stepMemarg(): void {
  const hasMemory = load<u8>(at) < 0x80 && (load<u8>(at) & MEMARG_HAS_INDEX) != 0;
  stepLeb(5);
  if (hasMemory) stepLeb(5);
  stepLeb(5);
}

function mark(marks: usize, address: usize, kind: u32): void {
  const record = marks + <usize>markCount * MARK_BYTES;
  store<u32>(record, <u32>address);
  store<u32>(record, kind, 4);
  markCount++;
}

/** Instructions after 0xfc. Gives false for an unknown one. */
function stepBulk(marks: usize, start: usize, tables: u32): bool {
  const sub = stepU32();
  if (sub <= FC_LAST_SATURATING) return true;
  switch (sub) {
    case FC_MEMORY_INIT:
    case FC_MEMORY_COPY:
      stepLeb(5);
      stepLeb(5);
      mark(marks, start, MARK_BULK);
      return true;
    case FC_MEMORY_FILL:
      stepLeb(5);
      mark(marks, start, MARK_BULK);
      return true;
    case FC_DATA_DROP:
    case FC_ELEM_DROP:
      stepLeb(5);
      return true;
    case FC_TABLE_INIT:
      stepLeb(5);
      stepIndex(tables);
      mark(marks, start, MARK_BULK);
      return true;
    case FC_TABLE_COPY:
      stepIndex(tables);
      stepIndex(tables);
      mark(marks, start, MARK_BULK);
      return true;
    case FC_TABLE_GROW:
    case FC_TABLE_FILL:
      stepIndex(tables);
      mark(marks, start, MARK_BULK);
      return true;
    case FC_TABLE_SIZE:
      stepIndex(tables);
      return true;
  }
  return false;
}

function stepSimd(): bool {
  switch (simdKind(stepU32())) {
    case SIMD_NONE:
      return true;
    case SIMD_MEMARG:
      stepMemarg();
      return true;
    case SIMD_BYTES16:
      at += 16;
      return true;
    case SIMD_LANE:
      at += 1;
      return true;
    case SIMD_MEMARG_LANE:
      stepMemarg();
      at += 1;
      return true;
  }
  return false;
}

function stepAtomic(): bool {
  const sub = stepU32();
  if (sub == FE_FENCE) {
    at += 1;
    return true;
  }
  if (sub > FE_LAST_WAIT && (sub < FE_FIRST_ACCESS || sub > FE_LAST_ACCESS)) return false;
  stepMemarg();
  return true;
}

/** A vector whose entries take at least one byte; gives its length, or 0 when that passes the end. */
function stepCount(end: usize): u32 {
  const length = stepU32();
  if (at > end || length > <u32>(end - at)) {
    bad = true;
    return 0;
  }
  return length;
}

function stepCatches(end: usize): void {
  const clauses = stepCount(end);
  for (let i: u32 = 0; i < clauses && at < end; i++) {
    const kind = load<u8>(at++);
    if (kind > 3) bad = true;
    if (kind < 2) stepLeb(5);
    stepLeb(5);
  }
}

/**
 * Scans the instructions in [start, end) with the given index spaces; the marks go to `marks`, which holds at least
 * (end - start) / 2 of them.
 */
export function scanBody(
  start: usize,
  end: usize,
  marks: usize,
  locals: u32,
  globals: u32,
  functions: u32,
  tables: u32,
): void {
  at = start;
  bad = false;
  markCount = 0;
  loopCount = 0;
  calls = false;
  let depth: u32 = 1;
  while (at < end) {
    const instruction = at;
    const opcode: u32 = load<u8>(at++);
    let known = true;
    switch (opcodeKind(opcode)) {
      case NONE:
        continue;
      case LOCAL: {
        const index: u32 = load<u8>(at);
        if (index < 0x80 && index < locals) at++;
        else stepIndex(locals);
        continue;
      }
      case LEB:
        stepLeb(5);
        continue;
      case GLOBAL:
        stepIndex(globals);
        break;
      case CALL:
        stepIndex(functions);
        calls = true;
        break;
      case CALL_INDIRECT:
        stepLeb(5);
        stepIndex(tables);
        calls = true;
        break;
      case CALL_REF:
        stepLeb(5);
        calls = true;
        break;
      case MEMARG:
        stepMemarg();
        break;
      case BLOCK:
        stepType();
        depth++;
        break;
      case LOOP:
        stepType();
        depth++;
        loopCount++;
        mark(marks, at, MARK_LOOP);
        break;
      case END:
        depth--;
        if (depth == 0) {
          if (at != end) failAt(at, E_CORRUPT, DETAIL_NESTING);
          else if (bad) failAt(start, E_CORRUPT, DETAIL_LEB);
          return;
        }
        break;
      case DELEGATE:
        // closes its `try`; the body itself can only be closed by `end`
        stepLeb(5);
        depth--;
        if (depth == 0) {
          failAt(instruction, E_CORRUPT, DETAIL_NESTING);
          return;
        }
        break;
      case BR_TABLE: {
        const labels = stepCount(end);
        for (let i: u32 = 0; i <= labels && at < end; i++) stepLeb(5);
        break;
      }
      case LEB64:
        stepLeb(10);
        break;
      case BYTES4:
        at += 4;
        break;
      case BYTES8:
        at += 8;
        break;
      case SELECT_TYPED: {
        const types = stepCount(end);
        for (let i: u32 = 0; i < types && at < end; i++) stepType();
        break;
      }
      case TABLE:
        stepIndex(tables);
        break;
      case REF_FUNC:
        stepIndex(functions);
        break;
      case PREFIX_FC:
        known = stepBulk(marks, instruction, tables);
        break;
      case PREFIX_FD:
        known = stepSimd();
        break;
      case PREFIX_FE:
        known = stepAtomic();
        break;
      case TRY_TABLE:
        stepType();
        stepCatches(end);
        depth++;
        break;
      case MEMORY_GROW:
        stepLeb(5);
        mark(marks, instruction, MARK_BULK);
        break;
      case GC:
        failAt(instruction, E_UNSUPPORTED, DETAIL_GC, opcode);
        return;
      default:
        known = false;
    }
    if (!known) {
      failAt(instruction, E_UNSUPPORTED, DETAIL_OPCODE, opcode, stepU32());
      return;
    }
  }
  failAt(lastByte(start, end), E_CORRUPT, bad ? DETAIL_LEB : DETAIL_NESTING);
}

/** The body ran out before its `end`: point at its last byte. */
function lastByte(start: usize, end: usize): usize {
  return end > start ? end - 1 : start;
}

/**
 * Steps through one function body and notes what the fuel rewriting changes. Every index that could reach an item the
 * guard appends (local, global, function, table) is checked against the module's own count; all else is left to the
 * engine, which validates the result.
 *
 * mark, 12 bytes, in the order of the code: u32 address, u32 kind, u32 value
 *   MARK_OPEN   at a `loop` that is taken apart (fuel.ts); value: address behind its block type
 *   MARK_CLOSE  at its `end`; value: address of the last call before it, 0 for none
 *   MARK_LOOP   behind the block type of a loop that stays as it is: with parameters, or one of very many
 *   MARK_BULK   at an instruction to charge by the number on top of the stack
 *   MARK_LABEL  at a label that leaves such loops; value: the new label
 *
 * frame, 4 bytes, one per open block: loops taken apart up to and with it << 1 | it is one.
 */
import { DETAIL_GC, DETAIL_INDEX, DETAIL_LEB, DETAIL_NESTING, DETAIL_OPCODE } from '../../src/core/abi/guard';
import { E_CORRUPT, E_UNSUPPORTED } from '../../src/core/abi/status';
import {
  BLOCK,
  BR_TABLE,
  BRANCH,
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

export const MARK_BYTES: usize = 12;
export const MARK_OPEN: u32 = 0;
export const MARK_CLOSE: u32 = 1;
export const MARK_LOOP: u32 = 2;
export const MARK_BULK: u32 = 3;
export const MARK_LABEL: u32 = 4;
export const FRAME_BYTES: usize = 4;

/**
 * Loops of one function that are taken apart; the rest get their call at the head. Taking apart makes two loops of one,
 * and an optimising compiler's time grows faster than their number.
 */
const MOST_SPLIT: u32 = 256;

/** Labels a loop that is taken apart has more than before. */
export const ADDED_LABELS: u32 = 3;

/** One instruction reads at most this far beyond the body's end before it is refused; what lies there is memory. */
export const SCAN_SLACK = 64;

const REF: u8 = 0x64;
const REF_NULL: u8 = 0x63;
const MEMARG_HAS_INDEX: u8 = 0x40;

let at: usize = 0;
let bad: bool = false;
let marks: usize = 0;
let frames: usize = 0;
let depth: u32 = 0;
let markCount: u32 = 0;
let loopCount: u32 = 0;
let lastCall: usize = 0;
let lastIndex: u32 = 0;

/** What to look for while scanning; see scanWatch. */
let watched: u32 = 0;
let watchImports: u32 = 0;
let watchGlobal: u32 = 0;
let watchA: u32 = 0;
let watchB: u32 = 0;
let watching: bool = false;

/** A function below `imports` is called directly. */
export const WATCHED_IMPORT: u32 = 1;
/** The global is read. */
export const WATCHED_GLOBAL: u32 = 2;
/** One of the two functions is called directly. */
export const WATCHED_FUNCTION: u32 = 4;
/** The global is written. */
export const WATCHED_SET: u32 = 8;
const GLOBAL_SET: u32 = 0x24;

/** Has scanBody note what it comes by, until scanUnwatch. */
export function scanWatch(imports: u32, global: u32, functionA: u32, functionB: u32): void {
  watching = true;
  watchImports = imports;
  watchGlobal = global;
  watchA = functionA;
  watchB = functionB;
}

export function scanUnwatch(): void {
  watching = false;
}

/** WATCHED_* of the last body. */
export function scanWatched(): u32 {
  return watched;
}

/** An instruction byte makes at most one mark, and two open a block. */
function marksBytes(body: usize): usize {
  return (body + 1) * MARK_BYTES;
}

export function scanScratch(body: u32): u64 {
  return <u64>marksBytes(body) + (<u64>body / 2 + 2) * FRAME_BYTES;
}

export function scanMarks(): u32 {
  return markCount;
}

export function scanLoops(): u32 {
  return loopCount;
}

/** Whether the body calls anything: only then can it take part in recursion. */
export function scanCalls(): bool {
  return lastCall != 0;
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
  lastIndex = index;
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

function mark(address: usize, kind: u32, value: u32 = 0): void {
  const record = marks + <usize>markCount * MARK_BYTES;
  store<u32>(record, <u32>address);
  store<u32>(record, kind, 4);
  store<u32>(record, value, 8);
  markCount++;
}

function push(split: bool): void {
  const inside = depth == 0 ? 0 : load<u32>(frames + (<usize>depth - 1) * FRAME_BYTES) >> 1;
  store<u32>(frames + <usize>depth * FRAME_BYTES, split ? ((inside + 1) << 1) | 1 : inside << 1);
  depth++;
}

/** Closes the innermost block; whether it was a loop taken apart. */
function pop(): bool {
  depth--;
  return (load<u32>(frames + <usize>depth * FRAME_BYTES) & 1) != 0;
}

/** A label: the loops taken apart between here and its target have more labels than before. */
function stepLabel(): void {
  const start = at;
  const label = stepU32();
  if (label >= depth) {
    bad = true;
    return;
  }
  const top = frames + (<usize>depth - 1) * FRAME_BYTES;
  const crossed = (load<u32>(top) >> 1) - (load<u32>(top - <usize>label * FRAME_BYTES) >> 1);
  if (crossed != 0) mark(start, MARK_LABEL, label + crossed * ADDED_LABELS);
}

/** The block type of a loop; only a type index can give it parameters. */
function stepLoop(instruction: usize): void {
  loopCount++;
  const first: u32 = load<u8>(at);
  const byIndex = first >= 0x80 || first < 0x40;
  stepType();
  if (byIndex || loopCount > MOST_SPLIT) {
    push(false);
    mark(at, MARK_LOOP);
  } else {
    push(true);
    mark(instruction, MARK_OPEN, <u32>at);
  }
}

/** Instructions after 0xfc. Gives false for an unknown one. */
function stepBulk(start: usize, tables: u32): bool {
  const sub = stepU32();
  if (sub <= FC_LAST_SATURATING) return true;
  switch (sub) {
    case FC_MEMORY_INIT:
    case FC_MEMORY_COPY:
      stepLeb(5);
      stepLeb(5);
      mark(start, MARK_BULK);
      return true;
    case FC_MEMORY_FILL:
      stepLeb(5);
      mark(start, MARK_BULK);
      return true;
    case FC_DATA_DROP:
    case FC_ELEM_DROP:
      stepLeb(5);
      return true;
    case FC_TABLE_INIT:
      stepLeb(5);
      stepIndex(tables);
      mark(start, MARK_BULK);
      return true;
    case FC_TABLE_COPY:
      stepIndex(tables);
      stepIndex(tables);
      mark(start, MARK_BULK);
      return true;
    case FC_TABLE_GROW:
    case FC_TABLE_FILL:
      stepIndex(tables);
      mark(start, MARK_BULK);
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
    stepLabel();
  }
}

/**
 * Scans the instructions in [start, end) with the given index spaces. `scratch` has scanScratch(end - start) bytes; the
 * marks are at its start.
 */
export function scanBody(
  start: usize,
  end: usize,
  scratch: usize,
  locals: u32,
  globals: u32,
  functions: u32,
  tables: u32,
): void {
  at = start;
  bad = false;
  markCount = 0;
  loopCount = 0;
  lastCall = 0;
  watched = 0;
  marks = scratch;
  frames = scratch + marksBytes(end - start);
  depth = 0;
  push(false);
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
      case BRANCH:
        stepLabel();
        break;
      case GLOBAL:
        stepIndex(globals);
        if (watching && lastIndex == watchGlobal) watched |= opcode == GLOBAL_SET ? WATCHED_SET : WATCHED_GLOBAL;
        break;
      case CALL:
        stepIndex(functions);
        lastCall = instruction;
        if (watching) {
          if (lastIndex < watchImports) watched |= WATCHED_IMPORT;
          if (lastIndex == watchA || lastIndex == watchB) watched |= WATCHED_FUNCTION;
        }
        break;
      case CALL_INDIRECT:
        stepLeb(5);
        stepIndex(tables);
        lastCall = instruction;
        break;
      case CALL_REF:
        stepLeb(5);
        lastCall = instruction;
        break;
      case MEMARG:
        stepMemarg();
        break;
      case BLOCK:
        stepType();
        push(false);
        break;
      case LOOP:
        stepLoop(instruction);
        break;
      case END:
        if (pop()) mark(instruction, MARK_CLOSE, <u32>lastCall);
        if (depth == 0) {
          if (at != end) failAt(at, E_CORRUPT, DETAIL_NESTING);
          else if (bad) failAt(start, E_CORRUPT, DETAIL_LEB);
          return;
        }
        break;
      case DELEGATE:
        // closes its `try`; a loop and the body itself are closed by `end` only
        if (pop() || depth == 0) {
          failAt(instruction, E_CORRUPT, DETAIL_NESTING);
          return;
        }
        stepLabel();
        break;
      case BR_TABLE: {
        const labels = stepCount(end);
        for (let i: u32 = 0; i <= labels && at < end; i++) stepLabel();
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
        known = stepBulk(instruction, tables);
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
        push(false);
        break;
      case MEMORY_GROW:
        stepLeb(5);
        mark(instruction, MARK_BULK);
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

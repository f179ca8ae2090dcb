/**
 * Fuel: makes a guest come back to its host every so often, whatever it does.
 *
 * Appended to the module, behind all it has, so that no index shifts:
 *   types     +0 [] -> [i32]   +1 [i32] -> [i32]   +2 [] -> []
 *   table     T: one funcref, exported as "wctr.fuel"; the host puts its refill function (type +0) there
 *   global    G: i32, the units left
 *   functions +0 refill: G = T[0](); below zero traps, which no guest can catch
 *             +1 charge: G -= LOOP_PERIOD, refill when spent
 *             +2 bulk:   [n] -> [n], G -= n / 64 + BULK_UNITS, refill when spent
 *
 * Charged are
 *   loops:     a local counts the iterations of all loops of one activation (a register, no memory traffic); every
 *              LOOP_PERIOD of them go to G in one call;
 *   entries:   of functions that call anything, ENTRY_UNITS each: recursion, tail calls and trees of calls;
 *   bulk operations and growth, by the length on top of the stack.
 * What escapes is bounded: an activation leaves at most LOOP_PERIOD iterations uncounted and has paid ENTRY_UNITS (or,
 * calling nothing, starts LEAF_GRACE short of a charge and is called from code that pays).
 */
import { RESULT_FUEL_BULK, RESULT_FUEL_ENTRIES, RESULT_FUEL_LOOPS } from '../../src/core/abi/guard';
import { readLocals } from './contents';
import { emitByte, emitCopy, emitHole, emitI32, emitRoom, emitSize, emitU32 } from './emit';
import { count, FUNCTIONS, GLOBALS, TABLES, TYPES } from './facts';
import { addResult, failed, position, readU32, skip } from './reader';
import { MARK_BYTES, MARK_LOOP, scanBody, scanCalls, scanLoops, scanMarks } from './scan';

const LOOP_PERIOD: i32 = 256;
const LEAF_GRACE: i32 = 32;
const ENTRY_UNITS: i32 = 8;
const BULK_UNITS: i32 = 32;
const BULK_SHIFT: i32 = 6;

export const FUEL_TYPES: u32 = 3;
export const FUEL_FUNCTIONS: u32 = 3;

/** Upper bounds of what one insertion takes, bytes. */
const LOOP_BYTES: u32 = 40;
const ENTRY_BYTES: u32 = 64;

const CALL: u32 = 0x10;
const CALL_INDIRECT: u32 = 0x11;
const END: u32 = 0x0b;
const IF: u32 = 0x04;
const VOID: u32 = 0x40;
const I32: u32 = 0x7f;
const LOCAL_GET: u32 = 0x20;
const LOCAL_SET: u32 = 0x21;
const LOCAL_TEE: u32 = 0x22;
const GLOBAL_GET: u32 = 0x23;
const GLOBAL_SET: u32 = 0x24;
const I32_CONST: u32 = 0x41;
const I32_LT_S: u32 = 0x48;
const I32_GE_U: u32 = 0x4f;
const I32_ADD: u32 = 0x6a;
const I32_SUB: u32 = 0x6b;
const I32_SHR_U: u32 = 0x76;
const UNREACHABLE: u32 = 0x00;

function op(opcode: u32, operand: u32): void {
  emitByte(opcode);
  emitU32(operand);
}

function i32Const(value: i32): void {
  emitByte(I32_CONST);
  emitI32(value);
}

export function emitFuelTypes(): void {
  emitU32(0x60);
  emitU32(0);
  emitU32(1);
  emitByte(I32);
  emitU32(0x60);
  emitU32(1);
  emitByte(I32);
  emitU32(1);
  emitByte(I32);
  emitU32(0x60);
  emitU32(0);
  emitU32(0);
}

export function emitFuelFunctions(): void {
  emitU32(count(TYPES) + 2);
  emitU32(count(TYPES) + 2);
  emitU32(count(TYPES) + 1);
}

/** `if (G < 0) refill()`. */
function refillWhenSpent(): void {
  op(GLOBAL_GET, count(GLOBALS));
  i32Const(0);
  emitByte(I32_LT_S);
  emitByte(IF);
  emitByte(VOID);
  op(CALL, count(FUNCTIONS));
  emitByte(END);
}

/** The three appended bodies. */
export function emitFuelBodies(): void {
  const global = count(GLOBALS);
  let hole = emitHole();
  emitU32(0);
  i32Const(0);
  op(CALL_INDIRECT, count(TYPES));
  emitU32(count(TABLES));
  op(GLOBAL_SET, global);
  op(GLOBAL_GET, global);
  i32Const(0);
  emitByte(I32_LT_S);
  emitByte(IF);
  emitByte(VOID);
  emitByte(UNREACHABLE);
  emitByte(END);
  emitByte(END);
  emitSize(hole);

  hole = emitHole();
  emitU32(0);
  op(GLOBAL_GET, global);
  i32Const(LOOP_PERIOD);
  emitByte(I32_SUB);
  op(GLOBAL_SET, global);
  refillWhenSpent();
  emitByte(END);
  emitSize(hole);

  hole = emitHole();
  emitU32(0);
  op(GLOBAL_GET, global);
  op(LOCAL_GET, 0);
  i32Const(BULK_SHIFT);
  emitByte(I32_SHR_U);
  i32Const(BULK_UNITS);
  emitByte(I32_ADD);
  emitByte(I32_SUB);
  op(GLOBAL_SET, global);
  refillWhenSpent();
  op(LOCAL_GET, 0);
  emitByte(END);
  emitSize(hole);
}

function emitEntry(counter: u32, loops: u32): void {
  const global = count(GLOBALS);
  op(GLOBAL_GET, global);
  i32Const(ENTRY_UNITS);
  emitByte(I32_SUB);
  op(LOCAL_TEE, counter);
  op(GLOBAL_SET, global);
  op(LOCAL_GET, counter);
  i32Const(0);
  emitByte(I32_LT_S);
  emitByte(IF);
  emitByte(VOID);
  op(CALL, count(FUNCTIONS));
  emitByte(END);
  if (loops != 0) {
    i32Const(0);
    op(LOCAL_SET, counter);
  }
}

function emitLoopCheck(counter: u32): void {
  op(LOCAL_GET, counter);
  i32Const(1);
  emitByte(I32_ADD);
  op(LOCAL_TEE, counter);
  i32Const(LOOP_PERIOD);
  emitByte(I32_GE_U);
  emitByte(IF);
  emitByte(VOID);
  op(CALL, count(FUNCTIONS) + 1);
  i32Const(0);
  op(LOCAL_SET, counter);
  emitByte(END);
}

/** The next body under the cursor, rewritten. `marks` has room for one mark per two bytes of the largest body. */
export function emitBody(defined: u32, marks: usize): void {
  const record = position();
  const size = readU32();
  const start = position();
  const end = start + size;
  const locals = readLocals(defined);
  const code = position();
  if (failed()) return;
  scanBody(code, end, marks, locals, count(GLOBALS), count(FUNCTIONS), count(TABLES));
  if (failed()) return;
  const total = scanMarks();
  const loops = scanLoops();
  const calls = scanCalls();
  skip(size - <u32>(code - start));
  if (!emitRoom(<u64>size + ENTRY_BYTES + <u64>total * LOOP_BYTES)) return;
  if (total == 0 && !calls) {
    emitCopy(record, end);
    return;
  }
  const hole = emitHole();
  emitLocalsWithCounter(start, code);
  if (calls) {
    emitEntry(locals, loops);
  } else if (loops != 0) {
    i32Const(LOOP_PERIOD - LEAF_GRACE);
    op(LOCAL_SET, locals);
  }
  let from = code;
  for (let i: u32 = 0; i < total; i++) {
    const mark = marks + <usize>i * MARK_BYTES;
    const at: usize = load<u32>(mark);
    emitCopy(from, at);
    from = at;
    if (load<u32>(mark, 4) == MARK_LOOP) emitLoopCheck(locals);
    else op(CALL, count(FUNCTIONS) + 2);
  }
  emitCopy(from, end);
  emitSize(hole);
  addResult(RESULT_FUEL_ENTRIES, calls ? 1 : 0);
  addResult(RESULT_FUEL_LOOPS, loops);
  addResult(RESULT_FUEL_BULK, total - loops);
}

/** The local declarations in [start, end) and one more group: the counter. */
function emitLocalsWithCounter(start: usize, end: usize): void {
  let groups: u32 = 0;
  let at = start;
  for (let shift: u32 = 0; ; shift += 7) {
    const byte: u32 = load<u8>(at++);
    groups |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  emitU32(groups + 1);
  emitCopy(at, end);
  emitU32(1);
  emitByte(I32);
}

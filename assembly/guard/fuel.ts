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
 *   loops:     a local counts down over the iterations of all loops of one activation; every LOOP_PERIOD of them go
 *              to G in one call;
 *   entries:   of functions that call anything, ENTRY_UNITS each: recursion, tail calls and trees of calls;
 *   bulk operations and growth, by the length on top of the stack.
 * What escapes is bounded: an activation leaves at most LOOP_PERIOD iterations uncounted and has paid ENTRY_UNITS (or,
 * calling nothing, starts LEAF_GRACE short of a charge and is called from code that pays).
 *
 * A call inside a loop costs an engine its registers and its own loop optimisations, also when it is hardly ever made.
 * So a loop is taken apart: the call stands in an outer loop, the inner one only counts.
 *
 *   loop t             block t            ;; left by the body's end
 *     body               loop
 *   end                    if (c == 0) { charge(); c = LOOP_PERIOD }
 *                          loop
 *                            block        ;; what the body's branches to its loop now reach
 *                              body       ;; labels beyond the loop grow by 3
 *                              br 3
 *                            end
 *                            ...          ;; a short body once more, as often as pays: one count for all of them
 *                            br_if 0 ((c -= bodies) > 0)
 *                            br 1
 *                          end
 *                        end
 *                        unreachable
 *                      end
 */
import { RESULT_FUEL_BULK, RESULT_FUEL_ENTRIES, RESULT_FUEL_LOOPS } from '../../src/core/abi/guard';
import { readLocals } from './contents';
import { emitByte, emitCopy, emitHole, emitI32, emitPosition, emitRoom, emitSize, emitU32 } from './emit';
import { count, FUNCTIONS, GLOBALS, TABLES, TYPES } from './facts';
import { addResult, failed, position, readU32, skip } from './reader';
import {
  ADDED_LABELS,
  MARK_BULK,
  MARK_BYTES,
  MARK_CLOSE,
  MARK_LABEL,
  MARK_LOOP,
  MARK_OPEN,
  scanBody,
  scanCalls,
  scanLoops,
  scanMarks,
} from './scan';

const LOOP_PERIOD: i32 = 256;
const LEAF_GRACE: i32 = 32;
const ENTRY_UNITS: i32 = 8;
const BULK_UNITS: i32 = 32;
const BULK_SHIFT: i32 = 6;

export const FUEL_TYPES: u32 = 3;
export const FUEL_FUNCTIONS: u32 = 3;

/** A short innermost body stands in the loop this often at most, and takes this many bytes at most. */
const MOST_BODIES: u32 = 4;
const UNROLLED_BYTES: usize = 512;

/** Upper bounds of what is inserted, bytes. */
const ENTRY_BYTES: u32 = 64;
const LOOP_ROOM: u32 = 96;
const MARK_ROOM: u32 = 8;

const CALL: u32 = 0x10;
const CALL_INDIRECT: u32 = 0x11;
const BLOCK: u32 = 0x02;
const LOOP: u32 = 0x03;
const END: u32 = 0x0b;
const BR: u32 = 0x0c;
const BR_IF: u32 = 0x0d;
const DROP: u32 = 0x1a;
const IF: u32 = 0x04;
const VOID: u32 = 0x40;
const I32: u32 = 0x7f;
const LOCAL_GET: u32 = 0x20;
const LOCAL_SET: u32 = 0x21;
const LOCAL_TEE: u32 = 0x22;
const GLOBAL_GET: u32 = 0x23;
const GLOBAL_SET: u32 = 0x24;
const I32_CONST: u32 = 0x41;
const I32_EQZ: u32 = 0x45;
const I32_LT_S: u32 = 0x48;
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

function emitEntry(counter: u32): void {
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
}

/** `if (c == 0) { charge(); c = LOOP_PERIOD }`. */
function emitCharge(counter: u32): void {
  op(LOCAL_GET, counter);
  emitByte(I32_EQZ);
  emitByte(IF);
  emitByte(VOID);
  op(CALL, count(FUNCTIONS) + 1);
  i32Const(LOOP_PERIOD);
  op(LOCAL_SET, counter);
  emitByte(END);
}

/** `c -= 1`, left on the stack. */
function emitCount(counter: u32): void {
  op(LOCAL_GET, counter);
  i32Const(-1);
  emitByte(I32_ADD);
  op(LOCAL_TEE, counter);
}

/** The block type is in [type, typeEnd). */
function emitLoopOpen(type: usize, typeEnd: usize, counter: u32): void {
  emitByte(BLOCK);
  emitCopy(type, typeEnd);
  emitByte(LOOP);
  emitByte(VOID);
  emitCharge(counter);
  emitByte(LOOP);
  emitByte(VOID);
  innermost = emitPosition();
  innermostInput = typeEnd;
  emitByte(BLOCK);
  emitByte(VOID);
}

function emitLoopClose(counter: u32, lastCall: usize): void {
  op(BR, ADDED_LABELS);
  emitByte(END);
  let bodies: u32 = 1;
  if (innermost != 0 && lastCall < innermostInput) {
    // no call, which an engine may want to inline, and no loop inside: the text since then is one block, the same wherever it stands in the loop
    const start = innermost;
    const end = emitPosition();
    while (bodies < MOST_BODIES && (end - start) * (bodies + 1) <= UNROLLED_BYTES) {
      emitCopy(start, end);
      bodies++;
    }
  }
  innermost = 0;
  emitCount(counter);
  op(BR_IF, 0);
  op(BR, 1);
  emitByte(END);
  emitByte(END);
  emitByte(UNREACHABLE);
  emitByte(END);
}

/** Where the latest loop's body begins in the output, 0 once a loop has been closed; and where in the input. */
let innermost: usize = 0;
let innermostInput: usize = 0;

/** The next body under the cursor, rewritten. `scratch` is scan.ts's, for the largest body. */
export function emitBody(defined: u32, scratch: usize): void {
  const record = position();
  const size = readU32();
  const start = position();
  const end = start + size;
  const counter = readLocals(defined);
  const code = position();
  if (failed()) return;
  scanBody(code, end, scratch, counter, count(GLOBALS), count(FUNCTIONS), count(TABLES));
  if (failed()) return;
  const marks = scanMarks();
  const loops = scanLoops();
  const calls = scanCalls();
  skip(size - <u32>(code - start));
  if (!emitRoom(<u64>size + ENTRY_BYTES + <u64>marks * MARK_ROOM + <u64>loops * (LOOP_ROOM + <u64>UNROLLED_BYTES)))
    return;
  if (marks == 0 && !calls) {
    emitCopy(record, end);
    return;
  }
  const hole = emitHole();
  emitLocalsWithCounter(start, code);
  if (calls) emitEntry(counter);
  if (loops != 0) {
    i32Const(calls ? LOOP_PERIOD : LEAF_GRACE);
    op(LOCAL_SET, counter);
  }
  const bulk = emitMarked(code, end, scratch, marks, counter);
  emitSize(hole);
  addResult(RESULT_FUEL_ENTRIES, calls ? 1 : 0);
  addResult(RESULT_FUEL_LOOPS, loops);
  addResult(RESULT_FUEL_BULK, bulk);
}

/** The instructions in [from, end), changed where they are marked. Gives the number of bulk instructions. */
function emitMarked(from: usize, end: usize, marks: usize, total: u32, counter: u32): u32 {
  let bulk: u32 = 0;
  innermost = 0;
  for (let i: u32 = 0; i < total; i++) {
    const mark = marks + <usize>i * MARK_BYTES;
    const at: usize = load<u32>(mark);
    emitCopy(from, at);
    from = at;
    switch (load<u32>(mark, 4)) {
      case MARK_OPEN:
        from = load<u32>(mark, 8);
        emitLoopOpen(at + 1, from, counter);
        break;
      case MARK_CLOSE:
        emitLoopClose(counter, load<u32>(mark, 8));
        from = at + 1;
        break;
      case MARK_LOOP:
        emitCount(counter);
        emitByte(DROP);
        emitCharge(counter);
        innermost = 0;
        break;
      case MARK_BULK:
        op(CALL, count(FUNCTIONS) + 2);
        bulk++;
        break;
      case MARK_LABEL:
        emitU32(load<u32>(mark, 8));
        while (load<u8>(from) >= 0x80) from++;
        from++;
        break;
    }
  }
  emitCopy(from, end);
  return bulk;
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

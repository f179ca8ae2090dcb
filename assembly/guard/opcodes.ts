/**
 * How to step over an instruction (core specification 3.0, 5.4, with threads, relaxed SIMD and the older exception
 * handling): which immediates follow an opcode. What is not listed is refused, since a rewriter that guesses
 * would insert its code in the middle of an instruction.
 */

export const NONE: u8 = 0;
/** One 32-bit LEB128 number: tag, type, data or memory index, i32 constant, heap type. */
export const LEB: u8 = 1;
export const LOCAL: u8 = 2;
export const GLOBAL: u8 = 3;
export const CALL: u8 = 4;
export const CALL_INDIRECT: u8 = 5;
export const CALL_REF: u8 = 6;
export const MEMARG: u8 = 7;
export const BLOCK: u8 = 8;
export const LOOP: u8 = 9;
export const END: u8 = 10;
export const BR_TABLE: u8 = 11;
export const LEB64: u8 = 12;
export const BYTES4: u8 = 13;
export const BYTES8: u8 = 14;
export const SELECT_TYPED: u8 = 15;
export const TABLE: u8 = 16;
export const REF_FUNC: u8 = 17;
export const PREFIX_FC: u8 = 18;
export const PREFIX_FD: u8 = 19;
export const PREFIX_FE: u8 = 20;
export const DELEGATE: u8 = 21;
export const TRY_TABLE: u8 = 22;
export const MEMORY_GROW: u8 = 23;
export const GC: u8 = 24;
/** One label. */
export const BRANCH: u8 = 25;
export const REFUSED: u8 = 255;

// biome-ignore format: sixteen opcodes a row
const OPCODES = memory.data<u8>([
  /* 00 unreachable nop block loop if else try catch, throw rethrow throw_ref end br br_if br_table return */
  0, 0, 8, 9, 8, 0, 8, 1, 1, 25, 0, 10, 25, 25, 11, 0,
  /* 10 call, indirect, return_call, indirect, call_ref, return_call_ref; 18 delegate catch_all drop select select_t; 1f try_table */
  4, 5, 4, 5, 6, 6, 255, 255, 21, 0, 0, 0, 15, 255, 255, 22,
  /* 20 local.get set tee, global.get set, table.get set; 28 loads */
  2, 2, 2, 3, 3, 16, 16, 255, 7, 7, 7, 7, 7, 7, 7, 7,
  /* 30 loads, 36 stores, 3f memory.size */
  7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 1,
  /* 40 memory.grow, constants, then comparisons */
  23, 1, 12, 13, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 50 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 60 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 70 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 80 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* a0 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* b0 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* c0 sign extension to c4 */
  0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  /* d0 ref.null is_null func eq as_non_null, br_on_null br_on_non_null */
  1, 0, 17, 0, 0, 25, 25, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  /* e0 stack switching: refused */
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  /* f0 fb gc, fc bulk and saturating, fd simd, fe threads */
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 24, 18, 19, 20, 255,
]);

/** After 0xfd: what follows the sub-opcode. */
export const SIMD_NONE: u8 = 0;
export const SIMD_MEMARG: u8 = 1;
export const SIMD_BYTES16: u8 = 2;
export const SIMD_LANE: u8 = 3;
export const SIMD_MEMARG_LANE: u8 = 4;

// biome-ignore format: sixteen opcodes a row
const SIMD = memory.data<u8>([
  /* 00 loads, 0b store, 0c const, 0d shuffle, swizzle, splats */
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 0, 0,
  /* 10 splats, 15 lanes */ 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
  /* 20 lanes to 22 */ 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 30 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 40 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 50 bitwise; 54 load and store lane; 5c load zero */ 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1, 0, 0,
  /* 60 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 70 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 80 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0,
  /* a0 */ 0, 0, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255,
  /* b0 */ 255, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0,
  /* c0 */ 0, 0, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255,
  /* d0 */ 255, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  /* e0 */ 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0,
  /* f0 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);
const SIMD_LAST: u32 = 0xff;
/** Relaxed SIMD: 0x100 to 0x113, no immediates. */
const RELAXED_LAST: u32 = 0x113;

export function opcodeKind(opcode: u32): u8 {
  return load<u8>(OPCODES + opcode);
}

export function simdKind(sub: u32): u8 {
  if (sub <= SIMD_LAST) return load<u8>(SIMD + sub);
  return sub <= RELAXED_LAST ? SIMD_NONE : REFUSED;
}

export const FC_LAST_SATURATING: u32 = 7;
export const FC_MEMORY_INIT: u32 = 8;
export const FC_DATA_DROP: u32 = 9;
export const FC_MEMORY_COPY: u32 = 10;
export const FC_MEMORY_FILL: u32 = 11;
export const FC_TABLE_INIT: u32 = 12;
export const FC_ELEM_DROP: u32 = 13;
export const FC_TABLE_COPY: u32 = 14;
export const FC_TABLE_GROW: u32 = 15;
export const FC_TABLE_SIZE: u32 = 16;
export const FC_TABLE_FILL: u32 = 17;

export const FE_LAST_WAIT: u32 = 2;
export const FE_FENCE: u32 = 3;
export const FE_FIRST_ACCESS: u32 = 0x10;
export const FE_LAST_ACCESS: u32 = 0x4e;

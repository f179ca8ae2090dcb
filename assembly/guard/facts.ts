/**
 * What one pass over the module found out and the rewriter needs: index space sizes, where the sections lie, and the
 * limits of every memory and table.
 *
 * ```
 * section, 16 bytes: u32 id, u32 start (its id byte), u32 payload, u32 end          (addresses)
 * space, 32 bytes (a memory or table):
 *   0 u32 limitsStart   4 u32 limitsEnd (addresses of its limits)   8 u32 kind (1 table, 2 memory)
 *  12 u32 flags of the limits   16 u32 min   20 u32 max (0xffffffff: none)   24 u32 clamped max   28 u32 imported
 * ```
 */
import { POLICY_MAX_CUSTOM_SECTIONS, POLICY_MAX_MEMORIES, POLICY_MAX_TABLES } from '../../src/core/abi/guard';
import { policy, reserve } from './reader';

export const SECTION_BYTES: usize = 16;
export const SECTION_ID: usize = 0;
export const SECTION_START: usize = 4;
export const SECTION_PAYLOAD: usize = 8;
export const SECTION_END: usize = 12;

export const SPACE_BYTES: usize = 32;
export const SPACE_START: usize = 0;
export const SPACE_END: usize = 4;
export const SPACE_KIND: usize = 8;
export const SPACE_FLAGS: usize = 12;
export const SPACE_MIN: usize = 16;
export const SPACE_MAX: usize = 20;
export const SPACE_CLAMPED: usize = 24;
export const SPACE_IMPORTED: usize = 28;

export const KIND_TABLE: u32 = 1;
export const KIND_MEMORY: u32 = 2;

/** Counters of the index spaces and of what is in them; slots of `counts`. */
export const TYPES: usize = 0;
export const FUNCTIONS: usize = 4;
export const TABLES: usize = 8;
export const MEMORIES: usize = 12;
export const GLOBALS: usize = 16;
export const TAGS: usize = 20;
export const IMPORTED_FUNCTIONS: usize = 24;
export const EXPORTS: usize = 28;
export const IMPORTED_MEMORIES: usize = 32;
export const CUSTOM_SECTIONS: usize = 36;
export const LARGEST_BODY: usize = 40;
export const ELEMENTS: usize = 44;
export const TABLE_ELEMENTS: usize = 48;
export const MEMORY_PAGES: usize = 52;
export const START_FUNCTION: usize = 56;
export const HAS_START: usize = 60;
export const BODIES: usize = 64;
export const IMPORTS: usize = 68;
export const MUTABLE_GLOBALS: usize = 72;
/** 1 + the function that each of these exports names. */
export const START_UNWIND: usize = 76;
export const START_REWIND: usize = 80;
export const GET_STATE: usize = 84;
export const STOP_UNWIND: usize = 88;
export const STOP_REWIND: usize = 92;
/** Where the code section's payload begins and ends. */
export const CODE_AT: usize = 96;
export const CODE_END: usize = 100;
const COUNTS_BYTES: usize = 104;

/** Sections with a number: each at most once. */
const NUMBERED_SECTIONS = 13;

let counts: usize = 0;
let sections: usize = 0;
let sectionCount: u32 = 0;
let spaces: usize = 0;
let spaceCount: u32 = 0;
let typeParams: usize = 0;
let functionTypes: usize = 0;
let mutableGlobals: usize = 0;

export function factsReset(): void {
  counts = reserve(COUNTS_BYTES);
  sections = reserve(<u64>(policy(POLICY_MAX_CUSTOM_SECTIONS) + NUMBERED_SECTIONS) * SECTION_BYTES);
  spaces = reserve(<u64>(policy(POLICY_MAX_MEMORIES) + policy(POLICY_MAX_TABLES)) * SPACE_BYTES);
  sectionCount = 0;
  spaceCount = 0;
  typeParams = 0;
  functionTypes = 0;
  mutableGlobals = 0;
}

export function count(slot: usize): u32 {
  return load<u32>(counts + slot);
}

export function setCount(slot: usize, value: u32): void {
  store<u32>(counts + slot, value);
}

export function addCount(slot: usize, value: u32): u32 {
  const sum = load<u32>(counts + slot) + value;
  store<u32>(counts + slot, sum);
  return sum;
}

export function addSection(id: u32, start: usize, payload: usize, end: usize): void {
  const record = sections + <usize>sectionCount * SECTION_BYTES;
  store<u32>(record + SECTION_ID, id);
  store<u32>(record + SECTION_START, <u32>start);
  store<u32>(record + SECTION_PAYLOAD, <u32>payload);
  store<u32>(record + SECTION_END, <u32>end);
  sectionCount++;
}

export function sectionsOf(): usize {
  return sections;
}

export function sectionTotal(): u32 {
  return sectionCount;
}

export function addSpace(kind: u32, start: usize, end: usize, flags: u32, min: u32, max: u32, imported: u32): void {
  const record = spaces + <usize>spaceCount * SPACE_BYTES;
  store<u32>(record + SPACE_START, <u32>start);
  store<u32>(record + SPACE_END, <u32>end);
  store<u32>(record + SPACE_KIND, kind);
  store<u32>(record + SPACE_FLAGS, flags);
  store<u32>(record + SPACE_MIN, min);
  store<u32>(record + SPACE_MAX, max);
  store<u32>(record + SPACE_IMPORTED, imported);
  spaceCount++;
}

export function spacesOf(): usize {
  return spaces;
}

export function spaceTotal(): u32 {
  return spaceCount;
}

/** u32 per type: its number of parameters. */
export function setTypeParams(table: usize): void {
  typeParams = table;
}

export function typeParamsOf(type: u32): u32 {
  return load<u32>(typeParams + ((<usize>type) << 2));
}

export function noteTypeParams(type: u32, params: u32): void {
  store<u32>(typeParams + ((<usize>type) << 2), params);
}

/** u32 per defined function: its type. */
export function setFunctionTypes(table: usize): void {
  functionTypes = table;
}

export function noteFunctionType(defined: u32, type: u32): void {
  store<u32>(functionTypes + ((<usize>defined) << 2), type);
}

export function functionParams(defined: u32): u32 {
  return typeParamsOf(load<u32>(functionTypes + ((<usize>defined) << 2)));
}

/** u32 per mutable global that the module defines: its index. Room for `total`. */
export function setMutableGlobals(table: usize): void {
  mutableGlobals = table;
}

export function noteMutableGlobal(index: u32): void {
  store<u32>(mutableGlobals + ((<usize>addCount(MUTABLE_GLOBALS, 1) - 1) << 2), index);
}

export function mutableGlobalAt(i: u32): u32 {
  return load<u32>(mutableGlobals + ((<usize>i) << 2));
}

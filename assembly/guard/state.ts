/**
 * What a checkpoint has to reach of an instance, exported: every mutable global (`wctr.g<index>`), every table
 * (`wctr.t<index>`) and memory 0 (`wctr.m0`). Exporting changes nothing for the code that uses them.
 */
import { emitByte, emitCopy, emitU32 } from './emit';
import { count, MEMORIES, MUTABLE_GLOBALS, mutableGlobalAt, TABLES } from './facts';

const EXPORT_KIND_TABLE: u32 = 1;
const EXPORT_KIND_MEMORY: u32 = 2;
const EXPORT_KIND_GLOBAL: u32 = 3;

/** Room for one export: its name of at most 16 bytes, its kind, its index. */
export const STATE_EXPORT_BYTES: u32 = 32;

// "wctr."
const PREFIX = memory.data<u8>([0x77, 0x63, 0x74, 0x72, 0x2e]);
const PREFIX_LENGTH: u32 = 5;
const LETTER_GLOBAL: u32 = 0x67;
const LETTER_MEMORY: u32 = 0x6d;
const LETTER_TABLE: u32 = 0x74;
const DIGIT_0: u32 = 0x30;

export function stateExports(): u32 {
  return count(MUTABLE_GLOBALS) + count(TABLES) + (count(MEMORIES) != 0 ? 1 : 0);
}

function emitNumbered(letter: u32, kind: u32, index: u32): void {
  let digits: u32 = 1;
  let unit: u32 = 1;
  while (index / unit >= 10) {
    digits++;
    unit *= 10;
  }
  emitU32(PREFIX_LENGTH + 1 + digits);
  emitCopy(PREFIX, PREFIX + PREFIX_LENGTH);
  emitByte(letter);
  for (; unit != 0; unit /= 10) emitByte(DIGIT_0 + ((index / unit) % 10));
  emitByte(kind);
  emitU32(index);
}

export function emitStateExports(): void {
  const globals = count(MUTABLE_GLOBALS);
  for (let i: u32 = 0; i < globals; i++) emitNumbered(LETTER_GLOBAL, EXPORT_KIND_GLOBAL, mutableGlobalAt(i));
  const tables = count(TABLES);
  for (let i: u32 = 0; i < tables; i++) emitNumbered(LETTER_TABLE, EXPORT_KIND_TABLE, i);
  if (count(MEMORIES) != 0) emitNumbered(LETTER_MEMORY, EXPORT_KIND_MEMORY, 0);
}

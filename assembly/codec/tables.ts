/**
 * Static tables of deflate (RFC 1951 section 3.2.5) and the places of the working tables inside a decoder.
 *
 * ```
 * literal/length entry, u32                          offset entry, u64
 *   0..7  bits to consume, extra bits included         0..7  bits to consume, extra bits included
 *   8..13 bits of the codeword alone                   8..13 bits of the codeword alone
 *  14     EXCEPTIONAL: subtable, end or invalid       16..31 base offset, 0 = invalid
 *  15     LITERAL                                     32..63 mask of the extra bits
 *  16..24 literal or base length                        62   EXCEPTIONAL: subtable or invalid
 *  25..29 mask of the extra bits
 *  30     INVALID (with EXCEPTIONAL and END)
 *  31     END of block (with EXCEPTIONAL)
 * subtable pointer: 0..7 bits of the main index, 8..13 bits of the subtable's index, 16.. number of its first entry
 * ```
 */
export const LITLEN_BITS: u32 = 11;
export const OFFSET_BITS: u32 = 8;
export const PRECODE_BITS: u32 = 7;
export const MAX_CODE_BITS: u32 = 15;
export const LITLEN_SYMBOLS: u32 = 288;
export const OFFSET_SYMBOLS: u32 = 32;
export const PRECODE_SYMBOLS: u32 = 19;

export const ENTRY_EXCEPTIONAL: u32 = 0x4000;
export const ENTRY_LITERAL: u32 = 0x8000;
export const ENTRY_INVALID: u32 = 0x4000_0000;
export const ENTRY_END: u32 = 0x8000_0000;
export const OFFSET_EXCEPTIONAL: u64 = 0x4000_0000_0000_0000;

/** Offsets from tablesOf(d). 2342 and 402 entries are the most that a complete code of these index widths needs. */
export const LITLEN_TABLE: usize = 0;
export const OFFSET_TABLE: usize = 2368 * 4;
export const PRECODE_TABLE: usize = OFFSET_TABLE + 408 * 8;
/** u8 code lengths; the longest run overshoots by 137. */
export const LENGTHS: usize = PRECODE_TABLE + 128 * 4;
export const SORTED: usize = LENGTHS + 512;
export const COUNTS: usize = SORTED + 2 * 320;
export const STARTS: usize = COUNTS + 64;

export const PRECODE_ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

export const LENGTH_BASE: usize = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]);
export const LENGTH_EXTRA: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);

/** The entry of a literal/length symbol whose codeword has `bits` bits (those beyond the main index, in a subtable). */
export function litlenEntry(symbol: u32, bits: u32): u32 {
  if (symbol < 256) return (symbol << 16) | ENTRY_LITERAL | (bits << 8) | bits;
  if (symbol == 256) return ENTRY_END | ENTRY_EXCEPTIONAL | bits;
  if (symbol > 285) return ENTRY_END | ENTRY_INVALID | ENTRY_EXCEPTIONAL | bits;
  const i = symbol - 257;
  const extra: u32 = load<u8>(LENGTH_EXTRA + i);
  const mask: u32 = (((<u32>1) << extra) - 1) << 25;
  return mask | ((<u32>load<u16>(LENGTH_BASE + (i << 1))) << 16) | (bits << 8) | (bits + extra);
}

export function offsetEntry(symbol: u32, bits: u32): u64 {
  if (symbol > 29) return ((<u64>bits) << 8) | bits;
  const extra = offsetExtra(symbol);
  const mask: u64 = ((<u64>1) << extra) - 1;
  return (mask << 32) | ((<u64>offsetBase(symbol)) << 16) | ((<u64>bits) << 8) | (bits + extra);
}

/** Of a length from 3 to 258. */
export function lengthSymbol(length: u32): u32 {
  const above = length - 3;
  if (above < 8) return 257 + above;
  if (length == 258) return 285;
  const log = 31 - clz(above);
  return 257 + ((log - 1) << 2) + ((above >> (log - 2)) & 3);
}

/** Of an offset from 1 to 32768. */
export function offsetSymbol(offset: u32): u32 {
  const above = offset - 1;
  if (above < 2) return above;
  const log = 31 - clz(above);
  return (log << 1) + ((above >> (log - 1)) & 1);
}

export function offsetExtra(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1;
}

export function offsetBase(symbol: u32): u32 {
  return symbol < 4 ? symbol + 1 : ((2 + (symbol & 1)) << offsetExtra(symbol)) + 1;
}

/** u8[LITLEN_SYMBOLS] lengths of the fixed code (section 3.2.6). */
export function fixedLitlenLengths(lengths: usize): void {
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
}

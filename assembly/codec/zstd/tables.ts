/**
 * Static tables of zstd (RFC 8878 sections 3.1.1.3.2.1 and 3.1.1.3.2.2) and the places of the working tables, as offsets
 * from tablesOf(d).
 *
 * ```
 * sequence table entry, u64          0..31 base value   32..39 extra bits   40..47 state bits   48..63 next state
 * literal table entry, u32           0..7 bits of all its symbols   8..9 symbols (1 or 2)   10..13 bits of the first
 *                                   16..23 first symbol   24..31 second symbol
 * ```
 */
export const HUFFMAN_BITS: u32 = 11;
export const LITERAL_TABLE: usize = 0;
/** u16 per index: symbol, bits << 8. */
export const SINGLE_TABLE: usize = 8192;
export const LITERAL_LENGTH_TABLE: usize = SINGLE_TABLE + 4096;
export const MATCH_LENGTH_TABLE: usize = LITERAL_LENGTH_TABLE + 512 * 8;
export const OFFSET_TABLE: usize = MATCH_LENGTH_TABLE + 512 * 8;
export const WEIGHT_TABLE: usize = OFFSET_TABLE + 256 * 8;
/** i16 per symbol: normalized counts as read. */
export const COUNTS: usize = WEIGHT_TABLE + 64 * 8;
export const NEXT_STATES: usize = COUNTS + 2 * 256;
export const SPREAD: usize = NEXT_STATES + 2 * 256;
export const WEIGHTS: usize = SPREAD + 512;
export const RANKS: usize = WEIGHTS + 512;
/** What readCounts found: u32 table log, u32 symbols. */
export const COUNTS_LOG: usize = RANKS + 64;
export const COUNTS_SYMBOLS: usize = COUNTS_LOG + 4;
/** Where the sequences' reader stands between batches, and the batch read last (sequence-loop.ts). */
export const READER: usize = COUNTS_LOG + 64;
export const SEQUENCES: usize = READER + 64;
export const SEQUENCES_MOST: u32 = 512;
export const SEQUENCE_BYTES: u32 = 16;
export const LITERALS: usize = SEQUENCES + SEQUENCES_MOST * SEQUENCE_BYTES;
export const BLOCK_BYTES: u32 = 131072;
/** Copies read and write whole vectors past an end. */
export const SLACK: u32 = 64;

export const KIND_LITERAL_LENGTH: u32 = 0;
export const KIND_MATCH_LENGTH: u32 = 1;
export const KIND_OFFSET: u32 = 2;
export const KIND_WEIGHT: u32 = 3;

export const LITERAL_LENGTH_SYMBOLS: u32 = 36;
export const MATCH_LENGTH_SYMBOLS: u32 = 53;
export const OFFSET_SYMBOLS: u32 = 32;

const LITERAL_LENGTH_BASE: usize = memory.data<u32>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024,
  2048, 4096, 8192, 16384, 32768, 65536,
]);
const LITERAL_LENGTH_EXTRA: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]);
const MATCH_LENGTH_BASE: usize = memory.data<u32>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
  34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
]);
const MATCH_LENGTH_EXTRA: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3,
  3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]);

/** Predefined distributions, i16; accuracy 6, 6 and 5 bits. */
export const LITERAL_LENGTH_DEFAULT: usize = memory.data<i16>([
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
]);
export const MATCH_LENGTH_DEFAULT: usize = memory.data<i16>([
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
]);
export const OFFSET_DEFAULT: usize = memory.data<i16>([
  1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
]);
export const OFFSET_DEFAULT_SYMBOLS: u32 = 29;

/** The table entry of a symbol. An offset symbol n stands for the offset value 2^n + n bits. */
export function sequenceEntry(kind: u32, symbol: u32, stateBits: u32, next: u32): u64 {
  let base = symbol;
  let extra: u32 = 0;
  if (kind == KIND_LITERAL_LENGTH) {
    base = load<u32>(LITERAL_LENGTH_BASE + (symbol << 2));
    extra = load<u8>(LITERAL_LENGTH_EXTRA + symbol);
  } else if (kind == KIND_MATCH_LENGTH) {
    base = load<u32>(MATCH_LENGTH_BASE + (symbol << 2));
    extra = load<u8>(MATCH_LENGTH_EXTRA + symbol);
  } else if (kind == KIND_OFFSET) {
    base = (<u32>1) << symbol;
    extra = symbol;
  }
  return <u64>base | ((<u64>extra) << 32) | ((<u64>stateBits) << 40) | ((<u64>next) << 48);
}

/** Finite state entropy tables (RFC 8878 section 4.1): reading the distribution, building the decode table. */
import { COUNTS, COUNTS_LOG, COUNTS_SYMBOLS, NEXT_STATES, SPREAD, sequenceEntry } from './tables';

/**
 * Reads a distribution at `at` into COUNTS, COUNTS_LOG and COUNTS_SYMBOLS. Returns the bytes used, 0 when it is broken,
 * more exact than `maxLog` or of more than `maxSymbols` symbols.
 */
export function readCounts(tables: usize, at: usize, end: usize, maxLog: u32, maxSymbols: u32): u32 {
  if (at >= end) return 0;
  const log = (<u32>load<u8>(at) & 15) + 5;
  if (log > maxLog) return 0;
  let bit: u32 = 4;
  // One more than what is left to give out, and the bits a value of that size takes.
  let left: i32 = (1 << log) + 1;
  let threshold: i32 = 1 << log;
  let width = log + 1;
  let symbol: u32 = 0;
  while (left > 1 && symbol < maxSymbols) {
    const word = load<u32>(at + (bit >> 3)) >> (bit & 7);
    const short: i32 = 2 * threshold - 1 - left;
    let count: i32 = word & (threshold - 1);
    if (count < short) {
      bit += width - 1;
    } else {
      count = word & (2 * threshold - 1);
      if (count >= threshold) count -= short;
      bit += width;
    }
    count--;
    left -= count < 0 ? 1 : count;
    store<i16>(tables + (symbol << 1), <i16>count, COUNTS);
    symbol++;
    while (left < threshold) {
      width--;
      threshold >>= 1;
    }
    if (count == 0) {
      // A symbol without probability is followed by how many more there are, three at a time.
      let repeat: u32 = 3;
      while (repeat == 3) {
        repeat = (<u32>load<u16>(at + (bit >> 3)) >> (bit & 7)) & 3;
        bit += 2;
        if (symbol + repeat > maxSymbols) return 0;
        for (let i: u32 = 0; i < repeat; i++) store<i16>(tables + (symbol++ << 1), 0, COUNTS);
      }
    }
  }
  const used = (bit + 7) >> 3;
  if (left != 1 || used > <u32>(end - at)) return 0;
  store<u32>(tables, log, COUNTS_LOG);
  store<u32>(tables, symbol, COUNTS_SYMBOLS);
  return used;
}

/** Builds the table at `table` from i16 counts that add up to 2^log (a count of -1 takes one place, at the end). */
export function buildTable(tables: usize, table: usize, kind: u32, counts: usize, symbols: u32, log: u32): void {
  const size: u32 = (<u32>1) << log;
  let high: u32 = size - 1;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count: i32 = load<i16>(counts + (symbol << 1));
    store<u16>(tables + (symbol << 1), <u16>(count < 0 ? 1 : count), NEXT_STATES);
    if (count < 0) store<u8>(tables + high--, <u8>symbol, SPREAD);
  }
  const step: u32 = (size >> 1) + (size >> 3) + 3;
  let position: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    for (let left: i32 = load<i16>(counts + (symbol << 1)); left > 0; left--) {
      store<u8>(tables + position, <u8>symbol, SPREAD);
      do {
        position = (position + step) & (size - 1);
      } while (position > high);
    }
  }
  for (let i: u32 = 0; i < size; i++) {
    const symbol: u32 = load<u8>(tables + i, SPREAD);
    const state: u32 = load<u16>(tables + (symbol << 1), NEXT_STATES);
    store<u16>(tables + (symbol << 1), <u16>(state + 1), NEXT_STATES);
    const bits = log - (31 - clz<u32>(state));
    store<u64>(table + (i << 3), sequenceEntry(kind, symbol, bits, (state << bits) - size));
  }
}

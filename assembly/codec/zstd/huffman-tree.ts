/** The Huffman code of literals (RFC 8878 section 4.2.1): weights, plain or FSE-coded, and the decode tables. */
import { buildTable, readCounts } from './fse';
import {
  COUNTS,
  COUNTS_LOG,
  COUNTS_SYMBOLS,
  HUFFMAN_BITS,
  KIND_WEIGHT,
  LITERAL_TABLE,
  RANKS,
  SINGLE_TABLE,
  WEIGHT_TABLE,
  WEIGHTS,
} from './tables';

const WEIGHT_LOG_MAX: u32 = 6;
const WEIGHT_SYMBOLS: u32 = 13;
const WEIGHTS_MOST: u32 = 255;
const INDEX_COUNT: u32 = 1 << HUFFMAN_BITS;

/** Reads a tree at `at` and builds its tables. Returns the bytes used, 0 when it is broken. */
export function readTree(tables: usize, at: usize, end: usize): u32 {
  if (at >= end) return 0;
  const header: u32 = load<u8>(at);
  at++;
  if (header >= 128) {
    const count = header - 127;
    const bytes = (count + 1) >> 1;
    if (bytes > <u32>(end - at)) return 0;
    for (let i: u32 = 0; i < count; i += 2) {
      const pair: u32 = load<u8>(at + (i >> 1));
      store<u8>(tables + i, <u8>(pair >> 4), WEIGHTS);
      store<u8>(tables + i, <u8>(pair & 15), WEIGHTS + 1);
    }
    return buildTree(tables, count) ? 1 + bytes : 0;
  }
  if (header == 0 || header > <u32>(end - at)) return 0;
  const count = readWeights(tables, at, at + header);
  return count != 0 && buildTree(tables, count) ? 1 + header : 0;
}

/** FSE-coded weights: two states take turns until the bits run out. Returns how many, 0 when broken. */
function readWeights(tables: usize, at: usize, end: usize): u32 {
  const used = readCounts(tables, at, end, WEIGHT_LOG_MAX, WEIGHT_SYMBOLS);
  if (used == 0) return 0;
  const log = load<u32>(tables, COUNTS_LOG);
  const table = tables + WEIGHT_TABLE;
  buildTable(tables, table, KIND_WEIGHT, tables + COUNTS, load<u32>(tables, COUNTS_SYMBOLS), log);
  const start = at + used;
  if (start >= end) return 0;
  const last: u32 = load<u8>(end - 1);
  if (last == 0) return 0;
  let left: i32 = ((<i32>(end - start)) << 3) - (<i32>clz<u32>(last) - 23);
  left -= log;
  if (left < <i32>log) return 0;
  let state1 = bitsAt(start, left, log);
  left -= log;
  let state2 = bitsAt(start, left, log);
  let count: u32 = 0;
  while (count < WEIGHTS_MOST) {
    const entry = load<u64>(table + (state1 << 3));
    store<u8>(tables + count++, <u8>entry, WEIGHTS);
    const bits = <u32>(entry >> 40) & 255;
    left -= bits;
    if (left < 0) {
      store<u8>(tables + count++, <u8>load<u64>(table + (state2 << 3)), WEIGHTS);
      return count <= WEIGHTS_MOST ? count : 0;
    }
    // The state just renewed has its next turn after the other one.
    const renewed = <u32>(entry >> 48) + bitsAt(start, left, bits);
    state1 = state2;
    state2 = renewed;
  }
  return 0;
}

function bitsAt(start: usize, position: i32, count: u32): u32 {
  return (load<u32>(start + (position >> 3)) >> (position & 7)) & (((<u32>1) << count) - 1);
}

/**
 * Tables from `count` weights; one more follows from them. A symbol of weight w > 0 has maxBits + 1 - w bits. SINGLE_TABLE
 * gives one symbol per 11-bit index, LITERAL_TABLE two where both fit.
 */
function buildTree(tables: usize, count: u32): bool {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const weight: u32 = load<u8>(tables + i, WEIGHTS);
    if (weight > HUFFMAN_BITS + 1) return false;
    sum += ((<u32>1) << weight) >> 1;
  }
  if (sum == 0) return false;
  const maxBits: u32 = 32 - clz<u32>(sum);
  if (maxBits > HUFFMAN_BITS) return false;
  const left: u32 = ((<u32>1) << maxBits) - sum;
  if (left & (left - 1)) return false;
  store<u8>(tables + count, <u8>(32 - clz<u32>(left)), WEIGHTS);
  const symbols = count + 1;

  const ranks = tables + RANKS;
  memory.fill(ranks, 0, 64);
  for (let i: u32 = 0; i < symbols; i++) {
    const slot = ranks + ((<u32>load<u8>(tables + i, WEIGHTS)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  // A full binary tree has two deepest leaves at least.
  if (load<u32>(ranks, 4) < 2) return false;
  const widen = HUFFMAN_BITS - maxBits;
  let next: u32 = 0;
  for (let weight: u32 = 1; weight <= maxBits; weight++) {
    const slot = ranks + (weight << 2);
    const rank = load<u32>(slot);
    store<u32>(slot, next);
    next += rank << (weight - 1 + widen);
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const weight: u32 = load<u8>(tables + symbol, WEIGHTS);
    if (weight == 0) continue;
    const slot = ranks + (weight << 2);
    const from = load<u32>(slot);
    const to = from + ((<u32>1) << (weight - 1 + widen));
    store<u32>(slot, to);
    const entry = symbol | ((maxBits + 1 - weight) << 8);
    for (let i = from; i < to; i++) store<u16>(tables + (i << 1), <u16>entry, SINGLE_TABLE);
  }
  pairSymbols(tables);
  return true;
}

function pairSymbols(tables: usize): void {
  for (let i: u32 = 0; i < INDEX_COUNT; i++) {
    const first: u32 = load<u16>(tables + (i << 1), SINGLE_TABLE);
    const bits = first >> 8;
    const rest = (i << bits) & (INDEX_COUNT - 1);
    const second: u32 = load<u16>(tables + (rest << 1), SINGLE_TABLE);
    const both = bits + (second >> 8);
    const fits: u32 = both <= HUFFMAN_BITS ? 1 : 0;
    const entry = ((first & 255) << 16) | ((second & 255) << 24) | (bits << 10) | ((1 + fits) << 8);
    store<u32>(tables + (i << 2), entry | (fits ? both : bits), LITERAL_TABLE);
  }
}

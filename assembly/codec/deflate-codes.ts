/**
 * Codewords for how often symbols come: the lengths of an optimal prefix code (Moffat and Katajainen's construction in
 * place), cut to a longest one, then canonical codewords (RFC 1951 section 3.2.2). Equal frequencies go by symbol.
 */
import { MAX_CODE_BITS } from './tables';

/** Room for sorted keys (u64 each) and weights, and counts of lengths behind them. */
const WEIGHTS: usize = 320 * 8;
const LENGTH_COUNTS: usize = WEIGHTS + 320 * 4;

/**
 * `lengths` (u8) and `codes` (u32: codeword bit-reversed, length from bit 16) of `symbols` symbols with the frequencies
 * (u32) at `counts`. One symbol alone, or none, gets one bit: a decoder wants codes that it can walk.
 */
export function buildCodes(counts: usize, symbols: u32, most: u32, lengths: usize, codes: usize, work: usize): void {
  memory.fill(lengths, 0, symbols);
  const used = sortUsed(counts, symbols, work);
  if (used <= 1) {
    const only: u32 = used == 1 ? <u32>(load<u64>(work) & 0xffff) : 0;
    // With a second codeword beside it the code is complete, which some decoders insist on
    store<u8>(lengths + only, 1);
    store<u8>(lengths + (only == 0 ? 1 : 0), 1);
  } else {
    weigh(work, used);
    limit(work, used, most);
    let symbol: u32 = used;
    // The longest codewords for the rarest symbols
    for (let bits: u32 = 1; bits <= most; bits++) {
      for (let n = load<u32>(work + LENGTH_COUNTS + (bits << 2)); n > 0; n--) {
        symbol--;
        store<u8>(lengths + <u32>(load<u64>(work + (symbol << 3)) & 0xffff), bits);
      }
    }
  }
  canonicalCodes(lengths, symbols, codes, work);
}

/** Symbols that come at all, rarest first, as frequency << 16 | symbol. Returns how many. */
function sortUsed(counts: usize, symbols: u32, keys: usize): u32 {
  let used: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(counts + (symbol << 2));
    if (frequency == 0) continue;
    store<u64>(keys + (used << 3), ((<u64>frequency) << 16) | symbol);
    used++;
  }
  for (let root = used >> 1; root > 0; ) sink(keys, --root, used);
  for (let last = used; last > 1; ) {
    last--;
    const top = load<u64>(keys);
    store<u64>(keys, load<u64>(keys + (last << 3)));
    store<u64>(keys + (last << 3), top);
    sink(keys, 0, last);
  }
  return used;
}

function sink(keys: usize, root: u32, size: u32): void {
  const value = load<u64>(keys + (root << 3));
  for (;;) {
    let child: u32 = 2 * root + 1;
    if (child >= size) break;
    if (child + 1 < size && load<u64>(keys + ((child + 1) << 3)) > load<u64>(keys + (child << 3))) child++;
    const larger = load<u64>(keys + (child << 3));
    if (larger <= value) break;
    store<u64>(keys + (root << 3), larger);
    root = child;
  }
  store<u64>(keys + (root << 3), value);
}

/** The depth of each leaf of the Huffman tree over the sorted frequencies, in WEIGHTS, longest first. */
function weigh(work: usize, used: u32): void {
  const weights = work + WEIGHTS;
  for (let i: u32 = 0; i < used; i++) store<u32>(weights + (i << 2), <u32>(load<u64>(work + (i << 3)) >> 16));
  // Phase 1: pairs of the two lightest; a parent's place holds its weight until it has a parent, then that one's index
  let leaf: u32 = 0;
  let root: u32 = 0;
  for (let next: u32 = 0; next < used - 1; next++) {
    let weight: u32 = 0;
    for (let half = 0; half < 2; half++) {
      if (leaf >= used || (root < next && load<u32>(weights + (root << 2)) < load<u32>(weights + (leaf << 2)))) {
        weight += load<u32>(weights + (root << 2));
        store<u32>(weights + (root << 2), next);
        root++;
      } else {
        weight += load<u32>(weights + (leaf << 2));
        leaf++;
      }
    }
    store<u32>(weights + (next << 2), weight);
  }
  // Phase 2: depths of the inner nodes, from the root down
  store<u32>(weights + ((used - 2) << 2), 0);
  for (let i: i32 = <i32>used - 3; i >= 0; i--) {
    const parent = load<u32>(weights + ((<u32>i) << 2));
    store<u32>(weights + ((<u32>i) << 2), load<u32>(weights + (parent << 2)) + 1);
  }
  // Phase 3: depths of the leaves
  let available: u32 = 1;
  let depth: u32 = 0;
  let inner: i32 = <i32>used - 2;
  let place: i32 = <i32>used - 1;
  while (available > 0) {
    let taken: u32 = 0;
    while (inner >= 0 && load<u32>(weights + ((<u32>inner) << 2)) == depth) {
      taken++;
      inner--;
    }
    while (available > taken) {
      store<u32>(weights + ((<u32>place) << 2), depth);
      place--;
      available--;
    }
    available = 2 * taken;
    depth++;
  }
}

/** How many codewords have each length, none over `most`, and the code complete all the same. */
function limit(work: usize, used: u32, most: u32): void {
  const counts = work + LENGTH_COUNTS;
  memory.fill(counts, 0, 4 * 17);
  for (let i: u32 = 0; i < used; i++) {
    const at = counts + (min(load<u32>(work + WEIGHTS + (i << 2)), most) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let total: u32 = 0;
  for (let bits: u32 = 1; bits <= most; bits++) total += load<u32>(counts + (bits << 2)) << (most - bits);
  // Too full: one of the longest goes beside a shorter one that gets a bit more
  for (; total > 1 << most; total--) {
    store<u32>(counts + (most << 2), load<u32>(counts + (most << 2)) - 1);
    for (let bits = most - 1; bits > 0; bits--) {
      const at = counts + (bits << 2);
      if (load<u32>(at) == 0) continue;
      store<u32>(at, load<u32>(at) - 1);
      store<u32>(at + 4, load<u32>(at + 4) + 2);
      break;
    }
  }
}

/** `codes` from `lengths`, as buildCodes gives them (section 3.2.2). */
export function canonicalCodes(lengths: usize, symbols: u32, codes: usize, work: usize): void {
  const counts = work + LENGTH_COUNTS;
  memory.fill(counts, 0, 4 * 17);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const at = counts + ((<u32>load<u8>(lengths + symbol)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  // From counts to the next codeword of each length
  let code: u32 = 0;
  let shorter: u32 = 0;
  for (let bits: u32 = 1; bits <= MAX_CODE_BITS; bits++) {
    code = (code + shorter) << 1;
    shorter = load<u32>(counts + (bits << 2));
    store<u32>(counts + (bits << 2), code);
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const bits: u32 = load<u8>(lengths + symbol);
    if (bits == 0) {
      store<u32>(codes + (symbol << 2), 0);
      continue;
    }
    const next = counts + (bits << 2);
    const value = load<u32>(next);
    store<u32>(next, value + 1);
    store<u32>(codes + (symbol << 2), reversed(value, bits) | (bits << 16));
  }
}

function reversed(value: u32, bits: u32): u32 {
  let result: u32 = 0;
  for (let i: u32 = 0; i < bits; i++) result |= ((value >> i) & 1) << (bits - 1 - i);
  return result;
}

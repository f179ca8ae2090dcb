/** One piece as a deflate block: stored, with the fixed codes, or with its own, whichever is shortest (RFC 1951). */
import { buildCodes, canonicalCodes } from './deflate-codes';
import {
  CODE_LENGTHS,
  CODES,
  Encoder,
  FREQUENCIES,
  litlenCount,
  SYMBOLS,
  TOKENS,
  WINDOW,
  WINDOW_AT,
  WORK,
} from './encoder-state';
import {
  fixedLitlenLengths,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITLEN_SYMBOLS,
  lengthSymbol,
  MAX_CODE_BITS,
  OFFSET_SYMBOLS,
  offsetBase,
  offsetExtra,
  offsetSymbol,
  PRECODE_BITS,
  PRECODE_ORDER,
  PRECODE_SYMBOLS,
} from './tables';

const END_OF_BLOCK: u32 = 256;
const STORED_MOST: u32 = 65535;
/** In WORK, behind what buildCodes uses: frequencies of the precode, its u16 items. */
const PRECODE_COUNTS: usize = WORK + 4096;
const ITEMS: usize = WORK + 4352;

const BLOCK_STORED: u32 = 0;
const BLOCK_FIXED: u32 = 1;
const BLOCK_DYNAMIC: u32 = 2;

/** Writes the tokens of the piece at e.out. */
export function writeBlock(e: Encoder, last: bool): void {
  const self = changetype<usize>(e);
  store<u32>(litlenCount(e, END_OF_BLOCK), 1);
  const lengths = self + CODE_LENGTHS;
  buildCodes(self + FREQUENCIES, LITLEN_SYMBOLS - 2, MAX_CODE_BITS, lengths, self + CODES, self + WORK);
  const offsetCounts = self + FREQUENCIES + 4 * LITLEN_SYMBOLS;
  const offsetCodes = self + CODES + 4 * LITLEN_SYMBOLS;
  buildCodes(offsetCounts, OFFSET_SYMBOLS - 2, MAX_CODE_BITS, lengths + LITLEN_SYMBOLS, offsetCodes, self + WORK);
  const litlens = usedCodes(lengths, LITLEN_SYMBOLS - 2, 257);
  const offsets = usedCodes(lengths + LITLEN_SYMBOLS, OFFSET_SYMBOLS - 2, 1);
  const items = packLengths(e, litlens, offsets);
  const precodes = buildPrecode(e);
  const header: u64 = 14 + 3 * <u64>precodes + itemBits(e, items);
  const dynamic = header + bodyBits(e, lengths, lengths + LITLEN_SYMBOLS);
  const fixed = fixedBits(e);
  const stored = storedBits(e);
  if (stored <= dynamic && stored <= fixed) {
    writeStored(e, last);
    return;
  }
  putBits(e, (last ? 1 : 0) | ((fixed <= dynamic ? BLOCK_FIXED : BLOCK_DYNAMIC) << 1), 3);
  if (fixed <= dynamic) useFixedCodes(e);
  else writeHeader(e, litlens, offsets, precodes, items);
  writeTokens(e);
}

/** The last bits, filled up to a byte. */
export function alignBits(e: Encoder): void {
  while (e.bitCount > 0) {
    store<u8>(e.out, <u8>e.bits);
    e.out++;
    e.bits >>= 8;
    e.bitCount = e.bitCount > 8 ? e.bitCount - 8 : 0;
  }
  e.bits = 0;
}

/** At most 32 bits. */
function putBits(e: Encoder, value: u32, count: u32): void {
  e.bits |= (<u64>value) << e.bitCount;
  e.bitCount += count;
  store<u64>(e.out, e.bits);
  const bytes = e.bitCount >> 3;
  e.out += bytes;
  e.bits >>= bytes << 3;
  e.bitCount &= 7;
}

function usedCodes(lengths: usize, symbols: u32, least: u32): u32 {
  let used = symbols;
  while (used > least && load<u8>(lengths + used - 1) == 0) used--;
  return used;
}

/**
 * The lengths of both codes, run-length coded (section 3.2.7), as u16 items: symbol, repeat from bit 8. Counts the symbols.
 * Returns how many items.
 */
function packLengths(e: Encoder, litlens: u32, offsets: u32): u32 {
  const self = changetype<usize>(e);
  const counts = self + PRECODE_COUNTS;
  memory.fill(counts, 0, 4 * PRECODE_SYMBOLS);
  const lengths = self + CODE_LENGTHS;
  const total = litlens + offsets;
  let items: u32 = 0;
  let at: u32 = 0;
  while (at < total) {
    const length = lengthAt(lengths, at, litlens);
    let run: u32 = 1;
    while (at + run < total && lengthAt(lengths, at + run, litlens) == length) run++;
    at += run;
    if (length != 0) {
      items = putItem(e, items, length, 0);
      run--;
    }
    while (run >= 3) {
      const most: u32 = length != 0 ? 6 : 138;
      const take = min(run, most);
      const symbol: u32 = length != 0 ? 16 : take <= 10 ? 17 : 18;
      items = putItem(e, items, symbol, take - (symbol == 18 ? 11 : 3));
      run -= take;
    }
    for (; run > 0; run--) items = putItem(e, items, length, 0);
  }
  return items;
}

function lengthAt(lengths: usize, index: u32, litlens: u32): u32 {
  return load<u8>(lengths + (index < litlens ? index : LITLEN_SYMBOLS + index - litlens));
}

function putItem(e: Encoder, items: u32, symbol: u32, repeat: u32): u32 {
  const self = changetype<usize>(e);
  const count = self + PRECODE_COUNTS + (symbol << 2);
  store<u32>(count, load<u32>(count) + 1);
  store<u16>(self + ITEMS + (items << 1), <u16>(symbol | (repeat << 8)));
  return items + 1;
}

/** Returns how many lengths of it are sent. */
function buildPrecode(e: Encoder): u32 {
  const self = changetype<usize>(e);
  const lengths = self + CODE_LENGTHS + SYMBOLS;
  buildCodes(self + PRECODE_COUNTS, PRECODE_SYMBOLS, PRECODE_BITS, lengths, self + CODES + 4 * SYMBOLS, self + WORK);
  let precodes: u32 = PRECODE_SYMBOLS;
  while (precodes > 4 && load<u8>(lengths + load<u8>(PRECODE_ORDER + precodes - 1)) == 0) precodes--;
  return precodes;
}

function repeatBits(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

function itemBits(e: Encoder, items: u32): u64 {
  const self = changetype<usize>(e);
  let bits: u64 = 0;
  for (let i: u32 = 0; i < items; i++) {
    const symbol: u32 = load<u8>(self + ITEMS + (i << 1));
    bits += load<u8>(self + CODE_LENGTHS + SYMBOLS + symbol) + repeatBits(symbol);
  }
  return bits;
}

/** Bits of the tokens with codes of these lengths. */
function bodyBits(e: Encoder, litlens: usize, offsets: usize): u64 {
  const self = changetype<usize>(e);
  let bits: u64 = 0;
  for (let symbol: u32 = 0; symbol < LITLEN_SYMBOLS - 2; symbol++) {
    const extra: u32 = symbol < 257 ? 0 : load<u8>(LENGTH_EXTRA + symbol - 257);
    bits += <u64>load<u32>(litlenCount(e, symbol)) * (load<u8>(litlens + symbol) + extra);
  }
  for (let symbol: u32 = 0; symbol < OFFSET_SYMBOLS - 2; symbol++) {
    const count = load<u32>(self + FREQUENCIES + ((LITLEN_SYMBOLS + symbol) << 2));
    bits += <u64>count * (load<u8>(offsets + symbol) + offsetExtra(symbol));
  }
  return bits;
}

function fixedBits(e: Encoder): u64 {
  const lengths = changetype<usize>(e) + WORK;
  fixedLitlenLengths(lengths);
  memory.fill(lengths + LITLEN_SYMBOLS, 5, OFFSET_SYMBOLS);
  return bodyBits(e, lengths, lengths + LITLEN_SYMBOLS);
}

function storedBits(e: Encoder): u64 {
  const blocks = max((e.filled + STORED_MOST - 1) / STORED_MOST, 1);
  return 8 * (<u64>e.filled + 5 * blocks);
}

function useFixedCodes(e: Encoder): void {
  const self = changetype<usize>(e);
  const lengths = self + CODE_LENGTHS;
  fixedLitlenLengths(lengths);
  memory.fill(lengths + LITLEN_SYMBOLS, 5, OFFSET_SYMBOLS);
  canonicalCodes(lengths, LITLEN_SYMBOLS, self + CODES, self + WORK);
  canonicalCodes(lengths + LITLEN_SYMBOLS, OFFSET_SYMBOLS, self + CODES + 4 * LITLEN_SYMBOLS, self + WORK);
}

function writeHeader(e: Encoder, litlens: u32, offsets: u32, precodes: u32, items: u32): void {
  const self = changetype<usize>(e);
  putBits(e, litlens - 257, 5);
  putBits(e, offsets - 1, 5);
  putBits(e, precodes - 4, 4);
  const lengths = self + CODE_LENGTHS + SYMBOLS;
  for (let i: u32 = 0; i < precodes; i++) putBits(e, load<u8>(lengths + load<u8>(PRECODE_ORDER + i)), 3);
  const codes = self + CODES + 4 * SYMBOLS;
  for (let i: u32 = 0; i < items; i++) {
    const item: u32 = load<u16>(self + ITEMS + (i << 1));
    const symbol = item & 0xff;
    putCode(e, codes, symbol);
    putBits(e, item >> 8, repeatBits(symbol));
  }
}

function putCode(e: Encoder, codes: usize, symbol: u32): void {
  const code = load<u32>(codes + (symbol << 2));
  putBits(e, code & 0xffff, code >> 16);
}

/** The bit buffer is kept here meanwhile; a match takes 48 bits at most, after at most 7. */
function writeTokens(e: Encoder): void {
  const self = changetype<usize>(e);
  const litlenCodes = self + CODES;
  const offsetCodes = litlenCodes + 4 * LITLEN_SYMBOLS;
  let out = e.out;
  let bits = e.bits;
  let filled: u64 = e.bitCount;
  const end = self + TOKENS + (e.tokens << 2);
  for (let at = self + TOKENS; at < end; at += 4) {
    const token = load<u32>(at);
    const length = token >> 16;
    if (length == 0) {
      const code = load<u32>(litlenCodes + (token << 2));
      bits |= (<u64>(code & 0xffff)) << filled;
      filled += code >> 16;
    } else {
      const symbol = lengthSymbol(length);
      const code = load<u32>(litlenCodes + (symbol << 2));
      bits |= (<u64>(code & 0xffff)) << filled;
      filled += code >> 16;
      bits |= (<u64>(length - load<u16>(LENGTH_BASE + ((symbol - 257) << 1)))) << filled;
      filled += load<u8>(LENGTH_EXTRA + symbol - 257);
      const offset = (token & 0xffff) + 1;
      const offsetAt = offsetSymbol(offset);
      const offsetCode = load<u32>(offsetCodes + (offsetAt << 2));
      bits |= (<u64>(offsetCode & 0xffff)) << filled;
      filled += offsetCode >> 16;
      bits |= (<u64>(offset - offsetBase(offsetAt))) << filled;
      filled += offsetExtra(offsetAt);
    }
    store<u64>(out, bits);
    out += <usize>(filled >> 3);
    bits >>= filled & 56;
    filled &= 7;
  }
  e.out = out;
  e.bits = bits;
  e.bitCount = <u32>filled;
  putCode(e, litlenCodes, END_OF_BLOCK);
}

function writeStored(e: Encoder, last: bool): void {
  const data = changetype<usize>(e) + WINDOW_AT + WINDOW;
  let at: u32 = 0;
  do {
    const length = min(e.filled - at, STORED_MOST);
    const isLast = last && at + length == e.filled;
    putBits(e, (isLast ? 1 : 0) | (BLOCK_STORED << 1), 3);
    alignBits(e);
    store<u16>(e.out, <u16>length);
    store<u16>(e.out, <u16>~length, 2);
    memory.copy(e.out + 4, data + at, length);
    e.out += 4 + length;
    at += length;
  } while (at < e.filled);
}

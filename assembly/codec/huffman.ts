/**
 * Decode tables of deflate's canonical Huffman codes: a main table indexed by the next bits, and subtables for longer
 * codewords. Codewords come bit-reversed, so a table is filled in the order of the reversed codeword and doubled when
 * the length goes up, which writes each entry once.
 */
import {
  COUNTS,
  ENTRY_END,
  ENTRY_EXCEPTIONAL,
  ENTRY_INVALID,
  LENGTHS,
  LITLEN_BITS,
  LITLEN_TABLE,
  litlenEntry,
  MAX_CODE_BITS,
  OFFSET_BITS,
  OFFSET_EXCEPTIONAL,
  OFFSET_TABLE,
  offsetEntry,
  PRECODE_BITS,
  PRECODE_SYMBOLS,
  PRECODE_TABLE,
  SORTED,
  STARTS,
} from './tables';

const KIND_LITLEN: u32 = 0;
const KIND_OFFSET: u32 = 1;
const KIND_PRECODE: u32 = 2;

/** Each builds from u8 code lengths and answers false when they are not a code zlib would accept. */
export function buildLitlen(tables: usize, count: u32): bool {
  return build(tables, KIND_LITLEN, tables + LENGTHS, count, LITLEN_BITS, MAX_CODE_BITS);
}

export function buildOffset(tables: usize, lengths: usize, count: u32): bool {
  return build(tables, KIND_OFFSET, lengths, count, OFFSET_BITS, MAX_CODE_BITS);
}

export function buildPrecode(tables: usize): bool {
  return build(tables, KIND_PRECODE, tables + LENGTHS, PRECODE_SYMBOLS, PRECODE_BITS, PRECODE_BITS);
}

function build(tables: usize, kind: u32, lengths: usize, count: u32, tableBits: u32, maxBits: u32): bool {
  const counts = tables + COUNTS;
  const used = sortByLength(tables, lengths, count, maxBits);
  let space: i32 = 0;
  for (let bits: u32 = 1; bits <= maxBits; bits++) space = (space << 1) + load<u32>(counts + (bits << 2));
  if (space > 1 << maxBits) return false;
  if (space < 1 << maxBits) return buildIncomplete(tables, kind, tableBits, used);
  return buildComplete(tables, kind, tableBits);
}

/** Symbols into SORTED, by length and then value; counts per length into COUNTS. Returns how many have a codeword. */
function sortByLength(tables: usize, lengths: usize, count: u32, maxBits: u32): u32 {
  const counts = tables + COUNTS;
  const starts = tables + STARTS;
  memory.fill(counts, 0, 64);
  for (let i: u32 = 0; i < count; i++) {
    const slot = counts + ((<u32>load<u8>(lengths + i)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  store<u32>(counts, 0);
  let total: u32 = 0;
  for (let bits: u32 = 1; bits <= maxBits; bits++) {
    store<u32>(starts + (bits << 2), total);
    total += load<u32>(counts + (bits << 2));
  }
  for (let i: u32 = 0; i < count; i++) {
    const bits: u32 = load<u8>(lengths + i);
    if (bits == 0) continue;
    const slot = starts + (bits << 2);
    const position = load<u32>(slot);
    store<u16>(tables + SORTED + (position << 1), <u16>i);
    store<u32>(slot, position + 1);
  }
  return total;
}

/**
 * The codes with unused codewords that are legal: no offset code at all (a block of literals), or one symbol of one
 * bit (RFC 1951 section 3.2.7). Every other entry is invalid.
 */
function buildIncomplete(tables: usize, kind: u32, tableBits: u32, used: u32): bool {
  if (kind == KIND_PRECODE) return false;
  if (used == 0 && kind == KIND_LITLEN) return false;
  if (used > 1 || (used == 1 && load<u32>(tables + COUNTS + 4) != 1)) return false;
  const size: u32 = (<u32>1) << tableBits;
  for (let i: u32 = 0; i < size; i++) putInvalid(tables, kind, i);
  if (used == 0) return true;
  const symbol: u32 = load<u16>(tables + SORTED);
  for (let i: u32 = 0; i < size; i += 2) put(tables, kind, i, symbol, 1);
  return true;
}

function buildComplete(tables: usize, kind: u32, tableBits: u32): bool {
  const counts = tables + COUNTS;
  const size: u32 = (<u32>1) << tableBits;
  let codeword: u32 = 0;
  let sorted = tables + SORTED;
  let bits: u32 = 1;
  let left: u32 = load<u32>(counts + 4);
  while (left == 0) left = load<u32>(counts + (++bits << 2));

  while (bits <= tableBits) {
    do {
      put(tables, kind, codeword, load<u16>(sorted), bits);
      sorted += 2;
      if (codeword == ((<u32>1) << bits) - 1) {
        for (; bits < tableBits; bits++) double(tables, kind, bits);
        return true;
      }
      codeword = successor(codeword, bits);
    } while (--left);
    do {
      if (++bits <= tableBits) double(tables, kind, bits - 1);
      left = load<u32>(counts + (bits << 2));
    } while (left == 0);
  }

  let prefix: u32 = 0xffffffff;
  let start: u32 = 0;
  let end: u32 = size;
  while (true) {
    if ((codeword & (size - 1)) != prefix) {
      prefix = codeword & (size - 1);
      start = end;
      // As wide as the longest codeword of this prefix: widen until the codewords left fill the subtable.
      let width = bits - tableBits;
      let filled = left;
      while (filled < (<u32>1) << width) {
        width++;
        filled = (filled << 1) + load<u32>(counts + ((tableBits + width) << 2));
      }
      end = start + ((<u32>1) << width);
      putSubtable(tables, kind, prefix, start, width, tableBits);
    }
    const symbol: u32 = load<u16>(sorted);
    sorted += 2;
    const step: u32 = (<u32>1) << (bits - tableBits);
    for (let i = start + (codeword >> tableBits); i < end; i += step) put(tables, kind, i, symbol, bits - tableBits);
    if (codeword == ((<u32>1) << bits) - 1) return true;
    codeword = successor(codeword, bits);
    left--;
    while (left == 0) left = load<u32>(counts + (++bits << 2));
  }
}

/** The next codeword, bit-reversed: clear the ones above the highest zero and set that zero. */
function successor(codeword: u32, bits: u32): u32 {
  const bit: u32 = (<u32>1) << (31 - clz<u32>(codeword ^ (((<u32>1) << bits) - 1)));
  return (codeword & (bit - 1)) | bit;
}

function put(tables: usize, kind: u32, index: u32, symbol: u32, bits: u32): void {
  if (kind == KIND_LITLEN) store<u32>(tables + (index << 2), litlenEntry(symbol, bits), LITLEN_TABLE);
  else if (kind == KIND_OFFSET) store<u64>(tables + (index << 3), offsetEntry(symbol, bits), OFFSET_TABLE);
  else store<u32>(tables + (index << 2), (symbol << 16) | bits, PRECODE_TABLE);
}

function putInvalid(tables: usize, kind: u32, index: u32): void {
  if (kind == KIND_OFFSET) store<u64>(tables + (index << 3), OFFSET_EXCEPTIONAL | 1, OFFSET_TABLE);
  else store<u32>(tables + (index << 2), ENTRY_END | ENTRY_INVALID | ENTRY_EXCEPTIONAL | 1, LITLEN_TABLE);
}

function putSubtable(tables: usize, kind: u32, index: u32, start: u32, width: u32, tableBits: u32): void {
  if (kind == KIND_OFFSET) {
    const entry = OFFSET_EXCEPTIONAL | ((<u64>start) << 16) | ((<u64>width) << 8) | tableBits;
    store<u64>(tables + (index << 3), entry, OFFSET_TABLE);
  } else {
    store<u32>(tables + (index << 2), (start << 16) | ENTRY_EXCEPTIONAL | (width << 8) | tableBits, LITLEN_TABLE);
  }
}

/** Repeats the first 2^bits entries after themselves. */
function double(tables: usize, kind: u32, bits: u32): void {
  const at = tables + (kind == KIND_LITLEN ? LITLEN_TABLE : kind == KIND_OFFSET ? OFFSET_TABLE : PRECODE_TABLE);
  const bytes: usize = (<usize>(kind == KIND_OFFSET ? 8 : 4)) << bits;
  memory.copy(at + bytes, at, bytes);
}

/**
 * Deflate (RFC 1951): block headers and the symbol loop, stopped and resumed at any byte of input and at chunk ends of
 * output. Bits are kept in a 64-bit buffer that is refilled without a branch: the bytes of a whole load are OR-ed in, but
 * only those that fit are counted, and OR-ing the rest again later changes nothing. `bitCount` is meaningful modulo 64.
 */
import { RUN_DONE, RUN_NEED_INPUT, RUN_OUTPUT } from '../../src/core/abi/codec';
import { E_CORRUPT, E_TRUNCATED, OK } from '../../src/core/abi/status';
import { Decoder, tablesOf } from './decoder-state';
import { buildLitlen, buildOffset, buildPrecode } from './huffman';
import { symbolLoop } from './inflate-loop';
import { CONTINUE_LATER, MODE_END, MODE_HEADER, MODE_STORED, MODE_SYMBOLS } from './inflate-mode';
import {
  fixedLitlenLengths,
  LENGTHS,
  LITLEN_SYMBOLS,
  OFFSET_SYMBOLS,
  PRECODE_ORDER,
  PRECODE_SYMBOLS,
  PRECODE_TABLE,
} from './tables';

/** No block header is longer: 17 bits, 19 * 3, and 320 lengths of 7 bits (a repeat code saves more than it costs). */
const HEADER_MOST_BYTES: usize = 400;

/** Starts a deflate stream at the next input byte; matches may not reach before the present output position. */
export function inflateBegin(d: Decoder): void {
  d.bits = 0;
  d.bitCount = 0;
  d.mode = MODE_HEADER;
  d.finalBlock = 0;
  d.history = d.out;
}

/** Decodes on. RUN_OUTPUT: the chunk is full. RUN_DONE: the final block ended; the input stands on the byte after it. */
export function inflateRun(d: Decoder): i32 {
  while (true) {
    const mode = d.mode;
    let status: i32 = OK;
    if (mode == MODE_SYMBOLS) status = symbolLoop(d);
    else if (mode == MODE_HEADER) status = blockHeader(d);
    else if (mode == MODE_STORED) status = storedBytes(d);
    else return endOfStream(d);
    if (status != OK) return status == CONTINUE_LATER ? RUN_NEED_INPUT : status;
  }
}

function endOfStream(d: Decoder): i32 {
  d.bits = 0;
  d.bitCount = 0;
  return d.inputAt > d.inputEnd ? E_TRUNCATED : RUN_DONE;
}

function storedBytes(d: Decoder): i32 {
  const left = d.storedLeft;
  if (left > 0) {
    if (d.out >= d.chunkEnd) return RUN_OUTPUT;
    if (d.inputAt >= d.inputEnd) return d.last ? E_TRUNCATED : CONTINUE_LATER;
    const take = min(min(<u32>(d.inputEnd - d.inputAt), <u32>(d.chunkEnd - d.out)), left);
    memory.copy(d.out, d.inputAt, take);
    d.inputAt += take;
    d.out += take;
    d.storedLeft = left - take;
    if (left > take) return OK;
  }
  d.mode = d.finalBlock ? MODE_END : MODE_HEADER;
  return OK;
}

function blockHeader(d: Decoder): i32 {
  if (!d.last && d.inputAt + HEADER_MOST_BYTES > d.inputEnd) return CONTINUE_LATER;
  if (d.inputAt > d.inputEnd) return E_TRUNCATED;
  let at = d.inputAt;
  let count = d.bitCount;
  let bits = d.bits | (load<u64>(at) << count);
  at += (63 - count) >> 3;
  count |= 56;
  d.finalBlock = <u32>bits & 1;
  const type = <u32>(bits >> 1) & 3;
  bits >>= 3;
  count -= 3;
  if (type == 0) return storedHeader(d, at - (count >> 3));
  if (type == 3) return E_CORRUPT;
  d.mode = MODE_SYMBOLS;
  if (type == 2) return dynamicHeader(d, at, bits, count);
  d.inputAt = at - (count >> 3);
  d.bitCount = count & 7;
  d.bits = bits & (((<u64>1) << (count & 7)) - 1);
  return fixedTables(tablesOf(d)) ? OK : E_CORRUPT;
}

function storedHeader(d: Decoder, at: usize): i32 {
  d.bits = 0;
  d.bitCount = 0;
  if (at + 4 > d.inputEnd) return E_TRUNCATED;
  const length: u32 = load<u16>(at);
  if ((length ^ load<u16>(at, 2)) != 0xffff) return E_CORRUPT;
  d.inputAt = at + 4;
  d.storedLeft = length;
  d.mode = MODE_STORED;
  return OK;
}

function fixedTables(tables: usize): bool {
  const lengths = tables + LENGTHS;
  memory.fill(lengths, 5, OFFSET_SYMBOLS);
  if (!buildOffset(tables, lengths, OFFSET_SYMBOLS)) return false;
  fixedLitlenLengths(lengths);
  return buildLitlen(tables, LITLEN_SYMBOLS);
}

function dynamicHeader(d: Decoder, at: usize, bits: u64, count: u32): i32 {
  const tables = tablesOf(d);
  const lengths = tables + LENGTHS;
  const litlens: u32 = 257 + (<u32>bits & 31);
  const offsets: u32 = 1 + (<u32>(bits >> 5) & 31);
  const precodes: u32 = 4 + (<u32>(bits >> 10) & 15);
  if (litlens > 286 || offsets > 30) return broken(d, at, count);
  bits >>= 14;
  count -= 14;
  memory.fill(lengths, 0, PRECODE_SYMBOLS);
  for (let i: u32 = 0; i < precodes; i++) {
    if (count < 3) {
      bits |= load<u64>(at) << count;
      at += (63 - count) >> 3;
      count |= 56;
    }
    store<u8>(lengths + load<u8>(PRECODE_ORDER + i), <u8>(bits & 7));
    bits >>= 3;
    count -= 3;
  }
  if (!buildPrecode(tables)) return broken(d, at, count);

  const total = litlens + offsets;
  let i: u32 = 0;
  while (i < total) {
    bits |= load<u64>(at) << count;
    at += (63 - count) >> 3;
    count |= 56;
    const entry = load<u32>(tables + ((<u32>bits & 127) << 2), PRECODE_TABLE);
    bits >>= <u64>(entry & 63);
    count -= entry & 63;
    const symbol = entry >> 16;
    if (symbol < 16) {
      store<u8>(lengths + i, <u8>symbol);
      i++;
      continue;
    }
    let repeat: u32;
    let value: u8 = 0;
    if (symbol == 16) {
      if (i == 0) return broken(d, at, count);
      value = load<u8>(lengths + i - 1);
      repeat = 3 + (<u32>bits & 3);
      bits >>= 2;
      count -= 2;
    } else if (symbol == 17) {
      repeat = 3 + (<u32>bits & 7);
      bits >>= 3;
      count -= 3;
    } else {
      repeat = 11 + (<u32>bits & 127);
      bits >>= 7;
      count -= 7;
    }
    memory.fill(lengths + i, value, repeat);
    i += repeat;
  }
  at -= count >> 3;
  if (at > d.inputEnd) return E_TRUNCATED;
  // A run over the end, or a block that could never end.
  if (i != total || load<u8>(lengths + 256) == 0) return E_CORRUPT;
  if (!buildOffset(tables, lengths + litlens, offsets)) return E_CORRUPT;
  if (!buildLitlen(tables, litlens)) return E_CORRUPT;
  d.inputAt = at;
  d.bitCount = count & 7;
  d.bits = bits & (((<u64>1) << (count & 7)) - 1);
  return OK;
}

/** What is wrong with a header: zeros read behind the end of the input do not count as its content. */
function broken(d: Decoder, at: usize, count: u32): i32 {
  return at - (count >> 3) > d.inputEnd ? E_TRUNCATED : E_CORRUPT;
}

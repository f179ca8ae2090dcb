/** The literals section of a block (RFC 8878 section 3.1.1.3.1): raw, one byte repeated, Huffman in one or four streams. */
import { Decoder, tablesOf } from '../decoder-state';
import { decodeFour, decodeOne } from './huffman-streams';
import { readTree } from './huffman-tree';
import { BLOCK_BYTES, LITERALS, SLACK } from './tables';

const TYPE_RAW: u32 = 0;
const TYPE_RLE: u32 = 1;
const TYPE_HUFFMAN: u32 = 2;

/** Reads the section at [at, end); d.literals and d.literalsLength say where they are. Bytes used, 0 when broken. */
export function readLiterals(d: Decoder, at: usize, end: usize): u32 {
  const header = load<u64>(at);
  const type = <u32>header & 3;
  const format = <u32>(header >> 2) & 3;
  if (type <= TYPE_RLE) {
    let length = <u32>(header >> 3) & 31;
    let used: u32 = 1;
    if (format == 1) {
      length = <u32>(header >> 4) & 0xfff;
      used = 2;
    } else if (format == 3) {
      length = <u32>(header >> 4) & 0xfffff;
      used = 3;
    }
    return plainLiterals(d, type, at, end, used, length);
  }
  let width: u32 = 10;
  let used: u32 = 3;
  if (format == 2) {
    width = 14;
    used = 4;
  } else if (format == 3) {
    width = 18;
    used = 5;
  }
  const mask: u32 = ((<u32>1) << width) - 1;
  const length = <u32>(header >> 4) & mask;
  const packed = <u32>(header >> (4 + width)) & mask;
  if (length > d.blockMax || used + packed > <u32>(end - at)) return 0;
  return huffmanLiterals(d, type, at + used, at + used + packed, length, format == 0) ? used + packed : 0;
}

function plainLiterals(d: Decoder, type: u32, at: usize, end: usize, used: u32, length: u32): u32 {
  if (length > d.blockMax) return 0;
  const stored: u32 = type == TYPE_RAW ? length : 1;
  if (used + stored > <u32>(end - at)) return 0;
  d.literalsLength = length;
  d.literals = at + used;
  if (type == TYPE_RLE) {
    d.literals = tablesOf(d) + LITERALS;
    memory.fill(d.literals, load<u8>(at + used), length);
  }
  return used + stored;
}

function huffmanLiterals(d: Decoder, type: u32, at: usize, end: usize, length: u32, single: bool): bool {
  const tables = tablesOf(d);
  if (type == TYPE_HUFFMAN) {
    d.huffmanReady = 0;
    const used = readTree(tables, at, end);
    if (used == 0) return false;
    d.huffmanReady = 1;
    at += used;
  } else if (!d.huffmanReady) {
    return false;
  }
  const out = tables + LITERALS;
  d.literals = out;
  d.literalsLength = length;
  if (single) return decodeOne(tables, at, end, out, length);
  return decodeFour(tables, at, end, out, length);
}

/** Bytes of the working tables, literals and their slack included. */
export const ZSTD_TABLES_BYTES: usize = LITERALS + BLOCK_BYTES + SLACK;

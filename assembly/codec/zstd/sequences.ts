/** The head of the sequences section (RFC 8878 section 3.1.1.3.2): how many, and the three decode tables. */
import { Decoder, tablesOf } from '../decoder-state';
import { buildTable, readCounts } from './fse';
import { runSequences } from './sequence-loop';
import {
  COUNTS,
  COUNTS_LOG,
  COUNTS_SYMBOLS,
  KIND_LITERAL_LENGTH,
  KIND_MATCH_LENGTH,
  KIND_OFFSET,
  LITERAL_LENGTH_DEFAULT,
  LITERAL_LENGTH_SYMBOLS,
  LITERAL_LENGTH_TABLE,
  MATCH_LENGTH_DEFAULT,
  MATCH_LENGTH_SYMBOLS,
  MATCH_LENGTH_TABLE,
  OFFSET_DEFAULT,
  OFFSET_DEFAULT_SYMBOLS,
  OFFSET_SYMBOLS,
  OFFSET_TABLE,
  sequenceEntry,
} from './tables';

const MODE_PREDEFINED: u32 = 0;
const MODE_RLE: u32 = 1;
const MODE_COMPRESSED: u32 = 2;

/** A table that no block of the frame has defined yet. */
export const LOG_UNSET: u32 = 255;

/** Executes the section at [at, end) and writes the block's output at d.out; false when it is broken. */
export function readSequences(d: Decoder, at: usize, end: usize): bool {
  if (at >= end) return false;
  const first: u32 = load<u8>(at++);
  if (first == 0) return at == end && literalsOnly(d);
  let count = first;
  if (first == 255) {
    if (end - at < 2) return false;
    count = <u32>load<u16>(at) + 0x7f00;
    at += 2;
  } else if (first >= 128) {
    if (at >= end) return false;
    count = ((first - 128) << 8) + load<u8>(at++);
  }
  if (count == 0 || at >= end) return false;
  const modes: u32 = load<u8>(at++);
  if (modes & 3) return false;
  let used = readTable(d, KIND_LITERAL_LENGTH, modes >> 6, at, end);
  if (used < 0) return false;
  at += used;
  used = readTable(d, KIND_OFFSET, (modes >> 4) & 3, at, end);
  if (used < 0) return false;
  at += used;
  used = readTable(d, KIND_MATCH_LENGTH, (modes >> 2) & 3, at, end);
  if (used < 0) return false;
  at += used;
  if (at >= end || load<u8>(end - 1) == 0) return false;
  return runSequences(d, at, end, count);
}

function literalsOnly(d: Decoder): bool {
  memory.copy(d.out, d.literals, d.literalsLength);
  d.out += d.literalsLength;
  return true;
}

/** Bytes used (0 for the modes without any), or -1. */
function readTable(d: Decoder, kind: u32, mode: u32, at: usize, end: usize): i32 {
  const tables = tablesOf(d);
  const table = tables + tableOf(kind);
  if (mode == MODE_PREDEFINED) {
    if (kind == KIND_LITERAL_LENGTH) {
      buildTable(tables, table, kind, LITERAL_LENGTH_DEFAULT, LITERAL_LENGTH_SYMBOLS, 6);
    } else if (kind == KIND_OFFSET) {
      buildTable(tables, table, kind, OFFSET_DEFAULT, OFFSET_DEFAULT_SYMBOLS, 5);
    } else {
      buildTable(tables, table, kind, MATCH_LENGTH_DEFAULT, MATCH_LENGTH_SYMBOLS, 6);
    }
    setLog(d, kind, kind == KIND_OFFSET ? 5 : 6);
    return 0;
  }
  const symbols =
    kind == KIND_LITERAL_LENGTH ? LITERAL_LENGTH_SYMBOLS : kind == KIND_OFFSET ? OFFSET_SYMBOLS : MATCH_LENGTH_SYMBOLS;
  if (mode == MODE_RLE) {
    if (at >= end || load<u8>(at) >= symbols) return -1;
    store<u64>(table, sequenceEntry(kind, load<u8>(at), 0, 0));
    setLog(d, kind, 0);
    return 1;
  }
  if (mode == MODE_COMPRESSED) {
    const used = readCounts(tables, at, end, kind == KIND_OFFSET ? 8 : 9, symbols);
    if (used == 0) return -1;
    const log = load<u32>(tables, COUNTS_LOG);
    buildTable(tables, table, kind, tables + COUNTS, load<u32>(tables, COUNTS_SYMBOLS), log);
    setLog(d, kind, log);
    return used;
  }
  return getLog(d, kind) == LOG_UNSET ? -1 : 0;
}

function tableOf(kind: u32): usize {
  return kind == KIND_LITERAL_LENGTH ? LITERAL_LENGTH_TABLE : kind == KIND_OFFSET ? OFFSET_TABLE : MATCH_LENGTH_TABLE;
}

function setLog(d: Decoder, kind: u32, log: u32): void {
  if (kind == KIND_LITERAL_LENGTH) d.literalLengthLog = log;
  else if (kind == KIND_OFFSET) d.offsetLog = log;
  else d.matchLengthLog = log;
}

function getLog(d: Decoder, kind: u32): u32 {
  return kind == KIND_LITERAL_LENGTH ? d.literalLengthLog : kind == KIND_OFFSET ? d.offsetLog : d.matchLengthLog;
}

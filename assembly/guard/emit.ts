/** Output: a list of pieces, each a stretch of the input as it is or of bytes written here. */
import {
  DETAIL_HEAP,
  PIECE_BYTES,
  RESULT_OUTPUT_LENGTH,
  RESULT_PIECE_COUNT,
  RESULT_PIECES_PTR,
} from '../../src/core/abi/guard';
import { E_NO_MEMORY } from '../../src/core/abi/status';
import { heapCommit, heapEnsure, heapTop } from './heap';
import { fail, failed, reserve, setResult } from './reader';

/** A LEB128 number in a fixed five bytes, so that it can be filled in later. */
const PADDED: usize = 5;

let pieces: usize = 0;
let pieceCount: u32 = 0;
let total: u32 = 0;
let writer: usize = 0;
let sectionSize: usize = 0;

export function emitReset(maxPieces: u32): void {
  pieces = reserve(<u64>maxPieces * PIECE_BYTES);
  pieceCount = 0;
  total = 0;
  writer = heapTop();
}

export function emitFinish(): void {
  setResult(RESULT_PIECES_PTR, <u32>pieces);
  setResult(RESULT_PIECE_COUNT, pieceCount);
  setResult(RESULT_OUTPUT_LENGTH, total);
}

/** Adds [start, end); joined to the last piece where it follows it. */
export function addPiece(start: usize, end: usize): void {
  if (start == end || failed()) return;
  total += <u32>(end - start);
  const last = pieces + (<usize>pieceCount - 1) * PIECE_BYTES;
  if (pieceCount != 0 && load<u32>(last) + load<u32>(last, 4) == <u32>start) {
    store<u32>(last, load<u32>(last, 4) + <u32>(end - start), 4);
    return;
  }
  store<u32>(pieces + <usize>pieceCount * PIECE_BYTES, <u32>start);
  store<u32>(pieces + <usize>pieceCount * PIECE_BYTES, <u32>(end - start), 4);
  pieceCount++;
}

/** Makes room for `bytes` of output; false (and a fault) when there is none. */
export function emitRoom(bytes: u64): bool {
  if (heapEnsure(writer, bytes)) return true;
  fail(E_NO_MEMORY, DETAIL_HEAP);
  return false;
}

export function emitPosition(): usize {
  return writer;
}

export function emitByte(byte: u32): void {
  store<u8>(writer++, byte);
}

export function emitU32(value: u32): void {
  while (value >= 0x80) {
    store<u8>(writer++, (value & 0x7f) | 0x80);
    value >>= 7;
  }
  store<u8>(writer++, value);
}

/** Signed LEB128, as i32.const wants it. */
export function emitI32(value: i32): void {
  while (value < -64 || value > 63) {
    store<u8>(writer++, (value & 0x7f) | 0x80);
    value >>= 7;
  }
  store<u8>(writer++, value & 0x7f);
}

export function emitCopy(start: usize, end: usize): void {
  memory.copy(writer, start, end - start);
  writer += end - start;
}

/** Leaves room for a size that emitSize fills in. */
export function emitHole(): usize {
  const hole = writer;
  writer += PADDED;
  return hole;
}

/** Writes into the hole how many bytes followed it. */
export function emitSize(hole: usize): void {
  let value = <u32>(writer - hole - PADDED);
  for (let i: usize = 0; i < PADDED - 1; i++) {
    store<u8>(hole + i, (value & 0x7f) | 0x80);
    value >>= 7;
  }
  store<u8>(hole + PADDED - 1, value);
}

export function sectionBegin(id: u32): void {
  emitByte(id);
  sectionSize = emitHole();
}

export function sectionEnd(): void {
  emitSize(sectionSize);
  addPiece(sectionSize - 1, writer);
  heapCommit(writer);
}

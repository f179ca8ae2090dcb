/**
 * Where a transaction's bytes go: gathered in a task's TASK_IO, checksummed, handed to the host; the frame is written
 * last, so that a transaction cut short has none.
 */
import { EIO, TASK_IO_BYTES, TRANSACTION_BYTES, TRANSACTION_MAGIC } from '../../src/core/abi/kernel';
import { xxh64Digest, xxh64Init, xxh64Update } from '../hash/xxh64';
import { journal_write } from './host';
import { S_CHECKSUM, superblock } from './superblock';

/** A replay buffer is one allocation. */
const METADATA_MAX: u64 = 0x7fff0000;

// One call long.
let stage: usize = 0;
let staged: u32 = 0;
let generation: u32 = 0;
let start: u64 = 0;
let position: u64 = 0;
let failure: i32 = 0;
let metadataBytes: u64 = 0;
let dataBytes: u64 = 0;

/** A transaction at `at` of the generation's file. */
export function sinkBegin(room: usize, into: u32, at: u64): void {
  stage = room;
  staged = 0;
  generation = into;
  start = at;
  position = at + TRANSACTION_BYTES;
  failure = 0;
  metadataBytes = 0;
  dataBytes = 0;
  xxh64Init(superblock() + S_CHECKSUM);
}

/** The frame; `replaces`: the file takes the place of the generation's before. 0 or -errno: then nothing has happened. */
export function sinkEnd(number: u32, replaces: bool): i32 {
  flush();
  if (metadataBytes > METADATA_MAX) return -EIO;
  const next = position;
  store<u32>(stage, TRANSACTION_MAGIC);
  store<u32>(stage, number, 4);
  store<u32>(stage, <u32>metadataBytes, 8);
  store<u64>(stage, dataBytes, 16);
  store<u64>(stage, 0, 24);
  store<u32>(stage, frameChecksum(stage), 12);
  position = start;
  write(stage, TRANSACTION_BYTES);
  position = next;
  if (replaces && failure == 0) failure = journal_write(generation, <u32>next, <u32>(next >> 32), 0, 0);
  return failure;
}

/** Behind what was written. */
export function sinkPosition(): u64 {
  return position;
}

/** Ends the checksum of a transaction with what its frame says. */
export function frameChecksum(frame: usize): u32 {
  const checksum = superblock() + S_CHECKSUM;
  xxh64Update(checksum, frame, 12);
  xxh64Update(checksum, frame + 16, 16);
  const digest = xxh64Digest(checksum);
  return <u32>digest ^ <u32>(digest >> 32);
}

function write(pointer: usize, length: u32): void {
  if (failure < 0 || length == 0) return;
  const result = journal_write(generation, <u32>position, <u32>(position >> 32), pointer, length);
  if (result < 0) failure = result;
  position += length;
}

function flush(): void {
  xxh64Update(superblock() + S_CHECKSUM, stage, staged);
  write(stage, staged);
  staged = 0;
}

/** Room for `length` bytes of metadata (at most TASK_IO_BYTES), good until the next call of this file. */
export function room(length: u32): usize {
  if (staged + length > <u32>TASK_IO_BYTES) flush();
  const at = stage + staged;
  staged += length;
  metadataBytes += length;
  return at;
}

/** A record's zeroed fixed part with its type and the length of the name that follows. */
export function record(type: u32, nameLength: u32, bytes: u32): usize {
  const at = room(bytes);
  memory.fill(at, 0, bytes);
  store<u16>(at, <u16>type);
  store<u16>(at, <u16>nameLength, 2);
  return at;
}

/** File data; small pieces travel together. */
export function data(pointer: usize, length: u32): void {
  dataBytes += length;
  if (staged + length <= <u32>TASK_IO_BYTES) {
    memory.copy(stage + staged, pointer, length);
    staged += length;
    return;
  }
  flush();
  xxh64Update(superblock() + S_CHECKSUM, pointer, length);
  write(pointer, length);
}

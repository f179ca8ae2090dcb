/**
 * What one decoder remembers, and the buffers it owns. One region of linear memory:
 *
 * ```
 * d + 0            Decoder, the fields below (STATE_BYTES reserved)
 * d + SCRATCH      CRC-32 delay line
 * d + TABLES       tables of the running format: tables.ts (deflate) or zstd/tables.ts
 * d + INPUT        INPUT_FRONT bytes that may be read but mean nothing (a backward bit reader may look before its start)
 *                  INPUT_BYTES of compressed bytes
 *                  INPUT_BACK bytes that may be read (a forward bit reader looks ahead); zeros once the input has ended
 * ```
 *
 * The output ring is a region of its own, because a zstd window is only known when its frame starts (output.ts).
 */
import { CRC32_SCRATCH_BYTES } from '../hash/crc32';
import { XXH64_BYTES } from '../hash/xxh64';

export const STATE_BYTES: u32 = 384;
export const HASH: u32 = STATE_BYTES - XXH64_BYTES;
export const SCRATCH: u32 = STATE_BYTES;
export const TABLES: u32 = (SCRATCH + CRC32_SCRATCH_BYTES + 63) & ~63;
export const TABLES_BYTES: u32 = 176 * 1024;
export const INPUT: u32 = TABLES + TABLES_BYTES;
export const INPUT_FRONT: u32 = 64;
export const INPUT_BYTES: u32 = 384 * 1024;
export const INPUT_BACK: u32 = 1024;
export const DECODER_BYTES: u32 = INPUT + INPUT_FRONT + INPUT_BYTES + INPUT_BACK;
export const RETIRED_MAX: u32 = 16;

@unmanaged
export class Decoder {
  /** FORMAT_*; FORMAT_AUTO until the first bytes were seen. */
  format: u32;
  /** Where the format's state machine stands; each format has its own PHASE_*. */
  phase: u32;
  /** The E_* this decoder ended with, or 0. */
  failure: i32;
  /** Chunks of output the caller keeps in use at once. */
  slots: u32;
  windowLimit: u32;
  /** 1 once the caller said that no more input comes. */
  last: u32;

  /** Next unread byte, and the end of what was given. */
  inputAt: usize;
  inputEnd: usize;

  /** The ring (output.ts). */
  ring: usize;
  ringEnd: usize;
  /** First byte of the chunk in the making; next byte to write; from where on nothing starts in this chunk. */
  chunkStart: usize;
  out: usize;
  chunkEnd: usize;
  /** The chunk decoderRun answered with. */
  ready: usize;
  readyLength: u32;
  /** Output up to here is in the checksum. */
  checkedTo: usize;
  /** Checksum of this member and its bytes so far. */
  checksum: u32;
  memberBytes: u64;
  members: u32;

  /** First byte of output a deflate match may reach. */
  history: usize;
  bits: u64;
  bitCount: u32;
  mode: u32;
  finalBlock: u32;
  storedLeft: u32;
  /** gzip header: flags, CRC so far, bytes of the extra field or (zstd) of a skippable frame left. */
  headerFlags: u32;
  headerCrc: u32;
  skipLeft: u32;

  /** zstd frame: window, content size (when frameFlags says it is known), bytes made so far, what is in force. */
  window: u32;
  blockMax: u32;
  frameFlags: u32;
  contentSize: u64;
  frameBytes: u64;
  repeat1: u32;
  repeat2: u32;
  repeat3: u32;
  literalLengthLog: u32;
  matchLengthLog: u32;
  offsetLog: u32;
  huffmanReady: u32;
  /** Where the ring's older part ends once the writer has wrapped; 0 before. */
  olderEnd: usize;
  literals: usize;
  literalsLength: u32;

  retiredCount: u32;
  // u32[RETIRED_MAX] rings that were outgrown follow at RETIRED: a consumer may still read them.
}

export const RETIRED: u32 = 232;

export function scratchOf(d: Decoder): usize {
  return changetype<usize>(d) + SCRATCH;
}

export function tablesOf(d: Decoder): usize {
  return changetype<usize>(d) + TABLES;
}

export function inputStart(d: Decoder): usize {
  return changetype<usize>(d) + INPUT + INPUT_FRONT;
}

/**
 * The output ring. Output goes to one contiguous stretch per chunk; a chunk stays untouched while at most `slots - 1`
 * later chunks are asked for, so a second thread may still hash it. Two uses:
 *
 * ```
 * plain, deflate   | history, 32 KiB | slot | slot | ... | overrun |
 *                  At the end of the last slot the writer returns to the first and copies the history in front of it.
 * zstd             |           window and slots            | overrun |
 *                  At the end the writer returns to the start; a match may then reach into the older part, up to
 *                  `olderEnd`. Nothing is copied, however big the window is.
 * ```
 */
import { CHUNK_BYTES, CHUNK_OVERRUN } from '../../src/core/abi/codec';
import { E_LIMIT, E_NO_MEMORY, OK } from '../../src/core/abi/status';
import { regionAlloc, regionFree } from '../memory/region';
import { Decoder, RETIRED, RETIRED_MAX } from './decoder-state';

export const HISTORY_BYTES: u32 = 32768;
const SLOT_BYTES: u32 = CHUNK_BYTES + CHUNK_OVERRUN;

/** Ring of plain and deflate. One slot more than asked for, because chunks differ a little in length from lap to lap. */
export function openLinearRing(d: Decoder): i32 {
  const status = ensureRing(d, HISTORY_BYTES + (d.slots + 1) * SLOT_BYTES);
  if (status < 0) return status;
  d.out = d.ring + HISTORY_BYTES;
  d.history = d.out;
  beginLinearChunk(d);
  return OK;
}

/** Starts the next chunk of plain or deflate output. */
export function beginLinearChunk(d: Decoder): void {
  if (d.out + SLOT_BYTES > d.ringEnd) {
    const keep = min(d.out - d.history, <usize>HISTORY_BYTES);
    const front = d.ring + HISTORY_BYTES;
    memory.copy(front - keep, d.out - keep, keep);
    d.out = front;
    d.history = front - keep;
  }
  d.chunkStart = d.out;
  d.checkedTo = d.out;
  d.chunkEnd = d.out + CHUNK_BYTES;
}

/**
 * Length of the ring of a zstd frame: when the writer is about to wrap, `window` bytes before it and the chunks in use
 * must survive the block that is written next.
 */
function windowRingBytes(d: Decoder, window: u32): u32 {
  return max(window, (d.slots + 1) * SLOT_BYTES) + 2 * SLOT_BYTES;
}

export function windowFits(d: Decoder, window: u32): bool {
  return d.ring != 0 && d.ringEnd - d.ring >= windowRingBytes(d, window);
}

/** A ring for frames of this window; the next chunk starts at its first byte. */
export function openWindowRing(d: Decoder, window: u32): i32 {
  const status = ensureRing(d, windowRingBytes(d, window));
  if (status < 0) return status;
  d.out = d.ring;
  d.chunkStart = d.ring;
  d.olderEnd = 0;
  return OK;
}

/** Starts the next chunk of zstd output. */
export function beginWindowChunk(d: Decoder): void {
  if (d.out + SLOT_BYTES > d.ringEnd) {
    d.olderEnd = d.out;
    d.out = d.ring;
  }
  d.chunkStart = d.out;
}

/** Makes the ring at least `bytes` long. The old one is kept until the decoder is reset: a consumer may still read it. */
function ensureRing(d: Decoder, bytes: u32): i32 {
  const have: u32 = <u32>(d.ringEnd - d.ring);
  if (d.ring != 0) {
    if (have >= bytes) return OK;
    if (d.retiredCount == RETIRED_MAX) return E_LIMIT;
    store<u32>(changetype<usize>(d) + RETIRED + (d.retiredCount << 2), <u32>d.ring);
    d.retiredCount++;
    d.ring = 0;
    // Outgrown rings stay allocated for a while, so grow at least by half: their sum stays below twice the last one.
    bytes = max(bytes, have + (have >> 1));
  }
  const ring = regionAlloc(bytes + CHUNK_OVERRUN);
  if (ring == 0) return E_NO_MEMORY;
  d.ring = ring;
  d.ringEnd = ring + bytes;
  return OK;
}

/** Frees the rings that were outgrown, and with `all` the present one. */
export function releaseRings(d: Decoder, all: bool): void {
  for (let i: u32 = 0; i < d.retiredCount; i++) {
    regionFree(load<u32>(changetype<usize>(d) + RETIRED + (i << 2)));
  }
  d.retiredCount = 0;
  if (all) {
    regionFree(d.ring);
    d.ring = 0;
    d.ringEnd = 0;
  }
}

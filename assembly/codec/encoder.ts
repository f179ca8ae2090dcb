/**
 * The compressor: gzip (RFC 1952), one member. The same bytes in make the same bytes out, on every host and however they
 * were cut into pushes.
 *
 * ```
 *   e = encoderNew()                                   0: no memory
 *   loop
 *     write up to encoderInputSpace(e) bytes at encoderInput(e), then n = encoderPush(e, count)
 *     n output bytes, often none, are at encoderOutput(e), until the next call
 *   n = encoderEnd(e), the last ones; encoderFree(e)
 * ```
 */
import { E_STATE } from '../../src/core/abi/status';
import { CRC32_SCRATCH_BYTES, crc32Update } from '../hash/crc32';
import { regionAlloc, regionFree } from '../memory/region';
import { alignBits, writeBlock } from './deflate-block';
import { findMatches, forgetMatches, slideWindow } from './deflate-matches';
import { CODES, ENCODER_BYTES, Encoder, FREQUENCIES, HEADS, OUTPUT, PIECE, WINDOW, WINDOW_AT } from './encoder-state';

const SCRATCH: u32 = (ENCODER_BYTES + 15) & ~15;
/** Magic, deflate, no flags, no time, no level, an unknown system: nothing that differs by host or day. */
const HEADER_LOW: u64 = 0x0000_0000_0008_8b1f;
const HEADER_HIGH: u16 = 0xff00;

/** A compressor, or 0 when memory cannot grow. */
export function encoderNew(): usize {
  const address = regionAlloc(SCRATCH + CRC32_SCRATCH_BYTES);
  if (address == 0) return 0;
  memory.fill(address, 0, HEADS);
  const e = changetype<Encoder>(address);
  memory.fill(address + WINDOW_AT, 0, WINDOW);
  forgetMatches(e);
  return address;
}

export function encoderFree(address: usize): void {
  regionFree(address);
}

/** Where to write input. */
export function encoderInput(address: usize): usize {
  return address + WINDOW_AT + WINDOW + changetype<Encoder>(address).filled;
}

/** How many bytes may be written there, never none before the end. */
export function encoderInputSpace(address: usize): u32 {
  const e = changetype<Encoder>(address);
  return e.ended != 0 ? 0 : PIECE - e.filled;
}

/** `count` bytes were written at encoderInput. How many bytes of output there are, or E_STATE. */
export function encoderPush(address: usize, count: u32): i32 {
  const e = changetype<Encoder>(address);
  if (count > encoderInputSpace(address)) return E_STATE;
  e.filled += count;
  if (e.filled < PIECE) return 0;
  beginOutput(e);
  compress(e, false);
  slideWindow(e);
  e.filled = 0;
  return outputLength(e);
}

/** No more input comes. How many bytes of output there are, or E_STATE when it was said before. */
export function encoderEnd(address: usize): i32 {
  const e = changetype<Encoder>(address);
  if (e.ended != 0) return E_STATE;
  e.ended = 1;
  beginOutput(e);
  compress(e, true);
  alignBits(e);
  store<u32>(e.out, e.checksum);
  store<u32>(e.out, e.totalBytes, 4);
  e.out += 8;
  return outputLength(e);
}

export function encoderOutput(address: usize): usize {
  return address + OUTPUT;
}

function beginOutput(e: Encoder): void {
  e.out = changetype<usize>(e) + OUTPUT;
  if (e.begun != 0) return;
  e.begun = 1;
  store<u64>(e.out, HEADER_LOW);
  store<u16>(e.out, HEADER_HIGH, 8);
  e.out += 10;
}

function outputLength(e: Encoder): i32 {
  return <i32>(e.out - changetype<usize>(e) - OUTPUT);
}

function compress(e: Encoder, last: bool): void {
  const self = changetype<usize>(e);
  e.checksum = crc32Update(e.checksum, self + WINDOW_AT + WINDOW, e.filled, self + SCRATCH);
  e.totalBytes += e.filled;
  memory.fill(self + FREQUENCIES, 0, CODES - FREQUENCIES);
  findMatches(e);
  writeBlock(e, last);
}

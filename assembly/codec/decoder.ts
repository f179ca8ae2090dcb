/**
 * The one decoder: compressed bytes are pushed in, plain bytes come out in chunks that lie still in linear memory.
 * Re-entrant at any byte of input; its memory depends on the format and window, never on the length of the stream; any
 * number of decoders live side by side.
 *
 * ```
 *   d = decoderNew(FORMAT_AUTO, WINDOW_LIMIT_DEFAULT, slots)          0: no memory
 *   loop
 *     write up to decoderInputSpace(d) bytes at decoderInput(d), then decoderPush(d, count); after the last, decoderEnd(d)
 *     loop
 *       status = decoderRun(d)
 *       RUN_OUTPUT      bytes are at [decoderOutput(d), + decoderOutputLength(d)), never empty; call again
 *       RUN_NEED_INPUT  push more (at least one byte) or say decoderEnd, then call again
 *       RUN_DONE        everything was decoded and every checksum, length and end is right; there is no further output
 *       E_*             final; what came out so far is not to be trusted. Later calls answer the same
 *   decoderReset(d, format, windowLimit) uses it again, keeping its buffers; decoderFree(d) gives them back
 * ```
 *
 * Chunks are CHUNK_BYTES long (the last one, and those of zstd, may be shorter; CHUNK_OVERRUN longer at most). A chunk
 * lies untouched until decoderRun was called `slots` more times: with slots = 8 a second thread may be seven chunks
 * behind. With slots = 1 a chunk is good until the next call. Reset and free end all of them.
 *
 * decoderInput and decoderInputSpace may move unread input, so ask anew before every write, pointer first. Addresses
 * stay valid when memory grows; JavaScript must take new views.
 */
import {
  FORMAT_AUTO,
  FORMAT_DEFLATE,
  FORMAT_GZIP,
  FORMAT_ZLIB,
  FORMAT_ZSTD,
  RUN_DONE,
  RUN_NEED_INPUT,
  RUN_OUTPUT,
} from '../../src/core/abi/codec';
import { E_STATE, OK } from '../../src/core/abi/status';
import { regionAlloc, regionFree } from '../memory/region';
import { DECODER_BYTES, Decoder, INPUT_BACK, INPUT_BYTES, inputStart, STATE_BYTES } from './decoder-state';
import { gzipCheck, gzipRun } from './gzip';
import { beginLinearChunk, beginWindowChunk, openLinearRing, releaseRings } from './output';
import { sniffFormat } from './sniff';
import { deflateRun, zlibCheck, zlibRun } from './zlib';
import { zstdRun } from './zstd/frame';

/** Room for this much is made by moving unread input to the front; more often would cost more than it gives. */
const ROOM: u32 = INPUT_BYTES / 4;

/** A decoder, or 0 when memory cannot grow. `windowLimit` bounds zstd windows, in bytes; `slots` is at least 1. */
export function decoderNew(format: u32, windowLimit: u32, slots: u32): usize {
  if (format > <u32>FORMAT_ZSTD || slots == 0 || slots > 1024) return 0;
  const address = regionAlloc(DECODER_BYTES);
  if (address == 0) return 0;
  memory.fill(address, 0, STATE_BYTES);
  const d = changetype<Decoder>(address);
  d.slots = slots;
  start(d, format, windowLimit);
  return address;
}

/** Forgets the stream, whatever its state, and stands ready for another. OK or E_STATE (no such format). */
export function decoderReset(address: usize, format: u32, windowLimit: u32): i32 {
  if (format > <u32>FORMAT_ZSTD) return E_STATE;
  const d = changetype<Decoder>(address);
  releaseRings(d, false);
  const ring = d.ring;
  const ringEnd = d.ringEnd;
  const slots = d.slots;
  memory.fill(address, 0, STATE_BYTES);
  d.ring = ring;
  d.ringEnd = ringEnd;
  d.slots = slots;
  start(d, format, windowLimit);
  return OK;
}

export function decoderFree(address: usize): void {
  if (address == 0) return;
  releaseRings(changetype<Decoder>(address), true);
  regionFree(address);
}

/** Where to write input. */
export function decoderInput(address: usize): usize {
  const d = changetype<Decoder>(address);
  const start = inputStart(d);
  const unread = d.inputEnd - d.inputAt;
  if (unread == 0 || start + INPUT_BYTES - d.inputEnd < ROOM) {
    // Deflate may stand up to a few bytes behind the end when the stream is broken; then nothing is unread.
    if (d.inputAt < d.inputEnd) memory.copy(start, d.inputAt, unread);
    else if (d.inputAt > d.inputEnd) return d.inputEnd;
    d.inputAt = start;
    d.inputEnd = start + unread;
  }
  return d.inputEnd;
}

/** How many bytes may be written there; not zero when decoderRun said RUN_NEED_INPUT. */
export function decoderInputSpace(address: usize): u32 {
  const d = changetype<Decoder>(address);
  return d.last ? 0 : <u32>(inputStart(d) + INPUT_BYTES - decoderInput(address));
}

/** `count` bytes were written at decoderInput. OK, or E_STATE when that is more than there was room for. */
export function decoderPush(address: usize, count: u32): i32 {
  const d = changetype<Decoder>(address);
  if (d.last || count > <u32>(inputStart(d) + INPUT_BYTES - d.inputEnd)) return E_STATE;
  d.inputEnd += count;
  return OK;
}

/** No more input comes. */
export function decoderEnd(address: usize): void {
  const d = changetype<Decoder>(address);
  if (d.last) return;
  d.last = 1;
  memory.fill(d.inputEnd, 0, INPUT_BACK);
}

export function decoderRun(address: usize): i32 {
  const d = changetype<Decoder>(address);
  if (d.failure < 0) return d.failure;
  let status: i32 = OK;
  if (d.format == FORMAT_AUTO) {
    status = chooseFormat(d);
    if (status != OK) return fail(d, status);
    if (d.format == FORMAT_AUTO) return RUN_NEED_INPUT;
  }
  if (d.chunkStart == 0) {
    status = openRing(d);
    if (status < 0) return fail(d, status);
  } else if (d.ready != 0) {
    if (d.format == FORMAT_ZSTD) beginWindowChunk(d);
    else beginLinearChunk(d);
  }
  d.ready = 0;
  status = runFormat(d);
  if (status < 0) return fail(d, status);
  if (status == RUN_NEED_INPUT) return status;
  if (status == RUN_DONE && d.out == d.chunkStart) return status;
  if (d.format == FORMAT_GZIP) gzipCheck(d);
  else if (d.format == FORMAT_ZLIB) zlibCheck(d);
  d.ready = d.chunkStart;
  d.readyLength = <u32>(d.out - d.chunkStart);
  return RUN_OUTPUT;
}

export function decoderOutput(address: usize): usize {
  return changetype<Decoder>(address).ready;
}

export function decoderOutputLength(address: usize): u32 {
  return changetype<Decoder>(address).readyLength;
}

/** FORMAT_* in force; FORMAT_AUTO until enough bytes were seen. */
export function decoderFormat(address: usize): u32 {
  return changetype<Decoder>(address).format;
}

/** Input bytes that were pushed and not yet decoded. */
export function decoderUnread(address: usize): u32 {
  const d = changetype<Decoder>(address);
  return d.inputAt < d.inputEnd ? <u32>(d.inputEnd - d.inputAt) : 0;
}

function start(d: Decoder, format: u32, windowLimit: u32): void {
  d.format = format;
  d.windowLimit = windowLimit;
  d.inputAt = inputStart(d);
  d.inputEnd = d.inputAt;
}

function chooseFormat(d: Decoder): i32 {
  d.format = sniffFormat(d.inputAt, <u32>(d.inputEnd - d.inputAt), d.last);
  return OK;
}

function openRing(d: Decoder): i32 {
  if (d.format != FORMAT_ZSTD) return openLinearRing(d);
  d.chunkStart = d.ring;
  d.out = d.ring;
  return OK;
}

function runFormat(d: Decoder): i32 {
  switch (d.format) {
    case FORMAT_GZIP:
      return gzipRun(d);
    case FORMAT_ZSTD:
      return zstdRun(d);
    case FORMAT_ZLIB:
      return zlibRun(d);
    case FORMAT_DEFLATE:
      return deflateRun(d);
    default:
      return plainRun(d);
  }
}

function plainRun(d: Decoder): i32 {
  const take = min(d.inputEnd - d.inputAt, d.chunkEnd - d.out);
  memory.copy(d.out, d.inputAt, take);
  d.inputAt += take;
  d.out += take;
  if (d.out == d.chunkEnd) return RUN_OUTPUT;
  return d.last ? RUN_DONE : RUN_NEED_INPUT;
}

function fail(d: Decoder, status: i32): i32 {
  d.failure = status;
  return status;
}

/** zlib (RFC 1950) and bare deflate: one stream, nothing may follow it. */
import { RUN_DONE, RUN_NEED_INPUT } from '../../src/core/abi/codec';
import { E_CHECKSUM, E_CORRUPT, E_TRUNCATED, E_UNSUPPORTED } from '../../src/core/abi/status';
import { adler32Update } from '../hash/adler32';
import { Decoder } from './decoder-state';
import { inflateBegin, inflateRun } from './inflate';

const PHASE_HEADER: u32 = 0;
const PHASE_BODY: u32 = 1;
const PHASE_TRAILER: u32 = 2;
const PHASE_END: u32 = 3;

export function zlibRun(d: Decoder): i32 {
  if (d.phase == PHASE_HEADER) {
    if (d.inputEnd - d.inputAt < 2) return starved(d);
    const method: u32 = load<u8>(d.inputAt);
    const flags: u32 = load<u8>(d.inputAt, 1);
    if (((method << 8) | flags) % 31 != 0) return E_CORRUPT;
    // Deflate with a window of at most 32 KiB; no preset dictionary.
    if ((method & 15) != 8 || flags & 0x20) return E_UNSUPPORTED;
    if (method >> 4 > 7) return E_CORRUPT;
    d.inputAt += 2;
    begin(d);
  }
  if (d.phase == PHASE_BODY) {
    const status = inflateRun(d);
    if (status != RUN_DONE) return status;
    d.phase = PHASE_TRAILER;
  }
  if (d.phase == PHASE_TRAILER) {
    if (d.inputEnd - d.inputAt < 4) return starved(d);
    zlibCheck(d);
    if (bswap<u32>(load<u32>(d.inputAt)) != d.checksum) return E_CHECKSUM;
    d.inputAt += 4;
    d.phase = PHASE_END;
  }
  return atEnd(d);
}

export function deflateRun(d: Decoder): i32 {
  if (d.phase == PHASE_HEADER) begin(d);
  if (d.phase == PHASE_BODY) {
    const status = inflateRun(d);
    if (status != RUN_DONE) return status;
    d.phase = PHASE_END;
  }
  return atEnd(d);
}

export function zlibCheck(d: Decoder): void {
  d.checksum = adler32Update(d.checksum, d.checkedTo, <u32>(d.out - d.checkedTo));
  d.checkedTo = d.out;
}

function begin(d: Decoder): void {
  d.checksum = 1;
  d.checkedTo = d.out;
  inflateBegin(d);
  d.phase = PHASE_BODY;
}

function starved(d: Decoder): i32 {
  return d.last ? E_TRUNCATED : RUN_NEED_INPUT;
}

function atEnd(d: Decoder): i32 {
  if (d.inputAt < d.inputEnd) return E_CORRUPT;
  return d.last ? RUN_DONE : RUN_NEED_INPUT;
}

/**
 * gzip (RFC 1952): any number of members, each with its header, CRC-32 and length checked.
 *
 * What follows the last member: zero bytes are padding, as GNU gzip and tape tools have it. Anything else is an error.
 * GNU gzip ignores such bytes with a warning and Go's reader (containerd, docker) refuses them; a layer that two tools
 * read differently is refused here too.
 */
import { RUN_DONE, RUN_NEED_INPUT } from '../../src/core/abi/codec';
import { E_CHECKSUM, E_CORRUPT, E_TRUNCATED, E_UNSUPPORTED } from '../../src/core/abi/status';
import { crc32Update } from '../hash/crc32';
import { Decoder, scratchOf } from './decoder-state';
import { inflateBegin, inflateRun } from './inflate';

const FLAG_HEADER_CRC: u32 = 0x02;
const FLAG_EXTRA: u32 = 0x04;
const FLAG_NAME: u32 = 0x08;
const FLAG_COMMENT: u32 = 0x10;
const FLAGS_RESERVED: u32 = 0xe0;

const PHASE_HEADER: u32 = 0;
const PHASE_EXTRA_LENGTH: u32 = 1;
const PHASE_EXTRA: u32 = 2;
const PHASE_NAME: u32 = 3;
const PHASE_COMMENT: u32 = 4;
const PHASE_HEADER_CRC: u32 = 5;
const PHASE_BODY: u32 = 6;
const PHASE_TRAILER: u32 = 7;
const PHASE_PADDING: u32 = 8;

export function gzipRun(d: Decoder): i32 {
  while (true) {
    const phase = d.phase;
    if (phase == PHASE_BODY) {
      const status = inflateRun(d);
      if (status != RUN_DONE) return status;
      d.phase = PHASE_TRAILER;
    } else if (phase == PHASE_TRAILER) {
      if (d.inputEnd - d.inputAt < 8) return starved(d);
      const status = trailer(d);
      if (status < 0) return status;
    } else if (phase == PHASE_PADDING) {
      return padding(d);
    } else {
      const status = phase == PHASE_HEADER ? header(d) : headerField(d, phase);
      if (status != GO_ON) return status;
    }
  }
}

/** Checksum and count of what was decoded since the last call. */
export function gzipCheck(d: Decoder): void {
  const length = <u32>(d.out - d.checkedTo);
  d.checksum = crc32Update(d.checksum, d.checkedTo, length, scratchOf(d));
  d.memberBytes += length;
  d.checkedTo = d.out;
}

const GO_ON: i32 = 100;

function starved(d: Decoder): i32 {
  return d.last ? E_TRUNCATED : RUN_NEED_INPUT;
}

function header(d: Decoder): i32 {
  const at = d.inputAt;
  const available = d.inputEnd - at;
  if (d.members > 0) {
    if (available == 0) return d.last ? RUN_DONE : RUN_NEED_INPUT;
    if (load<u8>(at) == 0) {
      d.phase = PHASE_PADDING;
      return GO_ON;
    }
    if (load<u8>(at) != 0x1f) return E_CORRUPT;
  }
  if (available < 10) return starved(d);
  if (load<u16>(at) != 0x8b1f) return E_CORRUPT;
  if (load<u8>(at, 2) != 8) return E_UNSUPPORTED;
  const flags: u32 = load<u8>(at, 3);
  if (flags & FLAGS_RESERVED) return E_UNSUPPORTED;
  d.headerFlags = flags;
  d.headerCrc = 0;
  takeHeader(d, 10);
  d.phase = PHASE_EXTRA_LENGTH;
  return GO_ON;
}

/** The optional fields, in their order; each may be cut anywhere by the end of the input at hand. */
function headerField(d: Decoder, phase: u32): i32 {
  const available = <u32>(d.inputEnd - d.inputAt);
  const flags = d.headerFlags;
  if (phase == PHASE_EXTRA_LENGTH) {
    d.skipLeft = 0;
    if (flags & FLAG_EXTRA) {
      if (available < 2) return starved(d);
      d.skipLeft = load<u16>(d.inputAt);
      takeHeader(d, 2);
    }
    d.phase = PHASE_EXTRA;
  } else if (phase == PHASE_EXTRA) {
    const take = min(available, d.skipLeft);
    takeHeader(d, take);
    d.skipLeft -= take;
    if (d.skipLeft > 0) return starved(d);
    d.phase = PHASE_NAME;
  } else if (phase == PHASE_NAME) {
    if (flags & FLAG_NAME && !takeText(d)) return starved(d);
    d.phase = PHASE_COMMENT;
  } else if (phase == PHASE_COMMENT) {
    if (flags & FLAG_COMMENT && !takeText(d)) return starved(d);
    d.phase = PHASE_HEADER_CRC;
  } else {
    if (flags & FLAG_HEADER_CRC) {
      if (available < 2) return starved(d);
      if (load<u16>(d.inputAt) != (d.headerCrc & 0xffff)) return E_CHECKSUM;
      d.inputAt += 2;
    }
    d.checkedTo = d.out;
    d.checksum = 0;
    d.memberBytes = 0;
    inflateBegin(d);
    d.phase = PHASE_BODY;
  }
  return GO_ON;
}

/** Consumes `count` bytes that the header's CRC covers. */
function takeHeader(d: Decoder, count: u32): void {
  if (d.headerFlags & FLAG_HEADER_CRC) d.headerCrc = crc32Update(d.headerCrc, d.inputAt, count, scratchOf(d));
  d.inputAt += count;
}

/** Consumes a zero-terminated text; false when its end is not there yet. */
function takeText(d: Decoder): bool {
  let at = d.inputAt;
  while (at < d.inputEnd) {
    if (load<u8>(at++) == 0) {
      takeHeader(d, <u32>(at - d.inputAt));
      return true;
    }
  }
  takeHeader(d, <u32>(at - d.inputAt));
  return false;
}

function trailer(d: Decoder): i32 {
  gzipCheck(d);
  if (load<u32>(d.inputAt) != d.checksum) return E_CHECKSUM;
  if (load<u32>(d.inputAt, 4) != <u32>d.memberBytes) return E_CHECKSUM;
  d.inputAt += 8;
  d.members++;
  d.phase = PHASE_HEADER;
  return RUN_DONE;
}

function padding(d: Decoder): i32 {
  while (d.inputAt < d.inputEnd) {
    if (load<u8>(d.inputAt) != 0) return E_CORRUPT;
    d.inputAt++;
  }
  return d.last ? RUN_DONE : RUN_NEED_INPUT;
}

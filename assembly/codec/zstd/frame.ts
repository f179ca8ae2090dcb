/**
 * zstd (RFC 8878): frames one after another, skippable ones left out. A block is decoded when all of it is there; blocks
 * are 128 KiB at most, so input and output are bounded. Content size and checksum are verified; a dictionary is refused.
 *
 * As the zstd tool does, bytes after the last frame that are no frame are an error.
 */
import { CHUNK_BYTES, RUN_DONE, RUN_NEED_INPUT, RUN_OUTPUT } from '../../../src/core/abi/codec';
import { E_CHECKSUM, E_CORRUPT, E_LIMIT, E_TRUNCATED, E_UNSUPPORTED } from '../../../src/core/abi/status';
import { xxh64Digest, xxh64Init, xxh64Update } from '../../hash/xxh64';
import { Decoder, HASH } from '../decoder-state';
import { openWindowRing, windowFits } from '../output';
import { ZSTD_MAGIC, ZSTD_SKIPPABLE } from '../sniff';
import { readLiterals } from './literals';
import { LOG_UNSET, readSequences } from './sequences';
import { BLOCK_BYTES } from './tables';

const PHASE_FRAME: u32 = 0;
const PHASE_SKIP: u32 = 1;
const PHASE_BLOCK: u32 = 2;
const PHASE_CHECKSUM: u32 = 3;

const HAS_CHECKSUM: u32 = 1;
const HAS_CONTENT_SIZE: u32 = 2;

const BLOCK_RAW: u32 = 0;
const BLOCK_RLE: u32 = 1;
const BLOCK_COMPRESSED: u32 = 2;
/** The least a compressed block can be: a literals header and a sequence count. */
const COMPRESSED_LEAST: u32 = 2;

const GO_ON: i32 = 100;

export function zstdRun(d: Decoder): i32 {
  while (true) {
    let status = GO_ON;
    if (d.phase == PHASE_BLOCK) status = block(d);
    else if (d.phase == PHASE_FRAME) status = frameStart(d);
    else if (d.phase == PHASE_SKIP) status = skip(d);
    else status = checksum(d);
    if (status != GO_ON) return status;
  }
}

function starved(d: Decoder): i32 {
  return d.last ? E_TRUNCATED : RUN_NEED_INPUT;
}

function frameStart(d: Decoder): i32 {
  const available = <u32>(d.inputEnd - d.inputAt);
  if (available == 0 && d.members > 0) return d.last ? RUN_DONE : RUN_NEED_INPUT;
  if (available < 5) return starved(d);
  const magic = load<u32>(d.inputAt);
  if ((magic & 0xfffffff0) == ZSTD_SKIPPABLE) {
    if (available < 8) return starved(d);
    d.skipLeft = load<u32>(d.inputAt, 4);
    d.inputAt += 8;
    d.phase = PHASE_SKIP;
    return GO_ON;
  }
  if (magic != ZSTD_MAGIC) return E_CORRUPT;
  return frameHeader(d, available);
}

/**
 * Section 3.1.1.1. Descriptor: bits 0..1 width of the dictionary id, 2 checksum, 3 reserved, 5 single segment (no window
 * byte), 6..7 width of the content size.
 */
function frameHeader(d: Decoder, available: u32): i32 {
  const descriptor: u32 = load<u8>(d.inputAt, 4);
  if (descriptor & 8) return E_UNSUPPORTED;
  const single = (descriptor >> 5) & 1;
  const dictionaryBytes: u32 = ((<u32>1) << (descriptor & 3)) >> 1;
  const sizeClass = descriptor >> 6;
  const sizeBytes: u32 = sizeClass == 0 ? single : (<u32>1) << sizeClass;
  const headerBytes: u32 = 6 - single + dictionaryBytes + sizeBytes;
  if (available < headerBytes) return starved(d);
  let at = d.inputAt + 5;
  let window: u64 = 0;
  if (!single) {
    const code: u32 = load<u8>(at++);
    const base: u64 = (<u64>1) << ((code >> 3) + 10);
    window = base + (base >> 3) * (code & 7);
  }
  for (let i: u32 = 0; i < dictionaryBytes; i++) if (load<u8>(at + i) != 0) return E_UNSUPPORTED;
  at += dictionaryBytes;
  let size: u64 = 0;
  if (sizeBytes == 1) size = load<u8>(at);
  else if (sizeBytes == 2) size = <u64>load<u16>(at) + 256;
  else if (sizeBytes == 4) size = load<u32>(at);
  else if (sizeBytes == 8) size = load<u64>(at);
  if (single) window = size;
  if (window > <u64>d.windowLimit) return E_LIMIT;

  const reach = <u32>(sizeBytes != 0 ? min(window, size) : window);
  // A chunk in the making must leave before its ring is replaced.
  if (!windowFits(d, reach)) {
    if (d.out > d.chunkStart) return RUN_OUTPUT;
    const status = openWindowRing(d, reach);
    if (status < 0) return status;
  }
  d.inputAt += headerBytes;
  d.window = <u32>window;
  d.blockMax = min(<u32>window, BLOCK_BYTES);
  d.contentSize = size;
  d.frameFlags = (descriptor & 4 ? HAS_CHECKSUM : 0) | (sizeBytes != 0 ? HAS_CONTENT_SIZE : 0);
  d.frameBytes = 0;
  d.finalBlock = 0;
  d.repeat1 = 1;
  d.repeat2 = 4;
  d.repeat3 = 8;
  d.huffmanReady = 0;
  d.literalLengthLog = LOG_UNSET;
  d.matchLengthLog = LOG_UNSET;
  d.offsetLog = LOG_UNSET;
  if (d.frameFlags & HAS_CHECKSUM) xxh64Init(changetype<usize>(d) + HASH);
  d.phase = PHASE_BLOCK;
  return GO_ON;
}

function skip(d: Decoder): i32 {
  const take = min(<u32>(d.inputEnd - d.inputAt), d.skipLeft);
  d.inputAt += take;
  d.skipLeft -= take;
  if (d.skipLeft > 0) return starved(d);
  d.members++;
  d.phase = PHASE_FRAME;
  return GO_ON;
}

/** Section 3.1.1.2: u24, bit 0 last block, bits 1..2 type, then the size. */
function block(d: Decoder): i32 {
  if (d.finalBlock) return frameEnd(d);
  const available = <u32>(d.inputEnd - d.inputAt);
  if (available < 3) return starved(d);
  const header = load<u32>(d.inputAt) & 0xffffff;
  const type = (header >> 1) & 3;
  const size = header >> 3;
  if (type > BLOCK_COMPRESSED || size > d.blockMax) return E_CORRUPT;
  if (type == BLOCK_COMPRESSED && size < COMPRESSED_LEAST) return E_CORRUPT;
  const stored: u32 = type == BLOCK_RLE ? 1 : size;
  if (available < 3 + stored) return starved(d);
  const most = type == BLOCK_COMPRESSED ? d.blockMax : size;
  if (d.out > d.chunkStart && <u32>(d.out - d.chunkStart) + most > <u32>CHUNK_BYTES) return RUN_OUTPUT;

  const at = d.inputAt + 3;
  const before = d.out;
  if (type == BLOCK_RAW) {
    memory.copy(before, at, size);
    d.out = before + size;
  } else if (type == BLOCK_RLE) {
    memory.fill(before, load<u8>(at), size);
    d.out = before + size;
  } else {
    const used = readLiterals(d, at, at + size);
    if (used == 0 || !readSequences(d, at + used, at + size)) return E_CORRUPT;
  }
  d.inputAt = at + stored;
  d.finalBlock = header & 1;
  const made = <u32>(d.out - before);
  d.frameBytes += made;
  if (d.frameFlags & HAS_CONTENT_SIZE && d.frameBytes > d.contentSize) return E_CHECKSUM;
  if (d.frameFlags & HAS_CHECKSUM) xxh64Update(changetype<usize>(d) + HASH, before, made);
  return GO_ON;
}

function frameEnd(d: Decoder): i32 {
  if (d.frameFlags & HAS_CONTENT_SIZE && d.frameBytes != d.contentSize) return E_CHECKSUM;
  if (d.frameFlags & HAS_CHECKSUM) {
    d.phase = PHASE_CHECKSUM;
  } else {
    d.members++;
    d.phase = PHASE_FRAME;
  }
  return GO_ON;
}

function checksum(d: Decoder): i32 {
  if (d.inputEnd - d.inputAt < 4) return starved(d);
  if (load<u32>(d.inputAt) != <u32>xxh64Digest(changetype<usize>(d) + HASH)) return E_CHECKSUM;
  d.inputAt += 4;
  d.members++;
  d.phase = PHASE_FRAME;
  return GO_ON;
}

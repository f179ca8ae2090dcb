/**
 * Writes the layer index (src/core/abi/layer-index.ts) while the tar is read: one record per entry, appended to a region
 * that is handed out and emptied whenever it is more than a quarter full. A record is never larger than the other three
 * quarters, so memory stays the same whatever the layer holds.
 */
import {
  LAYER_DIRECTORY,
  LAYER_FILE,
  LAYER_HARDLINK,
  LAYER_HEADER_BYTES,
  LAYER_MAGIC,
  LAYER_OPAQUE,
  LAYER_RECORD_BYTES,
  LAYER_SPARSE,
  LAYER_SYMLINK,
  LAYER_VERSION,
  LAYER_WHITEOUT,
} from '../../src/core/abi/layer-index';
import { E_LIMIT, OK } from '../../src/core/abi/status';
import { CRC32_SCRATCH_BYTES, crc32Update } from '../hash/crc32';
import { EXTENT_BYTES } from '../tar/caps';
import { entryLink, entryLinkLength, entryPath, entryPathLength } from '../tar/names';
import {
  entryData,
  entryDevice,
  entryGid,
  entryKind,
  entryMode,
  entrySize,
  entrySparse,
  entryTime,
  entryUid,
} from '../tar/reader';
import { sparseCount, sparseRuns } from '../tar/sparse';
import { xattrsBlob, xattrsLength } from '../tar/xattrs';
import {
  CLEAN_BYTES,
  classify,
  cleanBase,
  cleanLength,
  cleanPath,
  NAME_AUFS,
  NAME_OPAQUE,
  NAME_PLAIN,
  NAME_WHITEOUT,
} from './path';

const REGION: u32 = 4 << 20;
const FLUSH_AT: u32 = 1 << 20;
const PATH_AT: u32 = LAYER_HEADER_BYTES;
const LINK_AT: u32 = PATH_AT + CLEAN_BYTES;
const SCRATCH_AT: u32 = (LINK_AT + CLEAN_BYTES + 63) & ~63;
const RECORDS_AT: u32 = SCRATCH_AT + CRC32_SCRATCH_BYTES;
/** The header, two clean names, scratch of the checksum, the region. */
export const WRITER_BYTES: u32 = RECORDS_AT + REGION;

let base: usize = 0;
let used: u32 = 0;
let crc: u32 = 0;
let flushed: u64 = 0;
let entries: u32 = 0;
let whiteouts: u32 = 0;
let fileBytes: u64 = 0;
let maxEntries: u32 = 0;
let seen: u32 = 0;

export function writerPlace(at: usize, entryLimit: u32): void {
  base = at;
  used = 0;
  crc = 0;
  flushed = 0;
  entries = 0;
  seen = 0;
  whiteouts = 0;
  fileBytes = 0;
  maxEntries = entryLimit;
}

/** Takes the entry the tar reader stands at. E_LIMIT beyond the entry cap, E_DENIED for a whiteout that would escape. */
export function writeEntry(): i32 {
  // Dropped entries count as well: each costs a pass over its name.
  if (++seen > maxEntries) return E_LIMIT;
  const path = base + PATH_AT;
  const cleaned = cleanPath(path, entryPath, entryPathLength);
  if (cleaned != OK) return cleaned;
  const meaning = classify(path);
  if (meaning < 0) return meaning;
  if (meaning == NAME_AUFS) return OK;
  // Only a directory can speak for the root.
  if (meaning == NAME_PLAIN && cleanLength == 0 && entryKind != LAYER_DIRECTORY) return OK;
  let kind = entryKind;
  if (meaning == NAME_WHITEOUT) kind = LAYER_WHITEOUT;
  else if (meaning == NAME_OPAQUE) kind = LAYER_OPAQUE;
  const pathLength = cleanLength;
  const baseOffset = cleanBase;
  let link = entryLink;
  let linkLength: u32 = 0;
  if (kind == LAYER_SYMLINK) linkLength = entryLinkLength;
  if (kind == LAYER_HARDLINK) {
    link = base + LINK_AT;
    const status = cleanPath(link, entryLink, entryLinkLength);
    if (status != OK) return status;
    linkLength = cleanLength;
  }
  record(kind, pathLength, baseOffset, link, linkLength);
  return OK;
}

function record(kind: u32, pathLength: u32, baseOffset: u32, link: usize, linkLength: u32): void {
  const marker = kind == LAYER_WHITEOUT || kind == LAYER_OPAQUE;
  const sparse = kind == LAYER_FILE && entrySparse;
  const extents = sparse ? sparseCount() : 0;
  const xattrs = marker || kind == LAYER_HARDLINK ? 0 : xattrsLength();
  const size = kind == LAYER_FILE ? entrySize : 0;
  const at = base + RECORDS_AT + used;
  memory.fill(at, 0, LAYER_RECORD_BYTES);
  store<u8>(at, <u8>kind, 4);
  store<u8>(at, sparse ? LAYER_SPARSE : 0, 5);
  store<u16>(at, <u16>pathLength, 6);
  store<u16>(at, <u16>baseOffset, 8);
  store<u16>(at, <u16>linkLength, 10);
  store<u32>(at, formatBits(kind) | entryMode, 12);
  store<u32>(at, entryUid, 16);
  store<u32>(at, entryGid, 20);
  store<i64>(at, entryTime, 24);
  store<u64>(at, size, 32);
  store<u64>(at, entryData, 40);
  store<u32>(at, marker ? 0 : entryDevice, 48);
  store<u32>(at, extents, 52);
  store<u32>(at, xattrs, 56);
  let tail = at + LAYER_RECORD_BYTES;
  memory.copy(tail, sparseRuns(), extents * EXTENT_BYTES);
  tail += extents * EXTENT_BYTES;
  memory.copy(tail, xattrsBlob(), xattrs);
  tail += xattrs;
  memory.copy(tail, base + PATH_AT, pathLength);
  tail += pathLength;
  memory.copy(tail, link, linkLength);
  tail += linkLength;
  store<u64>(tail, 0);
  const length = (<u32>(tail - at) + 7) & ~7;
  store<u32>(at, length);
  used += length;
  entries++;
  if (marker) whiteouts++;
  fileBytes += size;
}

function formatBits(kind: u32): u32 {
  if (kind == LAYER_SYMLINK) return 0o120000;
  if (kind == 4) return 0o020000;
  if (kind == 5) return 0o060000;
  if (kind == 6 || kind == LAYER_OPAQUE) return 0o040000;
  return kind == 7 ? 0o010000 : 0o100000;
}

/** Whether the region should be handed out before the next entry. */
export function writerIsFull(): bool {
  return used >= FLUSH_AT;
}

/** Hands out the region: its length; it lies at `writerRegion`. What was in it counts as written. */
export function writerFlush(): u32 {
  const length = used;
  crc = crc32Update(crc, base + RECORDS_AT, length, base + SCRATCH_AT);
  flushed += length;
  used = 0;
  return length;
}

export function writerRegion(): usize {
  return base + RECORDS_AT;
}

export function writerEntries(): u32 {
  return entries;
}

/** After the last flush: writes the header and says where it lies. */
export function writerHeader(tarSize: u64): usize {
  memory.fill(base, 0, LAYER_HEADER_BYTES);
  store<u32>(base, LAYER_MAGIC);
  store<u32>(base, LAYER_VERSION, 4);
  store<u64>(base, flushed + LAYER_HEADER_BYTES, 8);
  store<u32>(base, entries, 16);
  store<u32>(base, crc, 20);
  store<u64>(base, tarSize, 24);
  store<u64>(base, fileBytes, 32);
  store<u32>(base, whiteouts, 40);
  store<u32>(base, crc32Update(0, base, 60, base + SCRATCH_AT), 60);
  return base;
}

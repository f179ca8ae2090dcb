/**
 * Reads a tar stream that comes in pieces: hand `tarFeed` a piece, call `tarNext` until it asks for more. File data is
 * never copied; only headers that straddle two pieces and pax, long-name and sparse-map payloads are.
 *
 * Every reader in use must see the same entries in a layer, or the layer is refused: where GNU tar and Go's archive/tar
 * (docker, containerd) disagree about the size of an entry's data (the pax size against the header's, CVE-2025-62518,
 * data after links and devices), about which of two names holds, or about what follows a lone zero block, this reader
 * answers E_CORRUPT. A pax size, where there is one, is what the data is skipped by.
 */
import { E_CORRUPT, E_LIMIT, E_TRUNCATED, E_UNSUPPORTED, OK } from '../../src/core/abi/status';
import { MAX_LINK, MAX_PATH, MAX_PAX } from './caps';
import {
  BLOCK,
  badField,
  checksumMatches,
  clearBadField,
  field,
  H_GID,
  H_MAJOR,
  H_MINOR,
  H_MODE,
  H_MTIME,
  H_REAL_SIZE,
  H_SIZE,
  H_SPARSE,
  H_SPARSE_MORE,
  H_TYPE,
  H_UID,
  isGnu,
  isZeroBlock,
  KIND_BLOCK,
  KIND_CHARACTER,
  KIND_DIRECTORY,
  KIND_FILE,
  KIND_HARDLINK,
  textLength,
} from './header';
import { entryPath, entryPathLength, longLinkAt, longNameAt, NAMES_BYTES, namesPlace, takeNames } from './names';
import {
  paxClear,
  paxForgetGlobals,
  paxGid,
  paxHasGid,
  paxHasSize,
  paxHasTime,
  paxHasUid,
  paxParse,
  paxSize,
  paxSparse,
  paxSparseMajor,
  paxSparseMinor,
  paxSparseReal,
  paxTime,
  paxUid,
  secondsToNanos,
} from './pax';
import {
  SPARSE_BYTES,
  sparseClear,
  sparseCount,
  sparseFinish,
  sparseGnuPairs,
  sparseMapBlock,
  sparseMapDone,
  sparsePlace,
} from './sparse';
import { XATTRS_BYTES, xattrsClear, xattrsPlace } from './xattrs';

/** `tarNext`: give me the next piece. */
export const TAR_MORE: i32 = 0;
/** `tarNext`: an entry is in the `entry*` variables, until the next call. */
export const TAR_ENTRY: i32 = 1;

export let entryKind: u32 = 0;
export let entryMode: u32 = 0;
export let entryUid: u32 = 0;
export let entryGid: u32 = 0;
/** Nanoseconds since the epoch. */
export let entryTime: i64 = 0;
/** The file's size as a reader of it sees it, holes included. */
export let entrySize: u64 = 0;
/** Where its data starts in the plain tar. */
export let entryData: u64 = 0;
/** major << 20 | minor */
export let entryDevice: u32 = 0;
export let entrySparse: bool = false;

const STATE_HEADER: u32 = 0;
const STATE_PAYLOAD: u32 = 1;
const STATE_SPARSE_MORE: u32 = 2;
const STATE_SPARSE_MAP: u32 = 3;
const STATE_SKIP: u32 = 4;
const STATE_TRAILER: u32 = 5;

const PAYLOAD_PAX: u32 = 0x78;
const PAYLOAD_GLOBAL: u32 = 0x67;
const PAYLOAD_NAME: u32 = 0x4c;
const PAYLOAD_LINK: u32 = 0x4b;

/** What the reader needs besides static memory, handed over once by `tarPlace`. */
const CARRY_AT: u32 = 0;
const NAMES_AT: u32 = CARRY_AT + BLOCK;
const PAX_AT: u32 = NAMES_AT + NAMES_BYTES;
const XATTRS_AT: u32 = PAX_AT + MAX_PAX;
const SPARSE_AT: u32 = XATTRS_AT + XATTRS_BYTES;
export const TAR_SCRATCH_BYTES: u32 = SPARSE_AT + SPARSE_BYTES;

let scratch: usize = 0;
let state: u32 = STATE_HEADER;
let cursor: usize = 0;
let end: usize = 0;
/** Offset in the stream of `cursor`. */
let position: u64 = 0;
let carried: u32 = 0;
let skip: u64 = 0;
let zeroBlocks: u32 = 0;
let payloadKind: u32 = 0;
let payloadAt: usize = 0;
let payloadLength: u32 = 0;
let payloadHave: u32 = 0;
let hasPax: bool = false;
let longNameLength: u32 = 0;
let longLinkLength: u32 = 0;
/** Bytes stored for the entry's data, a sparse map at their head included. */
let storedSize: u64 = 0;
/** An extended header has come, the entry it speaks for has not. */
let pending: bool = false;

export function tarPlace(at: usize): void {
  scratch = at;
  namesPlace(at + NAMES_AT);
  xattrsPlace(at + XATTRS_AT);
  sparsePlace(at + SPARSE_AT);
  state = STATE_HEADER;
  position = 0;
  carried = 0;
  skip = 0;
  zeroBlocks = 0;
  cursor = 0;
  end = 0;
  paxForgetGlobals();
  forgetEntry();
}

function forgetEntry(): void {
  hasPax = false;
  longNameLength = 0;
  longLinkLength = 0;
  pending = false;
  paxClear();
  xattrsClear();
  sparseClear();
}

export function tarFeed(p: usize, length: u32): void {
  cursor = p;
  end = p + length;
}

/** Bytes of the stream seen so far. */
export function tarPosition(): u64 {
  return position + <u64>carried;
}

/**
 * OK when the stream may end here: after the end-of-archive blocks, or (as GNU tar allows) without any, or right after
 * the last file's bytes without their padding: `umoci insert` leaves both out, and Go's reader takes its layers.
 */
export function tarFinish(): i32 {
  if (state == STATE_TRAILER) return OK;
  if (state == STATE_SKIP && !pending && skip <= <u64>((BLOCK - (<u32>storedSize & 511)) & 511)) return OK;
  return state == STATE_HEADER && carried == 0 && !pending ? OK : E_TRUNCATED;
}

export function tarNext(): i32 {
  while (true) {
    if (state == STATE_SKIP) {
      const step = min<u64>(skip, <u64>(end - cursor));
      cursor += <usize>step;
      position += step;
      skip -= step;
      if (skip != 0) return TAR_MORE;
      state = STATE_HEADER;
      if (!pending) forgetEntry();
    } else if (state == STATE_PAYLOAD) {
      const step = min<u32>(payloadLength - payloadHave, <u32>(end - cursor));
      memory.copy(payloadAt + payloadHave, cursor, step);
      cursor += step;
      position += step;
      payloadHave += step;
      if (payloadHave < payloadLength) return TAR_MORE;
      const status = takePayload();
      if (status != OK) return status;
      skip = <u64>((BLOCK - (payloadLength & 511)) & 511);
      state = STATE_SKIP;
    } else if (state == STATE_TRAILER) {
      position += <u64>(end - cursor);
      cursor = end;
      return TAR_MORE;
    } else {
      const block = takeBlock();
      if (block == 0) return TAR_MORE;
      const status = takeHeaderBlock(block);
      if (status != OK) return status;
    }
  }
}

/** The next 512 bytes: where they lie, or put together in the carry; 0 when they are not all there. */
function takeBlock(): usize {
  const available = <u32>(end - cursor);
  if (carried == 0 && available >= BLOCK) {
    const block = cursor;
    cursor += BLOCK;
    position += BLOCK;
    return block;
  }
  const step = min<u32>(BLOCK - carried, available);
  memory.copy(scratch + CARRY_AT + carried, cursor, step);
  cursor += step;
  carried += step;
  if (carried < BLOCK) return 0;
  carried = 0;
  position += BLOCK;
  return scratch + CARRY_AT;
}

function takeHeaderBlock(block: usize): i32 {
  if (state == STATE_SPARSE_MORE) {
    const status = sparseGnuPairs(block, 21);
    if (status != OK) return status;
    return load<u8>(block, 504) ? OK : finishEntry(0);
  }
  if (state == STATE_SPARSE_MAP) {
    const status = sparseMapBlock(block);
    if (status != OK) return status;
    const used = position - entryData;
    if (used > storedSize) return E_CORRUPT;
    return sparseMapDone() ? finishEntry(used) : OK;
  }
  if (isZeroBlock(block)) {
    if (pending) return E_CORRUPT;
    if (++zeroBlocks == 2) state = STATE_TRAILER;
    return OK;
  }
  if (zeroBlocks != 0 || !checksumMatches(block)) return E_CORRUPT;
  return header(block);
}

function header(block: usize): i32 {
  clearBadField();
  const type: u32 = load<u8>(block, H_TYPE);
  const size = field(block + H_SIZE, 12);
  if (badField || size < 0) return E_CORRUPT;
  if (type == PAYLOAD_PAX || type == PAYLOAD_GLOBAL || type == PAYLOAD_NAME || type == PAYLOAD_LINK) {
    return beginPayload(type, size);
  }
  entryKind = kindOf(type);
  if (entryKind == 0) return E_UNSUPPORTED;
  const named = takeNames(block, entryKind, longNameLength, longLinkLength);
  if (named != OK) return named;
  if (entryKind == KIND_FILE && type != 0x37 && load<u8>(entryPath + entryPathLength - 1) == 0x2f) {
    entryKind = KIND_DIRECTORY;
  }
  const status = takeNumbers(block);
  if (status != OK) return status;
  storedSize = paxHasSize ? paxSize : size;
  if (storedSize >= (<u64>1) << 60) return E_LIMIT;
  entryData = position;
  if (type == 0x53) {
    if (paxSparse) return E_CORRUPT;
    return beginGnuSparse(block);
  }
  if (paxSparse) return beginPaxSparse();
  entrySparse = false;
  if (type == 0x31 && !paxHasSize) storedSize = 0;
  if (type == 0x35) storedSize = 0;
  if (type >= 0x31 && type <= 0x36 && storedSize != 0) return E_CORRUPT;
  entrySize = entryKind == KIND_FILE ? storedSize : 0;
  return finishEntry(0);
}

function kindOf(type: u32): u32 {
  if (type == 0 || type == 0x30 || type == 0x37 || type == 0x53) return KIND_FILE;
  return type >= 0x31 && type <= 0x36 ? type - 0x31 + KIND_HARDLINK : 0;
}

function beginPayload(type: u32, size: u64): i32 {
  payloadKind = type;
  payloadHave = 0;
  let limit: u32 = MAX_PAX;
  if (type == PAYLOAD_GLOBAL) {
    // Go's reader forgets a local header when a global one follows it; GNU tar does not.
    if (pending) return E_CORRUPT;
    payloadAt = scratch + PAX_AT;
  } else if (type == PAYLOAD_PAX) {
    if (hasPax) return E_CORRUPT;
    hasPax = true;
    payloadAt = scratch + PAX_AT;
  } else if (type == PAYLOAD_NAME) {
    if (longNameLength != 0 || size == 0) return E_CORRUPT;
    payloadAt = longNameAt();
    limit = MAX_PATH + 1;
  } else {
    if (longLinkLength != 0 || size == 0) return E_CORRUPT;
    payloadAt = longLinkAt();
    limit = MAX_LINK + 1;
  }
  if (size > <u64>limit) return E_LIMIT;
  payloadLength = <u32>size;
  state = STATE_PAYLOAD;
  if (type != PAYLOAD_GLOBAL) pending = true;
  return OK;
}

function takePayload(): i32 {
  if (payloadKind == PAYLOAD_PAX) return paxParse(payloadAt, payloadLength, false);
  if (payloadKind == PAYLOAD_GLOBAL) return paxParse(payloadAt, payloadLength, true);
  const length = textLength(payloadAt, payloadLength);
  if (length == 0) return E_CORRUPT;
  if (payloadKind == PAYLOAD_NAME) longNameLength = length;
  else longLinkLength = length;
  return OK;
}

function takeNumbers(block: usize): i32 {
  const uid = paxHasUid ? paxUid : field(block + H_UID, 8);
  const gid = paxHasGid ? paxGid : field(block + H_GID, 8);
  const mode = field(block + H_MODE, 8);
  entryTime = paxHasTime ? paxTime : secondsToNanos(field(block + H_MTIME, 12));
  entryMode = <u32>mode & 0o7777;
  entryUid = <u32>uid;
  entryGid = <u32>gid;
  entryDevice = 0;
  if (badField || <u64>uid > 0xffff_ffff || <u64>gid > 0xffff_ffff) return E_CORRUPT;
  if (entryKind == KIND_CHARACTER || entryKind == KIND_BLOCK) {
    const major = field(block + H_MAJOR, 8);
    const minor = field(block + H_MINOR, 8);
    if (badField || <u64>major > 0xfff || <u64>minor > 0xf_ffff) return E_CORRUPT;
    entryDevice = ((<u32>major) << 20) | <u32>minor;
  }
  return OK;
}

function beginGnuSparse(block: usize): i32 {
  const real = field(block + H_REAL_SIZE, 12);
  if (!isGnu(block) || badField || real < 0 || entryKind != KIND_FILE) return E_CORRUPT;
  entrySparse = true;
  entrySize = real;
  const status = sparseGnuPairs(block + H_SPARSE, 4);
  if (status != OK) return status;
  if (load<u8>(block, H_SPARSE_MORE) == 0) return finishEntry(0);
  state = STATE_SPARSE_MORE;
  return OK;
}

function beginPaxSparse(): i32 {
  if (entryKind != KIND_FILE || paxSparseReal < 0) return E_CORRUPT;
  entrySparse = true;
  entrySize = paxSparseReal;
  if (paxSparseMajor == 0 && paxSparseMinor <= 1) return finishEntry(0);
  if (paxSparseMajor != 1 || paxSparseMinor != 0) return E_UNSUPPORTED;
  if (sparseCount() != 0) return E_CORRUPT;
  state = STATE_SPARSE_MAP;
  return OK;
}

/** `mapBytes` of the stored data, a sparse map, have been read already. */
function finishEntry(mapBytes: u64): i32 {
  if (state == STATE_SPARSE_MORE) entryData = position;
  entryData += mapBytes;
  if (entrySparse) {
    const status = sparseFinish(entrySize, entryData, storedSize - mapBytes);
    if (status != OK) return status;
  }
  skip = ((storedSize + 511) & ~(<u64>511)) - mapBytes;
  state = STATE_SKIP;
  pending = false;
  return TAR_ENTRY;
}

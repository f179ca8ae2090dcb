/**
 * pax extended headers (POSIX.1-2017, pax, "pax Extended Header"): records of "%d %s=%s\n". A local header (x) speaks
 * for the next entry, a global one (g) for all that follow.
 *
 * A global header may set uid, gid and mtime. Names, sizes and sparse maps in one are refused: GNU tar applies them,
 * Go's archive/tar (docker, containerd) does not, so the two would see different files in one layer.
 */
import { E_CORRUPT, E_LIMIT, E_UNSUPPORTED, OK } from '../../src/core/abi/status';
import { MAX_LINK, MAX_PATH } from './caps';
import { sparseLength, sparseMapText, sparseOffset } from './sparse';
import { xattrLibarchive, xattrSchily } from './xattrs';

export let paxPath: usize = 0;
export let paxPathLength: u32 = 0;
export let paxLink: usize = 0;
export let paxLinkLength: u32 = 0;
export let paxHasSize: bool = false;
export let paxSize: i64 = 0;
export let paxHasUid: bool = false;
export let paxUid: i64 = 0;
export let paxHasGid: bool = false;
export let paxGid: i64 = 0;
export let paxHasTime: bool = false;
export let paxTime: i64 = 0;
/** GNU.sparse.*: whether any was there, and what they said. */
export let paxSparse: bool = false;
export let paxSparseName: usize = 0;
export let paxSparseNameLength: u32 = 0;
export let paxSparseReal: i64 = -1;
export let paxSparseMajor: i64 = 0;
export let paxSparseMinor: i64 = 0;
let hasGlobalUid: bool = false;
let globalUid: i64 = 0;
let hasGlobalGid: bool = false;
let globalGid: i64 = 0;
let hasGlobalTime: bool = false;
let globalTime: i64 = 0;

export function paxForgetGlobals(): void {
  hasGlobalUid = false;
  hasGlobalGid = false;
  hasGlobalTime = false;
}

/** Before each entry: nothing local is known, the globals hold. */
export function paxClear(): void {
  paxPathLength = 0;
  paxLinkLength = 0;
  paxHasSize = false;
  paxHasUid = hasGlobalUid;
  paxUid = globalUid;
  paxHasGid = hasGlobalGid;
  paxGid = globalGid;
  paxHasTime = hasGlobalTime;
  paxTime = globalTime;
  paxSparse = false;
  paxSparseNameLength = 0;
  paxSparseReal = -1;
  paxSparseMajor = 0;
  paxSparseMinor = 0;
}

/** Parses a whole payload at p. Local values point into it, so it must stay until the entry has been taken. */
export function paxParse(p: usize, length: u32, global: bool): i32 {
  const end = p + length;
  while (p < end) {
    let size: u32 = 0;
    let at = p;
    while (at < end && at - p < 8 && <u32>load<u8>(at) - 0x30 < 10) size = size * 10 + load<u8>(at++) - 0x30;
    if (at == p || at >= end || load<u8>(at) != 0x20 || size > <u32>(end - p)) return E_CORRUPT;
    const key = at + 1;
    const last = p + size - 1;
    if (key >= last || load<u8>(last) != 0x0a) return E_CORRUPT;
    let equals = key;
    while (equals < last && load<u8>(equals) != 0x3d) {
      if (load<u8>(equals) == 0) return E_CORRUPT;
      equals++;
    }
    if (equals == key || equals == last) return E_CORRUPT;
    const valueLength = <u32>(last - equals - 1);
    const status = global
      ? globalRecord(key, <u32>(equals - key), equals + 1, valueLength)
      : record(key, <u32>(equals - key), equals + 1, valueLength);
    if (status != OK) return status;
    p += size;
  }
  return OK;
}

let numberBad: bool = false;

function record(key: usize, keyLength: u32, value: usize, length: u32): i32 {
  numberBad = false;
  if (is(key, keyLength, 'path', 4)) {
    if (!isName(value, length)) return E_CORRUPT;
    if (length > MAX_PATH) return E_LIMIT;
    paxPath = value;
    paxPathLength = length;
  } else if (is(key, keyLength, 'linkpath', 8)) {
    if (!isName(value, length)) return E_CORRUPT;
    if (length > MAX_LINK) return E_LIMIT;
    paxLink = value;
    paxLinkLength = length;
  } else if (is(key, keyLength, 'size', 4)) {
    paxHasSize = length > 0;
    paxSize = decimal(value, length);
    if (paxSize < 0) return E_CORRUPT;
  } else if (is(key, keyLength, 'uid', 3)) {
    paxHasUid = length > 0;
    paxUid = decimal(value, length);
  } else if (is(key, keyLength, 'gid', 3)) {
    paxHasGid = length > 0;
    paxGid = decimal(value, length);
  } else if (is(key, keyLength, 'mtime', 5)) {
    paxHasTime = length > 0;
    paxTime = time(value, length);
  } else if (is(key, keyLength, 'atime', 5) || is(key, keyLength, 'ctime', 5)) {
    time(value, length);
  } else if (startsWith(key, keyLength, 'SCHILY.xattr.', 13)) {
    return xattrSchily(key + 13, keyLength - 13, value, length);
  } else if (startsWith(key, keyLength, 'LIBARCHIVE.xattr.', 17)) {
    return xattrLibarchive(key + 17, keyLength - 17, value, length);
  } else if (startsWith(key, keyLength, 'GNU.sparse.', 11)) {
    return sparseRecord(key + 11, keyLength - 11, value, length);
  }
  return numberBad ? E_CORRUPT : OK;
}

function globalRecord(key: usize, keyLength: u32, value: usize, length: u32): i32 {
  numberBad = false;
  if (is(key, keyLength, 'uid', 3)) {
    hasGlobalUid = length > 0;
    globalUid = decimal(value, length);
  } else if (is(key, keyLength, 'gid', 3)) {
    hasGlobalGid = length > 0;
    globalGid = decimal(value, length);
  } else if (is(key, keyLength, 'mtime', 5)) {
    hasGlobalTime = length > 0;
    globalTime = time(value, length);
  } else if (
    is(key, keyLength, 'path', 4) ||
    is(key, keyLength, 'linkpath', 8) ||
    is(key, keyLength, 'size', 4) ||
    startsWith(key, keyLength, 'GNU.sparse.', 11) ||
    startsWith(key, keyLength, 'SCHILY.xattr.', 13) ||
    startsWith(key, keyLength, 'LIBARCHIVE.xattr.', 17)
  ) {
    return E_UNSUPPORTED;
  }
  return numberBad ? E_CORRUPT : OK;
}

function sparseRecord(key: usize, keyLength: u32, value: usize, length: u32): i32 {
  paxSparse = true;
  if (is(key, keyLength, 'name', 4)) {
    if (!isName(value, length) || length == 0) return E_CORRUPT;
    if (length > MAX_PATH) return E_LIMIT;
    paxSparseName = value;
    paxSparseNameLength = length;
    return OK;
  }
  if (is(key, keyLength, 'map', 3)) return sparseMapText(value, length);
  const number = decimal(value, length);
  if (numberBad || length == 0 || number < 0) return E_CORRUPT;
  if (is(key, keyLength, 'major', 5)) paxSparseMajor = number;
  else if (is(key, keyLength, 'minor', 5)) paxSparseMinor = number;
  else if (is(key, keyLength, 'size', 4) || is(key, keyLength, 'realsize', 8)) {
    if (paxSparseReal >= 0 && paxSparseReal != number) return E_CORRUPT;
    paxSparseReal = number;
  } else if (is(key, keyLength, 'numblocks', 9)) return OK;
  else if (is(key, keyLength, 'offset', 6)) return sparseOffset(number);
  else if (is(key, keyLength, 'numbytes', 8)) return sparseLength(number);
  else return E_UNSUPPORTED;
  return OK;
}

/** A name with a NUL in it means one thing to C readers and another to the rest. */
function isName(p: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(p + i) == 0) return false;
  return true;
}

/** Compares bytes with an ASCII literal, whose UTF-16 code units lie in static memory. */
function startsWith(p: usize, length: u32, literal: string, literalLength: u32): bool {
  if (length < literalLength) return false;
  const units = changetype<usize>(literal);
  for (let i: u32 = 0; i < literalLength; i++) {
    if (load<u8>(p + i) != load<u8>(units + (i << 1))) return false;
  }
  return true;
}

function is(p: usize, length: u32, literal: string, literalLength: u32): bool {
  return length == literalLength && startsWith(p, length, literal, literalLength);
}

function decimal(p: usize, length: u32): i64 {
  const negative = length > 0 && load<u8>(p) == 0x2d;
  let i: u32 = negative ? 1 : 0;
  if (length - i > 18 || (negative && length == 1)) {
    numberBad = true;
    return 0;
  }
  let value: i64 = 0;
  for (; i < length; i++) {
    const digit: u32 = <u32>load<u8>(p + i) - 0x30;
    if (digit > 9) numberBad = true;
    value = value * 10 + <i64>digit;
  }
  return negative ? -value : value;
}

const NANO: i64 = 1_000_000_000;

/** Seconds with a fraction, as nanoseconds; beyond the range of i64 the nearest that fits. */
function time(p: usize, length: u32): i64 {
  const negative = length > 0 && load<u8>(p) == 0x2d;
  let i: u32 = negative ? 1 : 0;
  let seconds: i64 = 0;
  let digits: u32 = 0;
  for (; i < length && <u32>load<u8>(p + i) - 0x30 < 10; i++, digits++) {
    if (seconds < 100_000_000_000) seconds = seconds * 10 + <i64>load<u8>(p + i) - 0x30;
  }
  let nanos: i64 = 0;
  if (i < length && load<u8>(p + i) == 0x2e) {
    let scale: i64 = NANO / 10;
    for (i++; i < length && <u32>load<u8>(p + i) - 0x30 < 10; i++, digits++) {
      nanos += scale * (<i64>load<u8>(p + i) - 0x30);
      scale /= 10;
    }
  }
  if (i != length || (digits == 0 && length > 0)) numberBad = true;
  const whole = secondsToNanos(negative ? -seconds : seconds);
  if (seconds >= MAX_SECONDS) return whole;
  return negative ? whole - nanos : whole + nanos;
}

const MAX_SECONDS: i64 = 9_223_372_036;

export function secondsToNanos(seconds: i64): i64 {
  if (seconds >= MAX_SECONDS) return i64.MAX_VALUE;
  if (seconds <= -MAX_SECONDS) return i64.MIN_VALUE;
  return seconds * NANO;
}

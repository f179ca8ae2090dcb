/**
 * The extended attributes of the entry being read, gathered as the blob both index formats store:
 * u16 count, then per attribute u16 nameLength, u32 valueLength, name, value.
 */
import { E_CORRUPT, E_LIMIT, OK } from '../../src/core/abi/status';
import { MAX_PAX, MAX_XATTR_NAME, MAX_XATTR_VALUE, MAX_XATTRS } from './caps';

let blob: usize = 0;
let used: u32 = 0;
let count: u32 = 0;

/** Bytes `xattrsPlace` needs: a pax payload cannot yield more than itself. */
export const XATTRS_BYTES: u32 = MAX_PAX + 64;

export function xattrsPlace(at: usize): void {
  blob = at;
  xattrsClear();
}

export function xattrsClear(): void {
  used = 2;
  count = 0;
}

/** Length of the blob; 0 when there are no attributes. */
export function xattrsLength(): u32 {
  if (count == 0) return 0;
  store<u16>(blob, <u16>count);
  return used;
}

export function xattrsBlob(): usize {
  return blob;
}

/** SCHILY.xattr.<name>=<bytes>: the last of a name wins. */
export function xattrSchily(name: usize, nameLength: u32, value: usize, valueLength: u32): i32 {
  const status = check(name, nameLength, valueLength);
  if (status != OK) return status;
  const found = find(name, nameLength);
  if (found != 0) {
    const size = 6 + nameLength + load<u32>(found, 2);
    memory.copy(found, found + size, blob + used - (found + size));
    used -= size;
    count--;
  }
  const to = blob + used;
  append(to, name, nameLength, valueLength);
  memory.copy(to + 6 + nameLength, value, valueLength);
  return OK;
}

/**
 * LIBARCHIVE.xattr.<percent-encoded name>=<base64>: bsdtar writes it beside the SCHILY form, which is preferred. Both
 * decodings shrink, so they are done in the blob's free end.
 */
export function xattrLibarchive(name: usize, nameLength: u32, value: usize, valueLength: u32): i32 {
  const to = blob + used;
  const plain = percentDecode(to + 6, name, nameLength);
  if (plain < 0) return E_CORRUPT;
  const bytes = base64Decode(to + 6 + plain, value, valueLength);
  if (bytes < 0) return E_CORRUPT;
  const status = check(to + 6, plain, bytes);
  if (status != OK) return status;
  if (find(to + 6, plain) != 0) return OK;
  append(to, to + 6, plain, bytes);
  return OK;
}

function check(name: usize, nameLength: u32, valueLength: u32): i32 {
  if (nameLength == 0) return E_CORRUPT;
  if (nameLength > MAX_XATTR_NAME || valueLength > MAX_XATTR_VALUE || count >= MAX_XATTRS) return E_LIMIT;
  for (let i: u32 = 0; i < nameLength; i++) if (load<u8>(name + i) == 0) return E_CORRUPT;
  return OK;
}

function append(to: usize, name: usize, nameLength: u32, valueLength: u32): void {
  store<u16>(to, <u16>nameLength);
  store<u32>(to, valueLength, 2);
  memory.copy(to + 6, name, nameLength);
  used += 6 + nameLength + valueLength;
  count++;
}

function find(name: usize, nameLength: u32): usize {
  let at = blob + 2;
  for (let i: u32 = 0; i < count; i++) {
    const length: u32 = load<u16>(at);
    if (length == nameLength && memory.compare(at + 6, name, length) == 0) return at;
    at += 6 + length + load<u32>(at, 2);
  }
  return 0;
}

function percentDecode(to: usize, from: usize, length: u32): i32 {
  let n: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    let byte: u32 = load<u8>(from + i);
    if (byte == 0x25) {
      if (i + 2 >= length) return -1;
      const high = hex(load<u8>(from + i + 1));
      const low = hex(load<u8>(from + i + 2));
      if (high < 0 || low < 0) return -1;
      byte = (high << 4) | low;
      i += 2;
    }
    store<u8>(to + n, <u8>byte);
    n++;
  }
  return n;
}

function hex(c: u32): i32 {
  if (c - 0x30 < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : -1;
}

function base64Decode(to: usize, from: usize, length: u32): i32 {
  let n: u32 = 0;
  let bits: u32 = 0;
  let have: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const c: u32 = load<u8>(from + i);
    if (c == 0x3d) break;
    const value = sextet(c);
    if (value < 0) return -1;
    bits = (bits << 6) | value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      store<u8>(to + n, <u8>(bits >> have));
      n++;
    }
  }
  return n;
}

function sextet(c: u32): i32 {
  if (c - 0x41 < 26) return c - 0x41;
  if (c - 0x61 < 26) return c - 0x61 + 26;
  if (c - 0x30 < 10) return c - 0x30 + 52;
  if (c == 0x2b) return 62;
  return c == 0x2f ? 63 : -1;
}

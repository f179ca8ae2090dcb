/**
 * Which of the names an entry comes with is its name: GNU.sparse.name, then the pax path, then a GNU long name, then the
 * header's prefix and name. Where GNU tar and Go's archive/tar would choose differently the entry is refused.
 */
import { E_CORRUPT, OK } from '../../src/core/abi/status';
import { MAX_LINK, MAX_PATH } from './caps';
import { H_LINK, H_NAME, H_PREFIX, isUstar, KIND_HARDLINK, KIND_SYMLINK, textLength } from './header';
import { paxLink, paxLinkLength, paxPath, paxPathLength, paxSparseName, paxSparseNameLength } from './pax';

export let entryPath: usize = 0;
export let entryPathLength: u32 = 0;
export let entryLink: usize = 0;
export let entryLinkLength: u32 = 0;

const PATH_AT: u32 = 0;
const LINK_AT: u32 = PATH_AT + MAX_PATH + 64;
const LONG_NAME_AT: u32 = LINK_AT + MAX_LINK + 64;
const LONG_LINK_AT: u32 = LONG_NAME_AT + MAX_PATH + 64;
export const NAMES_BYTES: u32 = LONG_LINK_AT + MAX_LINK + 64;

let scratch: usize = 0;

export function namesPlace(at: usize): void {
  scratch = at;
  entryPathLength = 0;
}

/** Where the payloads of GNU's long name and long link go. */
export function longNameAt(): usize {
  return scratch + LONG_NAME_AT;
}

export function longLinkAt(): usize {
  return scratch + LONG_LINK_AT;
}

/** Finds an entry's name and, for links, its target. */
export function takeNames(block: usize, kind: u32, longNameLength: u32, longLinkLength: u32): i32 {
  if (paxPathLength != 0) {
    entryPath = paxPath;
    entryPathLength = paxPathLength;
    if (differs(paxPath, paxPathLength, scratch + LONG_NAME_AT, longNameLength)) return E_CORRUPT;
  } else if (longNameLength != 0) {
    entryPath = scratch + LONG_NAME_AT;
    entryPathLength = longNameLength;
  } else {
    headerName(block);
  }
  if (paxSparseNameLength != 0) {
    entryPath = paxSparseName;
    entryPathLength = paxSparseNameLength;
  }
  if (entryPathLength == 0) return E_CORRUPT;
  entryLinkLength = 0;
  if (kind != KIND_HARDLINK && kind != KIND_SYMLINK) return OK;
  if (paxLinkLength != 0) {
    entryLink = paxLink;
    entryLinkLength = paxLinkLength;
    if (differs(paxLink, paxLinkLength, scratch + LONG_LINK_AT, longLinkLength)) return E_CORRUPT;
  } else if (longLinkLength != 0) {
    entryLink = scratch + LONG_LINK_AT;
    entryLinkLength = longLinkLength;
  } else {
    entryLink = scratch + LINK_AT;
    entryLinkLength = textLength(block + H_LINK, 100);
    memory.copy(entryLink, block + H_LINK, entryLinkLength);
  }
  return entryLinkLength == 0 ? E_CORRUPT : OK;
}

/** GNU tar lets the pax name win over a GNU long name, Go the other way round: both only when they are equal. */
function differs(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  return bLength != 0 && (aLength != bLength || memory.compare(a, b, aLength) != 0);
}

function headerName(block: usize): void {
  entryPath = scratch + PATH_AT;
  let length: u32 = 0;
  if (isUstar(block) && load<u8>(block, H_PREFIX) != 0) {
    length = textLength(block + H_PREFIX, 155);
    memory.copy(entryPath, block + H_PREFIX, length);
    store<u8>(entryPath + length, 0x2f);
    length++;
  }
  const name = textLength(block + H_NAME, 100);
  memory.copy(entryPath + length, block + H_NAME, name);
  entryPathLength = length + name;
}

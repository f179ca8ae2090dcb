/**
 * Entry names, made safe. Names are bytes: nothing is folded or normalised, so names that differ only in case or in
 * Unicode form stay different.
 *
 * A name is cleaned as containerd does it, `filepath.Clean("/" + name)`: a leading '/', empty and '.' components vanish,
 * '..' takes away the component before it and stops at the root. Such an entry is not refused, since docker, containerd
 * and umoci accept layers whose names begin with './' or '/'; it cannot leave the root because nothing above it exists.
 */
import { E_DENIED, E_LIMIT, OK } from '../../src/core/abi/status';
import { MAX_PATH } from '../tar/caps';

export const MAX_COMPONENT: u32 = 255;
export const CLEAN_BYTES: u32 = MAX_PATH + 8;

/** What a name means in a layer (image-spec layer.md#representing-changes). */
export const NAME_PLAIN: i32 = 0;
export const NAME_WHITEOUT: i32 = 1;
export const NAME_OPAQUE: i32 = 2;
/** AUFS bookkeeping (".wh..wh.plnk", ".wh..wh.orph" ...): not part of the file system. */
export const NAME_AUFS: i32 = 3;

export let cleanLength: u32 = 0;
/** Where the last component starts. */
export let cleanBase: u32 = 0;

/** Writes the clean form of a name to `to` (CLEAN_BYTES), its length to `cleanLength`. E_LIMIT for a component over 255 bytes. */
export function cleanPath(to: usize, p: usize, length: u32): i32 {
  const end = p + length;
  let at = to;
  while (p < end) {
    const start = p;
    while (p < end && load<u8>(p) != 0x2f) p++;
    const size = <u32>(p - start);
    p++;
    if (size == 0 || (size == 1 && load<u8>(start) == 0x2e)) continue;
    if (size == 2 && load<u16>(start) == 0x2e2e) {
      while (at > to && load<u8>(at - 1) != 0x2f) at--;
      if (at > to) at--;
      continue;
    }
    if (size > MAX_COMPONENT) return E_LIMIT;
    if (at > to) store<u8>(at++, 0x2f);
    memory.copy(at, start, size);
    at += size;
  }
  cleanLength = <u32>(at - to);
  setBase(to);
  return OK;
}

function setBase(path: usize): void {
  let base = cleanLength;
  while (base > 0 && load<u8>(path + base - 1) != 0x2f) base--;
  cleanBase = base;
}

/**
 * Tells whiteouts from plain names and cuts the clean path at `path` down to what it hides. E_DENIED for markers that
 * would hide something else than a sibling (".wh.", ".wh..", ".wh...") or that stand in the middle of a path.
 */
export function classify(path: usize): i32 {
  for (let at: u32 = 0; at < cleanBase; ) {
    if (isMarker(path + at, cleanLength - at)) return isMeta(path + at, cleanLength - at) ? NAME_AUFS : E_DENIED;
    while (load<u8>(path + at) != 0x2f) at++;
    at++;
  }
  const base = path + cleanBase;
  const size = cleanLength - cleanBase;
  if (!isMarker(base, size)) return NAME_PLAIN;
  if (isMeta(base, size)) {
    if (size != 12 || load<u32>(base, 8) != 0x71706f2e) return NAME_AUFS;
    cleanLength = cleanBase > 0 ? cleanBase - 1 : 0;
    setBase(path);
    return NAME_OPAQUE;
  }
  const hidden = size - 4;
  if (hidden == 0 || (hidden == 1 && load<u8>(base, 4) == 0x2e) || (hidden == 2 && load<u16>(base, 4) == 0x2e2e)) {
    return E_DENIED;
  }
  memory.copy(base, base + 4, hidden);
  cleanLength -= 4;
  return NAME_WHITEOUT;
}

/** Begins with ".wh." */
function isMarker(p: usize, size: u32): bool {
  return size >= 4 && load<u32>(p) == 0x2e68772e;
}

/** Begins with ".wh..wh." */
function isMeta(p: usize, size: u32): bool {
  return size >= 8 && load<u32>(p) == 0x2e68772e && load<u32>(p, 4) == 0x2e68772e;
}

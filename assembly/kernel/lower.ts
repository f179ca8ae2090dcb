/**
 * The lower half of the overlay: the rootfs index (src/core/abi/rootfs-index.ts), read in place. The index comes from
 * outside: mounting checks the header and that every section lies inside; every later access checks its numbers against
 * the section's size, so that corrupted bytes give -EIO and never an access out of range.
 *
 * ```
 * superblock + S_LOWER: 0 nodes 4 nodeCount 8 dirents 12 direntCount 16 buckets 20 bucketMask 24 strings 28 stringsLength
 *                      32 extents 36 extentCount 40 xattrs 44 xattrsLength 48 layerCount
 * ```
 */
import { EIO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../src/core/abi/kernel';
import {
  ROOTFS_DIRENT_BYTES,
  ROOTFS_EXTENT_BYTES,
  ROOTFS_HEADER_BYTES,
  ROOTFS_MAGIC,
  ROOTFS_NODE_BYTES,
  ROOTFS_VERSION,
} from '../../src/core/abi/rootfs-index';
import { S_LOWER, superblock } from './superblock';

const NODES: usize = S_LOWER;
const NODE_COUNT: usize = S_LOWER + 4;
const DIRENTS: usize = S_LOWER + 8;
const DIRENT_COUNT: usize = S_LOWER + 12;
const BUCKETS: usize = S_LOWER + 16;
const BUCKET_MASK: usize = S_LOWER + 20;
const STRINGS: usize = S_LOWER + 24;
const STRINGS_LENGTH: usize = S_LOWER + 28;
const EXTENTS: usize = S_LOWER + 32;
const EXTENT_COUNT: usize = S_LOWER + 36;
const XATTRS: usize = S_LOWER + 40;
const XATTRS_LENGTH: usize = S_LOWER + 44;
const LAYER_COUNT: usize = S_LOWER + 48;

export const N_SIZE: usize = 0;
export const N_DATA: usize = 8;
export const N_MTIME: usize = 16;
export const N_MODE: usize = 24;
export const N_UID: usize = 28;
export const N_GID: usize = 32;
export const N_NLINK: usize = 36;
export const N_LAYER: usize = 40;
export const N_FIRST: usize = 44;
export const N_COUNT: usize = 48;
export const N_PARENT: usize = 52;
export const N_RDEV: usize = 56;
export const N_XATTRS: usize = 60;

export const L_NAME: usize = 0;
export const L_LENGTH: usize = 4;
export const L_TYPE: usize = 6;
export const L_NODE: usize = 8;
export const L_HASH: usize = 12;

export const X_LOGICAL: usize = 0;
export const X_LENGTH: usize = 8;
export const X_DATA: usize = 16;

/** Longest run of taken buckets a lookup follows; a valid table stays far below. */
const PROBES = 4096;
/** A target longer than this is not a symlink anybody can follow. */
const TARGET_MAX: u64 = 4095;

/** Checks the header and notes the sections. 0 or -EIO. */
export function lowerMount(at: usize, length: u32): i32 {
  const s = superblock();
  if (length < <u32>ROOTFS_HEADER_BYTES) return -EIO;
  if (load<u32>(at) != ROOTFS_MAGIC || load<u32>(at, 4) != ROOTFS_VERSION || load<u32>(at, 8) != length) return -EIO;
  const bucketCount = load<u32>(at, 32);
  if (load<u32>(at, 16) == 0 || bucketCount == 0 || (bucketCount & (bucketCount - 1)) != 0) return -EIO;
  if (!section(NODES, at, length, load<u32>(at, 20), load<u32>(at, 16), ROOTFS_NODE_BYTES)) return -EIO;
  if (!section(DIRENTS, at, length, load<u32>(at, 28), load<u32>(at, 24), ROOTFS_DIRENT_BYTES)) return -EIO;
  if (!section(BUCKETS, at, length, load<u32>(at, 36), bucketCount, 4)) return -EIO;
  store<u32>(s, bucketCount - 1, BUCKET_MASK);
  if (!section(STRINGS, at, length, load<u32>(at, 40), load<u32>(at, 44), 1)) return -EIO;
  if (!section(EXTENTS, at, length, load<u32>(at, 48), load<u32>(at, 52), ROOTFS_EXTENT_BYTES)) return -EIO;
  if (!section(XATTRS, at, length, load<u32>(at, 56), load<u32>(at, 60), 1)) return -EIO;
  store<u32>(s, load<u32>(at, 64), LAYER_COUNT);
  const root = lowerNode(0);
  return root != 0 && (load<u32>(root, N_MODE) & S_IFMT) == S_IFDIR ? 0 : -EIO;
}

function section(field: usize, at: usize, length: u32, offset: u32, count: u32, bytes: u32): bool {
  if (<u64>offset + <u64>count * bytes > <u64>length) return false;
  store<u32>(superblock() + field, at + offset);
  store<u32>(superblock() + field, count, 4);
  return true;
}

export function lowerNodeCount(): u32 {
  return load<u32>(superblock(), NODE_COUNT);
}

/** The node's address when the number and what the node says are sound; else 0. */
export function lowerNode(node: u32): usize {
  const s = superblock();
  if (node >= load<u32>(s, NODE_COUNT)) return 0;
  const at = load<u32>(s, NODES) + node * ROOTFS_NODE_BYTES;
  const kind = load<u32>(at, N_MODE) & S_IFMT;
  const first = <u64>load<u32>(at, N_FIRST);
  const count = <u64>load<u32>(at, N_COUNT);
  if (kind == S_IFDIR) {
    if (first + count > <u64>load<u32>(s, DIRENT_COUNT)) return 0;
  } else if (kind == S_IFLNK) {
    const length = load<u64>(at, N_SIZE);
    const offset = load<u64>(at, N_DATA);
    if (length > TARGET_MAX || offset > 0xffffffff || offset + length > <u64>load<u32>(s, STRINGS_LENGTH)) return 0;
  } else if (kind == S_IFREG) {
    if (first + count > <u64>load<u32>(s, EXTENT_COUNT) && count != 0) return 0;
    if (load<u64>(at, N_SIZE) >> 53 != 0 || load<u64>(at, N_DATA) >> 53 != 0) return 0;
    if (load<u32>(at, N_LAYER) >= load<u32>(s, LAYER_COUNT)) return 0;
  }
  return at;
}

/** The dirent's address when its number, its name and its node are in range; else 0. */
export function lowerDirent(number: u32): usize {
  const s = superblock();
  if (number >= load<u32>(s, DIRENT_COUNT)) return 0;
  const at = load<u32>(s, DIRENTS) + number * ROOTFS_DIRENT_BYTES;
  const length = <u64>load<u16>(at, L_LENGTH);
  if (length == 0 || length > 255) return 0;
  if (<u64>load<u32>(at, L_NAME) + length > <u64>load<u32>(s, STRINGS_LENGTH)) return 0;
  return load<u32>(at, L_NODE) < load<u32>(s, NODE_COUNT) ? at : 0;
}

export function lowerString(offset: u32): usize {
  return load<u32>(superblock(), STRINGS) + offset;
}

/** A sparse file's extent; the node vouches for the number. */
export function lowerExtent(number: u32): usize {
  return load<u32>(superblock(), EXTENTS) + number * ROOTFS_EXTENT_BYTES;
}

export function lowerHash(parent: u32, name: usize, length: u32): u32 {
  let h: u32 = 0x811c9dc5 ^ (parent * 0x9e3779b1);
  for (let i: u32 = 0; i < length; i++) h = (h ^ load<u8>(name + i)) * 0x01000193;
  h ^= h >> 15;
  h *= 0x85ebca6b;
  return h ^ (h >> 13);
}

/** Number of the dirent called `name` in directory node `parent`; -1: none; -EIO: the index is broken. */
export function lowerLookup(parent: u32, name: usize, length: u32): i32 {
  const s = superblock();
  const directory = lowerNode(parent);
  if (directory == 0) return -EIO;
  const first = load<u32>(directory, N_FIRST);
  const count = load<u32>(directory, N_COUNT);
  if (count == 0) return -1;
  const hash = lowerHash(parent, name, length);
  const buckets = load<u32>(s, BUCKETS);
  const mask = load<u32>(s, BUCKET_MASK);
  let bucket = hash & mask;
  for (let probe = 0; probe < PROBES; probe++) {
    const entry = load<u32>(buckets + (bucket << 2));
    if (entry == 0) return -1;
    const at = lowerDirent(entry - 1);
    if (at == 0) return -EIO;
    if (load<u32>(at, L_HASH) == hash && load<u16>(at, L_LENGTH) == length && entry - 1 - first < count) {
      if (memory.compare(lowerString(load<u32>(at, L_NAME)), name, length) == 0) return entry - 1;
    }
    bucket = (bucket + 1) & mask;
  }
  return -EIO;
}

/** An xattr blob's bounds: address, or 0; the length left in the section goes to `room`. */
export function lowerXattrs(node: usize): usize {
  const offset = load<u32>(node, N_XATTRS);
  if (offset == 0 || <u64>offset - 1 + 2 > <u64>load<u32>(superblock(), XATTRS_LENGTH)) return 0;
  return load<u32>(superblock(), XATTRS) + offset - 1;
}

export function lowerXattrsEnd(): usize {
  return load<u32>(superblock(), XATTRS) + load<u32>(superblock(), XATTRS_LENGTH);
}

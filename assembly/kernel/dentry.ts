/**
 * The dentry table: (directory inode, name) -> inode. It holds every name the guest made, every lower name it removed
 * (a *whiteout*: no inode), and, as a cache, lower names it looked up. Directories have one name, so a directory's inode
 * identifies it and renaming one moves a single entry.
 *
 * ```
 * dentry, 64 bytes
 *   0 u32 next in bucket   4 u32 hash   8 u32 directory inode   12 u32 inode (0: whiteout)
 *  16 u32 slot in the directory (upper names)   20 u16 name length   22 u16 flags
 *  24 u32 newer cached    28 u32 older cached (or, not CLEAN: next and previous changed)
 *    32 name, zero-padded to 8; longer than 32: 32 u32 pointer
 * ```
 */
import {
  COVERED,
  DIRTY,
  hasFlag,
  I_CHILDREN,
  I_DENTRY,
  I_NAME,
  I_NAMED,
  I_REFS,
  inodeFree,
  isDirectory,
} from './inode';
import {
  kfree,
  kmalloc,
  S_CACHE_NEWEST,
  S_CACHE_OLDEST,
  S_CACHED,
  S_DENTRIES,
  S_DENTRY_MASK,
  S_DENTRY_TABLE,
  S_MAX_CACHED,
  superblock,
} from './superblock';
import { untrackName } from './track';

export const D_NEXT: usize = 0;
export const D_HASH: usize = 4;
export const D_DIR: usize = 8;
export const D_INODE: usize = 12;
export const D_SLOT: usize = 16;
export const D_LENGTH: usize = 20;
export const D_FLAGS: usize = 22;
export const D_NEWER: usize = 24;
export const D_OLDER: usize = 28;
export const D_NAME: usize = 32;
export const D_BYTES: u32 = 64;
const INLINE: u32 = 32;

/** A lower entry has this name in this directory: readdir shows it at the lower entry's place. */
export const LOWER_NAME: u16 = 1;
/** Says what the index says; may be dropped. In the cache list. */
export const CLEAN: u16 = 2;
/** In the list of names changed since the last sync. */
export const NAME_CHANGED: u16 = 4;
/** The guest changed it at some time. */
export const NAME_TOUCHED: u16 = 8;
/** The journal has it. */
export const NAME_SYNCED: u16 = 16;

// Odd 64-bit multipliers, in halves: JavaScript's tools cannot hold them whole.
const SEED: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
const MIX: u64 = ((<u64>0xff51afd7) << 32) | 0xed558ccd;

const FIRST_BUCKETS: u32 = 256;
/** Cached names looked at per call when the cache is over its limit. */
const TRIM_STEPS = 64;

export function dentryTableInit(): bool {
  const s = superblock();
  const table = kmalloc(FIRST_BUCKETS << 2);
  if (table == 0) return false;
  memory.fill(table, 0, FIRST_BUCKETS << 2);
  store<u32>(s, table, S_DENTRY_TABLE);
  store<u32>(s, FIRST_BUCKETS - 1, S_DENTRY_MASK);
  return true;
}

/** Eight bytes at a time; the tail is masked, so bytes behind the name do not count (they are read). */
export function nameHash(dir: usize, name: usize, length: u32): u32 {
  let h = (<u64>dir ^ ((<u64>length) << 32)) * SEED;
  let at = name;
  let left = length;
  while (left > 8) {
    h = (h ^ load<u64>(at)) * MIX;
    h ^= h >> 32;
    at += 8;
    left -= 8;
  }
  h = (h ^ (load<u64>(at) & tailMask(left))) * MIX;
  return <u32>(h >> 32) ^ <u32>(h >> 13);
}

/** Mask of the low `left` bytes, 1..8. */
function tailMask(left: u32): u64 {
  return ~(<u64>0) >> ((8 - left) << 3);
}

export function dentryName(dentry: usize): usize {
  return load<u16>(dentry, D_LENGTH) > INLINE ? load<u32>(dentry, D_NAME) : dentry + D_NAME;
}

export function dentryFind(dir: usize, name: usize, length: u32, hash: u32): usize {
  const s = superblock();
  let dentry: usize = load<u32>(load<u32>(s, S_DENTRY_TABLE) + ((hash & load<u32>(s, S_DENTRY_MASK)) << 2));
  while (dentry != 0) {
    if (load<u32>(dentry, D_HASH) == hash && load<u32>(dentry, D_DIR) == dir && load<u16>(dentry, D_LENGTH) == length) {
      if (sameName(dentryName(dentry), name, length)) return dentry;
    }
    dentry = load<u32>(dentry, D_NEXT);
  }
  return 0;
}

/** `kept` is zero-padded; `name` need not be. */
function sameName(kept: usize, name: usize, length: u32): bool {
  let left = length;
  while (left > 8) {
    if (load<u64>(kept) != load<u64>(name)) return false;
    kept += 8;
    name += 8;
    left -= 8;
  }
  return load<u64>(kept) == (load<u64>(name) & tailMask(left));
}

/** Enters a name that is not in the table. 0: out of memory. */
export function dentryInsert(dir: usize, name: usize, length: u32, hash: u32, inode: usize, flags: u16): usize {
  const dentry = kmalloc(D_BYTES);
  if (dentry == 0) return 0;
  let kept = dentry + D_NAME;
  if (length > INLINE) {
    kept = kmalloc(paddedLength(length));
    if (kept == 0) {
      kfree(dentry, D_BYTES);
      return 0;
    }
    store<u32>(dentry, kept, D_NAME);
  }
  let at: u32 = 0;
  for (; at + 8 < length; at += 8) store<u64>(kept + at, load<u64>(name + at));
  store<u64>(kept + at, load<u64>(name + at) & tailMask(length - at));
  const s = superblock();
  const count = load<u32>(s, S_DENTRIES) + 1;
  if (count > load<u32>(s, S_DENTRY_MASK)) growTable();
  const bucket = load<u32>(s, S_DENTRY_TABLE) + ((hash & load<u32>(s, S_DENTRY_MASK)) << 2);
  store<u32>(s, count, S_DENTRIES);
  store<u32>(dentry, load<u32>(bucket), D_NEXT);
  store<u32>(bucket, dentry);
  store<u32>(dentry, hash, D_HASH);
  store<u32>(dentry, dir, D_DIR);
  store<u32>(dentry, 0, D_INODE);
  store<u16>(dentry, <u16>length, D_LENGTH);
  store<u16>(dentry, flags, D_FLAGS);
  store<u32>(dir, load<u32>(dir, I_CHILDREN) + 1, I_CHILDREN);
  if (inode != 0) dentryBind(dentry, inode);
  return dentry;
}

export function dentryBind(dentry: usize, inode: usize): void {
  store<u32>(dentry, inode, D_INODE);
  store<u32>(inode, load<u32>(inode, I_NAMED) + 1, I_NAMED);
  if (isDirectory(inode)) store<u32>(inode, dentry, I_DENTRY);
  else if (load<u32>(inode, I_NAME) == 0) store<u32>(inode, dentry, I_NAME);
}

/** The name stays, without an inode. The caller settles the inode. */
export function dentryUnbind(dentry: usize): usize {
  const inode: usize = load<u32>(dentry, D_INODE);
  store<u32>(dentry, 0, D_INODE);
  store<u32>(inode, load<u32>(inode, I_NAMED) - 1, I_NAMED);
  if (isDirectory(inode)) {
    if (load<u32>(inode, I_DENTRY) == dentry) store<u32>(inode, 0, I_DENTRY);
  } else if (load<u32>(inode, I_NAME) == dentry) store<u32>(inode, 0, I_NAME);
  return inode;
}

/** Takes an unbound dentry out of the table and frees it. */
export function dentryDrop(dentry: usize): void {
  const s = superblock();
  if ((load<u16>(dentry, D_FLAGS) & NAME_CHANGED) != 0) untrackName(dentry);
  let link = load<u32>(s, S_DENTRY_TABLE) + ((load<u32>(dentry, D_HASH) & load<u32>(s, S_DENTRY_MASK)) << 2);
  while (load<u32>(link) != dentry) link = load<u32>(link) + D_NEXT;
  store<u32>(link, load<u32>(dentry, D_NEXT));
  store<u32>(s, load<u32>(s, S_DENTRIES) - 1, S_DENTRIES);
  const dir: usize = load<u32>(dentry, D_DIR);
  store<u32>(dir, load<u32>(dir, I_CHILDREN) - 1, I_CHILDREN);
  const length: u32 = load<u16>(dentry, D_LENGTH);
  if (length > INLINE) kfree(load<u32>(dentry, D_NAME), paddedLength(length));
  kfree(dentry, D_BYTES);
}

export function paddedLength(length: u32): u32 {
  return (length + 7) & ~7;
}

function growTable(): void {
  const s = superblock();
  const old = load<u32>(s, S_DENTRY_TABLE);
  const count = load<u32>(s, S_DENTRY_MASK) + 1;
  const table = kmalloc(count << 3);
  if (table == 0) return;
  memory.fill(table, 0, count << 3);
  const mask = (count << 1) - 1;
  for (let i: u32 = 0; i < count; i++) {
    let dentry: usize = load<u32>(old + (i << 2));
    while (dentry != 0) {
      const next = load<u32>(dentry, D_NEXT);
      const bucket = table + ((load<u32>(dentry, D_HASH) & mask) << 2);
      store<u32>(dentry, load<u32>(bucket), D_NEXT);
      store<u32>(bucket, dentry);
      dentry = next;
    }
  }
  kfree(old, count << 2);
  store<u32>(s, table, S_DENTRY_TABLE);
  store<u32>(s, mask, S_DENTRY_MASK);
}

/** Puts a clean dentry at the young end of the cache list. */
export function cacheAdd(dentry: usize): void {
  const s = superblock();
  const newest = load<u32>(s, S_CACHE_NEWEST);
  store<u32>(dentry, 0, D_NEWER);
  store<u32>(dentry, newest, D_OLDER);
  if (newest != 0) store<u32>(newest, dentry, D_NEWER);
  else store<u32>(s, dentry, S_CACHE_OLDEST);
  store<u32>(s, dentry, S_CACHE_NEWEST);
  store<u32>(s, load<u32>(s, S_CACHED) + 1, S_CACHED);
  store<u16>(dentry, load<u16>(dentry, D_FLAGS) | CLEAN, D_FLAGS);
}

export function cacheRemove(dentry: usize): void {
  const s = superblock();
  const newer = load<u32>(dentry, D_NEWER);
  const older = load<u32>(dentry, D_OLDER);
  if (newer != 0) store<u32>(newer, older, D_OLDER);
  else store<u32>(s, older, S_CACHE_NEWEST);
  if (older != 0) store<u32>(older, newer, D_NEWER);
  else store<u32>(s, newer, S_CACHE_OLDEST);
  store<u32>(s, load<u32>(s, S_CACHED) - 1, S_CACHED);
  store<u16>(dentry, load<u16>(dentry, D_FLAGS) & ~CLEAN, D_FLAGS);
}

/**
 * Drops the oldest cached lower names while there are more than the limit. Only between calls: within one, a walk
 * holds inodes without counting them. What is in use goes to the young end.
 */
export function cacheTrim(): void {
  const s = superblock();
  for (let step = 0; step < TRIM_STEPS && load<u32>(s, S_CACHED) > load<u32>(s, S_MAX_CACHED); step++) {
    const dentry: usize = load<u32>(s, S_CACHE_OLDEST);
    const inode: usize = load<u32>(dentry, D_INODE);
    cacheRemove(dentry);
    if (
      hasFlag(inode, DIRTY | COVERED) ||
      load<u32>(inode, I_REFS) != 0 ||
      (isDirectory(inode) && load<u32>(inode, I_CHILDREN) != 0)
    ) {
      cacheAdd(dentry);
      continue;
    }
    dentryUnbind(dentry);
    dentryDrop(dentry);
    if (load<u32>(inode, I_NAMED) == 0) inodeFree(inode);
  }
}

/**
 * What the guest changed since the last sync, in the one mount that S_TRACK names (CONFIG_JOURNAL): inodes with the byte
 * ranges written, names, and names that are gone. Without it S_TRACK is 0, no mount, and nothing here runs.
 *
 * ```
 * ranges, 256 bytes: 0 u32 count  8 u64 from, u64 to (15 times, in no order, may overlap)
 * gone name: 0 u32 next  4 u32 name length  8 u64 directory's number  16 name
 * ```
 */
import { D_DIR, D_FLAGS, D_LENGTH, D_NEWER, D_OLDER, dentryName, NAME_CHANGED, NAME_TOUCHED } from './dentry';
import {
  BASELINE,
  CHANGED,
  clearFlag,
  FROM_LOWER,
  hasFlag,
  I_CHANGE_NEXT,
  I_CHANGE_PREVIOUS,
  I_CUT,
  I_DENTRY,
  I_NUMBER,
  I_PARENT,
  I_RANGES,
  isDirectory,
  setFlag,
  TOUCHED,
  WHOLE,
} from './inode';
import { kfree, kmalloc, S_CHANGED, S_CHANGED_NAMES, S_GONE_NAMES, S_MISSED, superblock } from './superblock';

export const R_COUNT: usize = 0;
export const R_FIRST: usize = 8;
export const R_RANGE: u32 = 16;
const RANGES: u32 = 15;
const RANGES_BYTES: u32 = 256;

export const G_NEXT: usize = 0;
export const G_LENGTH: usize = 4;
export const G_DIR: usize = 8;
export const G_NAME: usize = 16;

/** The inode is about to change, or is new. */
export function trackInode(inode: usize): void {
  if (hasFlag(inode, CHANGED | BASELINE)) return;
  enlist(inode);
  // A directory of the setting-up's becomes the guest's with the first change in it, and so must its name.
  let at = inode;
  while (isDirectory(at) && !hasFlag(at, FROM_LOWER) && load<u32>(at, I_DENTRY) != 0) {
    const dentry = load<u32>(at, I_DENTRY);
    if ((load<u16>(dentry, D_FLAGS) & NAME_TOUCHED) != 0) break;
    trackName(dentry);
    at = load<u32>(at, I_PARENT);
    if (!hasFlag(at, CHANGED)) enlist(at);
  }
}

/** Puts an inode that is not there yet on the list of changed ones. */
export function enlist(inode: usize): void {
  const s = superblock();
  const next: usize = load<u32>(s, S_CHANGED);
  setFlag(inode, CHANGED | TOUCHED);
  store<u32>(inode, next, I_CHANGE_NEXT);
  store<u32>(inode, 0, I_CHANGE_PREVIOUS);
  if (next != 0) store<u32>(next, inode, I_CHANGE_PREVIOUS);
  store<u32>(s, inode, S_CHANGED);
  store<u32>(inode, 0, I_RANGES);
  store<u64>(inode, ~(<u64>0), I_CUT);
}

/** Takes the inode from the list: it was written, or is going away. */
export function untrackInode(inode: usize): void {
  const next: usize = load<u32>(inode, I_CHANGE_NEXT);
  const previous: usize = load<u32>(inode, I_CHANGE_PREVIOUS);
  if (next != 0) store<u32>(next, previous, I_CHANGE_PREVIOUS);
  if (previous != 0) store<u32>(previous, next, I_CHANGE_NEXT);
  else store<u32>(superblock(), next, S_CHANGED);
  if (load<u32>(inode, I_RANGES) != 0) kfree(load<u32>(inode, I_RANGES), RANGES_BYTES);
  store<u32>(inode, 0, I_RANGES);
  clearFlag(inode, CHANGED | WHOLE);
}

/** The name means something else now. It is not a clean one. */
export function trackName(dentry: usize): void {
  const flags = load<u16>(dentry, D_FLAGS);
  if ((flags & NAME_CHANGED) != 0) return;
  const s = superblock();
  const next: usize = load<u32>(s, S_CHANGED_NAMES);
  store<u16>(dentry, flags | NAME_CHANGED | NAME_TOUCHED, D_FLAGS);
  store<u32>(dentry, next, D_NEWER);
  store<u32>(dentry, 0, D_OLDER);
  if (next != 0) store<u32>(next, dentry, D_OLDER);
  store<u32>(s, dentry, S_CHANGED_NAMES);
}

export function untrackName(dentry: usize): void {
  const next: usize = load<u32>(dentry, D_NEWER);
  const previous: usize = load<u32>(dentry, D_OLDER);
  if (next != 0) store<u32>(next, previous, D_OLDER);
  if (previous != 0) store<u32>(previous, next, D_NEWER);
  else store<u32>(superblock(), next, S_CHANGED_NAMES);
  store<u16>(dentry, load<u16>(dentry, D_FLAGS) & ~NAME_CHANGED, D_FLAGS);
}

/** A name the journal has goes, and its dentry with it: only this is left to say so. */
export function trackGone(dentry: usize): void {
  const s = superblock();
  const length: u32 = load<u16>(dentry, D_LENGTH);
  const gone = kmalloc(<u32>G_NAME + length);
  if (gone == 0) {
    store<u32>(s, 1, S_MISSED);
    return;
  }
  store<u32>(gone, load<u32>(s, S_GONE_NAMES), G_NEXT);
  store<u32>(gone, length, G_LENGTH);
  store<u64>(gone, load<u64>(load<u32>(dentry, D_DIR), I_NUMBER), G_DIR);
  memory.copy(gone + G_NAME, dentryName(dentry), length);
  store<u32>(s, gone, S_GONE_NAMES);
}

export function forgetGone(): void {
  const s = superblock();
  let gone: usize = load<u32>(s, S_GONE_NAMES);
  while (gone != 0) {
    const next: usize = load<u32>(gone, G_NEXT);
    kfree(gone, <u32>G_NAME + load<u32>(gone, G_LENGTH));
    gone = next;
  }
  store<u32>(s, 0, S_GONE_NAMES);
}

/** Bytes [from, to) of a changed file are new. The last range grows: appending costs a compare. */
export function trackData(inode: usize, from: u64, to: u64): void {
  let ranges: usize = load<u32>(inode, I_RANGES);
  if (ranges == 0) {
    ranges = kmalloc(RANGES_BYTES);
    if (ranges == 0) {
      setFlag(inode, WHOLE);
      return;
    }
    store<u32>(inode, ranges, I_RANGES);
    store<u32>(ranges, 0, R_COUNT);
  }
  const count = load<u32>(ranges, R_COUNT);
  let best: usize = 0;
  let least: u64 = ~(<u64>0);
  for (let i = count; i != 0; i--) {
    const range = ranges + (i - 1) * R_RANGE;
    const start = load<u64>(range, R_FIRST);
    const end = load<u64>(range, R_FIRST + 8);
    const gap = from > end ? from - end : start > to ? start - to : 0;
    if (gap < least) {
      least = gap;
      best = range;
    }
    if (gap == 0) break;
  }
  if (least != 0 && count < RANGES) {
    const range = ranges + count * R_RANGE;
    store<u64>(range, from, R_FIRST);
    store<u64>(range, to, R_FIRST + 8);
    store<u32>(ranges, count + 1, R_COUNT);
    return;
  }
  if (from < load<u64>(best, R_FIRST)) store<u64>(best, from, R_FIRST);
  if (to > load<u64>(best, R_FIRST + 8)) store<u64>(best, to, R_FIRST + 8);
}

/** A changed file is cut to `size`: what it held beyond is gone even if it grows again. */
export function trackCut(inode: usize, size: u64): void {
  if (size < load<u64>(inode, I_CUT)) store<u64>(inode, size, I_CUT);
}

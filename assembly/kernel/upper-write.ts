/**
 * Writes what the guest changed, or all of the writable layer, as one transaction (src/core/abi/kernel.ts) through the
 * host's journal_write. The kernel's lock is held throughout, so what is written is one moment's state. Nothing is
 * forgotten before the last byte was taken: after an error the next sync writes it all again.
 *
 * Numbers name inodes, so renaming a directory is two names, whatever it holds. Names are written as what they mean now;
 * replay drops all old meanings first, so their order does not matter.
 */
import {
  EINVAL,
  EIO,
  JOURNAL_HEADER_BYTES,
  RECORD_DATA,
  RECORD_DATA_BYTES,
  RECORD_END,
  RECORD_END_BYTES,
  RECORD_INODE,
  RECORD_INODE_BYTES,
  RECORD_NAME,
  RECORD_NAME_BYTES,
  S_IFLNK,
  S_IFREG,
  TASK_IO,
  TASK_R0,
  TASK_R1,
  TASK_R2,
} from '../../src/core/abi/kernel';
import { PAGE_SHIFT } from '../memory/arena';
import {
  CLEAN,
  D_DIR,
  D_FLAGS,
  D_INODE,
  D_LENGTH,
  D_NEWER,
  D_NEXT,
  dentryName,
  NAME_SYNCED,
  NAME_TOUCHED,
} from './dentry';
import { CHUNK, E_BLOCK, E_BYTES, E_COUNT, E_POINTER, EXTENTS } from './extent';
import {
  BASELINE,
  CHANGED,
  FROM_LOWER,
  hasFlag,
  I_ATIME,
  I_CHANGE_NEXT,
  I_CTIME,
  I_CUT,
  I_DATA,
  I_DATA_KIND,
  I_EXTENTS,
  I_GID,
  I_LOWER_BYTES,
  I_MODE,
  I_MOUNT,
  I_MTIME,
  I_NAME,
  I_NLINK,
  I_NUMBER,
  I_RANGES,
  I_RDEV,
  I_SIZE,
  I_TARGET,
  I_UID,
  kindOf,
  setFlag,
  TOUCHED,
  WHOLE,
} from './inode';
import { lowerNodeCount } from './lower';
import {
  S_CHANGED,
  S_CHANGED_NAMES,
  S_DENTRY_MASK,
  S_DENTRY_TABLE,
  S_GENERATION,
  S_GONE_NAMES,
  S_JOURNAL_END,
  S_MISSED,
  S_NEXT_INO,
  S_NODE_INODES,
  S_ROOT,
  S_TRACK,
  S_TRANSACTIONS,
  superblock,
} from './superblock';
import {
  enlist,
  forgetGone,
  G_DIR,
  G_LENGTH,
  G_NAME,
  G_NEXT,
  R_COUNT,
  R_FIRST,
  R_RANGE,
  trackName,
  untrackInode,
  untrackName,
} from './track';
import { data, record, room, sinkBegin, sinkEnd, sinkPosition } from './upper-sink';

/** Writes what changed since the last time. 0 or -errno; r0: something was written, r1 and r2: the journal's end. */
export function upperSync(t: usize): i32 {
  const s = superblock();
  if (load<u32>(s, S_TRACK) == 0) return -EINVAL;
  if (load<u32>(s, S_MISSED) != 0) return -EIO;
  const quiet = load<u32>(s, S_CHANGED) == 0 && load<u32>(s, S_CHANGED_NAMES) == 0 && load<u32>(s, S_GONE_NAMES) == 0;
  if (quiet) return results(t, 0);
  return transaction(t, load<u32>(s, S_GENERATION), load<u64>(s, S_JOURNAL_END), load<u32>(s, S_TRANSACTIONS) + 1);
}

/** Writes everything as the first transaction of another generation's file, which the journal goes on in. */
export function upperSnapshot(t: usize, next: u32): i32 {
  if (load<u32>(superblock(), S_TRACK) == 0) return -EINVAL;
  enlistAll();
  return transaction(t, next, JOURNAL_HEADER_BYTES, 1);
}

function results(t: usize, written: u32): i32 {
  const end = load<u64>(superblock(), S_JOURNAL_END);
  store<u32>(t, written, TASK_R0);
  store<u32>(t, <u32>end, TASK_R1);
  store<u32>(t, <u32>(end >> 32), TASK_R2);
  return 0;
}

/** Puts every name and inode that is the guest's on the lists of changed ones. */
function enlistAll(): void {
  const s = superblock();
  const mount = load<u32>(s, S_TRACK);
  const table = load<u32>(s, S_DENTRY_TABLE);
  const mask = load<u32>(s, S_DENTRY_MASK);
  for (let bucket: u32 = 0; bucket <= mask; bucket++) {
    let dentry: usize = load<u32>(table + (bucket << 2));
    for (; dentry != 0; dentry = load<u32>(dentry, D_NEXT)) {
      if (load<u32>(load<u32>(dentry, D_DIR), I_MOUNT) != mount) continue;
      if ((load<u16>(dentry, D_FLAGS) & (NAME_TOUCHED | CLEAN)) == NAME_TOUCHED) trackName(dentry);
      const inode: usize = load<u32>(dentry, D_INODE);
      if (inode != 0) enlistWhole(inode);
    }
  }
  enlistWhole(load<u32>(s, S_ROOT));
  // A file of the image whose known names are gone may have others that nobody looked up yet.
  const nodes = lowerNodeCount();
  for (let node: u32 = 0; node < nodes; node++) {
    const inode: usize = load<u32>(load<u32>(s, S_NODE_INODES) + (node << 2));
    if (inode != 0) enlistWhole(inode);
  }
}

function enlistWhole(inode: usize): void {
  if (!hasFlag(inode, TOUCHED) || hasFlag(inode, BASELINE)) return;
  if (!hasFlag(inode, CHANGED)) enlist(inode);
  setFlag(inode, WHOLE);
}

function transaction(t: usize, into: u32, at: u64, number: u32): i32 {
  const s = superblock();
  const fresh = into != load<u32>(s, S_GENERATION);
  sinkBegin(t + TASK_IO, into, at);
  if (!fresh) goneNames();
  names();
  inodes(false);
  const end = record(RECORD_END, 0, RECORD_END_BYTES);
  store<u64>(end, load<u64>(s, S_NEXT_INO), 8);
  inodes(true);
  const failure = sinkEnd(number, fresh);
  if (failure < 0) return failure;
  store<u64>(s, sinkPosition(), S_JOURNAL_END);
  store<u32>(s, number, S_TRANSACTIONS);
  store<u32>(s, into, S_GENERATION);
  if (fresh) store<u32>(s, 0, S_MISSED);
  settle();
  return results(t, 1);
}

/** All of it is in the journal now. */
function settle(): void {
  const s = superblock();
  while (load<u32>(s, S_CHANGED) != 0) untrackInode(load<u32>(s, S_CHANGED));
  while (load<u32>(s, S_CHANGED_NAMES) != 0) {
    const dentry: usize = load<u32>(s, S_CHANGED_NAMES);
    untrackName(dentry);
    store<u16>(dentry, load<u16>(dentry, D_FLAGS) | NAME_SYNCED, D_FLAGS);
  }
  forgetGone();
}

function name(dir: u64, inode: u64, bytes: usize, length: u32): void {
  const at = record(RECORD_NAME, length, RECORD_NAME_BYTES);
  store<u64>(at, dir, 8);
  store<u64>(at, inode, 16);
  memory.copy(room(length), bytes, length);
}

function goneNames(): void {
  let gone: usize = load<u32>(superblock(), S_GONE_NAMES);
  for (; gone != 0; gone = load<u32>(gone, G_NEXT)) {
    name(load<u64>(gone, G_DIR), 0, gone + G_NAME, load<u32>(gone, G_LENGTH));
  }
}

function names(): void {
  let dentry: usize = load<u32>(superblock(), S_CHANGED_NAMES);
  for (; dentry != 0; dentry = load<u32>(dentry, D_NEWER)) {
    const dir: usize = load<u32>(dentry, D_DIR);
    // What a removed directory hides is gone with it.
    if (load<u32>(dir, I_NLINK) == 0) continue;
    const inode: usize = load<u32>(dentry, D_INODE);
    const number: u64 = inode == 0 || hasFlag(inode, BASELINE) ? 0 : load<u64>(inode, I_NUMBER);
    name(load<u64>(dir, I_NUMBER), number, dentryName(dentry), load<u16>(dentry, D_LENGTH));
  }
}

/** The INODE and DATA records, or the data itself. */
function inodes(contents: bool): void {
  let inode: usize = load<u32>(superblock(), S_CHANGED);
  for (; inode != 0; inode = load<u32>(inode, I_CHANGE_NEXT)) {
    if (load<u32>(inode, I_NLINK) == 0) continue;
    if (!contents) attributes(inode);
    if (kindOf(inode) == S_IFREG) pieces(inode, contents);
  }
}

function attributes(inode: usize): void {
  const kind = kindOf(inode);
  const home = kind != 0o040000 && hasFlag(inode, FROM_LOWER) ? homeOf(inode) : 0;
  const homeLength: u32 = home == 0 ? 0 : load<u16>(home, D_LENGTH);
  const target: u32 = kind == S_IFLNK && load<u32>(inode, I_TARGET) != 0 ? <u32>load<u64>(inode, I_SIZE) : 0;
  const at = record(RECORD_INODE, homeLength, RECORD_INODE_BYTES);
  store<u32>(at, load<u32>(inode, I_MODE), 4);
  store<u64>(at, load<u64>(inode, I_NUMBER), 8);
  store<u32>(at, load<u32>(inode, I_NLINK), 16);
  store<u32>(at, load<u32>(inode, I_UID), 20);
  store<u32>(at, load<u32>(inode, I_GID), 24);
  store<u32>(at, load<u32>(inode, I_RDEV), 28);
  store<u64>(at, load<u64>(inode, I_SIZE), 32);
  store<i64>(at, load<i64>(inode, I_ATIME), 40);
  store<i64>(at, load<i64>(inode, I_MTIME), 48);
  store<i64>(at, load<i64>(inode, I_CTIME), 56);
  if (kind == S_IFREG) {
    store<u64>(at, load<u64>(inode, I_LOWER_BYTES), 64);
    store<u64>(at, load<u64>(inode, I_CUT), 72);
  }
  store<u32>(at, target, 88);
  if (home != 0) {
    store<u64>(at, load<u64>(load<u32>(home, D_DIR), I_NUMBER), 80);
    memory.copy(room(homeLength), dentryName(home), homeLength);
  }
  if (target != 0) memory.copy(room(target), load<u32>(inode, I_TARGET), target);
}

/** A name the image gives the inode, so that replay finds it in its place again; 0: the journal names it itself. */
function homeOf(inode: usize): usize {
  let dentry: usize = load<u32>(inode, I_NAME);
  if (dentry == 0) {
    // One of several names went, and with it the hint. Rare enough to look through all.
    const s = superblock();
    const table = load<u32>(s, S_DENTRY_TABLE);
    const mask = load<u32>(s, S_DENTRY_MASK);
    for (let bucket: u32 = 0; bucket <= mask && dentry == 0; bucket++) {
      dentry = load<u32>(table + (bucket << 2));
      while (dentry != 0 && load<u32>(dentry, D_INODE) != inode) dentry = load<u32>(dentry, D_NEXT);
    }
    if (dentry == 0) return 0;
    store<u32>(inode, dentry, I_NAME);
  }
  return (load<u16>(dentry, D_FLAGS) & CLEAN) != 0 ? dentry : 0;
}

/** What the journal must hold of a file's bytes: the ranges noted, or all there are, as far as they are in memory. */
function pieces(inode: usize, contents: bool): void {
  const size = load<u64>(inode, I_SIZE);
  if (hasFlag(inode, WHOLE)) {
    range(inode, 0, size, contents);
    return;
  }
  const ranges: usize = load<u32>(inode, I_RANGES);
  const count: u32 = ranges == 0 ? 0 : load<u32>(ranges, R_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const at = ranges + i * R_RANGE;
    range(inode, load<u64>(at, R_FIRST), min<u64>(size, load<u64>(at, R_FIRST + 8)), contents);
  }
}

/** Between extents are holes and the image's bytes: replay has them as they are. */
function range(inode: usize, from: u64, to: u64, contents: bool): void {
  if (from >= to) return;
  const kind = load<u32>(inode, I_DATA_KIND);
  if (kind == CHUNK) {
    piece(from, load<u32>(inode, I_DATA) + <u32>from, <u32>(to - from), contents);
    return;
  }
  if (kind != EXTENTS) return;
  const extents: usize = load<u32>(inode, I_DATA);
  const count = load<u32>(inode, I_EXTENTS);
  for (let i: u32 = 0; i < count; i++) {
    const extent = extents + i * E_BYTES;
    const start = (<u64>load<u32>(extent, E_BLOCK)) << PAGE_SHIFT;
    const stop = start + ((<u64>load<u32>(extent, E_COUNT)) << PAGE_SHIFT);
    const begin = max<u64>(from, start);
    const end = min<u64>(to, stop);
    if (begin >= end) continue;
    piece(begin, load<u32>(extent, E_POINTER) + <u32>(begin - start), <u32>(end - begin), contents);
  }
}

function piece(offset: u64, pointer: usize, length: u32, contents: bool): void {
  if (contents) {
    data(pointer, length);
    return;
  }
  const at = record(RECORD_DATA, 0, RECORD_DATA_BYTES);
  store<u32>(at, length, 4);
  store<u64>(at, offset, 8);
}

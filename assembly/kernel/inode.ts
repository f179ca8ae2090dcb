/**
 * Inodes. A lower file gets one when its name is first looked up; it is *clean* (can be dropped and read again from the
 * index) until something about it changes. Numbers survive that: a lower inode is node + 2, made ones count up from 2^32.
 *
 * ```
 *   0 u32 mode       4 u32 flags I_*      8 u32 nlink     12 u32 refs (open files, cwds, mounts, a hostfs child)
 *  16 u32 uid       20 u32 gid           24 u64 size      32 i64 atime  40 i64 mtime  48 i64 ctime
 *  56 u64 number    64 u32 mount         68 u32 lower node (FROM_LOWER)
 *  72 u32 rdev      76 u32 covered by (root inode of the mount on top)
 *  80 directory     80 parent 84 own dentry 88 slots 92 slot capacity 96 slots used 100 free slot 104 upper names
 *                  108 hidden lower names 112 dentries in the table below it
 *  80 file          80 data kind 84 data 88 extents or chunk capacity 92 extent capacity 96 u64 lower bytes
 *                  104 u64 bytes held 112 extent last used
 *  80 symlink       80 target (malloc'd; 0: in the index)
 *  80 fifo          80 pipe
 * 116 hostfs: node 120 next to look at (garbage) 124 next in table 128 lookups 132 parent
 * 116 tracked: next changed 120 previous changed 124 ranges written (track.ts) 128 a name of it (not directories)
 * 136 u32 dentries that name it          140 u32 files open for writing
 * 144 u64 least size since the last sync 152 next by number, next dropped (replay: upper-numbers.ts) 156
 * ```
 */
import { EIO, ENOMEM, ENOSPC, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../../src/core/abi/kernel';
import { dataFree } from './data';
import { now } from './host';
import { hostForget } from './hostfs';
import { lowerNode, N_COUNT, N_GID, N_MODE, N_MTIME, N_NLINK, N_PARENT, N_RDEV, N_SIZE, N_UID } from './lower';
import { directoryFree } from './overlay';
import { pipeFree } from './pipe';
import { kfree, kmalloc, S_INODES, S_MAX_INODES, S_NEXT_INO, S_NODE_INODES, S_TRACK, superblock } from './superblock';
import { trackInode, untrackInode } from './track';

export const I_MODE: usize = 0;
export const I_FLAGS: usize = 4;
export const I_NLINK: usize = 8;
export const I_REFS: usize = 12;
export const I_UID: usize = 16;
export const I_GID: usize = 20;
export const I_SIZE: usize = 24;
export const I_ATIME: usize = 32;
export const I_MTIME: usize = 40;
export const I_CTIME: usize = 48;
export const I_NUMBER: usize = 56;
export const I_MOUNT: usize = 64;
export const I_NODE: usize = 68;
export const I_RDEV: usize = 72;
export const I_COVER: usize = 76;

export const I_PARENT: usize = 80;
export const I_DENTRY: usize = 84;
export const I_SLOTS: usize = 88;
export const I_SLOT_CAPACITY: usize = 92;
export const I_SLOTS_USED: usize = 96;
export const I_SLOT_FREE: usize = 100;
export const I_UPPER: usize = 104;
export const I_HIDDEN: usize = 108;
export const I_CHILDREN: usize = 112;

export const I_DATA_KIND: usize = 80;
export const I_DATA: usize = 84;
export const I_EXTENTS: usize = 88;
export const I_EXTENT_CAPACITY: usize = 92;
export const I_LOWER_BYTES: usize = 96;
export const I_HELD: usize = 104;
export const I_EXTENT_HINT: usize = 112;

export const I_TARGET: usize = 80;
export const I_PIPE: usize = 80;

export const I_HOST_NODE: usize = 116;
export const I_HOST_GARBAGE: usize = 120;
export const I_HOST_NEXT: usize = 124;
export const I_HOST_LOOKUPS: usize = 128;
export const I_HOST_PARENT: usize = 132;
export const I_CHANGE_NEXT: usize = 116;
export const I_CHANGE_PREVIOUS: usize = 120;
export const I_RANGES: usize = 124;
export const I_NAME: usize = 128;
export const I_NAMED: usize = 136;
export const I_WRITERS: usize = 140;
export const I_CUT: usize = 144;
export const I_NUMBER_NEXT: usize = 152;
export const I_DROPPED_NEXT: usize = 156;
export const I_BYTES: u32 = 160;

/** Backed by a node of the index. */
export const FROM_LOWER: u32 = 1;
/** Differs from the index (or is not in it): must not be dropped. Counted against the inode quota. */
export const DIRTY: u32 = 2;
/** Another file system is mounted on it: I_COVER. */
export const COVERED: u32 = 4;
/** The root of a mount. */
export const MOUNT_ROOT: u32 = 8;
export const ON_HOST: u32 = 16;
/** In the hostfs list of inodes to look at when the call ends. */
export const LISTED: u32 = 32;
/** A device node the kernel made: opening it reaches the device. Nodes of an image never do. */
export const LIVE_DEVICE: u32 = 128;
/** A removed directory that keeps its parent alive for "..". */
export const PINS_PARENT: u32 = 64;
/** In the list of inodes changed since the last sync. */
export const CHANGED: u32 = 256;
/** The guest changed it at some time: part of the writable layer as others see it. */
export const TOUCHED: u32 = 512;
/** All that is held of it must be written, not only the ranges noted. */
export const WHOLE: u32 = 1024;
/** A file the setting-up wrote: never in the journal. */
export const BASELINE: u32 = 2048;
/** Replay: in the list of inodes that lost a name. */
export const DROPPED: u32 = 4096;
/** Replay: known to hang on the root. */
export const ATTACHED: u32 = 8192;

export function kindOf(inode: usize): u32 {
  return load<u32>(inode, I_MODE) & S_IFMT;
}

export function isDirectory(inode: usize): bool {
  return (load<u32>(inode, I_MODE) & S_IFMT) == S_IFDIR;
}

export function isLink(inode: usize): bool {
  return (load<u32>(inode, I_MODE) & S_IFMT) == S_IFLNK;
}

export function hasFlag(inode: usize, flag: u32): bool {
  return (load<u32>(inode, I_FLAGS) & flag) != 0;
}

export function setFlag(inode: usize, flag: u32): void {
  store<u32>(inode, load<u32>(inode, I_FLAGS) | flag, I_FLAGS);
}

export function clearFlag(inode: usize, flag: u32): void {
  store<u32>(inode, load<u32>(inode, I_FLAGS) & ~flag, I_FLAGS);
}

export function nowNs(): i64 {
  return <i64>(now() * 1e6);
}

/**
 * Something about the inode changed: its ctime moves on, by a nanosecond at least, so that number and ctime together tell
 * a file from what it was before, whatever the clock does. Returns the new one.
 */
export function touchChange(inode: usize): i64 {
  const time = max<i64>(nowNs(), load<i64>(inode, I_CTIME) + 1);
  store<i64>(inode, time, I_CTIME);
  return time;
}

/** Room in the inode quota. */
export function inodesLeft(): bool {
  return load<u32>(superblock(), S_INODES) < load<u32>(superblock(), S_MAX_INODES);
}

/** A new inode of a writable file system, nlink 1 (directory: 2), no name yet; 0: quota or memory is out. */
export function inodeCreate(mount: usize, mode: u32, uid: u32, gid: u32): usize {
  if (!inodesLeft()) return 0;
  const inode = kmalloc(I_BYTES);
  if (inode == 0) return 0;
  const s = superblock();
  memory.fill(inode, 0, I_BYTES);
  store<u32>(inode, mode, I_MODE);
  store<u32>(inode, DIRTY, I_FLAGS);
  store<u32>(inode, (mode & S_IFMT) == S_IFDIR ? 2 : 1, I_NLINK);
  store<u32>(inode, uid, I_UID);
  store<u32>(inode, gid, I_GID);
  const time = nowNs();
  store<i64>(inode, time, I_ATIME);
  store<i64>(inode, time, I_MTIME);
  store<i64>(inode, time, I_CTIME);
  const number = load<u64>(s, S_NEXT_INO);
  store<u64>(s, number + 1, S_NEXT_INO);
  store<u64>(inode, number, I_NUMBER);
  store<u32>(inode, mount, I_MOUNT);
  store<u32>(s, load<u32>(s, S_INODES) + 1, S_INODES);
  if (mount == load<u32>(s, S_TRACK)) trackInode(inode);
  return inode;
}

/** The error that fits a failed inodeCreate. */
export function inodeError(): i32 {
  return -ENOSPC;
}

/**
 * The inode of a lower node: the one there is, or a clean one read from the index. -EIO (the index is broken) or -ENOMEM
 * as an address. `parent` is the directory it was found in; a directory node must agree.
 */
export function inodeFromLower(mount: usize, node: u32, parent: usize): usize {
  const table = load<u32>(superblock(), S_NODE_INODES);
  const at = lowerNode(node);
  if (at == 0) return <usize>-EIO;
  const known = load<u32>(table + (node << 2));
  if (known != 0) return known;
  const mode = load<u32>(at, N_MODE);
  const kind = mode & S_IFMT;
  if (kind == S_IFDIR && parent != 0 && (node == 0 || load<u32>(at, N_PARENT) != load<u32>(parent, I_NODE))) {
    return <usize>-EIO;
  }
  const inode = kmalloc(I_BYTES);
  if (inode == 0) return <usize>-ENOMEM;
  memory.fill(inode, 0, I_BYTES);
  store<u32>(inode, mode & 0o177777, I_MODE);
  store<u32>(inode, FROM_LOWER, I_FLAGS);
  store<u32>(inode, max<u32>(load<u32>(at, N_NLINK), 1), I_NLINK);
  store<u32>(inode, load<u32>(at, N_UID), I_UID);
  store<u32>(inode, load<u32>(at, N_GID), I_GID);
  const time = load<i64>(at, N_MTIME);
  store<i64>(inode, time, I_ATIME);
  store<i64>(inode, time, I_MTIME);
  store<i64>(inode, time, I_CTIME);
  store<u64>(inode, <u64>node + 2, I_NUMBER);
  store<u32>(inode, mount, I_MOUNT);
  store<u32>(inode, node, I_NODE);
  store<u32>(inode, load<u32>(at, N_RDEV), I_RDEV);
  if (kind == S_IFDIR) {
    store<u32>(inode, parent, I_PARENT);
    store<u64>(inode, load<u32>(at, N_COUNT), I_SIZE);
  } else {
    const size = load<u64>(at, N_SIZE);
    store<u64>(inode, size, I_SIZE);
    if (kind == S_IFREG) store<u64>(inode, size, I_LOWER_BYTES);
  }
  store<u32>(table + (node << 2), inode);
  return inode;
}

/** Before anything of a lower inode changes: from now on it is the guest's. 0 or -ENOSPC. */
export function inodeDirty(inode: usize): i32 {
  const s = superblock();
  if (!hasFlag(inode, DIRTY)) {
    if (!inodesLeft()) return -ENOSPC;
    setFlag(inode, DIRTY);
    store<u32>(s, load<u32>(s, S_INODES) + 1, S_INODES);
  }
  if (load<u32>(inode, I_MOUNT) == load<u32>(s, S_TRACK)) trackInode(inode);
  return 0;
}

export function inodeRef(inode: usize): void {
  store<u32>(inode, load<u32>(inode, I_REFS) + 1, I_REFS);
}

export function inodeUnref(inode: usize): void {
  const refs = load<u32>(inode, I_REFS) - 1;
  store<u32>(inode, refs, I_REFS);
  if (refs == 0) inodeSettle(inode);
}

/** Frees the inode when neither a name nor a user is left. */
export function inodeSettle(inode: usize): void {
  if (load<u32>(inode, I_REFS) != 0) return;
  if (hasFlag(inode, ON_HOST)) hostForget(inode);
  else if (load<u32>(inode, I_NLINK) == 0 && load<u32>(inode, I_NAMED) == 0) inodeFree(inode);
}

/**
 * Drops an inode for good, or a clean one until it is wanted again. A removed directory lets go of its parent, which may
 * go next: a loop, because a guest can make that chain as long as it likes.
 */
export function inodeFree(inode: usize): void {
  let parent = freeOne(inode);
  while (parent != 0) {
    const refs = load<u32>(parent, I_REFS) - 1;
    store<u32>(parent, refs, I_REFS);
    if (refs != 0 || load<u32>(parent, I_NLINK) != 0 || load<u32>(parent, I_NAMED) != 0) return;
    parent = freeOne(parent);
  }
}

/** Frees one inode; gives the parent it pinned, or 0. */
function freeOne(inode: usize): usize {
  const s = superblock();
  const kind = kindOf(inode);
  let pinned: usize = 0;
  if (kind == S_IFREG) dataFree(inode);
  else if (kind == S_IFDIR) {
    directoryFree(inode);
    if (hasFlag(inode, PINS_PARENT)) pinned = load<u32>(inode, I_PARENT);
  } else if (kind == S_IFIFO && load<u32>(inode, I_PIPE) != 0) pipeFree(load<u32>(inode, I_PIPE));
  else if (kind == S_IFLNK && load<u32>(inode, I_TARGET) != 0) {
    kfree(load<u32>(inode, I_TARGET), <u32>load<u64>(inode, I_SIZE));
  }
  if (hasFlag(inode, FROM_LOWER)) {
    store<u32>(load<u32>(s, S_NODE_INODES) + (load<u32>(inode, I_NODE) << 2), 0);
  }
  if (hasFlag(inode, DIRTY)) store<u32>(s, load<u32>(s, S_INODES) - 1, S_INODES);
  if (hasFlag(inode, CHANGED)) untrackInode(inode);
  kfree(inode, I_BYTES);
  return pinned;
}

/**
 * Names in directories: the writable upper half over the read-only lower one. A name the guest made sits in the dentry
 * table and in a slot of its directory (slots give readdir stable cookies); a name of the image costs nothing until it is
 * looked up, and removing it leaves a whiteout.
 */
import { EIO, ENOMEM, ENOSPC } from '../../src/core/abi/kernel';
import {
  CLEAN,
  cacheAdd,
  cacheRemove,
  D_DIR,
  D_FLAGS,
  D_INODE,
  D_SLOT,
  dentryBind,
  dentryDrop,
  dentryFind,
  dentryInsert,
  dentryUnbind,
  LOWER_NAME,
  NAME_SYNCED,
  nameHash,
} from './dentry';
import { hostLookup } from './hostfs';
import {
  FROM_LOWER,
  hasFlag,
  I_CHILDREN,
  I_CTIME,
  I_DENTRY,
  I_HIDDEN,
  I_MOUNT,
  I_MTIME,
  I_NLINK,
  I_NODE,
  I_PARENT,
  I_SLOT_CAPACITY,
  I_SLOT_FREE,
  I_SLOTS,
  I_SLOTS_USED,
  I_UPPER,
  inodeFromLower,
  inodeSettle,
  isDirectory,
  nowNs,
  ON_HOST,
  touchChange,
} from './inode';
import { L_LENGTH, L_NAME, L_NODE, lowerDirent, lowerLookup, lowerNode, lowerString, N_COUNT, N_FIRST } from './lower';
import { kfree, kmalloc, S_MAX_NAMES, S_NAMES, S_TRACK, superblock } from './superblock';
import { trackGone, trackName } from './track';

/** What the last lookup found in the table: a dentry (a whiteout has no inode) or 0. Per instance, one call long. */
export let foundDentry: usize = 0;

const FIRST_SLOTS: u32 = 8;

/** An inode pointer, 0 (no such name), or a negative errno as an address above all memory. */
export function isError(result: usize): bool {
  return result > 0xfffff000;
}

/** The inode called `name` in directory `dir`; sets foundDentry. */
export function lookup(dir: usize, name: usize, length: u32, hash: u32): usize {
  const dentry = dentryFind(dir, name, length, hash);
  foundDentry = dentry;
  if (dentry != 0) return load<u32>(dentry, D_INODE);
  if (!hasFlag(dir, FROM_LOWER | ON_HOST)) return 0;
  if (hasFlag(dir, ON_HOST)) return hostLookup(dir, name, length);
  const number = lowerLookup(load<u32>(dir, I_NODE), name, length);
  if (number < 0) return number == -1 ? 0 : <usize>number;
  const node = load<u32>(lowerDirent(number), L_NODE);
  const inode = inodeFromLower(load<u32>(dir, I_MOUNT), node, dir);
  if (isError(inode)) return inode;
  // A second name for a directory, or one more name than the link count says: the index lies.
  if (load<u32>(inode, I_NLINK) == 0) return <usize>-EIO;
  if (isDirectory(inode) && (load<u32>(inode, I_DENTRY) != 0 || load<u32>(inode, I_PARENT) != dir)) return <usize>-EIO;
  const entry = dentryInsert(dir, name, length, hash, inode, LOWER_NAME);
  if (entry == 0) return <usize>-ENOMEM;
  cacheAdd(entry);
  foundDentry = entry;
  return inode;
}

/** Names the quota still allows; asked before a change begins. */
export function namesLeft(count: u32): bool {
  return load<u32>(superblock(), S_NAMES) + count <= load<u32>(superblock(), S_MAX_NAMES);
}

/**
 * Enters `name` for `inode`. `dentry`: what lookup found (a whiteout, or 0). 0 or -ENOSPC with nothing changed.
 * The directory is dirty already and the quota was asked.
 */
export function nameAdd(dir: usize, name: usize, length: u32, hash: u32, dentry: usize, inode: usize): i32 {
  if (dentry != 0) {
    store<u32>(dir, load<u32>(dir, I_HIDDEN) - 1, I_HIDDEN);
    dentryBind(dentry, inode);
    nameChanged(dir, dentry);
  } else {
    const slot = slotTake(dir);
    if (slot < 0) return -ENOSPC;
    const entry = dentryInsert(dir, name, length, hash, inode, 0);
    if (entry == 0) {
      slotGive(dir, slot);
      return -ENOSPC;
    }
    store<u32>(load<u32>(dir, I_SLOTS) + (slot << 2), entry);
    store<u32>(entry, slot, D_SLOT);
    store<u32>(dir, load<u32>(dir, I_UPPER) + 1, I_UPPER);
    store<u32>(superblock(), load<u32>(superblock(), S_NAMES) + 1, S_NAMES);
    nameChanged(dir, entry);
  }
  touchDirectory(dir);
  return 0;
}

/** Removes a name; the inode is left to the caller, who adjusts nlink and settles it. Cannot fail. */
export function nameRemove(dentry: usize): usize {
  const dir: usize = load<u32>(dentry, D_DIR);
  const flags = load<u16>(dentry, D_FLAGS);
  const inode = dentryUnbind(dentry);
  if ((flags & LOWER_NAME) != 0) {
    claim(dentry);
    store<u32>(dir, load<u32>(dir, I_HIDDEN) + 1, I_HIDDEN);
    nameChanged(dir, dentry);
  } else {
    if ((flags & NAME_SYNCED) != 0 && load<u32>(dir, I_MOUNT) == load<u32>(superblock(), S_TRACK)) trackGone(dentry);
    store<u32>(dir, load<u32>(dir, I_UPPER) - 1, I_UPPER);
    slotGive(dir, load<u32>(dentry, D_SLOT));
    store<u32>(superblock(), load<u32>(superblock(), S_NAMES) - 1, S_NAMES);
    dentryDrop(dentry);
  }
  touchDirectory(dir);
  return inode;
}

/** Makes an existing name mean another inode (rename over). Gives the one it meant. */
export function nameReplace(dentry: usize, inode: usize): usize {
  const old = dentryUnbind(dentry);
  claim(dentry);
  dentryBind(dentry, inode);
  nameChanged(load<u32>(dentry, D_DIR), dentry);
  touchDirectory(load<u32>(dentry, D_DIR));
  return old;
}

function nameChanged(dir: usize, dentry: usize): void {
  if (load<u32>(dir, I_MOUNT) == load<u32>(superblock(), S_TRACK)) trackName(dentry);
}

/** A cached lower name stops saying what the index says: it is the guest's now. */
function claim(dentry: usize): void {
  if ((load<u16>(dentry, D_FLAGS) & CLEAN) == 0) return;
  cacheRemove(dentry);
  store<u32>(superblock(), load<u32>(superblock(), S_NAMES) + 1, S_NAMES);
}

function touchDirectory(dir: usize): void {
  const time = nowNs();
  store<i64>(dir, time, I_MTIME);
  store<i64>(dir, time, I_CTIME);
}

/** Entries of the image below this directory, hidden ones included. */
export function lowerCount(dir: usize): u32 {
  if (!hasFlag(dir, FROM_LOWER)) return 0;
  const node = lowerNode(load<u32>(dir, I_NODE));
  return node == 0 ? 0 : load<u32>(node, N_COUNT);
}

export function directoryEmpty(dir: usize): bool {
  return load<u32>(dir, I_UPPER) == 0 && lowerCount(dir) == load<u32>(dir, I_HIDDEN);
}

/** Frees what hangs on an empty directory inode: whiteouts, slots. */
export function directoryFree(dir: usize): void {
  if (load<u32>(dir, I_CHILDREN) != 0) dropWhiteouts(dir);
  const capacity = load<u32>(dir, I_SLOT_CAPACITY);
  if (capacity != 0) kfree(load<u32>(dir, I_SLOTS), capacity << 2);
}

function dropWhiteouts(dir: usize): void {
  const node = lowerNode(load<u32>(dir, I_NODE));
  if (node == 0) return;
  const first = load<u32>(node, N_FIRST);
  const count = load<u32>(node, N_COUNT);
  for (let i: u32 = 0; i < count && load<u32>(dir, I_CHILDREN) != 0; i++) {
    const at = lowerDirent(first + i);
    if (at == 0) continue;
    const name = lowerString(load<u32>(at, L_NAME));
    const length: u32 = load<u16>(at, L_LENGTH);
    const dentry = dentryFind(dir, name, length, nameHash(dir, name, length));
    if (dentry == 0) continue;
    store<u32>(superblock(), load<u32>(superblock(), S_NAMES) - 1, S_NAMES);
    dentryDrop(dentry);
  }
}

/** A free slot, or -1. Free slots hold (next free + 1) << 1 | 1; dentries are even. */
function slotTake(dir: usize): i32 {
  const free = load<u32>(dir, I_SLOT_FREE);
  const slots = load<u32>(dir, I_SLOTS);
  if (free != 0) {
    store<u32>(dir, load<u32>(slots + ((free - 1) << 2)) >> 1, I_SLOT_FREE);
    return free - 1;
  }
  const used = load<u32>(dir, I_SLOTS_USED);
  const capacity = load<u32>(dir, I_SLOT_CAPACITY);
  if (used == capacity) {
    const wider = capacity == 0 ? FIRST_SLOTS : capacity << 1;
    const grown = kmalloc(wider << 2);
    if (grown == 0) return -1;
    if (capacity != 0) {
      memory.copy(grown, slots, capacity << 2);
      kfree(slots, capacity << 2);
    }
    store<u32>(dir, grown, I_SLOTS);
    store<u32>(dir, wider, I_SLOT_CAPACITY);
  }
  store<u32>(dir, used + 1, I_SLOTS_USED);
  return used;
}

function slotGive(dir: usize, slot: u32): void {
  const slots = load<u32>(dir, I_SLOTS);
  if (load<u32>(dir, I_UPPER) == 0) {
    kfree(slots, load<u32>(dir, I_SLOT_CAPACITY) << 2);
    store<u32>(dir, 0, I_SLOTS);
    store<u32>(dir, 0, I_SLOT_CAPACITY);
    store<u32>(dir, 0, I_SLOTS_USED);
    store<u32>(dir, 0, I_SLOT_FREE);
    return;
  }
  store<u32>(slots + (slot << 2), (load<u32>(dir, I_SLOT_FREE) << 1) | 1);
  store<u32>(dir, slot + 1, I_SLOT_FREE);
}

/** One link of `inode` is gone (its name was removed already). */
export function linkDropped(inode: usize): void {
  const links = load<u32>(inode, I_NLINK);
  if (links > 0) store<u32>(inode, links - 1, I_NLINK);
  touchChange(inode);
  inodeSettle(inode);
}

/** A removed directory's end: no links; while it is held open it keeps its parent for "..". */
export function directoryRemoved(inode: usize): void {
  store<u32>(inode, 0, I_NLINK);
  touchChange(inode);
  inodeSettle(inode);
}

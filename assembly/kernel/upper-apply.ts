/**
 * Replays one transaction of the journal into a kernel in which no guest has run yet. The bytes are not trusted: every
 * record is judged before it is believed, and what does not fit answers -EIO. The kernel is of no use after an error.
 *
 * The order within a transaction does not matter, so replay works in passes: check the form; drop what changed names meant
 * before; make the new inodes; bind the names; let go of what removed directories held; see that every directory
 * hangs on the root; free what lost its last name. Attributes and data follow (upper-fill.ts).
 */
import {
  EINVAL,
  EIO,
  ENOMEM,
  ENOSPC,
  PATH_MAX,
  RECORD_DATA,
  RECORD_DATA_BYTES,
  RECORD_END,
  RECORD_END_BYTES,
  RECORD_INODE,
  RECORD_INODE_BYTES,
  RECORD_NAME,
  RECORD_NAME_BYTES,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../src/core/abi/kernel';
import { FILE_MAX } from './data';
import { D_FLAGS, D_INODE, dentryFind, NAME_SYNCED, NAME_TOUCHED, nameHash } from './dentry';
import {
  I_DENTRY,
  I_MOUNT,
  I_NUMBER,
  I_PARENT,
  inodeCreate,
  inodeDirty,
  isDirectory,
  kindOf,
  setFlag,
  TOUCHED,
} from './inode';
import { foundDentry, isError, nameAdd, nameRemove } from './overlay';
import { S_NEXT_INO, S_REPLAY, S_REPLAY_LENGTH, S_REPLAY_SPACE, S_ROOT, S_TRACK, superblock } from './superblock';
import { attachAll } from './upper-attach';
import { dropInode, lookupForReplay, releaseDropped, settleDropped } from './upper-drop';
import { fillBegin } from './upper-fill';
import { FIRST_MADE, inodeByNumber, numberEnter } from './upper-numbers';

/** Inode numbers stay exact as JavaScript numbers. */
const NUMBER_MAX: u64 = 1 << 53;

/** Applies the metadata of `length` bytes in the replay buffer. 0 or -errno. */
export function upperApply(length: u32): i32 {
  const s = superblock();
  if (load<u32>(s, S_REPLAY) == 0 || load<u32>(s, S_TRACK) != 0) return -EINVAL;
  if (length > load<u32>(s, S_REPLAY_SPACE)) return -EINVAL;
  store<u32>(s, length, S_REPLAY_LENGTH);
  const from = load<u32>(s, S_REPLAY);
  const end = from + length;
  if (!wellFormed(from, end)) return -EIO;
  let result = dropNames(from, end);
  if (result == 0) result = makeInodes(from, end);
  if (result == 0) result = bindNames(from, end);
  if (result == 0) releaseDropped();
  if (result == 0) result = attachAll(from, end);
  if (result < 0) return result;
  settleDropped();
  return fillBegin();
}

/** Whole length of a well-formed record. */
export function recordBytes(at: usize): u32 {
  const type = load<u16>(at);
  const nameLength: u32 = load<u16>(at, 2);
  if (type == RECORD_NAME) return RECORD_NAME_BYTES + nameLength;
  if (type == RECORD_INODE) return RECORD_INODE_BYTES + nameLength + load<u32>(at, 88);
  return type == RECORD_DATA ? RECORD_DATA_BYTES : RECORD_END_BYTES;
}

/** Are these whole, plausible records with END as the last and only one? */
function wellFormed(from: usize, end: usize): bool {
  let at = from;
  let isFile = false;
  while (at + 16 <= end) {
    const left = <u32>(end - at);
    const type = load<u16>(at);
    const nameLength: u32 = load<u16>(at, 2);
    if (type == RECORD_END) return left == RECORD_END_BYTES && load<u64>(at, 8) < NUMBER_MAX;
    if (type == RECORD_NAME) {
      if (left < <u32>RECORD_NAME_BYTES + nameLength || !validName(at + RECORD_NAME_BYTES, nameLength)) return false;
      if (load<u64>(at, 8) >= NUMBER_MAX || load<u64>(at, 16) >= NUMBER_MAX) return false;
      isFile = false;
    } else if (type == RECORD_INODE) {
      if (left < <u32>RECORD_INODE_BYTES + nameLength) return false;
      const target = load<u32>(at, 88);
      if (target >= <u32>PATH_MAX || left < <u32>RECORD_INODE_BYTES + nameLength + target) return false;
      if (nameLength != 0 && !validName(at + RECORD_INODE_BYTES, nameLength)) return false;
      if (!validInode(at)) return false;
      isFile = (load<u32>(at, 4) & S_IFMT) == S_IFREG;
    } else if (type == RECORD_DATA) {
      const length = load<u32>(at, 4);
      const offset = load<u64>(at, 8);
      if (!isFile || nameLength != 0 || length == 0 || length > 0x7fffffff || offset >= FILE_MAX) return false;
    } else {
      return false;
    }
    at += recordBytes(at);
  }
  return false;
}

function validName(name: usize, length: u32): bool {
  if (length == 0 || length > 255) return false;
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(name + i);
    if (byte == 0 || byte == 0x2f) return false;
  }
  // "." and ".." are no names.
  return load<u8>(name) != 0x2e || (length != 1 && (length != 2 || load<u8>(name, 1) != 0x2e));
}

function validInode(at: usize): bool {
  const kind = load<u32>(at, 4) & S_IFMT;
  const made = load<u64>(at, 8) >= FIRST_MADE;
  if (load<u64>(at, 8) >= NUMBER_MAX || load<u64>(at, 80) >= NUMBER_MAX || load<u64>(at, 32) > FILE_MAX) return false;
  if (load<u32>(at, 16) < <u32>(kind == S_IFDIR ? 2 : 1)) return false;
  if (kind == S_IFLNK) return made == (load<u32>(at, 88) != 0);
  if (load<u32>(at, 88) != 0) return false;
  // Devices are the image's: the guest cannot make any.
  if (kind == S_IFCHR || kind == S_IFBLK) return !made;
  if (kind == S_IFREG) return !made || load<u64>(at, 64) == 0;
  return kind == S_IFDIR || kind == S_IFIFO || kind == S_IFSOCK;
}

/** Takes from every changed name what it meant so far, unless that is what it means now. */
function dropNames(from: usize, end: usize): i32 {
  for (let at = from; at < end; at += recordBytes(at)) {
    if (load<u16>(at) != RECORD_NAME) continue;
    const dir = inodeByNumber(load<u64>(at, 8));
    // A directory this transaction makes has no names yet.
    if (dir == 0) continue;
    if (!isDirectory(dir)) return -EIO;
    const length: u32 = load<u16>(at, 2);
    const name = at + RECORD_NAME_BYTES;
    const found = lookupForReplay(dir, name, length, nameHash(dir, name, length));
    if (isError(found)) return <i32>found;
    if (found == 0 || load<u64>(found, I_NUMBER) == load<u64>(at, 16)) continue;
    const dirty = inodeDirty(dir);
    if (dirty < 0) return dirty;
    const dentry = foundDentry;
    dropInode(nameRemove(dentry));
    markHidden(dir, name, length);
  }
  return 0;
}

/** A whiteout, where one is left, is the guest's and in the journal. */
function markHidden(dir: usize, name: usize, length: u32): void {
  const dentry = dentryFind(dir, name, length, nameHash(dir, name, length));
  if (dentry != 0) markName(dentry);
}

function markName(dentry: usize): void {
  store<u16>(dentry, load<u16>(dentry, D_FLAGS) | NAME_TOUCHED | NAME_SYNCED, D_FLAGS);
}

function makeInodes(from: usize, end: usize): i32 {
  const s = superblock();
  const mount = load<u32>(load<u32>(s, S_ROOT), I_MOUNT);
  for (let at = from; at < end; at += recordBytes(at)) {
    if (load<u16>(at) != RECORD_INODE) continue;
    const number = load<u64>(at, 8);
    const kind = load<u32>(at, 4) & S_IFMT;
    let inode = inodeByNumber(number);
    if (inode == 0) {
      if (number < FIRST_MADE) return -EIO;
      const next = load<u64>(s, S_NEXT_INO);
      inode = inodeCreate(mount, kind, 0, 0);
      store<u64>(s, max<u64>(next, number + 1), S_NEXT_INO);
      if (inode == 0) return -ENOSPC;
      store<u64>(inode, number, I_NUMBER);
      if (!numberEnter(inode)) return -ENOMEM;
    }
    if (kindOf(inode) != kind) return -EIO;
    const dirty = inodeDirty(inode);
    if (dirty < 0) return dirty;
    setFlag(inode, TOUCHED);
  }
  return 0;
}

function bindNames(from: usize, end: usize): i32 {
  const root: usize = load<u32>(superblock(), S_ROOT);
  for (let at = from; at < end; at += recordBytes(at)) {
    if (load<u16>(at) != RECORD_NAME || load<u64>(at, 16) == 0) continue;
    const dir = inodeByNumber(load<u64>(at, 8));
    const inode = inodeByNumber(load<u64>(at, 16));
    if (dir == 0 || inode == 0 || inode == root || !isDirectory(dir)) return -EIO;
    const length: u32 = load<u16>(at, 2);
    const name = at + RECORD_NAME_BYTES;
    const hash = nameHash(dir, name, length);
    const found = lookupForReplay(dir, name, length, hash);
    if (isError(found)) return <i32>found;
    if (found != 0 && found != inode) return -EIO;
    let dentry = foundDentry;
    if (found == 0) {
      const dirty = inodeDirty(dir);
      if (dirty < 0) return dirty;
      if (isDirectory(inode) && load<u32>(inode, I_DENTRY) != 0) {
        // Moved out of a directory that was removed since, whiteouts and all.
        nameRemove(load<u32>(inode, I_DENTRY));
        dentry = dentryFind(dir, name, length, hash);
      }
      if (dentry != 0 && load<u32>(dentry, D_INODE) != 0) return -EIO;
      if (nameAdd(dir, name, length, hash, dentry, inode) < 0) return -ENOSPC;
      if (isDirectory(inode)) store<u32>(inode, dir, I_PARENT);
      dentry = dentryFind(dir, name, length, hash);
    }
    markName(dentry);
  }
  return 0;
}

/**
 * Replay: every directory a transaction speaks of must hang on the root. One of the image that was met by its number
 * alone gets its name from the index here; a made one must have been given one.
 */
import { EIO, ENOMEM, RECORD_INODE, RECORD_INODE_BYTES, RECORD_NAME } from '../../src/core/abi/kernel';
import { cacheAdd, dentryFind, dentryInsert, LOWER_NAME, nameHash } from './dentry';
import {
  ATTACHED,
  clearFlag,
  DROPPED,
  FROM_LOWER,
  hasFlag,
  I_NAMED,
  I_NODE,
  I_PARENT,
  isDirectory,
  setFlag,
} from './inode';
import {
  L_LENGTH,
  L_NAME,
  L_NODE,
  lowerDirent,
  lowerNode,
  lowerNodeCount,
  lowerString,
  N_COUNT,
  N_FIRST,
  N_PARENT,
} from './lower';
import { isError } from './overlay';
import { S_INODES, S_ROOT, superblock } from './superblock';
import { recordBytes } from './upper-apply';
import { lookupForReplay } from './upper-drop';
import { inodeByNumber } from './upper-numbers';

export function attachAll(from: usize, end: usize): i32 {
  let result = eachDirectory(from, end, true);
  if (result == 0) result = homes(from, end);
  eachDirectory(from, end, false);
  return result;
}

function eachDirectory(from: usize, end: usize, attaching: bool): i32 {
  for (let at = from; at < end; at += recordBytes(at)) {
    const type = load<u16>(at);
    if (type != RECORD_NAME && type != RECORD_INODE) continue;
    const inode = inodeByNumber(load<u64>(at, 8));
    if (inode == 0 || !isDirectory(inode)) continue;
    // A directory that is going may have been told of names that went before it.
    if (type == RECORD_NAME && load<u64>(at, 16) == 0 && load<u32>(inode, I_NAMED) == 0 && hasFlag(inode, DROPPED)) {
      continue;
    }
    if (attaching) {
      const result = attach(inode);
      if (result < 0) return result;
    } else {
      detachMarks(inode);
    }
  }
  return 0;
}

/** Follows the parents up to the root or to one that is known to reach it. 0 or -errno. */
function attach(inode: usize): i32 {
  const s = superblock();
  const root: usize = load<u32>(s, S_ROOT);
  let steps: u64 = <u64>load<u32>(s, S_INODES) + lowerNodeCount() + 2;
  let at = inode;
  while (at != root && !hasFlag(at, ATTACHED)) {
    if (load<u32>(at, I_NAMED) == 0) {
      const result = nameFromIndex(at);
      if (result < 0) return result;
    }
    at = load<u32>(at, I_PARENT);
    if (at == 0 || steps-- == 0) return -EIO;
  }
  for (at = inode; at != root && !hasFlag(at, ATTACHED); at = load<u32>(at, I_PARENT)) setFlag(at, ATTACHED);
  return 0;
}

function detachMarks(inode: usize): void {
  for (let at = inode; at != 0 && hasFlag(at, ATTACHED); at = load<u32>(at, I_PARENT)) clearFlag(at, ATTACHED);
}

/** Binds a directory of the image where the image has it. -EIO when it is not there any more. */
function nameFromIndex(inode: usize): i32 {
  if (!hasFlag(inode, FROM_LOWER)) return -EIO;
  const node = load<u32>(inode, I_NODE);
  const parentNode = load<u32>(lowerNode(node), N_PARENT);
  const parent = inodeByNumber(<u64>parentNode + 2);
  if (parent == 0 || !isDirectory(parent) || parent == inode) return -EIO;
  const directory = lowerNode(parentNode);
  const first = load<u32>(directory, N_FIRST);
  const count = load<u32>(directory, N_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const at = lowerDirent(first + i);
    if (at == 0) return -EIO;
    if (load<u32>(at, L_NODE) != node) continue;
    const name = lowerString(load<u32>(at, L_NAME));
    const length: u32 = load<u16>(at, L_LENGTH);
    const hash = nameHash(parent, name, length);
    if (dentryFind(parent, name, length, hash) != 0) return -EIO;
    const dentry = dentryInsert(parent, name, length, hash, inode, LOWER_NAME);
    if (dentry == 0) return -ENOMEM;
    cacheAdd(dentry);
    store<u32>(inode, parent, I_PARENT);
    return 0;
  }
  return -EIO;
}

/** Looks files of the image up by a name they have there, so that they are found as changed again. */
function homes(from: usize, end: usize): i32 {
  for (let at = from; at < end; at += recordBytes(at)) {
    if (load<u16>(at) != RECORD_INODE || load<u16>(at, 2) == 0) continue;
    const dir = inodeByNumber(load<u64>(at, 80));
    if (dir == 0 || !isDirectory(dir)) return -EIO;
    const result = attach(dir);
    if (result < 0) return result;
    const length: u32 = load<u16>(at, 2);
    const name = at + RECORD_INODE_BYTES;
    const found = lookupForReplay(dir, name, length, nameHash(dir, name, length));
    if (isError(found)) return <i32>found;
  }
  return 0;
}

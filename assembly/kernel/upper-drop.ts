/** Replay: names that stop meaning something, and the inodes that were left without one. */
import { EIO } from '../../src/core/abi/kernel';
import { D_INODE, dentryFind, nameHash } from './dentry';
import {
  clearFlag,
  DROPPED,
  FROM_LOWER,
  hasFlag,
  I_CHILDREN,
  I_DROPPED_NEXT,
  I_NAMED,
  I_NLINK,
  I_NODE,
  I_PARENT,
  I_REFS,
  I_SLOTS,
  I_SLOTS_USED,
  inodeFree,
  isDirectory,
  setFlag,
} from './inode';
import {
  L_LENGTH,
  L_NAME,
  L_NODE,
  lowerDirent,
  lowerLookup,
  lowerNode,
  lowerString,
  N_COUNT,
  N_FIRST,
  N_PARENT,
} from './lower';
import { lookup, nameRemove } from './overlay';
import { S_DROPPED, S_NODE_INODES, superblock } from './superblock';
import { numberRemove } from './upper-numbers';

/** As lookup. A directory of the image that was only met by its number learns where it lies. */
export function lookupForReplay(dir: usize, name: usize, length: u32, hash: u32): usize {
  if (hasFlag(dir, FROM_LOWER) && dentryFind(dir, name, length, hash) == 0) {
    const number = lowerLookup(load<u32>(dir, I_NODE), name, length);
    if (number < -1) return <usize>number;
    if (number >= 0) {
      const node = load<u32>(lowerDirent(number), L_NODE);
      const known: usize = load<u32>(load<u32>(superblock(), S_NODE_INODES) + (node << 2));
      if (known != 0 && isDirectory(known) && load<u32>(known, I_PARENT) == 0) {
        if (load<u32>(lowerNode(node), N_PARENT) != load<u32>(dir, I_NODE)) return <usize>-EIO;
        store<u32>(known, dir, I_PARENT);
      }
    }
  }
  return lookup(dir, name, length, hash);
}

/** `inode` has just lost a name. */
export function dropInode(inode: usize): void {
  const links = load<u32>(inode, I_NLINK);
  if (!isDirectory(inode) && links != 0) store<u32>(inode, links - 1, I_NLINK);
  if (hasFlag(inode, DROPPED)) return;
  const s = superblock();
  setFlag(inode, DROPPED);
  store<u32>(inode, load<u32>(s, S_DROPPED), I_DROPPED_NEXT);
  store<u32>(s, inode, S_DROPPED);
}

/** Empties directories that have no name any more; what they held may follow. */
export function releaseDropped(): void {
  const s = superblock();
  let done: usize = 0;
  while (load<u32>(s, S_DROPPED) != done) {
    // New ones come in front: one round takes those in front of where the last one began.
    const first: usize = load<u32>(s, S_DROPPED);
    for (let inode = first; inode != done; inode = load<u32>(inode, I_DROPPED_NEXT)) {
      if (isDirectory(inode) && load<u32>(inode, I_NAMED) == 0) release(inode);
    }
    done = first;
  }
}

function release(dir: usize): void {
  store<u32>(dir, 0, I_NLINK);
  for (let i: u32 = 0; i < load<u32>(dir, I_SLOTS_USED); i++) {
    const entry = load<u32>(load<u32>(dir, I_SLOTS) + (i << 2));
    if ((entry & 1) == 0) dropInode(nameRemove(entry));
  }
  if (!hasFlag(dir, FROM_LOWER) || load<u32>(dir, I_CHILDREN) == 0) return;
  const node = lowerNode(load<u32>(dir, I_NODE));
  if (node == 0) return;
  const first = load<u32>(node, N_FIRST);
  const count = load<u32>(node, N_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const at = lowerDirent(first + i);
    if (at == 0) continue;
    const name = lowerString(load<u32>(at, L_NAME));
    const length: u32 = load<u16>(at, L_LENGTH);
    const dentry = dentryFind(dir, name, length, nameHash(dir, name, length));
    if (dentry != 0 && load<u32>(dentry, D_INODE) != 0) dropInode(nameRemove(dentry));
  }
}

/** Frees those that stayed without a name and a link. */
export function settleDropped(): void {
  const s = superblock();
  let inode: usize = load<u32>(s, S_DROPPED);
  store<u32>(s, 0, S_DROPPED);
  while (inode != 0) {
    const next: usize = load<u32>(inode, I_DROPPED_NEXT);
    clearFlag(inode, DROPPED);
    if (load<u32>(inode, I_NLINK) == 0 && load<u32>(inode, I_NAMED) == 0 && load<u32>(inode, I_REFS) == 0) {
      // A hostile index may leave names in it that could not be found: then it stays.
      if (!isDirectory(inode) || emptied(inode)) {
        numberRemove(inode);
        inodeFree(inode);
      }
    }
    inode = next;
  }
}

function emptied(dir: usize): bool {
  return load<u32>(dir, I_CHILDREN) == 0 || hasFlag(dir, FROM_LOWER);
}

/**
 * readdir with cookies that stay good while entries come and go: 0 ".", 1 "..", then the image's entries by their place
 * in the index, then the guest's by slot. A name of the image keeps its place even when the guest replaced its inode.
 */
import {
  DIRENT_INO,
  DIRENT_NAME,
  DIRENT_NAME_LENGTH,
  DIRENT_NEXT,
  DIRENT_TYPE,
  EBADF,
  EINVAL,
  EIO,
  ENOTDIR,
  FILE_DIRECTORY,
  FILE_INODE,
  FILE_KIND,
  FILE_STATUS,
  O_PATH,
  S_IFDIR,
  TASK_IO,
  TASK_IO_BYTES,
} from '../../src/core/abi/kernel';
import { D_INODE, D_LENGTH, dentryFind, dentryName, nameHash } from './dentry';
import { fdFile } from './fd';
import { hostfs_readdir } from './host';
import { hostMount, hostNode } from './hostfs';
import { COVERED, hasFlag, I_CHILDREN, I_MODE, I_NODE, I_NUMBER, I_SLOTS, I_SLOTS_USED, ON_HOST } from './inode';
import { L_LENGTH, L_NAME, L_NODE, L_TYPE, lowerDirent, lowerNode, lowerString, N_FIRST } from './lower';
import { lowerCount } from './overlay';
import { parentOf, topOf } from './path';
import { P_ROOT, processOf } from './process';

const FIRST_ENTRY: u64 = 2;

export function readDirectory(t: usize, fd: i32, cookie: u64, room: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  if (load<u32>(file, FILE_KIND) != FILE_DIRECTORY) return -ENOTDIR;
  if ((load<u32>(file, FILE_STATUS) & O_PATH) != 0) return -EBADF;
  const dir: usize = load<u32>(file, FILE_INODE);
  const start = t + TASK_IO;
  const end = start + min(room, TASK_IO_BYTES);
  let out = start;
  let at = cookie;
  if (at == 0) {
    const next = record(out, end, 1, load<u64>(dir, I_NUMBER), S_IFDIR >> 12, DOTS, 1);
    if (next == 0) return -EINVAL;
    out = next;
    at = 1;
  }
  if (at == 1) {
    const parent = parentOf(dir, load<u32>(processOf(t), P_ROOT));
    const next = record(out, end, 2, load<u64>(parent, I_NUMBER), S_IFDIR >> 12, DOTS, 2);
    if (next == 0) return out == start ? -EINVAL : <i32>(out - start);
    out = next;
    at = 2;
  }
  if (hasFlag(dir, ON_HOST)) return hostEntries(dir, at, start, out, end);
  const lower = <u64>lowerCount(dir);
  if (at - FIRST_ENTRY < lower) {
    const first = load<u32>(lowerNode(load<u32>(dir, I_NODE)), N_FIRST);
    const changed = load<u32>(dir, I_CHILDREN) != 0;
    for (; at - FIRST_ENTRY < lower; at++) {
      const next = lowerRecord(dir, first + <u32>(at - FIRST_ENTRY), changed, out, end, at + 1);
      if (next == 0) return out == start ? -EINVAL : <i32>(out - start);
      if (next == 1) return -EIO;
      out = next;
    }
  }
  const slots = load<u32>(dir, I_SLOTS);
  const used = <u64>load<u32>(dir, I_SLOTS_USED);
  for (; at - FIRST_ENTRY - lower < used; at++) {
    const entry = load<u32>(slots + ((<u32>(at - FIRST_ENTRY - lower)) << 2));
    if ((entry & 1) != 0) continue;
    const inode = visible(load<u32>(entry, D_INODE));
    const type = load<u32>(inode, I_MODE) >> 12;
    const next = record(
      out,
      end,
      at + 1,
      load<u64>(inode, I_NUMBER),
      type,
      dentryName(entry),
      load<u16>(entry, D_LENGTH),
    );
    if (next == 0) return out == start ? -EINVAL : <i32>(out - start);
    out = next;
  }
  return <i32>(out - start);
}

const DOTS = memory.data<u8>([0x2e, 0x2e, 0, 0, 0, 0, 0, 0]);

/** The next free byte; 0: no room; 1: the index is broken. A hidden name writes nothing. */
function lowerRecord(dir: usize, number: u32, changed: bool, out: usize, end: usize, cookie: u64): usize {
  const dirent = lowerDirent(number);
  if (dirent == 0) return 1;
  const name = lowerString(load<u32>(dirent, L_NAME));
  const length: u32 = load<u16>(dirent, L_LENGTH);
  if (changed) {
    const entry = dentryFind(dir, name, length, nameHash(dir, name, length));
    if (entry != 0) {
      const found = load<u32>(entry, D_INODE);
      if (found == 0) return out;
      const inode = visible(found);
      return record(out, end, cookie, load<u64>(inode, I_NUMBER), load<u32>(inode, I_MODE) >> 12, name, length);
    }
  }
  return record(out, end, cookie, <u64>load<u32>(dirent, L_NODE) + 2, load<u16>(dirent, L_TYPE) & 15, name, length);
}

/** What a name shows: the root of a mount on top of it. */
function visible(inode: usize): usize {
  return hasFlag(inode, COVERED) ? topOf(inode) : inode;
}

function record(out: usize, end: usize, cookie: u64, ino: u64, type: u32, name: usize, length: u32): usize {
  const next = out + ((DIRENT_NAME + length + 7) & ~7);
  if (next > end) return 0;
  store<u64>(next - 8, 0);
  store<u64>(out, cookie, DIRENT_NEXT);
  store<u64>(out, ino, DIRENT_INO);
  store<u32>(out, length, DIRENT_NAME_LENGTH);
  store<u32>(out, type, DIRENT_TYPE);
  memory.copy(out + DIRENT_NAME, name, length);
  return next;
}

/** The host's cookies are its own, moved up by the two dots. */
function hostEntries(dir: usize, cookie: u64, start: usize, out: usize, end: usize): i32 {
  const own = cookie - FIRST_ENTRY;
  const bytes = hostfs_readdir(hostMount(dir), hostNode(dir), <u32>own, <u32>(own >> 32), out, <u32>(end - out));
  if (bytes < 0) return out == start || bytes != -EINVAL ? bytes : <i32>(out - start);
  if (out + bytes > end) return -EIO;
  let at = out;
  while (at < out + bytes) {
    if (load<u32>(at, DIRENT_NAME_LENGTH) > 255) return -EIO;
    store<u64>(at, load<u64>(at, DIRENT_NEXT) + FIRST_ENTRY, DIRENT_NEXT);
    at += (DIRENT_NAME + load<u32>(at, DIRENT_NAME_LENGTH) + 7) & ~7;
  }
  return at == out + bytes ? <i32>(at - start) : -EIO;
}

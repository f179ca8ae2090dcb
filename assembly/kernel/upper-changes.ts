/** What differs from the image, one name after the other, in the order of the dentry table. */
import {
  CHANGE_ADDED,
  CHANGE_DELETED,
  CHANGE_MODIFIED,
  CHANGE_MOVED,
  CHANGE_OPAQUE,
  EINVAL,
  S_IFDIR,
  S_IFMT,
  TASK_IO,
  TASK_IO_BYTES,
  TASK_R0,
  TASK_R1,
  TASK_R2,
  TASK_R3,
  TASK_R4,
} from '../../src/core/abi/kernel';
import { CLEAN, D_DIR, D_FLAGS, D_INODE, D_LENGTH, D_NEXT, dentryName, NAME_TOUCHED } from './dentry';
import {
  BASELINE,
  FROM_LOWER,
  hasFlag,
  I_DENTRY,
  I_MODE,
  I_MOUNT,
  I_NODE,
  I_PARENT,
  isDirectory,
  TOUCHED,
} from './inode';
import { L_NODE, L_TYPE, lowerDirent, lowerLookup, lowerNode, N_MODE } from './lower';
import { S_DENTRY_MASK, S_DENTRY_TABLE, S_LOWER, S_ROOT, S_TRACK, superblock } from './superblock';

/** The dirent the image has at the path looked at, or -1. */
let lowerAt: i32 = -1;

/** The change at or behind bucket `bucket`, `skip` names into it. Length of its path in TASK_IO, 0: no more. */
export function upperChanges(t: usize, bucket: u32, skip: u32): i32 {
  const s = superblock();
  const mount = load<u32>(s, S_TRACK);
  if (mount == 0) return -EINVAL;
  const table = load<u32>(s, S_DENTRY_TABLE);
  const mask = load<u32>(s, S_DENTRY_MASK);
  let passed = skip;
  for (; bucket <= mask; bucket++) {
    let number: u32 = 0;
    let dentry: usize = load<u32>(table + (bucket << 2));
    for (; dentry != 0; dentry = load<u32>(dentry, D_NEXT)) {
      if (number++ < passed) continue;
      if (load<u32>(load<u32>(dentry, D_DIR), I_MOUNT) != mount || !isChange(dentry)) continue;
      const length = describe(t, dentry);
      if (length == 0) continue;
      store<u32>(t, bucket, TASK_R0);
      store<u32>(t, number, TASK_R1);
      return length;
    }
    passed = 0;
  }
  return 0;
}

function isChange(dentry: usize): bool {
  const inode: usize = load<u32>(dentry, D_INODE);
  if (inode != 0 && hasFlag(inode, BASELINE)) return false;
  const flags = load<u16>(dentry, D_FLAGS);
  if ((flags & (NAME_TOUCHED | CLEAN)) == NAME_TOUCHED) return true;
  return inode != 0 && hasFlag(inode, TOUCHED);
}

/** Fills TASK_IO and r2..r4. 0: not to be seen (below a removed directory, or gone where the image has nothing). */
function describe(t: usize, dentry: usize): i32 {
  const length = pathOf(t, dentry);
  if (length == 0) return 0;
  findLower(t + TASK_IO, length);
  const lowerType: u32 = lowerAt < 0 ? 0 : (load<u16>(lowerDirent(lowerAt), L_TYPE) & 15) << 12;
  const inode: usize = load<u32>(dentry, D_INODE);
  if (inode == 0) {
    if (lowerAt < 0) return 0;
    store<u32>(t, CHANGE_DELETED, TASK_R2);
    store<u32>(t, lowerType, TASK_R3);
    store<u32>(t, 0, TASK_R4);
    return length;
  }
  let flags: u32 = 0;
  if (isDirectory(inode)) {
    const own = hasFlag(inode, FROM_LOWER) ? <i32>load<u32>(inode, I_NODE) : -1;
    const there = lowerAt < 0 ? -1 : <i32>load<u32>(lowerDirent(lowerAt), L_NODE);
    if (own != there) {
      if (own >= 0) flags |= CHANGE_MOVED;
      if (lowerType == S_IFDIR) flags |= CHANGE_OPAQUE;
    }
  }
  store<u32>(t, lowerAt < 0 ? CHANGE_ADDED : CHANGE_MODIFIED, TASK_R2);
  store<u32>(t, load<u32>(inode, I_MODE), TASK_R3);
  store<u32>(t, flags, TASK_R4);
  return length;
}

/** Writes the name's path to TASK_IO, from its end backwards, then moved in front. 0: it does not hang on the root. */
function pathOf(t: usize, dentry: usize): i32 {
  const root: usize = load<u32>(superblock(), S_ROOT);
  const end = t + TASK_IO + TASK_IO_BYTES;
  let at = end;
  let entry = dentry;
  while (true) {
    const length: u32 = load<u16>(entry, D_LENGTH);
    if (<u32>(at - t - TASK_IO) <= length) return 0;
    at -= length;
    memory.copy(at, dentryName(entry), length);
    at--;
    store<u8>(at, 0x2f);
    const dir: usize = load<u32>(entry, D_DIR);
    if (dir == root) break;
    entry = load<u32>(dir, I_DENTRY);
    if (entry == 0 || load<u32>(entry, D_DIR) != load<u32>(dir, I_PARENT)) return 0;
  }
  const length = <u32>(end - at);
  memory.copy(t + TASK_IO, at, length);
  return length;
}

/** Follows the path in the image alone: lowerAt. */
function findLower(path: usize, length: u32): void {
  lowerAt = -1;
  // No image: its sections were never noted.
  if (load<u32>(superblock(), S_LOWER) == 0) return;
  let node: u32 = 0;
  let at: u32 = 1;
  while (at < length) {
    let stop = at;
    while (stop < length && load<u8>(path + stop) != 0x2f) stop++;
    const directory = lowerNode(node);
    const isDir = directory != 0 && (load<u32>(directory, N_MODE) & S_IFMT) == S_IFDIR;
    const found = isDir ? lowerLookup(node, path + at, stop - at) : -1;
    if (found < 0) {
      lowerAt = -1;
      return;
    }
    lowerAt = found;
    node = load<u32>(lowerDirent(found), L_NODE);
    at = stop + 1;
  }
}

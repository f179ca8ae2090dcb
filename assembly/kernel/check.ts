/** Invariants of the kernel's structures, checked by tests after hammering it. 0, or the number of the first broken one. */
import { FD_BYTES, FD_FILE, PROCESS_FD_CAPACITY, PROCESS_FDS } from '../../src/core/abi/kernel';
import { arenaSound } from '../memory/arena';
import {
  CLEAN,
  D_DIR,
  D_FLAGS,
  D_HASH,
  D_INODE,
  D_LENGTH,
  D_NEWER,
  D_NEXT,
  D_SLOT,
  dentryName,
  LOWER_NAME,
  nameHash,
} from './dentry';
import { I_CHILDREN, I_DENTRY, I_NAMED, I_NLINK, I_PARENT, I_SLOTS, I_SLOTS_USED, I_UPPER, isDirectory } from './inode';
import { P_NEXT, P_OPEN } from './process';
import {
  arena,
  S_CACHE_OLDEST,
  S_CACHED,
  S_DENTRIES,
  S_DENTRY_MASK,
  S_DENTRY_TABLE,
  S_NAMES,
  S_PROCESS_COUNT,
  S_PROCESSES,
  superblock,
} from './superblock';

export function check(): i32 {
  if (!arenaSound(arena())) return 1;
  const names = checkNames();
  return names != 0 ? names : checkProcesses();
}

function checkNames(): i32 {
  const s = superblock();
  const table = load<u32>(s, S_DENTRY_TABLE);
  const mask = load<u32>(s, S_DENTRY_MASK);
  let all: u32 = 0;
  let own: u32 = 0;
  let cached: u32 = 0;
  for (let bucket: u32 = 0; bucket <= mask; bucket++) {
    let dentry: usize = load<u32>(table + (bucket << 2));
    for (; dentry != 0; dentry = load<u32>(dentry, D_NEXT)) {
      all++;
      if ((load<u16>(dentry, D_FLAGS) & CLEAN) != 0) cached++;
      else own++;
      const broken = checkDentry(dentry, bucket, mask);
      if (broken != 0) return broken;
    }
  }
  if (all != load<u32>(s, S_DENTRIES)) return 2;
  if (own != load<u32>(s, S_NAMES)) return 3;
  if (cached != load<u32>(s, S_CACHED)) return 4;
  let dentry: usize = load<u32>(s, S_CACHE_OLDEST);
  for (; dentry != 0; dentry = load<u32>(dentry, D_NEWER)) cached--;
  return cached == 0 ? 0 : 5;
}

function checkDentry(dentry: usize, bucket: u32, mask: u32): i32 {
  const dir: usize = load<u32>(dentry, D_DIR);
  const hash = load<u32>(dentry, D_HASH);
  if ((hash & mask) != bucket) return 10;
  if (nameHash(dir, dentryName(dentry), load<u16>(dentry, D_LENGTH)) != hash) return 11;
  if (!isDirectory(dir) || load<u32>(dir, I_CHILDREN) == 0) return 12;
  const flags = load<u16>(dentry, D_FLAGS);
  const inode: usize = load<u32>(dentry, D_INODE);
  if ((flags & LOWER_NAME) == 0) {
    const slot = load<u32>(dentry, D_SLOT);
    if (inode == 0 || slot >= load<u32>(dir, I_SLOTS_USED)) return 13;
    if (load<u32>(load<u32>(dir, I_SLOTS) + (slot << 2)) != dentry) return 14;
  }
  if (inode == 0) return (flags & CLEAN) == 0 ? 0 : 15;
  if (load<u32>(inode, I_NAMED) == 0 || load<u32>(inode, I_NLINK) == 0) return 16;
  if (!isDirectory(inode)) return load<u32>(inode, I_NAMED) <= load<u32>(inode, I_NLINK) ? 0 : 17;
  if (load<u32>(inode, I_DENTRY) != dentry || load<u32>(inode, I_PARENT) != dir) return 18;
  let entries: u32 = 0;
  const used = load<u32>(inode, I_SLOTS_USED);
  for (let i: u32 = 0; i < used; i++) {
    if ((load<u32>(load<u32>(inode, I_SLOTS) + (i << 2)) & 1) == 0) entries++;
  }
  return entries == load<u32>(inode, I_UPPER) ? 0 : 19;
}

function checkProcesses(): i32 {
  const s = superblock();
  let count: u32 = 0;
  let process: usize = load<u32>(s, S_PROCESSES);
  for (; process != 0; process = load<u32>(process, P_NEXT)) {
    count++;
    let open: u32 = 0;
    const capacity = load<u32>(process, PROCESS_FD_CAPACITY);
    for (let fd: u32 = 0; fd < capacity; fd++) {
      if (load<u32>(load<u32>(process, PROCESS_FDS) + fd * FD_BYTES, FD_FILE) != 0) open++;
    }
    if (open != load<u32>(process, P_OPEN)) return 30;
  }
  return count == load<u32>(s, S_PROCESS_COUNT) ? 0 : 31;
}

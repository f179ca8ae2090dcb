/**
 * Mounts: the overlay root, tmpfs, hostfs. A mount's root inode covers an inode of another mount; path walks cross in
 * both directions. Byte quotas are kept here: one per file system.
 *
 * ```
 * mount, 64 bytes: 0 next  4 id  8 kind  12 flags MOUNT_*  16 root inode  20 host's mount number
 *                 24 u64 byte limit  32 u64 bytes used  40 u32 covered inode
 * ```
 */
import {
  EBUSY,
  EINVAL,
  EISDIR,
  ENOSPC,
  ENOTDIR,
  EROFS,
  MOUNT_READONLY,
  S_IFDIR,
  S_IFREG,
} from '../../src/core/abi/kernel';
import { hostInode } from './hostfs';
import {
  COVERED,
  hasFlag,
  I_COVER,
  I_MOUNT,
  I_PARENT,
  inodeCreate,
  inodeError,
  inodeRef,
  isDirectory,
  MOUNT_ROOT,
  setFlag,
} from './inode';
import { kfree, kmalloc, S_MOUNTS, S_NEXT_MOUNT, superblock } from './superblock';

export const M_NEXT: usize = 0;
export const M_ID: usize = 4;
export const M_KIND: usize = 8;
export const M_FLAGS: usize = 12;
export const M_ROOT: usize = 16;
export const M_HOST: usize = 20;
export const M_LIMIT: usize = 24;
export const M_USED: usize = 32;
export const M_COVERED: usize = 40;
const M_BYTES: u32 = 64;

export const KIND_OVERLAY: u32 = 1;
export const KIND_TMPFS: u32 = 2;
export const KIND_HOSTFS: u32 = 3;

/** A container has few mounts; this only stops a runaway caller. */
const MOUNTS_MAX: u32 = 1024;

export function mountCreate(kind: u32, flags: u32, limit: u64): usize {
  const s = superblock();
  const id = load<u32>(s, S_NEXT_MOUNT);
  if (id > MOUNTS_MAX) return 0;
  const mount = kmalloc(M_BYTES);
  if (mount == 0) return 0;
  memory.fill(mount, 0, M_BYTES);
  store<u32>(mount, load<u32>(s, S_MOUNTS), M_NEXT);
  store<u32>(mount, id, M_ID);
  store<u32>(mount, kind, M_KIND);
  store<u32>(mount, flags, M_FLAGS);
  store<u64>(mount, limit, M_LIMIT);
  store<u32>(s, id + 1, S_NEXT_MOUNT);
  store<u32>(s, mount, S_MOUNTS);
  return mount;
}

function mountDestroy(mount: usize): void {
  store<u32>(superblock(), load<u32>(mount, M_NEXT), S_MOUNTS);
  kfree(mount, M_BYTES);
}

/** A tmpfs over directory `at`. Mount id or -errno. */
export function mountTmpfs(at: usize, limit: u64, mode: u32, flags: u32): i32 {
  if (!isDirectory(at)) return -ENOTDIR;
  return mountMemory(at, limit, S_IFDIR | (mode & 0o7777), flags);
}

/** An empty file in memory over `at`, which is no directory. Mount id or -errno. */
export function mountFile(at: usize, mode: u32): i32 {
  if (isDirectory(at)) return -EISDIR;
  return mountMemory(at, ~(<u64>0), S_IFREG | (mode & 0o7777), 0);
}

function mountMemory(at: usize, limit: u64, mode: u32, flags: u32): i32 {
  if (hasFlag(at, COVERED)) return -EBUSY;
  const mount = mountCreate(KIND_TMPFS, flags, limit);
  if (mount == 0) return -ENOSPC;
  const root = inodeCreate(mount, mode, 0, 0);
  if (root == 0) {
    mountDestroy(mount);
    return inodeError();
  }
  return cover(at, mount, root);
}

/** The host's mount `host`, node `node`, over `at`; both directories or both not. */
export function mountHostfs(at: usize, host: u32, node: u32, flags: u32): i32 {
  if (hasFlag(at, COVERED)) return -EBUSY;
  const mount = mountCreate(KIND_HOSTFS, flags, ~(<u64>0));
  if (mount == 0) return -ENOSPC;
  store<u32>(mount, host, M_HOST);
  const root = hostInode(mount, node, 0, 0);
  if (root > 0xfffff000) {
    mountDestroy(mount);
    return <i32>root;
  }
  // The mount stays in the list, unused: the root inode is given back to the host when the call ends.
  if (isDirectory(root) != isDirectory(at)) return isDirectory(root) ? -ENOTDIR : -EINVAL;
  return cover(at, mount, root);
}

function cover(at: usize, mount: usize, root: usize): i32 {
  store<u32>(mount, root, M_ROOT);
  inodeRef(root);
  inodeRef(at);
  setFlag(root, MOUNT_ROOT);
  store<u32>(mount, at, M_COVERED);
  if (isDirectory(root)) store<u32>(root, root, I_PARENT);
  setFlag(at, COVERED);
  store<u32>(at, root, I_COVER);
  return load<u32>(mount, M_ID);
}

/** -EROFS when nothing may be changed on the inode's file system. */
export function checkWritable(inode: usize): i32 {
  const mount = load<u32>(inode, I_MOUNT);
  return (load<u32>(mount, M_FLAGS) & MOUNT_READONLY) == 0 ? 0 : -EROFS;
}

/** Books `bytes` on the file system's quota. */
export function charge(mount: usize, bytes: u64): bool {
  const used = load<u64>(mount, M_USED) + bytes;
  if (used > load<u64>(mount, M_LIMIT)) return false;
  store<u64>(mount, used, M_USED);
  return true;
}

export function uncharge(mount: usize, bytes: u64): void {
  store<u64>(mount, load<u64>(mount, M_USED) - bytes, M_USED);
}

export function isHost(inode: usize): bool {
  return load<u32>(load<u32>(inode, I_MOUNT), M_KIND) == KIND_HOSTFS;
}

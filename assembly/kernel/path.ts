/**
 * The path walk. It runs with the kernel's lock held, so no directory moves under it: what it resolves stays inside the
 * process' root, and with WALK_BENEATH inside the directory it started from, races or not.
 */
import {
  AT_FDCWD,
  EACCES,
  EINVAL,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTCAPABLE,
  ENOTDIR,
  NAME_MAX,
  PATH_MAX,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  TASK_PROCESS,
  WALK_BENEATH,
} from '../../src/core/abi/kernel';
import { nameHash } from './dentry';
import { fdDirectory } from './fd';
import { hostReadlink } from './hostfs';
import {
  COVERED,
  FROM_LOWER,
  hasFlag,
  I_COVER,
  I_MODE,
  I_MOUNT,
  I_NODE,
  I_PARENT,
  I_SIZE,
  I_TARGET,
  isDirectory,
  MOUNT_ROOT,
  ON_HOST,
} from './inode';
import { lowerNode, lowerString, N_DATA } from './lower';
import { M_COVERED } from './mount';
import { foundDentry, isError, lookup } from './overlay';
import { mayExecute, P_CWD, P_ROOT } from './process';

/** What the last component was. */
export const LAST_NAME: u32 = 0;
export const LAST_DOT: u32 = 1;
export const LAST_DOTDOT: u32 = 2;
export const LAST_ROOT: u32 = 3;

/** What to do with a symlink in the last component: keep it (a trailing slash still follows), follow, never follow. */
export const KEEP: u32 = 0;
export const FOLLOW: u32 = 1;
export const ENTRY: u32 = 2;

const SYMLINKS_MAX = 40;
const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;

// The result of the last walk, valid until the next one; registers of this instance, not state.
/** Directory that holds (or would hold) the last component. */
export let walkDir: usize = 0;
export let walkName: usize = 0;
export let walkLength: u32 = 0;
export let walkHash: u32 = 0;
/** The last component's inode, mounts crossed; 0: there is none. */
export let walkInode: usize = 0;
/** Its dentry (a whiteout when walkInode is 0); 0 on hostfs. */
export let walkDentry: usize = 0;
export let walkLast: u32 = 0;
/** The path ended in a slash: only a directory will do. */
export let walkSlash: bool = false;

/**
 * Resolves `length` bytes at `path` from `dirfd`. `follow`: KEEP, FOLLOW or ENTRY. `expand`: buffer of
 * PATH_CAPACITY bytes for paths rewritten by symlinks. 0 with the walk registers set (walkInode 0: the last component
 * does not exist), or -errno.
 */
export function walk(t: usize, dirfd: i32, path: usize, length: u32, flags: u32, follow: u32, expand: usize): i32 {
  if (length == 0) return -ENOENT;
  if (length >= <u32>PATH_MAX) return -ENAMETOOLONG;
  const process = load<u32>(t, TASK_PROCESS);
  const root: usize = load<u32>(process, P_ROOT);
  const beneath = (flags & WALK_BENEATH) != 0;
  let start: usize;
  if (dirfd == AT_FDCWD) {
    start = load<u32>(process, P_CWD);
  } else {
    start = fdDirectory(t, dirfd);
    if (isError(start))
      return load<u8>(path) == SLASH && !beneath
        ? walkFrom(process, root, root, path, length, false, follow, expand)
        : <i32>start;
  }
  return walkFrom(process, root, start, path, length, beneath, follow, expand);
}

// biome-ignore format: kept on one line
function walkFrom(process: usize, root: usize, start: usize, path: usize, length: u32, beneath: bool, follow: u32, expand: usize): i32 {
  let current = start;
  let at = path;
  let end = path + length;
  let links = 0;
  walkDir = 0;
  if (load<u8>(at) == SLASH) {
    if (beneath) return -ENOTCAPABLE;
    current = root;
  }
  // Where a path is nothing but slashes, or ends in a symlink to one.
  walkLast = LAST_ROOT;
  while (true) {
    while (at < end && load<u8>(at) == SLASH) at++;
    if (at == end) return finishDirectory(current);
    const name = at;
    const size = componentLength(name, end);
    if (size < 0) return size;
    if (size > NAME_MAX) return -ENAMETOOLONG;
    at += size;
    let rest = at;
    while (rest < end && load<u8>(rest) == SLASH) rest++;
    const last = rest == end;
    const slash = rest != at;
    if ((load<u32>(current, I_MODE) & S_IFMT) != S_IFDIR) return -ENOTDIR;
    if (!mayExecute(process, current)) return -EACCES;
    if (load<u8>(name) == DOT && size <= 2 && (size == 1 || load<u8>(name, 1) == DOT)) {
      if (size == 2) {
        if (beneath && current == start && (start != root || links == 0)) return -ENOTCAPABLE;
        current = parentOf(current, root);
      }
      if (last) {
        walkLast = size == 1 ? LAST_DOT : LAST_DOTDOT;
        walkSlash = slash;
        return finishDirectory(current);
      }
      at = rest;
      continue;
    }
    const hash = nameHash(current, name, size);
    let inode = lookup(current, name, size, hash);
    if (isError(inode)) return <i32>inode;
    if (inode == 0) {
      if (!last) return -ENOENT;
      return finishName(current, name, size, hash, 0, slash);
    }
    const found = foundDentry;
    if (hasFlag(inode, COVERED)) inode = topOf(inode);
    if ((load<u32>(inode, I_MODE) & S_IFMT) == S_IFLNK && (!last || follow == FOLLOW || (slash && follow == KEEP))) {
      if (++links > SYMLINKS_MAX) return -ELOOP;
      const restLength = <i32>(end - at);
      const target = insertTarget(inode, at, restLength, expand);
      if (target < 0) return target;
      path = expand;
      at = expand;
      end = expand + target;
      if (load<u8>(at) == SLASH) {
        // Confined to the root itself, a link to an absolute path stays inside; images are full of them.
        if (beneath && start != root) return -ENOTCAPABLE;
        current = root;
        walkLast = LAST_ROOT;
      }
      continue;
    }
    if (last) {
      if (slash && follow != ENTRY && !isDirectory(inode)) return -ENOTDIR;
      finishName(current, name, size, hash, inode, slash);
      walkDentry = found;
      return 0;
    }
    current = inode;
    at = rest;
  }
}

/** Length up to the next slash or the end; -EINVAL for a NUL byte. Sixteen bytes at a time; may read 15 past the end. */
function componentLength(name: usize, end: usize): i32 {
  let at = name;
  const slashes = i8x16.splat(SLASH);
  while (true) {
    const bytes = v128.load(at);
    const slashMask = i8x16.bitmask(i8x16.eq(bytes, slashes));
    const nulMask = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0)));
    const stop = slashMask | nulMask;
    if (stop != 0) {
      const found = at + ctz(stop);
      if (found >= end) return <i32>(end - name);
      return (slashMask & (1 << ctz(stop))) != 0 ? <i32>(found - name) : -EINVAL;
    }
    at += 16;
    if (at >= end) return <i32>(end - name);
  }
}

function finishDirectory(inode: usize): i32 {
  walkInode = inode;
  walkDir = inode;
  walkDentry = 0;
  walkLength = 0;
  if (walkLast == LAST_ROOT) walkSlash = true;
  return isDirectory(inode) ? 0 : -ENOTDIR;
}

function finishName(dir: usize, name: usize, length: u32, hash: u32, inode: usize, slash: bool): i32 {
  walkDir = dir;
  walkName = name;
  walkLength = length;
  walkHash = hash;
  walkInode = inode;
  walkDentry = foundDentry;
  walkLast = LAST_NAME;
  walkSlash = slash;
  return 0;
}

/** Follows mounts upwards: the root of what covers `inode`. */
export function topOf(inode: usize): usize {
  while (hasFlag(inode, COVERED)) inode = load<u32>(inode, I_COVER);
  return inode;
}

/** ".." of a directory; the process' root is its own. */
export function parentOf(dir: usize, root: usize): usize {
  while (dir != root && hasFlag(dir, MOUNT_ROOT)) {
    const covered = load<u32>(load<u32>(dir, I_MOUNT), M_COVERED);
    if (covered == 0) return dir;
    dir = covered;
  }
  if (dir == root) return dir;
  return load<u32>(dir, I_PARENT);
}

/** Writes target + the rest of the path to `expand`; the rest may lie there already. The new length, or -errno. */
function insertTarget(inode: usize, rest: usize, restLength: i32, expand: usize): i32 {
  const host = hasFlag(inode, ON_HOST);
  const size = host ? PATH_MAX - 1 : <i32>load<u64>(inode, I_SIZE);
  if (size == 0) return -ENOENT;
  if (!host) {
    if (size + restLength >= PATH_MAX) return -ENAMETOOLONG;
    memory.copy(expand + size, rest, restLength);
    memory.copy(expand, linkTarget(inode), size);
    return size + restLength;
  }
  // The host's target has no known length: set the rest aside at the buffer's end first.
  const aside = expand + PATH_MAX - restLength;
  memory.copy(aside, rest, restLength);
  const read = hostReadlink(inode, expand, PATH_MAX - restLength);
  if (read <= 0) return read == 0 ? -ENOENT : read;
  if (read + restLength >= PATH_MAX) return -ENAMETOOLONG;
  memory.copy(expand + read, aside, restLength);
  return read + restLength;
}

/** Where a symlink's target (I_SIZE bytes) is kept; not for hostfs. */
export function linkTarget(inode: usize): usize {
  const kept = load<u32>(inode, I_TARGET);
  if (kept != 0) return kept;
  if (!hasFlag(inode, FROM_LOWER)) return 0;
  return lowerString(<u32>load<u64>(lowerNode(load<u32>(inode, I_NODE)), N_DATA));
}

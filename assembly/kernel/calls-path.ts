/** Exported calls on paths. Each takes the lock, works, and ends in done(). Arguments: see index.ts. */
import { EINVAL, PATH_MAX, TASK_IO, TASK_PATH_B, WALK_NOFOLLOW } from '../../src/core/abi/kernel';
import {
  accessInode,
  chmodInode,
  chownInode,
  resolve,
  statAt,
  statfsInode,
  truncateAt,
  utimensInode,
} from './attributes';
import { done } from './call';
import { hostReadlink } from './hostfs';
import { hasFlag, I_SIZE, isLink, ON_HOST } from './inode';
import { linkAt, mkdirAt, mknodAt, renameAt, rmdirAt, symlinkAt, unlinkAt } from './names';
import { openAt } from './open';
import { isError } from './overlay';
import { linkTarget } from './path';
import { enter } from './superblock';
import { xattrRead } from './xattr';

export function openat(t: usize, dirfd: i32, length: u32, flags: u32, mode: u32, walk: u32): i32 {
  enter();
  return done(openAt(t, dirfd, length, flags, mode, walk));
}

export function fstatat(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  return done(statAt(t, dirfd, length, walk));
}

export function mkdirat(t: usize, dirfd: i32, length: u32, mode: u32, walk: u32): i32 {
  enter();
  return done(mkdirAt(t, dirfd, length, mode, walk));
}

export function mknodat(t: usize, dirfd: i32, length: u32, mode: u32, rdev: u32, walk: u32): i32 {
  enter();
  return done(mknodAt(t, dirfd, length, mode, rdev, walk));
}

export function unlinkat(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  return done(unlinkAt(t, dirfd, length, walk));
}

export function rmdirat(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  return done(rmdirAt(t, dirfd, length, walk));
}

export function symlinkat(t: usize, targetLength: u32, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  return done(symlinkAt(t, targetLength, dirfd, length, walk));
}

export function linkat(t: usize, fromFd: i32, fromLength: u32, toFd: i32, toLength: u32, walk: u32): i32 {
  enter();
  return done(linkAt(t, fromFd, fromLength, toFd, toLength, walk, (walk & WALK_NOFOLLOW) == 0));
}

export function renameat(t: usize, fromFd: i32, fromLength: u32, toFd: i32, toLength: u32, flags: u32, walk: u32): i32 {
  enter();
  return done(renameAt(t, fromFd, fromLength, toFd, toLength, flags, walk));
}

export function readlinkat(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk | WALK_NOFOLLOW);
  return done(isError(inode) ? <i32>inode : readLink(t, inode));
}

export function fchmodat(t: usize, dirfd: i32, length: u32, mode: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : chmodInode(t, inode, mode));
}

export function fchownat(t: usize, dirfd: i32, length: u32, uid: i32, gid: i32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : chownInode(t, inode, uid, gid));
}

export function utimensat(
  t: usize,
  dirfd: i32,
  length: u32,
  which: u32,
  aLo: u32,
  aHi: u32,
  mLo: u32,
  mHi: u32,
  walk: u32,
): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : utimensInode(t, inode, which, join(aLo, aHi), join(mLo, mHi)));
}

export function truncateat(t: usize, dirfd: i32, length: u32, sizeLo: u32, sizeHi: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : truncateAt(t, inode, join(sizeLo, sizeHi)));
}

export function accessat(t: usize, dirfd: i32, length: u32, mask: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : accessInode(t, inode, mask));
}

export function statfsat(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : statfsInode(t, inode));
}

export function getxattr(t: usize, dirfd: i32, length: u32, nameLength: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : xattrRead(t, inode, t + TASK_PATH_B, nameLength));
}

export function listxattr(t: usize, dirfd: i32, length: u32, walk: u32): i32 {
  enter();
  const inode = resolve(t, dirfd, length, walk);
  return done(isError(inode) ? <i32>inode : xattrRead(t, inode, 0, 0));
}

function readLink(t: usize, inode: usize): i32 {
  if (!isLink(inode)) return -EINVAL;
  if (hasFlag(inode, ON_HOST)) return hostReadlink(inode, t + TASK_IO, PATH_MAX);
  const length = <u32>load<u64>(inode, I_SIZE);
  memory.copy(t + TASK_IO, linkTarget(inode), length);
  return length;
}

export function join(lo: u32, hi: u32): u64 {
  return <u64>lo | ((<u64>hi) << 32);
}

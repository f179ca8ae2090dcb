/** openat and its parts: access checks, creation, devices, FIFOs, hostfs. */
import {
  EACCES,
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENFILE,
  ENOENT,
  ENOTDIR,
  ENXIO,
  FD_CLOEXEC,
  FILE_DEVICE,
  FILE_DIRECTORY,
  FILE_HANDLE,
  FILE_HOST,
  FILE_HOSTFS,
  FILE_PATH,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_REGULAR,
  FILE_TYPE,
  HOST_TTY,
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  TASK_PATH_A,
  TASK_WALK_A,
} from '../../src/core/abi/kernel';
import { dataTruncate } from './data';
import { deviceIsTerminal, deviceStdio } from './device';
import { fdDup, fdInstall, fdReserve } from './fd';
import { fileCreate, fileUnref } from './file';
import { hostfs_open, hostfs_release } from './host';
import { hostMount, hostNode } from './hostfs';
import { hasFlag, I_MTIME, I_SIZE, kindOf, LIVE_DEVICE, ON_HOST, touchChange } from './inode';
import { checkWritable } from './mount';
import { createNode } from './names';
import { ENTRY, FOLLOW, KEEP, walk, walkInode, walkSlash } from './path';
import { pipeOf, pipeOpened, pipePartners, pipePartnersEver, pipeReaders } from './pipe';
import { waitForEvent } from './poll';
import { mayAccess, P_UMASK, processOf, TASK_HELD } from './process';

export function openAt(t: usize, dirfd: i32, length: u32, flags: u32, mode: u32, walkFlags: u32): i32 {
  const process = processOf(t);
  const fd = fdReserve(process, 0);
  if (fd < 0) return fd;
  const exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0) return -EINVAL;
  const follow = exclusive ? ENTRY : (flags & O_NOFOLLOW) != 0 ? KEEP : FOLLOW;
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, walkFlags, follow, t + TASK_WALK_A);
  if (failure < 0) return failure;
  let inode = walkInode;
  if (inode != 0) {
    if (exclusive) return -EEXIST;
    return openInode(t, process, inode, flags, fd, false);
  }
  if ((flags & O_CREAT) == 0) return -ENOENT;
  if (walkSlash) return -EISDIR;
  inode = createNode(process, S_IFREG | (mode & 0o7777 & ~load<u32>(process, P_UMASK)), 0);
  if (inode > 0xfffff000) return <i32>inode;
  return openInode(t, process, inode, flags, fd, true);
}

function openInode(t: usize, process: usize, inode: usize, flags: u32, fd: u32, made: bool): i32 {
  const kind = kindOf(inode);
  const access = flags & O_ACCMODE;
  if ((flags & O_PATH) != 0) {
    if ((flags & O_DIRECTORY) != 0 && kind != S_IFDIR) return -ENOTDIR;
    return install(process, fd, kind == S_IFDIR ? FILE_DIRECTORY : FILE_PATH, inode, flags);
  }
  if (kind == S_IFLNK) return (flags & O_DIRECTORY) != 0 ? -ENOTDIR : -ELOOP;
  if ((flags & O_DIRECTORY) != 0 && kind != S_IFDIR) return -ENOTDIR;
  if (kind == S_IFDIR && (access != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0)) return -EISDIR;
  if (access == O_ACCMODE) return -EINVAL;
  const writes = access != O_RDONLY || (flags & O_TRUNC) != 0;
  if (!made && !mayAccess(process, inode, (access != O_WRONLY ? 4 : 0) | (writes ? 2 : 0))) return -EACCES;
  if (kind == S_IFREG || kind == S_IFDIR) {
    if (writes) {
      const readonly = checkWritable(inode);
      if (readonly < 0) return readonly;
    }
    if (hasFlag(inode, ON_HOST) && kind == S_IFREG) return openHostFile(process, fd, inode, flags);
    if ((flags & O_TRUNC) != 0 && load<u64>(inode, I_SIZE) != 0) {
      const failure = dataTruncate(inode, 0);
      if (failure < 0) return failure;
      store<i64>(inode, touchChange(inode), I_MTIME);
    }
    return install(process, fd, kind == S_IFREG ? FILE_REGULAR : FILE_DIRECTORY, inode, flags);
  }
  if (kind == S_IFIFO && !hasFlag(inode, ON_HOST)) return openFifo(t, process, inode, flags);
  if (kind == S_IFCHR && hasFlag(inode, LIVE_DEVICE)) return openDevice(t, process, fd, inode, flags);
  return -ENXIO;
}

function install(process: usize, fd: u32, kind: u32, inode: usize, flags: u32): i32 {
  const file = fileCreate(kind, inode, statusOf(flags));
  if (file == 0) return -ENFILE;
  fdInstall(process, fd, file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  return fd;
}

/** The flags an open file remembers. */
function statusOf(flags: u32): u32 {
  return flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
}

function openHostFile(process: usize, fd: u32, inode: usize, flags: u32): i32 {
  const handle = hostfs_open(hostMount(inode), hostNode(inode), flags & ~(O_CREAT | O_EXCL));
  if (handle < 0) return handle;
  const file = fileCreate(FILE_HOSTFS, inode, statusOf(flags));
  if (file == 0) {
    hostfs_release(hostMount(inode), handle);
    return -ENFILE;
  }
  store<u32>(file, handle, FILE_HANDLE);
  fdInstall(process, fd, file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  return fd;
}

function openDevice(t: usize, process: usize, fd: u32, inode: usize, flags: u32): i32 {
  const stdio = deviceStdio(inode);
  if (stdio >= 0) {
    const copy = fdDup(t, stdio, 0, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
    return copy == -EBADF ? -ENXIO : copy;
  }
  if (!deviceIsTerminal(inode)) return install(process, fd, FILE_DEVICE, inode, flags);
  return openHostStream(process, fd, HOST_TTY, S_IFCHR, flags);
}

/** An fd whose I/O the personality does. */
export function openHostStream(process: usize, fd: i32, handle: u32, type: u32, flags: u32): i32 {
  if (fd < 0) return fd;
  const file = fileCreate(FILE_HOST, 0, statusOf(flags));
  if (file == 0) return -ENFILE;
  store<u32>(file, handle, FILE_HANDLE);
  store<u32>(file, type, FILE_TYPE);
  fdInstall(process, fd, file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  return fd;
}

/** POSIX: an end waits for the other; O_NONBLOCK: reading opens at once, writing without a reader is -ENXIO. */
function openFifo(t: usize, process: usize, inode: usize, flags: u32): i32 {
  const pipe = pipeOf(inode);
  if (pipe == 0) return -ENFILE;
  const access = flags & O_ACCMODE;
  const nonblock = (flags & O_NONBLOCK) != 0;
  if (access == O_WRONLY && nonblock && pipeReaders(pipe) == 0) return -ENXIO;
  const file = fileCreate(access == O_RDONLY ? FILE_PIPE_READ : FILE_PIPE_WRITE, inode, statusOf(flags));
  if (file == 0) return -ENFILE;
  pipeOpened(inode, access);
  const seen = pipePartnersEver(pipe, access);
  while (!nonblock && access != O_RDWR) {
    // A partner that opened, wrote and left before this thread woke was there.
    if (pipePartners(pipe, access) != 0 || pipePartnersEver(pipe, access) != seen) break;
    store<u32>(t, file, TASK_HELD);
    const woken = waitForEvent(t, -1);
    store<u32>(t, 0, TASK_HELD);
    if (woken < 0) {
      fileUnref(file);
      return woken;
    }
  }
  // Another thread may have taken the number while this one waited.
  const free = fdReserve(process, 0);
  if (free < 0) {
    fileUnref(file);
    return free;
  }
  fdInstall(process, free, file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  return free;
}

/** Exported calls on fds: descriptors, attributes, data. Arguments: see index.ts. */
import {
  EBADF,
  EINVAL,
  FILE_DIRECTORY,
  FILE_HANDLE,
  FILE_HOSTFS,
  FILE_INODE,
  FILE_KIND,
  FILE_REGULAR,
  FILE_STATUS,
  IO_NEEDS_END,
  O_STATUS_MASK,
  TASK_IO_FLAGS,
} from '../../src/core/abi/kernel';
import { chmodInode, chownInode, statFd, utimensInode } from './attributes';
import { done } from './call';
import { join } from './calls-path';
import {
  fdClose,
  fdCloseOnExec,
  fdDup,
  fdDup2,
  fdFile,
  fdInode,
  fdRenumber,
  fdReserve,
  fdSetFlags,
  fdSetRights,
} from './fd';
import { hostfs_fsync } from './host';
import { hostMount } from './hostfs';
import { allocateFd, hostEnd, readBegin, seekFile, truncateFd, writeBegin } from './io';
import { openHostStream } from './open';
import { isError } from './overlay';
import { pipeCreate } from './pipe';
import { eventWait, pollQuery } from './poll';
import { processOf, TASK_PENDING } from './process';
import { readDirectory } from './readdir';
import { enter, leave } from './superblock';

export function close(t: usize, fd: i32): i32 {
  enter();
  return done(fdClose(processOf(t), fd));
}

export function dup(t: usize, fd: i32, from: u32): i32 {
  enter();
  return done(fdDup(t, fd, from, 0));
}

export function dup2(t: usize, fd: i32, to: u32): i32 {
  enter();
  return done(fdDup2(t, fd, to));
}

export function renumber(t: usize, from: i32, to: i32): i32 {
  enter();
  return done(fdRenumber(t, from, to));
}

export function fd_open_host(t: usize, handle: u32, type: u32, flags: u32): i32 {
  enter();
  return done(openHostStream(processOf(t), fdReserve(processOf(t), 0), handle, type, flags));
}

export function fd_set_flags(t: usize, fd: i32, flags: u32): i32 {
  enter();
  return done(fdSetFlags(t, fd, flags));
}

export function fd_set_status(t: usize, fd: i32, flags: u32): i32 {
  enter();
  return done(setStatus(t, fd, flags));
}

export function fd_set_rights(t: usize, fd: i32, baseLo: u32, baseHi: u32, inheritingLo: u32, inheritingHi: u32): i32 {
  enter();
  return done(fdSetRights(t, fd, join(baseLo, baseHi), join(inheritingLo, inheritingHi)));
}

export function fd_close_on_exec(t: usize): i32 {
  enter();
  return done(fdCloseOnExec(t));
}

export function fstat(t: usize, fd: i32): i32 {
  enter();
  return done(statFd(t, fd));
}

export function ftruncate(t: usize, fd: i32, sizeLo: u32, sizeHi: u32): i32 {
  enter();
  return done(truncateFd(t, fd, join(sizeLo, sizeHi)));
}

export function fallocate(t: usize, fd: i32, offsetLo: u32, offsetHi: u32, lengthLo: u32, lengthHi: u32): i32 {
  enter();
  return done(allocateFd(t, fd, join(offsetLo, offsetHi), join(lengthLo, lengthHi)));
}

export function fsync(t: usize, fd: i32, dataOnly: u32): i32 {
  enter();
  return done(syncFile(t, fd, dataOnly));
}

export function lseek(t: usize, fd: i32, offsetLo: u32, offsetHi: u32, whence: u32): i32 {
  enter();
  return done(seekFile(t, fd, join(offsetLo, offsetHi), whence));
}

export function readdir(t: usize, fd: i32, cookieLo: u32, cookieHi: u32, room: u32): i32 {
  enter();
  return done(readDirectory(t, fd, join(cookieLo, cookieHi), room));
}

export function pipe(t: usize, flags: u32): i32 {
  enter();
  return done(pipeCreate(t, flags));
}

export function poll_query(t: usize, fd: i32, events: u32): i32 {
  enter();
  return done(pollQuery(t, fd, events));
}

export function fchmod(t: usize, fd: i32, mode: u32): i32 {
  enter();
  const inode = fdInode(t, fd);
  return done(isError(inode) ? <i32>inode : inode == 0 ? -EINVAL : chmodInode(t, inode, mode));
}

export function fchown(t: usize, fd: i32, uid: i32, gid: i32): i32 {
  enter();
  const inode = fdInode(t, fd);
  return done(isError(inode) ? <i32>inode : inode == 0 ? -EINVAL : chownInode(t, inode, uid, gid));
}

export function futimens(t: usize, fd: i32, which: u32, aLo: u32, aHi: u32, mLo: u32, mHi: u32): i32 {
  enter();
  const inode = fdInode(t, fd);
  return done(
    isError(inode) ? <i32>inode : inode == 0 ? -EINVAL : utimensInode(t, inode, which, join(aLo, aHi), join(mLo, mHi)),
  );
}

/** A begin that asks for an io_end in kernel memory keeps the lock. */
function begun(t: usize, result: i32): i32 {
  if ((load<u32>(t, TASK_IO_FLAGS) & IO_NEEDS_END) == 0 || load<u32>(t, TASK_PENDING) != 0) leave();
  return result;
}

export function read_begin(t: usize, fd: i32, length: u32): i32 {
  enter();
  return begun(t, readBegin(t, fd, length, -1));
}

export function pread_begin(t: usize, fd: i32, length: u32, offsetLo: u32, offsetHi: u32): i32 {
  if (<i32>offsetHi < 0) return -EINVAL;
  enter();
  return begun(t, readBegin(t, fd, length, join(offsetLo, offsetHi)));
}

export function write_begin(t: usize, fd: i32, length: u32): i32 {
  enter();
  return begun(t, writeBegin(t, fd, length, -1));
}

export function pwrite_begin(t: usize, fd: i32, length: u32, offsetLo: u32, offsetHi: u32): i32 {
  if (<i32>offsetHi < 0) return -EINVAL;
  enter();
  return begun(t, writeBegin(t, fd, length, join(offsetLo, offsetHi)));
}

export function io_end(t: usize, moved: u32): i32 {
  const pending = load<u32>(t, TASK_PENDING);
  if (pending != 0) {
    enter();
    const result = hostEnd(t, pending, moved);
    store<u32>(t, 0, TASK_IO_FLAGS);
    return done(result);
  }
  if ((load<u32>(t, TASK_IO_FLAGS) & IO_NEEDS_END) == 0) return -EINVAL;
  store<u32>(t, 0, TASK_IO_FLAGS);
  leave();
  return 0;
}

export function event_wait(t: usize, seen: i32, timeoutMs: f64): i32 {
  return eventWait(t, seen, timeoutMs);
}

function setStatus(t: usize, fd: i32, flags: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  store<u32>(file, (load<u32>(file, FILE_STATUS) & ~O_STATUS_MASK) | (flags & O_STATUS_MASK), FILE_STATUS);
  return 0;
}

function syncFile(t: usize, fd: i32, dataOnly: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const kind = load<u32>(file, FILE_KIND);
  if (kind == FILE_HOSTFS) {
    return hostfs_fsync(hostMount(load<u32>(file, FILE_INODE)), load<u32>(file, FILE_HANDLE), dataOnly);
  }
  return kind == FILE_REGULAR || kind == FILE_DIRECTORY ? 0 : -EINVAL;
}

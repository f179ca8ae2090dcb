/**
 * path_*. A descriptor is a fence for the paths given with it, except the ones for the container's root and working
 * directory: the guest holds the whole container anyway, so there `..` and absolute links mean what they mean in a
 * chroot.
 *
 * The working directory: wasi-libc strips the slash of "/etc/passwd" and matches what is left against the preopened
 * names, so with a "." beside "/" both "etc/passwd" and "/etc/passwd" arrive here as "etc/passwd" of ".". Such a path
 * is looked up in the working directory first and, when it (or the directory to create it in) is not there, from the
 * root.
 */
import {
  AT_FDCWD,
  EINVAL,
  ENOENT,
  FD_INHERITING,
  FD_RIGHTS,
  FILE_TYPE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  TASK_IO,
  TASK_PATH_A,
  TASK_PATH_B,
  WALK_NOFOLLOW,
} from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import { high, low, type WasiContext } from './context.ts';
import { toErrno } from './errno.ts';
import { timesFromFlags } from './fd.ts';
import type { FilestatLayout } from './filestat.ts';
import { applicableRights, statusFromFdflags, WRITING_RIGHTS } from './rights.ts';

const SLASH = 0x2f;
const NEW_FILE_MODE = 0o666;
const NEW_DIRECTORY_MODE = 0o777;

export function path(context: WasiContext, filestat: FilestatLayout) {
  const { guest, calls } = context;

  /** The path's length in area A, after the rights of its directory were judged; or a negative errno. */
  function take(fd: number, needed: number, pointer: number, length: number): number {
    const verdict = context.judge(fd, needed);
    return verdict < 0 ? verdict : context.path(pointer >>> 0, length >>> 0, TASK_PATH_A);
  }

  let sizeA = 0;
  let sizeB = 0;

  /** Both paths of a call, into areas A and B; their lengths into sizeA and sizeB. */
  function takeTwo(
    fdA: number,
    neededA: number,
    pointerA: number,
    lengthA: number,
    fdB: number,
    neededB: number,
    pointerB: number,
    lengthB: number,
  ): number {
    const verdictA = context.judge(fdA, neededA);
    if (verdictA < 0) return verdictA;
    const verdictB = context.judge(fdB, neededB);
    if (verdictB < 0) return verdictB;
    sizeA = context.path(pointerA >>> 0, lengthA >>> 0, TASK_PATH_A);
    if (sizeA < 0) return sizeA;
    sizeB = context.path(pointerB >>> 0, lengthB >>> 0, TASK_PATH_B);
    return Math.min(sizeB, 0);
  }

  /** Runs a call of two paths; each that was given with the working directory may mean the root instead. */
  function pair(fdA: number, fdB: number, call: (a: number, b: number, walk: number) => number): number {
    let result = call(fdA, fdB, context.walk(fdA) | context.walk(fdB));
    if (result === -ENOENT && fdB === context.cwdFd) result = call(fdA, AT_FDCWD, context.walk(fdA));
    if (result === -ENOENT && fdA === context.cwdFd) {
      result = call(AT_FDCWD, fdB, context.walk(fdB));
      if (result === -ENOENT && fdB === context.cwdFd) result = call(AT_FDCWD, AT_FDCWD, 0);
    }
    return result;
  }

  return {
    path_create_directory(fd: number, pointer: number, length: number): number {
      const size = take(fd, w.RIGHT_PATH_CREATE_DIRECTORY, pointer, length);
      if (size < 0) return toErrno(size);
      let result = calls.mkdirat(context.task, fd, size, NEW_DIRECTORY_MODE, context.walk(fd));
      if (result === -ENOENT && fd === context.cwdFd)
        result = calls.mkdirat(context.task, AT_FDCWD, size, NEW_DIRECTORY_MODE, 0);
      return toErrno(result);
    },
    path_filestat_get(fd: number, flags: number, pointer: number, length: number, result: number): number {
      const size = take(fd, w.RIGHT_PATH_FILESTAT_GET, pointer, length);
      if (size < 0) return toErrno(size);
      if (!guest.holds(result >>> 0, filestat.bytes)) return w.ERRNO_FAULT;
      const follow = lookup(flags);
      if (follow < 0) return w.ERRNO_INVAL;
      let answer = calls.fstatat(context.task, fd, size, context.walk(fd) | follow);
      if (answer === -ENOENT && fd === context.cwdFd) answer = calls.fstatat(context.task, AT_FDCWD, size, follow);
      if (answer < 0) return toErrno(answer);
      filestat.write(context, result >>> 0);
      return w.ERRNO_SUCCESS;
    },
    path_filestat_set_times(
      fd: number,
      flags: number,
      pointer: number,
      length: number,
      atim: bigint,
      mtim: bigint,
      fstflags: number,
    ): number {
      const size = take(fd, w.RIGHT_PATH_FILESTAT_SET_TIMES, pointer, length);
      if (size < 0) return toErrno(size);
      const follow = lookup(flags);
      const which = timesFromFlags(fstflags);
      if (follow < 0 || which < 0) return w.ERRNO_INVAL;
      const set = (dirfd: number, walk: number): number =>
        calls.utimensat(context.task, dirfd, size, which, low(atim), high(atim), low(mtim), high(mtim), walk);
      let result = set(fd, context.walk(fd) | follow);
      if (result === -ENOENT && fd === context.cwdFd) result = set(AT_FDCWD, follow);
      return toErrno(result);
    },
    path_link(
      fromFd: number,
      flags: number,
      from: number,
      fromLength: number,
      toFd: number,
      to: number,
      toLength: number,
    ): number {
      const sizes = takeTwo(
        fromFd,
        w.RIGHT_PATH_LINK_SOURCE,
        from,
        fromLength,
        toFd,
        w.RIGHT_PATH_LINK_TARGET,
        to,
        toLength,
      );
      if (sizes < 0) return toErrno(sizes);
      // As in the reference implementation, a hard link to what a link leads to is not made.
      if (flags !== 0) return w.ERRNO_INVAL;
      return toErrno(
        pair(fromFd, toFd, (a, b, walk) => calls.linkat(context.task, a, sizeA, b, sizeB, walk | WALK_NOFOLLOW)),
      );
    },
    path_open(
      fd: number,
      dirflags: number,
      pointer: number,
      length: number,
      oflags: number,
      base: number,
      inheriting: number,
      fdflags: number,
      result: number,
    ): number {
      const at = result >>> 0;
      if (!guest.holds(at, 4)) return w.ERRNO_FAULT;
      const open = oflags & 0xffff;
      const status = fdflags & 0xffff;
      if ((open & ~w.OFLAGS_ALL) !== 0 || (status & ~w.FDFLAGS_ALL) !== 0 || dirflags >>> 0 > w.LOOKUP_SYMLINK_FOLLOW)
        return w.ERRNO_INVAL;
      let needed = w.RIGHT_PATH_OPEN;
      if ((open & w.OFLAG_CREAT) !== 0) needed |= w.RIGHT_PATH_CREATE_FILE;
      if ((open & w.OFLAG_TRUNC) !== 0) needed |= w.RIGHT_PATH_FILESTAT_SET_SIZE;
      const directory = context.entry(fd);
      if (directory < 0) return w.ERRNO_BADF;
      const { u32 } = context.kernel;
      const rights = base & w.RIGHTS_ALL;
      const passed = inheriting & w.RIGHTS_ALL;
      let asked = rights | passed;
      if ((status & w.FDFLAG_DSYNC) !== 0) asked |= w.RIGHT_FD_DATASYNC;
      if ((status & (w.FDFLAG_RSYNC | w.FDFLAG_SYNC)) !== 0) asked |= w.RIGHT_FD_SYNC;
      if (
        (u32[directory + (FD_RIGHTS >>> 2)]! & needed) !== needed ||
        (u32[directory + (FD_INHERITING >>> 2)]! & asked) !== asked
      )
        return w.ERRNO_NOTCAPABLE;
      const size = context.path(pointer >>> 0, length >>> 0, TASK_PATH_A);
      if (size < 0) return toErrno(size);
      const flags = openFlags(open, rights) | statusFromFdflags(status) | (dirflags === 0 ? O_NOFOLLOW : 0);
      let opened = calls.openat(context.task, fd, size, flags, NEW_FILE_MODE, context.walk(fd));
      if (opened === -ENOENT && fd === context.cwdFd)
        opened = calls.openat(context.task, AT_FDCWD, size, flags, NEW_FILE_MODE, 0);
      if (opened < 0) return toErrno(opened);
      const entry = context.entry(opened);
      context.setRights(entry, rights & applicableRights(context.fileField(entry, FILE_TYPE)), passed);
      guest.view.setUint32(at, opened, true);
      return w.ERRNO_SUCCESS;
    },
    path_readlink(
      fd: number,
      pointer: number,
      length: number,
      buffer: number,
      capacity: number,
      result: number,
    ): number {
      const size = take(fd, w.RIGHT_PATH_READLINK, pointer, length);
      if (size < 0) return toErrno(size);
      if (!guest.holds(buffer >>> 0, capacity >>> 0) || !guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      let target = calls.readlinkat(context.task, fd, size, context.walk(fd));
      if (target === -ENOENT && fd === context.cwdFd) target = calls.readlinkat(context.task, AT_FDCWD, size, 0);
      if (target < 0) return toErrno(target);
      const used = Math.min(target, capacity >>> 0);
      const { kernel } = context;
      if (kernel.u8.length === 0) kernel.refresh();
      const from = context.task + TASK_IO;
      guest.u8.set(kernel.u8.subarray(from, from + used), buffer >>> 0);
      guest.view.setUint32(result >>> 0, used, true);
      return w.ERRNO_SUCCESS;
    },
    path_remove_directory(fd: number, pointer: number, length: number): number {
      const size = take(fd, w.RIGHT_PATH_REMOVE_DIRECTORY, pointer, length);
      if (size < 0) return toErrno(size);
      let result = calls.rmdirat(context.task, fd, size, context.walk(fd));
      if (result === -ENOENT && fd === context.cwdFd) result = calls.rmdirat(context.task, AT_FDCWD, size, 0);
      return toErrno(result);
    },
    path_rename(fromFd: number, from: number, fromLength: number, toFd: number, to: number, toLength: number): number {
      const sizes = takeTwo(
        fromFd,
        w.RIGHT_PATH_RENAME_SOURCE,
        from,
        fromLength,
        toFd,
        w.RIGHT_PATH_RENAME_TARGET,
        to,
        toLength,
      );
      if (sizes < 0) return toErrno(sizes);
      return toErrno(pair(fromFd, toFd, (a, b, walk) => calls.renameat(context.task, a, sizeA, b, sizeB, 0, walk)));
    },
    path_symlink(target: number, targetLength: number, fd: number, pointer: number, length: number): number {
      const verdict = context.judge(fd, w.RIGHT_PATH_SYMLINK);
      if (verdict < 0) return toErrno(verdict);
      const targetSize = context.text(target >>> 0, targetLength >>> 0, TASK_PATH_A);
      if (targetSize < 0) return toErrno(targetSize);
      // An absolute link could never be followed through a fenced descriptor.
      if (targetSize > 0 && context.walk(fd) !== 0 && guest.u8[target >>> 0] === SLASH) return w.ERRNO_NOTCAPABLE;
      const size = context.path(pointer >>> 0, length >>> 0, TASK_PATH_B);
      if (size < 0) return toErrno(size);
      let result = calls.symlinkat(context.task, targetSize, fd, size, context.walk(fd));
      if (result === -ENOENT && fd === context.cwdFd && targetSize > 0)
        result = calls.symlinkat(context.task, targetSize, AT_FDCWD, size, 0);
      return toErrno(result);
    },
    path_unlink_file(fd: number, pointer: number, length: number): number {
      const size = take(fd, w.RIGHT_PATH_UNLINK_FILE, pointer, length);
      if (size < 0) return toErrno(size);
      let result = calls.unlinkat(context.task, fd, size, context.walk(fd));
      if (result === -ENOENT && fd === context.cwdFd) result = calls.unlinkat(context.task, AT_FDCWD, size, 0);
      return toErrno(result);
    },
  };
}

/** lookupflags -> WALK_NOFOLLOW or 0; -EINVAL for bits nobody knows. */
function lookup(flags: number): number {
  if (flags >>> 0 > w.LOOKUP_SYMLINK_FOLLOW) return -EINVAL;
  return flags === 0 ? WALK_NOFOLLOW : 0;
}

function openFlags(oflags: number, rights: number): number {
  let flags = O_RDONLY;
  const reads = (rights & (w.RIGHT_FD_READ | w.RIGHT_FD_READDIR)) !== 0;
  // Truncating writes, whatever may be done with the descriptor afterwards.
  if ((rights & WRITING_RIGHTS) !== 0 || (oflags & w.OFLAG_TRUNC) !== 0) flags = reads ? O_RDWR : O_WRONLY;
  if ((oflags & w.OFLAG_CREAT) !== 0) flags |= O_CREAT;
  if ((oflags & w.OFLAG_DIRECTORY) !== 0) flags |= O_DIRECTORY;
  if ((oflags & w.OFLAG_EXCL) !== 0) flags |= O_EXCL;
  if ((oflags & w.OFLAG_TRUNC) !== 0) flags |= O_TRUNC;
  return flags;
}

/**
 * Modes and owners of files, which preview 1 leaves out: path_chmod, path_chown, path_stat, fd_stat, fd_dup of module
 * `wctr_posix_v1` (spec/wctr-posix.ts). Paths are looked up as preview 1's are (path.ts), and asked for with the rights
 * that it has for the like: filestat_get to see, filestat_set_times to change.
 */

import * as k from '../../core/abi/kernel.ts';
import { AT_FDCWD, EINVAL, ENOENT, TASK_PATH_A, TASK_STAT, WALK_NOFOLLOW } from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import * as p from '../../spec/wctr-posix.ts';
import type { WasiContext } from './context.ts';
import { toErrno } from './errno.ts';

/** Where each word of the guest's stat comes from in the kernel's, -1: zero. */
const WORDS: readonly number[] = [
  k.STAT_DEV,
  k.STAT_DEV + 4,
  k.STAT_INO,
  k.STAT_INO + 4,
  k.STAT_MODE,
  k.STAT_NLINK,
  k.STAT_UID,
  k.STAT_GID,
  k.STAT_RDEV,
  -1,
  k.STAT_SIZE,
  k.STAT_SIZE + 4,
  k.STAT_ATIME,
  k.STAT_ATIME + 4,
  k.STAT_MTIME,
  k.STAT_MTIME + 4,
  k.STAT_CTIME,
  k.STAT_CTIME + 4,
];

export function posixFiles(context: WasiContext) {
  const { guest, calls } = context;

  /** Runs a call on the path once its directory's rights, its bytes and the flags were judged; a WASI errno. */
  function onPath(
    fd: number,
    flags: number,
    pointer: number,
    length: number,
    needed: number,
    call: (dirfd: number, size: number, walk: number) => number,
  ): number {
    const verdict = context.judge(fd, needed);
    if (verdict < 0) return toErrno(verdict);
    const size = context.path(pointer >>> 0, length >>> 0, TASK_PATH_A);
    if (size < 0) return toErrno(size);
    if (flags >>> 0 > p.LOOKUP_FOLLOW) return toErrno(-EINVAL);
    const follow = flags === 0 ? WALK_NOFOLLOW : 0;
    const result = call(fd, size, context.walk(fd) | follow);
    // As in path.ts: what was given with the working directory may mean the root.
    return toErrno(result === -ENOENT && fd === context.cwdFd ? call(AT_FDCWD, size, follow) : result);
  }

  function giveStat(to: number): void {
    const { u32 } = context.kernel.u8.length === 0 ? context.kernel.refresh() : context.kernel;
    const from = context.task + TASK_STAT;
    WORDS.forEach((field, i) => {
      guest.view.setUint32(to + 4 * i, field < 0 ? 0 : u32[(from + field) >>> 2]!, true);
    });
  }

  return {
    path_chmod: (fd: number, flags: number, pointer: number, length: number, mode: number): number =>
      onPath(fd, flags, pointer, length, w.RIGHT_PATH_FILESTAT_SET_TIMES, (dirfd, size, walk) =>
        (mode & ~0o7777) !== 0 ? -EINVAL : calls.fchmodat(context.task, dirfd, size, mode, walk),
      ),
    path_chown: (fd: number, flags: number, pointer: number, length: number, uid: number, gid: number): number =>
      onPath(fd, flags, pointer, length, w.RIGHT_PATH_FILESTAT_SET_TIMES, (dirfd, size, walk) =>
        calls.fchownat(context.task, dirfd, size, uid, gid, walk),
      ),
    path_stat(fd: number, flags: number, pointer: number, length: number, result: number): number {
      if (!guest.holds(result >>> 0, p.STAT_BYTES)) return w.ERRNO_FAULT;
      const errno = onPath(fd, flags, pointer, length, w.RIGHT_PATH_FILESTAT_GET, (dirfd, size, walk) =>
        calls.fstatat(context.task, dirfd, size, walk),
      );
      if (errno === w.ERRNO_SUCCESS) giveStat(result >>> 0);
      return errno;
    },
    fd_stat(fd: number, result: number): number {
      const verdict = context.judge(fd, w.RIGHT_FD_FILESTAT_GET);
      if (verdict < 0) return toErrno(verdict);
      if (!guest.holds(result >>> 0, p.STAT_BYTES)) return w.ERRNO_FAULT;
      const answer = calls.fstat(context.task, fd);
      if (answer < 0) return toErrno(answer);
      giveStat(result >>> 0);
      return w.ERRNO_SUCCESS;
    },
    fd_dup(fd: number, result: number): number {
      if (!guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      const copy = calls.dup(context.task, fd, 0);
      if (copy < 0) return toErrno(copy);
      guest.view.setUint32(result >>> 0, copy, true);
      return w.ERRNO_SUCCESS;
    },
  };
}

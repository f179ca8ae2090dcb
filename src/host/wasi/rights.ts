/** Which rights mean something for which kind of file, and the flags that travel between WASI and the kernel. */
import {
  O_APPEND,
  O_DSYNC,
  O_NONBLOCK,
  O_RSYNC,
  O_SYNC,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';

export const DIRECTORY_RIGHTS =
  w.RIGHT_FD_FDSTAT_SET_FLAGS |
  w.RIGHT_FD_SYNC |
  w.RIGHT_FD_DATASYNC |
  w.RIGHT_FD_ADVISE |
  w.RIGHT_PATH_CREATE_DIRECTORY |
  w.RIGHT_PATH_CREATE_FILE |
  w.RIGHT_PATH_LINK_SOURCE |
  w.RIGHT_PATH_LINK_TARGET |
  w.RIGHT_PATH_OPEN |
  w.RIGHT_FD_READDIR |
  w.RIGHT_PATH_READLINK |
  w.RIGHT_PATH_RENAME_SOURCE |
  w.RIGHT_PATH_RENAME_TARGET |
  w.RIGHT_PATH_FILESTAT_GET |
  w.RIGHT_PATH_FILESTAT_SET_SIZE |
  w.RIGHT_PATH_FILESTAT_SET_TIMES |
  w.RIGHT_FD_FILESTAT_GET |
  w.RIGHT_FD_FILESTAT_SET_TIMES |
  w.RIGHT_PATH_SYMLINK |
  w.RIGHT_PATH_REMOVE_DIRECTORY |
  w.RIGHT_PATH_UNLINK_FILE |
  w.RIGHT_POLL_FD_READWRITE;

export const FILE_RIGHTS =
  w.RIGHT_FD_DATASYNC |
  w.RIGHT_FD_READ |
  w.RIGHT_FD_SEEK |
  w.RIGHT_FD_FDSTAT_SET_FLAGS |
  w.RIGHT_FD_SYNC |
  w.RIGHT_FD_TELL |
  w.RIGHT_FD_WRITE |
  w.RIGHT_FD_ADVISE |
  w.RIGHT_FD_ALLOCATE |
  w.RIGHT_FD_FILESTAT_GET |
  w.RIGHT_FD_FILESTAT_SET_SIZE |
  w.RIGHT_FD_FILESTAT_SET_TIMES |
  w.RIGHT_POLL_FD_READWRITE;

/** Streams: no position. That a character device cannot seek is also how libc recognises a terminal. */
export const STREAM_RIGHTS =
  w.RIGHT_FD_DATASYNC |
  w.RIGHT_FD_READ |
  w.RIGHT_FD_FDSTAT_SET_FLAGS |
  w.RIGHT_FD_SYNC |
  w.RIGHT_FD_WRITE |
  w.RIGHT_FD_FILESTAT_GET |
  w.RIGHT_FD_FILESTAT_SET_TIMES |
  w.RIGHT_POLL_FD_READWRITE;

export const SOCKET_RIGHTS =
  w.RIGHT_FD_READ |
  w.RIGHT_FD_WRITE |
  w.RIGHT_FD_FDSTAT_SET_FLAGS |
  w.RIGHT_FD_FILESTAT_GET |
  w.RIGHT_POLL_FD_READWRITE |
  w.RIGHT_SOCK_SHUTDOWN |
  w.RIGHT_SOCK_ACCEPT;

/** Asking for one of these opens a file for writing. */
export const WRITING_RIGHTS = w.RIGHT_FD_WRITE | w.RIGHT_FD_ALLOCATE | w.RIGHT_FD_FILESTAT_SET_SIZE;

/** The rights that apply to an open file of this mode; others asked for are left off, as the spec allows. */
export function applicableRights(mode: number): number {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return DIRECTORY_RIGHTS;
    case S_IFREG:
    case S_IFLNK:
      return FILE_RIGHTS;
    default:
      return STREAM_RIGHTS;
  }
}

/** fdflags (already checked against FDFLAGS_ALL) -> O_* status flags. */
export function statusFromFdflags(flags: number): number {
  let status = 0;
  if ((flags & w.FDFLAG_APPEND) !== 0) status |= O_APPEND;
  if ((flags & w.FDFLAG_DSYNC) !== 0) status |= O_DSYNC;
  if ((flags & w.FDFLAG_NONBLOCK) !== 0) status |= O_NONBLOCK;
  if ((flags & w.FDFLAG_RSYNC) !== 0) status |= O_RSYNC;
  if ((flags & w.FDFLAG_SYNC) !== 0) status |= O_SYNC;
  return status;
}

/** Linux' O_SYNC contains O_DSYNC; told back as the one flag that was set. */
export function fdflagsFromStatus(status: number): number {
  let flags = 0;
  if ((status & O_APPEND) !== 0) flags |= w.FDFLAG_APPEND;
  if ((status & O_SYNC) === O_SYNC) flags |= w.FDFLAG_SYNC;
  else if ((status & O_DSYNC) !== 0) flags |= w.FDFLAG_DSYNC;
  if ((status & O_NONBLOCK) !== 0) flags |= w.FDFLAG_NONBLOCK;
  if ((status & O_RSYNC) !== 0) flags |= w.FDFLAG_RSYNC;
  return flags;
}

/**
 * Files of the container. Paths are absolute byte strings, from the directory preopened as `/`. Results are 0 or more,
 * or a negative WASI errno.
 */
import { EBADF, EINVAL, ENAMETOOLONG, ENOENT } from './errno';
import { PATH_A, PATH_B, PATH_BYTES, pack, RESULT, unpack } from './memory';
import {
  fd_close,
  fd_fdstat_get,
  fd_filestat_set_size,
  fd_prestat_dir_name,
  fd_prestat_get,
  fd_read,
  fd_readdir,
  fd_renumber,
  fd_seek,
  fd_sync,
  fd_write,
  path_create_directory,
  path_filestat_set_times,
  path_link,
  path_open,
  path_readlink,
  path_remove_directory,
  path_rename,
  path_symlink,
  path_unlink_file,
} from './wasi_snapshot_preview1';
import { fd_dup, fd_pipe, path_chmod, path_chown } from './wctr_posix_v1';

/** Flags of `openFile`. */
export const READ: i32 = 1;
export const WRITE: i32 = 2;
export const CREATE: i32 = 4;
export const EXCLUSIVE: i32 = 8;
export const TRUNCATE: i32 = 16;
export const APPEND: i32 = 32;
export const DIRECTORY: i32 = 64;
export const NO_FOLLOW: i32 = 128;

export const SEEK_SET: i32 = 0;
export const SEEK_CUR: i32 = 1;
export const SEEK_END: i32 = 2;

/** Bits of `setTimes`. */
export const TIME_ATIME: i32 = 1;
export const TIME_ATIME_NOW: i32 = 2;
export const TIME_MTIME: i32 = 4;
export const TIME_MTIME_NOW: i32 = 8;

// seek, set flags, sync, tell, filestat_get, poll
const SHARED_RIGHTS: i64 = 0x820003c;
// read, advise, readdir
const READ_RIGHTS: i64 = 0x4082;
// datasync, write, allocate, set size, set times
const WRITE_RIGHTS: i64 = 0xc00141;
const FIRST_PREOPEN: i32 = 3;
const LAST_PREOPEN: i32 = 63;

/** Of the directory preopened as `/`; found at the first use. */
let root: i32 = -1;

export function rootFd(): i32 {
  if (root >= 0) return root;
  for (let fd = FIRST_PREOPEN; fd <= LAST_PREOPEN; fd++) {
    if (fd_prestat_get(fd, RESULT) != 0) continue;
    const length = load<i32>(RESULT, 4);
    if (length != 1 || fd_prestat_dir_name(fd, RESULT + 8, 1) != 0) continue;
    if (load<u8>(RESULT, 8) != 0x2f) continue;
    root = fd;
    return fd;
  }
  root = FIRST_PREOPEN;
  return root;
}

/** Puts a path, relative to the root, into one of the two areas; its length. */
export function stagePath(path: string, area: usize): i32 {
  const length = path.length;
  if (length == 0) return -ENOENT;
  if (length >= PATH_BYTES) return -ENAMETOOLONG;
  let slashes = 0;
  while (slashes < length && path.charCodeAt(slashes) == 0x2f) slashes++;
  if (slashes == length) {
    store<u8>(area, 0x2e);
    return 1;
  }
  for (let i = slashes; i < length; i++) {
    const byte = path.charCodeAt(i);
    if (byte == 0) return -ENOENT;
    store<u8>(area + i - slashes, <u8>byte);
  }
  return length - slashes;
}

/** A descriptor. */
export function openFile(path: string, flags: i32): i32 {
  const length = stagePath(path, PATH_A);
  if (length < 0) return length;
  let oflags = 0;
  if (flags & CREATE) oflags |= 1;
  if (flags & DIRECTORY) oflags |= 2;
  if (flags & EXCLUSIVE) oflags |= 4;
  if (flags & TRUNCATE) oflags |= 8;
  let rights: i64 = SHARED_RIGHTS;
  if (flags & READ) rights |= READ_RIGHTS;
  if (flags & WRITE) rights |= WRITE_RIGHTS;
  const follow = flags & NO_FOLLOW ? 0 : 1;
  const error = path_open(rootFd(), follow, PATH_A, length, oflags, rights, rights, flags & APPEND ? 1 : 0, RESULT);
  return error != 0 ? -error : load<i32>(RESULT);
}

export function closeFile(fd: i32): i32 {
  return -fd_close(fd);
}

/** Bytes read; 0 is the end. */
export function readFile(fd: i32, at: usize, length: i32): i32 {
  store<u32>(RESULT, <u32>at);
  store<i32>(RESULT, length, 4);
  const error = fd_read(fd, RESULT, 1, RESULT + 8);
  return error != 0 ? -error : load<i32>(RESULT, 8);
}

/** Bytes written, which may be fewer than asked for. */
export function writeFile(fd: i32, at: usize, length: i32): i32 {
  store<u32>(RESULT, <u32>at);
  store<i32>(RESULT, length, 4);
  const error = fd_write(fd, RESULT, 1, RESULT + 8);
  return error != 0 ? -error : load<i32>(RESULT, 8);
}

/** The new offset. */
export function seekFile(fd: i32, offset: i64, whence: i32): i64 {
  const error = fd_seek(fd, offset, whence, RESULT);
  return error != 0 ? -(<i64>error) : load<i64>(RESULT);
}

export function truncateFile(fd: i32, size: i64): i32 {
  return -fd_filestat_set_size(fd, size);
}

export function syncFile(fd: i32): i32 {
  return -fd_sync(fd);
}

/** `to` becomes what `from` was; `from` is closed. */
export function renumberFile(from: i32, to: i32): i32 {
  return -fd_renumber(from, to);
}

/** Another descriptor of the same open file. -ENOSYS where the host has none. */
export function duplicateFile(fd: i32): i32 {
  const error = fd_dup(fd, RESULT);
  return error != 0 ? -error : load<i32>(RESULT);
}

/** The two ends of a pipe by `openPipe`. */
export let pipeRead: i32 = -1;
export let pipeWrite: i32 = -1;

export function openPipe(): i32 {
  const error = fd_pipe(RESULT);
  if (error != 0) return -error;
  pipeRead = load<i32>(RESULT);
  pipeWrite = load<i32>(RESULT, 4);
  return 0;
}

/** Is it a terminal? As wasi-libc tells: a character device that cannot seek. */
export function isTerminal(fd: i32): bool {
  if (fd_fdstat_get(fd, RESULT) != 0) return false;
  if (load<u8>(RESULT) != 2) return false;
  return (load<i64>(RESULT, 8) & 0x24) == 0;
}

export function isOpen(fd: i32): bool {
  return fd_fdstat_get(fd, RESULT) != EBADF;
}

/** Reads a whole directory: names in the order of the file system, without `.` and `..`, into `names`. */
export function readDirectory(path: string, names: Array<string>, types: Array<i32> | null = null): i32 {
  const fd = openFile(path, READ | DIRECTORY);
  if (fd < 0) return fd;
  const capacity = 16384;
  const buffer = heap.alloc(capacity);
  let cookie: i64 = 0;
  let result = 0;
  for (;;) {
    const error = fd_readdir(fd, buffer, capacity, cookie, RESULT);
    if (error != 0) {
      result = -error;
      break;
    }
    const used = load<i32>(RESULT);
    let at = 0;
    // dirent: u64 next, u64 ino, u32 length, u8 type, 3 bytes nothing; then the name. The last may be cut short.
    while (at + 24 <= used) {
      const length = load<i32>(buffer + at, 16);
      if (at + 24 + length > used) break;
      cookie = load<i64>(buffer + at);
      const name = unpack(buffer + at + 24, length);
      if (name != '.' && name != '..') {
        names.push(name);
        if (types !== null) types.push(load<u8>(buffer + at, 20));
      }
      at += 24 + length;
    }
    if (used < capacity) break;
    if (at == 0) {
      result = -EINVAL;
      break;
    }
  }
  heap.free(buffer);
  fd_close(fd);
  return result;
}

export function makeDirectory(path: string): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_create_directory(rootFd(), PATH_A, length);
}

export function removeDirectory(path: string): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_remove_directory(rootFd(), PATH_A, length);
}

export function removeFile(path: string): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_unlink_file(rootFd(), PATH_A, length);
}

export function renameFile(from: string, to: string): i32 {
  const fromLength = stagePath(from, PATH_A);
  if (fromLength < 0) return fromLength;
  const toLength = stagePath(to, PATH_B);
  if (toLength < 0) return toLength;
  return -path_rename(rootFd(), PATH_A, fromLength, rootFd(), PATH_B, toLength);
}

/** A hard link; a symbolic link is linked itself, not what it leads to. */
export function linkFile(from: string, to: string): i32 {
  const fromLength = stagePath(from, PATH_A);
  if (fromLength < 0) return fromLength;
  const toLength = stagePath(to, PATH_B);
  if (toLength < 0) return toLength;
  return -path_link(rootFd(), 0, PATH_A, fromLength, rootFd(), PATH_B, toLength);
}

export function makeSymbolicLink(target: string, path: string): i32 {
  if (target.length == 0) return -ENOENT;
  if (target.length >= PATH_BYTES) return -ENAMETOOLONG;
  pack(target, PATH_A);
  const length = stagePath(path, PATH_B);
  return length < 0 ? length : -path_symlink(PATH_A, target.length, rootFd(), PATH_B, length);
}

/** Of `readLink`: where the link leads. */
export let linkTarget: string = '';

export function readLink(path: string): i32 {
  const length = stagePath(path, PATH_A);
  if (length < 0) return length;
  const error = path_readlink(rootFd(), PATH_A, length, PATH_B, PATH_BYTES, RESULT);
  if (error != 0) return -error;
  linkTarget = unpack(PATH_B, load<i32>(RESULT));
  return 0;
}

/** Nanoseconds since the epoch; `which` are TIME_* bits. */
export function setTimes(path: string, follow: bool, atime: i64, mtime: i64, which: i32): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_filestat_set_times(rootFd(), i32(follow), PATH_A, length, atime, mtime, which);
}

export function changeMode(path: string, follow: bool, mode: i32): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_chmod(rootFd(), i32(follow), PATH_A, length, mode);
}

/** -1 leaves one as it is. */
export function changeOwner(path: string, follow: bool, uid: i32, gid: i32): i32 {
  const length = stagePath(path, PATH_A);
  return length < 0 ? length : -path_chown(rootFd(), i32(follow), PATH_A, length, uid, gid);
}

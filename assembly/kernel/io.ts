/** Reading and writing open files, and what moves with them: offsets, sizes, times. */
import {
  ATTR_SIZE,
  EBADF,
  EFBIG,
  EHOSTIO,
  EINVAL,
  EISDIR,
  ENXIO,
  EOVERFLOW,
  ESPIPE,
  FILE_DEVICE,
  FILE_DIRECTORY,
  FILE_HANDLE,
  FILE_HOST,
  FILE_HOSTFS,
  FILE_INODE,
  FILE_KIND,
  FILE_OFFSET,
  FILE_PATH,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_REGULAR,
  FILE_STATUS,
  IO_APPEND,
  IO_NEEDS_END,
  O_ACCMODE,
  O_APPEND,
  O_RDONLY,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
  SEGMENT_HOSTFS,
  SEGMENT_MOUNT,
  SET_SIZE,
  TASK_IO_FLAGS,
  TASK_R0,
  TASK_SEGMENT_COUNT,
  TASK_SEGMENTS,
} from '../../src/core/abi/kernel';
import { dataRead, dataReserve, dataTruncate, dataWrite } from './data';
import { deviceRead, deviceWrite } from './device';
import { fdFile } from './fd';
import { fileRef, fileUnref } from './file';
import { hostfs_setattr } from './host';
import { hostAttr, hostMount, hostNode, hostRefresh } from './hostfs';
import { hasFlag, I_MODE, I_MTIME, I_SIZE, inodeDirty, ON_HOST, touchChange } from './inode';
import { checkWritable } from './mount';
import { pipeRead, pipeWrite } from './pipe';
import { TASK_PENDING } from './process';
import { emit } from './segment';
import { isShared } from './superblock';

/** One call moves at most this much; the count must fit an i32. */
const IO_MAX: u32 = 0x7ffff000;
/** Offsets are signed 64-bit. */
const OFFSET_MAX: u64 = ~(<u64>0) >> 1;

function begin(t: usize): void {
  store<u32>(t, 0, TASK_SEGMENT_COUNT);
  store<u32>(t, 0, TASK_IO_FLAGS);
}

/** The caller moves bytes of kernel memory next: others must wait until io_end. */
function hold(t: usize): void {
  if (isShared()) store<u32>(t, IO_NEEDS_END, TASK_IO_FLAGS);
}

function hostStream(t: usize, file: usize): i32 {
  store<u32>(t, load<u32>(file, FILE_HANDLE), TASK_R0);
  return -EHOSTIO;
}

/** `at`: where to read, or -1 for the file's own offset, which moves. */
export function readBegin(t: usize, fd: i32, wanted: u32, at: i64): i32 {
  begin(t);
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const length = min(wanted, IO_MAX);
  const kind = load<u32>(file, FILE_KIND);
  if (kind == FILE_REGULAR) {
    if ((load<u32>(file, FILE_STATUS) & O_ACCMODE) == O_WRONLY) return -EBADF;
    const inode = load<u32>(file, FILE_INODE);
    if (at >= 0) {
      const read = dataRead(t, inode, at, length);
      if (read > 0) hold(t);
      return read;
    }
    const offset = load<u64>(file, FILE_OFFSET);
    const read = dataRead(t, inode, offset, length);
    if (read > 0) {
      store<u64>(file, offset + read, FILE_OFFSET);
      hold(t);
    }
    return read;
  }
  return readOther(t, file, kind, length, at);
}

function readOther(t: usize, file: usize, kind: u32, length: u32, at: i64): i32 {
  const access = load<u32>(file, FILE_STATUS) & O_ACCMODE;
  if (kind == FILE_DIRECTORY) return -EISDIR;
  if (kind == FILE_PATH || access == O_WRONLY) return -EBADF;
  if (kind == FILE_HOST) return hostStream(t, file);
  if (kind == FILE_DEVICE) return deviceRead(t, file, length);
  if (kind == FILE_HOSTFS) return hostBegin(t, file, length, at, 0);
  if (at >= 0) return -ESPIPE;
  const read = pipeRead(t, file, length);
  if (read > 0) hold(t);
  return read;
}

export function writeBegin(t: usize, fd: i32, wanted: u32, at: i64): i32 {
  begin(t);
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const length = min(wanted, IO_MAX);
  const kind = load<u32>(file, FILE_KIND);
  if (kind != FILE_REGULAR) return writeOther(t, file, kind, length, at);
  const status = load<u32>(file, FILE_STATUS);
  if ((status & O_ACCMODE) == O_RDONLY) return -EBADF;
  const inode = load<u32>(file, FILE_INODE);
  let offset: u64 = at;
  if (at < 0) offset = load<u64>(file, FILE_OFFSET);
  if ((status & O_APPEND) != 0) offset = load<u64>(inode, I_SIZE);
  if (length == 0) return 0;
  const written = dataWrite(t, inode, offset, length);
  if (written <= 0) return written;
  if (at < 0) store<u64>(file, offset + written, FILE_OFFSET);
  modified(inode);
  hold(t);
  return written;
}

function writeOther(t: usize, file: usize, kind: u32, length: u32, at: i64): i32 {
  const status = load<u32>(file, FILE_STATUS);
  if (kind == FILE_DIRECTORY) return -EBADF;
  if (kind == FILE_PATH || (status & O_ACCMODE) == O_RDONLY) return -EBADF;
  if (kind == FILE_HOST) return hostStream(t, file);
  if (kind == FILE_DEVICE) return deviceWrite(t, file, length);
  if (kind == FILE_HOSTFS) return hostBegin(t, file, length, at, (status & O_APPEND) != 0 ? IO_APPEND : 0);
  if (at >= 0) return -ESPIPE;
  const written = pipeWrite(t, file, length);
  if (written > 0) hold(t);
  return written;
}

/** Content changed: times move and the set-id bits go. */
function modified(inode: usize): void {
  store<i64>(inode, touchChange(inode), I_MTIME);
  const mode = load<u32>(inode, I_MODE);
  if ((mode & 0o6000) != 0) store<u32>(inode, mode & ~(0o4000 | ((mode & 0o010) != 0 ? 0o2000 : 0)), I_MODE);
}

/** The host moves the bytes; io_end learns how many. The file is held until then, the kernel's lock is not. */
function hostBegin(t: usize, file: usize, length: u32, at: i64, flags: u32): i32 {
  if (length == 0) return 0;
  const inode = load<u32>(file, FILE_INODE);
  const offset: u64 = at >= 0 ? at : load<u64>(file, FILE_OFFSET);
  emit(t, SEGMENT_HOSTFS, load<u32>(file, FILE_HANDLE), length, offset);
  store<u32>(t, hostMount(inode), TASK_SEGMENTS + SEGMENT_MOUNT);
  store<u32>(t, IO_NEEDS_END | flags, TASK_IO_FLAGS);
  store<u32>(t, file, TASK_PENDING);
  // A positioned call leaves the offset alone: remembered in the pointer's low bit.
  if (at >= 0) store<u32>(t, file | 1, TASK_PENDING);
  fileRef(file);
  return length;
}

export function hostEnd(t: usize, pending: u32, done: u32): i32 {
  const file = <usize>(pending & ~1);
  store<u32>(t, 0, TASK_PENDING);
  if ((pending & 1) == 0 && done != 0) {
    if ((load<u32>(t, TASK_IO_FLAGS) & IO_APPEND) != 0) {
      const inode = load<u32>(file, FILE_INODE);
      if (hostRefresh(inode) == 0) store<u64>(file, load<u64>(inode, I_SIZE), FILE_OFFSET);
    } else {
      store<u64>(file, load<u64>(file, FILE_OFFSET) + done, FILE_OFFSET);
    }
  }
  fileUnref(file);
  return 0;
}

export function seekFile(t: usize, fd: i32, offset: i64, whence: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const kind = load<u32>(file, FILE_KIND);
  if (kind == FILE_HOST || kind == FILE_PIPE_READ || kind == FILE_PIPE_WRITE) return -ESPIPE;
  if (kind == FILE_PATH) return -EBADF;
  const inode = load<u32>(file, FILE_INODE);
  if (kind == FILE_HOSTFS && whence >= <u32>SEEK_END) {
    const failure = hostRefresh(inode);
    if (failure < 0) return failure;
  }
  const size = kind == FILE_DEVICE ? 0 : load<u64>(inode, I_SIZE);
  let from: u64 = 0;
  if (whence == SEEK_CUR) from = load<u64>(file, FILE_OFFSET);
  else if (whence == SEEK_END) from = size;
  else if (whence == SEEK_DATA || whence == SEEK_HOLE) {
    if (offset < 0 || <u64>offset >= size) return -ENXIO;
    if (whence == SEEK_HOLE) offset = size;
  } else if (whence != SEEK_SET) return -EINVAL;
  const to = from + offset;
  if (offset < 0 ? <u64>-offset > from : to > OFFSET_MAX) return offset < 0 ? -EINVAL : -EOVERFLOW;
  store<u64>(file, to, FILE_OFFSET);
  store<u64>(t, to, TASK_R0);
  return 0;
}

/** The regular file behind an fd open for writing, or -errno as an address. */
function writable(t: usize, fd: i32): usize {
  const file = fdFile(t, fd);
  if (file == 0) return <usize>-EBADF;
  const kind = load<u32>(file, FILE_KIND);
  if (kind != FILE_REGULAR && kind != FILE_HOSTFS) return <usize>-EINVAL;
  if ((load<u32>(file, FILE_STATUS) & O_ACCMODE) == O_RDONLY) return <usize>-EINVAL;
  return load<u32>(file, FILE_INODE);
}

export function truncateFd(t: usize, fd: i32, size: u64): i32 {
  const inode = writable(t, fd);
  return inode > 0xfffff000 ? <i32>inode : truncateInode(inode, size);
}

export function truncateInode(inode: usize, size: u64): i32 {
  if (<i64>size < 0) return -EINVAL;
  const readonly = checkWritable(inode);
  if (readonly < 0) return readonly;
  if (hasFlag(inode, ON_HOST)) {
    const attr = hostAttr();
    store<u64>(attr, size, ATTR_SIZE);
    return hostfs_setattr(hostMount(inode), hostNode(inode), SET_SIZE, attr);
  }
  const failure = dataTruncate(inode, size);
  if (failure == 0) modified(inode);
  return failure;
}

export function allocateFd(t: usize, fd: i32, offset: u64, length: u64): i32 {
  const inode = writable(t, fd);
  if (inode > 0xfffff000) return <i32>inode;
  const end = offset + length;
  if (<i64>offset < 0 || <i64>length <= 0) return -EINVAL;
  if (<i64>end < 0) return -EFBIG;
  if (hasFlag(inode, ON_HOST)) {
    const failure = hostRefresh(inode);
    if (failure < 0) return failure;
    return end > load<u64>(inode, I_SIZE) ? truncateInode(inode, end) : 0;
  }
  const dirty = inodeDirty(inode);
  if (dirty < 0) return dirty;
  const failure = dataReserve(inode, offset, end);
  if (failure == 0) modified(inode);
  return failure;
}

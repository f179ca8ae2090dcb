/**
 * Pipes and FIFOs: a ring of PIPE_BYTES, taken when the first byte is written.
 *
 * ```
 * pipe, 32 bytes: 0 readers  4 writers  8 head (next byte to read)  12 bytes held  16 ring (0: none)
 *                 20 readers ever  24 writers ever
 * ```
 */
import {
  EAGAIN,
  EBADF,
  ENFILE,
  ENOMEM,
  EPIPE,
  FD_CLOEXEC,
  FILE_INODE,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_REFS,
  FILE_STATUS,
  O_ACCMODE,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  PIPE_BUF,
  PIPE_BYTES,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  S_IFIFO,
  SEGMENT_MEMORY,
  TASK_R0,
  TASK_R1,
} from '../../src/core/abi/kernel';
import { fdClose, fdInstall, fdReserve } from './fd';
import { fileCreate, fileRef, fileUnref } from './file';
import { CHANGED, hasFlag, I_MOUNT, I_NLINK, I_PIPE, inodeCreate, inodeError, inodeFree } from './inode';
import { waitForEvent } from './poll';
import { P_GID, P_UID, processOf, TASK_HELD } from './process';
import { emit } from './segment';
import { kfree, kmalloc, S_MAX_PIPES, S_PIPES, S_ROOT, signalEvent, superblock } from './superblock';
import { untrackInode } from './track';

const READERS: usize = 0;
const WRITERS: usize = 4;
const HEAD: usize = 8;
const HELD: usize = 12;
const RING: usize = 16;
/** Opens so far: an end that came and went was there. */
const READERS_EVER: usize = 20;
const WRITERS_EVER: usize = 24;
const BYTES: u32 = 32;

/** The FIFO inode's pipe, made on first use; 0: quota or memory is out. */
export function pipeOf(inode: usize): usize {
  const known = load<u32>(inode, I_PIPE);
  if (known != 0) return known;
  const s = superblock();
  if (load<u32>(s, S_PIPES) >= load<u32>(s, S_MAX_PIPES)) return 0;
  const pipe = kmalloc(BYTES);
  if (pipe == 0) return 0;
  memory.fill(pipe, 0, BYTES);
  store<u32>(inode, pipe, I_PIPE);
  store<u32>(s, load<u32>(s, S_PIPES) + 1, S_PIPES);
  return pipe;
}

export function pipeFree(pipe: usize): void {
  const s = superblock();
  if (load<u32>(pipe, RING) != 0) kfree(load<u32>(pipe, RING), PIPE_BYTES);
  kfree(pipe, BYTES);
  store<u32>(s, load<u32>(s, S_PIPES) - 1, S_PIPES);
}

/** pipe2: r0 the reading fd, r1 the writing one. */
export function pipeCreate(t: usize, flags: u32): i32 {
  const process = processOf(t);
  const root = load<u32>(superblock(), S_ROOT);
  const inode = inodeCreate(
    load<u32>(root, I_MOUNT),
    S_IFIFO | 0o600,
    load<u32>(process, P_UID),
    load<u32>(process, P_GID),
  );
  if (inode == 0) return inodeError();
  store<u32>(inode, 0, I_NLINK);
  // It has no name: the journal never hears of it.
  if (hasFlag(inode, CHANGED)) untrackInode(inode);
  if (pipeOf(inode) == 0) {
    inodeFree(inode);
    return -ENFILE;
  }
  const status = flags & O_NONBLOCK;
  const reader = fileCreate(FILE_PIPE_READ, inode, O_RDONLY | status);
  if (reader == 0) {
    inodeFree(inode);
    return -ENFILE;
  }
  pipeOpened(inode, O_RDONLY);
  const writer = fileCreate(FILE_PIPE_WRITE, inode, O_WRONLY | status);
  if (writer == 0) {
    fileUnref(reader);
    return -ENFILE;
  }
  pipeOpened(inode, O_WRONLY);
  const cloexec = (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
  const first = fdReserve(process, 0);
  if (first >= 0) fdInstall(process, first, reader, cloexec);
  else fileUnref(reader);
  const second = first < 0 ? first : fdReserve(process, 0);
  if (second < 0) {
    fileUnref(writer);
    if (first >= 0) fdClose(process, first);
    return second;
  }
  fdInstall(process, second, writer, cloexec);
  store<u32>(t, first, TASK_R0);
  store<u32>(t, second, TASK_R1);
  return 0;
}

/** Counts an end; `access` of O_ACCMODE. */
export function pipeOpened(inode: usize, access: u32): void {
  const pipe = load<u32>(inode, I_PIPE);
  if (access != O_WRONLY) {
    store<u32>(pipe, load<u32>(pipe, READERS) + 1, READERS);
    store<u32>(pipe, load<u32>(pipe, READERS_EVER) + 1, READERS_EVER);
  }
  if (access != O_RDONLY) {
    store<u32>(pipe, load<u32>(pipe, WRITERS) + 1, WRITERS);
    store<u32>(pipe, load<u32>(pipe, WRITERS_EVER) + 1, WRITERS_EVER);
  }
  signalEvent();
}

export function pipeClosed(pipe: usize, status: u32): void {
  const access = status & O_ACCMODE;
  if (access != O_WRONLY) store<u32>(pipe, load<u32>(pipe, READERS) - 1, READERS);
  if (access != O_RDONLY) store<u32>(pipe, load<u32>(pipe, WRITERS) - 1, WRITERS);
  signalEvent();
}

export function pipeReaders(pipe: usize): u32 {
  return load<u32>(pipe, READERS);
}

/** How many partners of an end opened for `access` there are. */
export function pipePartners(pipe: usize, access: u32): u32 {
  return access == O_RDONLY ? load<u32>(pipe, WRITERS) : load<u32>(pipe, READERS);
}

/** How many there ever were. */
export function pipePartnersEver(pipe: usize, access: u32): u32 {
  return access == O_RDONLY ? load<u32>(pipe, WRITERS_EVER) : load<u32>(pipe, READERS_EVER);
}

/** Waits for any event with the file held: another thread may close the fd meanwhile, then -EBADF. */
function waitHolding(t: usize, file: usize): i32 {
  fileRef(file);
  store<u32>(t, file, TASK_HELD);
  const woken = waitForEvent(t, -1);
  store<u32>(t, 0, TASK_HELD);
  const closed = load<u32>(file, FILE_REFS) == 1;
  fileUnref(file);
  return closed ? -EBADF : woken;
}

/** Hands out up to `length` bytes; waits for some. 0: no writers are left. */
export function pipeRead(t: usize, file: usize, length: u32): i32 {
  const pipe: usize = load<u32>(load<u32>(file, FILE_INODE), I_PIPE);
  if (length == 0) return 0;
  while (load<u32>(pipe, HELD) == 0) {
    if (load<u32>(pipe, WRITERS) == 0) return 0;
    if ((load<u32>(file, FILE_STATUS) & O_NONBLOCK) != 0) return -EAGAIN;
    const woken = waitHolding(t, file);
    if (woken < 0) return woken;
  }
  const ring = load<u32>(pipe, RING);
  const head = load<u32>(pipe, HEAD);
  const count = min(length, load<u32>(pipe, HELD));
  const first = min(count, PIPE_BYTES - head);
  emit(t, SEGMENT_MEMORY, ring + head, first, 0);
  if (count > first) emit(t, SEGMENT_MEMORY, ring, count - first, 0);
  store<u32>(pipe, (head + count) & (PIPE_BYTES - 1), HEAD);
  store<u32>(pipe, load<u32>(pipe, HELD) - count, HELD);
  signalEvent();
  return count;
}

/** Hands out room for up to `length` bytes; PIPE_BUF or fewer go in whole or wait. */
export function pipeWrite(t: usize, file: usize, length: u32): i32 {
  const pipe: usize = load<u32>(load<u32>(file, FILE_INODE), I_PIPE);
  if (length == 0) return 0;
  const needed: u32 = length <= <u32>PIPE_BUF ? length : 1;
  while (true) {
    if (load<u32>(pipe, READERS) == 0) return -EPIPE;
    if (<u32>PIPE_BYTES - load<u32>(pipe, HELD) >= needed) break;
    if ((load<u32>(file, FILE_STATUS) & O_NONBLOCK) != 0) return -EAGAIN;
    const woken = waitHolding(t, file);
    if (woken < 0) return woken;
  }
  let ring = load<u32>(pipe, RING);
  if (ring == 0) {
    ring = kmalloc(PIPE_BYTES);
    if (ring == 0) return -ENOMEM;
    store<u32>(pipe, ring, RING);
  }
  const held = load<u32>(pipe, HELD);
  if (held == 0) store<u32>(pipe, 0, HEAD);
  const tail = (load<u32>(pipe, HEAD) + held) & (PIPE_BYTES - 1);
  const count = min<u32>(length, PIPE_BYTES - held);
  const first = min<u32>(count, PIPE_BYTES - tail);
  emit(t, SEGMENT_MEMORY, ring + tail, first, 0);
  if (count > first) emit(t, SEGMENT_MEMORY, ring, count - first, 0);
  store<u32>(pipe, held + count, HELD);
  signalEvent();
  return count;
}

/** Readiness of one end; r0 gets the bytes held. */
export function pipePoll(t: usize, file: usize): u32 {
  const pipe: usize = load<u32>(load<u32>(file, FILE_INODE), I_PIPE);
  const access = load<u32>(file, FILE_STATUS) & O_ACCMODE;
  const held = load<u32>(pipe, HELD);
  store<u32>(t, held, TASK_R0);
  let ready: u32 = 0;
  if (access != O_WRONLY) {
    if (held != 0) ready |= POLLIN;
    if (load<u32>(pipe, WRITERS) == 0) ready |= POLLHUP;
  }
  if (access != O_RDONLY) {
    if (load<u32>(pipe, READERS) == 0) ready |= POLLERR;
    else if (PIPE_BYTES - held >= PIPE_BUF) ready |= POLLOUT;
  }
  return ready;
}

/** The fd table of a process: numbers to open files, lowest number first. */
import {
  AT_FDCWD,
  EBADF,
  EINVAL,
  EMFILE,
  ENOTDIR,
  FD_BYTES,
  FD_CLOEXEC,
  FD_FILE,
  FD_FLAGS,
  FD_INHERITING,
  FD_RIGHTS,
  FILE_DIRECTORY,
  FILE_INODE,
  FILE_KIND,
  FILE_PATH,
  PROCESS_FD_CAPACITY,
  PROCESS_FDS,
  TASK_PROCESS,
} from '../../src/core/abi/kernel';
import { fileRef, fileUnref } from './file';
import { isDirectory } from './inode';
import { P_CWD, P_FD_HINT, P_OPEN, processOf } from './process';
import { kfree, kmalloc, S_NOFILE, superblock } from './superblock';

const FIRST_FDS: u32 = 16;
/** Until a personality says otherwise, an fd may do everything. */
const ALL_RIGHTS: u64 = ~(<u64>0);

/** The open file behind `fd`; 0: EBADF. */
export function fdFile(t: usize, fd: i32): usize {
  const process = load<u32>(t, TASK_PROCESS);
  if (<u32>fd >= load<u32>(process, PROCESS_FD_CAPACITY)) return 0;
  return load<u32>(load<u32>(process, PROCESS_FDS) + fd * FD_BYTES, FD_FILE);
}

function entryOf(process: usize, fd: u32): usize {
  return load<u32>(process, PROCESS_FDS) + fd * FD_BYTES;
}

/** The directory inode an *at call starts from, or -errno as an address. */
export function fdDirectory(t: usize, fd: i32): usize {
  const file = fdFile(t, fd);
  if (file == 0) return <usize>-EBADF;
  const kind = load<u32>(file, FILE_KIND);
  const inode = load<u32>(file, FILE_INODE);
  if (kind == FILE_DIRECTORY || (kind == FILE_PATH && isDirectory(inode))) return inode;
  return <usize>-ENOTDIR;
}

/** The least free fd at or above `from`, the table grown to hold it; -EMFILE. Nothing is taken yet. */
export function fdReserve(process: usize, from: u32): i32 {
  const hint = load<u32>(process, P_FD_HINT);
  let fd = max(from, hint);
  const capacity = load<u32>(process, PROCESS_FD_CAPACITY);
  let entry = entryOf(process, fd);
  while (fd < capacity && load<u32>(entry, FD_FILE) != 0) {
    fd++;
    entry += FD_BYTES;
  }
  if (fd >= load<u32>(superblock(), S_NOFILE)) return -EMFILE;
  if (fd >= capacity && !growTable(process, fd + 1)) return -EMFILE;
  if (from <= hint) store<u32>(process, fd, P_FD_HINT);
  return fd;
}

function growTable(process: usize, wanted: u32): bool {
  const capacity = load<u32>(process, PROCESS_FD_CAPACITY);
  const wider = max(max(capacity << 1, FIRST_FDS), wanted);
  const table = kmalloc(wider * FD_BYTES);
  if (table == 0) return false;
  memory.fill(table + capacity * FD_BYTES, 0, (wider - capacity) * FD_BYTES);
  if (capacity != 0) {
    memory.copy(table, load<u32>(process, PROCESS_FDS), capacity * FD_BYTES);
    kfree(load<u32>(process, PROCESS_FDS), capacity * FD_BYTES);
  }
  store<u32>(process, table, PROCESS_FDS);
  store<u32>(process, wider, PROCESS_FD_CAPACITY);
  return true;
}

/** Puts `file` (its reference is handed over) at a reserved number. */
export function fdInstall(process: usize, fd: u32, file: usize, flags: u32): void {
  const entry = entryOf(process, fd);
  store<u32>(entry, file, FD_FILE);
  store<u32>(entry, flags, FD_FLAGS);
  store<u64>(entry, ALL_RIGHTS, FD_RIGHTS);
  store<u64>(entry, ALL_RIGHTS, FD_INHERITING);
  store<u32>(process, load<u32>(process, P_OPEN) + 1, P_OPEN);
  if (load<u32>(process, P_FD_HINT) == fd) store<u32>(process, fd + 1, P_FD_HINT);
}

export function fdClose(process: usize, fd: u32): i32 {
  if (fd >= load<u32>(process, PROCESS_FD_CAPACITY)) return -EBADF;
  const entry = entryOf(process, fd);
  const file = load<u32>(entry, FD_FILE);
  if (file == 0) return -EBADF;
  store<u32>(entry, 0, FD_FILE);
  if (fd < load<u32>(process, P_FD_HINT)) store<u32>(process, fd, P_FD_HINT);
  store<u32>(process, load<u32>(process, P_OPEN) - 1, P_OPEN);
  fileUnref(file);
  return 0;
}

export function fdDup(t: usize, fd: i32, from: u32, flags: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const process = processOf(t);
  if (from >= load<u32>(superblock(), S_NOFILE)) return -EINVAL;
  const to = fdReserve(process, from);
  if (to < 0) return to;
  fileRef(file);
  fdInstall(process, to, file, flags);
  copyRights(process, fd, to);
  return to;
}

export function fdDup2(t: usize, fd: i32, to: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0 || to >= load<u32>(superblock(), S_NOFILE)) return -EBADF;
  if (<u32>fd == to) return to;
  const process = processOf(t);
  if (to >= load<u32>(process, PROCESS_FD_CAPACITY) && !growTable(process, to + 1)) return -EMFILE;
  fileRef(file);
  fdClose(process, to);
  fdInstall(process, to, file, 0);
  copyRights(process, fd, to);
  return to;
}

/** WASI's fd_renumber: `to` must be open; it becomes `from`, which is gone afterwards. */
export function fdRenumber(t: usize, from: i32, to: i32): i32 {
  const file = fdFile(t, from);
  if (file == 0 || fdFile(t, to) == 0) return -EBADF;
  if (from == to) return 0;
  const process = processOf(t);
  const flags = load<u32>(entryOf(process, from), FD_FLAGS);
  const result = fdDup2(t, from, to);
  if (result < 0) return result;
  store<u32>(entryOf(process, to), flags, FD_FLAGS);
  return fdClose(process, from);
}

function copyRights(process: usize, from: u32, to: u32): void {
  memory.copy(entryOf(process, to) + FD_RIGHTS, entryOf(process, from) + FD_RIGHTS, 16);
}

export function fdSetFlags(t: usize, fd: i32, flags: u32): i32 {
  if (fdFile(t, fd) == 0) return -EBADF;
  store<u32>(entryOf(processOf(t), fd), flags & FD_CLOEXEC, FD_FLAGS);
  return 0;
}

export function fdSetRights(t: usize, fd: i32, base: u64, inheriting: u64): i32 {
  if (fdFile(t, fd) == 0) return -EBADF;
  store<u64>(entryOf(processOf(t), fd), base, FD_RIGHTS);
  store<u64>(entryOf(processOf(t), fd), inheriting, FD_INHERITING);
  return 0;
}

export function fdCloseOnExec(t: usize): i32 {
  const process = processOf(t);
  const capacity = load<u32>(process, PROCESS_FD_CAPACITY);
  for (let fd: u32 = 0; fd < capacity; fd++) {
    const entry = entryOf(process, fd);
    if (load<u32>(entry, FD_FILE) != 0 && (load<u32>(entry, FD_FLAGS) & FD_CLOEXEC) != 0) fdClose(process, fd);
  }
  return 0;
}

export function fdCloseAll(process: usize): void {
  const capacity = load<u32>(process, PROCESS_FD_CAPACITY);
  for (let fd: u32 = 0; fd < capacity; fd++) fdClose(process, fd);
  if (capacity != 0) kfree(load<u32>(process, PROCESS_FDS), capacity * FD_BYTES);
  store<u32>(process, 0, PROCESS_FD_CAPACITY);
  store<u32>(process, 0, PROCESS_FDS);
}

/** The child's table: the same open files. False: no memory. */
export function fdCopyAll(from: usize, to: usize): bool {
  const capacity = load<u32>(from, PROCESS_FD_CAPACITY);
  if (capacity == 0) return true;
  if (!growTable(to, capacity)) return false;
  memory.copy(load<u32>(to, PROCESS_FDS), load<u32>(from, PROCESS_FDS), capacity * FD_BYTES);
  for (let fd: u32 = 0; fd < capacity; fd++) {
    const file = load<u32>(entryOf(to, fd), FD_FILE);
    if (file != 0) fileRef(file);
  }
  store<u32>(to, load<u32>(from, P_OPEN), P_OPEN);
  store<u32>(to, load<u32>(from, P_FD_HINT), P_FD_HINT);
  return true;
}

/** Makes `fd` of one process the number `at` of another, with its rights; the table holds it. No number: nothing. */
export function fdGive(t: usize, fd: i32, to: usize, at: u32): void {
  const file = fdFile(t, fd);
  if (file == 0) return;
  fileRef(file);
  fdInstall(to, at, file, 0);
  memory.copy(entryOf(to, at) + FD_RIGHTS, entryOf(processOf(t), fd) + FD_RIGHTS, 16);
}

/** Room for so many numbers in a new process. False: no memory. */
export function fdRoom(process: usize, count: u32): bool {
  return count <= load<u32>(process, PROCESS_FD_CAPACITY) || growTable(process, count);
}

/** The inode an fd or AT_FDCWD stands for; -EBADF as an address; 0: a host stream has none. */
export function fdInode(t: usize, fd: i32): usize {
  if (fd == AT_FDCWD) return load<u32>(processOf(t), P_CWD);
  const file = fdFile(t, fd);
  return file == 0 ? <usize>-EBADF : load<u32>(file, FILE_INODE);
}

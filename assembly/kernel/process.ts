/**
 * Processes and their tasks (threads). A task is what a call is made with: it owns the areas paths and results pass
 * through; the process owns fds, root, cwd and identity.
 *
 * ```
 * process, 256 bytes: 0..23 see abi/kernel.ts
 *  24 root  28 cwd  32 uid  36 gid  40 umask  44 next process  48 tasks (list)  52 least fd that may be free
 *  56 exit status  60 state (0 running, 1 zombie)  64 group count  68 u32[32] groups  196 open fds
 * task: TASK_NEXT next task of the process
 * ```
 */
import {
  EAGAIN,
  EBADF,
  ECHILD,
  EINVAL,
  ENOMEM,
  ESRCH,
  PROCESS_COPY_FDS,
  PROCESS_EVENT,
  PROCESS_GID,
  PROCESS_HOST,
  PROCESS_HOST_PIDS,
  PROCESS_PARENT,
  PROCESS_PID,
  PROCESS_SIGNALS,
  PROCESS_UID,
  PROCESS_UMASK,
  S_IFDIR,
  SPAWN_CLOSED,
  SPAWN_FDS,
  TASK_BYTES,
  TASK_IO,
  TASK_PROCESS,
  TASK_R0,
  TASK_R1,
  TASK_R2,
  TASK_R3,
  TASK_R4,
  WNOHANG,
} from '../../src/core/abi/kernel';
import { fdCloseAll, fdCopyAll, fdFile, fdGive, fdRoom } from './fd';
import { fileUnref } from './file';
import { I_GID, I_MODE, I_UID, inodeRef, inodeUnref } from './inode';
import { waitForEvent } from './poll';
import {
  kfree,
  kmalloc,
  S_MAX_PIDS,
  S_NEXT_PID,
  S_PERMISSIONS,
  S_PROCESS_COUNT,
  S_PROCESSES,
  S_PROGRAMS,
  S_ROOT,
  signalEvent,
  superblock,
} from './superblock';

export const P_ROOT: usize = 24;
export const P_CWD: usize = 28;
export const P_UID: usize = PROCESS_UID;
export const P_GID: usize = PROCESS_GID;
export const P_UMASK: usize = PROCESS_UMASK;
export const P_NEXT: usize = 44;
export const P_TASKS: usize = 48;
export const P_FD_HINT: usize = 52;
export const P_STATUS: usize = 56;
export const P_STATE: usize = 60;
export const P_GROUP_COUNT: usize = 64;
export const P_GROUPS: usize = 68;
export const P_OPEN: usize = 196;
const P_BYTES: u32 = 256;
const GROUPS_MAX: u32 = 32;
const PID_MAX: u32 = 0x3fffffff;

export const TASK_NEXT: usize = 600;
/** Open file an io_end will settle (hostfs), referenced meanwhile. */
export const TASK_PENDING: usize = 604;
/** Open file held while the task waits in a call. */
export const TASK_HELD: usize = 608;

const RUNNING: u32 = 0;
const ZOMBIE: u32 = 1;
const SIGNALS_MAX: u32 = 32;

export function processOf(t: usize): usize {
  return load<u32>(t, TASK_PROCESS);
}

function taskCreate(process: usize): usize {
  const t = kmalloc(TASK_BYTES);
  if (t == 0) return 0;
  memory.fill(t, 0, 640);
  store<u32>(t, process, TASK_PROCESS);
  store<u32>(t, load<u32>(process, P_TASKS), TASK_NEXT);
  store<u32>(process, t, P_TASKS);
  return t;
}

export function taskAdd(t: usize): i32 {
  const made = taskCreate(processOf(t));
  return made == 0 ? -ENOMEM : <i32>made;
}

export function taskRemove(t: usize): i32 {
  const process = processOf(t);
  let link = process + P_TASKS;
  while (load<u32>(link) != t) {
    if (load<u32>(link) == 0) return -ESRCH;
    link = load<u32>(link) + TASK_NEXT;
  }
  store<u32>(link, load<u32>(t, TASK_NEXT));
  letGo(t);
  kfree(t, TASK_BYTES);
  return 0;
}

/** What a call of the task's held when its thread was ended in the midst of it. */
function letGo(t: usize): void {
  const pending = load<u32>(t, TASK_PENDING);
  const held = load<u32>(t, TASK_HELD);
  store<u32>(t, 0, TASK_PENDING);
  store<u32>(t, 0, TASK_HELD);
  if (pending != 0) fileUnref(pending & ~1);
  if (held != 0) fileUnref(held);
}

function findProcess(pid: u32): usize {
  let process: usize = load<u32>(superblock(), S_PROCESSES);
  while (process != 0 && load<u32>(process, PROCESS_PID) != pid) process = load<u32>(process, P_NEXT);
  return process;
}

function takePid(flags: u32): u32 {
  const s = superblock();
  if ((flags & PROCESS_HOST) != 0) {
    let own: u32 = PROCESS_HOST_PIDS;
    while (findProcess(own) != 0) own++;
    return own;
  }
  let pid = load<u32>(s, S_NEXT_PID);
  while (findProcess(pid) != 0) pid = pid >= PID_MAX ? 2 : pid + 1;
  store<u32>(s, pid >= PID_MAX ? 2 : pid + 1, S_NEXT_PID);
  return pid;
}

/** Programs there are, dead ones that were not waited for among them. */
function programs(): u32 {
  let count: u32 = 0;
  let process: usize = load<u32>(superblock(), S_PROCESSES);
  for (; process != 0; process = load<u32>(process, P_NEXT)) {
    if (load<u32>(process, PROCESS_PID) < <u32>PROCESS_HOST_PIDS) count++;
  }
  return count;
}

/** A new process; `parent` 0: one of the container's own. Task handle or -errno. */
export function processCreate(parent: usize, uid: u32, gid: u32, flags: u32): i32 {
  const s = superblock();
  if (load<u32>(s, S_PROCESS_COUNT) >= load<u32>(s, S_MAX_PIDS)) return -EAGAIN;
  const most = load<u32>(s, S_PROGRAMS);
  if (most != 0 && (flags & PROCESS_HOST) == 0 && programs() >= most) return -EAGAIN;
  const process = kmalloc(P_BYTES);
  if (process == 0) return -ENOMEM;
  memory.fill(process, 0, P_BYTES);
  const t = taskCreate(process);
  if (t == 0) {
    kfree(process, P_BYTES);
    return -ENOMEM;
  }
  const from = parent == 0 ? 0 : processOf(parent);
  if (from != 0) {
    store<u32>(process, load<u32>(from, PROCESS_PID), PROCESS_PARENT);
    memory.copy(process + P_UMASK, from + P_UMASK, 4);
    if ((flags & PROCESS_COPY_FDS) != 0 && !fdCopyAll(from, process)) {
      fdCloseAll(process);
      kfree(t, TASK_BYTES);
      kfree(process, P_BYTES);
      return -ENOMEM;
    }
  } else {
    store<u32>(process, 0o022, P_UMASK);
  }
  store<u32>(process, takePid(flags), PROCESS_PID);
  store<u32>(process, uid, P_UID);
  store<u32>(process, gid, P_GID);
  const root = from != 0 ? load<u32>(from, P_ROOT) : load<u32>(s, S_ROOT);
  const cwd = from != 0 ? load<u32>(from, P_CWD) : root;
  inodeRef(root);
  inodeRef(cwd);
  store<u32>(process, root, P_ROOT);
  store<u32>(process, cwd, P_CWD);
  store<u32>(process, load<u32>(s, S_PROCESSES), P_NEXT);
  store<u32>(s, process, S_PROCESSES);
  store<u32>(s, load<u32>(s, S_PROCESS_COUNT) + 1, S_PROCESS_COUNT);
  return <i32>t;
}

export function processFork(t: usize): i32 {
  const from = processOf(t);
  const child = processCreate(t, load<u32>(from, P_UID), load<u32>(from, P_GID), PROCESS_COPY_FDS);
  if (child < 0 && child > -4096) return child;
  memory.copy(processOf(child) + P_GROUP_COUNT, from + P_GROUP_COUNT, 4 + 4 * GROUPS_MAX);
  return child;
}

/** A child for another program: its fd i is the caller's u32 at TASK_IO + 4 i, or SPAWN_CLOSED. Task handle or -errno. */
export function processSpawn(t: usize, count: u32): i32 {
  if (count > <u32>SPAWN_FDS) return -EINVAL;
  for (let i: u32 = 0; i < count; i++) {
    const fd = load<i32>(t + (i << 2), TASK_IO);
    if (fd != SPAWN_CLOSED && fdFile(t, fd) == 0) return -EBADF;
  }
  const from = processOf(t);
  const child = processCreate(t, load<u32>(from, P_UID), load<u32>(from, P_GID), 0);
  if (child < 0 && child > -4096) return child;
  const process = processOf(child);
  memory.copy(process + P_GROUP_COUNT, from + P_GROUP_COUNT, 4 + 4 * GROUPS_MAX);
  if (!fdRoom(process, count)) {
    store<u32>(process, 0, PROCESS_PARENT);
    processExit(child, 0);
    return -ENOMEM;
  }
  for (let i: u32 = 0; i < count; i++) fdGive(t, load<i32>(t + (i << 2), TASK_IO), process, i);
  return child;
}

export function processExit(t: usize, status: i32): i32 {
  const s = superblock();
  const process = processOf(t);
  const pid = load<u32>(process, PROCESS_PID);
  fdCloseAll(process);
  inodeUnref(load<u32>(process, P_ROOT));
  inodeUnref(load<u32>(process, P_CWD));
  let task: usize = load<u32>(process, P_TASKS);
  while (task != 0) {
    const next = load<u32>(task, TASK_NEXT);
    letGo(task);
    kfree(task, TASK_BYTES);
    task = next;
  }
  store<u32>(process, 0, P_TASKS);
  store<u32>(process, status, P_STATUS);
  store<u32>(process, ZOMBIE, P_STATE);
  // Children lose their parent; those already dead go with it.
  let link = s + S_PROCESSES;
  while (load<u32>(link) != 0) {
    const other: usize = load<u32>(link);
    if (load<u32>(other, PROCESS_PARENT) == pid && other != process) {
      store<u32>(other, 0, PROCESS_PARENT);
      if (load<u32>(other, P_STATE) == ZOMBIE) {
        store<u32>(link, load<u32>(other, P_NEXT));
        forgetProcess(other);
        continue;
      }
    }
    link = other + P_NEXT;
  }
  const parent = load<u32>(process, PROCESS_PARENT);
  const keeper = parent == 0 ? 0 : findProcess(parent);
  if (keeper == 0) reap(process);
  else {
    store<u32>(keeper, load<u32>(keeper, PROCESS_EVENT) + 1, PROCESS_EVENT);
    atomic.notify(keeper + PROCESS_EVENT, -1);
  }
  signalEvent();
  return 0;
}

function reap(process: usize): void {
  let link = superblock() + S_PROCESSES;
  while (load<u32>(link) != process) link = load<u32>(link) + P_NEXT;
  store<u32>(link, load<u32>(process, P_NEXT));
  forgetProcess(process);
}

function forgetProcess(process: usize): void {
  const s = superblock();
  store<u32>(s, load<u32>(s, S_PROCESS_COUNT) - 1, S_PROCESS_COUNT);
  kfree(process, P_BYTES);
}

export function processWait(t: usize, pid: i32, flags: u32): i32 {
  const own = processOf(t);
  const id = load<u32>(own, PROCESS_PID);
  while (true) {
    let children = false;
    let process: usize = load<u32>(superblock(), S_PROCESSES);
    for (; process != 0; process = load<u32>(process, P_NEXT)) {
      if (load<u32>(process, PROCESS_PARENT) != id) continue;
      if (pid != -1 && load<u32>(process, PROCESS_PID) != <u32>pid) continue;
      children = true;
      if (load<u32>(process, P_STATE) != ZOMBIE) continue;
      const dead = load<u32>(process, PROCESS_PID);
      store<u32>(t, load<u32>(process, P_STATUS), TASK_R0);
      reap(process);
      return dead;
    }
    if (!children) return -ECHILD;
    if ((flags & WNOHANG) != 0) return 0;
    const woken = waitForEvent(t, -1);
    if (woken < 0) return woken;
  }
}

export function processKill(pid: u32, signal: u32): i32 {
  const process = findProcess(pid);
  if (process == 0) return -ESRCH;
  if (signal > SIGNALS_MAX) return -EINVAL;
  if (signal == 0 || load<u32>(process, P_STATE) != RUNNING) return 0;
  atomic.or<u32>(process + PROCESS_SIGNALS, 1 << (signal - 1));
  atomic.add<u32>(process + PROCESS_EVENT, 1);
  atomic.notify(process + PROCESS_EVENT, -1);
  signalEvent();
  return 0;
}

export function processByPid(pid: u32): i32 {
  const process = findProcess(pid);
  if (process == 0 || load<u32>(process, P_TASKS) == 0) return -ESRCH;
  let task: usize = load<u32>(process, P_TASKS);
  while (load<u32>(task, TASK_NEXT) != 0) task = load<u32>(task, TASK_NEXT);
  return <i32>task;
}

/** The process with the least pid above `pid`: its pid, or 0; r0 parent, r1 uid, r2 gid, r3 state, r4 open fds. */
export function processNext(t: usize, pid: u32): i32 {
  let best: usize = 0;
  let process: usize = load<u32>(superblock(), S_PROCESSES);
  for (; process != 0; process = load<u32>(process, P_NEXT)) {
    const own = load<u32>(process, PROCESS_PID);
    if (own > pid && (best == 0 || own < load<u32>(best, PROCESS_PID))) best = process;
  }
  if (best == 0) return 0;
  store<u32>(t, load<u32>(best, PROCESS_PARENT), TASK_R0);
  store<u32>(t, load<u32>(best, P_UID), TASK_R1);
  store<u32>(t, load<u32>(best, P_GID), TASK_R2);
  store<u32>(t, load<u32>(best, P_STATE), TASK_R3);
  store<u32>(t, load<u32>(best, P_OPEN), TASK_R4);
  return load<u32>(best, PROCESS_PID);
}

export function setGroups(t: usize, count: u32): i32 {
  if (count > GROUPS_MAX) return -EINVAL;
  const process = processOf(t);
  store<u32>(process, count, P_GROUP_COUNT);
  memory.copy(process + P_GROUPS, t + TASK_IO, count << 2);
  return 0;
}

export function inGroup(process: usize, gid: u32): bool {
  if (load<u32>(process, P_GID) == gid) return true;
  const count = load<u32>(process, P_GROUP_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(process + (i << 2), P_GROUPS) == gid) return true;
  }
  return false;
}

/** POSIX access check; `mask` of 4 read, 2 write, 1 execute or search. Root passes, for x if anybody may. */
export function mayAccess(process: usize, inode: usize, mask: u32): bool {
  if (load<u32>(superblock(), S_PERMISSIONS) == 0) return true;
  const mode = load<u32>(inode, I_MODE);
  const uid = load<u32>(process, P_UID);
  if (uid == 0) return (mask & 1) == 0 || (mode & 0o111) != 0 || (mode & S_IFDIR) != 0;
  let bits = mode;
  if (load<u32>(inode, I_UID) == uid) bits >>= 6;
  else if (inGroup(process, load<u32>(inode, I_GID))) bits >>= 3;
  return (bits & mask) == mask;
}

export function mayExecute(process: usize, inode: usize): bool {
  return load<u32>(superblock(), S_PERMISSIONS) == 0 || mayAccess(process, inode, 1);
}

/** Owner or root: may change times. */
export function isOwner(process: usize, inode: usize): bool {
  return load<u32>(superblock(), S_PERMISSIONS) == 0 || owns(process, inode);
}

/** Owner or root. Modes and owners are only theirs to change, also where access is not judged. */
export function owns(process: usize, inode: usize): bool {
  const uid = load<u32>(process, P_UID);
  return uid == 0 || uid == load<u32>(inode, I_UID);
}

/** In a sticky directory only the owner of the entry or of the directory removes. */
export function mayRemove(process: usize, dir: usize, inode: usize): bool {
  if (!mayAccess(process, dir, 3)) return false;
  return (load<u32>(dir, I_MODE) & 0o1000) == 0 || isOwner(process, inode) || isOwner(process, dir);
}

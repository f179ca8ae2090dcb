/** Exported calls on processes and tasks. Arguments: see index.ts. */
import { PROCESS_SIGNALS } from '../../src/core/abi/kernel';
import { done } from './call';
import { changeDirectory, changeDirectoryFd, changeRoot, currentDirectory } from './cwd';
import {
  P_GID,
  P_UID,
  P_UMASK,
  processByPid,
  processCreate,
  processExit,
  processFork,
  processKill,
  processNext,
  processOf,
  processSpawn,
  processWait,
  setGroups,
  taskAdd,
  taskRemove,
} from './process';
import { enter, S_PROGRAMS, superblock } from './superblock';

export function process_create(parent: usize, uid: u32, gid: u32, flags: u32): i32 {
  enter();
  return done(processCreate(parent, uid, gid, flags));
}

export function process_fork(t: usize): i32 {
  enter();
  return done(processFork(t));
}

export function process_spawn(t: usize, count: u32): i32 {
  enter();
  return done(processSpawn(t, count));
}

export function process_limit(count: u32): i32 {
  store<u32>(superblock(), count, S_PROGRAMS);
  return 0;
}

export function process_exit(t: usize, status: i32): i32 {
  enter();
  return done(processExit(t, status));
}

export function process_wait(t: usize, pid: i32, flags: u32): i32 {
  enter();
  return done(processWait(t, pid, flags));
}

export function process_kill(pid: u32, signal: u32): i32 {
  enter();
  return done(processKill(pid, signal));
}

export function process_by_pid(pid: u32): i32 {
  enter();
  return done(processByPid(pid));
}

export function process_next(t: usize, pid: u32): i32 {
  enter();
  return done(processNext(t, pid));
}

export function task_create(t: usize): i32 {
  enter();
  return done(taskAdd(t));
}

export function task_destroy(t: usize): i32 {
  enter();
  return done(taskRemove(t));
}

export function set_groups(t: usize, count: u32): i32 {
  enter();
  return done(setGroups(t, count));
}

export function chdir(t: usize, length: u32): i32 {
  enter();
  return done(changeDirectory(t, length));
}

export function fchdir(t: usize, fd: i32): i32 {
  enter();
  return done(changeDirectoryFd(t, fd));
}

export function chroot(t: usize, length: u32): i32 {
  enter();
  return done(changeRoot(t, length));
}

export function getcwd(t: usize): i32 {
  enter();
  return done(currentDirectory(t));
}

export function set_ids(t: usize, uid: u32, gid: u32): i32 {
  store<u32>(processOf(t), uid, P_UID);
  store<u32>(processOf(t), gid, P_GID);
  return 0;
}

export function umask(t: usize, mask: u32): i32 {
  const old = load<u32>(processOf(t), P_UMASK);
  store<u32>(processOf(t), mask & 0o777, P_UMASK);
  return old;
}

/** Pending signals, taken. */
export function signals_take(t: usize): u32 {
  return atomic.xchg<u32>(processOf(t) + PROCESS_SIGNALS, 0);
}

/** Arguments, environment, and other processes. Results are 0 or more, or a negative WASI errno. */

import { ENAMETOOLONG } from './errno';
import { listBytes, PATH_A, PATH_BYTES, pack, packList, RESULT, unpackZero } from './memory';
import { args_get, args_sizes_get, environ_get, environ_sizes_get, proc_exit } from './wasi_snapshot_preview1';
import { proc_ids, proc_kill, proc_spawn, proc_umask, proc_wait } from './wctr_posix_v1';

export const CLOSED: i32 = -1;

export function processArguments(): Array<string> {
  args_sizes_get(RESULT, RESULT + 4);
  const count = load<i32>(RESULT);
  const pointers = heap.alloc(((<usize>count) << 2) + load<u32>(RESULT, 4) + 1);
  args_get(pointers, pointers + ((<usize>count) << 2));
  return strings(pointers, count);
}

/** `NAME=value`. */
export function processEnvironment(): Array<string> {
  environ_sizes_get(RESULT, RESULT + 4);
  const count = load<i32>(RESULT);
  const pointers = heap.alloc(((<usize>count) << 2) + load<u32>(RESULT, 4) + 1);
  environ_get(pointers, pointers + ((<usize>count) << 2));
  return strings(pointers, count);
}

function strings(pointers: usize, count: i32): Array<string> {
  const list: string[] = [];
  for (let i = 0; i < count; i++) list.push(unpackZero(load<u32>(pointers + ((<usize>i) << 2))));
  heap.free(pointers);
  return list;
}

export function exitProcess(code: i32): void {
  proc_exit(code & 0xff);
}

/**
 * Starts a program and gives its process id; no search of PATH. Descriptor i of it is `fds[i]`, CLOSED for none.
 * ENOSYS where the host starts no programs, ENOEXEC for what is not a module.
 */
export function spawn(path: string, args: Array<string>, env: Array<string>, cwd: string, fds: Array<i32>): i32 {
  if (path.length >= PATH_BYTES || cwd.length > 1024) return -ENAMETOOLONG;
  pack(path, PATH_A);
  const argsBytes = listBytes(args);
  const envBytes = listBytes(env);
  const argsAt = packList(args);
  const envAt = packList(env);
  const count = fds.length;
  const rest = heap.alloc(((<usize>count) << 2) + cwd.length);
  for (let i = 0; i < count; i++) store<i32>(rest + ((<usize>i) << 2), unchecked(fds[i]));
  const cwdAt = rest + ((<usize>count) << 2);
  pack(cwd, cwdAt);
  const error = proc_spawn(
    PATH_A,
    path.length,
    argsAt,
    argsBytes,
    envAt,
    envBytes,
    cwdAt,
    cwd.length,
    rest,
    count,
    RESULT,
  );
  heap.free(argsAt);
  heap.free(envAt);
  heap.free(rest);
  return error != 0 ? -error : load<i32>(RESULT);
}

/** Of the last `waitProcess` that gave a pid: 0 to 255, 128 + n for signal n. */
export let waitStatus: i32 = 0;

/** The process that ended, 0 when none has and `hang` is false. `pid` 0: any child. */
export function waitProcess(pid: i32, hang: bool): i32 {
  const error = proc_wait(pid, hang ? 0 : 1, RESULT, RESULT + 4);
  if (error != 0) return -error;
  waitStatus = load<i32>(RESULT, 4);
  return load<i32>(RESULT);
}

/** `signal` by Linux' number; 0 asks whether it is there. */
export function killProcess(pid: i32, signal: i32): i32 {
  return -proc_kill(pid, signal);
}

export class Ids {
  uid: i32 = 0;
  gid: i32 = 0;
  pid: i32 = 1;
  ppid: i32 = 0;
  umask: i32 = 0o022;
}

/** What a process without the host's posix calls is: root, and number 1. */
export function processIds(): Ids {
  const ids = new Ids();
  if (proc_ids(RESULT) != 0) return ids;
  ids.uid = load<i32>(RESULT);
  ids.gid = load<i32>(RESULT, 4);
  ids.pid = load<i32>(RESULT, 8);
  ids.ppid = load<i32>(RESULT, 12);
  ids.umask = load<i32>(RESULT, 16);
  return ids;
}

/** The mask there was. */
export function setUmask(mask: i32): i32 {
  const error = proc_umask(mask, RESULT);
  return error != 0 ? -error : load<i32>(RESULT);
}

// What preview 1 lacks. Every call returns a WASI errno; ENOSYS where the host starts no programs.
export declare function proc_spawn(
  path: usize,
  pathLength: i32,
  args: usize,
  argsLength: i32,
  env: usize,
  envLength: i32,
  cwd: usize,
  cwdLength: i32,
  fds: usize,
  fdsCount: i32,
  pid: usize,
): i32;
export declare function proc_wait(pid: i32, flags: i32, resultPid: usize, resultStatus: usize): i32;
export declare function proc_kill(pid: i32, signal: i32): i32;
export declare function proc_ids(result: usize): i32;
export declare function proc_umask(mask: i32, result: usize): i32;
export declare function fd_pipe(result: usize): i32;
export declare function fd_dup(fd: i32, result: usize): i32;
export declare function fd_stat(fd: i32, result: usize): i32;
export declare function path_stat(fd: i32, flags: i32, path: usize, length: i32, result: usize): i32;
export declare function path_chmod(fd: i32, flags: i32, path: usize, length: i32, mode: i32): i32;
export declare function path_chown(fd: i32, flags: i32, path: usize, length: i32, uid: i32, gid: i32): i32;

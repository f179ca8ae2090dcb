// @ts-nocheck: AssemblyScript, not TypeScript.
// src/spec/wctr-posix.ts; the file's name is the module's.
export declare function path_chmod(fd: i32, flags: i32, path: usize, length: i32, mode: i32): i32;
export declare function path_chown(fd: i32, flags: i32, path: usize, length: i32, uid: i32, gid: i32): i32;
export declare function path_stat(fd: i32, flags: i32, path: usize, length: i32, result: usize): i32;
export declare function proc_ids(result: usize): i32;
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
  result: usize,
): i32;
export declare function fd_pipe(result: usize): i32;

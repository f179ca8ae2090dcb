// WASI preview 1. The file's name is the import's module name: AssemblyScript takes it from there.
export declare function args_get(argv: usize, buffer: usize): i32;
export declare function args_sizes_get(count: usize, bytes: usize): i32;
export declare function clock_time_get(id: i32, precision: i64, result: usize): i32;
export declare function environ_get(environ: usize, buffer: usize): i32;
export declare function environ_sizes_get(count: usize, bytes: usize): i32;
export declare function fd_close(fd: i32): i32;
export declare function fd_fdstat_get(fd: i32, result: usize): i32;
export declare function fd_fdstat_set_flags(fd: i32, flags: i32): i32;
export declare function fd_filestat_get(fd: i32, result: usize): i32;
export declare function fd_filestat_set_size(fd: i32, size: i64): i32;
export declare function fd_filestat_set_times(fd: i32, atime: i64, mtime: i64, flags: i32): i32;
export declare function fd_prestat_dir_name(fd: i32, at: usize, length: i32): i32;
export declare function fd_prestat_get(fd: i32, result: usize): i32;
export declare function fd_read(fd: i32, iovs: usize, count: i32, result: usize): i32;
export declare function fd_readdir(fd: i32, at: usize, length: i32, cookie: i64, result: usize): i32;
export declare function fd_renumber(from: i32, to: i32): i32;
export declare function fd_seek(fd: i32, offset: i64, whence: i32, result: usize): i32;
export declare function fd_sync(fd: i32): i32;
export declare function fd_write(fd: i32, iovs: usize, count: i32, result: usize): i32;
export declare function path_create_directory(fd: i32, path: usize, length: i32): i32;
export declare function path_filestat_get(fd: i32, flags: i32, path: usize, length: i32, result: usize): i32;
export declare function path_filestat_set_times(
  fd: i32,
  flags: i32,
  path: usize,
  length: i32,
  atime: i64,
  mtime: i64,
  which: i32,
): i32;
export declare function path_link(
  fromFd: i32,
  flags: i32,
  from: usize,
  fromLength: i32,
  toFd: i32,
  to: usize,
  toLength: i32,
): i32;
export declare function path_open(
  fd: i32,
  lookup: i32,
  path: usize,
  length: i32,
  oflags: i32,
  rights: i64,
  inheriting: i64,
  fdflags: i32,
  result: usize,
): i32;
export declare function path_readlink(fd: i32, path: usize, length: i32, at: usize, capacity: i32, result: usize): i32;
export declare function path_remove_directory(fd: i32, path: usize, length: i32): i32;
export declare function path_rename(
  fromFd: i32,
  from: usize,
  fromLength: i32,
  toFd: i32,
  to: usize,
  toLength: i32,
): i32;
export declare function path_symlink(target: usize, targetLength: i32, fd: i32, path: usize, length: i32): i32;
export declare function path_unlink_file(fd: i32, path: usize, length: i32): i32;
export declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, result: usize): i32;
export declare function proc_exit(code: i32): void;
export declare function proc_raise(signal: i32): i32;
export declare function random_get(at: usize, length: i32): i32;

// @ts-nocheck: AssemblyScript, not TypeScript.
// AssemblyScript takes the name of an import's module from the file that declares it, hence this file's name.
export declare function args_sizes_get(count: usize, bytes: usize): i32;
export declare function args_get(pointers: usize, bytes: usize): i32;
export declare function environ_sizes_get(count: usize, bytes: usize): i32;
export declare function environ_get(pointers: usize, bytes: usize): i32;
export declare function fd_read(fd: i32, iovecs: usize, count: i32, done: usize): i32;
export declare function fd_write(fd: i32, iovecs: usize, count: i32, done: usize): i32;
export declare function fd_close(fd: i32): i32;
export declare function fd_seek(fd: i32, offset: i64, whence: i32, result: usize): i32;
export declare function fd_sync(fd: i32): i32;
export declare function fd_readdir(fd: i32, buffer: usize, length: i32, cookie: i64, used: usize): i32;
export declare function path_open(
  fd: i32,
  lookup: i32,
  path: usize,
  length: i32,
  oflags: i32,
  rights: i64,
  inheriting: i64,
  fdflags: i32,
  opened: usize,
): i32;
export declare function path_create_directory(fd: i32, path: usize, length: i32): i32;
export declare function path_unlink_file(fd: i32, path: usize, length: i32): i32;
export declare function path_symlink(target: usize, targetLength: i32, fd: i32, path: usize, length: i32): i32;
export declare function path_filestat_get(fd: i32, lookup: i32, path: usize, length: i32, stat: usize): i32;
export declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, done: usize): i32;
export declare function proc_exit(code: i32): void;
export declare function random_get(buffer: usize, length: i32): i32;
export declare function clock_time_get(id: i32, precision: i64, time: usize): i32;
export declare function fd_prestat_get(fd: i32, result: usize): i32;
export declare function sock_accept(fd: i32, flags: i32, result: usize): i32;
export declare function sock_recv(fd: i32, vectors: usize, count: i32, flags: i32, size: usize, result: usize): i32;
export declare function sock_send(fd: i32, vectors: usize, count: i32, flags: i32, size: usize): i32;

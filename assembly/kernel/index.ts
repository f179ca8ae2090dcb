/**
 * kernel.wasm: the container's kernel. This file is its whole exported ABI, re-exports only. Layouts and constants:
 * src/core/abi/kernel.ts.
 *
 * Conventions
 * - Every argument and result is i32 unless noted; 64-bit values travel as two u32 (lo, hi) or f64.
 * - A result < 0 is a negative errno. `t` is a task handle (pointer to the task struct). Paths are copied by the
 *   caller to t + TASK_PATH_A (or _B for a second path) and passed by length, no terminator.
 * - Any call may grow the memory: take a fresh view when `memory.buffer` changed.
 * - Shared memory: each call takes the kernel's lock and gives it back before it returns, except between a *_begin that
 *   sets IO_NEEDS_END and its io_end.
 *
 * Life
 *   kernel_abi_version() -> KERNEL_ABI_VERSION
 *   kernel_config() -> pointer of the config struct; fill it, then
 *   kernel_boot() -> 0. First instance only. With rootfsBytes > 0, copy the index to rootfs_pointer(), then
 *   rootfs_pointer() -> where the index belongs
 *   rootfs_mount(byteLength) -> 0, -EIO when the index is not valid. byteLength 0: an empty root.
 *   kernel_attach(mayBlock) -> 0. Each further instance over a booted memory. mayBlock 0: this thread may not wait
 *                          (a page's main thread): locks spin, blocking calls answer -EAGAIN.
 *   kernel_reset() -> 0. As fresh as after rootfs_mount (same config, same index); what was used is zeroed.
 *   kernel_used_bytes() -> f64 bytes of the memory in use; kernel_data_bytes() -> f64 bytes of file data held
 *   kernel_freeze() / kernel_thaw(): take / give back the lock, so that a Worker can be terminated outside the kernel:
 *                          freeze, terminate and wait for its end, process_exit its task, thaw. The thread that froze
 *                          it can make calls meanwhile; others wait
 *   kernel_check() -> 0, or the number of the first broken invariant (walks everything; for tests)
 *
 * Processes and tasks
 *   process_create(parent task or 0, uid, gid, flags PROCESS_*) -> task. Root and cwd: the parent's or /. Pids count from
 *                          1 on; the host's own (PROCESS_HOST) have others
 *   process_limit(count) -> 0: how many programs there may be from now on (not counting the host's own); 0: as configured
 *   process_spawn(t, count) -> task of a child whose fd i is t's fd, u32 at t + TASK_IO + 4 i (SPAWN_CLOSED: none); ids,
 *                          groups, umask, root and cwd are t's. -EBADF, -EAGAIN, -EINVAL (count > SPAWN_FDS)
 *   process_fork(t) -> task of a child with the same fds, cwd, root, ids, umask
 *   process_exit(t, status) -> 0. Frees the task: no thread may be in a call with it. Closes fds; a zombie until its parent waits; parentless ones are freed at once
 *   process_wait(t, pid or -1, flags) -> pid, 0 with WNOHANG; r0 = status. Blocks when it may; else -EAGAIN
 *   process_kill(pid, signal) -> 0: sets the pending bit, wakes the process. A zombie takes it without effect
 *   process_by_pid(pid) -> task of its first thread, or -ESRCH
 *   process_next(t, pid) -> the least pid above `pid`, 0 at the end; r0 = parent, r1 = uid, r2 = gid, r3 = 0 running,
 *                          1 zombie, r4 = open fds
 *   signals_take(t) -> pending mask, cleared
 *   task_create(t) -> another task (thread) of t's process; task_destroy(t) -> 0
 *   set_ids(t, uid, gid) -> 0; set_groups(t, count): u32 gids at t + TASK_IO, at most 32; umask(t, mask) -> previous
 *   chdir(t, pathLen), fchdir(t, fd), chroot(t, pathLen) (moves the cwd, too) -> 0; getcwd(t) -> length in TASK_IO
 *                          (below the root of a hostfs mount names are not kept: -EOPNOTSUPP)
 *
 * Paths (walk: WALK_*)
 *   openat(t, dirfd, pathLen, flags O_*, mode, walk) -> fd
 *   fstatat(t, dirfd, pathLen, walk) -> 0, stat at TASK_STAT
 *   mkdirat(t, dirfd, pathLen, mode, walk), mknodat(t, dirfd, pathLen, mode, rdev, walk)
 *   unlinkat(t, dirfd, pathLen, walk), rmdirat(t, dirfd, pathLen, walk)
 *   symlinkat(t, targetLen in PATH_A, dirfd, pathLen in PATH_B, walk)
 *   linkat(t, dirfdA, lenA, dirfdB, lenB, walk)          walk's NOFOLLOW is about the source
 *   renameat(t, dirfdA, lenA, dirfdB, lenB, flags RENAME_*, walk)
 *   readlinkat(t, dirfd, pathLen, walk) -> length, target in TASK_IO (never cut: TASK_IO holds PATH_MAX)
 *   fchmodat(t, dirfd, pathLen, mode, walk), fchownat(t, dirfd, pathLen, uid, gid, walk)  -1 leaves. Judged by owner and
 *                          user also where access is not; -EOPNOTSUPP for the mode of a symbolic link
 *   utimensat(t, dirfd, pathLen, which TIME_*, atimeLo, atimeHi, mtimeLo, mtimeHi, walk)   ns since the epoch
 *   truncateat(t, dirfd, pathLen, sizeLo, sizeHi, walk)
 *   accessat(t, dirfd, pathLen, mask 4|2|1, walk)
 *   statfsat(t, dirfd, pathLen, walk) -> 0, statfs in TASK_IO
 *   getxattr(t, dirfd, pathLen in A, nameLen in B, walk) -> length, value in TASK_IO; listxattr(t, dirfd, pathLen, walk)
 *                                  -> length of NUL-terminated names in TASK_IO (attributes of the image, read-only)
 *
 * Fds
 *   close(t, fd), dup(t, fd, from) -> least free fd >= from, dup2(t, fd, to) -> to,
 *   renumber(t, from, to): moves, `to` must be open (WASI) -> 0
 *   fd_open_host(t, handle, type S_IF*, flags O_*) -> fd of a host stream
 *   fd_set_flags(t, fd, FD_CLOEXEC or 0); fd_set_status(t, fd, O_APPEND | O_NONBLOCK | O_DSYNC | ...)
 *   fd_set_rights(t, fd, baseLo, baseHi, inheritingLo, inheritingHi)
 *   fd_close_on_exec(t): closes every fd with FD_CLOEXEC
 *   fstat(t, fd), fchmod(t, fd, mode), fchown(t, fd, uid, gid), futimens(t, fd, which, aLo, aHi, mLo, mHi)
 *   ftruncate(t, fd, sizeLo, sizeHi), fallocate(t, fd, offsetLo, offsetHi, lengthLo, lengthHi) (grows, never shrinks)
 *   fsync(t, fd, dataOnly) -> 0; locks (flock, fcntl) are not there
 *   lseek(t, fd, offsetLo, offsetHi, whence) -> 0, r0/r1 = new offset lo/hi
 *   readdir(t, fd, cookieLo, cookieHi, maxBytes) -> bytes of records in TASK_IO (0 at the end). Cookie 0 starts;
 *                          cookies stay valid while entries come and go. maxBytes <= TASK_IO_BYTES. -EINVAL when not
 *                          even one record fits.
 *
 * Data: begin hands out segments (task.segments) that the caller fills or empties itself
 *   read_begin(t, fd, len), pread_begin(t, fd, len, offsetLo, offsetHi) -> n bytes in segments, 0 at the end
 *   write_begin(t, fd, len), pwrite_begin(t, fd, len, offsetLo, offsetHi) -> n bytes to fill, may be < len: go on
 *   Offset and size are committed by begin, so validate the guest's buffers first and move exactly n bytes.
 *   Only when ioFlags has IO_NEEDS_END: io_end(t, done). `done` counts for HOSTFS segments (bytes moved, or 0 after an
 *   error); for others it must be n.
 *   Host streams answer -EHOSTIO with r0 = handle. /dev/random reads are served from kernel memory.
 *   pipe(t, flags O_*) -> 0, r0 = read fd, r1 = write fd. Blocking ends wait when shared; else -EAGAIN. -EINTR on signals.
 *   -EPIPE: no signal is raised by the kernel.
 *
 * Readiness
 *   poll_query(t, fd, events) -> ready mask POLL*; r0 = bytes readable (when known), r1 = wait word (0: always
 *                          ready or host stream), -EHOSTIO with r0 = handle for host streams
 *   Another thread of the host's wakes waiters by Atomics.add and Atomics.notify on that word; no lock is needed.
 *   event_word() -> address of a word that changes and is notified whenever readiness of anything in the kernel or a
 *                          signal changes: load it, query, then Atomics.wait on it with the loaded value
 *   event_wait(t, seen, timeoutMs f64 (< 0: none)) -> 0 woken, -ETIMEDOUT, -EINTR (signal pending), -EAGAIN (may not block)
 *
 * Mounts
 *   mount_tmpfs(t, pathLen, sizeBytes f64 (0: no limit but the memory), mode, flags MOUNT_*) -> mount id
 *   mount_file(t, pathLen, mode) -> mount id: an empty file in memory over one that is there
 *   mount_seal(t, pathLen) -> 0: the mount the path lies on becomes read-only; -EBUSY for the root's
 *   mount_root_flags(flags MOUNT_*) -> 0: the root becomes read-only, or writable, from now on
 *   mount_hostfs(t, pathLen, hostMount, rootNode, flags) -> mount id. The mount point must exist (a directory, or a file
 *                          when the host's root is a file)
 *
 * The writable layer (CONFIG_JOURNAL; formats in src/core/abi/kernel.ts). Only the root mount's: no tmpfs, no hostfs
 *   upper_baseline() -> 0. Called once when all is set up and before a guest runs: changes are tracked from here on.
 *                          Files written before, replay apart, are never journaled and never a change; directories
 *                          made before are once the guest changes something in them
 *   upper_journal(generation, endLo, endHi, transactions) -> 0: where the journal goes on
 *   upper_sync(t) -> 0; r0 = 1 when something was written, r1/r2 = the journal's end lo/hi. One transaction of what
 *                          changed since the last; after an error the next one holds it all. An unlinked file does
 *                          not survive, open or not
 *   upper_snapshot(t, generation) -> as upper_sync: everything, as the first transaction of another file
 *   upper_changes(t, bucket, skip) -> path length in TASK_IO, 0 at the end; r0, r1 = next bucket and skip, r2 =
 *                          CHANGE_ADDED..., r3 = mode (DELETED: the type the image has), r4 = CHANGE_OPAQUE | _MOVED.
 *                          Begins at 0, 0; in no order; names that come or go meanwhile may show twice or not
 *   Replay, in a kernel nothing has run in, before upper_baseline:
 *   upper_buffer(metadataBytes) -> where the metadata belongs, with UPPER_PIECE_BYTES behind it (rounded up to 16)
 *   upper_checksum(first, pointer, length, frame) -> 0; with frame: the checksum that belongs in the frame at pointer
 *   upper_apply(metadataBytes) -> 0 or -errno (-EIO: damaged; the kernel is of no use then)
 *   upper_data(t, length) -> 0 or -errno: the next bytes of data lie behind the metadata
 *   upper_end() -> 0, or -EIO when data is missing; frees the buffer
 *
 * Host imports, module "host"
 *   now() -> f64 milliseconds since the epoch, fractions welcome
 *   random(pointer, length)
 *   layer_read(layer, offsetLo, offsetHi, pointer, length) -> bytes read or -errno: plain tar bytes into kernel memory (copy-up)
 *   journal_write(generation, offsetLo, offsetHi, pointer, length) -> 0 or -errno: all of it or an error.
 *                          Length 0: the snapshot is whole; its file takes the place of the generation's before
 *   hostfs_lookup(mount, dir, name, nameLen, attr) -> node (> 0) or -errno; fills attr; never follows symlinks.
 *                          Each success counts one reference; hostfs_forget(mount, node, count) gives them back.
 *   hostfs_getattr(mount, node, attr); hostfs_setattr(mount, node, valid SET_*, attr)
 *   hostfs_readlink(mount, node, pointer, capacity) -> length
 *   hostfs_create(mount, dir, name, nameLen, mode, attr) -> node (exclusive; counts one reference)
 *   hostfs_mkdir(mount, dir, name, nameLen, mode, attr) -> node; hostfs_symlink(mount, dir, name, nameLen, target, targetLen, attr) -> node
 *   hostfs_link(mount, node, newDir, name, nameLen, attr) -> 0
 *   hostfs_unlink(mount, dir, name, nameLen); hostfs_rmdir(mount, dir, name, nameLen)
 *   hostfs_rename(mount, dirA, nameA, lenA, dirB, nameB, lenB)
 *   hostfs_open(mount, node, flags) -> handle (>= 0); hostfs_release(mount, handle)
 *   hostfs_fsync(mount, handle, dataOnly); hostfs_readdir(mount, node, cookieLo, cookieHi, pointer, capacity) -> bytes of
 *                          directory records, without "." and ".."; hostfs_statfs(mount, pointer to statfs)
 *   None of them may call back into the kernel. In shared memory they run with the kernel's lock held, so a slow host
 *   delays the container's other processes; reading and writing hostfs data does not.
 */
export {
  close,
  dup,
  dup2,
  event_wait,
  fallocate,
  fchmod,
  fchown,
  fd_close_on_exec,
  fd_open_host,
  fd_set_flags,
  fd_set_rights,
  fd_set_status,
  fstat,
  fsync,
  ftruncate,
  futimens,
  io_end,
  lseek,
  pipe,
  poll_query,
  pread_begin,
  pwrite_begin,
  read_begin,
  readdir,
  renumber,
  write_begin,
} from './calls-fd';
export {
  event_word,
  kernel_abi_version,
  kernel_attach,
  kernel_boot,
  kernel_check,
  kernel_config,
  kernel_data_bytes,
  kernel_freeze,
  kernel_reset,
  kernel_thaw,
  kernel_used_bytes,
  mount_file,
  mount_hostfs,
  mount_root_flags,
  mount_seal,
  mount_tmpfs,
  rootfs_mount,
  rootfs_pointer,
} from './calls-life';
export {
  accessat,
  fchmodat,
  fchownat,
  fstatat,
  getxattr,
  linkat,
  listxattr,
  mkdirat,
  mknodat,
  openat,
  readlinkat,
  renameat,
  rmdirat,
  statfsat,
  symlinkat,
  truncateat,
  unlinkat,
  utimensat,
} from './calls-path';
export {
  chdir,
  chroot,
  fchdir,
  getcwd,
  process_by_pid,
  process_create,
  process_exit,
  process_fork,
  process_kill,
  process_limit,
  process_next,
  process_spawn,
  process_wait,
  set_groups,
  set_ids,
  signals_take,
  task_create,
  task_destroy,
  umask,
} from './calls-process';
export {
  upper_apply,
  upper_baseline,
  upper_buffer,
  upper_changes,
  upper_checksum,
  upper_data,
  upper_end,
  upper_journal,
  upper_snapshot,
  upper_sync,
} from './calls-upper';

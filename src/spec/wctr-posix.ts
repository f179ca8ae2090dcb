/**
 * What programs of containers may ask for beyond WASI preview 1: modes and owners of files, other programs, pipes. Import
 * module `wctr_posix_v1`; every function gives a preview 1 `errno` (u16 in an i32), takes pointers and lengths as u32 into
 * the program's memory, and names of files relative to a directory's descriptor, as preview 1's path_* do.
 *
 * ```
 * path_chmod(fd, flags, path, path_len, mode)            mode: the twelve lower bits of st_mode
 * path_chown(fd, flags, path, path_len, uid, gid)        ID_UNCHANGED leaves one as it is
 * path_stat(fd, flags, path, path_len, ret)              ret: STAT
 * fd_stat(fd, ret)                                       ret: STAT
 * fd_dup(fd, ret)                                        ret: u32, the least free descriptor, now the same open file
 * proc_ids(ret)                                          ret: IDS
 * proc_umask(mask, ret)                                  ret: u32, the mask before; mask & 0777 from now on
 *
 * proc_spawn(path, path_len, args, args_len, env, env_len, cwd, cwd_len, fds, fds_count, ret)
 *     Starts another program of the container's files: path, absolute or from cwd on; no search. args and env: strings with
 *     a NUL behind each, one after the other, args[0] the program's name. cwd: absolute, or empty: where the caller was
 *     started. fds: u32 each, the child's descriptor i is the caller's fds[i], FD_CLOSED: not open. Its directories get the
 *     least free numbers from 3 on, where libc looks for them, up to the first that is no directory: leave those free.
 *     ret: u32 pid. Errno: ACCES (not a regular file), AGAIN (no more programs may run), BADF, NOENT, NOEXEC (not a module
 *     that runs here), NOTSUP (a descriptor that is a socket), 2BIG, NOSYS (here no program can start another).
 * proc_wait(pid, flags, ret_pid, ret_status)             pid of a child, or 0: any; u32 each. status: what it exited with, 128 + n
 *     when signal n ended it. WAIT_NO_HANG: pid 0 when none has ended yet. Errno: CHILD (there is none), INTR
 * proc_kill(pid, signal)                                 Linux' numbers, 1 to 31; 0 asks whether it is there. Errno: SRCH, PERM
 * fd_pipe(ret)                                           u32[2]: the end to read, the end to write
 *
 * A program ends of the signals sent to it as Linux says, unless it exports `__wasm_signal(i32)`: that is called with each
 * (but 9) when the next of its imports returns, and calls that wait end with INTR. Writing to a pipe that nobody reads ends
 * a program (status 141), unless it imports fd_pipe, and so knows what PIPE means, or handles signals.
 *
 * flags: LOOKUP_FOLLOW, or 0: a symbolic link at the end of the path is meant itself
 *
 * STAT, 72 bytes
 *    0 u64 dev    8 u64 ino   16 u32 mode, type included (S_IF*)   20 u32 nlink   24 u32 uid   28 u32 gid
 *   32 u64 rdev  40 u64 size  48 u64 atime  56 u64 mtime  64 u64 ctime     nanoseconds since the epoch
 * IDS, 20 bytes
 *    0 u32 uid   4 u32 gid   8 u32 pid   12 u32 ppid (0: started from outside, or its parent has ended)   16 u32 umask
 * ```
 */
export const MODULE_POSIX = 'wctr_posix_v1';

export const LOOKUP_FOLLOW = 1;
export const ID_UNCHANGED = 0xffffffff;
export const FD_CLOSED = 0xffffffff;
export const WAIT_NO_HANG = 1;
/** proc_spawn: most descriptors, most bytes of args and env together, most strings of each. */
export const SPAWN_FDS_MAX = 1024;
export const SPAWN_STRINGS_MAX = 2 * 1024 * 1024;
export const SPAWN_STRINGS_EACH = 128 * 1024;
export const SIGNAL_MAX = 31;

export const STAT_BYTES = 72;
export const STAT_DEV = 0;
export const STAT_INO = 8;
export const STAT_MODE = 16;
export const STAT_NLINK = 20;
export const STAT_UID = 24;
export const STAT_GID = 28;
export const STAT_RDEV = 32;
export const STAT_SIZE = 40;
export const STAT_ATIME = 48;
export const STAT_MTIME = 56;
export const STAT_CTIME = 64;

export const IDS_BYTES = 20;
export const IDS_UID = 0;
export const IDS_GID = 4;
export const IDS_PID = 8;
export const IDS_PPID = 12;
export const IDS_UMASK = 16;

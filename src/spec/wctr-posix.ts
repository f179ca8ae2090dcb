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

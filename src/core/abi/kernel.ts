/**
 * The ABI of kernel.wasm: constants and struct layouts that the kernel (assembly/kernel) and its callers share. The
 * functions are described in assembly/kernel/index.ts. Terms are Linux's: flags, modes and errno carry Linux's numbers
 * (the generic table used by x86-64 and riscv64); a failing call returns a negative errno.
 *
 * All structs little endian, all pointers u32 offsets into the kernel's memory.
 *
 * ```
 * config, filled by the host before kernel_boot() at kernel_config()
 *   0 u32 flags CONFIG_*          4 u32 maxPages (64 KiB; the memory's maximum or less)
 *   8 f64 byteQuota (writable layer; 0 = as far as memory goes)
 *  16 u32 inodeQuota             20 u32 dentryQuota (names made by the guest, whiteouts included)
 *  24 u32 fileQuota (open file descriptions)  28 u32 nofile (fds of one process)
 *  32 u32 pidQuota               36 u32 cacheEntries (clean lower names kept; evicted beyond)
 *  40 u32 rootfsBytes (space wanted for the rootfs index, 0 = empty root)
 *  44 u32 pipeQuota              zeros take defaults
 *
 * task (one per thread; the handle `t` of most calls; TASK_BYTES)
 *   0 u32 process                 4 u32 flags TASK_*
 *   8 u32 segmentCount           12 u32 ioFlags IO_*
 *  16 u32 r0 .. 60 r11           secondary results, u32 each, per call
 *  64 segment[16]                 24 bytes each
 *       0 u32 kind SEGMENT_*      4 u32 value (MEMORY: pointer; LAYER: layer number; HOSTFS: host handle)
 *       8 u32 length             12 u32 mount (HOSTFS)
 *      16 u64 offset (LAYER: in the layer's plain tar; HOSTFS: in the file)
 * 448 stat                        STAT_BYTES, filled by fstat, fstatat
 * 640 end of header
 * TASK_PATH_A, TASK_PATH_B        PATH_CAPACITY bytes each: the caller's path arguments
 * TASK_IO                         TASK_IO_BYTES: readdir records, readlink, getcwd, xattrs
 *
 * process
 *   0 u32 pid    4 u32 parent pid   8 u32 fd table   12 u32 fd capacity   16 u32 signals pending (bit n-1 = signal n)
 *  20 u32 event word: changes (and is notified) when a signal arrives or a child ends
 *  32 u32 uid   36 u32 gid   40 u32 umask      read in place
 *
 * fd table entry, 24 bytes: a personality may read it in place
 *   0 u32 open file (0 = free)    4 u32 flags FD_CLOEXEC
 *   8 u64 rights                 16 u64 inheriting rights  (kept, not judged, by the kernel)
 *
 * open file (read in place, never written by callers)
 *   0 u32 kind FILE_*   4 u32 refs   8 u32 status flags O_*   12 u32 inode   16 u64 offset
 *  24 u32 handle (HOST: the host's stream number; HOSTFS: the host's open handle)   28 u32 type (S_IFMT bits)
 *
 * stat, 96 bytes
 *   0 u64 dev   8 u64 ino  16 u32 mode  20 u32 nlink  24 u32 uid  28 u32 gid  32 u32 rdev  36 u32 blksize
 *  40 u64 size 48 u64 blocks (512)  56 i64 atime ns  64 i64 mtime ns  72 i64 ctime ns  80 u32 mount id
 *  84 u32 STAT_ON_HOST or 0  88.. 0    (not on a host's file system: no two states of a file have the same ino and ctime)
 *
 * directory record (readdir, into TASK_IO; each padded to 8 bytes)
 *   0 u64 cookie of the next entry   8 u64 ino   16 u32 name length   20 u32 type (S_IFMT bits >> 12)   24 name
 *
 * host attributes (hostfs imports), 80 bytes
 *   0 u64 ino   8 u32 mode  12 u32 nlink  16 u32 uid  20 u32 gid  24 u32 rdev  28 u32 0
 *  32 u64 size 40 i64 atime ns  48 i64 mtime ns  56 i64 ctime ns  64 u64 blocks  72 u32 blksize
 *
 * statfs (into TASK_IO), 56 bytes
 *   0 u64 blockSize  8 u64 blocks  16 u64 free  24 u64 files  32 u64 files free  40 u32 name max  44 u32 type
 *  48 u32 mount flags MOUNT_*
 * ```
 */
export const KERNEL_ABI_VERSION = 1;

export const CONFIG_FLAGS = 0;
export const CONFIG_MAX_PAGES = 4;
export const CONFIG_BYTE_QUOTA = 8;
export const CONFIG_INODE_QUOTA = 16;
export const CONFIG_DENTRY_QUOTA = 20;
export const CONFIG_FILE_QUOTA = 24;
export const CONFIG_NOFILE = 28;
export const CONFIG_PID_QUOTA = 32;
export const CONFIG_CACHE_ENTRIES = 36;
export const CONFIG_ROOTFS_BYTES = 40;
export const CONFIG_PIPE_QUOTA = 44;
export const CONFIG_BYTES = 64;

/** Memory is shared: take locks, let blocking calls wait. */
export const CONFIG_SHARED = 1;
/** Judge mode bits, owners and groups. Without it every access is granted, as WASI expects. */
export const CONFIG_PERMISSIONS = 2;
/** The root is read-only: EROFS, mounts excepted. */
export const CONFIG_READONLY_ROOT = 4;
/** Mount a tmpfs with the usual character devices on /dev. */
export const CONFIG_DEV = 8;
/** Keep track of what the guest changes below the root, for upper_sync and upper_changes. */
export const CONFIG_JOURNAL = 16;

export const TASK_PROCESS = 0;
export const TASK_FLAGS = 4;
export const TASK_SEGMENT_COUNT = 8;
export const TASK_IO_FLAGS = 12;
export const TASK_R0 = 16;
export const TASK_R1 = 20;
export const TASK_R2 = 24;
export const TASK_R3 = 28;
export const TASK_R4 = 32;
export const TASK_SEGMENTS = 64;
export const TASK_STAT = 448;
export const TASK_PATH_A = 640;
export const TASK_PATH_B = 4800;
/** Kernel's own: a path being rewritten by symlinks, one per path argument. */
export const TASK_WALK_A = 8960;
export const TASK_WALK_B = 13120;
export const TASK_IO = 17280;
export const TASK_IO_BYTES = 7296;
export const TASK_BYTES = 24576;
/** Bytes a path area can hold; a path may have PATH_MAX - 1. The 16 bytes behind it are slack for wide loads. */
export const PATH_CAPACITY = 4144;
export const PATH_MAX = 4096;
export const NAME_MAX = 255;

export const SEGMENT_BYTES = 24;
export const SEGMENT_LIMIT = 16;
export const SEGMENT_KIND = 0;
export const SEGMENT_VALUE = 4;
export const SEGMENT_LENGTH = 8;
export const SEGMENT_MOUNT = 12;
export const SEGMENT_OFFSET = 16;
/** Bytes in kernel memory at `value`. */
export const SEGMENT_MEMORY = 0;
/** Zeros (a hole, /dev/zero). Reads only. */
export const SEGMENT_ZERO = 1;
/** Bytes of a layer's plain tar: the caller reads them straight into the guest. Reads only. */
export const SEGMENT_LAYER = 2;
/** Bytes of a file on a hostfs mount: the caller does the I/O on the host's handle. */
export const SEGMENT_HOSTFS = 3;
/** Written bytes go nowhere (/dev/null). Writes only. */
export const SEGMENT_DISCARD = 4;

/** io_end(t, done) must follow, whatever happens; other processes wait until then. */
export const IO_NEEDS_END = 1;
/** HOSTFS write: append, wherever the end is. */
export const IO_APPEND = 2;

export const PROCESS_PID = 0;
export const PROCESS_PARENT = 4;
export const PROCESS_FDS = 8;
export const PROCESS_FD_CAPACITY = 12;
export const PROCESS_SIGNALS = 16;
export const PROCESS_EVENT = 20;
export const PROCESS_UID = 32;
export const PROCESS_GID = 36;
export const PROCESS_UMASK = 40;

export const FD_BYTES = 24;
export const FD_FILE = 0;
export const FD_FLAGS = 4;
export const FD_RIGHTS = 8;
export const FD_INHERITING = 16;
export const FD_CLOEXEC = 1;

export const FILE_KIND = 0;
export const FILE_REFS = 4;
export const FILE_STATUS = 8;
export const FILE_INODE = 12;
export const FILE_OFFSET = 16;
export const FILE_HANDLE = 24;
export const FILE_TYPE = 28;

export const FILE_REGULAR = 1;
export const FILE_DIRECTORY = 2;
export const FILE_PIPE_READ = 3;
export const FILE_PIPE_WRITE = 4;
export const FILE_DEVICE = 5;
/** The personality does the I/O: stdio, sockets, the terminal. read/write answer -EHOSTIO with r0 = handle. */
export const FILE_HOST = 6;
export const FILE_HOSTFS = 7;
/** Handle of /dev/tty and /dev/console when opened: the container's terminal. */
export const HOST_TTY = 0x7fffffff;
/** O_PATH-like handle (a symlink itself, ...): no I/O. */
export const FILE_PATH = 8;

export const STAT_DEV = 0;
export const STAT_INO = 8;
export const STAT_MODE = 16;
export const STAT_NLINK = 20;
export const STAT_UID = 24;
export const STAT_GID = 28;
export const STAT_RDEV = 32;
export const STAT_BLKSIZE = 36;
export const STAT_SIZE = 40;
export const STAT_BLOCKS = 48;
export const STAT_ATIME = 56;
export const STAT_MTIME = 64;
export const STAT_CTIME = 72;
export const STAT_MOUNT = 80;
export const STAT_FLAGS = 84;
export const STAT_ON_HOST = 1;
export const STAT_BYTES = 96;

export const DIRENT_NEXT = 0;
export const DIRENT_INO = 8;
export const DIRENT_NAME_LENGTH = 16;
export const DIRENT_TYPE = 20;
export const DIRENT_NAME = 24;

export const ATTR_INO = 0;
export const ATTR_MODE = 8;
export const ATTR_NLINK = 12;
export const ATTR_UID = 16;
export const ATTR_GID = 20;
export const ATTR_RDEV = 24;
export const ATTR_SIZE = 32;
export const ATTR_ATIME = 40;
export const ATTR_MTIME = 48;
export const ATTR_CTIME = 56;
export const ATTR_BLOCKS = 64;
export const ATTR_BLKSIZE = 72;
export const ATTR_BYTES = 80;

/** hostfs_setattr: which fields of the attributes to set. */
export const SET_MODE = 1;
export const SET_OWNER = 2;
export const SET_SIZE = 4;
export const SET_ATIME = 8;
export const SET_MTIME = 16;

/** `walk` argument of path calls. */
/**
 * Stay beneath the directory fd: absolute paths, `..` above it and absolute symlinks answer -ENOTCAPABLE. Where that
 * directory is the process' root, links may be absolute or climb, as they end inside anyway.
 */
export const WALK_BENEATH = 1;
/** Do not follow a symlink in the last component. */
export const WALK_NOFOLLOW = 2;
/** fstatat, linkat, ...: an empty path means the fd itself. */
export const WALK_EMPTY_PATH = 4;

export const AT_FDCWD = -100;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
/** Private: WASI's O_RSYNC, kept for fdstat. */
export const O_RSYNC = 0o20000000;
/** Status flags that fd_set_status may change. */
export const O_STATUS_MASK = 0o4016000 | 0o20000000;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** utimens: nanosecond values that mean "now" and "leave". Passed as `which` bits, see index.ts. */
export const TIME_ATIME = 1;
export const TIME_MTIME = 2;
export const TIME_ATIME_NOW = 4;
export const TIME_MTIME_NOW = 8;

export const RENAME_NOREPLACE = 1;

export const MOUNT_READONLY = 1;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;

export const WNOHANG = 1;

/** process_create flags. */
export const PROCESS_COPY_FDS = 1;
/** The host's own: its pid is none of those programs have (PROCESS_HOST_PIDS and above). */
export const PROCESS_HOST = 2;
export const PROCESS_HOST_PIDS = 0x40000000;
/** process_spawn: in place of a descriptor's number, none. */
export const SPAWN_CLOSED = -1;
/** process_spawn: most descriptors it takes. */
export const SPAWN_FDS = 1024;

/** upper_changes: what happened to a name, and how a directory relates to the image. */
export const CHANGE_ADDED = 1;
export const CHANGE_MODIFIED = 2;
export const CHANGE_DELETED = 3;
/** Hides the directory the image has there. */
export const CHANGE_OPAQUE = 1;
/** A directory of the image in another place: what it holds came along, changed or not. */
export const CHANGE_MOVED = 2;

/**
 * The journal of the writable layer: a file header that the host writes, then transactions one behind the other.
 *
 * ```
 * file header, 64 bytes: 0 u8[8] magic  8 u32 version  12 u32 kernel ABI  16 u8[32] digest of the rootfs (or zeros)  48.. 0
 * transaction, 32 bytes: 0 u32 magic  4 u32 number (1, 2, ...)  8 u32 metadata bytes  12 u32 checksum  16 u64 data bytes
 *   24 u64 0, then the metadata: records, then the data of all DATA records in their order. The checksum is the XXH64 of
 *   metadata, data and bytes 0..11 and 16..31 of the frame, its halves XORed.
 * record NAME, 24 bytes: 0 u16 1  2 u16 name length  4 u32 0  8 u64 directory's inode  16 u64 inode (0: not there); name
 * record INODE, 112 bytes: 0 u16 2  2 u16 home name length (0: none)  4 u32 mode  8 u64 inode  16 u32 nlink  20 u32 uid
 *   24 u32 gid  28 u32 rdev  32 u64 size  40 i64 atime  48 i64 mtime  56 i64 ctime  64 u64 bytes still the image's
 *   72 u64 least size it had since the last transaction  80 u64 home directory's inode  88 u32 target length  92.. 0
 *   then the home name (a name the image gives it) and the symlink's target
 * record DATA, 16 bytes: 0 u16 3  2 u16 0  4 u32 length  8 u64 offset in the file of the INODE before it
 * record END, 16 bytes: 0 u16 4  2.. 0  8 u64 next inode number. The last one.
 * ```
 */
export const JOURNAL_HEADER_BYTES = 64;
export const JOURNAL_VERSION = 1;
export const TRANSACTION_MAGIC = 0x4e585457;
export const TRANSACTION_BYTES = 32;
export const RECORD_NAME = 1;
export const RECORD_NAME_BYTES = 24;
export const RECORD_INODE = 2;
export const RECORD_INODE_BYTES = 112;
export const RECORD_DATA = 3;
export const RECORD_DATA_BYTES = 16;
export const RECORD_END = 4;
export const RECORD_END_BYTES = 16;
/** Room behind the metadata in upper_buffer(): data goes to upper_data in pieces of at most this. */
export const UPPER_PIECE_BYTES = 65536;

export const PIPE_BUF = 4096;
export const PIPE_BYTES = 65536;

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOTTY = 25;
export const ETXTBSY = 26;
export const EFBIG = 27;
export const ENOSPC = 28;
export const ESPIPE = 29;
export const EROFS = 30;
export const EMLINK = 31;
export const EPIPE = 32;
export const ERANGE = 34;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ENODATA = 61;
export const EOVERFLOW = 75;
export const EOPNOTSUPP = 95;
export const ETIMEDOUT = 110;
export const EDQUOT = 122;
/** Private: the path would leave the directory it was confined to (WALK_BENEATH). */
export const ENOTCAPABLE = 600;
/** Private: the fd is a host stream; r0 holds its handle and the personality does the I/O. */
export const EHOSTIO = 601;

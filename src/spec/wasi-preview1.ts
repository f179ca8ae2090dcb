/**
 * WASI preview 1: the numbers and byte layouts of module `wasi_snapshot_preview1`, and where module `wasi_unstable`
 * (snapshot 0) differs. Nothing here decides anything; it can be read against the documents.
 *
 * Version: snapshot 1, WASI 0.1 (branch wasi-0.1, commit fae981ba).
 * https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/witx/typenames.witx
 * https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/witx/wasi_snapshot_preview1.witx
 * https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview0/witx/typenames.witx
 */
export const MODULE_PREVIEW1 = 'wasi_snapshot_preview1';
export const MODULE_SNAPSHOT0 = 'wasi_unstable';

/** `errno`, u16. */
export const ERRNO_SUCCESS = 0;
export const ERRNO_2BIG = 1;
export const ERRNO_ACCES = 2;
export const ERRNO_ADDRINUSE = 3;
export const ERRNO_ADDRNOTAVAIL = 4;
export const ERRNO_AFNOSUPPORT = 5;
export const ERRNO_AGAIN = 6;
export const ERRNO_ALREADY = 7;
export const ERRNO_BADF = 8;
export const ERRNO_BADMSG = 9;
export const ERRNO_BUSY = 10;
export const ERRNO_CANCELED = 11;
export const ERRNO_CHILD = 12;
export const ERRNO_CONNABORTED = 13;
export const ERRNO_CONNREFUSED = 14;
export const ERRNO_CONNRESET = 15;
export const ERRNO_DEADLK = 16;
export const ERRNO_DESTADDRREQ = 17;
export const ERRNO_DOM = 18;
export const ERRNO_DQUOT = 19;
export const ERRNO_EXIST = 20;
export const ERRNO_FAULT = 21;
export const ERRNO_FBIG = 22;
export const ERRNO_HOSTUNREACH = 23;
export const ERRNO_IDRM = 24;
export const ERRNO_ILSEQ = 25;
export const ERRNO_INPROGRESS = 26;
export const ERRNO_INTR = 27;
export const ERRNO_INVAL = 28;
export const ERRNO_IO = 29;
export const ERRNO_ISCONN = 30;
export const ERRNO_ISDIR = 31;
export const ERRNO_LOOP = 32;
export const ERRNO_MFILE = 33;
export const ERRNO_MLINK = 34;
export const ERRNO_MSGSIZE = 35;
export const ERRNO_MULTIHOP = 36;
export const ERRNO_NAMETOOLONG = 37;
export const ERRNO_NETDOWN = 38;
export const ERRNO_NETRESET = 39;
export const ERRNO_NETUNREACH = 40;
export const ERRNO_NFILE = 41;
export const ERRNO_NOBUFS = 42;
export const ERRNO_NODEV = 43;
export const ERRNO_NOENT = 44;
export const ERRNO_NOEXEC = 45;
export const ERRNO_NOLCK = 46;
export const ERRNO_NOLINK = 47;
export const ERRNO_NOMEM = 48;
export const ERRNO_NOMSG = 49;
export const ERRNO_NOPROTOOPT = 50;
export const ERRNO_NOSPC = 51;
export const ERRNO_NOSYS = 52;
export const ERRNO_NOTCONN = 53;
export const ERRNO_NOTDIR = 54;
export const ERRNO_NOTEMPTY = 55;
export const ERRNO_NOTRECOVERABLE = 56;
export const ERRNO_NOTSOCK = 57;
export const ERRNO_NOTSUP = 58;
export const ERRNO_NOTTY = 59;
export const ERRNO_NXIO = 60;
export const ERRNO_OVERFLOW = 61;
export const ERRNO_OWNERDEAD = 62;
export const ERRNO_PERM = 63;
export const ERRNO_PIPE = 64;
export const ERRNO_PROTO = 65;
export const ERRNO_PROTONOSUPPORT = 66;
export const ERRNO_PROTOTYPE = 67;
export const ERRNO_RANGE = 68;
export const ERRNO_ROFS = 69;
export const ERRNO_SPIPE = 70;
export const ERRNO_SRCH = 71;
export const ERRNO_STALE = 72;
export const ERRNO_TIMEDOUT = 73;
export const ERRNO_TXTBSY = 74;
export const ERRNO_XDEV = 75;
export const ERRNO_NOTCAPABLE = 76;

/**
 * `rights`, u64. Only 30 bits are given, so they travel as numbers; a guest's u64 is cut to them at the edge. The
 * kernel keeps the same numbers per descriptor.
 */
export const RIGHT_FD_DATASYNC = 0x1;
export const RIGHT_FD_READ = 0x2;
export const RIGHT_FD_SEEK = 0x4;
export const RIGHT_FD_FDSTAT_SET_FLAGS = 0x8;
export const RIGHT_FD_SYNC = 0x10;
export const RIGHT_FD_TELL = 0x20;
export const RIGHT_FD_WRITE = 0x40;
export const RIGHT_FD_ADVISE = 0x80;
export const RIGHT_FD_ALLOCATE = 0x100;
export const RIGHT_PATH_CREATE_DIRECTORY = 0x200;
export const RIGHT_PATH_CREATE_FILE = 0x400;
export const RIGHT_PATH_LINK_SOURCE = 0x800;
export const RIGHT_PATH_LINK_TARGET = 0x1000;
export const RIGHT_PATH_OPEN = 0x2000;
export const RIGHT_FD_READDIR = 0x4000;
export const RIGHT_PATH_READLINK = 0x8000;
export const RIGHT_PATH_RENAME_SOURCE = 0x10000;
export const RIGHT_PATH_RENAME_TARGET = 0x20000;
export const RIGHT_PATH_FILESTAT_GET = 0x40000;
export const RIGHT_PATH_FILESTAT_SET_SIZE = 0x80000;
export const RIGHT_PATH_FILESTAT_SET_TIMES = 0x100000;
export const RIGHT_FD_FILESTAT_GET = 0x200000;
export const RIGHT_FD_FILESTAT_SET_SIZE = 0x400000;
export const RIGHT_FD_FILESTAT_SET_TIMES = 0x800000;
export const RIGHT_PATH_SYMLINK = 0x1000000;
export const RIGHT_PATH_REMOVE_DIRECTORY = 0x2000000;
export const RIGHT_PATH_UNLINK_FILE = 0x4000000;
export const RIGHT_POLL_FD_READWRITE = 0x8000000;
export const RIGHT_SOCK_SHUTDOWN = 0x10000000;
export const RIGHT_SOCK_ACCEPT = 0x20000000;
export const RIGHTS_ALL = 0x3fffffff;

/** `clockid`, u32. */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
/** @public */
export const CLOCK_PROCESS_CPUTIME = 2;
export const CLOCK_THREAD_CPUTIME = 3;

/** `filetype`, u8. */
export const FILETYPE_UNKNOWN = 0;
export const FILETYPE_BLOCK_DEVICE = 1;
export const FILETYPE_CHARACTER_DEVICE = 2;
export const FILETYPE_DIRECTORY = 3;
export const FILETYPE_REGULAR_FILE = 4;
/** @public */
export const FILETYPE_SOCKET_DGRAM = 5;
export const FILETYPE_SOCKET_STREAM = 6;
export const FILETYPE_SYMBOLIC_LINK = 7;

/** `fdflags`, u16. */
export const FDFLAG_APPEND = 1;
export const FDFLAG_DSYNC = 2;
export const FDFLAG_NONBLOCK = 4;
export const FDFLAG_RSYNC = 8;
export const FDFLAG_SYNC = 16;

export const FDFLAGS_ALL = 0x1f;

/** `oflags`, u16. */
export const OFLAG_CREAT = 1;
export const OFLAG_DIRECTORY = 2;
export const OFLAG_EXCL = 4;
export const OFLAG_TRUNC = 8;

export const OFLAGS_ALL = 0x0f;

/** `fstflags`, u16. */
export const FSTFLAG_ATIM = 1;
export const FSTFLAG_ATIM_NOW = 2;
export const FSTFLAG_MTIM = 4;
export const FSTFLAG_MTIM_NOW = 8;

export const FSTFLAGS_ALL = 0x0f;

/** `lookupflags`, u32. */
export const LOOKUP_SYMLINK_FOLLOW = 1;

/** `whence`, u8. */
export const WHENCE_SET = 0;
export const WHENCE_CUR = 1;
export const WHENCE_END = 2;

/** `whence` of snapshot 0, u8. */
export const WHENCE0_CUR = 0;
export const WHENCE0_END = 1;
export const WHENCE0_SET = 2;

/** `advice`, u8; the last valid one is ADVICE_NOREUSE. @public */
export const ADVICE_NORMAL = 0;
/** @public */
export const ADVICE_SEQUENTIAL = 1;
/** @public */
export const ADVICE_RANDOM = 2;
/** @public */
export const ADVICE_WILLNEED = 3;
/** @public */
export const ADVICE_DONTNEED = 4;
export const ADVICE_NOREUSE = 5;

/** `eventtype`, u8. */
export const EVENT_CLOCK = 0;
export const EVENT_FD_READ = 1;
export const EVENT_FD_WRITE = 2;

/** `eventrwflags`, u16: the peer of the descriptor hung up. */
export const EVENTRW_HANGUP = 1;

/** `subclockflags`, u16: the timeout is a time of the clock, not a span from now. */
export const SUBCLOCK_ABSTIME = 1;

/** `riflags` and `roflags` of sock_recv, `sdflags` of sock_shutdown. */
export const RI_RECV_PEEK = 1;
export const RI_RECV_WAITALL = 2;
/** @public */
export const RO_RECV_DATA_TRUNCATED = 1;
export const SD_RD = 1;
export const SD_WR = 2;

/** `preopentype`, u8. */
export const PREOPEN_DIR = 0;

/** `signal`, u8: the name of number n. */
export const SIGNALS = [
  'NONE',
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'POLL',
  'PWR',
  'SYS',
] as const;

/**
 * Layouts, sizes in bytes, all little endian.
 *
 * ```
 * iovec, ciovec      8   0 u32 buf            4 u32 buf_len
 * dirent            24   0 u64 d_next         8 u64 d_ino   16 u32 d_namlen  20 u8 d_type; the name follows
 * fdstat            24   0 u8 filetype        2 u16 flags    8 u64 rights_base  16 u64 rights_inheriting
 * filestat          64   0 u64 dev            8 u64 ino     16 u8 filetype   24 u64 nlink   32 u64 size
 *                       40 u64 atim          48 u64 mtim    56 u64 ctim
 *   snapshot 0      56   ... 16 u8 filetype  20 u32 nlink   24 u64 size      32 u64 atim    40 u64 mtim  48 u64 ctim
 * prestat            8   0 u8 tag             4 u32 dir name length
 * subscription      48   0 u64 userdata       8 u8 tag
 *   clock               16 u32 id            24 u64 timeout 32 u64 precision 40 u16 flags
 *   fd_read/write       16 u32 fd
 *   snapshot 0      56   clock: 16 u64 identifier  24 u32 id  32 u64 timeout  40 u64 precision  48 u16 flags
 * event             32   0 u64 userdata       8 u16 error   10 u8 type       16 u64 nbytes  24 u16 flags
 * ```
 */
export const IOVEC_BYTES = 8;
export const DIRENT_BYTES = 24;
export const FDSTAT_BYTES = 24;
export const FILESTAT_BYTES = 64;
export const FILESTAT0_BYTES = 56;
export const PRESTAT_BYTES = 8;
export const SUBSCRIPTION_BYTES = 48;
export const SUBSCRIPTION0_BYTES = 56;
export const EVENT_BYTES = 32;

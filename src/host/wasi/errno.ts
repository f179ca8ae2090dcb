/**
 * Linux errno -> WASI errno, the one place where the two meet. The kernel answers negative Linux numbers (generic
 * table: x86-64, riscv64) plus two private ones; a number without a counterpart becomes EIO.
 */
import * as k from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';

const TABLE_SIZE = 640;

const PAIRS: readonly (readonly [linux: number, wasi: number])[] = [
  [k.EPERM, w.ERRNO_PERM],
  [k.ENOENT, w.ERRNO_NOENT],
  [k.ESRCH, w.ERRNO_SRCH],
  [k.EINTR, w.ERRNO_INTR],
  [k.EIO, w.ERRNO_IO],
  [k.ENXIO, w.ERRNO_NXIO],
  [7, w.ERRNO_2BIG],
  [8, w.ERRNO_NOEXEC],
  [k.EBADF, w.ERRNO_BADF],
  [k.ECHILD, w.ERRNO_CHILD],
  [k.EAGAIN, w.ERRNO_AGAIN],
  [k.ENOMEM, w.ERRNO_NOMEM],
  [k.EACCES, w.ERRNO_ACCES],
  [k.EFAULT, w.ERRNO_FAULT],
  [k.EBUSY, w.ERRNO_BUSY],
  [k.EEXIST, w.ERRNO_EXIST],
  [k.EXDEV, w.ERRNO_XDEV],
  [k.ENODEV, w.ERRNO_NODEV],
  [k.ENOTDIR, w.ERRNO_NOTDIR],
  [k.EISDIR, w.ERRNO_ISDIR],
  [k.EINVAL, w.ERRNO_INVAL],
  [k.ENFILE, w.ERRNO_NFILE],
  [k.EMFILE, w.ERRNO_MFILE],
  [k.ENOTTY, w.ERRNO_NOTTY],
  [k.ETXTBSY, w.ERRNO_TXTBSY],
  [k.EFBIG, w.ERRNO_FBIG],
  [k.ENOSPC, w.ERRNO_NOSPC],
  [k.ESPIPE, w.ERRNO_SPIPE],
  [k.EROFS, w.ERRNO_ROFS],
  [k.EMLINK, w.ERRNO_MLINK],
  [k.EPIPE, w.ERRNO_PIPE],
  [33, w.ERRNO_DOM],
  [k.ERANGE, w.ERRNO_RANGE],
  [35, w.ERRNO_DEADLK],
  [k.ENAMETOOLONG, w.ERRNO_NAMETOOLONG],
  [37, w.ERRNO_NOLCK],
  [k.ENOSYS, w.ERRNO_NOSYS],
  [k.ENOTEMPTY, w.ERRNO_NOTEMPTY],
  [k.ELOOP, w.ERRNO_LOOP],
  [42, w.ERRNO_NOMSG],
  [43, w.ERRNO_IDRM],
  [67, w.ERRNO_NOLINK],
  [71, w.ERRNO_PROTO],
  [72, w.ERRNO_MULTIHOP],
  [74, w.ERRNO_BADMSG],
  [k.EOVERFLOW, w.ERRNO_OVERFLOW],
  [84, w.ERRNO_ILSEQ],
  [88, w.ERRNO_NOTSOCK],
  [89, w.ERRNO_DESTADDRREQ],
  [90, w.ERRNO_MSGSIZE],
  [91, w.ERRNO_PROTOTYPE],
  [92, w.ERRNO_NOPROTOOPT],
  [93, w.ERRNO_PROTONOSUPPORT],
  [k.EOPNOTSUPP, w.ERRNO_NOTSUP],
  [97, w.ERRNO_AFNOSUPPORT],
  [98, w.ERRNO_ADDRINUSE],
  [99, w.ERRNO_ADDRNOTAVAIL],
  [100, w.ERRNO_NETDOWN],
  [101, w.ERRNO_NETUNREACH],
  [102, w.ERRNO_NETRESET],
  [103, w.ERRNO_CONNABORTED],
  [104, w.ERRNO_CONNRESET],
  [105, w.ERRNO_NOBUFS],
  [106, w.ERRNO_ISCONN],
  [107, w.ERRNO_NOTCONN],
  [k.ETIMEDOUT, w.ERRNO_TIMEDOUT],
  [111, w.ERRNO_CONNREFUSED],
  [113, w.ERRNO_HOSTUNREACH],
  [114, w.ERRNO_ALREADY],
  [115, w.ERRNO_INPROGRESS],
  [116, w.ERRNO_STALE],
  [k.EDQUOT, w.ERRNO_DQUOT],
  [125, w.ERRNO_CANCELED],
  [130, w.ERRNO_OWNERDEAD],
  [131, w.ERRNO_NOTRECOVERABLE],
  [k.ENOTCAPABLE, w.ERRNO_NOTCAPABLE],
];

const TABLE = new Uint8Array(TABLE_SIZE).fill(w.ERRNO_IO);
TABLE[0] = w.ERRNO_SUCCESS;
for (const [linux, wasi] of PAIRS) TABLE[linux] = wasi;

/** A kernel result (>= 0 success, < 0 negative errno) as a WASI errno. */
export function toErrno(result: number): number {
  if (result >= 0) return w.ERRNO_SUCCESS;
  return TABLE[-result] ?? w.ERRNO_IO;
}

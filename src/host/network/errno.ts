/** Linux errno numbers of sockets, and those the host's errors stand for. */
const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
const EACCES = 13;
export const EINVAL = 22;
export const EMFILE = 24;
export const EPIPE = 32;
export const EDESTADDRREQ = 89;
export const EMSGSIZE = 90;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
const ECONNRESET = 104;
export const EISCONN = 106;
export const ENOTCONN = 107;
const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const ENOENT = 2;

const BY_NAME: Readonly<Record<string, number>> = {
  ENOENT,
  EAGAIN,
  EACCES,
  EPERM: EACCES,
  EINVAL,
  EMFILE,
  EPIPE,
  EMSGSIZE,
  EAFNOSUPPORT,
  EADDRINUSE,
  EADDRNOTAVAIL,
  ENETUNREACH,
  ECONNABORTED,
  ECONNRESET,
  ETIMEDOUT,
  ECONNREFUSED,
  EHOSTUNREACH,
  ENOTFOUND: ENOENT,
  ENODATA: ENOENT,
  EBADNAME: ENOENT,
  ETIMEOUT: EAGAIN,
  EAI_AGAIN: EAGAIN,
};

/** Of an error of the host: by its `code`. Positive. */
export function errnoOf(error: unknown): number {
  return BY_NAME[String((error as { code?: unknown } | null)?.code)] ?? EIO;
}

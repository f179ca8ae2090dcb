/**
 * What a host's file system answers, as the kernel's errno. Hosts number their errors differently (libuv on Windows
 * and macOS, memfs not at all), so the code's name decides.
 */
import * as abi from '../../core/abi/kernel.ts';

const BY_CODE: Readonly<Record<string, number>> = {
  EPERM: abi.EPERM,
  ENOENT: abi.ENOENT,
  EIO: abi.EIO,
  ENXIO: abi.ENXIO,
  EBADF: abi.EBADF,
  EAGAIN: abi.EAGAIN,
  ENOMEM: abi.ENOMEM,
  EACCES: abi.EACCES,
  EBUSY: abi.EBUSY,
  EEXIST: abi.EEXIST,
  EXDEV: abi.EXDEV,
  ENODEV: abi.ENODEV,
  ENOTDIR: abi.ENOTDIR,
  EISDIR: abi.EISDIR,
  EINVAL: abi.EINVAL,
  ENFILE: abi.ENFILE,
  EMFILE: abi.EMFILE,
  ETXTBSY: abi.ETXTBSY,
  EFBIG: abi.EFBIG,
  ENOSPC: abi.ENOSPC,
  EROFS: abi.EROFS,
  EMLINK: abi.EMLINK,
  ENAMETOOLONG: abi.ENAMETOOLONG,
  ENOSYS: abi.ENOSYS,
  ENOTEMPTY: abi.ENOTEMPTY,
  ELOOP: abi.ELOOP,
  EOPNOTSUPP: abi.EOPNOTSUPP,
  ENOTSUP: abi.EOPNOTSUPP,
  EDQUOT: abi.EDQUOT,
};

/** Thrown inside the mounts to answer a chosen errno. */
export class HostErrno extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

/** The errno (positive) behind anything a host's file system throws; EIO for what has no name. */
export function errnoOf(error: unknown): number {
  if (error instanceof HostErrno) return error.errno;
  const code = (error as { code?: unknown } | null)?.code;
  return (typeof code === 'string' ? BY_CODE[code] : undefined) ?? abi.EIO;
}

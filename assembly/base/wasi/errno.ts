/** WASI preview 1 errno values, and what C libraries call them. Wrappers return them negative: `-NOENT`. */
export const E2BIG: i32 = 1;
export const EACCES: i32 = 2;
export const EAGAIN: i32 = 6;
export const EBADF: i32 = 8;
export const EBUSY: i32 = 10;
export const ECHILD: i32 = 12;
export const EEXIST: i32 = 20;
export const EINTR: i32 = 27;
export const EINVAL: i32 = 28;
export const EIO: i32 = 29;
export const EISDIR: i32 = 31;
export const ELOOP: i32 = 32;
export const EMFILE: i32 = 33;
export const ENAMETOOLONG: i32 = 37;
export const ENOENT: i32 = 44;
export const ENOEXEC: i32 = 45;
export const ENOSPC: i32 = 51;
export const ENOSYS: i32 = 52;
export const ENOTDIR: i32 = 54;
export const ENOTEMPTY: i32 = 55;
export const ENOTSUP: i32 = 58;
export const ENOTTY: i32 = 59;
export const EPERM: i32 = 63;
export const EPIPE: i32 = 64;
export const EROFS: i32 = 69;
export const ESPIPE: i32 = 70;
export const ESRCH: i32 = 71;
export const EXDEV: i32 = 75;
export const ENOTCAPABLE: i32 = 76;

/** The text of strerror(3), for an errno of either sign. */
export function errorText(errno: i32): string {
  switch (errno < 0 ? -errno : errno) {
    case 0:
      return 'Success';
    case E2BIG:
      return 'Argument list too long';
    case EACCES:
      return 'Permission denied';
    case EAGAIN:
      return 'Resource temporarily unavailable';
    case EBADF:
      return 'Bad file descriptor';
    case EBUSY:
      return 'Device or resource busy';
    case ECHILD:
      return 'No child processes';
    case 19:
      return 'Disk quota exceeded';
    case EEXIST:
      return 'File exists';
    case 22:
      return 'File too large';
    case EINTR:
      return 'Interrupted system call';
    case EINVAL:
      return 'Invalid argument';
    case EIO:
      return 'Input/output error';
    case EISDIR:
      return 'Is a directory';
    case ELOOP:
      return 'Too many levels of symbolic links';
    case EMFILE:
      return 'Too many open files';
    case 34:
      return 'Too many links';
    case ENAMETOOLONG:
      return 'File name too long';
    case 43:
      return 'No such device';
    case ENOENT:
      return 'No such file or directory';
    case ENOEXEC:
      return 'Exec format error';
    case 48:
      return 'Cannot allocate memory';
    case ENOSPC:
      return 'No space left on device';
    case ENOSYS:
      return 'Function not implemented';
    case ENOTDIR:
      return 'Not a directory';
    case ENOTEMPTY:
      return 'Directory not empty';
    case ENOTSUP:
      return 'Operation not supported';
    case ENOTTY:
      return 'Inappropriate ioctl for device';
    case 60:
      return 'No such device or address';
    case EPERM:
    case ENOTCAPABLE:
      return 'Operation not permitted';
    case EPIPE:
      return 'Broken pipe';
    case EROFS:
      return 'Read-only file system';
    case ESPIPE:
      return 'Illegal seek';
    case ESRCH:
      return 'No such process';
    case 74:
      return 'Text file busy';
    case EXDEV:
      return 'Invalid cross-device link';
    default:
      return `Unknown error ${errno < 0 ? -errno : errno}`;
  }
}

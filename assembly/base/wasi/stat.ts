/** What is known of a file: by the host's posix calls, or from preview 1 alone where those are not there. */
import { ENOSYS } from './errno';
import { rootFd, stagePath } from './files';
import { PATH_A, RESULT } from './memory';
import { fd_filestat_get, path_filestat_get } from './wasi_snapshot_preview1';
import { fd_stat, path_stat } from './wctr_posix_v1';

export const S_IFMT: i32 = 0o170000;
export const S_IFIFO: i32 = 0o010000;
export const S_IFCHR: i32 = 0o020000;
export const S_IFDIR: i32 = 0o040000;
export const S_IFBLK: i32 = 0o060000;
export const S_IFREG: i32 = 0o100000;
export const S_IFLNK: i32 = 0o120000;
export const S_IFSOCK: i32 = 0o140000;

export class Stat {
  dev: u64 = 0;
  ino: u64 = 0;
  /** Type and permissions, as in st_mode. */
  mode: i32 = 0;
  nlink: u32 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  rdev: u64 = 0;
  size: u64 = 0;
  /** Nanoseconds since the epoch. */
  atime: i64 = 0;
  mtime: i64 = 0;
  ctime: i64 = 0;

  get type(): i32 {
    return this.mode & S_IFMT;
  }

  get isDirectory(): bool {
    return this.type == S_IFDIR;
  }

  get isFile(): bool {
    return this.type == S_IFREG;
  }

  get isLink(): bool {
    return this.type == S_IFLNK;
  }

  /** u64 dev, ino; u32 mode, nlink, uid, gid; u64 rdev, size, atime, mtime, ctime. */
  readPosix(): void {
    this.dev = load<u64>(RESULT);
    this.ino = load<u64>(RESULT, 8);
    this.mode = load<i32>(RESULT, 16);
    this.nlink = load<u32>(RESULT, 20);
    this.uid = load<u32>(RESULT, 24);
    this.gid = load<u32>(RESULT, 28);
    this.rdev = load<u64>(RESULT, 32);
    this.size = load<u64>(RESULT, 40);
    this.atime = load<i64>(RESULT, 48);
    this.mtime = load<i64>(RESULT, 56);
    this.ctime = load<i64>(RESULT, 64);
  }

  /** filestat: u64 dev, ino, u8 type, u64 nlink, size, atim, mtim, ctim. Everybody may do everything. */
  readPreview1(): void {
    this.dev = load<u64>(RESULT);
    this.ino = load<u64>(RESULT, 8);
    this.mode = modeOfType(load<u8>(RESULT, 16));
    this.nlink = <u32>load<u64>(RESULT, 24);
    this.uid = 0;
    this.gid = 0;
    this.rdev = 0;
    this.size = load<u64>(RESULT, 32);
    this.atime = load<i64>(RESULT, 40);
    this.mtime = load<i64>(RESULT, 48);
    this.ctime = load<i64>(RESULT, 56);
  }
}

export function statPath(path: string, follow: bool, stat: Stat): i32 {
  const length = stagePath(path, PATH_A);
  if (length < 0) return length;
  let error = path_stat(rootFd(), i32(follow), PATH_A, length, RESULT);
  if (error == 0) {
    stat.readPosix();
    return 0;
  }
  if (error != ENOSYS) return -error;
  error = path_filestat_get(rootFd(), i32(follow), PATH_A, length, RESULT);
  if (error != 0) return -error;
  stat.readPreview1();
  return 0;
}

export function statFile(fd: i32, stat: Stat): i32 {
  let error = fd_stat(fd, RESULT);
  if (error == 0) {
    stat.readPosix();
    return 0;
  }
  if (error != ENOSYS) return -error;
  error = fd_filestat_get(fd, RESULT);
  if (error != 0) return -error;
  stat.readPreview1();
  return 0;
}

/** From WASI's filetype. */
function modeOfType(type: i32): i32 {
  switch (type) {
    case 1:
      return S_IFBLK | 0o666;
    case 2:
      return S_IFCHR | 0o666;
    case 3:
      return S_IFDIR | 0o755;
    case 4:
      return S_IFREG | 0o755;
    case 5:
    case 6:
      return S_IFSOCK | 0o666;
    case 7:
      return S_IFLNK | 0o777;
    default:
      return S_IFIFO | 0o600;
  }
}

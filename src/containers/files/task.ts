/**
 * One process of our own in a container's kernel, to read and change files with. Its root is the container's, so no link
 * leads it out, whatever the guests beside it swap meanwhile. Calls are synchronous; everything kept between them is a
 * descriptor, never a place in memory.
 */
import * as abi from '../../core/abi/kernel.ts';
import { readChanges, type UpperChange } from '../../core/upper-changes.ts';
import { type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import { type ByteString, fromBytes, toBytes, toText } from './names.ts';

type Call = (...values: number[]) => number;

/** How a container's kernel is reached: from the thread of its control socket, or from one that booted it for this. */
export interface FilesAccess {
  /** Where the bytes of files are that are not in the kernel's memory. Each returns how many, or a negative errno. */
  readonly port: {
    readLayer(layer: number, position: number, target: Uint8Array): number;
    hostRead(mount: number, handle: number, position: number, target: Uint8Array): number;
    hostWrite(mount: number, handle: number, position: number, append: boolean, source: Uint8Array): number;
  };
  /** The exports of kernel.wasm (assembly/kernel/index.ts). */
  readonly kernel: Readonly<Record<string, Call>>;
  /** May be shared. */
  readonly memory: WebAssembly.Memory;
  /** A kernel process of uid 0 that no guest sees. */
  createTask(): number;
  endTask(task: number): void;
}

export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  /** Of the mount it lies on. */
  readonly mount: number;
}

export interface DirectoryRecord {
  readonly name: ByteString;
  /** S_IFMT bits. */
  readonly type: number;
}

/** A call that failed: what it was about, and Linux' number. */
export class KernelErrno extends Error {
  readonly errno: number;
  constructor(errno: number, what: string) {
    super(`${what}: errno ${errno}`);
    this.errno = errno;
  }
}

const CHUNK_BYTES = 1024 * 1024;

const CODES: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  [abi.ENOENT]: ['not-found', 'no such file or directory'],
  [abi.ENOTDIR]: ['not-found', 'not a directory'],
  [abi.ELOOP]: ['invalid-argument', 'too many levels of symbolic links'],
  [abi.ENAMETOOLONG]: ['invalid-argument', 'file name too long'],
  [abi.EINVAL]: ['invalid-argument', 'invalid argument'],
  [abi.EISDIR]: ['invalid-argument', 'is a directory'],
  [abi.EEXIST]: ['conflict', 'file exists'],
  [abi.ENOTEMPTY]: ['conflict', 'directory not empty'],
  [abi.EBUSY]: ['conflict', 'device or resource busy'],
  [abi.EROFS]: ['forbidden', 'read-only file system'],
  [abi.EPERM]: ['forbidden', 'operation not permitted'],
  [abi.EACCES]: ['forbidden', 'permission denied'],
  [abi.ENOSPC]: ['no-space', 'no space left on device'],
  [abi.EDQUOT]: ['no-space', 'disk quota exceeded'],
  [abi.ENOMEM]: ['no-memory', 'out of memory'],
  [abi.EMFILE]: ['limit-exceeded', 'too many open files'],
  [abi.ENFILE]: ['limit-exceeded', 'too many open files'],
  [abi.EFBIG]: ['limit-exceeded', 'file too large'],
  [abi.EOPNOTSUPP]: ['unsupported', 'operation not supported'],
  [abi.ENOSYS]: ['unsupported', 'operation not supported'],
};

/** A failed call as users see it; anything else as it is. */
export function asFileError(error: unknown): unknown {
  if (!(error instanceof KernelErrno)) return error;
  const [code, text] = CODES[error.errno] ?? ['sandbox-failed', `errno ${error.errno}`];
  const what = error.message.slice(0, error.message.lastIndexOf(': errno'));
  return new WctrError(code, `${what}: ${text}`, { data: { errno: error.errno }, cause: error });
}

/** The same inside of an archive that is being unpacked: what is not there is not what the user named. */
export function asMemberError(error: unknown): unknown {
  const known = asFileError(error);
  if (!isWctrError(known, 'not-found')) return known;
  return new WctrError('conflict', known.message, { data: known.data, cause: error });
}

export class FileTask {
  readonly #access: FilesAccess;
  readonly #task: number;

  constructor(access: FilesAccess) {
    this.#access = access;
    this.#task = access.createTask();
    if (this.#task < 0) {
      throw new WctrError('limit-exceeded', 'the container has no room for one more process to read its files with');
    }
    access.kernel.umask!(this.#task, 0);
  }

  /** Closes every descriptor. */
  end(): void {
    this.#access.endTask(this.#task);
  }

  /** `walk`: abi.WALK_*. Throws KernelErrno, as everything here. */
  stat(dirfd: number, path: ByteString, walk: number = abi.WALK_NOFOLLOW): FileStat {
    const { kernel } = this.#access;
    this.#must(kernel.fstatat!(this.#task, dirfd, this.#path(path), walk), `stat ${toText(path)}`);
    return this.#stat();
  }

  /** Undefined where there is nothing. */
  find(dirfd: number, path: ByteString, walk: number = abi.WALK_NOFOLLOW): FileStat | undefined {
    const { kernel } = this.#access;
    const result = kernel.fstatat!(this.#task, dirfd, this.#path(path), walk);
    if (result === -abi.ENOENT || result === -abi.ENOTDIR) return undefined;
    this.#must(result, `stat ${toText(path)}`);
    return this.#stat();
  }

  fstat(fd: number): FileStat {
    this.#must(this.#access.kernel.fstat!(this.#task, fd), 'stat');
    return this.#stat();
  }

  readlink(dirfd: number, path: ByteString): ByteString {
    const { kernel, memory } = this.#access;
    const result = kernel.readlinkat!(this.#task, dirfd, this.#path(path), 0);
    // A name that was a link is something else by now: the link is gone.
    const length = this.#must(result === -abi.EINVAL ? -abi.ENOENT : result, `readlink ${toText(path)}`);
    return fromBytes(new Uint8Array(memory.buffer, this.#task + abi.TASK_IO, length));
  }

  open(dirfd: number, path: ByteString, flags: number, mode = 0): number {
    const { kernel } = this.#access;
    return this.#must(kernel.openat!(this.#task, dirfd, this.#path(path), flags, mode, 0), `open ${toText(path)}`);
  }

  close(fd: number): void {
    this.#access.kernel.close!(this.#task, fd);
  }

  /** Names in order of their bytes, without `.` and `..`. */
  list(fd: number): DirectoryRecord[] {
    const { kernel, memory } = this.#access;
    const found: DirectoryRecord[] = [];
    let cookie = 0n;
    for (;;) {
      const lo = Number(cookie & 0xffffffffn) | 0;
      const hi = Number(cookie >> 32n) | 0;
      const length = this.#must(kernel.readdir!(this.#task, fd, lo, hi, abi.TASK_IO_BYTES), 'list a directory');
      if (length === 0) break;
      const view = new DataView(memory.buffer, this.#task + abi.TASK_IO, length);
      for (let at = 0; at + abi.DIRENT_NAME <= length; ) {
        const size = view.getUint32(at + abi.DIRENT_NAME_LENGTH, true);
        cookie = view.getBigUint64(at + abi.DIRENT_NEXT, true);
        const name = fromBytes(new Uint8Array(view.buffer, view.byteOffset + at + abi.DIRENT_NAME, size));
        if (name !== '.' && name !== '..') found.push({ name, type: view.getUint32(at + abi.DIRENT_TYPE, true) << 12 });
        at += (abi.DIRENT_NAME + size + 7) & ~7;
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Extended attributes by name; none where the file system has none. */
  xattrs(dirfd: number, path: ByteString): [ByteString, Uint8Array<ArrayBuffer>][] {
    const { kernel, memory } = this.#access;
    const length = kernel.listxattr!(this.#task, dirfd, this.#path(path), abi.WALK_NOFOLLOW);
    if (length <= 0) return [];
    const names = fromBytes(new Uint8Array(memory.buffer, this.#task + abi.TASK_IO, length)).split('\0');
    return names.flatMap((name): [ByteString, Uint8Array<ArrayBuffer>][] => {
      if (name === '') return [];
      const pathLength = this.#path(path);
      const nameLength = this.#path(name, abi.TASK_PATH_B);
      const size = kernel.getxattr!(this.#task, dirfd, pathLength, nameLength, abi.WALK_NOFOLLOW);
      if (size < 0) return [];
      return [[name, new Uint8Array(memory.buffer, this.#task + abi.TASK_IO, size).slice() as Uint8Array<ArrayBuffer>]];
    });
  }

  /** The next bytes of an open file; empty at its end. */
  read(fd: number, limit = CHUNK_BYTES): Uint8Array<ArrayBuffer> {
    const { kernel, port, memory } = this.#access;
    const granted = this.#must(kernel.read_begin!(this.#task, fd, Math.min(limit, CHUNK_BYTES)), 'read');
    const bytes = new Uint8Array(granted);
    let done = 0;
    let failure = 0;
    for (const { kind, value, length, offset, mount } of granted === 0 ? [] : this.#segments()) {
      const part = bytes.subarray(done, done + length);
      if (kind === abi.SEGMENT_MEMORY) part.set(new Uint8Array(memory.buffer, value, length));
      let at = kind === abi.SEGMENT_LAYER || kind === abi.SEGMENT_HOSTFS ? 0 : length;
      while (at < length) {
        const rest = part.subarray(at);
        const got =
          kind === abi.SEGMENT_LAYER
            ? port.readLayer(value, offset + at, rest)
            : port.hostRead(mount, value, offset + at, rest);
        if (got <= 0) {
          failure = got;
          break;
        }
        at += got;
      }
      done += at;
      if (at < length) break;
    }
    this.#endTransfer(done);
    if (failure < 0 && done === 0) throw new KernelErrno(-failure, 'read');
    return bytes.subarray(0, done);
  }

  write(fd: number, bytes: Uint8Array): void {
    const { kernel, port, memory } = this.#access;
    for (let done = 0; done < bytes.length; ) {
      const granted = this.#must(kernel.write_begin!(this.#task, fd, bytes.length - done), 'write');
      let moved = 0;
      let failure = 0;
      for (const { kind, value, length, offset, mount } of this.#segments()) {
        const part = bytes.subarray(done + moved, done + moved + length);
        if (kind === abi.SEGMENT_MEMORY) new Uint8Array(memory.buffer, value, length).set(part);
        if (kind !== abi.SEGMENT_HOSTFS) {
          moved += length;
          continue;
        }
        const put = port.hostWrite(mount, value, offset, false, part);
        if (put > 0) moved += put;
        else failure = put === 0 ? -abi.EIO : put;
        if (put < length) break;
      }
      this.#endTransfer(moved);
      if (failure < 0) throw new KernelErrno(-failure, 'write');
      if (granted === 0 || moved === 0) throw new KernelErrno(abi.EIO, 'write');
      done += moved;
    }
  }

  /** False where something is there already. */
  mkdir(dirfd: number, path: ByteString, mode: number): boolean {
    const { kernel } = this.#access;
    const result = kernel.mkdirat!(this.#task, dirfd, this.#path(path), mode, 0);
    if (result === -abi.EEXIST) return false;
    this.#must(result, `make ${toText(path)}`);
    return true;
  }

  /** A fifo or a socket's name: `mode` with its S_IFMT bits. */
  mknod(dirfd: number, path: ByteString, mode: number): void {
    const { kernel } = this.#access;
    this.#must(kernel.mknodat!(this.#task, dirfd, this.#path(path), mode, 0, 0), `make ${toText(path)}`);
  }

  symlink(target: ByteString, dirfd: number, path: ByteString): void {
    const { kernel } = this.#access;
    const targetLength = this.#path(target);
    const length = this.#path(path, abi.TASK_PATH_B);
    this.#must(kernel.symlinkat!(this.#task, targetLength, dirfd, length, 0), `link ${toText(path)}`);
  }

  link(dirfd: number, from: ByteString, to: ByteString): void {
    const { kernel } = this.#access;
    const fromLength = this.#path(from);
    const toLength = this.#path(to, abi.TASK_PATH_B);
    const { WALK_NOFOLLOW } = abi;
    this.#must(
      kernel.linkat!(this.#task, dirfd, fromLength, dirfd, toLength, WALK_NOFOLLOW),
      `link ${toText(to)} to ${toText(from)}`,
    );
  }

  unlink(dirfd: number, path: ByteString): void {
    this.#must(this.#access.kernel.unlinkat!(this.#task, dirfd, this.#path(path), 0), `remove ${toText(path)}`);
  }

  rmdir(dirfd: number, path: ByteString): void {
    this.#must(this.#access.kernel.rmdirat!(this.#task, dirfd, this.#path(path), 0), `remove ${toText(path)}`);
  }

  /** Owner, permission bits and time of a name, as far as its file system keeps them: a host's keeps no owners. */
  setAttributes(
    dirfd: number,
    path: ByteString,
    attributes: { uid: number; gid: number; mode?: number; mtimeNs?: bigint },
  ): void {
    const { kernel } = this.#access;
    const { uid, gid, mode, mtimeNs } = attributes;
    const { WALK_NOFOLLOW } = abi;
    const what = `change ${toText(path)}`;
    this.#may(kernel.fchownat!(this.#task, dirfd, this.#path(path), uid, gid, WALK_NOFOLLOW), what);
    // After the owner: a change of owner drops setuid bits.
    if (mode !== undefined) {
      this.#may(kernel.fchmodat!(this.#task, dirfd, this.#path(path), mode & 0o7777, WALK_NOFOLLOW), what);
    }
    if (mtimeNs === undefined) return;
    const [lo, hi] = [Number(BigInt.asIntN(32, mtimeNs)), Number(BigInt.asIntN(32, mtimeNs >> 32n))];
    const which = abi.TIME_MTIME | abi.TIME_ATIME_NOW;
    this.#may(kernel.utimensat!(this.#task, dirfd, this.#path(path), which, 0, 0, lo, hi, WALK_NOFOLLOW), what);
  }

  /** Of an open file, whatever has its name. */
  setAttributesOf(fd: number, { uid, gid, mode }: { uid: number; gid: number; mode: number }): void {
    const { kernel } = this.#access;
    this.#may(kernel.fchownat!(this.#task, fd, 0, uid, gid, abi.WALK_EMPTY_PATH), 'change an open file');
    this.#may(kernel.fchmodat!(this.#task, fd, 0, mode & 0o7777, abi.WALK_EMPTY_PATH), 'change an open file');
  }

  /** What is not as the image has it, in order of path. Throws 'internal' where the kernel keeps no track. */
  changes(except?: ReadonlySet<string>): UpperChange[] {
    const { kernel, memory } = this.#access;
    return readChanges({ calls: kernel, memory }, this.#task, except);
  }

  /** The mount that the path lies on becomes read-only. EBUSY for the root's. */
  seal(path: ByteString): void {
    this.#must(this.#access.kernel.mount_seal!(this.#task, this.#path(path)), `seal ${toText(path)}`);
  }

  /** Guests stand still at their next call of the kernel until the returned function is called. */
  freeze(): () => void {
    const { kernel } = this.#access;
    kernel.kernel_freeze!();
    return () => void kernel.kernel_thaw!();
  }

  /** A whole tree. Links are removed, not followed. Nothing happens where there is nothing. */
  removeAll(dirfd: number, path: ByteString): void {
    const stat = this.find(dirfd, path);
    if (stat === undefined) return;
    if ((stat.mode & abi.S_IFMT) !== abi.S_IFDIR) {
      this.unlink(dirfd, path);
      return;
    }
    const fd = this.open(dirfd, path, abi.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW);
    try {
      for (const { name } of this.list(fd)) this.removeAll(fd, name);
    } finally {
      this.close(fd);
    }
    this.rmdir(dirfd, path);
  }

  #stat(): FileStat {
    const view = new DataView(this.#access.memory.buffer, this.#task + abi.TASK_STAT, abi.STAT_BYTES);
    return {
      dev: view.getBigUint64(abi.STAT_DEV, true),
      ino: view.getBigUint64(abi.STAT_INO, true),
      mode: view.getUint32(abi.STAT_MODE, true),
      nlink: view.getUint32(abi.STAT_NLINK, true),
      uid: view.getUint32(abi.STAT_UID, true),
      gid: view.getUint32(abi.STAT_GID, true),
      rdev: view.getUint32(abi.STAT_RDEV, true),
      size: Number(view.getBigUint64(abi.STAT_SIZE, true)),
      mtimeNs: view.getBigInt64(abi.STAT_MTIME, true),
      mount: view.getUint32(abi.STAT_MOUNT, true),
    };
  }

  #segments(): { kind: number; value: number; length: number; mount: number; offset: number }[] {
    const view = new DataView(this.#access.memory.buffer);
    const count = view.getUint32(this.#task + abi.TASK_SEGMENT_COUNT, true);
    return Array.from({ length: count }, (_, i) => {
      const at = this.#task + abi.TASK_SEGMENTS + i * abi.SEGMENT_BYTES;
      return {
        kind: view.getUint32(at + abi.SEGMENT_KIND, true),
        value: view.getUint32(at + abi.SEGMENT_VALUE, true),
        length: view.getUint32(at + abi.SEGMENT_LENGTH, true),
        mount: view.getUint32(at + abi.SEGMENT_MOUNT, true),
        offset: Number(view.getBigUint64(at + abi.SEGMENT_OFFSET, true)),
      };
    });
  }

  #endTransfer(done: number): void {
    const { kernel, memory } = this.#access;
    const flags = new DataView(memory.buffer).getUint32(this.#task + abi.TASK_IO_FLAGS, true);
    if (flags & abi.IO_NEEDS_END) kernel.io_end!(this.#task, done);
  }

  #path(path: ByteString, area: number = abi.TASK_PATH_A): number {
    if (path.length >= abi.PATH_MAX) throw new KernelErrno(abi.ENAMETOOLONG, toText(path.slice(0, 64)));
    new Uint8Array(this.#access.memory.buffer).set(toBytes(path), this.#task + area);
    return path.length;
  }

  #must(result: number, what: string): number {
    if (result < 0) throw new KernelErrno(-result, what);
    return result;
  }

  /** What a mount of the host may not know. */
  #may(result: number, what: string): void {
    if (result < 0 && result !== -abi.EPERM && result !== -abi.EOPNOTSUPP) throw new KernelErrno(-result, what);
  }
}

/** A tree of a container as members of a tar, in order of path: parents first, names of a directory bytewise. */
import * as abi from '../../core/abi/kernel.ts';
import { type ByteString, fromText } from './names.ts';
import { encodeHeader, TAR_END, tarPadding } from './tar-header.ts';
import { type FileStat, type FileTask, KernelErrno } from './task.ts';

export interface WalkOptions {
  /** Stay on the mount of the tree's root: others are shown as empty directories and files. Default false. */
  readonly oneMount?: boolean;
  /** Names, relative to the walk's root, whose content is left out: what others see of them is not the container's. */
  readonly empty?: ReadonlySet<ByteString>;
}

const NS_PER_SECOND = 1_000_000_000n;
const TAR_TYPES: Readonly<Record<number, string>> = {
  [abi.S_IFREG]: '0',
  [abi.S_IFLNK]: '2',
  [abi.S_IFCHR]: '3',
  [abi.S_IFBLK]: '4',
  [abi.S_IFDIR]: '5',
  [abi.S_IFIFO]: '6',
};

/** What has been written under another name already: `dev:ino` to that name. */
export type SeenLinks = Map<string, ByteString>;

/**
 * One name as a tar member, its data in pieces. A file that shrinks while it is read is filled up with zeros, one that
 * grows is cut: the header has gone out before. Nothing for a socket.
 */
export function* member(
  task: FileTask,
  dirfd: number,
  path: ByteString,
  name: ByteString,
  stat: FileStat,
  seen: SeenLinks,
  isEmpty = false,
): Generator<Uint8Array> {
  const type = TAR_TYPES[stat.mode & abi.S_IFMT];
  if (type === undefined) return;
  const base = {
    name: type === '5' && !name.endsWith('/') ? `${name}/` : name,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: Number(floorSeconds(stat.mtimeNs)),
    xattrs: task.xattrs(dirfd, path),
  };
  if (type !== '5' && stat.nlink > 1) {
    const key = `${stat.dev}:${stat.ino}`;
    const first = seen.get(key);
    if (first !== undefined) {
      yield encodeHeader({ ...base, type: '1', size: 0, link: first, xattrs: [] });
      return;
    }
    seen.set(key, name);
  }
  if (type === '2') {
    yield encodeHeader({ ...base, type, mode: 0o777, size: 0, link: task.readlink(dirfd, path) });
  } else if (type === '3' || type === '4') {
    yield encodeHeader({ ...base, type, size: 0, major: majorOf(stat.rdev), minor: minorOf(stat.rdev) });
  } else if (type !== '0' || isEmpty) {
    yield encodeHeader({ ...base, type, size: 0 });
  } else {
    const fd = task.open(dirfd, path, abi.O_RDONLY | abi.O_NOFOLLOW | abi.O_NONBLOCK);
    try {
      // What was looked at may have been replaced since.
      const opened = task.fstat(fd);
      if ((opened.mode & abi.S_IFMT) !== abi.S_IFREG) return;
      yield encodeHeader({ ...base, type, size: opened.size });
      yield* contents(task, fd, opened.size);
    } finally {
      task.close(fd);
    }
  }
}

/** Exactly `size` bytes and their padding. */
function* contents(task: FileTask, fd: number, size: number): Generator<Uint8Array> {
  let rest = size;
  while (rest > 0) {
    const bytes = task.read(fd, rest);
    if (bytes.length === 0) break;
    rest -= bytes.length;
    yield bytes;
  }
  for (; rest > 0; rest -= Math.min(rest, ZEROS.length)) yield ZEROS.subarray(0, rest);
  yield tarPadding(size);
}

const ZEROS = new Uint8Array(65536);

/**
 * The directory `fd` and all in it. `prefix` is what the directory itself is called, empty for none; `shown` false leaves
 * the directory's own member out.
 */
export function* tree(
  task: FileTask,
  fd: number,
  prefix: ByteString,
  seen: SeenLinks,
  options: WalkOptions = {},
): Generator<Uint8Array> {
  const { mount } = task.fstat(fd);
  yield* below(task, fd, prefix, '', mount, seen, options);
}

function* below(
  task: FileTask,
  fd: number,
  prefix: ByteString,
  relative: ByteString,
  mount: number,
  seen: SeenLinks,
  options: WalkOptions,
): Generator<Uint8Array> {
  for (const { name } of task.list(fd)) {
    const stat = task.find(fd, name);
    // Gone since the directory was read.
    if (stat === undefined) continue;
    const path = prefix + name;
    const inner = relative === '' ? name : `${relative}/${name}`;
    const isForeign = options.oneMount === true && stat.mount !== mount;
    const isEmpty = isForeign || options.empty?.has(inner) === true;
    const isDirectory = (stat.mode & abi.S_IFMT) === abi.S_IFDIR;
    try {
      yield* member(task, fd, name, path, stat, seen, isEmpty);
      if (!isDirectory || isForeign) continue;
      const child = task.open(fd, name, abi.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW);
      try {
        yield* below(task, child, `${path}/`, inner, mount, seen, options);
      } finally {
        task.close(child);
      }
    } catch (error) {
      if (!isSwapped(error)) throw error;
    }
  }
}

/** The name went away or became a link between two calls: it is left out, as if it had been so from the start. */
function isSwapped(error: unknown): boolean {
  return (
    error instanceof KernelErrno &&
    (error.errno === abi.ENOENT || error.errno === abi.ENOTDIR || error.errno === abi.ELOOP)
  );
}

export function tarEnd(): Uint8Array {
  return TAR_END;
}

function floorSeconds(ns: bigint): bigint {
  const seconds = ns / NS_PER_SECOND;
  return ns < 0n && seconds * NS_PER_SECOND !== ns ? seconds - 1n : seconds;
}

/** Linux' packing of a device number. */
function majorOf(rdev: number): number {
  return (rdev >>> 8) & 0xfff;
}

function minorOf(rdev: number): number {
  return (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}

/** Files of every container that are not its own: docker mounts them over the image's. */
export const FURNISHED: ReadonlySet<ByteString> = new Set(
  ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'].map(fromText),
);

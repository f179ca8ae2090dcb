/** What a container changed over its image, as docker diff tells it. The kernel says what; this sorts and completes. */
import { WctrError } from '../errors.ts';
import * as abi from './abi/kernel.ts';
import type { UpperLink } from './upper.ts';

export interface UpperChange {
  /** Absolute, without a slash at the end. */
  readonly path: string;
  /** Added, changed, deleted. */
  readonly kind: 'A' | 'C' | 'D';
  /** Type and permission bits; of a deleted name only the type, as the image has it. */
  readonly mode: number;
  /** A directory that hides what the image's directory of the same path holds. */
  readonly opaque: boolean;
}

interface Found extends UpperChange {
  readonly moved: boolean;
}

const KINDS = { [abi.CHANGE_ADDED]: 'A', [abi.CHANGE_MODIFIED]: 'C', [abi.CHANGE_DELETED]: 'D' } as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const NONE: ReadonlySet<string> = new Set();

/**
 * All changes in byte order of path, those of `except` left out. Directories that hold a change count as changed; what came along in a directory
 * that was moved is listed as added. `t`: a task of root's with / as its root, used for nothing else meanwhile. Throws
 * 'internal' when the kernel keeps no track (CONFIG_JOURNAL).
 */
export function readChanges(link: UpperLink, t: number, except = NONE): UpperChange[] {
  const found = new Map<string, UpperChange>();
  const moved: string[] = [];
  for (const change of enumerate(link, t)) {
    if (except.has(change.path)) continue;
    found.set(change.path, { path: change.path, kind: change.kind, mode: change.mode, opaque: change.opaque });
    if (change.moved) moved.push(change.path);
  }
  for (const path of moved) {
    for (const [below, mode] of walk(link, t, path)) {
      if (!found.has(below) && !except.has(below)) found.set(below, { path: below, kind: 'A', mode, opaque: false });
    }
  }
  for (const path of [...found.keys()]) addParents(found, path);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function addParents(found: Map<string, UpperChange>, path: string): void {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const parent = path.slice(0, at);
    if (found.has(parent)) return;
    found.set(parent, { path: parent, kind: 'C', mode: abi.S_IFDIR | 0o755, opaque: false });
  }
}

function* enumerate({ calls, memory }: UpperLink, t: number): Generator<Found> {
  let bucket = 0;
  let skip = 0;
  for (;;) {
    const length = calls.upper_changes!(t, bucket, skip);
    if (length < 0) throw new WctrError('internal', 'the kernel keeps no track of changes');
    if (length === 0) return;
    const view = new DataView(memory.buffer);
    const result = (number: number) => view.getUint32(t + abi.TASK_R0 + 4 * number, true);
    bucket = result(0);
    skip = result(1);
    const flags = result(4);
    yield {
      path: textAt(memory, t + abi.TASK_IO, length),
      kind: KINDS[result(2) as keyof typeof KINDS],
      mode: result(3),
      opaque: (flags & abi.CHANGE_OPAQUE) !== 0,
      moved: (flags & abi.CHANGE_MOVED) !== 0,
    };
  }
}

/** Everything below a directory on its own file system: path and mode. */
function* walk(link: UpperLink, t: number, path: string): Generator<[string, number]> {
  const mount = statOf(link, t, path)?.mount;
  const waiting = [path];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const name of namesOf(link, t, directory)) {
      const below = `${directory}/${name}`;
      const stat = statOf(link, t, below);
      if (stat === undefined || stat.mount !== mount) continue;
      yield [below, stat.mode];
      if ((stat.mode & abi.S_IFMT) === abi.S_IFDIR) waiting.push(below);
    }
  }
}

function namesOf({ calls, memory }: UpperLink, t: number, directory: string): string[] {
  const names: string[] = [];
  const flags = abi.O_RDONLY | abi.O_DIRECTORY;
  const fd = calls.openat!(t, abi.AT_FDCWD, pathInto(memory, t, directory), flags, 0, 0);
  if (fd < 0) return names;
  let low = 0;
  let high = 0;
  for (;;) {
    const bytes = calls.readdir!(t, fd, low, high, abi.TASK_IO_BYTES);
    if (bytes <= 0) break;
    const view = new DataView(memory.buffer);
    for (let at = 0; at < bytes; ) {
      const entry = t + abi.TASK_IO + at;
      const length = view.getUint32(entry + abi.DIRENT_NAME_LENGTH, true);
      const name = textAt(memory, entry + abi.DIRENT_NAME, length);
      if (name !== '.' && name !== '..') names.push(name);
      low = view.getUint32(entry + abi.DIRENT_NEXT, true);
      high = view.getUint32(entry + abi.DIRENT_NEXT + 4, true);
      at += (abi.DIRENT_NAME + length + 7) & ~7;
    }
  }
  calls.close!(t, fd);
  return names;
}

function statOf(link: UpperLink, t: number, path: string): { mode: number; mount: number } | undefined {
  const { calls, memory } = link;
  const failed = calls.fstatat!(t, abi.AT_FDCWD, pathInto(memory, t, path), abi.WALK_NOFOLLOW) < 0;
  if (failed) return undefined;
  const view = new DataView(memory.buffer);
  return {
    mode: view.getUint32(t + abi.TASK_STAT + abi.STAT_MODE, true),
    mount: view.getUint32(t + abi.TASK_STAT + abi.STAT_MOUNT, true),
  };
}

/** Longer paths than the kernel takes end in its -ENAMETOOLONG. */
function pathInto(memory: WebAssembly.Memory, t: number, path: string): number {
  const bytes = encoder.encode(path);
  new Uint8Array(memory.buffer).set(bytes.subarray(0, abi.PATH_CAPACITY), t + abi.TASK_PATH_A);
  return bytes.length;
}

/** Decoders do not take shared memory. */
function textAt(memory: WebAssembly.Memory, pointer: number, length: number): string {
  return decoder.decode(new Uint8Array(memory.buffer).slice(pointer, pointer + length));
}

/**
 * The mounts of a RUN in the sandbox's terms. What comes from a tree, and every secret, lives in the memory of the
 * sandbox's own kernel: it is never on a disk, what the program writes there goes with it, and a killed build leaves
 * nothing of it.
 */
import { WctrError } from '../../errors.ts';
import type { SandboxMount } from '../../host/sandbox.ts';
import { type FileTree, join, type TreeEntry } from '../tree/file-tree.ts';
import type { CacheMounts, TakenCache } from './cache-mounts.ts';
import type { RunMount, RunStep } from './executor.ts';
import type { RunSpace } from './space.ts';
import { contentOf, treeTar } from './tree-tar.ts';

export interface RunMounts {
  /** Outer ones first. */
  readonly sandboxMounts: readonly SandboxMount[];
  /** Before the program runs. */
  fill(files: RunSpace['files']): Promise<void>;
  /** After it: what outlives it and was not written where it belongs. */
  keep(files: RunSpace['files']): Promise<void>;
  release(): Promise<void>;
}

type Files = RunSpace['files'];

interface Mounted {
  readonly mount: SandboxMount;
  readonly fill?: (files: Files) => Promise<void>;
  readonly cache?: TakenCache;
}

type CacheMount = Extract<RunMount, { type: 'cache' }>;
type TakenCaches = ReadonlyMap<string, TakenCache>;

/** Throws 'invalid-argument' for a target that cannot be mounted on, 'not-found' for a source that is not there. */
export async function openMounts(step: RunStep, caches: CacheMounts): Promise<RunMounts> {
  for (const mount of step.mounts) checkTarget(mount);
  const taken = new Map<string, TakenCache>();
  const release = async () => {
    for (const cache of taken.values()) await cache.release();
  };
  const opened: Mounted[] = [];
  try {
    await takeCaches(step, caches, taken);
    for (const mount of [...step.mounts].sort((a, b) => depth(a.target) - depth(b.target))) {
      opened.push(await open(mount, step, taken));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return {
    sandboxMounts: opened.map(({ mount }) => mount),
    async fill(files) {
      for (const { fill } of opened) await fill?.(files);
    },
    async keep(files) {
      for (const { cache, mount } of opened) await cache?.keep?.(() => files.archive(`${mount.destination}/.`));
    },
    release,
  };
}

const STRICTNESS = ['shared', 'private', 'locked'] as const;

/** Each once, and in one order for all builds: none waits for one that another has while that one waits for its own. */
async function takeCaches(step: RunStep, caches: CacheMounts, taken: Map<string, TakenCache>): Promise<void> {
  const byId = new Map<string, CacheMount>();
  for (const mount of step.mounts) {
    if (mount.type !== 'cache') continue;
    const other = byId.get(mount.id);
    const isStricter = STRICTNESS.indexOf(mount.sharing) > STRICTNESS.indexOf(other?.sharing ?? 'shared');
    if (other === undefined || isStricter) byId.set(mount.id, mount);
  }
  for (const id of [...byId.keys()].sort()) taken.set(id, await caches.take(byId.get(id)!, step.signal));
}

function open(mount: RunMount, step: RunStep, caches: TakenCaches): Promise<Mounted> | Mounted {
  if (mount.type === 'bind') return bind(mount, step);
  if (mount.type === 'cache') return cache(mount, step, caches.get(mount.id)!);
  const { target: destination } = mount;
  if (mount.type === 'tmpfs') {
    const { sizeBytes } = mount;
    return { mount: { type: 'tmpfs', destination, mode: 0o1777, ...(sizeBytes === undefined ? {} : { sizeBytes }) } };
  }
  const { data, mode, uid, gid } = mount;
  return file(destination, { mode, uid, gid }, () => once(data), true);
}

async function bind(mount: Extract<RunMount, { type: 'bind' }>, step: RunStep): Promise<Mounted> {
  const { target: destination, tree, source, readonly } = mount;
  const entry = await entryAt(tree, source);
  if (entry.kind === 'file') return file(destination, entry, () => contentOf(entry), readonly);
  // What is limited counts the program's own files; a tree that is given to it comes on top.
  const room = step.memoryBytes === undefined ? {} : { sizeBytes: step.memoryBytes + (await sizeOf(tree, source)) };
  return directory(
    destination,
    entry,
    async (files) => {
      await fillFrom(files, destination, tree, source, step);
      if (readonly) await files.seal(destination);
    },
    room,
  );
}

async function sizeOf(tree: FileTree, path: string): Promise<number> {
  let bytes = 0;
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entry = await tree.lstat(next);
    bytes += entry?.size ?? 0;
    if (entry?.kind !== 'directory') continue;
    for (const name of await tree.list(next)) waiting.push(join(next, name));
  }
  return bytes;
}

function cache(mount: CacheMount, step: RunStep, taken: TakenCache): Mounted {
  const { target: destination, readonly, initial, mode, uid, gid } = mount;
  const fill = async (files: Files) => {
    if (taken.isNew && initial !== undefined) {
      await fillFrom(files, destination, initial.tree, initial.source, step);
    } else if (taken.content !== undefined) {
      await files.extract(destination, taken.content(), { copyUidGid: true });
    }
    await taken.ready();
    if (readonly) await files.seal(destination);
  };
  const { source } = taken;
  if (source === undefined) return { ...directory(destination, { mode, uid, gid }, fill), cache: taken };
  return { mount: { type: 'bind', source, destination, owner: { uid, gid } }, fill, cache: taken };
}

function directory(
  destination: string,
  { mode, uid, gid }: Pick<TreeEntry, 'mode' | 'uid' | 'gid'>,
  fill: (files: Files) => Promise<void>,
  room: { readonly sizeBytes?: number } = {},
): Mounted {
  return { mount: { type: 'tmpfs', destination, mode, owner: { uid, gid }, ...room }, fill };
}

function file(
  destination: string,
  { mode, uid, gid }: Pick<TreeEntry, 'mode' | 'uid' | 'gid'>,
  data: () => AsyncIterable<Uint8Array>,
  readonly: boolean,
): Mounted {
  return {
    // Nobody reads it before it is filled; then it has its own mode.
    mount: { type: 'tmpfs', destination, mode: 0o600, isFile: true },
    async fill(files) {
      await files.write(destination, data(), { mode, uid, gid });
      if (readonly) await files.seal(destination);
    },
  };
}

async function fillFrom(files: Files, target: string, tree: FileTree, source: string, step: RunStep): Promise<void> {
  await files.extract(target, treeTar(tree, source, step.fixedTime ?? 0), { copyUidGid: true });
}

async function entryAt(tree: FileTree, source: string): Promise<TreeEntry> {
  const entry = await tree.lstat(source);
  if (entry !== undefined && entry.kind !== 'symlink') return entry;
  throw new WctrError('not-found', `"/${source}" is not in ${tree.what}`, { hint: 'see the source of RUN --mount' });
}

function checkTarget({ type, target }: RunMount): void {
  if (!target.startsWith('/') || target.includes('\0')) {
    throw new WctrError(
      'invalid-argument',
      `RUN --mount=type=${type}: the target ${JSON.stringify(target)} is no path`,
    );
  }
  if (depth(target) === 0) {
    throw new WctrError('invalid-argument', `RUN --mount=type=${type}: nothing can be mounted on /`, {
      hint: 'give it a target=',
    });
  }
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '' && part !== '.').length;
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}

/** Node's synchronous file system as a mount's source (also Deno's and Bun's, through their node: modules). */
import * as abi from '../../core/abi/kernel.ts';
import { type Anchors, PathAnchors, PinnedAnchors } from '../mounts/anchors.ts';
import { type HandleTable, SharedHandles, ThreadHandles } from '../mounts/handles.ts';
import type { NodeTable } from '../mounts/nodes.ts';
import type { SyncFileSystem } from '../ports.ts';
import { nodeFs as fs } from './builtin.ts';

/** Mounts speak Linux' open flags; other systems number theirs differently. */
const FLAGS: readonly (readonly [number, number | undefined])[] = [
  [abi.O_WRONLY, fs.constants.O_WRONLY],
  [abi.O_RDWR, fs.constants.O_RDWR],
  [abi.O_CREAT, fs.constants.O_CREAT],
  [abi.O_EXCL, fs.constants.O_EXCL],
  [abi.O_TRUNC, fs.constants.O_TRUNC],
  [abi.O_APPEND, fs.constants.O_APPEND],
  [abi.O_DIRECTORY, fs.constants.O_DIRECTORY],
  [abi.O_NOFOLLOW, fs.constants.O_NOFOLLOW],
];

export const syncFileSystem: SyncFileSystem =
  process.platform === 'linux'
    ? (fs as unknown as SyncFileSystem)
    : {
        ...(fs as unknown as SyncFileSystem),
        openSync: (path, flags, mode) => fs.openSync(path, hostFlags(flags), mode),
      };

function hostFlags(linux: number): number {
  let flags = 0;
  for (const [ours, theirs] of FLAGS) if ((linux & ours) === ours) flags |= theirs ?? 0;
  return flags;
}

/** Deno's descriptors are closed to every thread but the one that opened them. */
const threadsOwn = 'Deno' in globalThis;

/** The strongest way to name files that this host has. */
export function hostAnchors(): Anchors {
  const pinned = process.platform === 'linux' && fs.existsSync('/proc/self/fd');
  return pinned ? new PinnedAnchors(syncFileSystem, { threadsOwn }) : new PathAnchors(syncFileSystem);
}

/** Open files where threads share the nodes of a mount. */
export function hostHandles({ handles }: NodeTable): HandleTable {
  return threadsOwn && handles !== undefined
    ? new ThreadHandles(syncFileSystem, handles)
    : new SharedHandles(syncFileSystem);
}

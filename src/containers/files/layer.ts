/**
 * The writable layer of a container: docker's A/C/D, and an OCI layer (image-spec layer.md#whiteouts). The same tree makes
 * the same bytes: members in order of path, no names of this machine, times in whole seconds.
 */
import * as abi from '../../core/abi/kernel.ts';
import type { UpperChange } from '../../core/upper-changes.ts';
import type { FilesystemChange } from '../../spec/engine-api.ts';
import { type ByteString, fromText } from './names.ts';
import { encodeHeader } from './tar-header.ts';
import { type FileTask, KernelErrno } from './task.ts';
import { member, type SeenLinks, tarEnd } from './walk.ts';

const KINDS = { C: 0, A: 1, D: 2 } as const;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

export function filesystemChanges(changes: readonly UpperChange[]): FilesystemChange[] {
  return changes.filter(({ path }) => path !== '/').map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] }));
}

/** `changes` in order of path, parents of changed paths among them. */
export function* layerTar(task: FileTask, changes: readonly UpperChange[]): Generator<Uint8Array> {
  const seen: SeenLinks = new Map();
  for (const change of changes) {
    const path = fromText(change.path.replace(/^\/+/, ''));
    if (path === '') continue;
    const slash = path.lastIndexOf('/') + 1;
    const base = path.slice(slash);
    // A file called so would take another one away from whoever unpacks the layer.
    if (path.split('/').some((part) => part.startsWith(WHITEOUT))) continue;
    if (change.kind === 'D') {
      yield marker(`${path.slice(0, slash)}${WHITEOUT}${base}`);
      continue;
    }
    const at = `/${path}`;
    const stat = task.find(abi.AT_FDCWD, at);
    // Gone since the changes were read: its parent has changed again, and so will the next layer.
    if (stat === undefined) continue;
    try {
      yield* member(task, abi.AT_FDCWD, at, path, stat, seen);
    } catch (error) {
      if (!(error instanceof KernelErrno) || error.errno !== abi.ENOENT) throw error;
    }
    if (change.opaque && (stat.mode & abi.S_IFMT) === abi.S_IFDIR) yield marker(`${path}/${OPAQUE}`);
  }
  yield tarEnd();
}

function marker(name: ByteString): Uint8Array {
  return encodeHeader({ name, type: '0', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 });
}

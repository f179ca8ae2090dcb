/**
 * The hostfs_* imports of the kernel (module "host", see assembly/kernel/index.ts) over a table of mounts. None of them
 * throws: what fails on the host is a negative errno in the kernel.
 */
import * as abi from '../../core/abi/kernel.ts';
import type { SyncStat } from '../ports.ts';
import { readChange, writeAttributes } from './attributes.ts';
import { errnoOf, HostErrno } from './errno.ts';
import type { HostDirectory } from './host-directory.ts';

const UNBOUNDED_BLOCKS = 1n << 32n;
const BLOCK_BYTES = 4096n;

/** Mounts by the number mount_hostfs was given (`hostMount`). */
export interface MountTable {
  get(mount: number): HostDirectory | undefined;
}

/** `memory` is read at each call: it may have grown. */
export function hostfsImports(mounts: MountTable, memory: WebAssembly.Memory) {
  const encoder = new TextEncoder();
  // Names are names, not text to repair: what is not UTF-8 is refused.
  const decoder = new TextDecoder('utf-8', { fatal: true });

  const view = () => new DataView(memory.buffer);
  const bytes = (pointer: number, length: number) => new Uint8Array(memory.buffer, pointer >>> 0, length >>> 0);

  const tell = ({ shownOwner }: HostDirectory, attr: number, stat: SyncStat) =>
    writeAttributes(view(), attr, stat, shownOwner);

  function name(pointer: number, length: number): string {
    try {
      // A decoder does not read shared memory.
      return decoder.decode(bytes(pointer, length).slice());
    } catch {
      throw new HostErrno(abi.EINVAL);
    }
  }

  function on(mount: number, call: (directory: HostDirectory) => number): number {
    try {
      const directory = mounts.get(mount);
      return directory === undefined ? -abi.ENODEV : call(directory);
    } catch (error) {
      return -errnoOf(error);
    }
  }

  return {
    hostfs_lookup: (mount: number, dir: number, at: number, length: number, attr: number) =>
      on(mount, (directory) => {
        const { node, stat } = directory.lookup(dir, name(at, length));
        tell(directory, attr, stat);
        return node;
      }),
    hostfs_forget: (mount: number, node: number, count: number) =>
      on(mount, (directory) => {
        directory.forget(node, count);
        return 0;
      }),
    hostfs_getattr: (mount: number, node: number, attr: number) =>
      on(mount, (directory) => {
        tell(directory, attr, directory.stat(node));
        return 0;
      }),
    hostfs_setattr: (mount: number, node: number, valid: number, attr: number) =>
      on(mount, (directory) => {
        const stat = directory.change(node, readChange(view(), attr, valid));
        tell(directory, attr, stat);
        return 0;
      }),
    hostfs_readlink: (mount: number, node: number, pointer: number, capacity: number) =>
      on(mount, (directory) => {
        const target = encoder.encode(directory.readlink(node));
        const length = Math.min(target.length, capacity);
        bytes(pointer, length).set(target.subarray(0, length));
        return length;
      }),
    hostfs_create: (mount: number, dir: number, at: number, length: number, mode: number, attr: number) =>
      on(mount, (directory) => {
        const { node, stat } = directory.create(dir, name(at, length), mode);
        tell(directory, attr, stat);
        return node;
      }),
    hostfs_mkdir: (mount: number, dir: number, at: number, length: number, mode: number, attr: number) =>
      on(mount, (directory) => {
        const { node, stat } = directory.mkdir(dir, name(at, length), mode);
        tell(directory, attr, stat);
        return node;
      }),
    hostfs_symlink: (
      mount: number,
      dir: number,
      at: number,
      length: number,
      target: number,
      targetLength: number,
      attr: number,
    ) =>
      on(mount, (directory) => {
        const { node, stat } = directory.symlink(dir, name(at, length), name(target, targetLength));
        tell(directory, attr, stat);
        return node;
      }),
    hostfs_link: (mount: number, node: number, dir: number, at: number, length: number, attr: number) =>
      on(mount, (directory) => {
        tell(directory, attr, directory.link(node, dir, name(at, length)));
        return 0;
      }),
    hostfs_unlink: (mount: number, dir: number, at: number, length: number) =>
      on(mount, (directory) => {
        directory.unlink(dir, name(at, length));
        return 0;
      }),
    hostfs_rmdir: (mount: number, dir: number, at: number, length: number) =>
      on(mount, (directory) => {
        directory.rmdir(dir, name(at, length));
        return 0;
      }),
    hostfs_rename: (
      mount: number,
      dirA: number,
      atA: number,
      lengthA: number,
      dirB: number,
      atB: number,
      lengthB: number,
    ) =>
      on(mount, (directory) => {
        directory.rename(dirA, name(atA, lengthA), dirB, name(atB, lengthB));
        return 0;
      }),
    hostfs_open: (mount: number, node: number, flags: number) => on(mount, (directory) => directory.open(node, flags)),
    hostfs_release: (mount: number, handle: number) =>
      on(mount, (directory) => {
        directory.release(handle);
        return 0;
      }),
    hostfs_fsync: (mount: number, handle: number, _dataOnly: number) =>
      on(mount, (directory) => {
        directory.sync(handle);
        return 0;
      }),
    hostfs_readdir: (
      mount: number,
      node: number,
      cookieLo: number,
      _cookieHi: number,
      pointer: number,
      capacity: number,
    ) => on(mount, (directory) => writeRecords(directory, node, cookieLo >>> 0, pointer >>> 0, capacity)),
    hostfs_statfs: (mount: number, pointer: number) =>
      on(mount, () => {
        const target = view();
        target.setBigUint64(pointer, BLOCK_BYTES, true);
        for (const field of [8, 16, 24, 32]) target.setBigUint64(pointer + field, UNBOUNDED_BLOCKS, true);
        target.setUint32(pointer + 40, abi.NAME_MAX, true);
        return 0;
      }),
  };

  function writeRecords(
    directory: HostDirectory,
    node: number,
    cookie: number,
    pointer: number,
    capacity: number,
  ): number {
    let used = 0;
    for (const entry of directory.entries(node, cookie)) {
      const encoded = encoder.encode(entry.name);
      const size = (abi.DIRENT_NAME + encoded.length + 7) & ~7;
      if (used + size > capacity) return used === 0 ? -abi.EINVAL : used;
      const at = pointer + used;
      const target = view();
      target.setBigUint64(at + abi.DIRENT_NEXT, BigInt(entry.cookie), true);
      target.setBigUint64(at + abi.DIRENT_INO, entry.stat.ino, true);
      target.setUint32(at + abi.DIRENT_NAME_LENGTH, encoded.length, true);
      target.setUint32(at + abi.DIRENT_TYPE, (Number(entry.stat.mode) & abi.S_IFMT) >> 12, true);
      bytes(at + abi.DIRENT_NAME, encoded.length).set(encoded);
      used += size;
    }
    return used;
  }
}

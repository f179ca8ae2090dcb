/**
 * Reads a rootfs index (abi/rootfs-index.ts) where it lies: lookups by path, listings, attributes. The kernel does the
 * same in Wasm; this is for images, `diff`, inspection and tests.
 */
import { WctrError } from '../errors.ts';
import {
  ROOTFS_DIRENT_BYTES,
  ROOTFS_EXTENT_BYTES,
  ROOTFS_HEADER_BYTES,
  ROOTFS_MAGIC,
  ROOTFS_NODE_BYTES,
  ROOTFS_VERSION,
} from './abi/rootfs-index.ts';
import { type Extent, readExtents, readXattrs, text, u64, viewOf } from './layer-index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const MAX_HOPS = 40;

export interface RootfsNode {
  readonly number: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtimeNs: bigint;
  /** File: bytes; symlink: length of its target; else 0. */
  readonly size: number;
  readonly layer: number;
  /** File: where its data starts in the layer's plain tar. */
  readonly dataOffset: number;
  readonly device: number;
  /** Data runs of a sparse file; empty: contiguous. */
  readonly extents: readonly Extent[];
  /** Of a symlink. */
  readonly target: string | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

export interface RootfsDirent {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly node: number;
}

export class RootfsIndex {
  readonly nodeCount: number;
  readonly direntCount: number;
  readonly layerCount: number;
  readonly totalFileBytes: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** Throws `store-corrupt` when the header is not of this version or names other lengths than there are. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    if (!isRootfsIndex(bytes)) throw new WctrError('store-corrupt', 'these bytes are no rootfs index');
    this.nodeCount = this.#view.getUint32(16, true);
    this.direntCount = this.#view.getUint32(24, true);
    this.layerCount = this.#view.getUint32(64, true);
    this.totalFileBytes = u64(this.#view, 72);
  }

  node(number: number): RootfsNode {
    const view = this.#view;
    const at = this.#nodeAt(number);
    const mode = view.getUint32(at + 24, true);
    const size = u64(view, at);
    const dataOffset = u64(view, at + 8);
    const xattrs = view.getUint32(at + 60, true);
    const extents = (mode & S_IFMT) === S_IFREG ? view.getUint32(at + 48, true) : 0;
    const extentsAt = view.getUint32(48, true) + view.getUint32(at + 44, true) * ROOTFS_EXTENT_BYTES;
    return {
      number,
      mode,
      uid: view.getUint32(at + 28, true),
      gid: view.getUint32(at + 32, true),
      nlink: view.getUint32(at + 36, true),
      mtimeNs: view.getBigInt64(at + 16, true),
      size,
      layer: view.getUint32(at + 40, true),
      dataOffset,
      device: view.getUint32(at + 56, true),
      extents: extents === 0 ? [] : readExtents(view, extentsAt, extents),
      target: (mode & S_IFMT) === S_IFLNK ? text(this.#string(dataOffset, size)) : undefined,
      xattrs: xattrs === 0 ? new Map() : readXattrs(this.#bytes, view.getUint32(56, true) + xattrs - 1),
    };
  }

  /** A directory's entries, in byte order of name; nothing for other nodes. */
  *list(directory: number): Generator<RootfsDirent> {
    const at = this.#nodeAt(directory);
    if ((this.#view.getUint32(at + 24, true) & S_IFMT) !== S_IFDIR) return;
    const first = this.#view.getUint32(at + 44, true);
    const count = this.#view.getUint32(at + 48, true);
    for (let i = first; i < first + count; i++) yield this.#dirent(i);
  }

  /** The node of that name in a directory, by the hash table. */
  child(directory: number, name: Uint8Array): number | undefined {
    const view = this.#view;
    const hash = rootfsHash(directory, name);
    const mask = view.getUint32(32, true) - 1;
    const buckets = view.getUint32(36, true);
    for (let bucket = hash & mask; ; bucket = (bucket + 1) & mask) {
      const slot = view.getUint32(buckets + bucket * 4, true);
      if (slot === 0) return undefined;
      const dirent = this.#dirent(slot - 1);
      if (this.#hashOf(slot - 1) === hash && sameBytes(dirent.nameBytes, name) && this.#isIn(slot - 1, directory)) {
        return dirent.node;
      }
    }
  }

  /**
   * The node a path leads to, symlinks followed inside the root; undefined when it is not there, a component is no
   * directory, or there are more than 40 symlinks. `followLast: false` stops at a symlink in the last component.
   */
  lookup(path: string, options: { followLast?: boolean } = {}): number | undefined {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    const above: number[] = [];
    let here = 0;
    let hops = 0;
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === '..') {
        here = above.pop() ?? 0;
        continue;
      }
      const next = this.child(here, new TextEncoder().encode(part));
      if (next === undefined) return undefined;
      const { target } = this.node(next);
      if (target === undefined || (rest.length === 0 && options.followLast === false)) {
        above.push(here);
        here = next;
        continue;
      }
      if (++hops > MAX_HOPS) return undefined;
      rest = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...rest];
      if (target.startsWith('/')) {
        above.length = 0;
        here = 0;
      }
    }
    return here;
  }

  /** Every path but the root's with its node, directories before what is in them. */
  *walk(directory = 0, prefix = ''): Generator<{ path: string; node: RootfsNode }> {
    for (const { name, node } of this.list(directory)) {
      const path = prefix === '' ? name : `${prefix}/${name}`;
      yield { path, node: this.node(node) };
      yield* this.walk(node, path);
    }
  }

  #nodeAt(number: number): number {
    return this.#view.getUint32(20, true) + number * ROOTFS_NODE_BYTES;
  }

  #dirent(index: number): RootfsDirent {
    const at = this.#view.getUint32(28, true) + index * ROOTFS_DIRENT_BYTES;
    const nameBytes = this.#string(this.#view.getUint32(at, true), this.#view.getUint16(at + 4, true));
    return { name: text(nameBytes), nameBytes, node: this.#view.getUint32(at + 8, true) };
  }

  #hashOf(index: number): number {
    return this.#view.getUint32(this.#view.getUint32(28, true) + index * ROOTFS_DIRENT_BYTES + 12, true);
  }

  #isIn(index: number, directory: number): boolean {
    const at = this.#nodeAt(directory);
    const first = this.#view.getUint32(at + 44, true);
    return index >= first && index < first + this.#view.getUint32(at + 48, true);
  }

  #string(offset: number, length: number): Uint8Array {
    const at = this.#view.getUint32(40, true) + offset;
    return this.#bytes.subarray(at, at + length);
  }
}

/** Magic, version and length; not the checksum. */
export function isRootfsIndex(bytes: Uint8Array): boolean {
  if (bytes.length < ROOTFS_HEADER_BYTES) return false;
  const view = viewOf(bytes);
  return (
    view.getUint32(0, true) === ROOTFS_MAGIC &&
    view.getUint32(4, true) === ROOTFS_VERSION &&
    view.getUint32(8, true) === bytes.length
  );
}

/** As abi/rootfs-index.ts defines it. */
export function rootfsHash(parent: number, name: Uint8Array): number {
  let h = (0x811c9dc5 ^ Math.imul(parent, 0x9e3779b1)) >>> 0;
  for (const byte of name) h = Math.imul(h ^ byte, 0x01000193) >>> 0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b) >>> 0;
  return (h ^ (h >>> 13)) >>> 0;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Writes rootfs indexes (src/core/abi/rootfs-index.ts) from a plain description, for tests of the kernel: small, without
 * tars or layers being read. All file data goes to one layer, returned next to the index.
 */
import {
  ROOTFS_DIRENT_BYTES,
  ROOTFS_EXTENT_BYTES,
  ROOTFS_HEADER_BYTES,
  ROOTFS_MAGIC,
  ROOTFS_NODE_BYTES,
  ROOTFS_VERSION,
} from '../../src/core/abi/rootfs-index.ts';

export type Tree = { readonly [name: string]: Node };

export type Node =
  | { readonly dir: Tree; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | {
      readonly file: string | Uint8Array;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
      readonly xattrs?: Readonly<Record<string, string>>;
    }
  /** Runs of bytes by offset; zeros between them, up to `size`. */
  | { readonly sparse: readonly (readonly [number, string])[]; readonly size: number }
  | { readonly symlink: string }
  /** Another name of a file that comes before it, by absolute path. */
  | { readonly hardlink: string }
  | { readonly device: number };

export interface BuiltRootfs {
  readonly index: Uint8Array;
  readonly layer: Uint8Array;
}

interface BuiltNode {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  size: number;
  data: number;
  first: number;
  count: number;
  parent: number;
  rdev: number;
  xattrs: number;
}

interface Directory {
  readonly number: number;
  readonly tree: Tree;
  readonly path: string;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;
const encoder = new TextEncoder();

/** `mtime` of every node, seconds. */
export const BUILT_MTIME = 1_600_000_000;

export function buildRootfs(tree: Tree): BuiltRootfs {
  const nodes: BuiltNode[] = [];
  const dirents: { name: Uint8Array; type: number; node: number; parent: number }[] = [];
  const extents: [number, number, number][] = [];
  const strings = new Bytes();
  const layer = new Bytes();
  const xattrs = new Bytes();
  const byPath = new Map<string, number>();

  const add = (node: Partial<BuiltNode> & { mode: number }): number => {
    const plain = { uid: 0, gid: 0, nlink: 1, size: 0, data: 0, first: 0, count: 0, parent: 0, rdev: 0, xattrs: 0 };
    return nodes.push({ ...plain, ...node }) - 1;
  };
  const addFile = (node: Extract<Node, { file: unknown }>): number => {
    const bytes = typeof node.file === 'string' ? encoder.encode(node.file) : node.file;
    return add({
      mode: S_IFREG | (node.mode ?? 0o644),
      uid: node.uid ?? 0,
      gid: node.gid ?? 0,
      size: bytes.length,
      data: layer.add(bytes),
      xattrs: node.xattrs === undefined ? 0 : addXattrs(node.xattrs) + 1,
    });
  };
  const addXattrs = (all: Readonly<Record<string, string>>): number => {
    const start = xattrs.length;
    xattrs.u16(Object.keys(all).length);
    for (const [name, value] of Object.entries(all)) {
      xattrs.u16(encoder.encode(name).length);
      xattrs.u32(encoder.encode(value).length);
      xattrs.add(encoder.encode(name));
      xattrs.add(encoder.encode(value));
    }
    return start;
  };

  const queue: Directory[] = [{ number: add({ mode: S_IFDIR | 0o755, nlink: 2 }), tree, path: '' }];
  for (const directory of queue) {
    const names = Object.keys(directory.tree)
      .map((name) => ({ name, bytes: encoder.encode(name) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    nodes[directory.number]!.first = dirents.length;
    nodes[directory.number]!.count = names.length;
    for (const { name, bytes } of names) {
      const node = directory.tree[name]!;
      const path = `${directory.path}/${name}`;
      let number: number;
      if ('dir' in node) {
        number = add({
          mode: S_IFDIR | (node.mode ?? 0o755),
          uid: node.uid ?? 0,
          gid: node.gid ?? 0,
          nlink: 2,
          parent: directory.number,
        });
        nodes[directory.number]!.nlink++;
        queue.push({ number, tree: node.dir, path });
      } else if ('file' in node) {
        number = addFile(node);
      } else if ('sparse' in node) {
        const first = extents.length;
        for (const [offset, text] of node.sparse) {
          const run = encoder.encode(text);
          extents.push([offset, run.length, layer.add(run)]);
        }
        number = add({ mode: S_IFREG | 0o644, size: node.size, first, count: node.sparse.length });
      } else if ('symlink' in node) {
        const target = encoder.encode(node.symlink);
        number = add({ mode: S_IFLNK | 0o777, size: target.length, data: strings.add(target) });
      } else if ('device' in node) {
        number = add({ mode: S_IFCHR | 0o666, rdev: node.device });
      } else {
        number = byPath.get(node.hardlink)!;
        nodes[number]!.nlink++;
      }
      byPath.set(path, number);
      dirents.push({ name: bytes, type: nodes[number]!.mode >> 12, node: number, parent: directory.number });
    }
  }
  return { index: assemble(nodes, dirents, extents, strings, xattrs), layer: layer.take() };
}

function assemble(
  nodes: readonly BuiltNode[],
  dirents: readonly { name: Uint8Array; type: number; node: number; parent: number }[],
  extents: readonly (readonly [number, number, number])[],
  strings: Bytes,
  xattrs: Bytes,
): Uint8Array {
  const bucketCount = Math.max(8, 2 ** Math.ceil(Math.log2(Math.max(1, 2 * dirents.length))));
  const names = dirents.map(({ name }) => strings.add(name));
  const align = (n: number) => (n + 7) & ~7;
  const nodesAt = ROOTFS_HEADER_BYTES;
  const direntsAt = align(nodesAt + nodes.length * ROOTFS_NODE_BYTES);
  const bucketsAt = align(direntsAt + dirents.length * ROOTFS_DIRENT_BYTES);
  const stringsAt = align(bucketsAt + bucketCount * 4);
  const extentsAt = align(stringsAt + strings.length);
  const xattrsAt = align(extentsAt + extents.length * ROOTFS_EXTENT_BYTES);
  const out = new Uint8Array(align(xattrsAt + xattrs.length));
  const view = new DataView(out.buffer);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  const header = [
    [0, ROOTFS_MAGIC],
    [4, ROOTFS_VERSION],
    [8, out.length],
    [16, nodes.length],
    [20, nodesAt],
    [24, dirents.length],
    [28, direntsAt],
    [32, bucketCount],
    [36, bucketsAt],
    [40, stringsAt],
    [44, strings.length],
    [48, extentsAt],
    [52, extents.length],
    [56, xattrsAt],
    [60, xattrs.length],
    [64, 1],
  ] as const;
  for (const [at, value] of header) u32(at, value);
  nodes.forEach((node, i) => {
    const at = nodesAt + i * ROOTFS_NODE_BYTES;
    u64(at, node.size);
    u64(at + 8, node.data);
    view.setBigInt64(at + 16, BigInt(BUILT_MTIME) * 1_000_000_000n, true);
    const rest = [
      node.mode,
      node.uid,
      node.gid,
      node.nlink,
      0,
      node.first,
      node.count,
      node.parent,
      node.rdev,
      node.xattrs,
    ];
    for (const [k, value] of rest.entries()) u32(at + 24 + 4 * k, value);
  });
  dirents.forEach((dirent, i) => {
    const at = direntsAt + i * ROOTFS_DIRENT_BYTES;
    const hash = rootfsHash(dirent.parent, dirent.name);
    u32(at, names[i]!);
    view.setUint16(at + 4, dirent.name.length, true);
    view.setUint16(at + 6, dirent.type, true);
    u32(at + 8, dirent.node);
    u32(at + 12, hash);
    let bucket = hash & (bucketCount - 1);
    while (view.getUint32(bucketsAt + bucket * 4, true) !== 0) bucket = (bucket + 1) & (bucketCount - 1);
    u32(bucketsAt + bucket * 4, i + 1);
  });
  out.set(strings.take(), stringsAt);
  extents.forEach(([offset, length, data], i) => {
    const at = extentsAt + i * ROOTFS_EXTENT_BYTES;
    u64(at, offset);
    u64(at + 8, length);
    u64(at + 16, data);
  });
  out.set(xattrs.take(), xattrsAt);
  return out;
}

/** The index's name hash, written from its description. */
export function rootfsHash(parent: number, name: Uint8Array): number {
  let h = 0x811c9dc5 ^ Math.imul(parent, 0x9e3779b1);
  for (const byte of name) h = Math.imul(h ^ byte, 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return h >>> 0;
}

class Bytes {
  #parts: Uint8Array[] = [];
  length = 0;

  add(part: Uint8Array): number {
    const at = this.length;
    this.#parts.push(part);
    this.length += part.length;
    return at;
  }

  u16(value: number): void {
    this.add(new Uint8Array([value & 255, value >> 8]));
  }

  u32(value: number): void {
    this.add(new Uint8Array(new Uint32Array([value]).buffer));
  }

  take(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

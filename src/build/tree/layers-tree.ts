/**
 * The files of a stack of layers, as an image or a stage has them. Nothing is read before the first question; then it is
 * the merged index, and of the layers' tars only the files somebody asks for. Devices, fifos and sockets are left out.
 */
import { RootfsIndex, type RootfsNode } from '../../core/rootfs-index.ts';
import { WctrError } from '../../errors.ts';
import type { ByteLocation, FileSystem } from '../../host/ports.ts';
import { type ByteReader, bytesReader, fileReader, streamRange } from '../../images/archive/files.ts';
import type { LayerStore } from '../../images/contracts.ts';
import { quote } from '../../images/quote.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { type FileTree, ROOT, type TreeEntry } from './file-tree.ts';

export interface LayersTreeParts {
  readonly fs: FileSystem;
  readonly layers: Pick<LayerStore, 'rootfs'>;
}

interface Opened {
  readonly index: RootfsIndex;
  /** Plain tars, lowest first. */
  readonly tars: readonly ByteLocation[];
}

const S_IFMT = 0o170000;
const KINDS: Readonly<Record<number, TreeEntry['kind']>> = { 32768: 'file', 16384: 'directory', 40960: 'symlink' };
const ZEROS_BYTES = 64 * 1024;

export class LayersTree implements FileTree {
  readonly what: string;
  readonly #parts: LayersTreeParts;
  readonly #diffIds: readonly Digest[];
  #opened: Promise<Opened> | undefined;

  /** `diffIds`, lowest first, are in the layer store, and pinned. */
  constructor(what: string, parts: LayersTreeParts, diffIds: readonly Digest[]) {
    this.what = what;
    this.#parts = parts;
    this.#diffIds = diffIds;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    const opened = await this.#open();
    if (opened === undefined) return path === '' ? ROOT : undefined;
    const number = nodeAt(opened.index, path);
    return number === undefined ? undefined : this.#entry(opened, number);
  }

  async list(path: string): Promise<readonly string[]> {
    const opened = await this.#open();
    const number = opened && nodeAt(opened.index, path);
    if (opened === undefined || number === undefined) return [];
    const names: string[] = [];
    for (const { name, nameBytes, node } of opened.index.list(number)) {
      if (!isText(name, nameBytes)) {
        throw new WctrError(
          'unsupported',
          `${this.what} has a file whose name is not UTF-8: ${quote(`/${path}/${name}`)}`,
          {
            hint: 'copy what is beside it by name, or give it another name first',
          },
        );
      }
      if (this.#entry(opened, node) !== undefined) names.push(name);
    }
    return names;
  }

  #open(): Promise<Opened> | undefined {
    if (this.#diffIds.length === 0) return undefined;
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load(): Promise<Opened> {
    const { fs, layers } = this.#parts;
    const { index, layers: tars } = await layers.rootfs(this.#diffIds);
    return { index: new RootfsIndex('bytes' in index ? index.bytes : await fs.readFile(index.path)), tars };
  }

  #entry({ index, tars }: Opened, number: number): TreeEntry | undefined {
    const node = index.node(number);
    const kind = KINDS[node.mode & S_IFMT];
    if (kind === undefined) return undefined;
    const owned = { mode: node.mode & 0o7777, uid: node.uid, gid: node.gid };
    // A link's own mode means nothing, and tars of different hosts disagree about it
    if (kind === 'symlink') return { kind, size: 0, ...owned, mode: 0o777, target: node.target ?? '' };
    if (kind === 'directory') return { kind, size: 0, ...owned };
    return { kind, size: node.size, ...owned, read: () => this.#bytes(tars[node.layer] as ByteLocation, node) };
  }

  async *#bytes(tar: ByteLocation, { size, dataOffset, extents }: RootfsNode): AsyncGenerator<Uint8Array> {
    const reader: ByteReader = 'bytes' in tar ? bytesReader(tar.bytes) : await fileReader(this.#parts.fs, tar.path);
    try {
      if (extents.length === 0) {
        yield* streamRange(reader, dataOffset, dataOffset + size);
        return;
      }
      let at = 0;
      for (const { offset, length, dataOffset: from } of extents) {
        yield* zeros(offset - at);
        yield* streamRange(reader, from, from + length);
        at = offset + length;
      }
      yield* zeros(size - at);
    } finally {
      await reader.close();
    }
  }
}

function nodeAt(index: RootfsIndex, path: string): number | undefined {
  let node: number | undefined = 0;
  if (path === '') return node;
  for (const part of path.split('/')) {
    node = index.child(node, new TextEncoder().encode(part));
    if (node === undefined) return undefined;
  }
  return node;
}

/** A name with a replacement character in it may have become so by being read. */
function isText(name: string, bytes: Uint8Array): boolean {
  return !name.includes('\uFFFD') || new TextEncoder().encode(name).length === bytes.length;
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS_BYTES) yield new Uint8Array(Math.min(left, ZEROS_BYTES));
}

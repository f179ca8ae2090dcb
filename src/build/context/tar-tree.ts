/**
 * A tar as a build context, as clients of the Engine API send it: plain, gzip or zstd. It goes through the same pass as a
 * layer, so that its names cannot lead anywhere (core/abi/layer-index.ts) and its size has limits; the plain bytes lie in
 * a temp file while the build lasts. Owners are root, and times do not count, as in a directory.
 */
import {
  LAYER_DIRECTORY,
  LAYER_FILE,
  LAYER_HARDLINK,
  LAYER_OPAQUE,
  LAYER_SYMLINK,
  LAYER_WHITEOUT,
} from '../../core/abi/layer-index.ts';
import type { CoreModules } from '../../core/core-modules.ts';
import { type LayerEntry, layerEntries } from '../../core/layer-index.ts';
import { createLayerPass } from '../../core/layer-pass.ts';
import { WctrError } from '../../errors.ts';
import type { FileHandle, FileSystem } from '../../host/ports.ts';
import type { CreateHasher } from '../../images/digest.ts';
import { quote } from '../../images/quote.ts';
import { diskError } from '../../images/store/disk-error.ts';
import { openCreating, uniqueName, writeAll } from '../../images/store/durable.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import { baseOf, byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from '../tree/file-tree.ts';

export interface TarTreeOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly core: CoreModules;
  readonly createHasher: CreateHasher;
  readonly signal?: AbortSignal;
  /** How messages call it. Default: the build context. */
  readonly what?: string;
}

const MAX_ENTRIES = 1_000_000;
const CHUNK_BYTES = 1024 * 1024;
const UNREADABLE: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** The caller closes it. Throws `invalid-layer`, `limit-exceeded`, `unsupported`, `no-space`; nothing is left then. */
export async function openTarTree(tar: AsyncIterable<Uint8Array>, options: TarTreeOptions): Promise<TarTree> {
  const { fs, layout, core, createHasher, signal, what = 'the build context' } = options;
  const path = `${layout.tmp}/${uniqueName('spool')}`;
  let file: FileHandle | undefined;
  let sizeBytes = 0;
  try {
    const spooled = await openCreating(fs, path, 'wx+').catch((error: unknown) => {
      throw diskError(error, `keep ${what} while it is built`, layout.root);
    });
    file = spooled;
    const pass = await createLayerPass({
      core,
      what,
      createHasher: () => NO_HASHER,
      onTar: async (piece) => {
        await writeAll(spooled, piece, sizeBytes).catch((error: unknown) => {
          throw diskError(error, `keep ${what} while it is built`, layout.root);
        });
        sizeBytes += piece.length;
      },
      limits: { maxEntries: MAX_ENTRIES },
    });
    let isFirst = true;
    for await (const chunk of tar) {
      signal?.throwIfAborted();
      if (isFirst && chunk.length > 0) {
        refuseUnreadable(chunk, what);
        isFirst = false;
      }
      await pass.push(chunk);
    }
    const { index } = await pass.finish();
    return new TarTree(what, spooled, index as Uint8Array, createHasher, () => fs.rm(path, { force: true }));
  } catch (error) {
    await file?.close();
    await fs.rm(path, { force: true }).catch(() => {});
    if (signal?.aborted) throw new WctrError('cancelled', `${what} was not read: cancelled`, { cause: error });
    throw error;
  }
}

const NO_HASHER = { update: () => {}, digestHex: () => '' };

function refuseUnreadable(head: Uint8Array, what: string): void {
  const found = UNREADABLE.find(([, magic]) => magic.every((byte, i) => head[i] === byte));
  if (found === undefined) return;
  throw new WctrError('unsupported', `${what} is compressed by ${found[0]}, which cannot be read`, {
    hint: 'send it plain, or compressed by gzip or zstd',
  });
}

interface Node {
  entry: TreeEntry;
  children: Map<string, Node> | undefined;
}

export class TarTree implements FileTree {
  readonly what: string;
  readonly #file: FileHandle;
  readonly #createHasher: CreateHasher;
  readonly #remove: () => Promise<void>;
  readonly #root: Node = { entry: ROOT, children: new Map() };

  constructor(
    what: string,
    file: FileHandle,
    index: Uint8Array,
    createHasher: CreateHasher,
    remove: () => Promise<void>,
  ) {
    this.what = what;
    this.#file = file;
    this.#createHasher = createHasher;
    this.#remove = remove;
    for (const entry of layerEntries(index)) this.#add(entry);
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    const entry = this.#find(path)?.entry;
    if (entry !== undefined && path.includes('\ufffd')) {
      throw new WctrError('invalid-argument', `the name ${quote(path)} in ${this.what} is no UTF-8`, {
        hint: 'rename it, or leave it out by .dockerignore',
      });
    }
    return entry;
  }

  async list(path: string): Promise<readonly string[]> {
    return [...(this.#find(path)?.children?.keys() ?? [])].sort(byBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#remove();
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    if (path === '') return node;
    for (const part of path.split('/')) node = node?.children?.get(part);
    return node;
  }

  /** What is said of a path later counts. */
  #add(found: LayerEntry): void {
    const { kind, path } = found;
    const attributes = { mode: found.mode & 0o7777, uid: 0, gid: 0, size: 0 };
    if (kind === LAYER_DIRECTORY) {
      if (path !== '') this.#put(path, { kind: 'directory', ...attributes });
    } else if (kind === LAYER_SYMLINK) {
      this.#put(path, { kind: 'symlink', ...attributes, mode: 0o777, target: found.link });
    } else if (kind === LAYER_HARDLINK) {
      const target = this.#find(found.link);
      if (target?.entry.kind === 'file' || target?.entry.kind === 'symlink') this.#put(path, target.entry);
    } else if (kind === LAYER_WHITEOUT || kind === LAYER_OPAQUE) {
      // Only a name here: whoever puts it into a layer is told that it has a meaning there
      const hides = kind === LAYER_OPAQUE ? '.wh..wh..opq' : `.wh.${baseOf(path)}`;
      const parent = kind === LAYER_OPAQUE ? path : parentOf(path);
      this.#put(join(parent, hides), { kind: 'file', ...attributes, read: () => noBytes() });
    } else if (kind === LAYER_FILE) {
      const file = {
        size: found.size,
        runs: found.sparse ? found.extents : [{ offset: 0, length: found.size, dataOffset: found.dataOffset }],
      };
      const read = () => this.#bytes(file);
      let digest: Promise<string> | undefined;
      this.#put(path, {
        kind: 'file',
        ...attributes,
        size: found.size,
        read,
        digest: () => {
          digest ??= this.#digest(read());
          return digest;
        },
      });
    }
  }

  #put(path: string, entry: TreeEntry): void {
    const children = this.#directory(parentOf(path));
    const old = children.get(baseOf(path));
    children.set(baseOf(path), {
      entry,
      children: entry.kind === 'directory' ? (old?.children ?? new Map()) : undefined,
    });
  }

  /** Made where the tar has none; what is no directory gives way, a link too: nothing is put where one leads. */
  #directory(path: string): Map<string, Node> {
    if (path === '') return this.#root.children as Map<string, Node>;
    const siblings = this.#directory(parentOf(path));
    const found = siblings.get(baseOf(path));
    if (found?.children !== undefined) return found.children;
    const children = new Map<string, Node>();
    siblings.set(baseOf(path), { entry: { ...ROOT, mode: 0o755 }, children });
    return children;
  }

  async #digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
    const hasher = this.#createHasher('sha256');
    for await (const chunk of chunks) hasher.update(chunk);
    return hasher.digestHex();
  }

  async *#bytes({ size, runs }: FileBytes): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const { offset, length, dataOffset } of runs) {
      yield* zeros(offset - at);
      yield* this.#range(dataOffset, length);
      at = offset + length;
    }
    yield* zeros(size - at);
  }

  async *#range(from: number, length: number): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < length; ) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, length - done));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, from + done);
      if (bytesRead === 0) throw new WctrError('internal', `${this.what} was cut off while it was built`);
      yield chunk.subarray(0, bytesRead);
      done += bytesRead;
    }
  }
}

interface FileBytes {
  readonly size: number;
  /** Bytes of the plain tar; between them are zeros. */
  readonly runs: readonly { readonly offset: number; readonly length: number; readonly dataOffset: number }[];
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

function* zeros(length: number): Generator<Uint8Array> {
  for (let rest = length; rest > 0; rest -= CHUNK_BYTES) yield new Uint8Array(Math.min(CHUNK_BYTES, rest));
}

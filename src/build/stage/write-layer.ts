/**
 * What a stage's instruction changed, as a layer: an uncompressed tar, its members in order of path, all with one time.
 * Uncompressed, since the bytes then are the same on every host: no two of them have the same compressor.
 */
import { fromText } from '../../containers/files/names.ts';
import { encodeHeader, roundUp, TAR_END } from '../../containers/files/tar-header.ts';
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import type { CreateHasher } from '../../images/digest.ts';
import type { ImageStore } from '../../images/image-store.ts';
import { quote } from '../../images/quote.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import { baseOf, type TreeEntry } from '../tree/file-tree.ts';
import type { ChangedEntry } from '../tree/stage-tree.ts';

export interface LayerParts {
  readonly images: ImageStore;
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly createHasher: CreateHasher;
}

/** Keeps what a build has made so far from the garbage collector. */
export interface Pins {
  pin(digests: readonly Digest[]): Promise<void>;
}

export function writeLayer(
  parts: LayerParts,
  pins: Pins,
  changes: readonly ChangedEntry[],
  options: { readonly mtime: number; readonly signal?: AbortSignal },
): Promise<Descriptor> {
  return storeLayer(parts, pins, layerTar(changes, options.mtime), options);
}

/** Into the store as it is made: hashed, indexed and written in one go. */
export function storeLayer(
  { images }: LayerParts,
  pins: Pins,
  tar: AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal },
): Promise<Descriptor> {
  const { signal } = options;
  return images.layers.write(tar, { pin: (digests) => pins.pin(digests), ...(signal === undefined ? {} : { signal }) });
}

/** In pieces of about a megabyte, whatever the members are. */
export async function* layerTar(changes: readonly ChangedEntry[], mtime: number): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces();
  for (const { path, entry } of changes) {
    yield* pieces.add(headerOf(path, entry, mtime));
    if (entry.kind !== 'file') continue;
    const { size, readNow } = entry;
    let written = 0;
    if (readNow !== undefined && size <= SMALL_BYTES) {
      // Nobody else may run between reading it and putting it away: it is only lent
      yield* pieces.makeRoom(size);
      const bytes = readNow();
      written = bytes.length;
      if (written === size) pieces.put(bytes);
    } else {
      for await (const chunk of entry.read?.() ?? []) {
        written += chunk.length;
        if (written > size) break;
        yield* pieces.add(chunk);
      }
    }
    if (written !== size) {
      throw new WctrError('conflict', `${quote(`/${path}`)} changed while it was read`, { hint: 'build again' });
    }
    yield* pieces.add(PADDING.subarray(0, roundUp(size) - size));
  }
  yield* pieces.add(TAR_END);
  yield* pieces.take();
}

const PIECE_BYTES = 1024 * 1024;
const SMALL_BYTES = PIECE_BYTES / 2;
const PADDING = new Uint8Array(512);

/** Puts what is small together; what is large goes as it is. */
class Pieces {
  #bytes = new Uint8Array(PIECE_BYTES);
  #length = 0;

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    if (bytes.length > SMALL_BYTES) {
      yield* this.take();
      yield bytes;
    } else {
      yield* this.makeRoom(bytes.length);
      this.put(bytes);
    }
  }

  *makeRoom(length: number): Generator<Uint8Array> {
    if (length > PIECE_BYTES - this.#length) yield* this.take();
  }

  put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  *take(): Generator<Uint8Array> {
    if (this.#length === 0) return;
    yield this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(PIECE_BYTES);
    this.#length = 0;
  }
}

function headerOf(path: string, entry: TreeEntry, mtime: number): Uint8Array {
  const { kind, mode, uid, gid, size, target = '' } = entry;
  if (baseOf(path).startsWith('.wh.')) {
    throw new WctrError('invalid-argument', `${quote(`/${path}`)} cannot be in a layer: its name would hide others`, {
      hint: 'rename it, or leave it out by .dockerignore',
    });
  }
  const attributes = { mode, uid, gid, mtime };
  if (kind === 'directory') return encodeHeader({ ...attributes, name: fromText(`${path}/`), type: '5', size: 0 });
  const name = fromText(path);
  if (kind === 'file') return encodeHeader({ ...attributes, name, type: '0', size });
  return encodeHeader({ ...attributes, name, type: '2', size: 0, link: fromText(target) });
}

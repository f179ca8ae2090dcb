/**
 * What a stage's instruction changed, as a layer: an uncompressed tar, its members in order of path, all with one time.
 * Uncompressed, since the bytes then are the same on every host: no two of them have the same compressor.
 */
import { fromText } from '../../containers/files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../../containers/files/tar-header.ts';
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import type { CreateHasher } from '../../images/digest.ts';
import type { ImageStore } from '../../images/image-store.ts';
import { quote } from '../../images/quote.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
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

export async function* layerTar(changes: readonly ChangedEntry[], mtime: number): AsyncGenerator<Uint8Array> {
  for (const { path, entry } of changes) {
    const { kind, mode, uid, gid, size } = entry;
    const name = fromText(kind === 'directory' ? `${path}/` : path);
    const header = { name, mode, uid, gid, mtime };
    if (kind === 'directory') yield encodeHeader({ ...header, type: '5', size: 0 });
    else if (kind === 'symlink')
      yield encodeHeader({ ...header, type: '2', size: 0, link: fromText(entry.target ?? '') });
    else {
      yield encodeHeader({ ...header, type: '0', size });
      let written = 0;
      for await (const chunk of entry.read?.() ?? []) {
        written += chunk.length;
        yield chunk;
      }
      if (written !== size) {
        throw new WctrError('conflict', `${quote(`/${path}`)} changed while it was read`, { hint: 'build again' });
      }
      yield tarPadding(size);
    }
  }
  yield TAR_END;
}

/** `import`: a tar of a file system becomes an image of one layer. */
import type { FileSystem } from '../host/ports.ts';
import {
  type Descriptor,
  type Digest,
  type ImageConfigDocument,
  type ManifestDocument,
  MEDIA_TYPE,
  type Platform,
} from '../spec/image-spec.ts';
import { layerMediaType } from './archive/docker-archive.ts';
import { spool } from './archive/spool.ts';
import { applyChanges } from './config-changes.ts';
import { type CreateHasher, digestOf } from './digest.ts';
import type { ImageRecord } from './image-record.ts';
import type { InstallContext } from './install-image.ts';
import { DEFAULT_PLATFORMS } from './platform.ts';
import type { Reference } from './reference.ts';
import type { StoreLayout } from './store/layout.ts';

export interface ImportContext extends InstallContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly createHasher: CreateHasher;
  readonly now?: () => number;
}

export interface ImportOptions {
  readonly reference?: Reference;
  /** Dockerfile instructions for the config: `CMD ["/app.wasm"]`, `ENV A=1`. */
  readonly changes?: readonly string[];
  readonly message?: string;
  /** Default wasip1/wasm. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

/** `chunks` may be plain, gzip or zstd. Throws `invalid-argument` for a change it does not know, before it reads. */
export async function importImage(
  { images, leases, fs, layout, createHasher, now = Date.now }: ImportContext,
  chunks: AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<ImageRecord> {
  const process = applyChanges({}, options.changes ?? []);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const hasher = createHasher('sha256');
  let head = new Uint8Array();
  const spooled = await spool(chunks, {
    fs,
    layout,
    ...signal,
    onChunk: (chunk) => {
      if (head.length < 8) head = Uint8Array.from([...head, ...chunk.subarray(0, 8)]);
      hasher.update(chunk);
    },
  });
  const lease = leases.open();
  try {
    const layer: Descriptor = {
      mediaType: layerMediaType(head),
      digest: `sha256:${hasher.digestHex()}`,
      size: spooled.sizeBytes,
    };
    await lease.pin([layer.digest]);
    const diffId = await ingestLayer(layer);
    const created = new Date(now()).toISOString();
    const platform = options.platform ?? (DEFAULT_PLATFORMS[0] as Platform);
    const document: ImageConfigDocument = {
      created,
      architecture: platform.architecture,
      os: platform.os,
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
      config: process,
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created, comment: options.message ?? 'Imported from -' }],
    };
    const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const putPinned = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
      await lease.pin([digestOf(createHasher, bytes)]);
      return images.content.put(mediaType, bytes);
    };
    const config = await putPinned(MEDIA_TYPE.ociConfig, encode(document));
    const named: ManifestDocument = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [layer] };
    const manifest = await putPinned(MEDIA_TYPE.ociManifest, encode(named));
    const { reference } = options;
    return await images.put({ target: manifest, manifest, ...(reference === undefined ? {} : { reference }) });
  } finally {
    await lease.release();
    await spooled.remove();
  }

  /** The diff ID is known, and so can be pinned, only afterwards: by then the collector may have been there. */
  async function ingestLayer(layer: Descriptor): Promise<Digest> {
    for (;;) {
      const { diffId } = (await images.content.has(layer.digest))
        ? await images.layers.unpack(layer, undefined, signal)
        : await images.layers.ingest(layer, undefined, spooled.from, signal);
      await lease.pin([diffId]);
      if ((await images.layers.get(diffId)) !== undefined) return diffId;
    }
  }
}

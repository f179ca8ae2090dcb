/** Takes an image from an archive or layout into the store: documents first, layers, and its names last. */
import type { Descriptor, Platform } from '../spec/image-spec.ts';
import type { ImageSource, SourceImage } from './archive/source.ts';
import { parseImageConfig } from './config.ts';
import type { IngestOptions } from './contracts.ts';
import type { ImageRecord } from './image-record.ts';
import type { ImageStore } from './image-store.ts';
import { indexPlatforms, isIndexMediaType, parseManifest, resolveManifest } from './manifest.ts';
import { DEFAULT_PLATFORMS } from './platform.ts';
import type { Reference } from './reference.ts';
import type { Leases } from './store/leases.ts';
import { isArtifact, parseArtifactConfig, planLayers } from './variants.ts';

export interface InstallContext {
  readonly images: ImageStore;
  readonly leases: Leases;
}

export interface InstallOptions {
  /** Names to give; none leaves the image without one. */
  readonly references: readonly Reference[];
  /** Only these platforms. Default: what runs here first, then whatever the image has. */
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
  readonly onLayer?: (layer: Descriptor, receivedBytes: number) => void;
}

/** Throws what the content and layer stores throw, `not-found` for a blob the source lacks, `no-matching-platform`. */
export async function installImage(
  { images, leases }: InstallContext,
  source: ImageSource,
  image: SourceImage,
  options: InstallOptions,
): Promise<ImageRecord> {
  const { content } = images;
  const { signal } = options;
  const ingestOptions: IngestOptions = signal === undefined ? {} : { signal };
  const what = image.names[0] ?? source.what;
  const lease = leases.open();
  try {
    const read = async (descriptor: Descriptor): Promise<{ bytes: Uint8Array }> => {
      await lease.pin([descriptor.digest]);
      await content.ingest(descriptor, source.blob(descriptor), ingestOptions);
      return { bytes: await content.read(descriptor.digest) };
    };
    const wanted = options.platforms ?? [...DEFAULT_PLATFORMS, ...(await offered(what, image.target, read))];
    const resolved = await resolveManifest(what, image.target, wanted, read);
    const { manifest } = resolved;
    const { bytes } = await read(manifest.config);
    const config = (isArtifact(manifest) ? parseArtifactConfig : parseImageConfig)(bytes, `config of ${what}`);
    for (const layer of planLayers(what, manifest, config)) {
      const { descriptor, kind, diffId } = layer;
      const layerOptions: IngestOptions = {
        ...ingestOptions,
        onProgress: (received) => options.onLayer?.(descriptor, received),
      };
      await lease.pin(diffId === undefined ? [descriptor.digest] : [descriptor.digest, diffId]);
      if (kind === 'wasm') {
        await content.ingest(descriptor, source.blob(descriptor), layerOptions);
      } else if (!(await content.has(descriptor.digest))) {
        await images.layers.ingest(descriptor, diffId, source.blob(descriptor), layerOptions);
      } else if (diffId === undefined || (await images.layers.get(diffId)) === undefined) {
        await images.layers.unpack(descriptor, diffId, layerOptions);
      }
    }
    const indexes = resolved.indexes.map(({ descriptor }) => descriptor.digest);
    const base = { target: image.target, indexes, manifest: resolved.descriptor };
    let record: ImageRecord | undefined;
    for (const reference of options.references) record = await images.put({ ...base, reference });
    return record ?? (await images.put(base));
  } finally {
    await lease.release();
  }
}

/** Platforms of an index in its own order: for archives, where taking nothing would be no help. */
async function offered(
  what: string,
  target: Descriptor,
  read: (descriptor: Descriptor) => Promise<{ bytes: Uint8Array }>,
): Promise<readonly Platform[]> {
  if (!isIndexMediaType(target.mediaType)) return [];
  const { bytes } = await read(target);
  const parsed = parseManifest(bytes, { what: `manifest of ${what}`, mediaType: target.mediaType });
  return parsed.kind === 'index' ? indexPlatforms(parsed) : [];
}

/** Layers as they leave: compressed by the one compressor that makes the same bytes on every host. */
import { spool } from '../../images/archive/spool.ts';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../../spec/image-spec.ts';
import type { StepLayer } from '../cache/build-cache.ts';
import type { SolveParts } from '../solve/ports.ts';
import { stepKey } from '../solve/step-key.ts';
import type { Pins } from '../stage/write-layer.ts';

/** A layer that is compressed already stays as it is. What was compressed once is remembered. */
export async function compressLayer(
  parts: SolveParts,
  pins: Pins,
  layer: StepLayer,
  signal: AbortSignal,
): Promise<StepLayer> {
  const { cache, images, createHasher, fs, layout, gzip } = parts;
  if (layer.descriptor.mediaType !== MEDIA_TYPE.ociLayerTar || gzip === undefined) return layer;
  const key = stepKey(createHasher, { kind: 'gzip', layer: layer.diffId });
  const [known] = (await cache.find(key, pins))?.layers ?? [];
  if (known !== undefined) return known;
  const hasher = createHasher('sha256');
  const plain = images.content.stream(layer.descriptor.digest, { signal });
  const spooled = await spool(gzip(plain), { fs, layout, signal, onChunk: (chunk) => hasher.update(chunk) });
  try {
    const digest: Digest = `sha256:${hasher.digestHex()}`;
    const descriptor: Descriptor = { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size: spooled.sizeBytes };
    await pins.pin([digest]);
    await images.content.ingest(descriptor, spooled.from, { signal });
    const compressed = { descriptor, diffId: layer.diffId };
    await cache.keep(key, { layers: [compressed], description: `compressed layer ${layer.diffId}`, kind: 'base' });
    return compressed;
  } finally {
    await spooled.remove();
  }
}

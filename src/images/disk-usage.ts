/** What the images take on disk, for `system df`. */
import type { Digest } from '../spec/image-spec.ts';
import { digestParts } from './digest.ts';
import { type CollectorOptions, diskUsage, isSharedWithLayer } from './gc.ts';
import type { ImageStore } from './image-store.ts';
import { type ImageSummary, listImages } from './image-views.ts';
import { layerPaths } from './layer-files.ts';

export interface ImageDiskUsage {
  readonly imageCount: number;
  /** Images a container was made from. */
  readonly activeCount: number;
  /** Blobs, layers and merged indexes together, each counted once. */
  readonly totalBytes: number;
  /** Of those, what `image prune --all` would free (blobs of images no container uses, and what nothing names). */
  readonly reclaimableBytes: number;
  readonly images: readonly ImageUsage[];
}

export interface ImageUsage {
  readonly summary: ImageSummary;
  readonly containerCount: number;
  /** Blobs that other images use as well, bytes. */
  readonly sharedBytes: number;
  readonly uniqueBytes: number;
}

export async function imageDiskUsage(
  { fs, layout, content, images, roots }: CollectorOptions & { readonly images: ImageStore },
  containerCount: (id: Digest) => Promise<number>,
): Promise<ImageDiskUsage> {
  const blobs = await content.list();
  const sizes = new Map(blobs.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  // Blobs of layers that were made here are one file with the layer's plain tar: counted with the layers
  const linked = new Map<Digest, number>();
  for (const { digest, sizeBytes } of blobs) {
    if (await isSharedWithLayer({ fs, layout }, digest)) linked.set(digest, sizeBytes);
  }
  const summaries = await listImages(images);
  const users = new Map<Digest, number>();
  for (const { records } of summaries) {
    for (const digest of new Set(records.flatMap(({ blobs }) => blobs)))
      users.set(digest, (users.get(digest) ?? 0) + 1);
  }
  const usages: ImageUsage[] = [];
  const { blobs: rooted = [], stacks } = await roots();
  const needed = new Set(rooted);
  for (const summary of summaries) {
    const blobs = [...new Set(summary.records.flatMap((record) => record.blobs))];
    const count = await containerCount(summary.id);
    if (count > 0) for (const digest of blobs) needed.add(digest);
    const bytesOf = (isShared: boolean) =>
      blobs
        .filter((digest) => (users.get(digest) ?? 0) > 1 === isShared)
        .reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
    usages.push({ summary, containerCount: count, sharedBytes: bytesOf(true), uniqueBytes: bytesOf(false) });
  }
  const sum = (sizesOf: Iterable<number>) => [...sizesOf].reduce((total, size) => total + size, 0);
  const blobBytes = sum(sizes.values());
  const neededBytes = sum([...needed].map((digest) => sizes.get(digest) ?? 0));
  const layerBytes = (await diskUsage(fs, layout.layers)) + (await diskUsage(fs, layout.rootfs)) - sum(linked.values());
  const keptLayers = [...new Set(stacks.flat())].map(async (diffId) => {
    const { directory } = layerPaths(layout.layers, digestParts(diffId).hex);
    return (await diskUsage(fs, directory)) - (linked.get(diffId) ?? 0);
  });
  const activeCount = usages.filter(({ containerCount: count }) => count > 0).length;
  return {
    imageCount: summaries.length,
    activeCount,
    totalBytes: blobBytes + layerBytes,
    reclaimableBytes:
      blobBytes - neededBytes + (activeCount === 0 ? layerBytes - sum(await Promise.all(keptLayers)) : 0),
    images: usages,
  };
}

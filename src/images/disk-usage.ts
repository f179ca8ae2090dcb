/** What the images take on disk, for `system df`. */
import type { Digest } from '../spec/image-spec.ts';
import { type CollectorOptions, diskUsage } from './gc.ts';
import type { ImageStore } from './image-store.ts';
import { type ImageSummary, listImages } from './image-views.ts';
import { registryBlobs } from './store/registry-roots.ts';

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
  { fs, layout, content, images }: CollectorOptions & { readonly images: ImageStore },
  containerCount: (id: Digest) => Promise<number>,
): Promise<ImageDiskUsage> {
  const sizes = new Map((await content.list()).map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  const summaries = await listImages(images);
  const users = new Map<Digest, number>();
  for (const { records } of summaries) {
    for (const digest of new Set(records.flatMap(({ blobs }) => blobs)))
      users.set(digest, (users.get(digest) ?? 0) + 1);
  }
  const usages: ImageUsage[] = [];
  const needed = new Set(await registryBlobs(fs, layout));
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
  const blobBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const neededBytes = [...needed].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
  const layerBytes = (await diskUsage(fs, layout.layers)) + (await diskUsage(fs, layout.rootfs));
  const activeCount = usages.filter(({ containerCount: count }) => count > 0).length;
  return {
    imageCount: summaries.length,
    activeCount,
    totalBytes: blobBytes + layerBytes,
    reclaimableBytes: blobBytes - neededBytes + (activeCount === 0 ? layerBytes : 0),
    images: usages,
  };
}

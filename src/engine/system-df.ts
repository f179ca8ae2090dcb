/** `system df`: what the store takes on disk, in rows and item by item. */
import { imageDiskUsage } from '../images/disk-usage.ts';
import { diskUsage } from '../images/gc.ts';
import type { Volume } from '../spec/engine-api.ts';
import { buildCacheUsage } from './build-cache-use-cases.ts';
import { collectorOptions } from './collector.ts';
import { currentRecord, isRunning } from './container-state.ts';
import { summarise } from './container-views.ts';
import type { DiskUsage, UsageRow } from './engine.ts';
import type { EngineParts } from './parts.ts';
import { openVolumes } from './volume-store.ts';
import { LocalVolumes } from './volume-use-cases.ts';

export async function systemDiskUsage(parts: EngineParts): Promise<DiskUsage> {
  const volumes = await new LocalVolumes(openVolumes(parts)).usage();
  const { containers, fs, layout } = parts;
  const records = (await containers.list()).map((record) => currentRecord(record, containers));
  const images = await imageDiskUsage(
    { ...collectorOptions(parts), images: parts.images },
    async (id) => records.filter(({ imageId }) => imageId === id).length,
  );
  const written = await Promise.all(
    records.map(async (record) => ({ record, bytes: await diskUsage(fs, containers.directory(record.key)) })),
  );
  const sum = (some: typeof written) => some.reduce((total, { bytes }) => total + bytes, 0);
  const idle = written.filter(({ record }) => !isRunning(record.state));
  const steps = await buildCacheUsage(parts);
  const sized = (some: typeof steps) => some.reduce((total, { Size }) => total + Size, 0);
  const unused = steps.filter(({ InUse }) => !InUse);
  // Unfinished transfers, and the compiled code of the command itself.
  const temporary = (await diskUsage(fs, layout.tmp)) + (await diskUsage(fs, `${layout.root}/code`));
  return {
    images: {
      total: images.imageCount,
      active: images.activeCount,
      sizeBytes: images.totalBytes,
      reclaimableBytes: images.reclaimableBytes,
    },
    containers: {
      total: records.length,
      active: records.length - idle.length,
      sizeBytes: sum(written),
      reclaimableBytes: sum(idle),
    },
    volumes: volumeRow(volumes),
    cache: {
      total: steps.length,
      active: steps.length - unused.length,
      sizeBytes: sized(steps) + temporary,
      reclaimableBytes: sized(unused) + temporary,
    },
    items: {
      Images: images.images.map(({ summary, containerCount, sharedBytes }) => ({
        Id: summary.id,
        ParentId: '',
        RepoTags: summary.repoTags,
        RepoDigests: summary.repoDigests,
        Created: Math.floor(Date.parse(summary.created) / 1000),
        Size: summary.sizeBytes,
        SharedSize: sharedBytes,
        Labels: {},
        Containers: containerCount,
      })),
      Containers: written.map(({ record, bytes }) => ({ ...summarise(record), SizeRw: bytes, SizeRootFs: bytes })),
      Volumes: volumes,
      BuildCache: steps,
    },
  };
}

function volumeRow(volumes: readonly Volume[]): UsageRow {
  const used = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const sum = (some: readonly Volume[]) =>
    some.reduce((total, { UsageData }) => total + Math.max(0, UsageData?.Size ?? 0), 0);
  return {
    total: volumes.length,
    active: used.length,
    sizeBytes: sum(volumes),
    reclaimableBytes: sum(volumes) - sum(used),
  };
}

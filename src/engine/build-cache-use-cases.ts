/** `builder du` and `builder prune`, and the limits of a cache that nobody prunes. */
import { type CacheItem, listCacheItems } from '../build/cache/cache-items.ts';
import { type CacheLimits, chooseItems, DEFAULT_CACHE_LIMITS, overLimits } from '../build/cache/choose-items.ts';
import { LocalBuildCache } from '../build/cache/local-build-cache.ts';
import { WctrError } from '../errors.ts';
import { collectGarbage } from '../images/gc.ts';
import { writeAtomically } from '../images/store/durable.ts';
import type { BuildCacheRecord, Filters } from '../spec/engine-api.ts';
import type { BuildPruneOptions } from './builds.ts';
import { collectorOptions } from './collector.ts';
import { readFilters } from './filters.ts';
import type { EngineParts } from './parts.ts';
import { parseTime } from './timing.ts';

const ITEM_FILTERS = ['id', 'type', 'description', 'inuse', 'shared', 'private', 'parent'] as const;
const CHECK_EVERY_MS = 3_600_000;

/** Longest unused last, as docker lists them. Throws `invalid-argument` for a filter there is not. */
export async function buildCacheUsage(parts: EngineParts, filters: Filters = {}): Promise<BuildCacheRecord[]> {
  const isWanted = itemFilter(readFilters(filters, ITEM_FILTERS));
  const items = await listCacheItems(itemParts(parts));
  return items.filter(isWanted).reverse().map(recordOf);
}

/**
 * Removes what no image has, or with `all` everything; mounts and steps that a build uses now stay. Throws
 * `invalid-argument` for a filter there is not.
 */
export async function pruneBuildCache(
  parts: EngineParts,
  { all = false, keepBytes, filters = {} }: BuildPruneOptions = {},
): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }> {
  const { until, 'unused-for': unusedFor, ...rest } = readFilters(filters, [...ITEM_FILTERS, 'until', 'unused-for']);
  const since = [...(until ?? []), ...(unusedFor ?? [])];
  if (since.length > 1) {
    throw new WctrError('invalid-argument', 'until is given more than once', { hint: 'give one time or duration' });
  }
  const unusedSinceMs = since[0] === undefined ? undefined : parseTime(since[0]);
  const chosen = chooseItems(await listCacheItems(itemParts(parts)), {
    all,
    isWanted: itemFilter(rest),
    ...(keepBytes === undefined ? {} : { keepBytes }),
    ...(unusedSinceMs === undefined ? {} : { unusedSinceMs }),
  });
  return removeItems(parts, chosen);
}

/**
 * Keeps a cache within its limits; to be called after a build that made it larger. Looks no more than once an hour, for
 * what a cache mount holds has to be counted.
 */
export async function enforceCacheLimits(
  parts: EngineParts,
  limits: CacheLimits = DEFAULT_CACHE_LIMITS,
  nowMs = Date.now(),
): Promise<void> {
  const { fs, layout } = parts;
  const stamp = `${layout.root}/build/limits-checked`;
  const last = await fs.stat(stamp).catch(() => undefined);
  if (last !== undefined && nowMs - last.mtimeMs < CHECK_EVERY_MS && last.mtimeMs <= nowMs) return;
  await writeAtomically(fs, layout.tmp, stamp, new Uint8Array());
  const going = overLimits(await listCacheItems(itemParts(parts)), limits, nowMs);
  if (going.length > 0) await removeItems(parts, going);
}

async function removeItems(
  parts: EngineParts,
  items: readonly CacheItem[],
): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }> {
  const removed: CacheItem[] = [];
  for (const item of items) if (await item.remove()) removed.push(item);
  const { reclaimedBytes } = await collectGarbage(collectorOptions(parts));
  const besides = removed.filter(({ type }) => type !== 'regular');
  return {
    CachesDeleted: removed.map(({ id }) => id),
    SpaceReclaimed: besides.reduce((sum, { sizeBytes }) => sum + sizeBytes, reclaimedBytes),
  };
}

function itemParts(parts: EngineParts): Parameters<typeof listCacheItems>[0] {
  const { fs, layout, locks, createHasher, leases, images } = parts;
  return {
    ...{ fs, layout, locks, createHasher },
    cache: new LocalBuildCache(parts),
    pinned: () => leases.pinned({ sweep: false }),
    imageBlobs: async () => new Set((await images.records()).flatMap(({ blobs }) => blobs)),
  };
}

function itemFilter(filters: { readonly [key in (typeof ITEM_FILTERS)[number]]?: readonly string[] }) {
  const isTrue = (text: string) => /^(1|t|true|)$/i.test(text);
  const fits: { readonly [key in (typeof ITEM_FILTERS)[number]]: (item: CacheItem, text: string) => boolean } = {
    id: ({ id }, text) => text !== '' && id.startsWith(text),
    type: ({ type }, text) => type === text,
    description: ({ description }, text) => description.includes(text),
    inuse: ({ isInUse }, text) => isInUse === isTrue(text),
    shared: ({ isShared }, text) => isShared === isTrue(text),
    private: ({ isShared }, text) => isShared !== isTrue(text),
    // Steps are known by what they build on, not by a step before them
    parent: () => false,
  };
  return (item: CacheItem): boolean =>
    ITEM_FILTERS.every((key) => filters[key]?.some((text) => fits[key](item, text)) ?? true);
}

function recordOf(item: CacheItem): BuildCacheRecord {
  return {
    ID: item.id,
    Parents: [],
    Type: item.type,
    Description: item.description,
    InUse: item.isInUse,
    Shared: item.isShared,
    Size: item.sizeBytes,
    CreatedAt: new Date(item.createdAtMs).toISOString(),
    LastUsedAt: new Date(item.lastUsedMs).toISOString(),
    UsageCount: item.usageCount,
  };
}

/** Which items of the cache go: by who asked, and by limits of size and age. */
import type { CacheItem } from './cache-items.ts';

export interface ItemChoice {
  /** Also steps whose layers an image has: removing them frees nothing now, but a later build makes them again. */
  readonly all?: boolean;
  /** Items beyond this many bytes go, the longest unused first. Absent: all that fit the rest. */
  readonly keepBytes?: number;
  /** Not used since: milliseconds since the epoch. */
  readonly unusedSinceMs?: number;
  readonly isWanted?: (item: CacheItem) => boolean;
}

/** `items`: oldest use first. What a build uses now stays. */
export function chooseItems(items: readonly CacheItem[], choice: ItemChoice): CacheItem[] {
  const { all = false, keepBytes, unusedSinceMs = Number.POSITIVE_INFINITY, isWanted = () => true } = choice;
  let total = items.reduce((sum, { sizeBytes, isShared }) => sum + (isShared ? 0 : sizeBytes), 0);
  const chosen: CacheItem[] = [];
  for (const item of items) {
    if (keepBytes !== undefined && total <= keepBytes) break;
    if (item.isInUse || (item.isShared && !all) || item.lastUsedMs >= unusedSinceMs || !isWanted(item)) continue;
    chosen.push(item);
    if (!item.isShared) total -= item.sizeBytes;
  }
  return chosen;
}

const DAY_MS = 24 * 3_600_000;

/** Limits of a cache that nobody prunes, looked at after a build that made it larger, once an hour at most. */
export interface CacheLimits {
  /** From here on the longest unused go, until `keepBytes` are left. */
  readonly maxBytes: number;
  readonly keepBytes: number;
  /** What was not used for this long goes, whatever its size. */
  readonly maxUnusedMs: number;
  /** Checksums of directories are small, and made again in a second. */
  readonly maxUnusedContextMs: number;
}

export const DEFAULT_CACHE_LIMITS: CacheLimits = {
  maxBytes: 20 * 2 ** 30,
  keepBytes: 15 * 2 ** 30,
  maxUnusedMs: 60 * DAY_MS,
  maxUnusedContextMs: 14 * DAY_MS,
};

export function overLimits(items: readonly CacheItem[], limits: CacheLimits, nowMs: number): CacheItem[] {
  const tooOld = chooseItems(items, {
    all: true,
    unusedSinceMs: nowMs - limits.maxUnusedMs,
  });
  const contexts = chooseItems(items, {
    unusedSinceMs: nowMs - limits.maxUnusedContextMs,
    isWanted: ({ type }) => type === 'source.local',
  });
  const going = new Set([...tooOld, ...contexts]);
  const rest = items.filter((item) => !going.has(item));
  const bytes = rest.reduce((sum, { sizeBytes, isShared }) => sum + (isShared ? 0 : sizeBytes), 0);
  const tooMuch = bytes > limits.maxBytes ? chooseItems(rest, { keepBytes: limits.keepBytes }) : [];
  return [...going, ...tooMuch];
}

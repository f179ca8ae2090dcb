/**
 * What the build cache of a store holds, as docker counts it: steps (`regular`), checksums of context directories
 * (`source.local`), and what RUN --mount=type=cache mounts (`exec.cachemount`).
 */
import { isWctrError } from '../../errors.ts';
import type { FileSystem, Locks } from '../../host/ports.ts';
import type { CreateHasher } from '../../images/digest.ts';
import { diskUsage } from '../../images/gc.ts';
import { isMissing } from '../../images/store/disk-error.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { contextHead } from '../context/kept-checksums.ts';
import type { LocalBuildCache, StepRecord } from './local-build-cache.ts';

export interface CacheItem {
  readonly id: string;
  readonly type: 'regular' | 'source.local' | 'exec.cachemount';
  readonly description: string;
  /** A layer that several steps made is counted with the oldest. */
  readonly sizeBytes: number;
  /** An image has it too: removing it frees nothing. */
  readonly isShared: boolean;
  /** By a build that runs now. */
  readonly isInUse: boolean;
  readonly createdAtMs: number;
  readonly lastUsedMs: number;
  readonly usageCount: number;
  /** False when a build uses it. Layers of a step go with the next collection. */
  remove(): Promise<boolean>;
}

export interface CacheItemsParts {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly cache: LocalBuildCache;
  /** What builds and pulls under way need. */
  readonly pinned: () => Promise<ReadonlySet<Digest>>;
  /** Blobs of images. */
  readonly imageBlobs: () => Promise<ReadonlySet<Digest>>;
}

const ID_CHARS = 25;
/** A mount whose lock cannot be had within this is being used. */
const LOCK_PATIENCE_MS = 100;
const HEAD_BYTES = 64 * 1024;

/** Oldest use first. */
export async function listCacheItems(parts: CacheItemsParts): Promise<CacheItem[]> {
  const items = [...(await steps(parts)), ...(await contexts(parts)), ...(await mounts(parts))];
  return items.sort((a, b) => a.lastUsedMs - b.lastUsedMs || (a.id < b.id ? -1 : 1));
}

async function steps({ cache, pinned, imageBlobs }: CacheItemsParts): Promise<CacheItem[]> {
  const records = (await cache.records()).sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1));
  if (records.length === 0) return [];
  const [inUse, inImages] = [await pinned(), await imageBlobs()];
  const counted = new Set<Digest>();
  return records.map((record: StepRecord): CacheItem => {
    const { key, result, createdAtMs, lastUsedMs, usageCount } = record;
    const digests = result.layers.map(({ descriptor }) => descriptor.digest);
    let sizeBytes = 0;
    for (const { descriptor } of result.layers) {
      if (!counted.has(descriptor.digest)) sizeBytes += descriptor.size;
      counted.add(descriptor.digest);
    }
    return {
      id: key.slice('sha256:'.length).slice(0, ID_CHARS),
      type: 'regular',
      description: result.description,
      ...{ sizeBytes, createdAtMs, lastUsedMs, usageCount },
      isShared: digests.some((digest) => inImages.has(digest)),
      isInUse: digests.some((digest) => inUse.has(digest)),
      remove: async () => {
        await cache.remove(key);
        return true;
      },
    };
  });
}

async function contexts({ fs, layout }: CacheItemsParts): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (const name of await namesIn(fs, layout.buildContexts)) {
    const path = `${layout.buildContexts}/${name}`;
    const stat = await fs.stat(path).catch(() => undefined);
    if (stat === undefined) continue;
    const head = contextHead(await firstLine(fs, path));
    items.push({
      id: name.slice(0, ID_CHARS),
      type: 'source.local',
      description: head === undefined ? 'checksums of a directory' : `checksums of ${head.directory}`,
      sizeBytes: stat.size,
      isShared: false,
      isInUse: false,
      createdAtMs: stat.mtimeMs,
      lastUsedMs: stat.mtimeMs,
      usageCount: 1,
      remove: async () => {
        await fs.rm(path, { force: true });
        return true;
      },
    });
  }
  return items;
}

/** `<hex>/<n>` and beside it `<n>.json`, once it was filled (run/cache-mounts.ts). */
async function mounts({ fs, layout, locks }: CacheItemsParts): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (const hex of await namesIn(fs, layout.buildMounts)) {
    const directory = `${layout.buildMounts}/${hex}`;
    const stat = await fs.stat(directory).catch(() => undefined);
    if (stat?.isDirectory() !== true) continue;
    const notes: MountNote[] = [];
    for (const name of await namesIn(fs, directory)) {
      const note = /^\d+\.json$/.test(name) ? await readNote(fs, `${directory}/${name}`) : undefined;
      if (note !== undefined) notes.push(note);
    }
    const times = (of: (note: MountNote) => string) => notes.map((note) => Date.parse(of(note)));
    items.push({
      id: hex.slice(0, ID_CHARS),
      type: 'exec.cachemount',
      description: `cache mount ${notes[0]?.id ?? hex.slice(0, 12)}`,
      sizeBytes: await diskUsage(fs, directory),
      isShared: false,
      isInUse: !(await unlessHeld(locks, hex, async () => {})),
      createdAtMs: Math.min(stat.mtimeMs, ...times(({ createdAt }) => createdAt)),
      lastUsedMs: notes.length === 0 ? stat.mtimeMs : Math.max(...times(({ lastUsedAt }) => lastUsedAt)),
      usageCount: notes.reduce((sum, { usageCount }) => sum + usageCount, 0),
      remove: () => unlessHeld(locks, hex, () => fs.rm(directory, { recursive: true, force: true })),
    });
  }
  return items;
}

interface MountNote {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly usageCount: number;
}

async function readNote(fs: FileSystem, path: string): Promise<MountNote | undefined> {
  try {
    const note = JSON.parse(new TextDecoder().decode(await fs.readFile(path))) as Partial<MountNote> | null;
    const { id, createdAt, lastUsedAt, usageCount } = note ?? {};
    if (typeof id !== 'string' || typeof usageCount !== 'number') return undefined;
    if (Number.isNaN(Date.parse(createdAt ?? '')) || Number.isNaN(Date.parse(lastUsedAt ?? ''))) return undefined;
    return note as MountNote;
  } catch {
    return undefined;
  }
}

/** False when somebody holds the lock of this mount. */
async function unlessHeld(locks: Locks, hex: string, action: () => Promise<unknown>): Promise<boolean> {
  try {
    const lock = await locks.acquire(`build-mount-${hex}`, { signal: AbortSignal.timeout(LOCK_PATIENCE_MS) });
    try {
      await action();
      return true;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (isWctrError(error, 'cancelled')) return false;
    throw error;
  }
}

async function firstLine(fs: FileSystem, path: string): Promise<Uint8Array> {
  const handle = await fs.open(path, 'r').catch(() => undefined);
  if (handle === undefined) return new Uint8Array();
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const newline = head.subarray(0, bytesRead).indexOf(0x0a);
    return head.subarray(0, Math.max(0, newline));
  } finally {
    await handle.close();
  }
}

async function namesIn(fs: FileSystem, dir: string): Promise<string[]> {
  return fs.readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

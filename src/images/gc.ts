/**
 * Mark and sweep over the store. Roots are image records, containers, and leases; a blob, layer or merged index that
 * none of them reaches is removed. Runs under the GC lock alone: records and pins are only ever added under the same
 * lock shared, so nothing can become reachable behind the collector's back.
 */
import { WctrError } from '../errors.ts';
import type { FileSystem, Locks } from '../host/ports.ts';
import type { Digest } from '../spec/image-spec.ts';
import { type CreateHasher, chainId, digestParts, isDigest } from './digest.ts';
import type { ImageStore } from './image-store.ts';
import { layerPaths } from './layer-files.ts';
import { parseManifest } from './manifest.ts';
import type { BlobStore } from './store/blob-store.ts';
import { diskError, isMissing } from './store/disk-error.ts';
import { GC_LOCK, ingestLock, type StoreLayout } from './store/layout.ts';
import type { Leases } from './store/leases.ts';

/** What containers (and caches such as the builder's) need beside the image records. */
export interface Roots {
  /** Manifests whose config and layers must stay. */
  readonly manifests: readonly Digest[];
  /** Stacks of diff IDs, lowest first, whose layers and merged index must stay. */
  readonly stacks: readonly (readonly Digest[])[];
  /** Blobs that must stay, whatever they are: those of the registry on this store. */
  readonly blobs?: readonly Digest[];
}

export interface CollectorOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly content: BlobStore;
  readonly images: Pick<ImageStore, 'records'>;
  readonly leases: Leases;
  readonly roots: () => Promise<Roots>;
  readonly now?: () => number;
}

/** Digests that must stay. */
type Marked = Set<Digest>;

export interface Collected {
  readonly blobs: readonly Digest[];
  /** Names of what went from layers/ and rootfs/. */
  readonly layers: readonly string[];
  readonly reclaimedBytes: number;
}

/** Temp files that belong to no transfer are leftovers when nobody has written to them for this long. */
const STALE_TEMP_MS = 60 * 60_000;
/** A partial whose lock cannot be had within this belongs to somebody. */
const LOCK_PATIENCE_MS = 100;

/**
 * Removes what nothing needs. Throws `store-corrupt` without removing anything when an image record cannot be read: it
 * might be the one that needs a blob.
 */
export async function collectGarbage(options: CollectorOptions): Promise<Collected> {
  const lock = await options.locks.acquire(GC_LOCK);
  try {
    return await markAndSweep(options);
  } finally {
    await lock.release();
  }
}

/** The same for who holds the GC lock alone already. */
export async function markAndSweep(options: CollectorOptions): Promise<Collected> {
  const marked = await mark(options);
  const blobs = await sweepBlobs(options, marked);
  const layers = [
    ...(await sweepNamed(options, options.layout.layers, marked)),
    ...(await sweepNamed(options, options.layout.rootfs, marked)),
  ];
  const temp = await sweepTemp(options, marked);
  return {
    blobs: blobs.map(({ digest }) => digest),
    layers: layers.map(({ name }) => name),
    reclaimedBytes: [...blobs, ...layers, ...temp].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

async function mark({ images, content, leases, roots, createHasher }: CollectorOptions): Promise<Marked> {
  const marked = await leases.pinned();
  const markStack = (diffIds: readonly Digest[]): void => {
    for (const diffId of diffIds) marked.add(diffId);
    // every prefix of a stack has a merged index of its own, which containers of parent images share
    diffIds.forEach((_, i) => {
      const chain = chainId(createHasher, diffIds.slice(0, i + 1));
      if (chain !== undefined) marked.add(chain);
    });
  };
  for (const record of await images.records()) {
    for (const digest of record.blobs) marked.add(digest);
    markStack(record.diffIds);
  }
  const { manifests, stacks, blobs = [] } = await roots();
  for (const digest of blobs) marked.add(digest);
  for (const stack of stacks) markStack(stack);
  for (const digest of manifests) {
    marked.add(digest);
    if (!(await content.has(digest))) continue;
    const manifest = parseManifest(await content.read(digest), { what: `manifest ${digest}` });
    if (manifest.kind === 'index') continue;
    marked.add(manifest.config.digest);
    for (const layer of manifest.layers) marked.add(layer.digest);
  }
  return marked;
}

async function sweepBlobs(
  { content, fs, layout }: CollectorOptions,
  marked: Marked,
): Promise<{ digest: Digest; sizeBytes: number }[]> {
  const garbage: { digest: Digest; sizeBytes: number }[] = [];
  for (const { digest, sizeBytes } of await content.list()) {
    if (marked.has(digest)) continue;
    // Its bytes go with its other name, which is swept too
    garbage.push({ digest, sizeBytes: (await isSharedWithLayer({ fs, layout }, digest)) ? 0 : sizeBytes });
    await content.delete(digest);
  }
  return garbage;
}

/** True for the blob of a layer that was made here: it is one file with the layer's plain tar. */
export async function isSharedWithLayer(
  { fs, layout }: Pick<CollectorOptions, 'fs' | 'layout'>,
  digest: Digest,
): Promise<boolean> {
  const { algorithm, hex } = digestParts(digest);
  if (algorithm !== 'sha256') return false;
  const tar = await fs.stat(layerPaths(layout.layers, hex).tar).catch(() => undefined);
  if (tar?.ino === undefined) return false;
  const blob = await fs.stat(layout.blob(digest)).catch(() => undefined);
  return blob?.ino === tar.ino;
}

/** Entries whose name holds 64 hex digits that are no marked digest. Anything else there is not ours to remove. */
async function sweepNamed(
  { fs, layout }: CollectorOptions,
  dir: string,
  marked: Marked,
): Promise<{ name: string; sizeBytes: number }[]> {
  const swept: { name: string; sizeBytes: number }[] = [];
  for (const name of await readdirOrNone(fs, dir)) {
    if (name === 'sha256' || name === 'sha512') {
      swept.push(...(await sweepNamed({ fs, layout } as CollectorOptions, `${dir}/${name}`, marked)));
      continue;
    }
    const hex = /[0-9a-f]{128}|[0-9a-f]{64}/.exec(name)?.[0];
    if (hex === undefined) continue;
    const digest = `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`;
    if (!isDigest(digest) || marked.has(digest)) continue;
    const sizeBytes = await diskUsage(fs, `${dir}/${name}`);
    try {
      await fs.rm(`${dir}/${name}`, { recursive: true, force: true });
    } catch (error) {
      throw diskError(error, `remove ${name}`, layout.root);
    }
    swept.push({ name, sizeBytes });
  }
  return swept;
}

async function sweepTemp(
  { fs, layout, locks, now = Date.now }: CollectorOptions,
  marked: Marked,
): Promise<{ sizeBytes: number }[]> {
  const swept: { sizeBytes: number }[] = [];
  for (const name of await readdirOrNone(fs, layout.tmp)) {
    const path = `${layout.tmp}/${name}`;
    const [, algorithm, hex] = /^ingest-(sha256|sha512)-([0-9a-f]+)$/.exec(name) ?? [];
    const digest = `${algorithm}:${hex}`;
    const stat = await fs.lstat(path).catch(() => undefined);
    if (stat === undefined) continue;
    if (isDigest(digest)) {
      if (marked.has(digest) || !(await removeUnlessHeld(fs, locks, ingestLock(digest), path))) continue;
    } else {
      if (now() - stat.mtimeMs < STALE_TEMP_MS) continue;
      await fs.rm(path, { recursive: true, force: true });
    }
    swept.push({ sizeBytes: stat.size });
  }
  return swept;
}

async function removeUnlessHeld(fs: FileSystem, locks: Locks, name: string, path: string): Promise<boolean> {
  try {
    const lock = await locks.acquire(name, { signal: AbortSignal.timeout(LOCK_PATIENCE_MS) });
    try {
      await fs.rm(path, { force: true });
      return true;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof WctrError && error.code === 'cancelled') return false;
    throw error;
  }
}

/** Bytes of the files under a path. */
export async function diskUsage(fs: FileSystem, path: string): Promise<number> {
  const stat = await fs.lstat(path).catch(() => undefined);
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  let sum = 0;
  for (const name of await readdirOrNone(fs, path)) sum += await diskUsage(fs, `${path}/${name}`);
  return sum;
}

async function readdirOrNone(fs: FileSystem, dir: string): Promise<string[]> {
  return fs.readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

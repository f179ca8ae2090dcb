/**
 * The build cache of a store: `<root>/build/cache/<hex>.json`, a checksummed record for each step that was made. A record
 * that is damaged, or whose layers are gone, counts as unknown and is removed; making the step again puts it right.
 */
import { isWctrError } from '../../errors.ts';
import type { FileSystem, Locks } from '../../host/ports.ts';
import type { ContentStore, LayerStore } from '../../images/contracts.ts';
import { type CreateHasher, digestParts, isDigest } from '../../images/digest.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import { RecordFiles } from '../../images/store/records.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { BuildCache, StepLayer, StepResult } from './build-cache.ts';

export interface StepRecord {
  /** The step key. */
  readonly key: Digest;
  readonly result: StepResult;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** To within `USE_NOTED_MS`. */
  readonly lastUsedMs: number;
  readonly usageCount: number;
}

export interface LocalBuildCacheOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly content: Pick<ContentStore, 'has'>;
  readonly layers: Pick<LayerStore, 'get' | 'unpack'>;
  readonly now?: () => number;
}

/** A record that was used again within this time is not written again: use is noted without making a build slower. */
export const USE_NOTED_MS = 60_000;

export class LocalBuildCache implements BuildCache {
  readonly #options: LocalBuildCacheOptions;
  readonly #records: RecordFiles<StepRecord>;
  /** Keys that were kept since this object was made. */
  #kept = 0;

  constructor(options: LocalBuildCacheOptions) {
    this.#options = options;
    this.#records = stepRecords(options);
  }

  /** How many steps were kept since this object was made: a build that kept none made the cache no larger. */
  get keptCount(): number {
    return this.#kept;
  }

  async find(key: Digest, pins: { pin(digests: readonly Digest[]): Promise<void> }): Promise<StepResult | undefined> {
    const record = await this.#get(key);
    if (record === undefined) return undefined;
    // Pinned before it is looked at: what is there then stays there.
    await pins.pin(record.result.layers.flatMap(({ descriptor, diffId }) => [descriptor.digest, diffId]));
    for (const layer of record.result.layers) {
      if (await this.#hasLayer(layer)) continue;
      await this.remove(key);
      return undefined;
    }
    const now = this.#now();
    if (now - record.lastUsedMs >= USE_NOTED_MS || now < record.lastUsedMs) {
      const used = { ...record, lastUsedMs: now, usageCount: record.usageCount + 1 };
      // Not waited for by the disk: a use that is forgotten makes a record look older than it is, no more.
      await this.#records.put(used, { durable: false }).catch(() => {});
    }
    return record.result;
  }

  async keep(key: Digest, result: StepResult, options: { readonly replaces?: boolean } = {}): Promise<StepResult> {
    const lock = await this.#options.locks.acquire(`build-step-${digestParts(key).hex}`);
    try {
      const first = options.replaces === true ? undefined : await this.#get(key);
      if (first !== undefined && (await this.#isWhole(first.result))) return first.result;
      const now = this.#now();
      await this.#records.put({ key, result, createdAtMs: now, lastUsedMs: now, usageCount: 1 });
      this.#kept += 1;
      return result;
    } finally {
      await lock.release();
    }
  }

  /** Removing what is not there is no error. Its layers go with the next collection. */
  async remove(key: Digest): Promise<void> {
    await this.#records.delete(key, { durable: false });
  }

  /** All of them, in no order; damaged ones are left out. */
  records(): Promise<StepRecord[]> {
    return this.#records.list(() => {});
  }

  /** Damaged ones are removed: nothing else can be done with them. */
  async #get(key: Digest): Promise<StepRecord | undefined> {
    try {
      const record = await this.#records.get(key);
      return record?.key === key ? record : undefined;
    } catch (error) {
      if (!isWctrError(error, 'store-corrupt')) throw error;
      await this.remove(key);
      return undefined;
    }
  }

  async #isWhole({ layers }: StepResult): Promise<boolean> {
    for (const { descriptor } of layers) if (!(await this.#options.content.has(descriptor.digest))) return false;
    return true;
  }

  /** A layer whose unpacked files are gone is unpacked again. */
  async #hasLayer({ descriptor, diffId }: StepLayer): Promise<boolean> {
    const { content, layers } = this.#options;
    if (!(await content.has(descriptor.digest))) return false;
    if ((await layers.get(diffId)) !== undefined) return true;
    try {
      await layers.unpack(descriptor, diffId);
      return true;
    } catch (error) {
      if (isWctrError(error, 'store-corrupt') || isWctrError(error, 'not-found')) return false;
      throw error;
    }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** What the cache keeps from the garbage collector. */
export async function buildCacheRoots(
  options: Pick<LocalBuildCacheOptions, 'fs' | 'layout' | 'createHasher'>,
): Promise<{ blobs: Digest[]; stacks: Digest[][] }> {
  const records = await stepRecords(options).list(() => {});
  const layers = records.flatMap(({ result }) => result.layers);
  return {
    blobs: layers.map(({ descriptor }) => descriptor.digest),
    stacks: layers.map(({ diffId }) => [diffId]),
  };
}

function stepRecords({
  fs,
  layout,
  createHasher,
}: Pick<LocalBuildCacheOptions, 'fs' | 'layout' | 'createHasher'>): RecordFiles<StepRecord> {
  return new RecordFiles({
    fs,
    dir: layout.buildCache,
    tempDir: layout.tmp,
    createHasher,
    what: 'build cache record',
    isCurrent,
  });
}

/** Names are made of digests later: what is none must not get that far. */
function isCurrent(record: object): boolean {
  const { key, result, createdAtMs, lastUsedMs, usageCount } = record as Partial<StepRecord>;
  return (
    isDigest(key) &&
    [createdAtMs, lastUsedMs, usageCount].every((value) => typeof value === 'number') &&
    Array.isArray(result?.layers) &&
    result.layers.every(
      (layer: Partial<StepLayer> | null) => isDigest(layer?.descriptor?.digest) && isDigest(layer?.diffId),
    )
  );
}

/** What a RUN's cache mounts are kept in: the port, and its adapter over directories of the store. */

import { WctrError } from '../../errors.ts';
import type { FileSystem, Lock, Locks } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../../images/digest.ts';
import type { RunMount } from './executor.ts';

export type CacheMount = Extract<RunMount, { type: 'cache' }>;

export interface CacheMounts {
  /** Waits while another build has it and will not share. Throws 'cancelled'. */
  take(mount: CacheMount, signal?: AbortSignal): Promise<TakenCache>;
}

export interface TakenCache {
  /** Nothing was ever kept there. */
  readonly isNew: boolean;
  /** A directory of the host; absent: `content` is what it holds, and `keep` is told what it holds afterwards. */
  readonly source?: string;
  /** A tar. */
  readonly content?: () => AsyncIterable<Uint8Array>;
  /** What it begins with is there. */
  ready(): Promise<void>;
  keep?(content: () => AsyncIterable<Uint8Array>): Promise<void>;
  release(): Promise<void>;
}

/** What names a cache on disk and in locks: hexadecimal. */
export function cacheKey(createHasher: CreateHasher, id: string): string {
  return digestParts(digestOf(createHasher, new TextEncoder().encode(id))).hex;
}

export interface DirectoryCachesOptions {
  readonly fs: FileSystem;
  /** Data root of the store. */
  readonly root: string;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
}

/** How long a directory of a `private` mount may take to be free before the next one is tried. */
const FREE_WITHIN_MS = 100;

/**
 * `<root>/build/mounts/<hex of the id>/`: `0`, `1` … the directories (others than 0 for `private` mounts that are used at
 * once), `<n>.json` what is known of each once it has been filled. Locks `build-mount-<hex>` (shared: it is used;
 * exclusive: by a `locked` mount or who removes it) and, of `private` mounts, `build-mount-<hex>-<n>`.
 */
export class DirectoryCaches implements CacheMounts {
  readonly #options: DirectoryCachesOptions;

  constructor(options: DirectoryCachesOptions) {
    this.#options = options;
  }

  async take(mount: CacheMount, signal?: AbortSignal): Promise<TakenCache> {
    const { fs, root, locks, createHasher } = this.#options;
    const hex = cacheKey(createHasher, mount.id);
    const shared = mount.sharing !== 'locked';
    const held: Lock[] = [];
    const release = async () => {
      for (const lock of held.splice(0).reverse()) await lock.release();
    };
    held.push(await locks.acquire(`build-mount-${hex}`, { shared, ...(signal === undefined ? {} : { signal }) }));
    try {
      const number = mount.sharing === 'private' ? await this.#own(hex, held, signal) : 0;
      const directory = `${root}/build/mounts/${hex}`;
      const [source, note] = [`${directory}/${number}`, `${directory}/${number}.json`];
      const known = await readNote(fs, note);
      // One that was being filled when its builder was killed.
      if (known === undefined && mount.initial !== undefined && mount.sharing !== 'shared') {
        await fs.rm(source, { recursive: true, force: true });
      }
      await fs.mkdir(source, { recursive: true, mode: 0o777 });
      return {
        isNew: known === undefined,
        source,
        ready: () => noteUse(fs, note, mount.id, known),
        release,
      };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #own(hex: string, held: Lock[], signal: AbortSignal | undefined): Promise<number> {
    for (let number = 0; ; number += 1) {
      if (signal?.aborted === true) throw new WctrError('cancelled', 'cancelled', { cause: signal.reason });
      const soon = AbortSignal.timeout(FREE_WITHIN_MS);
      try {
        held.push(await this.#options.locks.acquire(`build-mount-${hex}-${number}`, { signal: soon }));
        return number;
      } catch (error) {
        if (!soon.aborted) throw error;
      }
    }
  }
}

/** Undefined where nothing was ever kept, or it is not known to be whole. */
export async function readNote(fs: FileSystem, path: string): Promise<CacheNote | undefined> {
  try {
    return JSON.parse(new TextDecoder().decode(await fs.readFile(path)));
  } catch {
    return undefined;
  }
}

export async function noteUse(fs: FileSystem, path: string, id: string, before: CacheNote | undefined): Promise<void> {
  const at = new Date().toISOString();
  const note: CacheNote = {
    id,
    createdAt: before?.createdAt ?? at,
    lastUsedAt: at,
    usageCount: (before?.usageCount ?? 0) + 1,
  };
  await fs.writeFile(path, JSON.stringify(note));
}

export interface CacheNote {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly usageCount: number;
}

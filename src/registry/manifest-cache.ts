/**
 * Manifests in memory: their bytes by digest, which never change, and for a moment what a repository's tags and digests
 * name. A registry that is alone on its storage forgets a name when it changes it; the moment is for the collector, which
 * may run in another process. One that is not alone (a bucket) remembers no names.
 */
import type { Digest } from '../spec/image-spec.ts';
import type { Repositories } from './repositories.ts';
import type { Driver } from './storage/driver.ts';

export interface FoundManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

interface Named {
  readonly found: FoundManifest;
  readonly untilMs: number;
}

const NAMES_MS = 1_000;
const MAX_NAMES = 10_000;
const MAX_BYTES = 64 << 20;
/** What is larger is read from storage each time. */
const MAX_ENTRY_BYTES = 1 << 20;

export interface ManifestCacheOptions {
  readonly driver: Driver;
  readonly repositories: Repositories;
  readonly now: () => number;
  /** The bytes of a manifest, checked against its digest. */
  readonly load: (digest: Digest, sizeBytes: number) => Promise<Uint8Array | undefined>;
}

export class ManifestCache {
  readonly #options: ManifestCacheOptions;
  /** By `repository:tag` and `repository@digest`. */
  readonly #names = new Map<string, Named>();
  readonly #bytes = new Map<Digest, Uint8Array>();
  #totalBytes = 0;

  constructor(options: ManifestCacheOptions) {
    this.#options = options;
  }

  /** Undefined: the repository has no such manifest. */
  async find(repository: string, reference: { tag: string } | { digest: Digest }): Promise<FoundManifest | undefined> {
    const { driver, repositories, now } = this.#options;
    const key = 'tag' in reference ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`;
    const known = this.#names.get(key);
    if (known !== undefined && known.untilMs > now()) return known.found;
    this.#names.delete(key);
    const startedMs = now();
    const digest = 'tag' in reference ? await repositories.tag(repository, reference.tag) : reference.digest;
    const record = digest === undefined ? undefined : await repositories.manifest(repository, digest);
    if (digest === undefined || record === undefined) return undefined;
    const bytes = this.#bytes.get(digest) ?? (await this.#options.load(digest, record.size));
    if (bytes === undefined) return undefined;
    const found: FoundManifest = { digest, mediaType: record.mediaType, bytes };
    this.#remember(digest, bytes);
    if (driver.isExclusive && startedMs >= this.#changedMs) {
      if (this.#names.size >= MAX_NAMES) this.#names.delete(this.#names.keys().next().value!);
      this.#names.set(key, { found, untilMs: startedMs + NAMES_MS });
    }
    return found;
  }

  /** Names read before this are not remembered: they may have been read before the change. */
  #changedMs = 0;

  /** A tag or manifest of the repository has changed. */
  forget(repository: string): void {
    this.#changedMs = this.#options.now() + 1;
    for (const key of this.#names.keys()) {
      const rest = key.startsWith(repository) ? key[repository.length] : undefined;
      if (rest === ':' || rest === '@') this.#names.delete(key);
    }
  }

  #remember(digest: Digest, bytes: Uint8Array): void {
    if (bytes.length > MAX_ENTRY_BYTES || this.#bytes.has(digest)) return;
    this.#bytes.set(digest, bytes);
    this.#totalBytes += bytes.length;
    for (const [oldest, { length }] of this.#bytes) {
      if (this.#totalBytes <= MAX_BYTES) break;
      this.#bytes.delete(oldest);
      this.#totalBytes -= length;
    }
  }
}

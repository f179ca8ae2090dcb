/**
 * A cache of another registry: what is asked for and not here is brought from there, checked against its digest, and kept
 * under the same digests. A tag is looked up there each time; where the other registry cannot be reached, what is here has
 * to do. The other registry sees this one's login and never the client's, and the client never sees this one's.
 */
import { isWctrError } from '../errors.ts';
import { digestParts, isDigest } from '../images/digest.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import type { RemoteRepository } from '../images/registry/repository.ts';
import { GC_LOCK } from '../images/store/layout.ts';
import type { Descriptor } from '../spec/image-spec.ts';
import type { RegistryContext } from './context.ts';
import { descriptorsOf } from './pushed-manifest.ts';
import { Refusal } from './refusal.ts';
import { isTag } from './route.ts';
import { storeManifest } from './routes/manifests.ts';

export interface PullThroughOptions {
  readonly client: RegistryClient;
  /** `docker.io` */
  readonly domain: string;
}

/** For the client to show: RFC 7234, 5.5, as spec.md, "Warnings" wants it. */
const STALE = '299 - "the upstream registry cannot be reached: this may be an older image"';

export class PullThrough {
  readonly #context: RegistryContext;
  readonly #options: PullThroughOptions;
  /** What is on its way here; whoever asks for it meanwhile waits for the same. */
  readonly #coming = new Map<string, Promise<unknown>>();

  constructor(context: RegistryContext, options: PullThroughOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Before a manifest is looked for here. A warning where it may not be the newest. */
  async bringManifest(repository: string, reference: string): Promise<string | undefined> {
    return this.#once(`${repository}@${reference}`, async () => {
      if (isDigest(reference)) {
        if ((await this.#context.repositories.manifest(repository, reference)) !== undefined) return undefined;
        await this.#fetchManifest(repository, reference, []);
        return undefined;
      }
      return isTag(reference) ? this.#bringTag(repository, reference) : undefined;
    });
  }

  async #bringTag(repository: string, tag: string): Promise<string | undefined> {
    const { repositories } = this.#context;
    const here = await repositories.tag(repository, tag);
    const isHere = here !== undefined && (await repositories.manifest(repository, here)) !== undefined;
    try {
      const there = await this.#remote(repository).head(tag);
      if (there !== undefined && there.digest === here && isHere) return undefined;
      await this.#fetchManifest(repository, tag, [tag]);
      return undefined;
    } catch (error) {
      if (isHere && isOutage(error)) return STALE;
      throw asRefusal(error, 'manifestUnknown', 'manifest unknown to the upstream registry');
    }
  }

  async #fetchManifest(repository: string, reference: string, tags: readonly string[]): Promise<void> {
    const { bytes, descriptor } = await this.#remote(repository)
      .manifest(reference)
      .catch((error: unknown) => {
        if (isOutage(error)) throw error;
        throw asRefusal(error, 'manifestUnknown', 'manifest unknown to the upstream registry');
      });
    const { manifest, blobs } = descriptorsOf(bytes, descriptor.mediaType);
    // Remembered before the manifest can be seen: whoever has read it may ask for them.
    for (const blob of blobs) await this.#context.repositories.expectBlob(repository, blob);
    const found = { repository, digest: descriptor.digest, bytes, manifest, tags };
    await storeManifest(this.#context, found, { isComplete: false });
  }

  /** Before a blob is looked for here. */
  async bringBlob(repository: string, reference: string): Promise<void> {
    const { repositories } = this.#context;
    if (!isDigest(reference)) return;
    if ((await repositories.blob(repository, reference)) !== undefined) {
      if ((await this.#context.driver.blobs.size(reference)) !== undefined) return;
    }
    const descriptor = await repositories.expectedBlob(repository, reference);
    // Only what a manifest from there names is asked for there.
    if (descriptor === undefined) return;
    await this.#once(`${repository}@${reference}`, () => this.#fetchBlob(repository, descriptor));
  }

  async #fetchBlob(repository: string, descriptor: Descriptor): Promise<void> {
    const { sessions, driver, repositories, now } = this.#context;
    const { algorithm } = digestParts(descriptor.digest);
    const session = await sessions.begin(repository, algorithm);
    try {
      for await (const chunk of this.#remote(repository).blob(descriptor)(0)) await session.append(chunk);
      const size = session.sizeBytes;
      if ((await session.finish(algorithm)) !== descriptor.digest) {
        throw new Refusal('blobUnknown', 'the upstream registry sent other bytes', { status: 502 });
      }
      const lock = await driver.locks.acquire(GC_LOCK, { shared: true });
      try {
        await session.commit(descriptor.digest);
        await repositories.linkBlob(repository, descriptor.digest, { size, at: now() });
      } finally {
        await lock.release();
      }
    } catch (error) {
      await session.cancel().catch(() => {});
      throw isOutage(error) ? error : asRefusal(error, 'blobUnknown', 'blob unknown to the upstream registry');
    } finally {
      await session.release();
    }
  }

  /** Docker Hub's own images live in `library/`, which nobody writes. */
  #remote(repository: string): RemoteRepository {
    const { client, domain } = this.#options;
    const path = domain === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository;
    return client.repository({ domain, path });
  }

  async #once<T>(key: string, bring: () => Promise<T>): Promise<T> {
    const coming = this.#coming.get(key) as Promise<T> | undefined;
    if (coming !== undefined) return coming;
    const started = bring().finally(() => this.#coming.delete(key));
    this.#coming.set(key, started);
    return started;
  }
}

function isOutage(error: unknown): boolean {
  return (['registry-unreachable', 'timeout', 'registry-error', 'too-many-requests'] as const).some((code) =>
    isWctrError(error, code),
  );
}

/** That the upstream wants a login of this registry is not the client's affair: for it, there is nothing. */
function asRefusal(error: unknown, code: 'manifestUnknown' | 'blobUnknown', message: string): unknown {
  const isMissing = (['no-such-image', 'not-found', 'unauthorized', 'forbidden'] as const).some((known) =>
    isWctrError(error, known),
  );
  return isMissing ? new Refusal(code, message) : error;
}

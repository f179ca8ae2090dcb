/**
 * Pull: reference -> index -> platform -> manifest -> config -> layers, each verified before it is visible, the
 * image's record last. What is there already is not fetched again; what broke off is taken up where it was.
 */
import { isWctrError, WctrError } from '../errors.ts';
import type { Descriptor, Digest, Platform } from '../spec/image-spec.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import type { BlobOrigin, ContentStore, IngestOptions, LayerStore } from './contracts.ts';
import { shortDigest } from './digest.ts';
import { parseManifest, type ResolvedManifest, resolveManifest } from './manifest.ts';
import { DEFAULT_PLATFORMS, noMatchingPlatform, platformRank } from './platform.ts';
import { canonicalName, familiarName, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import type { RemoteRepository } from './registry/repository.ts';
import { isArtifact, type PlannedLayer, parseArtifactConfig, planLayers } from './variants.ts';

/** What a pull needs of the image store. */
export interface PullDestination {
  /** What the name points at now; undefined when it is not there. */
  target(reference: Reference): Promise<Descriptor | undefined>;
  /** Makes the name point at an image whose content is complete. */
  record(reference: Reference, target: Descriptor): Promise<void>;
  /** Keeps `gc` from taking blobs and layers that nothing names yet, until released. */
  lease(): Promise<{ release(): Promise<void> }>;
}

/** docker's `--pull`: `always` asks the registry, `missing` only when the image is not here, `never` not at all. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface PullRequest {
  readonly reference: Reference;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly images: PullDestination;
  readonly registry: RegistryClient;
  /** Wanted platforms, best first. Without them what runs here is taken, and a lone manifest whatever it is for. */
  readonly platforms?: readonly Platform[];
  readonly policy?: PullPolicy;
  /** Layers at a time, default 3 as docker. */
  readonly concurrency?: number;
  readonly onEvent?: (event: PullProgress) => void;
  readonly signal?: AbortSignal;
}

/** Progress in docker's words. `id` is a layer's short digest, the tag on the first line, and absent on the last two. */
export interface PullProgress {
  readonly id?: string;
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export interface PulledImage {
  /** Fully qualified. */
  readonly reference: string;
  /** What the name points at: an index where there is one. */
  readonly target: Descriptor;
  /** The manifest of the platform that was chosen. */
  readonly manifest: Descriptor;
  /** The config's digest. */
  readonly imageId: Digest;
  /** False when it was all there already. */
  readonly changed: boolean;
}

const DEFAULT_CONCURRENCY = 3;

/**
 * @throws no-such-image, unauthorized, no-matching-platform, digest-mismatch, size-mismatch, invalid-manifest,
 *   unsupported-media-type, limit-exceeded, registry-unreachable, registry-error, too-many-requests, cancelled, and what
 *   the stores throw. Whatever is thrown, no name points at an incomplete image.
 */
export async function pullImage(request: PullRequest): Promise<PulledImage> {
  const { reference, images, policy = 'always' } = request;
  const previous = await images.target(reference);
  if (policy !== 'always' && previous !== undefined) {
    const local = await localImage(request, previous);
    if (local !== undefined) return { ...local, target: previous, changed: false };
  }
  if (policy === 'never') {
    throw new WctrError('no-such-image', `no such image: ${familiarName(reference)}`, {
      hint: 'it is not here, and --pull never forbids to fetch it',
      data: { reference: canonicalName(reference) },
    });
  }
  const lease = await images.lease();
  try {
    return await new Pull(request, previous).run();
  } finally {
    await lease.release();
  }
}

class Pull {
  private readonly request: PullRequest;
  private readonly previous: Descriptor | undefined;
  private readonly remote: RemoteRepository;
  private readonly name: string;
  private fetchedAny = false;

  constructor(request: PullRequest, previous: Descriptor | undefined) {
    this.request = request;
    this.previous = previous;
    this.remote = request.registry.repository(request.reference);
    this.name = familiarName(request.reference);
  }

  async run(): Promise<PulledImage> {
    const { reference, images, platforms } = this.request;
    this.emit({ id: reference.digest ?? reference.tag ?? '', status: `Pulling from ${reference.path}` });
    const target = await this.resolveTarget();
    const resolved = await resolveManifest(this.name, target, platforms ?? DEFAULT_PLATFORMS, (descriptor) =>
      this.readManifest(descriptor),
    );
    const config = await this.fetchConfig(resolved);
    if (platforms !== undefined) assertPlatform(this.name, config.platform, resolved, platforms);
    await this.fetchLayers(planLayers(`image ${this.name}`, resolved.manifest, config));
    const changed = this.fetchedAny || this.previous?.digest !== target.digest;
    if (this.previous?.digest !== target.digest) await images.record(reference, target);
    this.emit({ status: `Digest: ${target.digest}` });
    this.emit({ status: `Status: ${changed ? 'Downloaded newer image' : 'Image is up to date'} for ${this.name}` });
    return {
      reference: canonicalName(reference),
      target,
      manifest: resolved.descriptor,
      imageId: resolved.manifest.config.digest,
      changed,
    };
  }

  /** Tag or digest to descriptor; afterwards its bytes are in the content store. */
  private async resolveTarget(): Promise<Descriptor> {
    const { reference, content, signal } = this.request;
    if (reference.digest !== undefined) {
      const size = await content.size(reference.digest);
      if (size !== undefined) return this.describeLocal(reference.digest, size);
      return this.storeRemote(reference.digest);
    }
    const tag = reference.tag ?? 'latest';
    // HEAD is not counted against pull limits, and says all there is to know when the image is here already.
    const announced = await this.remote.head(tag, signal);
    if (announced !== undefined && (await content.has(announced.digest))) return announced;
    return this.storeRemote(tag);
  }

  private async describeLocal(digest: Digest, size: number): Promise<Descriptor> {
    const bytes = await this.request.content.read(digest);
    const { mediaType } = parseManifest(bytes, { what: `manifest ${digest} of ${this.name}` });
    return { mediaType, digest, size };
  }

  private async storeRemote(tagOrDigest: string): Promise<Descriptor> {
    const { content, signal } = this.request;
    const { descriptor, bytes } = await this.remote.manifest(tagOrDigest, signal);
    // Read once before it is kept, so that what is no manifest never gets into the store.
    parseManifest(bytes, { what: `manifest for ${this.name}`, contentType: descriptor.mediaType });
    await content.ingest(descriptor, originOf(bytes), this.ingestOptions());
    this.fetchedAny = true;
    return descriptor;
  }

  private async readManifest(descriptor: Descriptor): Promise<{ bytes: Uint8Array }> {
    const { content, signal } = this.request;
    if (!(await content.has(descriptor.digest))) {
      const remote = await this.remote.manifest(descriptor.digest, signal);
      parseManifest(remote.bytes, {
        what: `manifest ${descriptor.digest} of ${this.name}`,
        mediaType: descriptor.mediaType,
        contentType: remote.descriptor.mediaType,
      });
      await content.ingest(descriptor, originOf(remote.bytes), this.ingestOptions());
      this.fetchedAny = true;
    }
    return { bytes: await content.read(descriptor.digest) };
  }

  private async fetchConfig({ manifest }: ResolvedManifest): Promise<ImageConfig> {
    const { content } = this.request;
    const { config } = manifest;
    if (!(await content.has(config.digest))) {
      await this.ingest(config, (origin) => content.ingest(config, origin, this.ingestOptions()));
      this.fetchedAny = true;
    }
    return readConfig(this.name, manifest, await content.read(config.digest));
  }

  private async fetchLayers(planned: readonly PlannedLayer[]): Promise<void> {
    const unique = [...new Map(planned.map((layer) => [layer.descriptor.digest, layer])).values()];
    for (const { descriptor } of unique) this.emit({ id: shortDigest(descriptor.digest), status: 'Pulling fs layer' });
    // The first failure stops the others, and is thrown only when they have let go of the store.
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(this.request.signal?.reason);
    if (this.request.signal?.aborted) onAbort();
    this.request.signal?.addEventListener('abort', onAbort, { once: true });
    const queue = unique.values();
    let failure: { error: unknown } | undefined;
    const work = async (): Promise<void> => {
      for (const layer of queue) {
        if (failure !== undefined) return;
        try {
          await this.fetchLayer(layer, stop.signal);
        } catch (error) {
          failure ??= { error };
          stop.abort();
        }
      }
    };
    const lanes = Math.max(1, this.request.concurrency ?? DEFAULT_CONCURRENCY);
    await Promise.all(Array.from({ length: Math.min(lanes, unique.length) }, work));
    this.request.signal?.removeEventListener('abort', onAbort);
    if (failure !== undefined) throw failure.error;
  }

  private async fetchLayer({ descriptor, kind, diffId }: PlannedLayer, signal: AbortSignal): Promise<void> {
    const { content, layers } = this.request;
    const id = shortDigest(descriptor.digest);
    const options = this.ingestOptions(signal, (receivedBytes) => {
      const total = descriptor.size;
      this.emit({
        id,
        status: receivedBytes < total ? 'Downloading' : 'Verifying',
        currentBytes: receivedBytes,
        totalBytes: total,
      });
    });
    const [hasBlob, record] = await Promise.all([
      content.has(descriptor.digest),
      kind === 'tar' && diffId !== undefined ? layers.get(diffId) : undefined,
    ]);
    if (hasBlob && (kind === 'wasm' || record !== undefined)) {
      this.emit({ id, status: 'Already exists' });
      return;
    }
    if (hasBlob) {
      this.emit({ id, status: 'Indexing' });
      await layers.unpack(descriptor, diffId, { signal });
    } else if (kind === 'wasm' || record !== undefined) {
      // The layer itself is here under another compression: the blob is kept for push and save.
      await this.ingest(descriptor, (origin) => content.ingest(descriptor, origin, options));
    } else {
      await this.ingest(descriptor, (origin) => layers.ingest(descriptor, diffId, origin, options));
    }
    this.fetchedAny = true;
    this.emit({ id, status: 'Pull complete' });
  }

  /**
   * Runs one ingest. When bytes left by an earlier, broken transfer turn out to be the wrong ones, they are gone after
   * the mismatch, and the blob is fetched once more from its start.
   */
  private async ingest(descriptor: Descriptor, run: (origin: BlobOrigin) => Promise<unknown>): Promise<void> {
    const remote = this.remote.blob(descriptor);
    let firstOffset: number | undefined;
    const origin: BlobOrigin = (offset, signal) => {
      firstOffset ??= offset;
      return remote(offset, signal);
    };
    try {
      await run(origin);
    } catch (error) {
      if (!isWctrError(error, 'digest-mismatch') || !firstOffset) throw error;
      await run(remote);
    }
  }

  private ingestOptions(signal = this.request.signal, onProgress?: (receivedBytes: number) => void): IngestOptions {
    return {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
  }

  private emit(event: PullProgress): void {
    this.request.onEvent?.(event);
  }
}

/** The image behind a recorded name when all of it, for the wanted platform, is here; else undefined. */
async function localImage(
  request: PullRequest,
  target: Descriptor,
): Promise<Omit<PulledImage, 'target' | 'changed'> | undefined> {
  const { content, layers, reference, platforms } = request;
  const name = familiarName(reference);
  const read = async ({ digest }: Descriptor) => {
    if (await content.has(digest)) return { bytes: await content.read(digest) };
    throw new WctrError('not-found', `manifest ${digest} of ${name} is not here`);
  };
  try {
    const resolved = await resolveManifest(name, target, platforms ?? DEFAULT_PLATFORMS, read);
    const { config: configDescriptor } = resolved.manifest;
    const config = readConfig(name, resolved.manifest, (await read(configDescriptor)).bytes);
    if (platforms !== undefined) assertPlatform(name, config.platform, resolved, platforms);
    const planned = planLayers(`image ${name}`, resolved.manifest, config);
    const present = await Promise.all(
      planned.map(async ({ descriptor, diffId }) =>
        diffId === undefined ? content.has(descriptor.digest) : (await layers.get(diffId)) !== undefined,
      ),
    );
    if (!present.every(Boolean)) return undefined;
    return { reference: canonicalName(reference), manifest: resolved.descriptor, imageId: configDescriptor.digest };
  } catch (error) {
    if (isWctrError(error, 'not-found') || isWctrError(error, 'no-matching-platform')) return undefined;
    throw error;
  }
}

function readConfig(name: string, manifest: ResolvedManifest['manifest'], bytes: Uint8Array): ImageConfig {
  const what = `config ${manifest.config.digest} of ${name}`;
  return isArtifact(manifest) ? parseArtifactConfig(bytes, what) : parseImageConfig(bytes, what);
}

/** An image that is one manifest is taken whatever it is for, unless the caller named platforms. */
function assertPlatform(
  name: string,
  platform: Platform,
  { indexes }: ResolvedManifest,
  wanted: readonly Platform[],
): void {
  if (indexes.length === 0 && platformRank(wanted, platform) < 0) throw noMatchingPlatform(name, [platform], wanted);
}

function originOf(bytes: Uint8Array): BlobOrigin {
  return async function* (offset) {
    yield bytes.subarray(offset);
  };
}

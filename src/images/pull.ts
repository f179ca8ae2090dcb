/**
 * Pull: reference -> index -> platform -> manifest -> config -> layers, each verified before it is visible, the
 * image's record last. What is there already is not fetched again; what broke off is taken up where it was.
 */
import { isWctrError, WctrError } from '../errors.ts';
import type { Descriptor, Digest, Platform } from '../spec/image-spec.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import type { BlobOrigin, ContentStore, IngestOptions } from './contracts.ts';
import { shortDigest } from './digest.ts';
import type { ImageRecord } from './image-record.ts';
import type { ImageStore } from './image-store.ts';
import { type Manifest, parseManifest, type ResolvedManifest, resolveManifest } from './manifest.ts';
import { DEFAULT_PLATFORMS, noMatchingPlatform, platformRank } from './platform.ts';
import { canonicalName, DEFAULT_TAG, familiarName, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import type { RemoteRepository } from './registry/repository.ts';
import type { Lease, Leases } from './store/leases.ts';
import { isArtifact, type PlannedLayer, parseArtifactConfig, planLayers } from './variants.ts';

/** docker's `--pull`: `always` asks the registry, `missing` only when the image is not here, `never` not at all. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface PullRequest {
  readonly reference: Reference;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly registry: RegistryClient;
  /** Wanted platforms, best first. Without them what runs here is taken, and a lone manifest whatever it is for. */
  readonly platforms?: readonly Platform[];
  readonly policy?: PullPolicy;
  /** Told what was found (an index or manifest, and the manifest in it) before it is fetched; throws when it may not be. */
  readonly permit?: (target: Descriptor, manifest: Descriptor) => Promise<void>;
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
  readonly record: ImageRecord;
  /** False when it was all there already. */
  readonly changed: boolean;
}

const DEFAULT_CONCURRENCY = 3;

/** Blob to layer, from the store or from the registry; or the blob alone from the registry. */
type LayerTask = 'unpack' | 'ingest' | 'store';

interface LayerJob {
  readonly layer: PlannedLayer;
  readonly task: LayerTask;
}

/**
 * @throws no-such-image, unauthorized, no-matching-platform, digest-mismatch, size-mismatch, invalid-manifest,
 *   unsupported-media-type, limit-exceeded, registry-unreachable, registry-error, too-many-requests, cancelled, and what
 *   the stores throw. Whatever is thrown, no name points at an incomplete image.
 */
export async function pullImage(request: PullRequest): Promise<PulledImage> {
  const { reference, images, leases, policy = 'always' } = request;
  const previous = await images.resolve(canonicalName(reference)).catch((error: unknown) => {
    if (isWctrError(error, 'no-such-image')) return undefined;
    throw error;
  });
  const lease = leases.open();
  try {
    if (policy !== 'always' && previous !== undefined && (await isUsable(request, previous, lease))) {
      return { record: previous, changed: false };
    }
    if (policy === 'never') {
      throw new WctrError('no-such-image', `no such image: ${familiarName(reference)}`, {
        hint: 'it is not here, and the pull policy "never" forbids to fetch it',
        data: { reference: canonicalName(reference) },
      });
    }
    return await new Pull(request, lease, previous).run();
  } finally {
    await lease.release();
  }
}

/** Is a recorded image wholly here, and for a platform that is wanted? */
async function isUsable(request: PullRequest, record: ImageRecord, lease: Lease): Promise<boolean> {
  const { images, platforms } = request;
  if (platforms !== undefined && platformRank(platforms, record.platform) < 0) return false;
  await lease.pin([...record.blobs, ...record.diffIds]);
  const present = await Promise.all([
    ...record.blobs.map((digest) => images.content.has(digest)),
    ...record.diffIds.map(async (diffId) => (await images.layers.get(diffId)) !== undefined),
  ]);
  return present.every(Boolean);
}

class Pull {
  private readonly request: PullRequest;
  private readonly lease: Lease;
  private readonly previous: ImageRecord | undefined;
  private readonly content: ContentStore;
  private readonly remote: RemoteRepository;
  private readonly name: string;
  private fetchedAny = false;

  constructor(request: PullRequest, lease: Lease, previous: ImageRecord | undefined) {
    this.request = request;
    this.lease = lease;
    this.previous = previous;
    this.content = request.images.content;
    this.remote = request.registry.repository(request.reference);
    this.name = familiarName(request.reference);
  }

  async run(): Promise<PulledImage> {
    const { reference, platforms } = this.request;
    this.emit({ id: reference.digest ?? reference.tag ?? '', status: `Pulling from ${reference.path}` });
    const target = await this.resolveTarget();
    const resolved = await resolveManifest(this.name, target, platforms ?? DEFAULT_PLATFORMS, (descriptor) =>
      this.readManifest(descriptor),
    );
    await this.request.permit?.(target, resolved.descriptor);
    const config = await this.fetchConfig(resolved.manifest);
    if (platforms !== undefined) assertPlatform(this.name, config.platform, resolved, platforms);
    await this.fetchLayers(planLayers(`image ${this.name}`, resolved.manifest, config));
    const pulled = await this.record(target, resolved);
    const status = pulled.changed ? 'Downloaded newer image' : 'Image is up to date';
    this.emit({ status: `Digest: ${target.digest}` });
    this.emit({ status: `Status: ${status} for ${this.name}` });
    return pulled;
  }

  private async record(target: Descriptor, { descriptor, indexes }: ResolvedManifest): Promise<PulledImage> {
    const { images, reference } = this.request;
    const { previous } = this;
    if (previous?.target.digest === target.digest && previous.manifest.digest === descriptor.digest) {
      return { record: previous, changed: this.fetchedAny };
    }
    const record = await images.put({
      reference,
      target,
      indexes: indexes.map((index) => index.descriptor.digest),
      manifest: descriptor,
      isFromRegistry: true,
    });
    return { record, changed: true };
  }

  /** Tag or digest to descriptor; afterwards its bytes are in the content store. */
  private async resolveTarget(): Promise<Descriptor> {
    const { reference, signal } = this.request;
    if (reference.digest !== undefined) {
      await this.lease.pin([reference.digest]);
      const size = await this.content.size(reference.digest);
      return size === undefined ? this.storeRemote(reference.digest) : this.describeLocal(reference.digest, size);
    }
    const tag = reference.tag ?? DEFAULT_TAG;
    // HEAD is not counted against pull limits, and says all there is to know when the image is here already.
    const announced = await this.remote.head(tag, signal);
    if (announced === undefined) return this.storeRemote(tag);
    await this.lease.pin([announced.digest]);
    return (await this.content.has(announced.digest)) ? announced : this.storeRemote(tag);
  }

  private async describeLocal(digest: Digest, size: number): Promise<Descriptor> {
    const bytes = await this.content.read(digest);
    const { mediaType } = parseManifest(bytes, { what: `manifest ${digest} of ${this.name}` });
    return { mediaType, digest, size };
  }

  private async storeRemote(tagOrDigest: string): Promise<Descriptor> {
    const { descriptor, bytes } = await this.remote.manifest(tagOrDigest, this.request.signal);
    // Read once before it is kept, so that what is no manifest never gets into the store.
    parseManifest(bytes, { what: `manifest for ${this.name}`, contentType: descriptor.mediaType });
    await this.keep(descriptor, bytes);
    return descriptor;
  }

  private async readManifest(descriptor: Descriptor): Promise<{ bytes: Uint8Array }> {
    await this.lease.pin([descriptor.digest]);
    if (await this.content.has(descriptor.digest)) return { bytes: await this.content.read(descriptor.digest) };
    const remote = await this.remote.manifest(descriptor.digest, this.request.signal);
    parseManifest(remote.bytes, {
      what: `manifest ${descriptor.digest} of ${this.name}`,
      mediaType: descriptor.mediaType,
      contentType: remote.descriptor.mediaType,
    });
    await this.keep(descriptor, remote.bytes);
    return { bytes: remote.bytes };
  }

  private async keep(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    await this.lease.pin([descriptor.digest]);
    await this.content.ingest(descriptor, originOf(bytes), this.ingestOptions());
    this.fetchedAny = true;
  }

  private async fetchConfig(manifest: Manifest): Promise<ImageConfig> {
    const { config } = manifest;
    await this.lease.pin([config.digest]);
    if (!(await this.content.has(config.digest))) {
      await this.download(config, (origin) => this.content.ingest(config, origin, this.ingestOptions()));
      this.fetchedAny = true;
    }
    const bytes = await this.content.read(config.digest);
    const what = `config ${config.digest} of ${this.name}`;
    return isArtifact(manifest) ? parseArtifactConfig(bytes, what) : parseImageConfig(bytes, what);
  }

  private async fetchLayers(planned: readonly PlannedLayer[]): Promise<void> {
    const unique = [...new Map(planned.map((layer) => [layer.descriptor.digest, layer])).values()];
    await this.lease.pin(planned.flatMap(({ descriptor, diffId }) => [descriptor.digest, ...(diffId ? [diffId] : [])]));
    const jobs = await Promise.all(unique.map(async (layer) => ({ layer, task: await this.taskFor(layer) })));
    const open = jobs.filter((job): job is LayerJob => job.task !== undefined);
    if (open.length === 0 && !this.fetchedAny) return;
    for (const { layer, task } of jobs) {
      const status = task === undefined ? 'Already exists' : 'Pulling fs layer';
      this.emit({ id: shortDigest(layer.descriptor.digest), status });
    }
    await this.runJobs(open);
  }

  /** What is left to do for a layer; undefined when it is all there. */
  private async taskFor({ descriptor, kind, diffId }: PlannedLayer): Promise<LayerTask | undefined> {
    const [hasBlob, record] = await Promise.all([
      this.content.has(descriptor.digest),
      kind === 'tar' && diffId !== undefined ? this.request.images.layers.get(diffId) : undefined,
    ]);
    const needsPass = kind === 'tar' && record === undefined;
    if (hasBlob) return needsPass ? 'unpack' : undefined;
    // A layer that is here under another compression needs no second pass; its blob is kept for push and save.
    return needsPass ? 'ingest' : 'store';
  }

  private async runJobs(jobs: readonly LayerJob[]): Promise<void> {
    // The first failure stops the others, and is thrown only when they have let go of the store.
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(this.request.signal?.reason);
    if (this.request.signal?.aborted) onAbort();
    this.request.signal?.addEventListener('abort', onAbort, { once: true });
    const queue = jobs.values();
    let failure: { error: unknown } | undefined;
    const work = async (): Promise<void> => {
      for (const job of queue) {
        if (failure !== undefined) return;
        try {
          await this.runJob(job, stop.signal);
        } catch (error) {
          failure ??= { error };
          stop.abort();
        }
      }
    };
    const lanes = Math.max(1, this.request.concurrency ?? DEFAULT_CONCURRENCY);
    await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, work));
    this.request.signal?.removeEventListener('abort', onAbort);
    if (failure !== undefined) throw failure.error;
  }

  private async runJob({ layer: { descriptor, diffId }, task }: LayerJob, signal: AbortSignal): Promise<void> {
    const { layers } = this.request.images;
    const id = shortDigest(descriptor.digest);
    if (task === 'unpack') {
      this.emit({ id, status: 'Indexing' });
      await layers.unpack(descriptor, diffId, { signal });
    } else {
      const options = this.ingestOptions(signal, (receivedBytes) => this.emit(progress(id, receivedBytes, descriptor)));
      await this.download(descriptor, (origin) =>
        task === 'ingest'
          ? layers.ingest(descriptor, diffId, origin, options)
          : this.content.ingest(descriptor, origin, options),
      );
    }
    this.fetchedAny = true;
    this.emit({ id, status: 'Pull complete' });
  }

  /** Runs one ingest; wrong bytes of a mirror are fetched once more, from where they come from. */
  private async download(descriptor: Descriptor, ingest: (origin: BlobOrigin) => Promise<unknown>): Promise<void> {
    try {
      await ingest(this.remote.blob(descriptor));
    } catch (error) {
      const isWrong = isWctrError(error, 'digest-mismatch') || isWctrError(error, 'size-mismatch');
      const origin = isWrong ? this.remote.blobPastMirrors(descriptor) : undefined;
      if (origin === undefined) throw error;
      await ingest(origin);
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

function progress(id: string, currentBytes: number, { size }: Descriptor): PullProgress {
  return { id, status: currentBytes < size ? 'Downloading' : 'Verifying', currentBytes, totalBytes: size };
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

/** Push: what is here under a name goes to that name's registry, as the bytes that were received or made. */
import { isWctrError, WctrError } from '../errors.ts';
import type { Descriptor, Digest, Platform } from '../spec/image-spec.ts';
import { type ImageGraph, imageGraph } from './image-graph.ts';
import type { ImageRecord } from './image-record.ts';
import type { ImageStore } from './image-store.ts';
import { isIndexMediaType } from './manifest.ts';
import { formatPlatform, noMatchingPlatform, platformRank } from './platform.ts';
import { canonicalName, canonicalRepository, familiarName, parseReference, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import type { Lease, Leases } from './store/leases.ts';
import { type UploadProgress, uploadGraph } from './upload-graph.ts';

export interface PushRequest {
  readonly reference: Reference;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly registry: RegistryClient;
  /** This platform's manifest rather than the index it belongs to. */
  readonly platform?: Platform | undefined;
  /** Told what is about to be pushed; throws when that may not be. */
  readonly permit?: ((record: ImageRecord) => Promise<void>) | undefined;
  readonly concurrency?: number;
  readonly onEvent?: ((event: PushProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `pushed` comes with the line that says so, once a tag. */
export interface PushProgress extends UploadProgress {
  readonly pushed?: PushedImage;
}

export interface PushedImage {
  readonly tag: string;
  readonly digest: Digest;
  /** Of the manifest. */
  readonly sizeBytes: number;
}

/** Why only a part of an image is pushed. */
const PART_NOTE = 'only the platform that is here is pushed, without the index it came in';

/**
 * @throws no-such-image, unauthorized, registry-unreachable, registry-error, digest-mismatch, too-many-requests,
 *   store-corrupt, cancelled. The tag is set last: whatever is thrown, it does not name what is incomplete.
 */
export async function pushImage(request: PushRequest): Promise<PushedImage> {
  const { reference, images, leases, registry, platform, signal, onEvent } = request;
  if (reference.tag === undefined) {
    throw new WctrError('invalid-reference', `cannot push ${familiarName(reference)}: a push needs a tag`, {
      hint: 'tag the image and push the tag; its digest follows from the content',
    });
  }
  const record = await find(images, reference);
  await request.permit?.(record);
  const lease = leases.open();
  try {
    await lease.pin(record.blobs);
    if (platform !== undefined && platformRank([platform], record.platform) < 0) {
      throw noMatchingPlatform(familiarName(reference), [record.platform], [platform]);
    }
    const { graph, partial } = await chooseGraph(images, lease, record, platform !== undefined);
    if (partial) onEvent?.({ status: `Note: ${formatPlatform(record.platform)}: ${PART_NOTE}` });
    const target = registry.target(reference);
    await uploadGraph({
      graph,
      target,
      tags: [reference.tag],
      open: (blob) => (offset, inner) =>
        images.content.stream(blob.digest, { offset, ...(inner === undefined ? {} : { signal: inner }) }),
      mountFrom: await mountSources(images, reference),
      ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
      onEvent,
      signal,
    }).catch(async (error: unknown) => {
      throw (await blame(images, error, signal)) ?? error;
    });
    const { descriptor } = graph.documents.at(-1)!;
    const pushed = { tag: reference.tag, digest: descriptor.digest, sizeBytes: descriptor.size };
    onEvent?.({ status: `${pushed.tag}: digest: ${pushed.digest} size: ${pushed.sizeBytes}`, pushed });
    return pushed;
  } finally {
    await lease.release();
  }
}

/** Tags of a repository that are here. */
export async function localTags(images: ImageStore, { domain, path }: Reference): Promise<readonly Reference[]> {
  const repository = canonicalRepository({ domain, path });
  const records = await images.records(() => {});
  return records
    .flatMap((record) => (record.reference === undefined ? [] : [parseReference(record.reference)]))
    .filter((one) => one.tag !== undefined && canonicalRepository(one) === repository)
    .sort((a, b) => (canonicalName(a) < canonicalName(b) ? -1 : 1));
}

async function find(images: ImageStore, reference: Reference): Promise<ImageRecord> {
  return images.resolve(canonicalName(reference)).catch((error: unknown) => {
    if (!isWctrError(error, 'no-such-image')) throw error;
    // The usual hint, to pull it, is no help to who wants to push.
    throw new WctrError('no-such-image', `no such image: ${familiarName(reference)}`, {
      hint: `give an image that is here this name: wctr tag IMAGE ${familiarName(reference)}`,
      data: error.data,
    });
  });
}

/** The index when all of it is here, which after a pull of one platform it is not; else the manifest. */
async function chooseGraph(
  images: ImageStore,
  lease: Lease,
  record: ImageRecord,
  onlyManifest: boolean,
): Promise<{ graph: ImageGraph; partial: boolean }> {
  const { target, manifest } = record;
  const what = `image ${record.reference ?? record.id}`;
  const read = ({ digest }: Descriptor): Promise<Uint8Array> => images.content.read(digest);
  if (!onlyManifest && isIndexMediaType(target.mediaType)) {
    const whole = await imageGraph(what, target, read).catch((error: unknown) => {
      if (isWctrError(error, 'not-found')) return undefined;
      throw error;
    });
    if (whole !== undefined) {
      const digests = [...whole.blobs, ...whole.documents.map(({ descriptor }) => descriptor)].map((one) => one.digest);
      await lease.pin(digests);
      const present = await Promise.all(digests.map((digest) => images.content.has(digest)));
      if (present.every(Boolean)) return { graph: whole, partial: false };
    }
  }
  return { graph: await imageGraph(what, manifest, read), partial: manifest.digest !== target.digest && !onlyManifest };
}

/** Where else in the registry a blob is: repositories that images with it were pulled from, or are named after. */
async function mountSources(images: ImageStore, { domain, path }: Reference) {
  const sources = new Map<Digest, Set<string>>();
  for (const record of await images.records(() => {})) {
    // What came from a registry is surely there; what has a name in it only perhaps.
    for (const name of [record.repoDigest, record.reference]) {
      if (name === undefined) continue;
      const source = parseReference(name);
      if (source.domain !== domain || source.path === path) continue;
      for (const digest of record.blobs) {
        const known = sources.get(digest) ?? new Set();
        sources.set(digest, known.add(source.path));
      }
    }
  }
  return (digest: Digest): readonly string[] => [...(sources.get(digest) ?? [])];
}

/** A registry that got wrong bytes may have got them from us. */
async function blame(
  images: ImageStore,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown | undefined> {
  const digest = isWctrError(error, 'digest-mismatch') ? error.data.digest : undefined;
  if (typeof digest !== 'string') return undefined;
  try {
    const options = { verify: true, ...(signal === undefined ? {} : { signal }) };
    for await (const _ of images.content.stream(digest as Digest, options)) {
      // The stream checks itself at its end.
    }
    return undefined;
  } catch (cause) {
    return cause;
  }
}

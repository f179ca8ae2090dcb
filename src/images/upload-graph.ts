/**
 * Puts a graph into a repository: blobs a few at a time, each only when it is not there; then the manifests, children
 * first, the root last and by its tag. So a tag never names what is not whole.
 */
import { WctrError } from '../errors.ts';
import type { Descriptor, Digest, ManifestDocument } from '../spec/image-spec.ts';
import type { BlobOrigin } from './contracts.ts';
import { isDigest, shortDigest } from './digest.ts';
import { type ImageGraph, isForeignLayer } from './image-graph.ts';
import { parseManifest } from './manifest.ts';
import type { PushTarget } from './registry/push-target.ts';
import { addToReferrersTag } from './registry/referrers.ts';

export interface GraphUpload {
  readonly graph: ImageGraph;
  readonly target: PushTarget;
  /** Names of the root; without any it is put under its digest alone. */
  readonly tags: readonly string[];
  readonly open: (descriptor: Descriptor) => BlobOrigin;
  /** Repositories of the same registry that may have a blob, best first. */
  readonly mountFrom?: (digest: Digest) => readonly string[];
  /** Blobs at a time, default 5 as docker. */
  readonly concurrency?: number;
  readonly onEvent?: ((event: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Progress in docker's words; `id` is the first 12 digits of a blob's digest. */
export interface UploadProgress {
  readonly id?: string;
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

const DEFAULT_CONCURRENCY = 5;

export async function uploadGraph(upload: GraphUpload): Promise<void> {
  const { graph, target, tags, signal } = upload;
  await uploadBlobs(upload);
  const root = graph.documents.at(-1)!;
  for (const { descriptor, bytes } of graph.documents) {
    signal?.throwIfAborted();
    const names = descriptor.digest === root.descriptor.digest && tags.length > 0 ? tags : [descriptor.digest];
    for (const name of names) {
      const { keepsReferrers } = await target.putManifest(name, descriptor, bytes, signal);
      if (!keepsReferrers) await noteReferrer(upload, descriptor, bytes);
    }
  }
}

/** Where the registry does not list what refers to a manifest, who pushes it has to (spec.md, "Pushing Manifests with Subject"). */
async function noteReferrer({ target, signal }: GraphUpload, descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
  const what = `manifest ${descriptor.digest}`;
  const { subject, annotations } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<ManifestDocument>;
  if (!isDigest(subject?.digest)) return;
  const parsed = parseManifest(bytes, { what, mediaType: descriptor.mediaType });
  const artifactType = parsed.kind === 'manifest' ? (parsed.artifactType ?? parsed.config.mediaType) : undefined;
  const referrer = {
    ...descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  await addToReferrersTag(target.client, target, subject.digest, referrer, signal);
}

async function uploadBlobs(upload: GraphUpload): Promise<void> {
  const { graph, onEvent, concurrency = DEFAULT_CONCURRENCY } = upload;
  for (const { digest } of graph.blobs) onEvent?.({ id: shortDigest(digest), status: 'Preparing' });
  // The first failure stops the others; what is thrown is the reason, not what it brought about.
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(upload.signal?.reason);
  if (upload.signal?.aborted) onAbort();
  upload.signal?.addEventListener('abort', onAbort, { once: true });
  const queue = graph.blobs.values();
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (const blob of queue) {
      if (failure !== undefined) return;
      try {
        await uploadOne(upload, blob, stop.signal);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, concurrency), graph.blobs.length) }, work));
  upload.signal?.removeEventListener('abort', onAbort);
  if (failure !== undefined) {
    if (upload.signal?.aborted)
      throw new WctrError('cancelled', `the push to ${upload.target.shownName} was cancelled`);
    throw failure.error;
  }
}

async function uploadOne(upload: GraphUpload, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const { target, open, mountFrom, onEvent } = upload;
  const id = shortDigest(blob.digest);
  if (isForeignLayer(blob)) {
    onEvent?.({ id, status: 'Skipped foreign layer' });
    return;
  }
  if (await target.hasBlob(blob, signal)) {
    onEvent?.({ id, status: 'Layer already exists' });
    return;
  }
  const [from] = mountFrom?.(blob.digest).filter((path) => path !== target.path) ?? [];
  const outcome = await target.upload(blob, open(blob), {
    signal,
    mountFrom: from,
    onProgress: (currentBytes) => onEvent?.({ id, status: 'Pushing', currentBytes, totalBytes: blob.size }),
  });
  onEvent?.({ id, status: outcome === 'mounted' ? `Mounted from ${from}` : 'Pushed' });
}

/** `image copy`: an image from one place to another, its bytes and so its digests kept. Nothing goes through the store. */
import { WctrError } from '../../errors.ts';
import type { Descriptor, Digest, Platform } from '../../spec/image-spec.ts';
import { shortDigest } from '../digest.ts';
import { type ImageGraph, imageGraph } from '../image-graph.ts';
import { isIndexMediaType, resolveManifest } from '../manifest.ts';
import { DEFAULT_PLATFORMS } from '../platform.ts';
import { familiarName } from '../reference.ts';
import { type UploadProgress, uploadGraph } from '../upload-graph.ts';
import { type GraphSource, writeArchive, writeLayout } from './layout-writer.ts';
import type { Place } from './place.ts';
import { type CopySource, type CopyTools, openCopySource } from './source.ts';

export interface CopyRequest {
  readonly from: Place;
  readonly to: Place;
  /** The whole index; else the image of one platform. */
  readonly all?: boolean;
  /** Default: what runs here. */
  readonly platform?: Platform | undefined;
  /** Told what is copied before anything is written; throws when that may not be. */
  readonly permit?: (source: CopySource, image: Descriptor) => Promise<void>;
  readonly onEvent?: ((event: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @returns the digest of what was copied: of the index with `all`, else of the manifest. */
export async function copyImage(tools: CopyTools, request: CopyRequest): Promise<Digest> {
  const source = await openCopySource(tools, request.from, request.signal);
  try {
    const root = await chooseRoot(source, request);
    await request.permit?.(source, root);
    const graph = await imageGraph(source.what, root, (descriptor) => source.document(descriptor));
    await write(tools, source, graph, request);
    return root.digest;
  } finally {
    await source.close();
  }
}

async function chooseRoot(source: CopySource, { all, platform }: CopyRequest): Promise<Descriptor> {
  if (all || !isIndexMediaType(source.root.mediaType)) return source.root;
  const wanted = platform === undefined ? DEFAULT_PLATFORMS : [platform];
  const read = async (descriptor: Descriptor) => ({ bytes: await source.document(descriptor) });
  try {
    return (await resolveManifest(source.what, source.root, wanted, read)).descriptor;
  } catch (error) {
    if (!(error instanceof WctrError) || error.code !== 'no-matching-platform') throw error;
    throw new WctrError(error.code, error.message, {
      cause: error,
      data: error.data,
      hint: 'choose a platform by --platform, or copy them --all',
    });
  }
}

async function write(tools: CopyTools, source: CopySource, graph: ImageGraph, request: CopyRequest): Promise<void> {
  const { to, onEvent, signal } = request;
  if (to.kind === 'docker') return toRegistry(tools, source, graph, request);
  const files: GraphSource = {
    graph,
    what: source.what,
    open: (blob) => source.blob(blob),
    createHasher: tools.createHasher,
    onBlob: ({ digest }, outcome) =>
      onEvent?.({ id: shortDigest(digest), status: outcome === 'there' ? 'Already exists' : 'Copied' }),
    onProgress: ({ digest, size }, currentBytes) =>
      onEvent?.({ id: shortDigest(digest), status: 'Copying', currentBytes, totalBytes: size }),
    signal,
  };
  if (to.kind === 'oci') await writeLayout(tools.fs, to.path, files, to.image);
  else await writeArchive(tools.fs, to.path, files, to.kind, to.image);
}

async function toRegistry(
  tools: CopyTools,
  source: CopySource,
  graph: ImageGraph,
  { to, onEvent, signal }: CopyRequest,
): Promise<void> {
  if (to.kind !== 'docker') return;
  const { reference } = to;
  const root = graph.documents.at(-1)!.descriptor;
  if (reference.digest !== undefined && reference.digest !== root.digest) {
    throw new WctrError('digest-mismatch', `${source.what} is ${root.digest}, not ${reference.digest}`, {
      hint: `leave the digest out of ${familiarName(reference)}: it follows from the content`,
    });
  }
  const target = (await tools.client()).target(reference);
  const isSameRegistry = source.repository?.domain === reference.domain;
  await uploadGraph({
    graph,
    target,
    tags: reference.tag === undefined ? [] : [reference.tag],
    open: (blob) => source.blob(blob),
    ...(isSameRegistry ? { mountFrom: () => [source.repository!.path] } : {}),
    onEvent,
    signal,
  });
}

/** Everything an index or manifest is made of, in the order in which it can be put somewhere else. */
import { WctrError } from '../errors.ts';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../spec/image-spec.ts';
import { isIndexMediaType, isManifestMediaType, MAX_INDEX_DEPTH, parseManifest } from './manifest.ts';

export interface GraphDocument {
  readonly descriptor: Descriptor;
  /** As received. */
  readonly bytes: Uint8Array;
}

export interface ImageGraph {
  /** Configs and layers, each once, in the order of the manifests. */
  readonly blobs: readonly Descriptor[];
  /** Children before the indexes that name them; the root is the last. */
  readonly documents: readonly GraphDocument[];
}

const MAX_DOCUMENTS = 4096;

/**
 * Walks down from `root`. `read` gives the verified bytes of a manifest or index. Entries of an index that are neither
 * count as blobs: an index may list anything.
 *
 * @throws invalid-manifest, limit-exceeded, and what `read` throws
 */
export async function imageGraph(
  what: string,
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<Uint8Array>,
): Promise<ImageGraph> {
  const blobs = new Map<Digest, Descriptor>();
  const documents = new Map<Digest, GraphDocument>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { digest, mediaType } = descriptor;
    if (documents.has(digest)) return;
    if (documents.size >= MAX_DOCUMENTS) {
      throw new WctrError('limit-exceeded', `${what} has more than ${MAX_DOCUMENTS} manifests`);
    }
    if (depth > MAX_INDEX_DEPTH) {
      throw new WctrError('invalid-manifest', `${what}: indexes are nested deeper than ${MAX_INDEX_DEPTH}`);
    }
    const bytes = await read(descriptor);
    const parsed = parseManifest(bytes, { what: `manifest ${digest} of ${what}`, mediaType });
    if (parsed.kind === 'manifest') {
      for (const blob of [parsed.config, ...parsed.layers]) if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
    } else {
      for (const entry of parsed.manifests) {
        if (isIndexMediaType(entry.mediaType) || isManifestMediaType(entry.mediaType)) await visit(entry, depth + 1);
        else if (!blobs.has(entry.digest)) blobs.set(entry.digest, entry);
      }
    }
    documents.set(digest, { descriptor: { mediaType: parsed.mediaType, digest, size: bytes.length }, bytes });
  };
  await visit(root, 0);
  return { blobs: [...blobs.values()], documents: [...documents.values()] };
}

const FOREIGN: readonly string[] = [
  MEDIA_TYPE.ociForeignTar,
  MEDIA_TYPE.ociForeignGzip,
  MEDIA_TYPE.ociForeignZstd,
  MEDIA_TYPE.dockerForeignGzip,
];

/** Layers that lie where their descriptor says and may not be given away. */
export function isForeignLayer({ mediaType, urls }: Descriptor): boolean {
  return FOREIGN.includes(mediaType) && urls !== undefined && urls.length > 0;
}

/**
 * Manifests and indexes from outside. The bytes themselves are what is stored and pushed, so fields nobody knows stay
 * as they are; this file only decides whether a document may be believed, and what it says.
 */
import { WctrError } from '../errors.ts';
import { ANNOTATION, type Descriptor, MEDIA_TYPE, type Platform } from '../spec/image-spec.ts';
import { JsonDocument, MAX_DOCUMENT_BYTES } from './json-document.ts';
import { formatPlatform, noMatchingPlatform, platformRank } from './platform.ts';
import { quote } from './quote.ts';

export { MAX_DOCUMENT_BYTES } from './json-document.ts';

export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ManifestOrigin {
  /** How messages call it, e.g. `manifest of hello:latest`. */
  readonly what: string;
  /** From the descriptor that led here. */
  readonly mediaType?: string;
  /** From the HTTP answer; parameters are ignored. */
  readonly contentType?: string;
}

const MAX_LAYERS = 1024;
const MAX_MANIFESTS = 4096;
/** An index inside an index inside an index is allowed, no deeper. */
export const MAX_INDEX_DEPTH = 3;

const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest];
const INDEX_TYPES: readonly string[] = [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerList];
const SCHEMA1_TYPES: readonly string[] = [MEDIA_TYPE.dockerSchema1, MEDIA_TYPE.dockerSchema1Signed];
const TOP_LEVEL = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'subject'];

export function isIndexMediaType(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

export function isManifestMediaType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType);
}

/**
 * Throws `invalid-manifest`, `unsupported-media-type` (schema 1, unknown types) or `limit-exceeded`. A document is read
 * one way only: its own mediaType, the descriptor's, the Content-Type and its shape must all agree (CVE-2021-41190).
 */
export function parseManifest(bytes: Uint8Array, origin: ManifestOrigin): Manifest | Index {
  const document = new JsonDocument(origin.what, bytes);
  const { root } = document;
  refuseLookalikes(document);
  const mediaType = agreedMediaType(document, origin);
  if (SCHEMA1_TYPES.includes(mediaType) || root.schemaVersion === 1) {
    throw new WctrError('unsupported-media-type', `${origin.what} is a Docker schema 1 manifest, a retired format`, {
      hint: 'push the image again with a current tool, or copy it with skopeo copy --format oci',
    });
  }
  if (root.schemaVersion !== 2) throw document.fail('schemaVersion is not 2');
  const annotations = document.annotations(root.annotations, 'annotations') ?? {};
  if (root.manifests !== undefined && (root.layers !== undefined || root.config !== undefined)) {
    throw document.fail('it has both manifests and layers or config, so it could be read two ways');
  }
  if (isIndexMediaType(mediaType)) {
    const manifests = document.array(root.manifests, 'manifests', MAX_MANIFESTS);
    if (manifests === undefined) throw document.fail(`it is typed ${mediaType} but has no manifests`);
    return {
      kind: 'index',
      mediaType,
      manifests: manifests.map((entry, i) => document.descriptor(entry, `manifests[${i}]`)),
      annotations,
    };
  }
  if (!isManifestMediaType(mediaType)) {
    throw new WctrError('unsupported-media-type', `${origin.what} has media type ${quote(mediaType)}`, {
      hint: 'only OCI and Docker v2 schema 2 manifests and indexes are images',
      data: { mediaType },
    });
  }
  return parseImageManifest(document, mediaType, annotations);
}

function parseImageManifest(
  document: JsonDocument,
  mediaType: string,
  annotations: Readonly<Record<string, string>>,
): Manifest {
  const { root } = document;
  const layers = document.array(root.layers, 'layers', MAX_LAYERS);
  if (layers === undefined) throw document.fail(`it is typed ${mediaType} but has no layers`);
  const config = document.descriptor(root.config, 'config');
  if (config.size > MAX_DOCUMENT_BYTES) {
    throw document.fail(`config.size is ${config.size}, more than ${MAX_DOCUMENT_BYTES}`);
  }
  const artifactType = document.mediaType(root.artifactType, 'artifactType');
  return {
    kind: 'manifest',
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config,
    layers: layers.map((layer, i) => document.descriptor(layer, `layers[${i}]`)),
    annotations,
  };
}

/** Go's JSON decoder takes `Layers` for `layers`; a document that uses that reads differently elsewhere. */
function refuseLookalikes(document: JsonDocument): void {
  const lower = TOP_LEVEL.map((key) => key.toLowerCase());
  const odd = Object.keys(document.root).find((key) => !TOP_LEVEL.includes(key) && lower.includes(key.toLowerCase()));
  if (odd !== undefined) throw document.fail(`the field ${quote(odd)} is spelled with the wrong case`);
}

function agreedMediaType(document: JsonDocument, origin: ManifestOrigin): string {
  const own = document.mediaType(document.root.mediaType, 'mediaType');
  const served = origin.contentType?.split(';')[0]?.trim().toLowerCase() || undefined;
  const stated = [own, served, origin.mediaType].filter((type) => type !== undefined);
  const [first] = stated;
  const other = stated.find((type) => type !== first);
  if (first !== undefined && other !== undefined) {
    throw document.fail(`its media type is ${quote(first)} in one place and ${quote(other)} in another`);
  }
  // OCI documents may leave the type out; a layout or archive then goes by the shape
  return first ?? (document.root.manifests === undefined ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.ociIndex);
}

/**
 * Entries of an index that may be tried, best first: those of a wanted platform in the order of the wishes, then those
 * marked as Wasm by annotation whatever their platform says, then those that name no platform. Empty when none fits.
 */
export function rankManifests(index: Index, wanted: readonly Platform[]): readonly Descriptor[] {
  const images = index.manifests.filter((entry) => !isAttestation(entry) && isImageMediaType(entry.mediaType));
  const rank = (entry: Descriptor): number => {
    if (entry.platform === undefined) return isIndexMediaType(entry.mediaType) ? wanted.length + 1 : wanted.length + 2;
    const position = platformRank(wanted, entry.platform);
    if (position >= 0) return position;
    return hasWasmAnnotation(entry.annotations) ? wanted.length : Number.POSITIVE_INFINITY;
  };
  return images
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter((candidate) => Number.isFinite(candidate.rank))
    .sort((a, b) => a.rank - b.rank)
    .map((candidate) => candidate.entry);
}

/** Platforms an index offers, attestations left out. */
export function indexPlatforms(index: Index): readonly Platform[] {
  return index.manifests.flatMap((entry) => (entry.platform && !isAttestation(entry) ? [entry.platform] : []));
}

export function hasWasmAnnotation(annotations: Readonly<Record<string, string>> | undefined): boolean {
  const variant = annotations?.[ANNOTATION.wasmVariant];
  const handler = annotations?.[ANNOTATION.ociHandler];
  return variant === 'compat' || variant === 'compat-smart' || /^wasm/.test(handler ?? '');
}

/** BuildKit's provenance entries: platform unknown/unknown. */
function isAttestation(entry: Descriptor): boolean {
  return (
    entry.annotations?.[ANNOTATION.dockerReferenceType] !== undefined ||
    (entry.platform !== undefined && formatPlatform(entry.platform) === 'unknown/unknown')
  );
}

function isImageMediaType(mediaType: string): boolean {
  return isIndexMediaType(mediaType) || isManifestMediaType(mediaType);
}

export interface ResolvedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** Every index on the way, outermost first. */
  readonly indexes: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
  /** What the index said; the config says it where there was no index. */
  readonly platform: Platform | undefined;
}

/**
 * Walks from what a reference names to one image manifest. `read` fetches and verifies a manifest by descriptor.
 * Throws `no-matching-platform`, and what `parseManifest` throws.
 */
export async function resolveManifest(
  image: string,
  target: Descriptor,
  wanted: readonly Platform[],
  read: (descriptor: Descriptor) => Promise<{ bytes: Uint8Array; contentType?: string }>,
): Promise<ResolvedManifest> {
  const indexes: { descriptor: Descriptor; bytes: Uint8Array }[] = [];
  let descriptor = target;
  let platform: Platform | undefined;
  for (;;) {
    const { bytes, contentType } = await read(descriptor);
    const parsed = parseManifest(bytes, {
      what: `manifest ${descriptor.digest} of ${image}`,
      mediaType: descriptor.mediaType,
      ...(contentType === undefined ? {} : { contentType }),
    });
    if (parsed.kind === 'manifest') return { descriptor, bytes, manifest: parsed, indexes, platform };
    indexes.push({ descriptor, bytes });
    if (indexes.length > MAX_INDEX_DEPTH) {
      throw new WctrError('invalid-manifest', `image ${image}: indexes are nested deeper than ${MAX_INDEX_DEPTH}`);
    }
    const [best] = rankManifests(parsed, wanted);
    if (best === undefined) throw noMatchingPlatform(image, indexPlatforms(parsed), wanted);
    descriptor = best;
    platform = best.platform ?? platform;
  }
}

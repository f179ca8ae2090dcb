/**
 * What the registry has to know of a manifest it is given. Less than a client asks (images/manifest.ts): the bytes are kept
 * as they are, types nobody here knows included, and only what would mislead a client is refused.
 */
import { isDigest } from '../images/digest.ts';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../spec/image-spec.ts';
import { Refusal } from './refusal.ts';

export interface PushedManifest {
  readonly mediaType: string;
  /** Blobs and manifests that have to be in the repository already. */
  readonly needs: { readonly blobs: readonly Digest[]; readonly manifests: readonly Digest[] };
  /** Everything it names by digest, the subject left out. */
  readonly refs: readonly Digest[];
  readonly subject?: Digest;
  /** spec.md, "Listing Referrers": the config's media type stands in for it in an image. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const MEDIA_TYPE_SYNTAX = /^[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}\/[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}$/;
const IMAGES: readonly string[] = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest];
const INDEXES: readonly string[] = [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerList];
/** Layers with these types may live elsewhere for good. */
const FOREIGN: readonly string[] = [
  MEDIA_TYPE.ociForeignTar,
  MEDIA_TYPE.ociForeignGzip,
  MEDIA_TYPE.ociForeignZstd,
  MEDIA_TYPE.dockerForeignGzip,
];
const MAX_ENTRIES = 16_384;

type Fields = Readonly<Record<string, unknown>>;

/** Throws a Refusal with MANIFEST_INVALID. `contentType`: the header, if any. */
export function parsePushedManifest(bytes: Uint8Array, contentType: string | undefined): PushedManifest {
  const root = object(parsed(bytes), 'the manifest');
  const mediaType = agreedMediaType(root, contentType);
  if (root.manifests !== undefined && (root.layers !== undefined || root.config !== undefined)) {
    throw invalid('it has both manifests and layers or config, so it could be read two ways');
  }
  const subject = root.subject === undefined || root.subject === null ? undefined : digestIn(root.subject, 'subject');
  const annotations = annotationsOf(root.annotations);
  const artifactType = textIn(root.artifactType, 'artifactType');
  const shared = {
    mediaType,
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  if (INDEXES.includes(mediaType)) {
    const manifests = list(root.manifests, 'manifests').map((entry, i) => digestIn(entry, `manifests[${i}]`));
    const type = artifactType === undefined ? {} : { artifactType };
    return { ...shared, ...type, needs: { blobs: [], manifests }, refs: unique(manifests) };
  }
  if (!IMAGES.includes(mediaType)) {
    const type = artifactType === undefined ? {} : { artifactType };
    const refs = digestsAnywhere(root).filter((digest) => digest !== subject);
    return { ...shared, ...type, needs: { blobs: [], manifests: [] }, refs };
  }
  const config = digestIn(root.config, 'config');
  const layers = list(root.layers, 'layers').map((entry, i) => {
    const fields = object(entry, `layers[${i}]`);
    const urls = Array.isArray(fields.urls) && fields.urls.length > 0;
    return { digest: digestIn(entry, `layers[${i}]`), isForeign: urls || FOREIGN.includes(String(fields.mediaType)) };
  });
  const type = artifactType ?? textIn(object(root.config, 'config').mediaType, 'config.mediaType');
  return {
    ...shared,
    ...(type === undefined ? {} : { artifactType: type }),
    needs: { blobs: unique([config, ...layers.flatMap((l) => (l.isForeign ? [] : [l.digest]))]), manifests: [] },
    refs: unique([config, ...layers.map(({ digest }) => digest)]),
  };
}

/** A manifest from another registry, with the descriptors of its blobs. Throws as `parsePushedManifest`. */
export function descriptorsOf(
  bytes: Uint8Array,
  contentType: string,
): { readonly manifest: PushedManifest; readonly blobs: readonly Descriptor[] } {
  const manifest = parsePushedManifest(bytes, contentType);
  if (!IMAGES.includes(manifest.mediaType)) return { manifest, blobs: [] };
  // Looked through just now.
  const { config, layers } = parsed(bytes) as { config: Descriptor; layers?: readonly Descriptor[] | null };
  return { manifest, blobs: [config, ...(layers ?? [])] };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw invalid('it is not JSON');
  }
}

/** The header and the document's own field must not disagree: a client would read it as something else (CVE-2021-41190). */
function agreedMediaType(root: Fields, contentType: string | undefined): string {
  const stated = contentType?.split(';')[0]?.trim().toLowerCase() || undefined;
  const own = textIn(root.mediaType, 'mediaType');
  if (stated !== undefined && own !== undefined && own.toLowerCase() !== stated) {
    throw invalid('its mediaType is not the Content-Type it was sent with');
  }
  const mediaType = own ?? stated ?? (root.manifests === undefined ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.ociIndex);
  if (!MEDIA_TYPE_SYNTAX.test(mediaType)) throw invalid('its Content-Type is not a media type');
  return mediaType;
}

function annotationsOf(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = Object.entries(object(value, 'annotations'));
  if (!entries.every(([, text]) => typeof text === 'string')) throw invalid('an annotation is not a string');
  // fromEntries defines own properties, so a key `__proto__` is only a key.
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Of a document of a type nobody knows: whatever looks like a digest might be something it needs. */
function digestsAnywhere(root: unknown): Digest[] {
  const found = new Set<Digest>();
  const open: unknown[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (isDigest(value)) found.add(value);
    else if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) if (inner !== undefined) open.push(inner);
    }
  }
  return [...found];
}

function digestIn(value: unknown, path: string): Digest {
  const { digest, size } = object(value, path);
  if (!isDigest(digest)) throw invalid(`${path}.digest is not a sha256 or sha512 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${path}.size is not a size`);
  return digest;
}

function object(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`${path} is not an object`);
}

/** Go writes an empty list as null. */
function list(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${path} is not a list`);
  if (value.length > MAX_ENTRIES) throw invalid(`${path} has more than ${MAX_ENTRIES} entries`);
  return value;
}

function textIn(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= 255) return value;
  throw invalid(`${path} is not a short string`);
}

function unique(digests: readonly Digest[]): Digest[] {
  return [...new Set(digests)];
}

function invalid(why: string): Refusal {
  return new Refusal('manifestInvalid', `invalid manifest: ${why}`);
}

/** spec.md, "Pulling manifests", "Pushing manifests", "Deleting tags", "Deleting Manifests" (end-3, end-7, end-9). */
import { digestParts, isDigest } from '../../images/digest.ts';
import { GC_LOCK } from '../../images/store/layout.ts';
import { HEADER_CONTENT_DIGEST, MANIFEST_LIMIT_BYTES, manifestPath } from '../../spec/distribution-spec.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import { digestBy, type RegistryContext } from '../context.ts';
import { emptyReply, type RegistryRequest, type Reply, readBody } from '../http.ts';
import { type PushedManifest, parsePushedManifest } from '../pushed-manifest.ts';
import { checkQuota, quotaWarning } from '../quota.ts';
import { Refusal } from '../refusal.ts';
import { checkDigest, isTag } from '../route.ts';

/** A request for more tags at once is a mistake. */
const MAX_TAGS = 100;

export async function getManifest(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  reference: string,
): Promise<Reply> {
  const name = isTag(reference) ? { tag: reference } : { digest: checkDigest(reference) };
  const found = await context.manifests.find(repository, name);
  if (found === undefined) throw await manifestUnknown(context, repository, reference);
  const etag = `"${found.digest}"`;
  const headers = {
    'content-type': found.mediaType,
    'content-length': `${found.bytes.length}`,
    [HEADER_CONTENT_DIGEST]: found.digest,
    etag,
    // The type is the client's choice: a browser that is led here must not take it for a page.
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  };
  if (request.header('if-none-match') === etag) return { status: 304, headers };
  return { status: 200, headers, body: found.bytes };
}

export async function putManifest(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  reference: string,
): Promise<Reply> {
  const expected = isTag(reference) ? undefined : checkDigest(reference);
  const tags = expected === undefined ? [reference] : new URLSearchParams(request.query).getAll('tag');
  if (tags.length > MAX_TAGS) throw new Refusal('unsupported', `more than ${MAX_TAGS} tags at once`, { status: 414 });
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new Refusal('manifestInvalid', 'not a tag', { detail: { tag: wrong.slice(0, 200) } });
  const bytes = await readBody(request, MANIFEST_LIMIT_BYTES);
  if (bytes === undefined) {
    throw new Refusal('manifestInvalid', `manifests of more than ${MANIFEST_LIMIT_BYTES} bytes are not taken`, {
      status: 413,
    });
  }
  const manifest = parsePushedManifest(bytes, request.header('content-type'));
  const algorithm = expected === undefined ? 'sha256' : digestParts(expected).algorithm;
  const digest = digestBy(context.createHasher, algorithm, bytes);
  if (expected !== undefined && digest !== expected) {
    throw new Refusal('digestInvalid', 'provided digest did not match uploaded content', {
      detail: { expected, actual: digest },
    });
  }
  await storeManifest(context, { repository, digest, bytes, manifest, tags }, { isComplete: true });
  const warning = await quotaWarning(context, repository);
  return emptyReply(201, {
    ...(warning === undefined ? {} : { warning }),
    location: manifestPath(repository, expected === undefined ? reference : digest),
    [HEADER_CONTENT_DIGEST]: digest,
    ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject }),
    ...(expected === undefined || tags.length === 0 ? {} : { 'oci-tag': tags.join(', ') }),
  });
}

interface NewManifest {
  readonly repository: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly manifest: PushedManifest;
  readonly tags: readonly string[];
}

/**
 * From the first look at what it needs to the last tag, the collector waits. `isComplete: false` of a cache, where what it
 * needs comes when it is asked for.
 */
export async function storeManifest(
  context: RegistryContext,
  { repository, digest, bytes, manifest, tags }: NewManifest,
  { isComplete }: { readonly isComplete: boolean },
): Promise<void> {
  const { driver, repositories, now } = context;
  const { mediaType, subject, refs, artifactType, annotations } = manifest;
  const lock = await driver.locks.acquire(GC_LOCK, { shared: true });
  try {
    if (isComplete) await checkNeeds(context, repository, manifest);
    await checkQuota(context, repository, bytes.length);
    await driver.blobs.put(digest, bytes);
    const record = { mediaType, size: bytes.length, at: now(), refs, ...(subject === undefined ? {} : { subject }) };
    const referrer: Descriptor = {
      mediaType,
      digest,
      size: bytes.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    await repositories.putManifest(repository, digest, record, referrer);
    for (const tag of tags) await repositories.putTag(repository, tag, digest);
  } finally {
    await lock.release();
    context.manifests.forget(repository);
  }
}

/** spec.md, "Push": what a manifest names has to be here, its subject excepted. */
async function checkNeeds(context: RegistryContext, repository: string, { needs }: PushedManifest): Promise<void> {
  const { repositories, driver } = context;
  const isThere = async (digest: Digest, has: Promise<unknown>) =>
    (await has) !== undefined && (await driver.blobs.size(digest)) !== undefined;
  const looked = await Promise.all([
    ...needs.blobs.map(async (digest) => ({
      digest,
      found: await isThere(digest, repositories.blob(repository, digest)),
    })),
    ...needs.manifests.map(async (digest) => ({
      digest,
      found: await isThere(digest, repositories.manifest(repository, digest)),
    })),
  ]);
  const missing = looked.filter(({ found }) => !found).map(({ digest }) => digest);
  if (missing.length === 0) return;
  throw new Refusal('manifestBlobUnknown', 'manifest references a manifest or blob unknown to registry', {
    detail: { digests: missing.slice(0, 16) },
  });
}

export async function deleteManifest(context: RegistryContext, repository: string, reference: string): Promise<Reply> {
  const { repositories, manifests } = context;
  const isGone = isTag(reference)
    ? await repositories.deleteTag(repository, reference)
    : await repositories.deleteManifest(repository, checkDigest(reference));
  manifests.forget(repository);
  if (!isGone) throw await manifestUnknown(context, repository, reference);
  return emptyReply(202);
}

async function manifestUnknown(context: RegistryContext, repository: string, reference: string): Promise<Refusal> {
  if (!(await context.repositories.exists(repository))) return nameUnknown(repository);
  return new Refusal('manifestUnknown', 'manifest unknown to registry', {
    detail: isDigest(reference) ? { digest: reference } : { tag: reference },
  });
}

export function nameUnknown(repository: string): Refusal {
  return new Refusal('nameUnknown', 'repository name not known to registry', { detail: { name: repository } });
}

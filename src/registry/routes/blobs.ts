/** spec.md, "Pulling blobs", "Checking if content exists", "Deleting blobs" (end-2, end-10). */

import { HEADER_CONTENT_DIGEST } from '../../spec/distribution-spec.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { RegistryContext } from '../context.ts';
import { emptyReply, type RegistryRequest, type Reply } from '../http.ts';
import { parseRange } from '../range.ts';
import { Refusal } from '../refusal.ts';
import { checkDigest } from '../route.ts';

export async function getBlob(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  reference: string,
): Promise<Reply> {
  const digest = checkDigest(reference);
  const sizeBytes = await findBlob(context, repository, digest, request.method === 'HEAD');
  if (sizeBytes === undefined) throw blobUnknown(digest);
  const etag = `"${digest}"`;
  const headers = {
    'content-type': 'application/octet-stream',
    [HEADER_CONTENT_DIGEST]: digest,
    'accept-ranges': 'bytes',
    etag,
    'x-content-type-options': 'nosniff',
    'cache-control': 'max-age=31536000, immutable, private',
  };
  if (request.header('if-none-match') === etag) return { status: 304, headers };
  const { blobs } = context.driver;
  const body = (from: number, to: number) => ({
    from,
    to,
    ...(blobs.path === undefined ? {} : { path: blobs.path(digest) }),
    stream: () => blobs.read(digest, from, to),
  });
  const ranges = request.method === 'GET' && isCurrent(request.header('if-range'), etag);
  const range = ranges ? parseRange(request.header('range'), sizeBytes) : 'whole';
  if (range === 'unsatisfiable') {
    const size = { 'content-range': `bytes */${sizeBytes}` };
    throw new Refusal('sizeInvalid', 'the blob has no such bytes', { status: 416, headers: size });
  }
  if (range === 'whole') {
    return { status: 200, headers: { ...headers, 'content-length': `${sizeBytes}` }, body: body(0, sizeBytes) };
  }
  const { from, to } = range;
  const partial = { 'content-range': `bytes ${from}-${to - 1}/${sizeBytes}`, 'content-length': `${to - from}` };
  return { status: 206, headers: { ...headers, ...partial }, body: body(from, to) };
}

function isCurrent(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange === etag;
}

/**
 * Its size, where this repository has it. `isWanted`: a push may be about to rely on it, so that the collector must not
 * take it for a while.
 */
export async function findBlob(
  context: RegistryContext,
  repository: string,
  digest: Digest,
  isWanted: boolean,
): Promise<number | undefined> {
  const { repositories, driver, now, graceMs } = context;
  const link = await repositories.blob(repository, digest);
  // A manifest is a blob as well, but not one of its repository's blobs: docker-registry tells them apart, and so do tests.
  if (link === undefined) return undefined;
  const sizeBytes = await driver.blobs.size(digest);
  if (sizeBytes === undefined) return undefined;
  if (isWanted && now() - link.at > graceMs / 2) {
    await repositories.linkBlob(repository, digest, { size: sizeBytes, at: now() });
  }
  return sizeBytes;
}

export async function deleteBlob(context: RegistryContext, repository: string, reference: string): Promise<Reply> {
  const digest = checkDigest(reference);
  if (!(await context.repositories.unlinkBlob(repository, digest))) throw blobUnknown(digest);
  return emptyReply(202);
}

function blobUnknown(digest: Digest): Refusal {
  return new Refusal('blobUnknown', 'blob unknown to registry', { detail: { digest } });
}

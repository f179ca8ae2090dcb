/** spec.md, "Pushing blobs", "Pushing a blob in chunks", "Cancel a blob upload", "Mounting a blob" (end-4 to end-6, 11, 13, 14). */
import { type DigestAlgorithm, digestParts, isDigest } from '../../images/digest.ts';
import { GC_LOCK } from '../../images/store/layout.ts';
import { blobPath, HEADER_CONTENT_DIGEST } from '../../spec/distribution-spec.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { RegistryContext } from '../context.ts';
import { emptyReply, type RegistryRequest, type Reply } from '../http.ts';
import { checkQuota } from '../quota.ts';
import { parseChunkRange } from '../range.ts';
import { Refusal } from '../refusal.ts';
import { checkDigest, isRepository } from '../route.ts';
import type { UploadSession } from '../upload-sessions.ts';
import { findBlob } from './blobs.ts';

/** `mayPull`: whether this client may read another repository. */
export async function startUpload(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  mayPull: (repository: string) => boolean,
): Promise<Reply> {
  const query = new URLSearchParams(request.query);
  const mount = query.get('mount');
  if (mount !== null) {
    const mounted = await mountBlob(context, repository, mount, query.get('from'), mayPull);
    if (mounted !== undefined) return mounted;
  }
  const whole = query.get('digest');
  const digest = whole === null ? undefined : checkDigest(whole);
  const algorithm = digest === undefined ? algorithmOf(query.get('digest-algorithm')) : digestParts(digest).algorithm;
  const session = await context.sessions.begin(repository, algorithm);
  try {
    if (digest === undefined) return accepted(repository, session);
    await receive(context, request, repository, session);
    return await finish(context, repository, session, digest);
  } catch (error) {
    // Nobody knows of it yet.
    await session.cancel().catch(() => {});
    throw error;
  } finally {
    await session.release();
  }
}

function algorithmOf(text: string | null): DigestAlgorithm {
  if (text === null || text === 'sha256') return 'sha256';
  if (text === 'sha512') return 'sha512';
  throw new Refusal('digestInvalid', 'unknown digest algorithm: use sha256 or sha512');
}

export async function appendChunk(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  id: string,
): Promise<Reply> {
  const session = await context.sessions.resume(repository, id);
  try {
    await receive(context, request, repository, session);
    return accepted(repository, session);
  } finally {
    await session.release();
  }
}

export async function endUpload(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  id: string,
): Promise<Reply> {
  const session = await context.sessions.resume(repository, id);
  try {
    const digest = checkDigest(new URLSearchParams(request.query).get('digest') ?? '');
    await receive(context, request, repository, session);
    return await finish(context, repository, session, digest);
  } finally {
    await session.release();
  }
}

export async function uploadStatus(context: RegistryContext, repository: string, id: string): Promise<Reply> {
  const session = await context.sessions.resume(repository, id);
  await session.release();
  return emptyReply(204, progress(repository, session));
}

export async function cancelUpload(context: RegistryContext, repository: string, id: string): Promise<Reply> {
  const session = await context.sessions.resume(repository, id);
  try {
    await session.cancel();
  } finally {
    await session.release();
  }
  return emptyReply(204);
}

function accepted(repository: string, session: UploadSession): Reply {
  return emptyReply(202, progress(repository, session));
}

function progress(repository: string, { id, sizeBytes }: UploadSession): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
    'docker-upload-uuid': id,
  };
}

/** Takes the body in. What came before a connection broke stays, for the client to go on from. */
async function receive(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  session: UploadSession,
): Promise<void> {
  const contentRange = request.header('content-range');
  const announced = Number(request.header('content-length') ?? Number.NaN);
  let expected = Number.isSafeInteger(announced) ? announced : undefined;
  if (contentRange !== undefined) {
    const range = parseChunkRange(contentRange);
    if (range === undefined)
      throw new Refusal('blobUploadInvalid', 'Content-Range is not <first>-<last>', { status: 416 });
    if (range.from !== session.sizeBytes) {
      throw new Refusal('blobUploadInvalid', `the next chunk begins at ${session.sizeBytes}`, {
        status: 416,
        headers: progress(repository, session),
      });
    }
    if (expected !== undefined && expected !== range.to - range.from) {
      throw new Refusal('sizeInvalid', 'Content-Range and Content-Length disagree');
    }
    expected = range.to - range.from;
  }
  await checkQuota(context, repository, session.sizeBytes + (expected ?? 0));
  const { blobBytes = Number.MAX_SAFE_INTEGER } = context.limits;
  let received = 0;
  for await (const chunk of request.body()) {
    received += chunk.length;
    if (received > (expected ?? Number.MAX_SAFE_INTEGER)) {
      throw new Refusal('sizeInvalid', 'the body is longer than was announced');
    }
    if (session.sizeBytes + chunk.length > blobBytes) {
      throw new Refusal('sizeInvalid', `blobs of more than ${blobBytes} bytes are not taken`, { status: 413 });
    }
    await session.append(chunk);
  }
  if (contentRange !== undefined && received !== expected) {
    throw new Refusal('sizeInvalid', 'the body is shorter than was announced');
  }
}

async function finish(
  context: RegistryContext,
  repository: string,
  session: UploadSession,
  digest: Digest,
): Promise<Reply> {
  const { sizeBytes } = session;
  const actual = await session.finish(digestParts(digest).algorithm);
  if (actual !== digest) {
    await session.cancel();
    throw new Refusal('digestInvalid', 'provided digest did not match uploaded content', {
      detail: { expected: digest, actual },
    });
  }
  const { driver, repositories, now } = context;
  const lock = await driver.locks.acquire(GC_LOCK, { shared: true });
  try {
    await checkQuota(context, repository, sizeBytes);
    await session.commit(digest);
    await repositories.linkBlob(repository, digest, { size: sizeBytes, at: now() });
  } finally {
    await lock.release();
  }
  return created(repository, digest);
}

function created(repository: string, digest: Digest): Reply {
  return emptyReply(201, { location: blobPath(repository, digest), [HEADER_CONTENT_DIGEST]: digest });
}

/** How many repositories are looked through when the client does not say where the blob is. */
const MAX_SEARCHED = 1_000;

/** Undefined: there is nothing to mount, and an upload begins instead. */
async function mountBlob(
  context: RegistryContext,
  repository: string,
  mount: string,
  from: string | null,
  mayPull: (repository: string) => boolean,
): Promise<Reply | undefined> {
  const { driver, repositories, now } = context;
  if (!isDigest(mount)) return undefined;
  const lock = await driver.locks.acquire(GC_LOCK, { shared: true });
  try {
    const sources = from === null ? (await repositories.names()).slice(0, MAX_SEARCHED) : [from];
    for (const source of sources) {
      if (!isRepository(source) || !mayPull(source)) continue;
      const size = await findBlob(context, source, mount, true);
      if (size === undefined) continue;
      await checkQuota(context, repository, size);
      await repositories.linkBlob(repository, mount, { size, at: now() });
      return created(repository, mount);
    }
    return undefined;
  } finally {
    await lock.release();
  }
}

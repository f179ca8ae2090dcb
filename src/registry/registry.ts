/**
 * A registry of distribution-spec 1.1 over a storage driver: requests in, answers out, without a listener, so that the same
 * one runs behind Node's sockets, under Deno and Bun, and in a service worker. Not on the daemon's router: names with
 * slashes are what its patterns cannot say, and a path read from its end takes a tenth of the time.
 */
import type { CreateHasher } from '../images/digest.ts';
import type { Digest } from '../spec/image-spec.ts';
import { type CollectOptions, collectRegistry, type RegistryGarbage } from './collect.ts';
import { digestBy, type RegistryContext, type RegistryLimits } from './context.ts';
import { fromWeb, jsonReply, type RegistryRequest, type Reply, toWeb } from './http.ts';
import { ManifestCache } from './manifest-cache.ts';
import { Refusal, replyFor } from './refusal.ts';
import { Repositories } from './repositories.ts';
import { checkRepository, parseRoute, type Route } from './route.ts';
import { deleteBlob, getBlob } from './routes/blobs.ts';
import { listReferrers, listRepositories, listTags } from './routes/listings.ts';
import { deleteManifest, getManifest, putManifest } from './routes/manifests.ts';
import { appendChunk, cancelUpload, endUpload, startUpload, uploadStatus } from './routes/uploads.ts';
import type { Driver } from './storage/driver.ts';
import { UploadSessions } from './upload-sessions.ts';

export interface RegistryOptions {
  readonly driver: Driver;
  readonly createHasher: CreateHasher;
  readonly limits?: Partial<RegistryLimits>;
  /** Nothing may be pushed or deleted. */
  readonly readOnly?: boolean;
  /** How long the collector leaves alone what no manifest needs; default an hour. */
  readonly graceMs?: number;
  /** Hears of errors nobody threw on purpose: the client is told only that there was one. */
  readonly onInternalError?: (error: unknown) => void;
  readonly now?: () => number;
}

export interface Registry {
  handle(request: RegistryRequest): Promise<Reply>;
  fetch(request: Request): Promise<Response>;
  /** Removes what nothing needs, while everything else goes on. */
  collect(options?: CollectOptions): Promise<RegistryGarbage>;
}

const DEFAULT_GRACE_MS = 60 * 60_000;

export function createRegistry(options: RegistryOptions): Registry {
  const { driver, createHasher, limits, now = Date.now, graceMs = DEFAULT_GRACE_MS } = options;
  const repositories = new Repositories(driver);
  const load = async (digest: Digest, sizeBytes: number) => {
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    for await (const chunk of driver.blobs.read(digest, 0, sizeBytes)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const algorithm = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
    if (digestBy(createHasher, algorithm, bytes) === digest) return bytes;
    // Told apart from one that is not there in the log; the client can only push it again.
    options.onInternalError?.(new Error(`manifest ${digest} in the store is damaged or gone`));
    return undefined;
  };
  const context: RegistryContext = {
    driver,
    repositories,
    sessions: new UploadSessions({ driver, createHasher, now, randomId: () => crypto.randomUUID() }),
    manifests: new ManifestCache({ driver, repositories, now, load }),
    createHasher,
    now,
    graceMs,
    limits: { repositoryBytes: undefined, blobBytes: undefined, ...limits },
  };

  const handle = async (request: RegistryRequest): Promise<Reply> => {
    try {
      const route = parseRoute(request.path);
      if (route === undefined) return pageNotFound();
      if (options.readOnly === true && !isRead(request.method))
        throw new Refusal('unsupported', 'the registry is read-only');
      return await dispatch(context, request, route);
    } catch (error) {
      const { reply, isInternal } = replyFor(error);
      if (isInternal) options.onInternalError?.(error);
      return reply;
    }
  };

  return {
    handle,
    fetch: async (request) => toWeb(await handle(fromWeb(request)), request.method),
    collect: (collectOptions = {}) => collectRegistry(context, collectOptions),
  };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function pageNotFound(): Reply {
  return jsonReply(404, { errors: [{ code: 'UNSUPPORTED', message: 'no such path' }] });
}

const everyone = () => true;

async function dispatch(context: RegistryContext, request: RegistryRequest, route: Route): Promise<Reply> {
  const { method } = request;
  switch (route.kind) {
    case 'ping':
      return isRead(method) ? jsonReply(200, {}) : notAllowed('GET, HEAD');
    case 'catalog':
      return isRead(method) ? listRepositories(context, request, everyone) : notAllowed('GET, HEAD');
  }
  const repository = checkRepository(route.repository);
  switch (route.kind) {
    case 'tags':
      return isRead(method) ? listTags(context, request, repository) : notAllowed('GET, HEAD');
    case 'referrers':
      return isRead(method) ? listReferrers(context, request, repository, route.reference) : notAllowed('GET, HEAD');
    case 'blob':
      if (isRead(method)) return getBlob(context, request, repository, route.reference);
      if (method === 'DELETE') return deleteBlob(context, repository, route.reference);
      return notAllowed('GET, HEAD, DELETE');
    case 'manifest':
      if (isRead(method)) return getManifest(context, request, repository, route.reference);
      if (method === 'PUT') return putManifest(context, request, repository, route.reference);
      if (method === 'DELETE') return deleteManifest(context, repository, route.reference);
      return notAllowed('GET, HEAD, PUT, DELETE');
    case 'uploads':
      return method === 'POST' ? startUpload(context, request, repository, everyone) : notAllowed('POST');
    case 'upload':
      if (isRead(method)) return uploadStatus(context, repository, route.id);
      if (method === 'PATCH') return appendChunk(context, request, repository, route.id);
      if (method === 'PUT') return endUpload(context, request, repository, route.id);
      if (method === 'DELETE') return cancelUpload(context, repository, route.id);
      return notAllowed('GET, PATCH, PUT, DELETE');
  }
}

function notAllowed(allow: string): Reply {
  const body = { errors: [{ code: 'UNSUPPORTED', message: 'the operation is unsupported' }] };
  return jsonReply(405, body, { allow });
}

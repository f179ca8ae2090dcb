/**
 * A registry of distribution-spec 1.1 over a storage driver: requests in, answers out, without a listener, so that the same
 * one runs behind Node's sockets, under Deno and Bun, and in a service worker. Not on the daemon's router: names with
 * slashes are what its patterns cannot say, and a path read from its end takes a tenth of the time.
 */
import { type CreateHasher, digestParts } from '../images/digest.ts';
import type { Digest } from '../spec/image-spec.ts';
import { type Access, type Action, type Authenticator, OPEN_TO_ALL } from './access/access.ts';
import { checkOrigin, corsHeaders, type OriginRules } from './access/origins.ts';
import { RateLimit } from './access/rate-limit.ts';
import { type CollectOptions, collectRegistry, type RegistryGarbage } from './collect.ts';
import { digestBy, type RegistryContext, type RegistryLimits } from './context.ts';
import { fromWeb, jsonReply, type RegistryRequest, type Reply, toWeb } from './http.ts';
import { ManifestCache } from './manifest-cache.ts';
import { Metrics } from './metrics.ts';
import { pageReply } from './page/page.ts';
import { PullThrough, type PullThroughOptions } from './pull-through.ts';
import { Refusal, replyFor } from './refusal.ts';
import { Repositories } from './repositories.ts';
import { checkRepository, isRepository, parseRoute, type Route } from './route.ts';
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
  /** Default: whoever reaches the registry may do everything. */
  readonly logins?: Authenticator;
  /** Default: pages of other origins may read only, and the registry answers to any name. */
  readonly origins?: OriginRules;
  /** A cache of another registry: nothing can be pushed to it. */
  readonly pullThrough?: PullThroughOptions;
  /** Requests a second for each client. */
  readonly rateLimit?: number;
  /** Nothing may be pushed or deleted. */
  readonly readOnly?: boolean;
  /** Shows a page to look around at `/`. */
  readonly page?: boolean;
  /** Answers /metrics to those who may log in. */
  readonly metrics?: boolean;
  /** How long the collector leaves alone what no manifest needs; default an hour. */
  readonly graceMs?: number;
  /** Told of every request when its answer is ready. */
  readonly onRequest?: (entry: LogEntry) => void;
  /** Hears of errors nobody threw on purpose: the client is told only that there was one. */
  readonly onInternalError?: (error: unknown) => void;
  readonly now?: () => number;
}

/** One request, without anything secret: no headers, no query. */
export interface LogEntry {
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  /** Announced by the answer. */
  readonly bytes: number;
  readonly remote?: string;
  readonly user?: string;
}

export interface Registry {
  handle(request: RegistryRequest): Promise<Reply>;
  fetch(request: Request): Promise<Response>;
  /** Removes what nothing needs, while everything else goes on. */
  collect(options?: CollectOptions): Promise<RegistryGarbage>;
}

const DEFAULT_GRACE_MS = 60 * 60_000;

export function createRegistry(options: RegistryOptions): Registry {
  const { now = Date.now } = options;
  const context = contextOf(options, now);
  const metrics = options.metrics === true ? new Metrics(() => context.sessions.active) : undefined;
  const rateLimit = options.rateLimit === undefined ? undefined : new RateLimit(options.rateLimit, now);
  const { logins, origins = { origins: [] } } = options;
  const cache = options.pullThrough === undefined ? undefined : new PullThrough(context, options.pullThrough);
  const readOnly = options.readOnly === true || cache !== undefined;

  /** What is known of a request by the time its answer is ready. */
  interface Seen {
    route: Route | undefined;
    user: string | undefined;
  }

  const answer = async (request: RegistryRequest, seen: Seen): Promise<Reply> => {
    const preflight = checkOrigin(origins, request);
    if (preflight !== undefined) return preflight;
    rateLimit?.take(request.remote ?? '');
    const page = options.page === true && isRead(request.method) ? pageReply(request.path) : undefined;
    if (page !== undefined) return page;
    const endpoint = logins?.endpoint?.(request);
    if (endpoint !== undefined) return endpoint;
    const access = logins === undefined ? OPEN_TO_ALL : await logins.identify(request);
    if (access === undefined) throw unauthorized(logins!, request, undefined);
    seen.user = access.user;
    if (metrics !== undefined && request.path === '/metrics') {
      if (logins !== undefined && !access.user) throw unauthorized(logins, request, undefined);
      return textReply(metrics.text(), 'text/plain; version=0.0.4');
    }
    const route = parseRoute(request.path);
    seen.route = route;
    if (route === undefined) return pageNotFound();
    if (readOnly && !isRead(request.method)) throw new Refusal('unsupported', 'the registry is read-only');
    if (logins !== undefined) authorize(logins, access, request, route);
    const warning = cache === undefined ? undefined : await bring(cache, request.method, route);
    const reply = await dispatch(context, request, route, (repository) => access.may(repository, 'pull'));
    return warning === undefined ? reply : { ...reply, headers: { ...reply.headers, warning } };
  };

  const handle = async (request: RegistryRequest): Promise<Reply> => {
    const seen: Seen = { route: undefined, user: undefined };
    const startedMs = metrics === undefined && options.onRequest === undefined ? 0 : performance.now();
    let reply: Reply;
    try {
      reply = await answer(request, seen);
    } catch (error) {
      const failed = replyFor(error);
      if (failed.isInternal) options.onInternalError?.(error);
      reply = failed.reply;
    }
    if (request.header('origin') !== undefined) {
      reply = { ...reply, headers: { ...reply.headers, ...corsHeaders(origins, request) } };
    }
    const durationMs = startedMs === 0 ? 0 : performance.now() - startedMs;
    metrics?.count(request.method, seen.route?.kind ?? 'other', reply, durationMs);
    options.onRequest?.({
      time: new Date(now()).toISOString(),
      method: request.method,
      path: request.path,
      status: reply.status,
      durationMs: Math.round(durationMs * 1000) / 1000,
      bytes: Number(reply.headers['content-length'] ?? 0),
      ...(request.remote === undefined ? {} : { remote: request.remote }),
      ...(seen.user === undefined ? {} : { user: seen.user }),
    });
    return reply;
  };

  return {
    handle,
    fetch: async (request) => toWeb(await handle(fromWeb(request)), request.method),
    collect: (collectOptions = {}) => collectRegistry(context, collectOptions),
  };
}

function contextOf(options: RegistryOptions, now: () => number): RegistryContext {
  const { driver, createHasher, limits, graceMs = DEFAULT_GRACE_MS } = options;
  const repositories = new Repositories(driver);
  const load = async (digest: Digest, sizeBytes: number) => {
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    for await (const chunk of driver.blobs.read(digest, 0, sizeBytes)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    if (digestBy(createHasher, digestParts(digest).algorithm, bytes) === digest) return bytes;
    // The client is told that there is none, and can only push it again.
    options.onInternalError?.(new Error(`manifest ${digest} in the store is damaged`));
    return undefined;
  };
  return {
    driver,
    repositories,
    sessions: new UploadSessions({ driver, createHasher, now, randomId: () => crypto.randomUUID() }),
    manifests: new ManifestCache({ driver, repositories, now, load }),
    createHasher,
    now,
    graceMs,
    limits: { repositoryBytes: undefined, blobBytes: undefined, ...limits },
  };
}

/** Has what is asked for brought here first. */
async function bring(cache: PullThrough, method: string, route: Route): Promise<string | undefined> {
  if (!isRead(method) || !('reference' in route) || !isRepository(route.repository)) return undefined;
  if (route.kind === 'manifest') return cache.bringManifest(route.repository, route.reference);
  if (route.kind === 'blob') await cache.bringBlob(route.repository, route.reference);
  return undefined;
}

/** Throws UNAUTHORIZED where a login may help, DENIED where it will not. */
function authorize(logins: Authenticator, access: Access, request: RegistryRequest, route: Route): void {
  if (!('repository' in route)) {
    if (access.user === undefined) throw unauthorized(logins, request, undefined);
    return;
  }
  const action = actionOf(route, request.method);
  const { repository } = route;
  if (!isRepository(repository) || access.may(repository, action)) return;
  // Pushing begins with looking what is there.
  const actions = action === 'pull' ? 'pull' : `pull,${action}`;
  throw unauthorized(logins, request, `repository:${repository}:${actions}`);
}

function actionOf(route: Route, method: string): Action {
  if (route.kind === 'upload' || route.kind === 'uploads') return 'push';
  return isRead(method) ? 'pull' : method === 'DELETE' ? 'delete' : 'push';
}

function unauthorized(logins: Authenticator, request: RegistryRequest, scope: string | undefined): Refusal {
  const challenge = logins.challenge(request, scope, request.header('authorization') !== undefined);
  return new Refusal('unauthorized', 'authentication required', { headers: { 'www-authenticate': challenge } });
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function textReply(text: string, contentType: string): Reply {
  const body = new TextEncoder().encode(text);
  return { status: 200, headers: { 'content-type': contentType, 'content-length': `${body.length}` }, body };
}

function pageNotFound(): Reply {
  return jsonReply(404, { errors: [{ code: 'UNSUPPORTED', message: 'no such path' }] });
}

async function dispatch(
  context: RegistryContext,
  request: RegistryRequest,
  route: Route,
  mayPull: (repository: string) => boolean,
): Promise<Reply> {
  const { method } = request;
  switch (route.kind) {
    case 'ping':
      return isRead(method) ? jsonReply(200, {}) : notAllowed('GET, HEAD');
    case 'catalog':
      return isRead(method) ? listRepositories(context, request, mayPull) : notAllowed('GET, HEAD');
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
      return method === 'POST' ? startUpload(context, request, repository, mayPull) : notAllowed('POST');
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

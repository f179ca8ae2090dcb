/**
 * The Docker Engine API over an Engine: Request -> Response, without a listener, so that it is tested without sockets and
 * served by whatever a host has. https://docs.docker.com/reference/api/engine/version/v1.51/
 */
import { Hono } from 'hono';
import type { Engine } from '../engine/engine.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { HttpService, Upgraded } from '../host/http.ts';
import { API_VERSION, MIN_API_VERSION } from '../spec/engine-api.ts';
import type { Api } from './api.ts';
import type { BuildkitDoor } from './buildkit/door.ts';
import type { BuildkitHost } from './buildkit/host.ts';
import { errorReply, pageNotFound } from './reply.ts';
import { absentRoutes } from './routes/absent.ts';
import { archiveRoutes } from './routes/archives.ts';
import { buildRoutes } from './routes/build.ts';
import { checkpointRoutes } from './routes/checkpoints.ts';
import { containerRoutes } from './routes/containers.ts';
import { execRoutes, upgradeExec } from './routes/exec.ts';
import { imageRoutes } from './routes/images.ts';
import { networkRoutes } from './routes/networks.ts';
import { attachRoutes, upgradeAttach } from './routes/streams.ts';
import { systemRoutes } from './routes/system.ts';
import { volumeRoutes } from './routes/volumes.ts';

export interface DaemonOptions {
  readonly version: string;
  /** Hears of errors nobody threw on purpose: the client is told only that there was one. */
  readonly onInternalError?: (error: unknown) => void;
  /** With it BuildKit's clients are served: buildx, and `docker build` where it has buildx. */
  readonly buildkit?: BuildkitHost;
}

export function createDaemon(engine: Engine, options: DaemonOptions): HttpService {
  const app = new Hono({ getPath: (request) => route(new URL(request.url).pathname).path });
  const { version, buildkit, onInternalError } = options;
  let door: Promise<BuildkitDoor> | undefined;
  const openDoor = (host: BuildkitHost) => {
    door ??= import('./buildkit/door.ts').then((module) =>
      module.openDoor({
        builds: engine.builds,
        host,
        version,
        ...(onInternalError === undefined ? {} : { onInternalError }),
      }),
    );
    return door;
  };
  const api: Api = {
    app,
    engine,
    version,
    ...(buildkit === undefined ? {} : { buildkit: () => openDoor(buildkit) }),
    failedExecs: new Map(),
  };
  app.use(async (context, next) => {
    await next();
    // Clients learn the version to speak from any answer.
    const { headers } = context.res;
    headers.set('api-version', API_VERSION);
    headers.set('server', `wctr/${version}`);
    // Checkpoints are docker's experiment: its command line offers them only to a daemon that says so.
    headers.set('docker-experimental', 'true');
  });
  systemRoutes(api);
  containerRoutes(api);
  checkpointRoutes(api);
  attachRoutes(api);
  archiveRoutes(api);
  execRoutes(api);
  imageRoutes(api);
  buildRoutes(api);
  volumeRoutes(api);
  networkRoutes(api);
  absentRoutes(api);
  app.notFound(() => pageNotFound());
  const failed = (error: unknown) => {
    if (!isWctrError(error)) onInternalError?.(error);
    return errorReply(error);
  };
  app.onError(failed);
  return {
    async fetch(request) {
      const refusal = refuse(request);
      return refusal ?? app.fetch(request);
    },
    async upgrade(request): Promise<Response | Upgraded> {
      const refusal = refuse(request);
      if (refusal !== undefined) return refusal;
      const { path } = route(new URL(request.url).pathname);
      const [, kind, id, verb, ...more] = path.split('/');
      try {
        if (request.method === 'POST' && more.length === 0 && id !== undefined) {
          if (kind === 'containers' && verb === 'attach') return await upgradeAttach(engine, request, named(id));
          if (kind === 'exec' && verb === 'start') return await upgradeExec(api, request, named(id));
        }
        if (api.buildkit !== undefined && (path === '/grpc' || path === '/session')) {
          const upgraded = (await api.buildkit()).upgrade(request, path);
          if (upgraded !== undefined) return upgraded;
        }
      } catch (error) {
        return failed(error);
      }
      // An offer to speak another protocol may be left alone (RFC 9110, 7.8): Go's client sends it with `exec -d` too.
      return app.fetch(request);
    },
  };
}

function refuse(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  const { version } = route(pathname);
  if (version === undefined) return undefined;
  try {
    // Bad escapes would otherwise surface where a name is read.
    decodeURIComponent(pathname);
  } catch {
    return errorReply(new WctrError('invalid-argument', 'malformed path'));
  }
  if (compare(version, MIN_API_VERSION) < 0) {
    const least = `Minimum supported API version is ${MIN_API_VERSION}`;
    const advice = 'please upgrade your client to a newer version';
    return errorReply(new WctrError('invalid-argument', `client version ${version} is too old. ${least}, ${advice}`));
  }
  if (compare(version, API_VERSION) > 0) {
    const most = `Maximum supported API version is ${API_VERSION}`;
    return errorReply(new WctrError('invalid-argument', `client version ${version} is too new. ${most}`));
  }
  return undefined;
}

function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/** An image's name has slashes; the router wants it as one piece. */
const IMAGE_VERB = /^\/(images|distribution)\/(.+)\/(json|history|push|tag|get)$/;
const IMAGE = /^\/images\/(.+)$/;

/** `/v1.50/images/a/b/json` -> version `1.50`, path `/images/a%2Fb/json`. */
function route(pathname: string): { path: string; version?: string } {
  const [whole, version] = /^\/v(\d{1,3}\.\d{1,3})(?=\/)/.exec(pathname) ?? [''];
  const path = oneSegment(pathname.slice(whole.length) || '/');
  return version === undefined ? { path } : { path, version };
}

function oneSegment(path: string): string {
  const [, kind, name, verb] = IMAGE_VERB.exec(path) ?? [];
  if (name !== undefined) return `/${kind}/${name.replaceAll('/', '%2F')}/${verb}`;
  const [, whole] = IMAGE.exec(path) ?? [];
  return whole === undefined ? path : `/images/${whole.replaceAll('/', '%2F')}`;
}

function named(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'malformed path', { cause });
  }
}

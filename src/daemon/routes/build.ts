/** `POST /build`: docker's classic builder, as clients without BuildKit ask for it. */
import type { BuildContextSource, BuildRequest, CacheLocation } from '../../engine/builds.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import type { Api } from '../api.ts';
import { type BuildLine, ClassicBuild } from '../classic-build.ts';
import { answerFrom, chunksOf, errorBody, errorLine, json, nothing } from '../reply.ts';
import { filters, flag, integer, registryConfig, stringMap, text } from '../request.ts';
import { toldEvents } from '../told-events.ts';

export function buildRoutes({ app, engine, buildkit }: Api): void {
  /** Those a client gave a name to cancel them by. */
  const running = new Map<string, AbortController>();

  app.post('/build', async ({ req }) => {
    const url = new URL(req.url);
    const left = new AbortController();
    req.raw.signal.addEventListener('abort', () => left.abort(), { once: true });
    const name = text(url, 'buildid');
    if (buildkit !== undefined && text(url, 'version') === '2') {
      if (name !== undefined) running.set(name, left);
      const lines = (await buildkit()).build(url, left.signal);
      return answerFrom(
        until(lines, () => running.delete(name ?? '')),
        (line) => line,
        buildErrorLine,
      );
    }
    const request = buildRequest(url, req.raw);
    const isQuiet = flag(url, 'q');
    if (name !== undefined) running.set(name, left);
    const lines = toldEvents<BuildLine>(async (emit) => {
      const shown = new ClassicBuild(isQuiet ? () => {} : emit);
      try {
        const outcome = await engine.builds.build({
          ...request,
          signal: left.signal,
          onPlan: (steps) => shown.plan(steps),
          onStatus: (status) => shown.update(status),
        });
        shown.finish(outcome);
        if (isQuiet && outcome.imageId !== undefined) emit({ stream: `${outcome.imageId}\n` });
      } finally {
        if (name !== undefined) running.delete(name);
      }
    }, left);
    return answerFrom(lines, (line) => line, buildErrorLine);
  });

  app.post('/build/cancel', ({ req }) => {
    running.get(text(new URL(req.url), 'id') ?? '')?.abort();
    return nothing();
  });

  app.post('/build/prune', async ({ req }) => {
    const url = new URL(req.url);
    const keepBytes = ['max-used-space', 'keep-storage', 'reserved-space']
      .map((name) => integer(url, name))
      .find(Boolean);
    return json(
      await engine.builds.prune({
        all: flag(url, 'all'),
        filters: filters(url),
        ...(keepBytes === undefined ? {} : { keepBytes }),
      }),
    );
  });
}

async function* until<T>(lines: AsyncIterable<T>, over: () => void): AsyncGenerator<T> {
  try {
    yield* lines;
  } finally {
    over();
  }
}

/** Parameters of limits we cannot keep, and what clients send who want none. */
const NO_LIMITS: Readonly<Record<string, RegExp>> = {
  memswap: /^(0|-1)?$/,
  cpushares: /^0?$/,
  cpuperiod: /^0?$/,
  cpuquota: /^0?$/,
  cpusetcpus: /^$/,
  cpusetmems: /^$/,
  shmsize: /^0?$/,
  cgroupparent: /^$/,
  ulimits: /^(null|\[\])?$/,
  securityopt: /^(null|\[\])?$/,
  isolation: /^(default)?$/,
  squash: /^(0|false|no|none)?$/i,
};

/** Throws `invalid-argument` and `unsupported`. */
function buildRequest(url: URL, request: Request): BuildRequest {
  for (const [name, none] of Object.entries(NO_LIMITS)) {
    const value = url.searchParams.get(name) ?? '';
    if (!none.test(value.trim())) throw new WctrError('unsupported', `a build takes no ${name}`);
  }
  if (text(url, 'version') === '2' || text(url, 'remote') === 'client-session') {
    throw new WctrError('unsupported', 'POST /build is the classic builder: BuildKit is served at /grpc', {
      hint: 'use docker buildx, or DOCKER_BUILDKIT=0',
    });
  }
  const dockerfile = text(url, 'dockerfile');
  const target = text(url, 'target');
  const platform = text(url, 'platform');
  const memoryBytes = integer(url, 'memory');
  const network = networkOf(text(url, 'networkmode'));
  const credentials = registryConfig(request);
  return {
    context: contextOf(text(url, 'remote'), request),
    tags: url.searchParams.getAll('t').filter((name) => name !== ''),
    buildArgs: stringMap(url, 'buildargs'),
    labels: onlyTexts(stringMap(url, 'labels')),
    noCache: flag(url, 'nocache'),
    pull: flag(url, 'pull'),
    extraHosts: extraHosts(url),
    cacheFrom: cacheFrom(url),
    ...(dockerfile === undefined ? {} : { dockerfile: { path: dockerfile } }),
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platforms: [platform] }),
    ...(network === undefined ? {} : { network }),
    ...(memoryBytes === undefined || memoryBytes <= 0 ? {} : { memoryBytes }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

function contextOf(remote: string | undefined, request: Request): BuildContextSource {
  return remote === undefined ? { tar: chunksOf(request.body) } : { address: remote };
}

function networkOf(mode: string | undefined): BuildRequest['network'] {
  if (mode === undefined || mode === 'default' || mode === 'bridge') return undefined;
  if (mode === 'none' || mode === 'host') return mode;
  throw new WctrError('unsupported', `network mode "${mode}" is not supported by a build`, {
    hint: 'use default, none or host',
  });
}

function onlyTexts(map: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, value ?? '']));
}

/** `host:ip`, once for each; docker-py separates them by commas. */
function extraHosts(url: URL): readonly string[] {
  return url.searchParams
    .getAll('extrahosts')
    .flatMap((value) => value.split(','))
    .filter((value) => value !== '');
}

/** Images whose steps may be used: a JSON list. One that is not to be had is no reason to fail. */
function cacheFrom(url: URL): readonly CacheLocation[] {
  const value = text(url, 'cachefrom');
  if (value === undefined) return [];
  let names: unknown;
  try {
    names = JSON.parse(value);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'invalid cachefrom: expected a JSON list', { cause });
  }
  if (names === null) return [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new WctrError('invalid-argument', 'invalid cachefrom: expected a list of names');
  }
  return names.map((reference: string) => ({ type: 'registry', reference }));
}

/** docker's words and number for a RUN that failed: its CLI exits with it. */
function buildErrorLine(error: unknown): object {
  if (!isWctrError(error, 'build-failed')) return errorLine(error);
  const { exitCode, command } = error.data;
  if (typeof exitCode !== 'number') return errorLine(error);
  const words = Array.isArray(command) ? command.join(' ') : undefined;
  const message = words === undefined ? error.message : `The command '${words}' returned a non-zero code: ${exitCode}`;
  return { errorDetail: { code: exitCode, message }, error: message, wctr: { ...errorBody(error), exitCode } };
}

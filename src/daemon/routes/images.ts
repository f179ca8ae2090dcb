import type {
  Engine,
  ImageSummary,
  PullEvent,
  PullOptions,
  PushEvent,
  RegistryCallOptions,
} from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { Filters } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { answerFrom, begun, bytes, chunksOf, json } from '../reply.ts';
import { filters, flag, integer, registryAuth, text } from '../request.ts';
import { toldEvents } from '../told-events.ts';

export function imageRoutes({ app, engine }: Api): void {
  const { images } = engine;

  app.get('/images/json', async ({ req }) => {
    const url = new URL(req.url);
    // `filter=` is the name of clients before 1.25.
    const old = text(url, 'filter');
    const wanted = filters(url);
    return json(await imageSummaries(engine, old === undefined ? wanted : { ...wanted, reference: [old] }));
  });

  app.post('/images/create', async ({ req }) => {
    const url = new URL(req.url);
    const source = text(url, 'fromSrc');
    if (source !== undefined) return importing(engine, url, source, req.raw);
    const name = text(url, 'fromImage');
    if (name === undefined) throw new WctrError('invalid-argument', 'missing parameter "fromImage" or "fromSrc"');
    return pulling(engine, url, name, req.raw);
  });

  app.get('/images/search', async ({ req }) => {
    const url = new URL(req.url);
    const term = text(url, 'term');
    if (term === undefined) throw new WctrError('invalid-argument', 'missing parameter "term"');
    const limit = integer(url, 'limit');
    const results = await images.search(term, {
      ...registryCall(req.raw),
      filters: filters(url),
      // 0 is what Go's client sends for none.
      ...(limit === undefined || limit === 0 ? {} : { limit }),
    });
    return json(results);
  });
  app.get('/distribution/:name/json', async ({ req }) => {
    return json(await images.distribution(req.param('name'), registryCall(req.raw)));
  });
  app.post('/images/:name/push', ({ req }) => pushing(engine, new URL(req.url), req.param('name'), req.raw));

  app.post('/images/load', ({ req }) => answerFrom(loading(engine, req.raw)));

  app.get('/images/get', ({ req }) => saving(engine, new URL(req.url).searchParams.getAll('names')));
  app.get('/images/:name/get', ({ req }) => saving(engine, [req.param('name')]));
  app.get('/images/:name/json', async ({ req }) => json(await images.inspect(req.param('name'))));
  app.get('/images/:name/history', async ({ req }) => {
    const entries = await images.history(req.param('name'));
    return json(
      entries.map(({ id, created, createdBy, comment, sizeBytes }) => ({
        Id: id,
        Created: seconds(created),
        CreatedBy: createdBy,
        Tags: null,
        Size: sizeBytes,
        Comment: comment,
      })),
    );
  });
  app.post('/images/:name/tag', async ({ req }) => {
    const url = new URL(req.url);
    const repository = text(url, 'repo');
    if (repository === undefined) throw new WctrError('invalid-argument', 'missing parameter "repo"');
    const tag = text(url, 'tag');
    await images.tag(req.param('name'), tag === undefined ? repository : `${repository}:${tag}`);
    return new Response(null, { status: 201 });
  });
  app.post('/images/prune', async ({ req }) => {
    const wanted = filters(new URL(req.url));
    const { removed, reclaimedBytes } = await images.prune({ all: wanted.dangling?.some(isNo) === true });
    return json({ ImagesDeleted: removed.map(removal), SpaceReclaimed: reclaimedBytes });
  });
  app.delete('/images/:name', async ({ req }) => {
    const force = flag(new URL(req.url), 'force');
    return json((await images.remove(req.param('name'), { force })).map(removal));
  });
}

function removal({ untagged, deleted }: { untagged?: string; deleted?: string }): object {
  return {
    ...(untagged === undefined ? {} : { Untagged: untagged }),
    ...(deleted === undefined ? {} : { Deleted: deleted }),
  };
}

interface ImageSummaryView {
  readonly Id: string;
  readonly [member: string]: unknown;
}

/** Entries of GET /images/json. */
export async function imageSummaries(engine: Engine, wanted: Filters): Promise<ImageSummaryView[]> {
  const references: (string | undefined)[] = wanted.reference === undefined ? [undefined] : [...wanted.reference];
  const found = new Map<string, ImageSummary>();
  for (const reference of references) {
    for (const summary of await engine.images.list(reference === undefined ? {} : { reference })) {
      found.set(summary.id, summary);
    }
  }
  const summaries: ImageSummaryView[] = [];
  for (const summary of found.values()) {
    if (wanted.dangling !== undefined && wanted.dangling.some(isNo) === (summary.tags.length === 0)) continue;
    const labels = await labelsOf(engine, summary, wanted.label !== undefined);
    if (!(wanted.label ?? []).every((label) => hasLabel(labels, label))) continue;
    summaries.push(imageView(summary, labels, wanted.reference));
  }
  return summaries;
}

function isNo(value: string): boolean {
  return /^(0|f|false)$/i.test(value);
}

function hasLabel(labels: Readonly<Record<string, string>>, label: string): boolean {
  const equals = label.indexOf('=');
  if (equals < 0) return Object.hasOwn(labels, label);
  const name = label.slice(0, equals);
  return Object.hasOwn(labels, name) && labels[name] === label.slice(equals + 1);
}

async function labelsOf(engine: Engine, summary: ImageSummary, needed: boolean) {
  if (!needed || Object.keys(summary.labels).length > 0) return summary.labels;
  const { Config } = (await engine.images.inspect(summary.id)) as {
    Config?: { Labels?: Record<string, string> | null };
  };
  return Config?.Labels ?? {};
}

/** Docker shows the names that were asked for, and not the others of the same image. */
function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]');
    return new RegExp(`^(docker\\.io/(library/)?)?${escaped}(:[^:/]+)?$`).test(name) || name === pattern;
  });
}

function imageView(
  summary: ImageSummary,
  labels: Readonly<Record<string, string>>,
  patterns: readonly string[] | undefined,
): ImageSummaryView {
  const tags = patterns === undefined ? summary.tags : summary.tags.filter((tag) => isNamed(tag, patterns));
  const [os = '', architecture = '', variant] = summary.platform.split('/');
  return {
    Id: summary.id,
    ParentId: '',
    // A name that was given by its digest has no tag to match.
    RepoTags: tags.length === 0 ? summary.tags : tags,
    RepoDigests: summary.repoDigests,
    Created: seconds(summary.created),
    Size: summary.sizeBytes,
    VirtualSize: summary.sizeBytes,
    SharedSize: -1,
    Labels: labels,
    Containers: -1,
    Descriptor: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: summary.digest,
      size: 0,
      platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    },
  };
}

function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
}

function pulling(engine: Engine, url: URL, name: string, request: Request): Promise<Response> {
  const tag = text(url, 'tag');
  const reference = tag === undefined ? name : tag.includes(':') ? `${name}@${tag}` : `${name}:${tag}`;
  const platform = text(url, 'platform');
  const auth = registryAuth(request);
  const left = new AbortController();
  request.signal.addEventListener('abort', () => left.abort(), { once: true });
  const options: PullOptions = {
    signal: left.signal,
    ...(platform === undefined ? {} : { platform }),
    ...(auth === undefined ? {} : { credentials: credentialsOf(auth) }),
  };
  return answerFrom(
    toldEvents<PullEvent>((emit) => engine.images.pull(reference, { ...options, onEvent: emit }), left),
    progressLine,
  );
}

function pushing(engine: Engine, url: URL, name: string, request: Request): Promise<Response> {
  const tag = text(url, 'tag');
  const platform = platformOf(text(url, 'platform'));
  const { signal: _, ...call } = registryCall(request);
  const left = new AbortController();
  request.signal.addEventListener('abort', () => left.abort(), { once: true });
  const options = { ...call, all: tag === undefined, ...(platform === undefined ? {} : { platform }) };
  const reference = tag === undefined ? name : `${name}:${tag}`;
  return answerFrom(
    linesOf(
      toldEvents<PushEvent>(
        (onEvent) => engine.images.push(reference, { ...options, signal: left.signal, onEvent }),
        left,
      ),
    ),
  );
}

async function* linesOf(events: AsyncIterable<PushEvent>): AsyncGenerator<object> {
  for await (const event of events) {
    yield progressLine(event);
    const { pushed } = event;
    if (pushed === undefined) continue;
    yield { progressDetail: {}, aux: { Tag: pushed.tag, Digest: pushed.digest, Size: pushed.sizeBytes } };
  }
}

/** `{"os":"wasip1","architecture":"wasm"}`, since 1.46. */
function platformOf(document: string | undefined): string | undefined {
  if (document === undefined) return undefined;
  let platform: { os?: unknown; architecture?: unknown; variant?: unknown } | null;
  try {
    platform = JSON.parse(document);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'invalid platform: expected a JSON object', { cause });
  }
  const { os, architecture, variant } = platform ?? {};
  return [os, architecture, variant].filter((part) => typeof part === 'string' && part !== '').join('/');
}

/** Who asks, and until when. */
function registryCall(request: Request): RegistryCallOptions {
  const auth = registryAuth(request);
  return { signal: request.signal, ...(auth === undefined ? {} : { credentials: credentialsOf(auth) }) };
}

function credentialsOf(auth: NonNullable<ReturnType<typeof registryAuth>>): NonNullable<PullOptions['credentials']> {
  if (auth.registrytoken) return { registryToken: auth.registrytoken };
  if (auth.identitytoken) return { identityToken: auth.identitytoken };
  return { username: auth.username ?? '', password: auth.password ?? '' };
}

function progressLine({ id, status, currentBytes, totalBytes }: PullEvent): object {
  const detail = {
    ...(currentBytes === undefined ? {} : { current: currentBytes }),
    ...(totalBytes === undefined ? {} : { total: totalBytes }),
  };
  // The lines without an object of their own have no progress either.
  return id === undefined ? { status } : { status, progressDetail: detail, id };
}

async function importing(engine: Engine, url: URL, source: string, request: Request): Promise<Response> {
  if (source !== '-') {
    throw new WctrError('unsupported', 'import from a URL is not supported', {
      hint: 'download it and import the file',
    });
  }
  const repository = text(url, 'repo');
  const tag = text(url, 'tag');
  const message = text(url, 'message');
  const platform = text(url, 'platform');
  const image = await engine.images.import(chunksOf(request.body), {
    ...(repository === undefined ? {} : { reference: tag === undefined ? repository : `${repository}:${tag}` }),
    ...(message === undefined ? {} : { message }),
    ...(platform === undefined ? {} : { platform }),
    changes: url.searchParams.getAll('changes'),
  });
  return answerFrom(
    (async function* () {
      yield { status: image.id };
    })(),
  );
}

async function* loading(engine: Engine, request: Request): AsyncGenerator<object> {
  const loaded = await engine.images.load({ tar: chunksOf(request.body) });
  for (const { id, references } of loaded) {
    if (references.length === 0) yield { stream: `Loaded image ID: ${id}\n` };
    for (const reference of references) yield { stream: `Loaded image: ${reference}\n` };
  }
}

async function saving(engine: Engine, names: readonly string[]): Promise<Response> {
  const chunks = engine.images.save(names.flatMap((name) => name.split(',')))[Symbol.asyncIterator]();
  return bytes(begun(await chunks.next(), chunks));
}

import { ERROR_TABLE, type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import type { CredentialSource, Credentials } from '../../images/registry/credentials.ts';
import type { DistributionInspect, SearchResult } from '../../spec/engine-api.ts';
import type {
  HistoryEntry,
  ImageRemoval,
  ImageSource,
  ImageSummary,
  ImageUseCases,
  ImportOptions,
  LoadedImage,
  PullOptions,
  PullOutcome,
  PushedTag,
  PushOptions,
  RegistryCallOptions,
  SearchOptions,
} from '../engine.ts';
import { type ApiClient, bodyOf, filterText, jsonLines } from './api-client.ts';

interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: { readonly Tag?: string; readonly Digest?: string; readonly Size?: number };
  /** Of our own daemon. */
  readonly wctr?: { readonly code?: string; readonly hint?: string };
}

export class RemoteImages implements ImageUseCases {
  readonly #api: ApiClient;
  readonly #logins: CredentialSource | undefined;

  constructor(api: ApiClient, logins?: CredentialSource) {
    this.#api = api;
    this.#logins = logins;
  }

  async pull(reference: string, options: PullOptions = {}): Promise<PullOutcome> {
    const { platform, onEvent } = options;
    const { name, tag } = splitReference(reference);
    let digest = '';
    let changed = false;
    const response = await this.#api.send('POST', '/images/create', {
      query: { fromImage: name, tag: tag ?? 'latest', platform },
      ...(await this.#callFor(() => domainOf(reference), options)),
    });
    for await (const line of jsonLines<ProgressLine>(response, options.signal)) {
      const { status = '', error } = line;
      if (error !== undefined) throw streamError(error, line);
      onEvent?.(eventOf(line));
      if (status.startsWith('Digest: ')) digest = status.slice('Digest: '.length);
      if (status.startsWith('Status: Downloaded')) changed = true;
    }
    const { Id } = await this.inspect(reference);
    return { reference, digest, imageId: String(Id), changed };
  }

  async push(reference: string, options: PushOptions = {}): Promise<readonly PushedTag[]> {
    const { all = false, platform, onEvent } = options;
    const { name, tag } = splitReference(reference);
    const response = await this.#api.send('POST', `${at(name)}/push`, {
      // Without a tag it is all of them.
      query: { tag: all ? undefined : (tag ?? 'latest'), platform: platformDocument(platform) },
      ...(await this.#callFor(() => domainOf(reference), options, {})),
    });
    const pushed: PushedTag[] = [];
    for await (const line of jsonLines<ProgressLine>(response, options.signal)) {
      const { error, aux, status } = line;
      if (error !== undefined) throw streamError(error, line);
      const { Tag, Digest, Size } = aux ?? {};
      if (Tag !== undefined && Digest !== undefined) {
        const done = { tag: Tag, digest: Digest, sizeBytes: Size ?? 0 };
        pushed.push(done);
        onEvent?.({ status: `${Tag}: digest: ${Digest} size: ${done.sizeBytes}`, pushed: done });
      } else if (status !== undefined && !/^\S+: digest: \S+ size: \d+$/.test(status)) onEvent?.(eventOf(line));
    }
    return pushed;
  }

  async search(term: string, options: SearchOptions = {}): Promise<readonly SearchResult[]> {
    const { limit, filters } = options;
    const query = { term, limit, filters: filterText(filters) };
    const call = await this.#callFor(() => domainOfTerm(term), options);
    return this.#api.json('GET', '/images/search', { query, ...call });
  }

  async distribution(reference: string, options: RegistryCallOptions = {}): Promise<DistributionInspect> {
    const call = await this.#callFor(() => domainOf(reference), options);
    return this.#api.json('GET', `${at(reference, 'distribution')}/json`, call);
  }

  /** Who asks is told with the call, as docker's daemon wants it; a push says it also when it is nobody. */
  async #callFor(domain: () => Promise<string>, options: RegistryCallOptions, nobody?: Credentials) {
    const auth = options.credentials ?? (await this.#login(domain)) ?? nobody;
    return {
      ...(auth === undefined ? {} : { headers: { 'x-registry-auth': authHeader(auth) } }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
  }

  /** A name that is none, or a helper that fails, is not this side's to complain about. */
  async #login(domain: () => Promise<string>): Promise<Credentials | undefined> {
    if (this.#logins === undefined) return undefined;
    try {
      return await this.#logins(await domain());
    } catch (error) {
      if (isWctrError(error, 'unauthorized') || isWctrError(error, 'invalid-reference')) return undefined;
      throw error;
    }
  }

  async list({ all = false, reference }: { all?: boolean; reference?: string } = {}): Promise<ImageSummary[]> {
    const filters = reference === undefined ? undefined : JSON.stringify({ reference: [reference] });
    const entries = await this.#api.json<readonly ImageEntry[]>('GET', '/images/json', { query: { all, filters } });
    return entries.map((entry) => {
      const { os = '', architecture = '', variant } = entry.Descriptor?.platform ?? {};
      return {
        id: entry.Id,
        digest: entry.Descriptor?.digest ?? '',
        tags: entry.RepoTags ?? [],
        repoDigests: entry.RepoDigests ?? [],
        created: entry.Created === 0 ? undefined : new Date(entry.Created * 1000).toISOString(),
        sizeBytes: entry.Size,
        platform: [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/'),
        labels: entry.Labels ?? {},
      };
    });
  }

  inspect(name: string): Promise<Record<string, unknown>> {
    return this.#api.json('GET', `${at(name)}/json`);
  }

  async history(name: string): Promise<HistoryEntry[]> {
    const entries = await this.#api.json<readonly HistoryLine[]>('GET', `${at(name)}/history`);
    return entries.map(({ Id, Created, CreatedBy, Size, Comment }) => ({
      id: Id,
      created: Created === 0 ? undefined : new Date(Created * 1000).toISOString(),
      createdBy: CreatedBy,
      sizeBytes: Size,
      comment: Comment,
    }));
  }

  tag(source: string, target: string): Promise<void> {
    const { name, tag } = splitReference(target);
    return this.#api.done('POST', `${at(source)}/tag`, { query: { repo: name, tag } });
  }

  async remove(name: string, { force = false }: { force?: boolean } = {}): Promise<ImageRemoval[]> {
    return (await this.#api.json<readonly RemovalEntry[]>('DELETE', at(name), { query: { force } })).map(removal);
  }

  async prune({ all = false }: { all?: boolean } = {}): Promise<{ removed: ImageRemoval[]; reclaimedBytes: number }> {
    const { ImagesDeleted, SpaceReclaimed } = await this.#api.json<{
      ImagesDeleted: readonly RemovalEntry[] | null;
      SpaceReclaimed: number;
    }>('POST', '/images/prune', { query: all ? { filters: '{"dangling":["false"]}' } : {} });
    return { removed: (ImagesDeleted ?? []).map(removal), reclaimedBytes: SpaceReclaimed };
  }

  async load(source: ImageSource, { signal }: { signal?: AbortSignal } = {}): Promise<LoadedImage[]> {
    if ('directory' in source) {
      throw new WctrError('unsupported', `cannot load the directory ${source.directory} into another engine`, {
        hint: 'load it as a tar: tar -C DIR -c . | wctr load',
      });
    }
    const response = await this.#api.send('POST', '/images/load', {
      body: source.tar,
      query: { quiet: true },
      headers: { 'content-type': 'application/x-tar' },
      ...(signal === undefined ? {} : { signal }),
    });
    const loaded: LoadedImage[] = [];
    for await (const { stream = '', error } of jsonLines<ProgressLine>(response, signal)) {
      if (error !== undefined) throw new WctrError('invalid-manifest', error);
      const [, kind, name] = /^Loaded image( ID)?: (\S+)/.exec(stream) ?? [];
      if (name === undefined) continue;
      if (kind === undefined) loaded.push({ id: String((await this.inspect(name)).Id), references: [name] });
      else loaded.push({ id: name, references: [] });
    }
    return loaded;
  }

  async *save(names: readonly string[]): AsyncGenerator<Uint8Array> {
    yield* bodyOf(await this.#api.send('GET', '/images/get', { query: { names } }));
  }

  async import(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<LoadedImage> {
    const { reference, message, changes, platform, signal } = options;
    const { name, tag } = reference === undefined ? {} : splitReference(reference);
    const response = await this.#api.send('POST', '/images/create', {
      query: { fromSrc: '-', repo: name, tag, message, changes, platform },
      body: tar,
      ...(signal === undefined ? {} : { signal }),
    });
    let id = '';
    for await (const { status, error } of jsonLines<ProgressLine>(response, signal)) {
      if (error !== undefined) throw new WctrError('invalid-layer', error);
      id = status ?? id;
    }
    return { id, references: reference === undefined ? [] : [reference] };
  }
}

interface ImageEntry {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Descriptor?: {
    readonly digest?: string;
    readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  };
}

interface HistoryLine {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

interface RemovalEntry {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

function removal({ Untagged, Deleted }: RemovalEntry): ImageRemoval {
  return {
    ...(Untagged === undefined ? {} : { untagged: Untagged }),
    ...(Deleted === undefined ? {} : { deleted: Deleted }),
  };
}

/** Slashes stay: the name is a path to docker. */
function at(name: string, kind: 'images' | 'distribution' = 'images'): string {
  return `/${kind}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

/** `localhost:5000/a/b:tag`, `a@sha256:…` -> what stands before and after the mark that separates the tag or digest. */
function splitReference(reference: string): { name: string; tag?: string } {
  const [, name = reference, digest] = /^(.*)@([^@]+)$/.exec(reference) ?? [];
  if (digest !== undefined) return { name: name.replace(/:[^:/]*$/, ''), tag: digest };
  const [, plain, tag] = /^(.*):([^:/]+)$/.exec(reference) ?? [];
  return plain === undefined || tag === undefined ? { name: reference } : { name: plain, tag };
}

/** Loaded when somebody's login is looked for. */
async function domainOf(reference: string): Promise<string> {
  return (await import('../../images/reference.ts')).parseReference(reference).domain;
}

async function domainOfTerm(term: string): Promise<string> {
  return (await import('../../images/registry/search.ts')).splitTerm(term).domain;
}

function eventOf({ id, status = '', progressDetail }: ProgressLine) {
  return {
    status,
    ...(id === undefined ? {} : { id }),
    ...(progressDetail?.current === undefined ? {} : { currentBytes: progressDetail.current }),
    ...(progressDetail?.total === undefined ? {} : { totalBytes: progressDetail.total }),
  };
}

function streamError(message: string, { wctr }: ProgressLine): WctrError {
  const { code, hint } = wctr ?? {};
  const known = code !== undefined && Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : 'registry-error';
  return new WctrError(known, message, hint === undefined ? {} : { hint });
}

/** `os/arch/variant` as the Engine API has it since 1.46. */
function platformDocument(platform: string | undefined): string | undefined {
  if (platform === undefined) return undefined;
  const [os, architecture, variant] = platform.split('/');
  return JSON.stringify({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

function authHeader({ username, password, identityToken, registryToken }: Credentials) {
  const document = { username, password, identitytoken: identityToken, registrytoken: registryToken };
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(document))));
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

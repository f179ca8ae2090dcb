/**
 * Builds by a daemon through `POST /build`: wctr's or docker's, whichever it is. What that door has no word for (secrets,
 * annotations, further contexts, where the cache goes) is refused before anything is sent.
 */
import type { ContextFiles } from '../../build/context/directory-tree.ts';
import { parseDockerfile } from '../../build/dockerfile/parse.ts';
import { planStages } from '../../build/dockerfile/stages.ts';
import { ERROR_TABLE, type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import { parsePlatform } from '../../images/platform.ts';
import { parseReference } from '../../images/reference.ts';
import type { CredentialSource, Credentials } from '../../images/registry/credentials.ts';
import type { BuildCacheRecord, Filters } from '../../spec/engine-api.ts';
import type { BuildOutcome, BuildOutput, BuildPruneOptions, BuildRequest, BuildUseCases } from '../builds.ts';
import type { ContainerUseCases, ImageUseCases } from '../engine.ts';
import { type ApiClient, filterText, jsonLines } from './api-client.ts';
import { type ClassicLine, ClassicSteps } from './classic-steps.ts';
import { type SentContext, sendContext } from './context-tar.ts';

export interface RemoteBuildParts {
  readonly api: ApiClient;
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  /** Logins of this side's user. */
  readonly logins?: CredentialSource;
  /** Directories of this machine, to send as contexts. */
  readonly files?: () => Promise<ContextFiles>;
}

export class RemoteBuilds implements BuildUseCases {
  readonly #parts: RemoteBuildParts;

  constructor(parts: RemoteBuildParts) {
    this.#parts = parts;
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    refuse(request);
    const files = 'directory' in request.context ? await this.#parts.files?.() : undefined;
    const sent = await sendContext(request, files);
    const response = await this.#parts.api.send('POST', '/build', {
      query: queryOf(request, sent),
      headers: {
        'content-type': 'application/x-tar',
        'x-registry-config': await this.#registryConfig(request, sent),
      },
      ...(sent.tar === undefined ? {} : { body: sent.tar }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const steps = new ClassicSteps((status) => request.onStatus?.(status));
    try {
      for await (const line of jsonLines<ClassicLine>(response, request.signal)) {
        steps.take(line);
        if (line.error !== undefined) throw failureOf(line, line.error);
      }
    } catch (error) {
      steps.fail(isWctrError(error, 'cancelled') ? CANCELED : (error as Error).message);
      throw error;
    }
    const { imageId, references } = steps;
    if (imageId === undefined) throw new WctrError('internal', 'the daemon ended the build without an image');
    for (const output of request.outputs ?? []) await this.#write(output, imageId, references, request);
    return { imageId, references };
  }

  async #write(output: BuildOutput, imageId: string, references: readonly string[], request: BuildRequest) {
    const { images, containers } = this.#parts;
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    if (output.type === 'image' && output.push === true) {
      for (const reference of references) await images.push(reference, signal);
    }
    // One tar that is both, an OCI layout and a docker archive.
    if (output.type === 'oci' || output.type === 'docker') {
      await output.write(images.save(references.length > 0 ? references : [imageId]));
    }
    if (output.type !== 'files') return;
    const { Id } = await containers.create({ Image: imageId, Cmd: ['/'] });
    try {
      await output.write(containers.export(Id));
    } finally {
      await containers.remove(Id, { force: true });
    }
  }

  /** Whom the daemon may say it is, at the registries this Dockerfile names: `{}` where nobody knows. */
  async #registryConfig(request: BuildRequest, { text }: SentContext): Promise<string> {
    const source = request.credentials ?? this.#parts.logins;
    const auths: Record<string, object> = {};
    for (const domain of source === undefined ? [] : domainsOf(request, text)) {
      const found = await source?.(domain).catch((error: unknown) => {
        // A helper that fails is not this side's to complain about.
        if (isWctrError(error)) return undefined;
        throw error;
      });
      if (found !== undefined) auths[domain === 'docker.io' ? DOCKER_HUB_KEY : domain] = authOf(found);
    }
    const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(auths))));
    return encoded.replaceAll('+', '-').replaceAll('/', '_');
  }

  async usage(filters: Filters = {}): Promise<readonly BuildCacheRecord[]> {
    const { BuildCache } = await this.#parts.api.json<{ BuildCache?: readonly BuildCacheRecord[] | null }>(
      'GET',
      '/system/df',
      { query: { type: 'build-cache' } },
    );
    return (BuildCache ?? []).filter((record) => fits(record, filters));
  }

  async prune({ all = false, keepBytes, filters }: BuildPruneOptions = {}) {
    const answer = await this.#parts.api.json<{ CachesDeleted?: readonly string[] | null; SpaceReclaimed?: number }>(
      'POST',
      '/build/prune',
      { query: { all, 'keep-storage': keepBytes, filters: filterText(filters) } },
    );
    return { CachesDeleted: answer?.CachesDeleted ?? [], SpaceReclaimed: answer?.SpaceReclaimed ?? 0 };
  }
}

/** How who shows progress tells one that was stopped from one that failed. */
const CANCELED = 'context canceled';

/** docker's name for its own registry in the list of logins. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** Throws `unsupported`. */
function refuse(request: BuildRequest): void {
  const some = (value: object | undefined) => value !== undefined && Object.keys(value).length > 0;
  const wanted: readonly (readonly [string, boolean])[] = [
    ['a secret', request.secret !== undefined],
    ['annotations', some(request.annotations)],
    ['further contexts (--build-context)', some(request.contexts)],
    ['a stage without cache (--no-cache-filter)', Array.isArray(request.noCache) && request.noCache.length > 0],
    ['more than one platform', (request.platforms ?? []).length > 1],
    ['a cache to write (--cache-to)', some(request.cacheTo)],
    ['a cache in a directory', request.cacheFrom?.some(({ type }) => type === 'local') === true],
    ['an attestation (--provenance)', request.provenance !== undefined],
    ['a fixed clock (--reproducible)', request.reproducible === true],
    ['compression', request.compression !== undefined],
    ['the output type edge', request.outputs?.some(({ type }) => type === 'edge') === true],
    ['the output type cacheonly', request.outputs?.some(({ type }) => type === 'none') === true],
  ];
  const [what] = wanted.find(([, isWanted]) => isWanted) ?? [];
  if (what === undefined) return;
  throw new WctrError('unsupported', `${what} cannot be sent to a daemon: its classic builder has no word for it`, {
    hint: 'build without --host',
  });
}

function queryOf(request: BuildRequest, { remote, dockerfile }: SentContext) {
  const { tags, buildArgs, labels, target, network, extraHosts, memoryBytes, cacheFrom } = request;
  return {
    t: tags ?? [],
    remote,
    dockerfile,
    target,
    buildargs: JSON.stringify(buildArgs ?? {}),
    labels: JSON.stringify(labels ?? {}),
    nocache: request.noCache === true,
    pull: request.pull === true,
    platform: request.platforms?.[0],
    networkmode: network,
    extrahosts: extraHosts ?? [],
    memory: memoryBytes,
    cachefrom: JSON.stringify((cacheFrom ?? []).map((from) => (from.type === 'registry' ? from.reference : ''))),
    rm: true,
    version: '1',
  };
}

/** Registries of the images a Dockerfile names, as far as it can be read here. */
function domainsOf({ buildArgs, target, platforms }: BuildRequest, text: string | undefined): Set<string> {
  const domains = new Set<string>();
  if (text === undefined) return domains;
  try {
    const given = Object.entries(buildArgs ?? {}).filter((arg): arg is [string, string] => arg[1] !== null);
    const platform = parsePlatform(platforms?.[0] ?? 'wasi/wasm');
    const { needed } = planStages(parseDockerfile(text), {
      targetPlatform: platform,
      buildPlatform: platform,
      buildArgs: Object.fromEntries(given),
      ...(target === undefined ? {} : { target }),
    });
    for (const { base, origins } of needed) {
      for (const origin of [base, ...[...origins.values()].flat()]) {
        if (origin.kind === 'image') domains.add(parseReference(origin.name).domain);
      }
    }
  } catch (error) {
    // What is wrong with it, the daemon says.
    if (!isWctrError(error)) throw error;
  }
  return domains;
}

function authOf({ username, password, identityToken, registryToken }: Credentials): object {
  return { username, password, identitytoken: identityToken, registrytoken: registryToken };
}

function failureOf({ errorDetail, wctr }: ClassicLine, text: string): WctrError {
  const { code, message, hint, frame, exitCode = errorDetail?.code } = wctr ?? {};
  const known = code !== undefined && Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : 'build-failed';
  return new WctrError(known, message ?? text, {
    ...(hint === undefined ? {} : { hint }),
    data: { ...(frame === undefined ? {} : { frame }), ...(exitCode === undefined ? {} : { exitCode }) },
  });
}

/** docker's filters of `builder du`. */
function fits(record: BuildCacheRecord, filters: Filters): boolean {
  const values: Readonly<Record<string, string>> = {
    id: record.ID,
    type: record.Type,
    description: record.Description,
    inuse: String(record.InUse),
    shared: String(record.Shared),
  };
  return Object.entries(filters).every(([name, wanted]) => {
    const value = values[name];
    if (value === undefined) throw new WctrError('invalid-argument', `invalid filter '${name}'`);
    return wanted.some((text) => (name === 'description' ? value.includes(text) : value === text));
  });
}

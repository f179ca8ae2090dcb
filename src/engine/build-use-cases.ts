/** `build`: from what was asked for to what the builder takes, and its parts from the engine's. */

import { type BuildJob, build } from '../build/build.ts';
import { LocalBuildCache } from '../build/cache/local-build-cache.ts';
import type { RunExecutor } from '../build/run/executor.ts';
import type { SolveParts } from '../build/solve/ports.ts';
import type { NamedContext } from '../build/solve/solve.ts';
import { gzipWith } from '../core/encode.ts';
import { DEFAULT_BUILD_PLATFORM, parsePlatform } from '../images/platform.ts';
import { quote } from '../images/quote.ts';
import { familiarName, parseReference } from '../images/reference.ts';
import type { BuildCacheRecord, Filters } from '../spec/engine-api.ts';
import { BuildContexts } from './build-contexts.ts';
import { LocalBaseImages } from './build-images.ts';
import type { BuildOutcome, BuildPruneOptions, BuildRequest, BuildUseCases } from './builds.ts';
import { download } from './download.ts';
import type { LocalImages } from './image-use-cases.ts';
import type { EngineParts } from './parts.ts';

export class LocalBuilds implements BuildUseCases {
  readonly #parts: EngineParts;
  readonly #images: LocalImages;
  readonly #runs: RunExecutor;

  constructor(parts: EngineParts, images: LocalImages, runs: RunExecutor) {
    this.#parts = parts;
    this.#images = images;
    this.#runs = runs;
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    const references = (request.tags ?? []).map(parseReference);
    const { signal } = request;
    const cache = new LocalBuildCache(this.#parts);
    const shared = await this.#sharedCaches(request);
    const opened = new BuildContexts(this.#parts, { download, ...(signal === undefined ? {} : { signal }) });
    try {
      const parts = {
        ...this.#solveParts(request, opened),
        cache: (await shared?.import(cache, request.cacheFrom ?? [])) ?? cache,
      };
      const job = await this.#job(request, opened);
      const { imageId, digest, used } = await build(parts, { ...job, references });
      for (const to of request.cacheTo ?? []) await shared?.export(used, to);
      return {
        ...(imageId === undefined ? {} : { imageId }),
        ...(digest === undefined ? {} : { digest }),
        references: imageId === undefined ? [] : references.map(familiarName),
      };
    } finally {
      await Promise.all([opened.close(), shared?.close()]);
      if (cache.keptCount > 0) await this.#enforceLimits();
    }
  }

  async usage(filters?: Filters): Promise<readonly BuildCacheRecord[]> {
    const { buildCacheUsage } = await import('./build-cache-use-cases.ts');
    return buildCacheUsage(this.#parts, filters);
  }

  async prune(options?: BuildPruneOptions): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }> {
    const { pruneBuildCache } = await import('./build-cache-use-cases.ts');
    return pruneBuildCache(this.#parts, options);
  }

  /** Undefined where none is asked for. */
  async #sharedCaches({ cacheFrom = [], cacheTo = [], credentials, onStatus, signal }: BuildRequest) {
    if (cacheFrom.length + cacheTo.length === 0) return undefined;
    const { SharedCaches } = await import('./build-shared-cache.ts');
    return new SharedCaches(this.#parts, {
      ...(credentials === undefined ? {} : { credentials }),
      ...(onStatus === undefined ? {} : { onStatus }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** A cache that is too large is no reason for a build to fail. */
  async #enforceLimits(): Promise<void> {
    const { enforceCacheLimits } = await import('./build-cache-use-cases.ts');
    await enforceCacheLimits(this.#parts).catch(() => {});
  }

  #solveParts({ credentials }: BuildRequest, opened: BuildContexts): Omit<SolveParts, 'cache'> {
    const { images, leases, fs, layout, createHasher, core, host } = this.#parts;
    return {
      gzip: (chunks) => gzipWith(core, chunks),
      repository: (address, what) => opened.open({ address }, what),
      ...(host.edgeRuntime === undefined
        ? {}
        : {
            edge: async (image, name) => {
              const { edgeBundle } = await import('./edge-bundle.ts');
              return edgeBundle(this.#parts, (await host.edgeRuntime?.())!, image, name);
            },
          }),
      ...{ images, leases, fs, layout, createHasher, download },
      bases: new LocalBaseImages(this.#parts, this.#images, credentials),
      runs: this.#runs,
    };
  }

  async #job(request: BuildRequest, opened: BuildContexts): Promise<BuildJob> {
    const given = Object.entries(request.buildArgs ?? {}).filter((arg): arg is [string, string] => arg[1] !== null);
    const contexts = new Map<string, NamedContext>();
    for (const [name, source] of Object.entries(request.contexts ?? {})) {
      contexts.set(
        name,
        'image' in source ? source : { tree: await opened.open(source, `the build context ${quote(name)}`) },
      );
    }
    const asked = request.platforms ?? [];
    return {
      context: await opened.open(request.context, 'the build context'),
      contexts,
      ...{ dockerfile: request.dockerfile, ignore: request.ignore },
      platforms: asked.length === 0 ? [DEFAULT_BUILD_PLATFORM] : asked.map(parsePlatform),
      buildPlatform: DEFAULT_BUILD_PLATFORM,
      buildArgs: Object.fromEntries(given),
      outputs: request.outputs ?? [{ type: 'image' }],
      push: async (reference, onEvent) => {
        const { push } = await import('./registry-use-cases.ts');
        const { credentials, signal } = request;
        const permit = this.#images.permit.bind(this.#images);
        await push(this.#parts, familiarName(reference), {
          ...{ permit, onEvent },
          ...(credentials === undefined ? {} : { logins: credentials }),
          ...(signal === undefined ? {} : { signal }),
        });
      },
      ...chosen(request, ['target', 'labels', 'annotations', 'noCache', 'pull', 'network', 'extraHosts', 'secret']),
      ...chosen(request, ['reproducible', 'memoryBytes', 'compression', 'provenance', 'onPlan', 'onStatus', 'signal']),
    };
  }
}

/** The fields that are given, of those named. */
function chosen<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as Pick<
    T,
    K
  >;
}

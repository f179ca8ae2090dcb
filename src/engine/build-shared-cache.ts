/** `--cache-from` and `--cache-to`: caches in directories and registries. */
import type { BuildCache } from '../build/cache/build-cache.ts';
import { CombinedCache, ImportedCache, type SharedStep, sharedCache } from '../build/cache/shared-cache.ts';
import { isWctrError, WctrError } from '../errors.ts';
import { writeLayout } from '../images/copy/layout-writer.ts';
import { permitCopy } from '../images/copy/permit.ts';
import type { Place } from '../images/copy/place.ts';
import { type CopySource, openCopySource } from '../images/copy/source.ts';
import { digestOf } from '../images/digest.ts';
import { quote } from '../images/quote.ts';
import { DEFAULT_TAG, parseReference } from '../images/reference.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import { uploadGraph } from '../images/upload-graph.ts';
import type { SolveStatus } from '../spec/build-progress.ts';
import type { CacheLocation } from './builds.ts';
import type { EngineParts } from './parts.ts';

export interface SharedCacheOptions {
  readonly credentials?: CredentialSource;
  readonly onStatus?: (status: SolveStatus) => void;
  readonly signal?: AbortSignal;
}

/** What a directory calls the cache in it: the next one takes its place. */
const NAME = 'latest';

export class SharedCaches {
  readonly #parts: EngineParts;
  readonly #options: SharedCacheOptions;
  readonly #opened: ImportedCache[] = [];

  constructor(parts: EngineParts, options: SharedCacheOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** The store's cache with those behind it. One that cannot be read is no reason for a build to fail: it is told. */
  async import(own: BuildCache, from: readonly CacheLocation[]): Promise<BuildCache> {
    const { signal } = this.#options;
    for (const location of from) {
      await this.#told(`importing cache manifest from ${shown(location)}`, async () => {
        try {
          this.#opened.push(await this.#read(location));
        } catch (error) {
          if (signal?.aborted || !isWctrError(error)) throw error;
          return error;
        }
        return undefined;
      });
    }
    return this.#opened.length === 0 ? own : new CombinedCache(own, this.#opened, this.#parts.layers, signal);
  }

  /** `isFinal`: a step of the target itself; others go with `mode=max` alone. */
  async export(
    steps: readonly (SharedStep & { readonly isFinal: boolean })[],
    to: CacheLocation & { readonly mode?: 'min' | 'max' },
  ): Promise<void> {
    const wanted = to.mode === 'max' ? steps : steps.filter(({ isFinal }) => isFinal);
    await this.#told(`exporting cache to ${shown(to)}`, async () => {
      const cache = await sharedCache(this.#parts, wanted);
      if (to.type === 'local') await this.#toDirectory(cache, to.directory);
      else await this.#toRegistry(cache, to.reference);
      return undefined;
    });
  }

  async close(): Promise<void> {
    for (const cache of this.#opened.splice(0)) await cache.close().catch(() => {});
  }

  async #read(location: CacheLocation): Promise<ImportedCache> {
    const { createHasher, host, policyDirectory } = this.#parts;
    const { signal, credentials } = this.#options;
    const client = () => this.#parts.registry(credentials);
    const place = this.#place(location);
    const tempDirectory = async () => {
      throw new WctrError('invalid-argument', `${shown(location)} is no directory`);
    };
    // A registry alone needs no files of the host
    const fs = host.paths?.fs ?? this.#parts.fs;
    const source: CopySource = await openCopySource({ client, fs, createHasher, tempDirectory }, place, signal);
    try {
      if (policyDirectory !== undefined) {
        const tools = { fs, configDirectory: policyDirectory, client };
        await permitCopy(tools, place, 'path' in place ? place.path : '', source, source.root, signal);
      }
      return await ImportedCache.read(source, createHasher, signal);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  #place(location: CacheLocation): Place {
    if (location.type === 'registry') return { kind: 'docker', reference: parseReference(location.reference) };
    return { kind: 'oci', path: this.#directory(location.directory), image: NAME };
  }

  #directory(path: string): string {
    const { paths } = this.#parts.host;
    if (paths !== undefined) return paths.resolve(path);
    throw new WctrError('unsupported', 'there are no directories here to keep a build cache in', {
      hint: 'use type=registry',
    });
  }

  async #toDirectory(cache: Awaited<ReturnType<typeof sharedCache>>, directory: string): Promise<void> {
    const path = this.#directory(directory);
    const { signal } = this.#options;
    const fs = this.#parts.host.paths?.fs ?? this.#parts.fs;
    const { createHasher } = this.#parts;
    await writeLayout(fs, path, { ...cache, what: 'the build cache', createHasher, signal }, NAME);
  }

  async #toRegistry(cache: Awaited<ReturnType<typeof sharedCache>>, text: string): Promise<void> {
    const reference = parseReference(text);
    if (reference.digest !== undefined) {
      throw new WctrError('invalid-argument', `${quote(text)} has a digest: what a cache is called follows from it`, {
        hint: 'name a tag',
      });
    }
    const { signal, credentials } = this.#options;
    const client = await this.#parts.registry(credentials);
    const target = client.target(reference);
    await uploadGraph({ ...cache, target, tags: [reference.tag ?? DEFAULT_TAG], signal });
  }

  /** As a step of the build, which `action` may say has failed without failing the build. */
  async #told(name: string, action: () => Promise<Error | undefined>): Promise<void> {
    const { onStatus } = this.#options;
    const digest = digestOf(this.#parts.createHasher, new TextEncoder().encode(name));
    const started = new Date().toISOString();
    onStatus?.({ vertexes: [{ digest, name, started }] });
    const end = (error: unknown) => {
      const failed = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) };
      onStatus?.({ vertexes: [{ digest, name, started, completed: new Date().toISOString(), ...failed }] });
    };
    try {
      end(await action());
    } catch (error) {
      end(error);
      throw error;
    }
  }
}

function shown(location: CacheLocation): string {
  return location.type === 'local' ? location.directory : location.reference;
}

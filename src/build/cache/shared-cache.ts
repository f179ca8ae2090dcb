/**
 * A build cache others can use: an OCI artifact, in a directory with an image layout or in a registry. Its layers are
 * those of the steps; its config says which step made what:
 *
 * ```
 * { "version": 1, "steps": [{ "keys": ["sha256:…"], "layers": [0], "kind": "copy", "description": "COPY . /app" }],
 *   "diffIds": ["sha256:…"] }                      one for each layer of the manifest; "layers" are places in it
 * ```
 *
 * Nothing of it is believed but what a step key leads to: every layer is verified by digest, size and diff ID before it
 * has a name in the store, as one of a pulled image is. Whoever may write a cache decides what its steps made, so take
 * caches only from whom images would be taken.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import { collect } from '../../images/archive/files.ts';
import type { BlobOrigin, ContentStore, LayerStore } from '../../images/contracts.ts';
import type { CopySource } from '../../images/copy/source.ts';
import { verified } from '../../images/copy/verified.ts';
import { type CreateHasher, digestOf, isDigest } from '../../images/digest.ts';
import { type ImageGraph, imageGraph } from '../../images/image-graph.ts';
import { MAX_DOCUMENT_BYTES } from '../../images/json-document.ts';
import { parseManifest } from '../../images/manifest.ts';
import { type Descriptor, type Digest, type ManifestDocument, MEDIA_TYPE } from '../../spec/image-spec.ts';
import type { BuildCache, StepLayer, StepResult } from './build-cache.ts';

export const CACHE_CONFIG_TYPE = 'application/vnd.wctr.buildcache.config.v1+json';
const VERSION = 1;
const MAX_STEPS = 10_000;
const MAX_DESCRIPTION = 4096;
const KINDS: readonly StepResult['kind'][] = ['run', 'copy', 'add', 'workdir', 'base'];

export interface SharedStep {
  readonly keys: readonly Digest[];
  readonly result: StepResult;
}

interface ConfigStep {
  readonly keys: readonly Digest[];
  readonly layers: readonly number[];
  readonly kind: StepResult['kind'];
  readonly description: string;
}

export interface SharedCache {
  readonly graph: ImageGraph;
  /** Bytes of its blobs. */
  open(descriptor: Descriptor): BlobOrigin;
}

/** The steps as an artifact: the same steps make the same one. Their layers are in the store. */
export async function sharedCache(
  { content, createHasher }: { readonly content: ContentStore; readonly createHasher: CreateHasher },
  used: readonly SharedStep[],
): Promise<SharedCache> {
  const layers = new Map<Digest, StepLayer>();
  for (const { result } of used) for (const layer of result.layers) layers.set(layer.descriptor.digest, layer);
  const sorted = [...layers.values()].sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1));
  const places = new Map(sorted.map(({ descriptor }, i) => [descriptor.digest, i]));
  const steps = used
    .map(
      ({ keys, result }): ConfigStep => ({
        keys: [...keys].sort(),
        layers: result.layers.map(({ descriptor }) => places.get(descriptor.digest) as number),
        kind: result.kind,
        description: result.description.slice(0, MAX_DESCRIPTION),
      }),
    )
    .sort((a, b) => ((a.keys[0] ?? '') < (b.keys[0] ?? '') ? -1 : 1));
  const document = { version: VERSION, steps, diffIds: sorted.map(({ diffId }) => diffId) };
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const configBytes = encode(document);
  const config: Descriptor = {
    mediaType: CACHE_CONFIG_TYPE,
    digest: digestOf(createHasher, configBytes),
    size: configBytes.length,
  };
  if (config.size > MAX_DOCUMENT_BYTES) {
    throw new WctrError('limit-exceeded', `a cache of ${steps.length} steps is too large to share`, {
      hint: 'share less of it, with mode=min',
    });
  }
  const manifest: ManifestDocument = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config,
    // A manifest needs a layer: where no step made one it is the config
    layers: sorted.length === 0 ? [config] : sorted.map(({ descriptor }) => descriptor),
  };
  const bytes = encode(manifest);
  const root = { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(createHasher, bytes), size: bytes.length };
  return {
    graph: await imageGraph('the build cache', root, async () => bytes),
    open: ({ digest }) =>
      async function* (offset, signal) {
        if (digest === config.digest) yield configBytes.slice(offset);
        else yield* content.stream(digest, { offset, verify: true, ...(signal === undefined ? {} : { signal }) });
      },
  };
}

/** One of them, read as far as its config. */
export class ImportedCache {
  readonly #source: CopySource;
  readonly #steps: ReadonlyMap<Digest, StepResult>;

  private constructor(source: CopySource, steps: ReadonlyMap<Digest, StepResult>) {
    this.#source = source;
    this.#steps = steps;
  }

  /** Throws `invalid-manifest` for what is no cache, `limit-exceeded`, and what reading it throws. */
  static async read(source: CopySource, createHasher: CreateHasher, signal?: AbortSignal): Promise<ImportedCache> {
    const bytes = await source.document(source.root);
    const { what } = source;
    const manifest = parseManifest(bytes, { what: `manifest of ${what}`, mediaType: source.root.mediaType });
    if (manifest.kind === 'index' || manifest.config.mediaType !== CACHE_CONFIG_TYPE) {
      throw new WctrError('invalid-manifest', `${what} is no build cache of wctr`, {
        hint: 'name what --cache-to wrote',
      });
    }
    // Its size is within the limits of a config: parseManifest has seen to that
    const config = await collect(
      verified(source.blob(manifest.config)(0, signal), manifest.config, what, createHasher),
    );
    return new ImportedCache(source, readSteps(config, manifest.layers, what));
  }

  get stepCount(): number {
    return this.#steps.size;
  }

  find(key: Digest): StepResult | undefined {
    return this.#steps.get(key);
  }

  /** Brings the layers of a step in, verified. */
  async fetch({ layers }: StepResult, store: LayerStore, signal?: AbortSignal): Promise<void> {
    for (const { descriptor, diffId } of layers) {
      await store.ingest(descriptor, diffId, this.#source.blob(descriptor), signal === undefined ? {} : { signal });
    }
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** The store's own cache first, then others, in order; what one of those has becomes the store's. */
export class CombinedCache implements BuildCache {
  readonly #own: BuildCache;
  readonly #others: readonly ImportedCache[];
  readonly #layers: LayerStore;
  readonly #signal: AbortSignal | undefined;

  constructor(own: BuildCache, others: readonly ImportedCache[], layers: LayerStore, signal?: AbortSignal) {
    this.#own = own;
    this.#others = others;
    this.#layers = layers;
    this.#signal = signal;
  }

  async find(key: Digest, pins: { pin(digests: readonly Digest[]): Promise<void> }): Promise<StepResult | undefined> {
    const own = await this.#own.find(key, pins);
    if (own !== undefined) return own;
    for (const other of this.#others) {
      const found = other.find(key);
      if (found === undefined) continue;
      await pins.pin(found.layers.flatMap(({ descriptor, diffId }) => [descriptor.digest, diffId]));
      try {
        await other.fetch(found, this.#layers, this.#signal);
      } catch (error) {
        // Damaged, forged or out of reach: the step is made here then
        if (UNUSABLE.some((code) => isWctrError(error, code))) continue;
        throw error;
      }
      return this.#own.keep(key, found);
    }
    return undefined;
  }

  keep(key: Digest, result: StepResult, options?: { readonly replaces?: boolean }): Promise<StepResult> {
    return this.#own.keep(key, result, options);
  }
}

const UNUSABLE = [
  'digest-mismatch',
  'size-mismatch',
  'invalid-layer',
  'limit-exceeded',
  'unsupported-media-type',
  'not-found',
  'unauthorized',
  'forbidden',
  'registry-unreachable',
  'registry-error',
  'too-many-requests',
  'timeout',
] as const;

function readSteps(bytes: Uint8Array, layers: readonly Descriptor[], what: string): Map<Digest, StepResult> {
  const broken = (why: string) => new WctrError('invalid-manifest', `the list of steps in ${what} is broken: ${why}`);
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw broken('it is no JSON');
  }
  const { version, steps, diffIds } = (document ?? {}) as { version?: unknown; steps?: unknown; diffIds?: unknown };
  if (version !== VERSION) throw broken('it is of another version');
  if (!Array.isArray(steps) || !Array.isArray(diffIds)) throw broken('it has no steps');
  if (steps.length > MAX_STEPS) throw broken(`it has more than ${MAX_STEPS} steps`);
  const known = new Map<Digest, StepResult>();
  for (const step of steps as (Partial<ConfigStep> | null)[]) {
    const { keys, layers: places, kind, description } = step ?? {};
    if (!Array.isArray(keys) || !Array.isArray(places) || typeof description !== 'string')
      throw broken('a step is none');
    if (!keys.every(isDigest)) throw broken('a step has a key that is none');
    if (!KINDS.some((one) => one === kind)) throw broken('a step is of no kind');
    const result: StepResult = {
      layers: places.map((place: unknown): StepLayer => {
        const descriptor = typeof place === 'number' ? layers[place] : undefined;
        const diffId: unknown = typeof place === 'number' ? diffIds[place] : undefined;
        if (descriptor === undefined || !isDigest(diffId)) throw broken('a step has a layer that is not there');
        const { mediaType, digest, size } = descriptor;
        return { descriptor: { mediaType, digest, size }, diffId };
      }),
      kind: kind as StepResult['kind'],
      description: description.slice(0, MAX_DESCRIPTION),
    };
    for (const key of keys) if (!known.has(key)) known.set(key, result);
  }
  return known;
}

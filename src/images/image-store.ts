/**
 * Images by name: which reference names which manifest, as one small record each. A record is written only when every
 * blob and layer it needs is there, under a lock that keeps the garbage collector out, so a name never points to less
 * than a whole image.
 */
import { WctrError } from '../errors.ts';
import type { FileSystem, Locks } from '../host/ports.ts';
import type { Descriptor, Digest } from '../spec/image-spec.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import type { ContentStore, LayerStore } from './contracts.ts';
import { nearestNames } from './did-you-mean.ts';
import { type CreateHasher, shortDigest } from './digest.ts';
import type { ImageRecord } from './image-record.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { quote } from './quote.ts';
import {
  canonicalName,
  canonicalRepository,
  familiarName,
  parseImageName,
  parseReference,
  type Reference,
} from './reference.ts';
import { GC_LOCK, type StoreLayout } from './store/layout.ts';
import { RecordFiles } from './store/records.ts';
import {
  type ImageForm,
  imageForm,
  isArtifact,
  type PlannedLayer,
  parseArtifactConfig,
  planLayers,
  rootfsDiffIds,
} from './variants.ts';

export interface ImageStoreOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly now?: () => number;
}

/** An image opened: its documents read and checked. */
export interface Image {
  readonly id: Digest;
  readonly record: ImageRecord;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly layers: readonly PlannedLayer[];
  readonly diffIds: readonly Digest[];
  readonly form: ImageForm;
}

export interface NewImage {
  /** Absent: the image gets no name (`import` without one). */
  readonly reference?: Reference;
  readonly target: Descriptor;
  readonly indexes?: readonly Digest[];
  readonly manifest: Descriptor;
  readonly isFromRegistry?: boolean;
}

const RECORDS_LOCK = 'images';

export class ImageStore {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly #options: ImageStoreOptions;
  readonly #records: RecordFiles<ImageRecord>;

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.content = options.content;
    this.layers = options.layers;
    const { fs, layout, createHasher } = options;
    this.#records = new RecordFiles({
      fs,
      dir: layout.images,
      tempDir: layout.tmp,
      createHasher,
      what: 'image record',
    });
  }

  /**
   * Gives an image that is wholly in the store its name. The image that had the name before stays, without a name.
   * Throws `not-found` when a blob or layer is missing (the caller fetches it again).
   */
  async put(image: NewImage): Promise<ImageRecord> {
    return this.#changing(async () => {
      const record = await this.#describe(image);
      await this.#replace(record);
      return record;
    });
  }

  /** `source` is a name or id. Throws `no-such-image`, `invalid-reference`. */
  async tag(source: string, name: string): Promise<ImageRecord> {
    const reference = parseReference(name);
    if (reference.digest !== undefined) {
      throw new WctrError('invalid-reference', `cannot tag with a digest: ${quote(name)}`, {
        hint: 'leave out the @sha256 part; a digest follows from the content',
      });
    }
    return this.#changing(async () => {
      const { repoDigest: _, ...record } = await this.resolve(source);
      const key = canonicalName(reference);
      const tagged: ImageRecord = { ...record, key, reference: key, taggedAt: this.#timestamp() };
      await this.#replace(tagged);
      if (record.reference === undefined) await this.#records.delete(record.key);
      return tagged;
    });
  }

  /** Every record; a damaged one throws `store-corrupt`, or goes to `onCorrupt`. */
  records(onCorrupt?: (error: WctrError) => void): Promise<ImageRecord[]> {
    return this.#records.list(onCorrupt);
  }

  /** Removes names; content goes when the collector runs. */
  async forget(records: readonly ImageRecord[]): Promise<void> {
    await this.#changing(async () => {
      for (const { key } of records) await this.#records.delete(key);
    });
  }

  /** Throws `no-such-image` (with near names), `invalid-reference`, `invalid-argument` for an ambiguous short id. */
  async resolve(text: string): Promise<ImageRecord> {
    const name = parseImageName(text);
    if (name.kind === 'reference' && name.reference.digest === undefined) {
      // the usual case costs one file, however many images there are
      const record = await this.#records.get(canonicalName(name.reference));
      if (record !== undefined) return record;
    }
    const [first] = await this.resolveAll(text);
    return first as ImageRecord;
  }

  /** Every record of the image that `text` names; the one that was meant comes first. */
  async resolveAll(text: string): Promise<readonly ImageRecord[]> {
    const name = parseImageName(text);
    const records = await this.records(() => {});
    const found =
      name.kind === 'id'
        ? records.find(({ id, manifest, target }) => [id, manifest.digest, target.digest].includes(name.digest))
        : (findByReference(records, name.reference) ?? findByShortId(records, name.shortId));
    if (found === undefined) throw noSuchImage(text, records);
    const others = records.filter((record) => record.id === found.id && record !== found);
    return [found, ...others.sort((a, b) => (a.key < b.key ? -1 : 1))];
  }

  /** Reads and checks the image's documents. Throws as `resolve`, `invalid-manifest`, `store-corrupt`. */
  async open(text: string): Promise<Image> {
    return this.openRecord(await this.resolve(text));
  }

  async openRecord(record: ImageRecord): Promise<Image> {
    const image = await this.#read(record.manifest, displayName(record));
    return { ...image, id: record.id, record };
  }

  async #read(descriptor: Descriptor, what: string): Promise<Omit<Image, 'id' | 'record'>> {
    const bytes = await this.content.read(descriptor.digest);
    const manifest = parseManifest(bytes, { what: `manifest of ${what}`, mediaType: descriptor.mediaType });
    if (manifest.kind === 'index') {
      throw new WctrError('invalid-manifest', `image ${what} names an index where its manifest should be`);
    }
    const configBytes = await this.content.read(manifest.config.digest);
    const parse = isArtifact(manifest) ? parseArtifactConfig : parseImageConfig;
    const config = parse(configBytes, `config of ${what}`);
    const layers = planLayers(what, manifest, config);
    return { manifest, config, layers, diffIds: rootfsDiffIds(layers), form: imageForm(what, manifest, config) };
  }

  async #describe({ reference, target, indexes = [], manifest, isFromRegistry }: NewImage): Promise<ImageRecord> {
    const name = reference === undefined ? undefined : recordName(reference);
    const image = await this.#read(manifest, name ?? manifest.digest);
    const { config } = image.manifest;
    const blobs = [target, manifest, config, ...image.manifest.layers].map(({ digest }) => digest).concat(indexes);
    for (const digest of blobs) {
      if (!(await this.content.has(digest))) throw incomplete(name, `blob ${digest}`);
    }
    let sizeBytes = 0;
    for (const { kind, descriptor, diffId } of image.layers) {
      if (kind === 'wasm' || diffId === undefined) {
        sizeBytes += descriptor.size;
        continue;
      }
      const layer = await this.layers.get(diffId);
      if (layer === undefined) throw incomplete(name, `layer ${diffId}`);
      sizeBytes += layer.tarSizeBytes;
    }
    return {
      key: name ?? `@${manifest.digest}`,
      ...(name === undefined ? {} : { reference: name }),
      ...(isFromRegistry && reference ? { repoDigest: `${canonicalRepository(reference)}@${target.digest}` } : {}),
      id: isArtifact(image.manifest) ? manifest.digest : config.digest,
      target,
      manifest,
      platform: image.config.platform,
      blobs: [...new Set(blobs)],
      diffIds: image.diffIds,
      sizeBytes,
      ...(image.config.created === undefined ? {} : { created: image.config.created }),
      taggedAt: this.#timestamp(),
    };
  }

  /** Writes a record; what it displaces stays reachable as a record without a name. */
  async #replace(record: ImageRecord): Promise<void> {
    // a damaged record is one that may be replaced
    const previous = await this.#records.get(record.key).catch(() => undefined);
    if (previous !== undefined && isSameButForTime(previous, record)) return;
    if (previous !== undefined && previous.manifest.digest !== record.manifest.digest) {
      const { reference: _, ...nameless } = previous;
      const others = await this.records(() => {});
      const isNamedElsewhere = others.some(
        ({ key, manifest }) => key !== previous.key && manifest.digest === previous.manifest.digest,
      );
      if (!isNamedElsewhere) await this.#records.put({ ...nameless, key: `@${previous.manifest.digest}` });
    }
    await this.#records.put(record);
  }

  async #changing<T>(action: () => Promise<T>): Promise<T> {
    const { locks } = this.#options;
    const collector = await locks.acquire(GC_LOCK, { shared: true });
    try {
      const records = await locks.acquire(RECORDS_LOCK);
      try {
        return await action();
      } finally {
        await records.release();
      }
    } finally {
      await collector.release();
    }
  }

  #timestamp(): string {
    return new Date((this.#options.now ?? Date.now)()).toISOString();
  }
}

function isSameButForTime(a: ImageRecord, b: ImageRecord): boolean {
  return JSON.stringify({ ...a, taggedAt: '' }) === JSON.stringify({ ...b, taggedAt: '' });
}

/** How an image is called in messages and tables: `hello:latest`, or its short id. */
export function displayName({ reference, id }: ImageRecord): string {
  return reference === undefined ? shortDigest(id) : familiarName(parseReference(reference));
}

/** `name:tag@digest` is stored under the digest alone: the tag may have moved on. */
function recordName(reference: Reference): string {
  const { domain, path, digest } = reference;
  return canonicalName(digest === undefined ? reference : { domain, path, digest });
}

function findByReference(records: readonly ImageRecord[], reference: Reference): ImageRecord | undefined {
  const { digest } = reference;
  if (digest === undefined) {
    const key = canonicalName(reference);
    return records.find((record) => record.key === key);
  }
  const repository = canonicalRepository(reference);
  return records.find(
    (record) =>
      [record.target.digest, record.manifest.digest].includes(digest) &&
      (record.repoDigest ?? record.reference ?? '').startsWith(repository) &&
      /^[:@]/.test((record.repoDigest ?? record.reference ?? '').slice(repository.length)),
  );
}

function findByShortId(records: readonly ImageRecord[], shortId: string | undefined): ImageRecord | undefined {
  if (shortId === undefined) return undefined;
  const matches = records.filter(({ id }) => id.slice(id.indexOf(':') + 1).startsWith(shortId));
  const ids = [...new Set(matches.map(({ id }) => id))];
  if (ids.length > 1) {
    throw new WctrError('invalid-argument', `image id ${shortId} is ambiguous: it fits ${ids.length} images`, {
      hint: `give more digits: ${ids.map((id) => id.slice(7, 7 + Math.max(12, shortId.length + 4))).join(', ')}`,
      data: { ids },
    });
  }
  return matches.find(({ reference }) => reference !== undefined) ?? matches[0];
}

function noSuchImage(text: string, records: readonly ImageRecord[]): WctrError {
  const names = records.flatMap((record) => (record.reference === undefined ? [] : [displayName(record)]));
  // `helo` is meant as `hello:latest`, so names are compared with and without that tag
  const near = nearestNames(text, [...names, ...names.map((name) => name.replace(/:latest$/, ''))]);
  const data = { image: text, candidates: near };
  return new WctrError('no-such-image', `no such image: ${quote(text).slice(1, -1)}`, {
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : `pull it with wctr pull ${quote(text).slice(1, -1)}`,
    data,
  });
}

function incomplete(name: string | undefined, what: string): WctrError {
  return new WctrError('not-found', `image ${name ?? '<none>'} is not complete: ${what} is missing`, {
    hint: 'it was removed meanwhile, try again',
  });
}

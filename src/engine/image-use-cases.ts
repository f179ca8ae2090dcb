import { WctrError } from '../errors.ts';
import type { ImageRecord } from '../images/image-record.ts';
import { imageHistory, inspectImage, listImages, repositoryOf } from '../images/image-views.ts';
import type { LoadContext } from '../images/load.ts';
import { formatPlatform, parsePlatform } from '../images/platform.ts';
import { canonicalName, canonicalRepository, familiarName, parseReference } from '../images/reference.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import { isMissing } from '../images/store/disk-error.ts';
import type { DistributionInspect, SearchResult } from '../spec/engine-api.ts';
import { removalContext } from './collector.ts';
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
} from './engine.ts';
import type { EngineParts } from './parts.ts';

/** Each use case loads its own code when it is first called: `run` needs none of it once its image is here. */
export class LocalImages implements ImageUseCases {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** `logins`: of every registry that is asked, in place of `credentials`. */
  async pull(name: string, options: PullOptions & { readonly logins?: CredentialSource } = {}): Promise<PullOutcome> {
    const [{ pullImage }, { onlyFor }] = await Promise.all([
      import('../images/pull.ts'),
      import('./registry-use-cases.ts'),
    ]);
    const { images, leases } = this.#parts;
    const reference = parseReference(name);
    const logins = options.logins ?? onlyFor(reference.domain, options.credentials);
    const registry = await this.#parts.registry(logins);
    const { record, changed } = await pullImage({
      reference,
      images,
      leases,
      registry,
      permit: async (target, manifest) => {
        if (!(await this.#hasPolicy())) return;
        const { permitPull } = await import('./policy-use-cases.ts');
        await permitPull(this.#parts, reference, registry, target, manifest, options.signal);
      },
      ...(options.platform === undefined ? {} : { platforms: [parsePlatform(options.platform)] }),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    await this.#event('pull', familiarName(reference), familiarName(reference));
    return { reference: canonicalName(reference), digest: record.target.digest, imageId: record.id, changed };
  }

  async push(name: string, options?: PushOptions): Promise<readonly PushedTag[]> {
    const { push } = await import('./registry-use-cases.ts');
    return push(this.#parts, name, { ...options, permit: (record) => this.permit(record) });
  }

  async search(term: string, options?: SearchOptions): Promise<readonly SearchResult[]> {
    return (await import('./registry-use-cases.ts')).search(this.#parts, term, options);
  }

  async distribution(name: string, options?: RegistryCallOptions): Promise<DistributionInspect> {
    return (await import('./registry-use-cases.ts')).distribution(this.#parts, name, options);
  }

  async list(options: { all?: boolean; reference?: string } = {}): Promise<ImageSummary[]> {
    const wanted = options.reference === undefined ? undefined : nameFilter(options.reference);
    const summaries = await listImages(this.#parts.images);
    return summaries
      .filter(({ records }) => wanted === undefined || records.some(wanted))
      .map((summary) => ({
        id: summary.id,
        digest: summary.records[0]!.target.digest,
        tags: summary.repoTags,
        repoDigests: summary.repoDigests,
        created: summary.created,
        sizeBytes: summary.sizeBytes,
        platform: formatPlatform(summary.platform),
        labels: {},
      }));
  }

  inspect(name: string): Promise<Record<string, unknown>> {
    return inspectImage(this.#parts.images, name);
  }

  async history(name: string): Promise<HistoryEntry[]> {
    return imageHistory(this.#parts.images, name);
  }

  async tag(source: string, target: string): Promise<void> {
    const record = await this.#parts.images.tag(source, target);
    await this.#event('tag', record.id, familiarName(parseReference(target)));
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<ImageRemoval[]> {
    const { removeImage } = await import('../images/image-remove.ts');
    const { items } = await removeImage(removalContext(this.#parts), name, options);
    await this.#removed(items);
    return [...items];
  }

  async prune(options: { all?: boolean } = {}): Promise<{ removed: ImageRemoval[]; reclaimedBytes: number }> {
    const { pruneImages } = await import('../images/image-remove.ts');
    const { items, reclaimedBytes } = await pruneImages(removalContext(this.#parts), options);
    await this.#removed(items);
    await this.#parts.events.append({
      Type: 'image',
      Action: 'prune',
      Actor: { ID: '', Attributes: { reclaimed: String(reclaimedBytes) } },
    });
    return { removed: [...items], reclaimedBytes };
  }

  async load(source: ImageSource, options: { signal?: AbortSignal } = {}): Promise<LoadedImage[]> {
    const { loadPath, loadStream } = await import('../images/load.ts');
    const context = this.#loadContext();
    const records =
      'directory' in source
        ? await loadPath(context, this.#hostFiles(source.directory), source.directory, options)
        : await loadStream(context, source.tar, {
            ...options,
            ...(source.name === undefined ? {} : { what: source.name }),
          });
    for (const { id, references } of loadedImages(records)) await this.#event('load', id, references[0] ?? id);
    return loadedImages(records);
  }

  async *save(names: readonly string[]): AsyncGenerator<Uint8Array> {
    const { saveImages } = await import('../images/save.ts');
    yield* await saveImages(this.#parts.images, names);
  }

  async import(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<LoadedImage> {
    const { importImage } = await import('../images/import.ts');
    const { reference, platform, ...same } = options;
    const record = await importImage(this.#loadContext(), tar, {
      ...same,
      ...(reference === undefined ? {} : { reference: parseReference(reference) }),
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    });
    const [imported] = loadedImages([record]) as [LoadedImage];
    await this.#event('import', imported.id, imported.references[0] ?? imported.id);
    return imported;
  }

  /** May it be used? Asks the policy of this machine, where there is one. Throws 'forbidden'. */
  async permit(record: ImageRecord): Promise<void> {
    if (await this.#hasPolicy()) await (await import('./policy-use-cases.ts')).permitRecord(this.#parts, record);
  }

  /** All that a run without a policy pays for it. */
  async #hasPolicy(): Promise<boolean> {
    const { fs, policyDirectory } = this.#parts;
    if (policyDirectory === undefined) return false;
    return fs.stat(`${policyDirectory}/policy.json`).then(
      () => true,
      // What cannot be looked at is read, and refused with its reason.
      (error: unknown) => !isMissing(error),
    );
  }

  /** Takes an image that ships inside the package into the store; false when there is none of that name. */
  async addBundled(name: string): Promise<boolean> {
    const files = await this.#parts.host.bundledImage(canonicalName(parseReference(name)));
    if (files === undefined) return false;
    const { loadFiles } = await import('../images/load.ts');
    await loadFiles(this.#loadContext(), files, { name: parseReference(name) });
    return true;
  }

  #event(action: string, id: string, name: string): Promise<void> {
    return this.#parts.events.append({ Type: 'image', Action: action, Actor: { ID: id, Attributes: { name } } });
  }

  async #removed(items: readonly ImageRemoval[]): Promise<void> {
    for (const { untagged, deleted } of items) {
      if (untagged !== undefined) await this.#event('untag', untagged, untagged);
      if (deleted !== undefined) await this.#event('delete', deleted, deleted);
    }
  }

  #loadContext(): LoadContext {
    const { images, leases, fs, layout, createHasher } = this.#parts;
    return { images, leases, fs, layout, createHasher };
  }

  #hostFiles(directory: string) {
    const { paths } = this.#parts.host;
    if (paths === undefined) throw new WctrError('unsupported', `this host has no files: ${directory}`);
    return paths.fs;
  }
}

/** docker's `images REFERENCE`: a repository with all its tags, or one name; `*` stands for any part of it. */
function nameFilter(text: string): (record: ImageRecord) => boolean {
  if (/[*?]/.test(text)) {
    const pattern = new RegExp(
      `^${text
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '[^/]*')
        .replace(/\?/g, '[^/]')}$`,
    );
    return ({ reference }) => {
      if (reference === undefined) return false;
      const name = familiarName(parseReference(reference));
      return pattern.test(name) || pattern.test(name.replace(/:[^:/]*$/, ''));
    };
  }
  const wanted = parseReference(text);
  const isWhole = wanted.digest !== undefined || /:[^/]*$/.test(text);
  return isWhole
    ? ({ reference }) => reference === canonicalName(wanted)
    : (record) => repositoryOf(record) === canonicalRepository(wanted);
}

function loadedImages(records: readonly ImageRecord[]): LoadedImage[] {
  return records.map(({ id, reference }) => ({
    id,
    references: reference === undefined ? [] : [familiarName(parseReference(reference))],
  }));
}

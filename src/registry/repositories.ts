/**
 * Repositories, kept in a driver's documents:
 *
 * ```
 * repositories/<name>/blobs/<algorithm>-<hex>                  a blob this repository has: BlobLink
 * repositories/<name>/manifests/<algorithm>-<hex>              a manifest it has: ManifestRecord; its bytes are a blob
 * repositories/<name>/tags/<tag>                               the digest a tag names
 * repositories/<name>/referrers/<subject>/<algorithm>-<hex>    the descriptor of a manifest with that subject
 * repositories/<name>/expected/<algorithm>-<hex>               of a cache: the descriptor of a blob it may be asked for
 * ```
 *
 * `<name>` has `+` for `/`. Each fact is a document of its own, so that no two writers ever change the same one, also when
 * they are different machines on one bucket.
 */
import { isDigest } from '../images/digest.ts';
import type { Descriptor, Digest } from '../spec/image-spec.ts';
import type { Documents, Driver } from './storage/driver.ts';

export interface BlobLink {
  readonly size: number;
  /** When it was last pushed, mounted or asked for before a push; milliseconds since the epoch. */
  readonly at: number;
}

export interface ManifestRecord {
  readonly mediaType: string;
  readonly size: number;
  readonly at: number;
  readonly subject?: Digest;
  /** Everything the document names by digest, the subject left out: what the collector has to keep for it. */
  readonly refs: readonly Digest[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Repositories {
  readonly #documents: Documents;

  constructor(driver: Driver) {
    this.#documents = driver.documents;
  }

  /** In the order of their names. */
  async names(): Promise<string[]> {
    const names = await this.#documents.list('repositories');
    return names.map((name) => name.replaceAll('+', '/')).sort(byCodeUnits);
  }

  async exists(repository: string): Promise<boolean> {
    for (const kind of ['manifests', 'blobs', 'tags']) {
      if ((await this.#documents.list(`${root(repository)}/${kind}`)).length > 0) return true;
    }
    return false;
  }

  blob(repository: string, digest: Digest): Promise<BlobLink | undefined> {
    return this.#read(blobKey(repository, digest));
  }

  linkBlob(repository: string, digest: Digest, link: BlobLink): Promise<void> {
    return this.#write(blobKey(repository, digest), link);
  }

  unlinkBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#documents.delete(blobKey(repository, digest));
  }

  blobs(repository: string): Promise<Digest[]> {
    return this.#digests(`${root(repository)}/blobs`);
  }

  expectedBlob(repository: string, digest: Digest): Promise<Descriptor | undefined> {
    return this.#read(`${root(repository)}/expected/${fileName(digest)}`);
  }

  expectBlob(repository: string, descriptor: Descriptor): Promise<void> {
    return this.#write(`${root(repository)}/expected/${fileName(descriptor.digest)}`, descriptor);
  }

  manifest(repository: string, digest: Digest): Promise<ManifestRecord | undefined> {
    return this.#read(manifestKey(repository, digest));
  }

  async putManifest(repository: string, digest: Digest, record: ManifestRecord, referrer?: Descriptor): Promise<void> {
    if (record.subject !== undefined && referrer !== undefined) {
      await this.#write(referrerKey(repository, record.subject, digest), referrer);
    }
    await this.#write(manifestKey(repository, digest), record);
  }

  /** With every tag that names it. False when there is none. */
  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const record = await this.manifest(repository, digest);
    if (record === undefined) return false;
    await this.#documents.delete(manifestKey(repository, digest));
    if (record.subject !== undefined) await this.#documents.delete(referrerKey(repository, record.subject, digest));
    for (const tag of await this.tags(repository)) {
      if ((await this.tag(repository, tag)) === digest) await this.deleteTag(repository, tag);
    }
    return true;
  }

  manifests(repository: string): Promise<Digest[]> {
    return this.#digests(`${root(repository)}/manifests`);
  }

  async tag(repository: string, tag: string): Promise<Digest | undefined> {
    const bytes = await this.#documents.get(`${root(repository)}/tags/${tag}`);
    const text = bytes === undefined ? undefined : decoder.decode(bytes);
    return isDigest(text) ? text : undefined;
  }

  putTag(repository: string, tag: string, digest: Digest): Promise<void> {
    return this.#documents.put(`${root(repository)}/tags/${tag}`, encoder.encode(digest));
  }

  deleteTag(repository: string, tag: string): Promise<boolean> {
    return this.#documents.delete(`${root(repository)}/tags/${tag}`);
  }

  /** In ASCII order, as Go sorts strings. */
  async tags(repository: string): Promise<string[]> {
    return (await this.#documents.list(`${root(repository)}/tags`)).sort(byCodeUnits);
  }

  async referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    const key = `${root(repository)}/referrers/${fileName(subject)}`;
    const names = (await this.#documents.list(key)).sort(byCodeUnits);
    const found = await Promise.all(names.map((name) => this.#read<Descriptor>(`${key}/${name}`)));
    return found.filter((descriptor) => descriptor !== undefined);
  }

  async #digests(key: string): Promise<Digest[]> {
    return (await this.#documents.list(key)).map((name) => name.replace('-', ':')).filter((name) => isDigest(name));
  }

  async #read<T>(key: string): Promise<T | undefined> {
    const bytes = await this.#documents.get(key);
    return bytes === undefined ? undefined : (JSON.parse(decoder.decode(bytes)) as T);
  }

  #write(key: string, document: unknown): Promise<void> {
    return this.#documents.put(key, encoder.encode(JSON.stringify(document)));
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function root(repository: string): string {
  return `repositories/${repository.replaceAll('/', '+')}`;
}

function fileName(digest: Digest): string {
  return digest.replace(':', '-');
}

function blobKey(repository: string, digest: Digest): string {
  return `${root(repository)}/blobs/${fileName(digest)}`;
}

function manifestKey(repository: string, digest: Digest): string {
  return `${root(repository)}/manifests/${fileName(digest)}`;
}

function referrerKey(repository: string, subject: Digest, digest: Digest): string {
  return `${root(repository)}/referrers/${fileName(subject)}/${fileName(digest)}`;
}

/**
 * Indexes ("manifest lists") put together by hand: a list of manifests that lie in registries, kept in a small file until
 * it is pushed. What `docker manifest` does.
 */
import { WctrError } from '../errors.ts';
import type { FileSystem } from '../host/ports.ts';
import { type Descriptor, type Digest, type IndexDocument, MEDIA_TYPE, type Platform } from '../spec/image-spec.ts';
import { parseImageConfig } from './config.ts';
import { writeWhole } from './copy/layout-writer.ts';
import { type CreateHasher, digestOf } from './digest.ts';
import { imageGraph } from './image-graph.ts';
import { JsonDocument, MAX_DOCUMENT_BYTES } from './json-document.ts';
import { parseManifest } from './manifest.ts';
import { normalisePlatform } from './platform.ts';
import {
  canonicalName,
  canonicalRepository,
  DEFAULT_TAG,
  familiarName,
  parseReference,
  type Reference,
} from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { readRemoteBlob } from './registry/documents.ts';
import { isMissing } from './store/disk-error.ts';
import { type UploadProgress, uploadGraph } from './upload-graph.ts';
import { isArtifact, parseArtifactConfig } from './variants.ts';

/** One manifest of a list, and where it was found. */
export interface ListEntry {
  /** Canonical name. */
  readonly name: string;
  readonly descriptor: Descriptor;
}

export interface ManifestList {
  readonly name: string;
  readonly entries: readonly ListEntry[];
}

const MAX_ENTRIES = 4096;

/** Lists under way, a file each. */
export class ManifestLists {
  private readonly fs: FileSystem;
  private readonly dir: string;

  constructor(fs: FileSystem, configDirectory: string) {
    this.fs = fs;
    this.dir = `${configDirectory}/manifests`;
  }

  async get(reference: Reference): Promise<ManifestList | undefined> {
    const path = this.path(reference);
    const bytes = await this.fs.readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (bytes === undefined) return undefined;
    const document = new JsonDocument(path, bytes);
    const entries = (document.array(document.root.entries, 'entries', MAX_ENTRIES) ?? []).map((value, i) => {
      const fields = document.object(value, `entries[${i}]`);
      const descriptor = document.descriptor(fields.descriptor, `entries[${i}].descriptor`);
      return { name: document.text(fields.name, `entries[${i}].name`, 1024) ?? '', descriptor };
    });
    return { name: canonicalName(reference), entries };
  }

  /** Throws `not-found`. */
  async open(reference: Reference): Promise<ManifestList> {
    const list = await this.get(reference);
    if (list !== undefined) return list;
    throw new WctrError('not-found', `no such manifest list here: ${familiarName(reference)}`, {
      hint: `make one: wctr manifest create ${familiarName(reference)} MANIFEST...`,
    });
  }

  async put(reference: Reference, entries: readonly ListEntry[]): Promise<void> {
    await this.fs.mkdir(this.dir, { recursive: true, mode: 0o700 });
    const bytes = new TextEncoder().encode(JSON.stringify({ name: canonicalName(reference), entries }, null, 2));
    await writeWhole(
      this.fs,
      this.path(reference),
      (async function* () {
        yield bytes;
      })(),
    );
  }

  /** False when there was none. */
  async remove(reference: Reference): Promise<boolean> {
    try {
      await this.fs.unlink(this.path(reference));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  private path(reference: Reference): string {
    return `${this.dir}/${encodeURIComponent(canonicalName(reference))}.json`;
  }
}

/** A manifest of a registry as an entry: with the platform its config names. Throws `invalid-argument` for an index. */
export async function remoteEntry(
  client: RegistryClient,
  reference: Reference,
  signal?: AbortSignal,
): Promise<ListEntry> {
  const remote = client.repository(reference);
  const what = `manifest for ${familiarName(reference)}`;
  const { descriptor, bytes } = await remote.manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, signal);
  const manifest = parseManifest(bytes, { what, contentType: descriptor.mediaType });
  if (manifest.kind === 'index') {
    throw new WctrError('invalid-argument', `${familiarName(reference)} is a manifest list itself`, {
      hint: 'name its manifests by their digests: NAME@sha256:...',
    });
  }
  const config = await readRemoteBlob(remote, manifest.config, client.createHasher, signal);
  const { platform } = (isArtifact(manifest) ? parseArtifactConfig : parseImageConfig)(config, `config of ${what}`);
  return { name: canonicalName(reference), descriptor: { ...descriptor, platform } };
}

/** Sets some of the platform's fields. */
export function annotated(entry: ListEntry, changes: Partial<Platform>): ListEntry {
  const { os = '', architecture = '', ...rest } = entry.descriptor.platform ?? {};
  return { ...entry, descriptor: { ...entry.descriptor, platform: { os, architecture, ...rest, ...changes } } };
}

/** The index's bytes: Docker's media type when all its manifests are Docker's, else OCI's. */
export function indexOf(list: ManifestList, createHasher: CreateHasher): { descriptor: Descriptor; bytes: Uint8Array } {
  const isDocker = list.entries.every(({ descriptor }) => descriptor.mediaType === MEDIA_TYPE.dockerManifest);
  const mediaType = isDocker && list.entries.length > 0 ? MEDIA_TYPE.dockerList : MEDIA_TYPE.ociIndex;
  const manifests = list.entries.map(({ descriptor: { mediaType, digest, size, platform } }) => ({
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform: { ...platform, ...normalisePlatform(platform) } }),
  }));
  const document: IndexDocument = { schemaVersion: 2, mediaType, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(document, null, 2));
  if (bytes.length > MAX_DOCUMENT_BYTES) throw new WctrError('limit-exceeded', `${list.name} is larger than 4 MiB`);
  return { descriptor: { mediaType, digest: digestOf(createHasher, bytes), size: bytes.length }, bytes };
}

export interface ListPush {
  readonly client: RegistryClient;
  readonly list: ManifestList;
  readonly onEvent?: ((event: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Brings the manifests into the list's own repository, where they are not there yet, and then the list. */
export async function pushList({ client, list, onEvent, signal }: ListPush): Promise<Digest> {
  const reference = parseReference(list.name);
  const { descriptor: root, bytes } = indexOf(list, client.createHasher);
  const origins = new Map(list.entries.map(({ name, descriptor }) => [descriptor.digest, parseReference(name)]));
  const sourceOf = (digest: Digest) => client.repository(origins.get(digest) ?? reference);
  const blobSources = new Map<Digest, Reference>();
  const graph = await imageGraph(familiarName(reference), root, async ({ digest }) => {
    if (digest === root.digest) return bytes;
    const manifest = (await sourceOf(digest).manifest(digest, signal)).bytes;
    const parsed = parseManifest(manifest, { what: `manifest ${digest}` });
    const origin = origins.get(digest) ?? reference;
    if (parsed.kind === 'manifest') {
      for (const blob of [parsed.config, ...parsed.layers]) blobSources.set(blob.digest, origin);
    }
    return manifest;
  });
  const originOf = (digest: Digest): Reference => blobSources.get(digest) ?? reference;
  await uploadGraph({
    graph,
    target: client.target(reference),
    tags: [reference.tag ?? DEFAULT_TAG],
    open: (blob) => client.repository(originOf(blob.digest)).blob(blob),
    mountFrom: (digest) => {
      const { domain, path } = originOf(digest);
      return domain === reference.domain ? [path] : [];
    },
    onEvent,
    signal,
  });
  return root.digest;
}

/** Whether two names are the same manifest of a list: by name, or by the digest in either. */
export function isEntry(entry: ListEntry, reference: Reference): boolean {
  if (entry.name === canonicalName(reference)) return true;
  const sameRepository = canonicalRepository(parseReference(entry.name)) === canonicalRepository(reference);
  return sameRepository && reference.digest === entry.descriptor.digest;
}

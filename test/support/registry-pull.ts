/**
 * A store on disk and a client, ready to pull into. Its layer store does with Node's zlib what little of one a pull
 * sees, so that these tests stand or fall with the pull alone.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { WctrError } from '../../src/errors.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import type { BlobOrigin, ContentStore, IngestOptions, LayerRecord, LayerStore } from '../../src/images/contracts.ts';
import { type Collected, collectGarbage } from '../../src/images/gc.ts';
import { ImageStore } from '../../src/images/image-store.ts';
import { type PulledImage, type PullProgress, type PullRequest, pullImage } from '../../src/images/pull.ts';
import { parseReference } from '../../src/images/reference.ts';
import { Leases } from '../../src/images/store/leases.ts';
import type { Descriptor, Digest } from '../../src/spec/image-spec.ts';
import { createNodeHasher, diskStore, sha256, type TestStore } from './image-store.ts';
import { peer } from './peers.ts';
import { createTestClient } from './registry-client.ts';

export interface PullStore extends TestStore {
  readonly images: ImageStore;
  readonly leases: Leases;
  pull(reference: string, options?: PullOptions): Promise<PulledImage>;
  gc(): Promise<Collected>;
  /** Names of files in a folder of the store, none when it is not there. */
  files(folder: string): string[];
}

export type PullOptions = Partial<Omit<PullRequest, 'reference' | 'images' | 'leases'>>;

export function openPullStore(root: string, fs?: FileSystem): PullStore {
  const store = diskStore(root, fs);
  const layers = new ZlibLayers(store.content, store.layout.layers);
  const shared = { ...store, createHasher: createNodeHasher };
  const images = new ImageStore({ ...shared, layers });
  const leases = new Leases(shared);
  return {
    ...store,
    images,
    leases,
    pull: (reference, options = {}) =>
      pullImage({ registry: createTestClient(), ...options, reference: parseReference(reference), images, leases }),
    gc: () => collectGarbage({ ...shared, images, leases, roots: async () => ({ manifests: [], stacks: [] }) }),
    files(folder) {
      try {
        return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => entry.name);
      } catch {
        return [];
      }
    },
  };
}

/** What a pull reports, without the amounts. */
export function statuses(events: readonly PullProgress[]): string[] {
  const lines = events.map(({ id, status }) => (id === undefined ? status : `${id}: ${status}`));
  return lines.filter((line, i) => line !== lines[i - 1]);
}

class ZlibLayers implements LayerStore {
  private readonly content: ContentStore;
  private readonly dir: string;

  constructor(content: ContentStore, dir: string) {
    this.content = content;
    this.dir = dir;
  }

  async get(diffId: Digest): Promise<LayerRecord | undefined> {
    const path = this.pathOf(diffId);
    const tar = await readFile(path).catch(() => undefined);
    if (tar === undefined) return undefined;
    return { diffId, tar: { path }, index: { path }, tarSizeBytes: tar.length, entryCount: 0 };
  }

  async ingest(
    descriptor: Descriptor,
    expected: Digest | undefined,
    origin: BlobOrigin,
    options?: IngestOptions,
  ): Promise<LayerRecord> {
    await this.content.ingest(descriptor, origin, options);
    return this.unpack(descriptor, expected);
  }

  async unpack(descriptor: Descriptor, expected: Digest | undefined): Promise<LayerRecord> {
    const blob = await this.content.read(descriptor.digest, 2 ** 30);
    const tar = decompress(descriptor.mediaType, blob);
    const diffId = sha256(tar);
    if (expected !== undefined && diffId !== expected) {
      throw new WctrError('digest-mismatch', `layer ${descriptor.digest}: its tar is ${diffId}, not ${expected}`);
    }
    await mkdir(this.dir, { recursive: true });
    const temp = `${this.pathOf(diffId)}.${randomUUID()}`;
    await writeFile(temp, tar);
    await rename(temp, this.pathOf(diffId));
    return (await this.get(diffId))!;
  }

  rootfs(): Promise<never> {
    throw new WctrError('unsupported', 'these layers are only looked at');
  }

  private pathOf(diffId: Digest): string {
    return join(this.dir, diffId.slice(7));
  }
}

function decompress(mediaType: string, blob: Uint8Array): Uint8Array {
  if (mediaType.endsWith('gzip')) return gunzipSync(blob);
  // Node 20 has no zstd of its own.
  if (mediaType.endsWith('zstd')) return execFileSync(peer('zstd')!, ['-dcq'], { input: blob, maxBuffer: 2 ** 30 });
  return blob;
}

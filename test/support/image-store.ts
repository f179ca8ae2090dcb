/** Stores for tests: on a temp directory or in memory, with Node's hasher. */
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memfs } from 'memfs';
import { MemoryLocks } from '../../src/host/memory-locks.ts';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import { FileLocks } from '../../src/host/node/locks.ts';
import type { FileSystem, Hasher, Locks } from '../../src/host/ports.ts';
import { collect } from '../../src/images/archive/files.ts';
import { type TarMember, writeTar } from '../../src/images/archive/tar-writer.ts';
import type { LayerStore } from '../../src/images/contracts.ts';
import type { CreateHasher, DigestAlgorithm } from '../../src/images/digest.ts';
import type { CollectorOptions } from '../../src/images/gc.ts';
import { ImageStore } from '../../src/images/image-store.ts';
import { BlobStore } from '../../src/images/store/blob-store.ts';
import { StoreLayout } from '../../src/images/store/layout.ts';
import { Leases } from '../../src/images/store/leases.ts';
import type { Digest } from '../../src/spec/image-spec.ts';
import { FakeLayers } from './fake-layers.ts';
import { removeTree } from './remove-tree.ts';

export const createNodeHasher: CreateHasher = (algorithm: DigestAlgorithm): Hasher => {
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), digestHex: () => hash.digest('hex') };
};

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface TestStore {
  readonly fs: FileSystem;
  readonly locks: Locks;
  readonly layout: StoreLayout;
  readonly content: BlobStore;
}

export function openTestStore(fs: FileSystem, root: string, locks: Locks, locateBy: 'path' | 'bytes'): TestStore {
  const layout = new StoreLayout(root);
  return { fs, locks, layout, content: new BlobStore({ fs, layout, locks, createHasher: createNodeHasher, locateBy }) };
}

export function diskStore(root: string, fs: FileSystem = nodeFileSystem): TestStore {
  return openTestStore(fs, root, new FileLocks(join(root, 'locks')), 'path');
}

export function memoryStore(): TestStore {
  const fs = memfs().fs.promises as unknown as FileSystem;
  return openTestStore(fs, '/store', new MemoryLocks(), 'bytes');
}

/** A temp directory that is removed by `using`. */
export function tempDir(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'wctr-test-'));
  return { path, [Symbol.dispose]: () => removeTree(path) };
}

export async function* chunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A whole image store over a test store, with fake layers unless others are given. */
export function openImages(store: TestStore, now: () => number = Date.now, realLayers?: LayerStore) {
  const { fs, layout, locks, content } = store;
  const createHasher = createNodeHasher;
  const layers = realLayers ?? new FakeLayers(content);
  const images = new ImageStore({ fs, layout, locks, createHasher, content, layers, now });
  const leases = new Leases({ fs, layout, locks, createHasher, now });
  const roots: { manifests: Digest[]; stacks: Digest[][] } = { manifests: [], stacks: [] };
  const collector: CollectorOptions = {
    fs,
    layout,
    locks,
    createHasher,
    content,
    images,
    leases,
    roots: async () => roots,
    now,
  };
  return { ...store, layers, images, leases, collector, roots, createHasher, now };
}

export type TestImages = ReturnType<typeof openImages>;

/** A tar with these files. */
export async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const members = Object.entries(files).map(([path, content]): TarMember => {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return {
      path,
      kind: 'file',
      mode: 0o755,
      sizeBytes: data.length,
      data: async function* () {
        yield data;
      },
    };
  });
  return collect(writeTar(members));
}

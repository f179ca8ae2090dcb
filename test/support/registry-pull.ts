/** A store on disk and a client, ready to pull into and push from. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createCoreModules } from '../../src/core/core-modules.ts';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import { type Collected, collectGarbage } from '../../src/images/gc.ts';
import type { ImageRecord } from '../../src/images/image-record.ts';
import { ImageStore } from '../../src/images/image-store.ts';
import { Layers } from '../../src/images/layers.ts';
import { loadPath } from '../../src/images/load.ts';
import { type PulledImage, type PullProgress, type PullRequest, pullImage } from '../../src/images/pull.ts';
import { type PushedImage, type PushRequest, pushImage } from '../../src/images/push.ts';
import { parseReference } from '../../src/images/reference.ts';
import { Leases } from '../../src/images/store/leases.ts';
import { createNodeHasher, diskStore, memoryStore, type TestStore } from './image-store.ts';
import { createTestClient } from './registry-client.ts';
import { coreBytes } from './wasm.ts';

export interface PullStore extends TestStore {
  readonly images: ImageStore;
  readonly leases: Leases;
  pull(reference: string, options?: PullOptions): Promise<PulledImage>;
  push(reference: string, options?: PushOptions): Promise<PushedImage>;
  /** From an OCI layout of the host, under the names it gives. */
  load(directory: string, name?: string): Promise<readonly ImageRecord[]>;
  gc(): Promise<Collected>;
  /** Names of files in a folder of the store, none when it is not there. */
  files(folder: string): string[];
}

export type PushOptions = Partial<Omit<PushRequest, 'reference' | 'images' | 'leases'>>;
export type PullOptions = Partial<Omit<PullRequest, 'reference' | 'images' | 'leases'>>;

/** Compiled once for all stores of a test file. */
const CORE = createCoreModules(coreBytes());

export function openPullStore(root: string, fs?: FileSystem): PullStore {
  return over(diskStore(root, fs), 'path');
}

export function openMemoryPullStore(): PullStore {
  return over(memoryStore(), 'bytes');
}

function over(store: TestStore, locateBy: 'path' | 'bytes'): PullStore {
  const shared = { ...store, createHasher: createNodeHasher };
  const layers = new Layers({ ...shared, core: CORE, locateBy });
  const images = new ImageStore({ ...shared, layers });
  const leases = new Leases(shared);
  return {
    ...store,
    images,
    leases,
    pull: (reference, options = {}) =>
      pullImage({ registry: createTestClient(), ...options, reference: parseReference(reference), images, leases }),
    push: (reference, options = {}) =>
      pushImage({ registry: createTestClient(), ...options, reference: parseReference(reference), images, leases }),
    load: (directory, name) =>
      loadPath(
        { ...shared, images, leases },
        nodeFileSystem,
        directory,
        name === undefined ? {} : { name: parseReference(name) },
      ),
    gc: () => collectGarbage({ ...shared, images, leases, roots: async () => ({ manifests: [], stacks: [] }) }),
    files(folder) {
      try {
        return readdirSync(join(store.layout.root, folder), { recursive: true, withFileTypes: true })
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

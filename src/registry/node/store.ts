/** The registry's storage on this machine: the store of images, as `wctr run` and `wctr pull` use it. */
import { ContainerRecords } from '../../containers/records.ts';
import { collectorOptions } from '../../engine/collector.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import { nodeFileSystem } from '../../host/node/file-system.ts';
import { nodeHasher } from '../../host/node/hasher.ts';
import { FileLocks } from '../../host/node/locks.ts';
import { markAndSweep } from '../../images/gc.ts';
import type { ImageRecord } from '../../images/image-record.ts';
import { BlobStore } from '../../images/store/blob-store.ts';
import { StoreLayout } from '../../images/store/layout.ts';
import { Leases } from '../../images/store/leases.ts';
import { RecordFiles } from '../../images/store/records.ts';
import type { Driver } from '../storage/driver.ts';
import { fileDriver } from '../storage/file-driver.ts';

/** Held by the one process that serves a store. */
const SERVE_LOCK = 'registry-serve';
const LOCK_PATIENCE_MS = 500;

export interface LocalStorage {
  readonly driver: Driver;
  readonly content: BlobStore;
  release(): Promise<void>;
}

/** Throws `conflict` when another process serves this store. `isServing`: this one is going to. */
export async function openLocalStorage(root: string, isServing: boolean): Promise<LocalStorage> {
  const fs = nodeFileSystem;
  const createHasher = nodeHasher;
  const layout = new StoreLayout(root);
  const locks = new FileLocks(`${layout.root}/locks`);
  const content = new BlobStore({ fs, layout, locks, createHasher, locateBy: 'path' });
  const records = new RecordFiles<ImageRecord>({
    fs,
    dir: layout.images,
    tempDir: layout.tmp,
    createHasher,
    what: 'image record',
  });
  const collector = collectorOptions({
    fs,
    layout,
    locks,
    createHasher,
    content,
    images: { records: (onCorrupt) => records.list(onCorrupt) },
    leases: new Leases({ fs, layout, locks, createHasher }),
    containers: new ContainerRecords({ fs, root: layout.root, createHasher, locks }),
  });
  const lock = isServing ? await serveLock(locks, root) : undefined;
  const driver = fileDriver({
    fs,
    layout,
    locks,
    content,
    hasPaths: true,
    collect: async () => {
      const { blobs, reclaimedBytes } = await markAndSweep(collector);
      return { blobs: blobs.length, reclaimedBytes };
    },
  });
  return { driver, content, release: async () => lock?.release() };
}

async function serveLock(locks: FileLocks, root: string) {
  try {
    return await locks.acquire(SERVE_LOCK, { signal: AbortSignal.timeout(LOCK_PATIENCE_MS) });
  } catch (error) {
    if (!isWctrError(error, 'cancelled')) throw error;
    throw new WctrError('conflict', `another registry serves the store ${root}`, {
      hint: 'stop it, or name another store with --root',
    });
  }
}

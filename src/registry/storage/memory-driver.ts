/** Everything in memory: for tests, and for a service worker that serves a page's own images. */
import { MemoryLocks } from '../../host/memory-locks.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { Driver, StoredBlob, Upload } from './driver.ts';

interface Pending {
  chunks: Uint8Array[];
  sizeBytes: number;
  modifiedMs: number;
}

export function memoryDriver(now: () => number = Date.now): Driver {
  const documents = new Map<string, Uint8Array>();
  const blobs = new Map<Digest, { bytes: Uint8Array; modifiedMs: number }>();
  const uploads = new Map<string, Pending>();

  const upload = (id: string, pending: Pending): Upload => ({
    get sizeBytes() {
      return pending.sizeBytes;
    },
    async append(chunk) {
      // A listener's buffers are used again; memory is what this driver spends.
      pending.chunks.push(chunk.slice());
      pending.sizeBytes += chunk.length;
      pending.modifiedMs = now();
    },
    async close() {},
    async *bytes() {
      yield* pending.chunks;
    },
    async commit(digest) {
      const bytes = new Uint8Array(pending.sizeBytes);
      let at = 0;
      for (const chunk of pending.chunks) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      blobs.set(digest, { bytes, modifiedMs: now() });
      uploads.delete(id);
    },
    async cancel() {
      uploads.delete(id);
    },
  });

  return {
    documents: {
      get: async (key) => documents.get(key),
      put: async (key, value) => void documents.set(key, value),
      delete: async (key) => documents.delete(key),
      list: async (key) => {
        const prefix = `${key}/`;
        const below = new Set<string>();
        for (const name of documents.keys()) {
          if (name.startsWith(prefix)) below.add(name.slice(prefix.length).split('/', 1)[0]!);
        }
        return [...below];
      },
    },
    blobs: {
      size: async (digest) => blobs.get(digest)?.bytes.length,
      async *read(digest, from, to) {
        const blob = blobs.get(digest);
        if (blob !== undefined) yield blob.bytes.subarray(from, to);
      },
      put: async (digest, bytes) => void blobs.set(digest, { bytes: bytes.slice(), modifiedMs: now() }),
    },
    uploads: {
      create: async (id) => {
        const pending: Pending = { chunks: [], sizeBytes: 0, modifiedMs: now() };
        uploads.set(id, pending);
        return upload(id, pending);
      },
      open: async (id) => {
        const pending = uploads.get(id);
        return pending === undefined ? undefined : upload(id, pending);
      },
      list: async () => [...uploads].map(([id, { modifiedMs }]) => ({ id, modifiedMs })),
    },
    locks: new MemoryLocks(),
    isExclusive: true,
    sweep: async (isNeeded) => {
      let reclaimedBytes = 0;
      let count = 0;
      for (const [digest, { bytes, modifiedMs }] of blobs) {
        const blob: StoredBlob = { digest, sizeBytes: bytes.length, modifiedMs };
        if (isNeeded(blob)) continue;
        blobs.delete(digest);
        count += 1;
        reclaimedBytes += blob.sizeBytes;
      }
      return { blobs: count, reclaimedBytes };
    },
  };
}

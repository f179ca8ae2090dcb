/**
 * What a registry needs of its storage: small documents under keys, blobs by digest, and uploads that become blobs. A
 * driver knows nothing of repositories; `repositories.ts` keeps them in documents, the same way on every driver.
 */
import type { Locks } from '../../host/ports.ts';
import type { Digest } from '../../spec/image-spec.ts';

/** Keys are segments joined by slashes. A segment is 1 to 255 of `a-zA-Z0-9._+-` and neither `.` nor `..`. */
export interface Documents {
  get(key: string): Promise<Uint8Array | undefined>;
  /** The old value or the new one is there after a crash; the new one once this has resolved. */
  put(key: string, value: Uint8Array): Promise<void>;
  /** False when there was none. */
  delete(key: string): Promise<boolean>;
  /** Segments directly below a key, in no order: of documents and of what has documents below it. */
  list(key: string): Promise<string[]>;
}

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface Blobs {
  size(digest: Digest): Promise<number | undefined>;
  /** Bytes from `from` up to `to`, which is not included and not beyond the end. */
  read(digest: Digest, from: number, to: number): AsyncIterable<Uint8Array>;
  /** Bytes whose digest the caller has computed; durable when it resolves. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Path of the host, where a listener may read the blob itself. */
  path?(digest: Digest): string;
}

/** One upload, in the hands of one request at a time. */
export interface Upload {
  /** Bytes that are there, those of earlier requests included. */
  readonly sizeBytes: number;
  /** The chunk is the driver's from now on. */
  append(chunk: Uint8Array): Promise<void>;
  /** What was appended is there for the next request, also of another process. */
  close(): Promise<void>;
  /** Everything from the first byte on. After `close`. */
  bytes(): AsyncIterable<Uint8Array>;
  /** Makes it the blob `digest`, which the caller has verified; durable when it resolves. After `close`. */
  commit(digest: Digest): Promise<void>;
  cancel(): Promise<void>;
}

export interface StoredUpload {
  readonly id: string;
  readonly modifiedMs: number;
}

export interface Uploads {
  /** `id`: 1 to 120 of `a-z0-9-`, and new. */
  create(id: string): Promise<Upload>;
  open(id: string): Promise<Upload | undefined>;
  list(): Promise<StoredUpload[]>;
}

export interface Driver {
  readonly documents: Documents;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  /** Over everything that writes to this storage, as far as locks reach. */
  readonly locks: Locks;
  /** No other registry writes here, so what was read may be remembered until this one changes it. */
  readonly isExclusive: boolean;
  /**
   * Removes blobs that `isNeeded` denies, and says how many bytes went. Where other things share the storage (images on
   * this machine), the driver knows what they need. The caller holds the GC lock alone.
   */
  sweep(isNeeded: (blob: StoredBlob) => boolean): Promise<{ blobs: number; reclaimedBytes: number }>;
}

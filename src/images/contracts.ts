/**
 * The shapes the parts of `images` meet at: descriptors as the OCI image-spec defines them, the content store, and the
 * layer store that turns a layer blob into a plain tar and an index.
 */
import type { ByteLocation } from '../host/ports.ts';
import type { Descriptor, Digest } from '../spec/image-spec.ts';

export type { Descriptor, Digest } from '../spec/image-spec.ts';

/** A blob's bytes from an offset on; called again with a later offset to resume after a broken transfer. */
export type BlobOrigin = (offset: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /** Bytes of the blob received so far, for progress. */
  readonly onProgress?: (receivedBytes: number) => void;
  /**
   * Replaces the store's own hashing by one that does more with the bytes (a layer pass). Called once per attempt; not
   * called at all when the blob is there already or somebody else's transfer brought it.
   */
  readonly createVerifier?: () => BlobVerifier;
}

/** Sees every byte of a blob in order from offset 0, also those an earlier broken transfer left on disk. */
export interface BlobVerifier {
  /** `chunk` is only lent until the call has settled. */
  update(chunk: Uint8Array): void | Promise<void>;
  /** Lower-case hex of the descriptor's algorithm over all bytes seen. */
  digestHex(): string | Promise<string>;
}

export interface StreamOptions {
  /** First byte to deliver (default 0). */
  readonly offset?: number;
  /** Hash on the way and end with `store-corrupt` when the blob is not what its name says (default false). */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
}

/** Content-addressed blobs. Nothing is visible under its digest before every byte has been verified and synced. */
export interface ContentStore {
  has(digest: Digest): Promise<boolean>;
  size(digest: Digest): Promise<number | undefined>;
  /** Whole blob, verified again on the way; for manifests and configs (at most `limitBytes`, default 4 MiB). */
  read(digest: Digest, limitBytes?: number): Promise<Uint8Array>;
  /** Streams a blob, for save, push and layer passes. Each chunk is the caller's to keep. */
  stream(digest: Digest, options?: StreamOptions): AsyncIterable<Uint8Array>;
  /** Where the blob lies, for readers in other threads and processes. */
  locate(digest: Digest): Promise<ByteLocation>;
  /**
   * Takes a blob in. Concurrent calls for one digest share one transfer (also across processes, by lock). A transfer
   * that broke before leaves its prefix behind, and `origin` is asked for the rest (once more from 0 if the digest shows
   * that the prefix was bad). `origin` is asked again at a later offset when it broke off after some progress.
   * Errors: digest-mismatch, size-mismatch, no-space, store-read-only, cancelled, and whatever `origin` throws.
   */
  ingest(descriptor: Descriptor, origin: BlobOrigin, options?: IngestOptions): Promise<void>;
  /** Takes a file in that this store has verified and synced already, under a second name where the file system can. */
  adopt(descriptor: Descriptor, path: string): Promise<void>;
  /** Bytes made here (config, manifest): stores them and says what they are called. */
  put(mediaType: string, bytes: Uint8Array): Promise<Descriptor>;
}

export interface LayerRecord {
  readonly diffId: Digest;
  /** Plain tar and layer index of core/abi/layer-index.ts. */
  readonly tar: ByteLocation;
  readonly index: ByteLocation;
  readonly tarSizeBytes: number;
  readonly entryCount: number;
}

export interface LayerWriteOptions {
  pin(digests: readonly Digest[]): Promise<void>;
  readonly signal?: AbortSignal;
}

/** Layers, ready to be mounted. */
export interface LayerStore {
  get(diffId: Digest): Promise<LayerRecord | undefined>;
  /**
   * Pulls a layer blob through one pass: blob kept as received, decoded, both digests, tar index, plain tar. Checks
   * digest, size and (where given) diffId before anything is visible; the blob lands in the content store.
   */
  ingest(
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    origin: BlobOrigin,
    options?: IngestOptions,
  ): Promise<LayerRecord>;
  /** The same for a blob the content store already has. */
  unpack(descriptor: Descriptor, expectedDiffId: Digest | undefined, options?: IngestOptions): Promise<LayerRecord>;
  /**
   * A layer that is made here, an uncompressed tar: its blob and its plain tar are the same bytes, and one file with two
   * names where the file system can. What it is called is known at its end: `pin` is told before it is visible.
   */
  write(tar: AsyncIterable<Uint8Array>, options: LayerWriteOptions): Promise<Descriptor>;
  /** The merged rootfs index of these layers (lowest first), cached by chain ID (image-spec config.md#layer-chainid). */
  rootfs(diffIds: readonly Digest[]): Promise<{ index: ByteLocation; layers: readonly ByteLocation[] }>;
}

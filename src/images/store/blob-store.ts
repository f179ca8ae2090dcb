/** The content store on the FileSystem port: node:fs, memfs, and memfs over OPFS alike. */
import { WctrError } from '../../errors.ts';
import type { ByteLocation, FileHandle, FileSystem, Hasher, Locks } from '../../host/ports.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import { fileReader, streamRange } from '../archive/files.ts';
import type { BlobOrigin, ContentStore, IngestOptions, StreamOptions } from '../contracts.ts';
import { type CreateHasher, digestOf, digestParts, isDigest, parseDigest } from '../digest.ts';
import { MAX_BLOB_BYTES, MAX_DOCUMENT_BYTES } from '../json-document.ts';
import { diskError, isMissing, isSystemError } from './disk-error.ts';
import { linkDurably, renameDurably, syncDirectory, writeDurably } from './durable.ts';
import { transferBlob } from './ingest.ts';
import { ingestLock, type StoreLayout } from './layout.ts';
import { SharedTransfers } from './shared-transfers.ts';

const READ_BYTES = 1024 * 1024;

export interface BlobStoreOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  /** How `locate` answers: a path of the host, or the bytes where the file system is not the host's own (memfs). */
  readonly locateBy: 'path' | 'bytes';
}

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export class BlobStore implements ContentStore {
  readonly #options: BlobStoreOptions;
  readonly #transfers = new SharedTransfers();

  constructor(options: BlobStoreOptions) {
    this.#options = options;
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: Digest): Promise<number | undefined> {
    const { fs, layout } = this.#options;
    try {
      return (await fs.stat(layout.blob(parseDigest(digest)))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#error(error, `look up blob ${digest}`);
    }
  }

  async read(digest: Digest, limitBytes = MAX_DOCUMENT_BYTES): Promise<Uint8Array> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === undefined) throw missing(digest);
    if (sizeBytes > limitBytes) {
      throw new WctrError('limit-exceeded', `blob ${digest} is ${sizeBytes} bytes, more than ${limitBytes}`, {
        data: { digest, sizeBytes, limitBytes },
      });
    }
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    for await (const chunk of this.stream(digest, { verify: true })) {
      if (at + chunk.length > sizeBytes) throw corrupt(digest);
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  async *stream(digest: Digest, options: StreamOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { fs, layout, createHasher } = this.#options;
    const { offset = 0, verify = false, signal } = options;
    const { algorithm, hex } = digestParts(parseDigest(digest));
    const hasher: Hasher | undefined = verify ? createHasher(algorithm) : undefined;
    let handle: FileHandle;
    try {
      handle = await fs.open(layout.blob(digest), 'r');
    } catch (error) {
      throw isMissing(error) ? missing(digest) : this.#error(error, `read blob ${digest}`);
    }
    try {
      for (let at = verify ? 0 : offset; ; ) {
        signal?.throwIfAborted();
        const buffer = new Uint8Array(READ_BYTES);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at).catch((error: unknown) => {
          throw this.#error(error, `read blob ${digest}`);
        });
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hasher?.update(chunk);
        const from = Math.max(0, offset - at);
        if (from < bytesRead) yield chunk.subarray(from);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
    if (hasher !== undefined && hasher.digestHex() !== hex) throw corrupt(digest);
  }

  async locate(digest: Digest): Promise<ByteLocation> {
    const { layout, locateBy } = this.#options;
    if (locateBy === 'bytes') return { bytes: await this.read(digest, Number.MAX_SAFE_INTEGER) };
    if (!(await this.has(digest))) throw missing(digest);
    return { path: layout.blob(digest) };
  }

  async ingest(descriptor: Descriptor, origin: BlobOrigin, options: IngestOptions = {}): Promise<void> {
    const { digest, size } = descriptor;
    parseDigest(digest);
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_BLOB_BYTES) {
      throw new WctrError('size-mismatch', `blob ${digest}: ${size} is not a size a blob can have`);
    }
    const stored = await this.size(digest);
    if (stored !== undefined) return this.#assertSize(descriptor, stored, options);
    await this.#transfers.run(digest, options, (signal, onProgress) =>
      this.#transfer(descriptor, origin, { ...options, signal, onProgress }),
    );
  }

  async put(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const { fs, layout, createHasher } = this.#options;
    const digest = digestOf(createHasher, bytes);
    if ((await this.size(digest)) !== bytes.length) {
      try {
        await writeDurably(fs, layout.tmp, layout.blob(digest), bytes);
      } catch (error) {
        throw this.#error(error, `store blob ${digest}`);
      }
    }
    return { mediaType, digest, size: bytes.length };
  }

  async adopt(descriptor: Descriptor, path: string): Promise<void> {
    const { fs, layout } = this.#options;
    const blob = layout.blob(parseDigest(descriptor.digest));
    try {
      await linkDurably(fs, path, blob);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'EEXIST') return;
      if (!isSystemError(error)) throw error;
      // Not every file system has links: then it is copied, and verified on the way
      await this.ingest(descriptor, async function* (offset) {
        const reader = await fileReader(fs, path);
        try {
          yield* streamRange(reader, offset, reader.sizeBytes);
        } finally {
          await reader.close();
        }
      });
    }
  }

  /** For the garbage collector. Removing a blob that is not there is no error. */
  async delete(digest: Digest): Promise<void> {
    const { fs, layout } = this.#options;
    try {
      await fs.rm(layout.blob(digest), { force: true });
    } catch (error) {
      throw this.#error(error, `remove blob ${digest}`);
    }
  }

  /** Everything there is, in no order. */
  async list(): Promise<StoredBlob[]> {
    const { fs, layout } = this.#options;
    const blobs: StoredBlob[] = [];
    for (const algorithm of await readdirOrNone(fs, layout.blobs)) {
      for (const hex of await readdirOrNone(fs, `${layout.blobs}/${algorithm}`)) {
        const digest = `${algorithm}:${hex}`;
        if (!isDigest(digest)) continue;
        const sizeBytes = await this.size(digest);
        if (sizeBytes !== undefined) blobs.push({ digest, sizeBytes });
      }
    }
    return blobs;
  }

  /** Reads every blob again; gives the digests of those that are not what they are called. */
  async verifyAll(signal?: AbortSignal): Promise<Digest[]> {
    const bad: Digest[] = [];
    for (const { digest } of await this.list()) {
      try {
        const options = signal === undefined ? { verify: true } : { verify: true, signal };
        for await (const _ of this.stream(digest, options)) {
          // the stream verifies itself at its end
        }
      } catch (error) {
        if (!(error instanceof WctrError) || error.code !== 'store-corrupt') throw error;
        bad.push(digest);
      }
    }
    return bad;
  }

  async #transfer(descriptor: Descriptor, origin: BlobOrigin, options: IngestOptions): Promise<void> {
    const { fs, layout, locks, createHasher } = this.#options;
    const { digest } = descriptor;
    const { algorithm } = digestParts(digest);
    const { signal } = options;
    try {
      const lock = await locks.acquire(ingestLock(digest), signal === undefined ? {} : { signal });
      try {
        // another process may have brought it while we waited
        const stored = await this.size(digest);
        if (stored !== undefined) return this.#assertSize(descriptor, stored, options);
        await transferBlob({
          fs,
          path: layout.partial(digest),
          descriptor,
          origin,
          createVerifier: options.createVerifier ?? (() => createHasher(algorithm)),
          signal,
          onProgress: (received) => options.onProgress?.(received),
        });
        await renameDurably(fs, layout.partial(digest), layout.blob(digest));
        await syncDirectory(fs, layout.tmp);
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (signal?.aborted) {
        throw new WctrError('cancelled', `the transfer of blob ${digest} was cancelled`, { cause: error });
      }
      throw isSystemError(error) ? this.#error(error, `store blob ${digest}`) : error;
    }
  }

  #assertSize({ digest, size }: Descriptor, stored: number, options: IngestOptions): void {
    if (stored !== size) {
      throw new WctrError('size-mismatch', `blob ${digest} has ${stored} bytes, its descriptor states ${size}`, {
        data: { digest, expectedBytes: size, actualBytes: stored },
      });
    }
    options.onProgress?.(size);
  }

  #error(error: unknown, doing: string): WctrError {
    return diskError(error, doing, this.#options.layout.root);
  }
}

async function readdirOrNone(fs: FileSystem, dir: string): Promise<string[]> {
  return fs.readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

function missing(digest: Digest): WctrError {
  return new WctrError('not-found', `blob ${digest} is not in the store`, { data: { digest } });
}

function corrupt(digest: Digest): WctrError {
  return new WctrError('store-corrupt', `blob ${digest} in the store is damaged: its bytes have another digest`, {
    hint: 'remove the images that use it and pull them again',
    data: { digest },
  });
}

/**
 * The layer store: layers ready to be mounted, made from blobs in one pass each, and merged indexes per stack of layers.
 *
 * ```
 * layers/sha256/<diff ID>/tar        the layer, plain
 *                         index      its entries (core/abi/layer-index.ts)
 *                         blob.json  the blob it was made from
 * rootfs/sha256/<chain ID>           merged index (core/abi/rootfs-index.ts); `empty` for an image without layers
 * ```
 *
 * All of it can be made again: a layer whose files are missing or damaged counts as not there, and a merged index that
 * does not match its checksum is merged anew.
 */
import { rootfsChecksum } from '../core/checksum.ts';
import { layerIndexHeader } from '../core/layer-index.ts';
import { mergeLayerIndexes } from '../core/merge.ts';
import { isRootfsIndex } from '../core/rootfs-index.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { ByteLocation, Locks } from '../host/ports.ts';
import type {
  BlobOrigin,
  ContentStore,
  Descriptor,
  Digest,
  IngestOptions,
  LayerRecord,
  LayerStore,
  LayerWriteOptions,
} from './contracts.ts';
import { chainId, digestParts, parseDigest } from './digest.ts';
import { type LayerPaths, layerPaths } from './layer-files.ts';
import { LayerWork, type LayerWorkOptions, MadeLayer } from './layer-work.ts';
import { diskError, isMissing, isSystemError } from './store/disk-error.ts';
import { writeDurably } from './store/durable.ts';

export interface LayersOptions extends LayerWorkOptions {
  readonly locks: Locks;
  readonly content: ContentStore;
  /** How records answer: paths of the host, or the bytes where the file system is not the host's own (memfs). */
  readonly locateBy: 'path' | 'bytes';
}

const HEADER_BYTES = 64;

export class Layers implements LayerStore {
  readonly #options: LayersOptions;
  /** Diff IDs of blobs this realm has seen, for callers who cannot name one. */
  readonly #diffIds = new Map<Digest, Digest>();
  readonly #checked = new Set<string>();

  constructor(options: LayersOptions) {
    this.#options = options;
  }

  async get(diffId: Digest): Promise<LayerRecord | undefined> {
    const { fs } = this.#options;
    const paths = this.#paths(diffId);
    try {
      const [tar, index] = [await fs.stat(paths.tar), await fs.stat(paths.index)];
      const header = layerIndexHeader(await this.#readHead(paths.index));
      if (header === undefined || header.byteLength !== index.size || header.tarSizeBytes !== tar.size)
        return undefined;
      return {
        diffId,
        tar: await this.#locate(paths.tar),
        index: await this.#locate(paths.index),
        tarSizeBytes: header.tarSizeBytes,
        entryCount: header.entryCount,
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#error(error, `look up layer ${diffId}`);
    }
  }

  /**
   * Throws `digest-mismatch` (blob or diff ID), `size-mismatch`, `invalid-layer`, `limit-exceeded`,
   * `unsupported-media-type`, and what the content store throws. Nothing is visible then.
   */
  async ingest(
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    origin: BlobOrigin,
    options: IngestOptions = {},
  ): Promise<LayerRecord> {
    const { content } = this.#options;
    return this.#alone(descriptor, options, async () => {
      const known = await this.#known(descriptor, expectedDiffId);
      if (known !== undefined && (await content.has(descriptor.digest))) return known;
      let work: LayerWork | undefined;
      try {
        await content.ingest(descriptor, origin, {
          ...options,
          createVerifier: () => {
            const previous = work;
            work = new LayerWork(this.#options, descriptor, expectedDiffId, previous);
            return work;
          },
        });
        if (work?.result === undefined) return await this.#unpack(descriptor, expectedDiffId, options);
        return await this.#commit(descriptor, work);
      } finally {
        await work?.discard();
      }
    });
  }

  unpack(
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    options: IngestOptions = {},
  ): Promise<LayerRecord> {
    return this.#alone(descriptor, options, async () => {
      return (
        (await this.#known(descriptor, expectedDiffId)) ?? (await this.#unpack(descriptor, expectedDiffId, options))
      );
    });
  }

  /** Throws `invalid-layer`, `limit-exceeded`, `no-space`, `cancelled`, and what the tar throws. Nothing is visible then. */
  async write(tar: AsyncIterable<Uint8Array>, { pin, signal }: LayerWriteOptions): Promise<Descriptor> {
    const work = new MadeLayer(this.#options);
    try {
      for await (const chunk of tar) {
        signal?.throwIfAborted();
        await work.update(chunk);
      }
      const descriptor = await work.finish();
      const diffId = descriptor.digest;
      await pin([diffId]);
      return await this.#alone(descriptor, signal === undefined ? {} : { signal }, async () => {
        const { content } = this.#options;
        const paths = this.#paths(diffId);
        // Made before, here or by another process
        const hasBlob = await content.has(diffId);
        if (!hasBlob || (await this.get(diffId)) === undefined) await work.commit(paths, descriptor);
        if (!hasBlob) await content.adopt(descriptor, paths.tar);
        this.#diffIds.set(diffId, diffId);
        return descriptor;
      });
    } catch (error) {
      if (signal?.aborted) throw new WctrError('cancelled', 'the layer was not made: cancelled', { cause: error });
      throw isSystemError(error) ? this.#error(error, 'store a layer') : error;
    } finally {
      await work.discard();
    }
  }

  /**
   * Throws `not-found` for a layer that is not here, `invalid-layer` when one cannot be applied to those below. A layer
   * whose index turns out to be damaged is made again from its blob.
   */
  async rootfs(diffIds: readonly Digest[]): Promise<{ index: ByteLocation; layers: readonly ByteLocation[] }> {
    const { fs, layout, createHasher, core } = this.#options;
    const records = await Promise.all(diffIds.map((diffId) => this.#require(diffId)));
    const chain = chainId(createHasher, diffIds);
    const path = chain === undefined ? `${layout.rootfs}/empty` : `${layout.rootfs}/sha256/${digestParts(chain).hex}`;
    const layers = records.map((record) => record.tar);
    if (await this.#isSound(path)) return { index: await this.#locate(path), layers };
    const merge = async (): Promise<Uint8Array> => {
      const indexes = await Promise.all(diffIds.map((diffId) => fs.readFile(this.#paths(diffId).index)));
      return mergeLayerIndexes(core, indexes, { names: diffIds.map((diffId) => `layer ${diffId}`) });
    };
    let merged: Uint8Array;
    try {
      merged = await merge();
    } catch (error) {
      if (!isWctrError(error, 'store-corrupt')) throw error;
      for (const diffId of diffIds) await this.#remake(diffId);
      merged = await merge();
    }
    try {
      await writeDurably(fs, layout.tmp, path, merged);
    } catch (error) {
      throw this.#error(error, `store the merged index of ${chain ?? 'no layers'}`);
    }
    this.#checked.add(path);
    return { index: await this.#locate(path), layers };
  }

  async #known(descriptor: Descriptor, expectedDiffId: Digest | undefined): Promise<LayerRecord | undefined> {
    const diffId = expectedDiffId ?? this.#diffIds.get(descriptor.digest);
    return diffId === undefined ? undefined : this.get(diffId);
  }

  async #unpack(
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    { signal, onProgress }: IngestOptions,
  ): Promise<LayerRecord> {
    const { content } = this.#options;
    const work = new LayerWork(this.#options, descriptor, expectedDiffId, undefined);
    try {
      let done = 0;
      for await (const chunk of content.stream(descriptor.digest, signal === undefined ? {} : { signal })) {
        await work.update(chunk);
        done += chunk.length;
        onProgress?.(done);
      }
      if ((await work.digestHex()) !== digestParts(descriptor.digest).hex) {
        throw new WctrError(
          'store-corrupt',
          `blob ${descriptor.digest} in the store is damaged: its bytes have another digest`,
          {
            hint: 'remove the images that use it and pull them again',
            data: { digest: descriptor.digest },
          },
        );
      }
      return await this.#commit(descriptor, work);
    } finally {
      await work.discard();
    }
  }

  async #commit(descriptor: Descriptor, work: LayerWork): Promise<LayerRecord> {
    const { diffId } = work.result!;
    try {
      await work.commit(this.#paths(diffId));
    } catch (error) {
      throw this.#error(error, `store layer ${diffId}`);
    }
    this.#diffIds.set(descriptor.digest, diffId);
    const record = await this.get(diffId);
    if (record === undefined) throw new WctrError('store-corrupt', `layer ${diffId} was damaged while it was stored`);
    return record;
  }

  /** One at a time for each blob, over all processes: the second finds what the first has made. */
  async #alone<T>({ digest }: Descriptor, { signal }: IngestOptions, action: () => Promise<T>): Promise<T> {
    const { algorithm, hex } = digestParts(parseDigest(digest));
    const lock = await this.#options.locks.acquire(`layer-${algorithm}-${hex}`, signal === undefined ? {} : { signal });
    try {
      return await action();
    } finally {
      await lock.release();
    }
  }

  async #require(diffId: Digest): Promise<LayerRecord> {
    const record = (await this.get(diffId)) ?? (await this.#remake(diffId));
    if (record !== undefined) return record;
    throw new WctrError('not-found', `layer ${diffId} is not in the store`, {
      hint: 'pull the image again',
      data: { digest: diffId },
    });
  }

  /** Makes a layer again from the blob it came from, when that is known and still there. */
  async #remake(diffId: Digest): Promise<LayerRecord | undefined> {
    const { fs, content } = this.#options;
    const paths = this.#paths(diffId);
    const text = await fs.readFile(paths.origin).catch(() => undefined);
    const origin = text === undefined ? undefined : parseOrigin(text);
    if (origin === undefined || !(await content.has(origin.digest))) return undefined;
    return this.#alone(origin, {}, () => this.#unpack(origin, diffId, {}));
  }

  /** Reads a merged index once per process and compares its checksum. */
  async #isSound(path: string): Promise<boolean> {
    const { fs, core } = this.#options;
    try {
      if (this.#checked.has(path)) return isRootfsIndex(await fs.readFile(path));
      const bytes = await fs.readFile(path);
      if (!isRootfsIndex(bytes) || !(await rootfsChecksum(core, bytes))) return false;
      this.#checked.add(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw this.#error(error, `read ${path}`);
    }
  }

  async #readHead(path: string): Promise<Uint8Array> {
    const handle = await this.#options.fs.open(path, 'r');
    try {
      const head = new Uint8Array(HEADER_BYTES);
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  async #locate(path: string): Promise<ByteLocation> {
    return this.#options.locateBy === 'path' ? { path } : { bytes: await this.#options.fs.readFile(path) };
  }

  #paths(diffId: Digest): LayerPaths {
    return layerPaths(this.#options.layout.layers, digestParts(parseDigest(diffId)).hex);
  }

  #error(error: unknown, doing: string): WctrError {
    return diskError(error, doing, this.#options.layout.root);
  }
}

function parseOrigin(bytes: Uint8Array): Descriptor | undefined {
  try {
    const { mediaType, digest, size } = JSON.parse(new TextDecoder().decode(bytes)) as Descriptor;
    return { mediaType, digest: parseDigest(digest), size };
  } catch {
    return undefined;
  }
}

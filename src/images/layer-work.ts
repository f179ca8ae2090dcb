/** The passes over a layer's bytes that make its files: of a blob that is known by its digest, and of a tar that is made here. */
import type { CoreModules } from '../core/core-modules.ts';
import {
  createLayerPass,
  type LayerLimits,
  type LayerPass,
  type LayerPassResult,
  type TarThread,
} from '../core/layer-pass.ts';
import { WctrError } from '../errors.ts';
import type { FileSystem, Hasher } from '../host/ports.ts';
import { MEDIA_TYPE } from '../spec/image-spec.ts';
import type { BlobVerifier, Descriptor, Digest } from './contracts.ts';
import { type CreateHasher, digestParts } from './digest.ts';
import { LayerDraft, type LayerPaths, PIECES_IN_FLIGHT } from './layer-files.ts';
import type { StoreLayout } from './store/layout.ts';

export interface LayerWorkOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly core: CoreModules;
  readonly createHasher: CreateHasher;
  /** Hash with `createHasher` instead of the core: where the host's own is faster. Default true. */
  readonly hostHash?: boolean;
  /** Whether `fs` writes straight from shared memory (node:fs does), so that writing overlaps decoding. Default false. */
  readonly writesShared?: boolean;
  /** A second thread for layers of at least `threadFromBytes` (default 1 MiB; starting one takes about 50 ms). */
  readonly createTarThread?: (tarPath: string) => TarThread | undefined;
  readonly threadFromBytes?: number;
  readonly limits?: Partial<LayerLimits>;
}

const THREAD_FROM_BYTES = 1024 * 1024;

/** One pass over one blob, as the content store's verifier: hashes what it checks and makes the layer's files. */
export class LayerWork implements BlobVerifier {
  result: LayerPassResult | undefined;
  readonly #options: LayerWorkOptions;
  readonly #descriptor: Descriptor;
  readonly #expectedDiffId: Digest | undefined;
  readonly #draft: LayerDraft;
  readonly #thread: TarThread | undefined;
  readonly #pass: Promise<LayerPass>;

  constructor(
    options: LayerWorkOptions,
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    previous: LayerWork | undefined,
  ) {
    this.#options = options;
    this.#descriptor = descriptor;
    this.#expectedDiffId = expectedDiffId;
    const { fs, layout, createTarThread, threadFromBytes = THREAD_FROM_BYTES, writesShared = false } = options;
    this.#draft = new LayerDraft(fs, layout.tmp, writesShared);
    this.#thread = descriptor.size >= threadFromBytes ? createTarThread?.(this.#draft.tarPath) : undefined;
    this.#pass = this.#start(previous);
    // Whoever uses it first sees the error; a transfer that never brings a byte must not be killed by it.
    this.#pass.catch(() => {});
  }

  async #start(previous: LayerWork | undefined): Promise<LayerPass> {
    await previous?.discard();
    const { core, createHasher, hostHash = true, writesShared = false, limits } = this.#options;
    const { algorithm } = digestParts(this.#descriptor.digest);
    await this.#draft.open();
    const hasher = (): Hasher => createHasher('sha256');
    return createLayerPass({
      core,
      what: `layer ${this.#descriptor.digest}`,
      mediaType: this.#descriptor.mediaType,
      ...(hostHash ? { createHasher: hasher } : {}),
      ...(algorithm === 'sha256' ? {} : { createBlobHasher: () => createHasher(algorithm) }),
      ...(this.#thread === undefined ? {} : { thread: this.#thread }),
      onTar: (piece) => this.#draft.writeTar(piece),
      onIndex: (piece, position) => this.#draft.writeIndex(piece, position),
      keepChunks: writesShared ? PIECES_IN_FLIGHT + 1 : 0,
      ...(limits === undefined ? {} : { limits }),
    });
  }

  async update(chunk: Uint8Array): Promise<void> {
    await (await this.#pass).push(chunk);
  }

  /** A layer that breaks the rules throws only when its bytes are the ones that were asked for. */
  async digestHex(): Promise<string> {
    const pass = await this.#pass;
    const expected = digestParts(this.#descriptor.digest).hex;
    try {
      this.result = await pass.finish();
    } catch (error) {
      if (pass.failure === undefined || pass.blobDigestHex() === expected) throw error;
    }
    const actual = pass.blobDigestHex();
    const diffId = this.result?.diffId;
    if (actual === expected && diffId !== undefined && diffId !== (this.#expectedDiffId ?? diffId)) {
      this.result = undefined;
      throw new WctrError(
        'digest-mismatch',
        `layer ${this.#descriptor.digest}: unpacked it is ${diffId}, the image's config names ${this.#expectedDiffId}`,
        {
          hint: 'the image is damaged or has been tampered with; nothing was stored',
          data: { expected: this.#expectedDiffId, actual: diffId },
        },
      );
    }
    return actual;
  }

  async commit(to: LayerPaths): Promise<void> {
    await this.#draft.commit(to, this.#descriptor);
  }

  async discard(): Promise<void> {
    await this.#pass.catch(() => {});
    await this.#draft.discard(this.#thread);
  }
}

/** One pass over a plain tar of which nothing is known yet. */
export class MadeLayer {
  readonly #draft: LayerDraft;
  readonly #pass: Promise<LayerPass>;

  constructor({ fs, layout, core, createHasher, hostHash = true, writesShared = false, limits }: LayerWorkOptions) {
    this.#draft = new LayerDraft(fs, layout.tmp, writesShared);
    this.#pass = this.#draft.open().then(() =>
      createLayerPass({
        core,
        what: 'the new layer',
        mediaType: MEDIA_TYPE.ociLayerTar,
        ...(hostHash ? { createHasher: () => createHasher('sha256') } : {}),
        // The blob is the plain tar: one digest is enough
        createBlobHasher: () => NO_HASHER,
        onTar: (piece) => this.#draft.writeTar(piece),
        onIndex: (piece, position) => this.#draft.writeIndex(piece, position),
        keepChunks: writesShared ? PIECES_IN_FLIGHT + 1 : 0,
        ...(limits === undefined ? {} : { limits }),
      }),
    );
    this.#pass.catch(() => {});
  }

  async update(chunk: Uint8Array): Promise<void> {
    await (await this.#pass).push(chunk);
  }

  async finish(): Promise<Descriptor> {
    const { diffId, tarSizeBytes } = await (await this.#pass).finish();
    return { mediaType: MEDIA_TYPE.ociLayerTar, digest: diffId, size: tarSizeBytes };
  }

  async commit(to: LayerPaths, descriptor: Descriptor): Promise<void> {
    await this.#draft.commit(to, descriptor);
  }

  async discard(): Promise<void> {
    await this.#pass.catch(() => {});
    await this.#draft.discard();
  }
}

const NO_HASHER: Hasher = { update: () => {}, digestHex: () => '' };

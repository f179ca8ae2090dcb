/**
 * The layer pass (assembly/layer/pass.ts) for JavaScript: bytes of a layer's blob go in as they arrive, the plain tar
 * and the layer index come out in pieces, and at the end both digests. Each pass has an instance of the core, and so a
 * memory, of its own; its size depends on the compression's window alone.
 */
import { WctrError } from '../errors.ts';
import type { Hasher } from '../host/ports.ts';
import { FORMAT_AUTO, FORMAT_GZIP, FORMAT_PLAIN, FORMAT_ZSTD, WINDOW_LIMIT_DEFAULT } from './abi/codec.ts';
import { LAYER_HEADER_BYTES } from './abi/layer-index.ts';
import { PASS_DONE, PASS_HASH_BLOB, PASS_HASH_TAR, PASS_INDEX, PASS_INPUT, PASS_TAR } from './abi/layer-pass.ts';
import { OK } from './abi/status.ts';
import { type CoreInstance, type CoreModules, instantiateCore } from './core-modules.ts';
import type { PassExports } from './layer-exports.ts';
import { passFailure } from './layer-failure.ts';

export interface LayerLimits {
  /** Entries of the tar, dropped ones included. Default 4 million. */
  readonly maxEntries: number;
  /** Plain bytes. Default 64 GiB. */
  readonly maxTarBytes: number;
  /** Plain bytes per byte of the blob, looked at from 512 MiB on; 0: any. Default 400. */
  readonly maxRatio: number;
  /** zstd window. Default 128 MiB. */
  readonly maxWindowBytes: number;
  /** Bytes of the index. Default 2 GiB, the most a merge can hold. */
  readonly maxIndexBytes: number;
}

export const DEFAULT_LAYER_LIMITS: LayerLimits = {
  maxEntries: 4_000_000,
  maxTarBytes: 64 * 2 ** 30,
  maxRatio: 400,
  maxWindowBytes: WINDOW_LIMIT_DEFAULT,
  maxIndexBytes: 2 ** 31 - 2 ** 20,
};

/** A second thread that hashes and writes the plain tar while this one decodes (host/node/layer-thread.ts). */
export interface TarThread {
  /** `memory` is shared; `slots - 1` chunks may be behind. */
  open(memory: WebAssembly.Memory, slots: number): void;
  /** A chunk at that address; a promise when the thread is too far behind. */
  push(address: number, length: number): void | Promise<void>;
  /** After the last chunk: everything has been taken. SHA-256 of it as lower-case hex. */
  finish(): Promise<string>;
  /** Gives up, also after `finish`; settles when the thread has let go. What was written is the caller's to remove. */
  abort(): Promise<void>;
}

export interface LayerPassOptions {
  readonly core: CoreModules;
  /** For messages: "layer sha256:...". */
  readonly what?: string;
  /** Of the layer's descriptor; the bytes must agree with it. Without one the bytes alone decide. */
  readonly mediaType?: string;
  /** Takes the place of the core's SHA-256 for the blob and for the plain tar. */
  readonly createHasher?: () => Hasher;
  /** For the blob alone: a digest that is not SHA-256. */
  readonly createBlobHasher?: () => Hasher;
  /** The plain tar, piece by piece; lent until the call settles, with `keepChunks` until that many more came. */
  readonly onTar?: (chunk: Uint8Array) => void | Promise<void>;
  /**
   * How many pieces `onTar` may still be using when it is called again (default 0). Above 0 the pass runs over shared
   * memory, so that growing it does not detach them.
   */
  readonly keepChunks?: number;
  /** The index, piece by piece, the header last at position 0; lent. Without it the result has the whole index. */
  readonly onIndex?: (piece: Uint8Array, position: number) => void | Promise<void>;
  /** Takes the plain tar instead of `onTar`. */
  readonly thread?: TarThread;
  readonly limits?: Partial<LayerLimits>;
}

export interface LayerPassResult {
  /** Hex of the blob's SHA-256, or of what `createBlobHasher` computes. */
  readonly blobDigestHex: string;
  readonly sizeBytes: number;
  readonly diffId: `sha256:${string}`;
  readonly tarSizeBytes: number;
  readonly entryCount: number;
  readonly indexSizeBytes: number;
  /** Linear memory the pass took: depends on the compression's window, not on the layer. */
  readonly memoryBytes: number;
  /** Unless `onIndex` took it. */
  readonly index: Uint8Array | undefined;
}

const THREAD_SLOTS = 24;

/**
 * Starts a pass. Throws `unsupported-media-type` for a media type that is no layer's, `no-memory`.
 */
export async function createLayerPass(options: LayerPassOptions): Promise<LayerPass> {
  const limits = { ...DEFAULT_LAYER_LIMITS, ...options.limits };
  const shared = options.thread !== undefined || (options.keepChunks ?? 0) > 0;
  const maximumBytes = Math.min(2 ** 32, 64 * 2 ** 20 + 4 * limits.maxWindowBytes);
  const format = formatOf(options.mediaType);
  const core = await instantiateCore<PassExports>(options.core, { shared, maximumBytes });
  return new LayerPass(core, options, limits, format);
}

export class LayerPass {
  readonly #core: CoreInstance<PassExports>;
  readonly #options: LayerPassOptions;
  readonly #limits: LayerLimits;
  readonly #format: number;
  readonly #blobHasher: Hasher | undefined;
  readonly #tarHasher: Hasher | undefined;
  readonly #pieces: Uint8Array[] = [];
  #memory: Uint8Array;
  #head = new Uint8Array(0);
  #indexBytes = LAYER_HEADER_BYTES;
  #failure: WctrError | undefined;

  constructor(core: CoreInstance<PassExports>, options: LayerPassOptions, limits: LayerLimits, format: number) {
    this.#core = core;
    this.#options = options;
    this.#limits = limits;
    this.#format = format;
    this.#blobHasher = (options.createBlobHasher ?? options.createHasher)?.();
    this.#tarHasher = options.thread === undefined ? options.createHasher?.() : undefined;
    const slots = options.thread === undefined ? 1 + (options.keepChunks ?? 0) : THREAD_SLOTS;
    const hashes =
      (this.#blobHasher === undefined ? PASS_HASH_BLOB : 0) |
      (this.#tarHasher === undefined && options.thread === undefined ? PASS_HASH_TAR : 0);
    const { maxWindowBytes, maxEntries, maxTarBytes, maxRatio } = limits;
    const status = core.exports.passBegin(format, slots, maxWindowBytes, maxEntries, maxTarBytes, maxRatio, hashes);
    if (status !== OK) throw passFailure(this.#what, status, { at: 0, entry: '', positionBytes: 0 });
    this.#memory = new Uint8Array(core.memory.buffer);
    options.thread?.open(core.memory, slots);
  }

  /** What went wrong with the layer so far; `push` goes on hashing the blob after that. */
  get failure(): WctrError | undefined {
    return this.#failure;
  }

  /**
   * The next bytes of the blob; lent until the promise settles. A layer that breaks the rules does not throw here but
   * at `finish`, so that the digest of what was received is known first. Errors of the sinks throw.
   */
  async push(bytes: Uint8Array): Promise<void> {
    const { exports } = this.#core;
    if (this.#head.length < 4) this.#head = Uint8Array.of(...this.#head, ...bytes.subarray(0, 4 - this.#head.length));
    this.#blobHasher?.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      if (this.#failure !== undefined) return this.#hashRest(bytes.subarray(at));
      const address = exports.passInput() >>> 0;
      const part = bytes.subarray(at, at + exports.passSpace());
      this.#view().set(part, address);
      exports.passPush(part.length, 0);
      at += part.length;
      const busy = this.#run();
      if (busy !== undefined) await busy;
    }
  }

  /**
   * The blob has ended. Throws `invalid-layer`, `limit-exceeded` or `unsupported-media-type` for what is wrong with it.
   */
  async finish(): Promise<LayerPassResult> {
    const { exports } = this.#core;
    const { thread, onIndex } = this.#options;
    if (this.#failure === undefined) {
      exports.passInput();
      exports.passPush(0, 1);
      await this.#run();
    }
    if (this.#failure !== undefined) {
      await thread?.abort();
      throw this.#failure;
    }
    const threadDigest = await thread?.finish();
    const header = this.#copy(exports.passIndexHeader(), LAYER_HEADER_BYTES);
    if (onIndex !== undefined) await onIndex(header, 0);
    const diffId = threadDigest ?? this.#tarHasher?.digestHex() ?? this.#hex(exports.passTarDigest());
    return {
      blobDigestHex: this.blobDigestHex(),
      sizeBytes: exports.passBlobBytes(),
      diffId: `sha256:${diffId}`,
      tarSizeBytes: exports.passTarBytes(),
      entryCount: exports.passEntries(),
      indexSizeBytes: this.#indexBytes,
      memoryBytes: this.#core.memory.buffer.byteLength,
      index: onIndex === undefined ? concatenate([header, ...this.#pieces], this.#indexBytes) : undefined,
    };
  }

  /** SHA-256 of the bytes pushed, once `finish` has returned or thrown; lower-case hex. */
  blobDigestHex(): string {
    this.#blobDigest ??= this.#blobHasher?.digestHex() ?? this.#hex(this.#core.exports.passBlobDigest());
    return this.#blobDigest;
  }
  #blobDigest: string | undefined;

  get #what(): string {
    return this.#options.what ?? 'layer';
  }

  /** Runs the core until it wants input. A promise only when a sink needs waiting for. */
  #run(): undefined | Promise<void> {
    for (;;) {
      const event = this.#core.exports.passRun();
      if (event === PASS_INPUT || event === PASS_DONE) return undefined;
      if (event < 0) {
        this.#fail(event);
        return undefined;
      }
      const waiting = event === PASS_TAR ? this.#takeTar() : event === PASS_INDEX ? this.#takeIndex() : undefined;
      if (waiting !== undefined) return waiting.then(() => this.#run());
      if (this.#failure !== undefined) return undefined;
    }
  }

  #takeTar(): void | Promise<void> {
    const { exports } = this.#core;
    const { thread, onTar } = this.#options;
    const address = exports.passChunk() >>> 0;
    const length = exports.passChunkLength();
    if (thread !== undefined) return thread.push(address, length);
    if (onTar === undefined && this.#tarHasher === undefined) return;
    const chunk = this.#view().subarray(address, address + length);
    const written = onTar?.(chunk);
    this.#tarHasher?.update(chunk);
    return written;
  }

  #takeIndex(): void | Promise<void> {
    const { exports } = this.#core;
    const length = exports.passIndexLength();
    if (length === 0) return;
    const position = this.#indexBytes;
    this.#indexBytes += length;
    if (this.#indexBytes > this.#limits.maxIndexBytes) {
      this.#failure = new WctrError('limit-exceeded', `${this.#what}: its index is larger than is allowed`);
      return;
    }
    const piece = this.#copy(exports.passIndex(), length);
    if (this.#options.onIndex !== undefined) return this.#options.onIndex(piece, position);
    this.#pieces.push(piece);
  }

  #hashRest(bytes: Uint8Array): void {
    if (this.#blobHasher !== undefined) return;
    const { exports } = this.#core;
    const address = exports.passHashOnlyInput() >>> 0;
    for (let at = 0; at < bytes.length; at += 65536) {
      const part = bytes.subarray(at, at + 65536);
      this.#view().set(part, address);
      exports.passHashOnly(part.length);
    }
  }

  #fail(status: number): void {
    const { exports } = this.#core;
    const announced = this.#formatMismatch();
    if (announced !== undefined) {
      this.#failure = announced;
      return;
    }
    const name = this.#copy(exports.passName(), exports.passNameLength());
    this.#failure = passFailure(this.#what, status, {
      at: exports.passFailedAt(),
      entry: new TextDecoder().decode(name),
      positionBytes: exports.passPosition(),
    });
  }

  /** Bytes of another compression than the media type says: that is the error, not what it did to the decoder. */
  #formatMismatch(): WctrError | undefined {
    const actual = sniff(this.#head);
    if (this.#format === FORMAT_AUTO || actual === this.#format) return undefined;
    if (actual === FORMAT_PLAIN && this.#head.length < 4) return undefined;
    const { mediaType } = this.#options;
    return new WctrError(
      'unsupported-media-type',
      `${this.#what}: announced as ${mediaType}, but its bytes are ${FORMAT_NAMES[actual]}`,
      { data: { mediaType } },
    );
  }

  #view(): Uint8Array {
    const { buffer } = this.#core.memory;
    if (this.#memory.buffer !== buffer) this.#memory = new Uint8Array(buffer);
    return this.#memory;
  }

  #copy(address: number, length: number): Uint8Array {
    return this.#view().slice(address >>> 0, (address >>> 0) + length);
  }

  #hex(address: number): string {
    return Array.from(this.#copy(address, 32), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

const FORMAT_NAMES: Readonly<Record<number, string>> = {
  [FORMAT_PLAIN]: 'not compressed in a known way',
  [FORMAT_GZIP]: 'gzip',
  [FORMAT_ZSTD]: 'zstd',
};

/** image-spec layer.md#media-types, docker's schema 2 and what is said about both with other words. */
function formatOf(mediaType: string | undefined): number {
  if (mediaType === undefined) return FORMAT_AUTO;
  const type = mediaType.toLowerCase();
  if (/\btar(\+|\.)gzip$|\btar\.gz$/.test(type)) return FORMAT_GZIP;
  if (/\btar(\+|\.)zstd$/.test(type)) return FORMAT_ZSTD;
  if (/\btar$/.test(type)) return FORMAT_PLAIN;
  // What docker wrote before media types said how: any of them.
  if (type === 'application/vnd.docker.container.image.rootfs.diff+x-gtar') return FORMAT_AUTO;
  throw new WctrError('unsupported-media-type', `${mediaType} is not the media type of a layer`, {
    data: { mediaType },
  });
}

function sniff(head: Uint8Array): number {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return FORMAT_GZIP;
  if (b === 0xb5 && a === 0x28 && c === 0x2f && d === 0xfd) return FORMAT_ZSTD;
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return FORMAT_ZSTD;
  return FORMAT_PLAIN;
}

function concatenate(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

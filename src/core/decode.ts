/** Decompression by the core: chunks in, chunks out, with bounded memory whatever the stream. */
import { WctrError } from '../errors.ts';
import {
  FORMAT_AUTO,
  FORMAT_DEFLATE,
  FORMAT_GZIP,
  FORMAT_PLAIN,
  FORMAT_ZLIB,
  FORMAT_ZSTD,
  RUN_DONE,
  RUN_NEED_INPUT,
  RUN_OUTPUT,
  WINDOW_LIMIT_DEFAULT,
} from './abi/codec.ts';
import type { Core } from './core.ts';
import { decodeFailure } from './status.ts';

const FORMATS = {
  /** gzip, zstd or plain, by the first bytes. */
  auto: FORMAT_AUTO,
  plain: FORMAT_PLAIN,
  gzip: FORMAT_GZIP,
  zlib: FORMAT_ZLIB,
  /** Deflate without a wrapper. */
  deflate: FORMAT_DEFLATE,
  zstd: FORMAT_ZSTD,
} as const;

export interface DecodeOptions {
  /** Default `auto`. */
  readonly format?: keyof typeof FORMATS;
  /** Largest zstd window. Default 128 MiB. */
  readonly maxWindowBytes?: number;
  /** Most bytes to give out. Default: no limit. */
  readonly maxOutputBytes?: number;
  /** Names the data in errors. Default "data". */
  readonly what?: string;
}

/**
 * Decodes a stream. Chunks are copies, about 128 KiB each; only after the last one is it known that the stream was whole.
 * Throws `invalid-layer` (damaged, cut short, wrong checksum, not supported), `limit-exceeded`, `no-memory`.
 */
export async function* decode(
  core: Core,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const session = new Session(core, options);
  try {
    for await (const chunk of source) yield* session.push(chunk);
    yield* session.end();
  } finally {
    session.close();
  }
}

/** The same without waiting. */
export function* decodeSync(
  core: Core,
  source: Iterable<Uint8Array>,
  options: DecodeOptions = {},
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const session = new Session(core, options);
  try {
    for (const chunk of source) yield* session.push(chunk);
    yield* session.end();
  } finally {
    session.close();
  }
}

class Session {
  readonly #core: Core;
  readonly #what: string;
  readonly #maxOutputBytes: number;
  readonly #decoder: number;
  #outputBytes = 0;

  constructor(core: Core, options: DecodeOptions) {
    this.#core = core;
    this.#what = options.what ?? 'data';
    this.#maxOutputBytes = options.maxOutputBytes ?? Number.POSITIVE_INFINITY;
    const format = FORMATS[options.format ?? 'auto'];
    this.#decoder = core.exports.decoderNew(format, options.maxWindowBytes ?? WINDOW_LIMIT_DEFAULT, 1) >>> 0;
    if (this.#decoder === 0) throw new WctrError('no-memory', `${this.#what}: no memory for a decoder`);
  }

  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const { exports } = this.#core;
    for (let at = 0; at < chunk.length; ) {
      const address = exports.decoderInput(this.#decoder) >>> 0;
      const piece = chunk.subarray(at, at + exports.decoderInputSpace(this.#decoder));
      this.#core.bytes.set(piece, address);
      exports.decoderPush(this.#decoder, piece.length);
      at += piece.length;
      yield* this.#drain();
    }
  }

  *end(): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    this.#core.exports.decoderEnd(this.#decoder);
    yield* this.#drain();
  }

  close(): void {
    this.#core.exports.decoderFree(this.#decoder);
  }

  /** Runs until the decoder wants input or is done. */
  *#drain(): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const { exports } = this.#core;
    for (;;) {
      const status = exports.decoderRun(this.#decoder);
      if (status === RUN_NEED_INPUT || status === RUN_DONE) return;
      if (status !== RUN_OUTPUT) throw decodeFailure(this.#what, status);
      const address = exports.decoderOutput(this.#decoder) >>> 0;
      const length = exports.decoderOutputLength(this.#decoder);
      this.#outputBytes += length;
      if (this.#outputBytes > this.#maxOutputBytes) {
        throw new WctrError(
          'limit-exceeded',
          `${this.#what}: decompresses to more than ${this.#maxOutputBytes} bytes`,
          {
            data: { maxOutputBytes: this.#maxOutputBytes },
          },
        );
      }
      yield new Uint8Array(this.#core.bytes.subarray(address, address + length));
    }
  }
}

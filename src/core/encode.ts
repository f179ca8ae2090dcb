/** Compression by the core: the same bytes on every host, whatever compressor it has of its own. */
import { WctrError } from '../errors.ts';
import { Core } from './core.ts';
import type { CoreModules } from './core-modules.ts';

/** gzip (RFC 1952), one member without name and time. Chunks are copies. Throws `no-memory`. */
export async function* gzip(
  core: Core,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { exports } = core;
  const encoder = exports.encoderNew() >>> 0;
  if (encoder === 0) throw new WctrError('no-memory', 'no memory for a compressor');
  const output = (length: number) => {
    const address = exports.encoderOutput(encoder) >>> 0;
    return new Uint8Array(core.bytes.subarray(address, address + length));
  };
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + exports.encoderInputSpace(encoder));
        core.bytes.set(piece, exports.encoderInput(encoder) >>> 0);
        const length = exports.encoderPush(encoder, piece.length);
        if (length > 0) yield output(length);
        at += piece.length;
      }
    }
    yield output(exports.encoderEnd(encoder));
  } finally {
    exports.encoderFree(encoder);
  }
}

/** The same on an instance of its own. */
export async function* gzipWith(
  modules: CoreModules,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  yield* gzip(await Core.create(modules), source);
}

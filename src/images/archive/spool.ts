/** Puts a stream of bytes into a temp file, since archives are read out of order; gzip is taken off on the way. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { diskError } from '../store/disk-error.ts';
import { openCreating, uniqueName, writeAll } from '../store/durable.ts';
import type { StoreLayout } from '../store/layout.ts';
import { type ByteReader, fileReader, streamRange } from './files.ts';

export interface Spooled {
  readonly path: string;
  readonly sizeBytes: number;
  open(): Promise<ByteReader>;
  /** Its bytes from there on, as a layer's or a blob's origin gives them. */
  from(offset: number): AsyncGenerator<Uint8Array>;
  remove(): Promise<void>;
}

export interface SpoolOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly signal?: AbortSignal;
  readonly onChunk?: (chunk: Uint8Array) => void;
}

/** Throws `no-space`, `store-read-only`; leaves no file behind when it does. */
export async function spool(chunks: AsyncIterable<Uint8Array>, options: SpoolOptions): Promise<Spooled> {
  const { fs, layout, signal, onChunk } = options;
  const path = `${layout.tmp}/${uniqueName('spool')}`;
  const remove = () => fs.rm(path, { force: true });
  let sizeBytes = 0;
  try {
    const handle = await openCreating(fs, path, 'wx').catch((error: unknown) => {
      throw diskError(error, 'keep the archive while it is read', layout.root);
    });
    try {
      for await (const chunk of chunks) {
        signal?.throwIfAborted();
        onChunk?.(chunk);
        await writeAll(handle, chunk, sizeBytes).catch((error: unknown) => {
          throw diskError(error, 'keep the archive while it is read', layout.root);
        });
        sizeBytes += chunk.length;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
  const open = () => fileReader(fs, path);
  return {
    path,
    sizeBytes,
    remove,
    open,
    async *from(offset) {
      const reader = await open();
      try {
        yield* streamRange(reader, offset, reader.sizeBytes);
      } finally {
        await reader.close();
      }
    },
  };
}

/** The same bytes, or what they unpack to when they are gzip. */
export async function* withoutGzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const { done, value } = await iterator.next();
  if (done) return;
  const rest: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: async function* () {
      yield value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    },
  };
  if (value[0] !== 0x1f || value[1] !== 0x8b) {
    yield* rest as AsyncIterable<Uint8Array>;
    return;
  }
  try {
    yield* readableOf(rest).pipeThrough(new DecompressionStream('gzip')) as unknown as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof WctrError) throw cause;
    throw new WctrError('invalid-layer', 'the archive is damaged: its gzip data is broken', { cause });
  }
}

function readableOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}

/**
 * Contents of files on their way: small ones in memory, as many as that holds, others one after the other in a file that
 * is made when the first one needs it.
 */
import type { FileHandle } from '../../../host/ports.ts';

const SMALL_BYTES = 64 << 10;
const MAX_MEMORY_BYTES = 64 << 20;
const CHUNK_BYTES = 256 << 10;

/** Room for so many bytes as its maker said. */
export interface SpooledFile {
  write(chunk: Uint8Array): Promise<void>;
  /** What was written. */
  read(): AsyncIterable<Uint8Array>;
}

export class Spool {
  readonly #open: () => Promise<FileHandle>;
  #handle: Promise<FileHandle> | undefined;
  #memoryBytes = 0;
  #end = 0;

  constructor(open: () => Promise<FileHandle>) {
    this.#open = open;
  }

  /** The caller keeps to the size. */
  file(sizeBytes: number): SpooledFile {
    if (sizeBytes <= SMALL_BYTES && this.#memoryBytes + sizeBytes <= MAX_MEMORY_BYTES) {
      this.#memoryBytes += sizeBytes;
      return inMemory(sizeBytes);
    }
    const start = this.#end;
    this.#end += sizeBytes;
    this.#handle ??= this.#open();
    return onDisk(this.#handle, start);
  }

  async close(): Promise<void> {
    const handle = await this.#handle?.catch(() => undefined);
    await handle?.close();
  }
}

function inMemory(sizeBytes: number): SpooledFile {
  const content = new Uint8Array(sizeBytes);
  let length = 0;
  return {
    async write(chunk) {
      content.set(chunk, length);
      length += chunk.length;
    },
    async *read() {
      if (length > 0) yield content.subarray(0, length);
    },
  };
}

function onDisk(opened: Promise<FileHandle>, start: number): SpooledFile {
  let length = 0;
  return {
    async write(chunk) {
      const handle = await opened;
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, at, chunk.length - at, start + length);
        at += bytesWritten;
        length += bytesWritten;
      }
    },
    async *read() {
      const handle = await opened;
      for (let at = 0; at < length; ) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, length - at));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + at);
        if (bytesRead === 0) throw new Error('the spool is shorter than what was written to it');
        at += bytesRead;
        yield chunk.subarray(0, bytesRead);
      }
    },
  };
}

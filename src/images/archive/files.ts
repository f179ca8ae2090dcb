/** The files an image archive is made of, wherever they are: a directory, or the members of a tar. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { isMissing } from '../store/disk-error.ts';

/** Read access by relative path (`blobs/sha256/…`). */
export interface ArchiveFiles {
  /** How messages call it. */
  readonly what: string;
  /** Bytes; undefined when there is no such regular file. */
  size(path: string): Promise<number | undefined>;
  stream(path: string, offset?: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Random access to a file or to bytes in memory. */
export interface ByteReader {
  readonly sizeBytes: number;
  /** Up to `length` bytes; fewer only at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const CHUNK_BYTES = 1024 * 1024;

export async function fileReader(fs: FileSystem, path: string): Promise<ByteReader> {
  const handle = await fs.open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) throw new WctrError('not-found', `no such file: ${path}`, { cause: error });
    throw error;
  });
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    read: async (position, length) => {
      const buffer = new Uint8Array(Math.max(0, Math.min(length, size - position)));
      let done = 0;
      while (done < buffer.length) {
        const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return buffer.subarray(0, done);
    },
    close: () => handle.close(),
  };
}

export function bytesReader(bytes: Uint8Array): ByteReader {
  return {
    sizeBytes: bytes.length,
    read: async (position, length) => bytes.slice(position, position + length),
    close: async () => {},
  };
}

export async function* streamRange(reader: ByteReader, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    const chunk = await reader.read(at, Math.min(CHUNK_BYTES, to - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

/**
 * An image layout on disk. Only paths made by this program from checked digests are opened; links inside the directory
 * are followed as the host does, since whoever names a directory on the command line may read it.
 */
export function directoryFiles(fs: FileSystem, dir: string): ArchiveFiles {
  return {
    what: dir,
    size: async (path) => {
      const stat = await fs.stat(`${dir}/${path}`).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      return stat?.isFile() ? stat.size : undefined;
    },
    stream: async function* (path, offset = 0) {
      const reader = await fileReader(fs, `${dir}/${path}`);
      try {
        yield* streamRange(reader, offset, reader.sizeBytes);
      } finally {
        await reader.close();
      }
    },
    close: async () => {},
  };
}

/** A whole small file. Throws `not-found` or `limit-exceeded`. */
export async function readSmallFile(files: ArchiveFiles, path: string, limitBytes: number): Promise<Uint8Array> {
  const size = await files.size(path);
  if (size === undefined) throw new WctrError('not-found', `${files.what} has no file ${path}`);
  if (size > limitBytes) {
    throw new WctrError('limit-exceeded', `${path} in ${files.what} is ${size} bytes, more than ${limitBytes}`);
  }
  return collect(files.stream(path), size);
}

export async function collect(chunks: AsyncIterable<Uint8Array>, expectedBytes = 0): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
  }
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const whole = new Uint8Array(Math.max(length, Math.min(expectedBytes, length)));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

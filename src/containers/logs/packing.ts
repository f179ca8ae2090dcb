/** Rotated log files, packed with gzip: `<file>.gz` in place of `<file>`. */
import type { FileHandle, FileSystem } from '../../host/ports.ts';
import { openCreating, writeAll } from '../../images/store/durable.ts';

export const PACKED = '.gz';
const CHUNK_BYTES = 64 * 1024;

/** Whoever reads meanwhile finds the one or the other. A file that cannot be packed stays as it is. */
export async function packFile(fs: FileSystem, path: string): Promise<void> {
  const unfinished = `${path}${PACKED}.part`;
  const source = await fs.open(path, 'r');
  try {
    const target = await openCreating(fs, unfinished, 'w');
    try {
      let at = 0;
      for await (const chunk of streamed(bytesOf(source).pipeThrough(new CompressionStream('gzip')))) {
        await writeAll(target, chunk, at);
        at += chunk.length;
      }
    } finally {
      await target.close();
    }
    await fs.rename(unfinished, `${path}${PACKED}`);
    await fs.rm(path, { force: true });
  } catch (error) {
    await fs.rm(unfinished, { force: true }).catch(() => {});
    throw error;
  } finally {
    await source.close();
  }
}

/** What was packed, from its beginning. The handle stays open. */
export function unpacked(handle: FileHandle): AsyncGenerator<Uint8Array> {
  return streamed(bytesOf(handle).pipeThrough(new DecompressionStream('gzip')));
}

function bytesOf(handle: FileHandle): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      at += bytesRead;
      if (bytesRead === 0) controller.close();
      else controller.enqueue(chunk.subarray(0, bytesRead));
    },
  });
}

async function* streamed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

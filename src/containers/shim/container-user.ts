/** A user given by name to `exec`, looked up in the container as it is now. */
import type { ContainerFiles } from '../../host/container/container.ts';
import { resolveUser } from '../process-config.ts';

const BLOCK_BYTES = 512;
const SIZE_AT = 124;
const MOST_BYTES = 1024 * 1024;

export function containerUser(files: ContainerFiles, spec: string) {
  return resolveUser(spec, (path) => smallFile(files, path));
}

/** Undefined where there is none. */
async function smallFile(files: ContainerFiles, path: string): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of files.archive(path)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MOST_BYTES) break;
    }
  } catch {
    return undefined;
  }
  const tar = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    tar.set(chunk, at);
    at += chunk.length;
  }
  const size = Number.parseInt(new TextDecoder().decode(tar.subarray(SIZE_AT, SIZE_AT + 12)), 8);
  return Number.isNaN(size) ? undefined : new TextDecoder().decode(tar.subarray(BLOCK_BYTES, BLOCK_BYTES + size));
}

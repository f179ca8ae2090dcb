/** Cache mounts of hosts without directories: each is a tar of the store's, copied into a mount and back. */
import type { FileSystem, Locks } from '../../host/ports.ts';
import type { CreateHasher } from '../../images/digest.ts';
import { openCreating, writeAll } from '../../images/store/durable.ts';
import { type CacheMount, type CacheMounts, cacheKey, noteUse, readNote, type TakenCache } from './cache-mounts.ts';

export interface TarCachesOptions {
  readonly fs: FileSystem;
  readonly root: string;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
}

const CHUNK_BYTES = 1 << 20;

/** Every sharing is `locked`: two copies could not both be the one that is kept. */
export class TarCaches implements CacheMounts {
  readonly #options: TarCachesOptions;

  constructor(options: TarCachesOptions) {
    this.#options = options;
  }

  async take(mount: CacheMount, signal?: AbortSignal): Promise<TakenCache> {
    const { fs, root, locks, createHasher } = this.#options;
    const key = cacheKey(createHasher, mount.id);
    const lock = await locks.acquire(`build-mount-${key}`, signal === undefined ? {} : { signal });
    const path = `${root}/build/mounts/${key}/0.tar`;
    const note = `${root}/build/mounts/${key}/0.json`;
    const known = await readNote(fs, note);
    return {
      isNew: known === undefined,
      ...(known === undefined ? {} : { content: () => chunksOf(fs, path) }),
      ready: async () => {},
      keep: async (content) => {
        if (mount.readonly) return;
        const unfinished = `${path}.new`;
        const file = await openCreating(fs, unfinished, 'w');
        try {
          let at = 0;
          for await (const chunk of content()) {
            await writeAll(file, chunk, at);
            at += chunk.length;
          }
        } finally {
          await file.close();
        }
        await fs.rename(unfinished, path);
        await noteUse(fs, note, mount.id, known);
      },
      release: () => lock.release(),
    };
  }
}

async function* chunksOf(fs: FileSystem, path: string): AsyncGenerator<Uint8Array> {
  const file = await fs.open(path, 'r');
  try {
    for (let at = 0; ; ) {
      const buffer = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

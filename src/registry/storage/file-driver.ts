/**
 * A registry in a store of images: a blob exists once on the machine, whoever needs it.
 *
 * ```
 * <root>/blobs/<algorithm>/<hex>     shared with images; the collector of both is told by registry-roots.ts
 * <root>/registry/<key>              documents: each segment of the key a directory, the last a file
 * <root>/registry/uploads/<id>       bytes of an upload so far
 * ```
 *
 * File systems may take `A` and `a` for the same name, so a segment's capitals are written `^a`.
 */
import type { FileHandle, FileSystem, Locks } from '../../host/ports.ts';
import type { BlobStore } from '../../images/store/blob-store.ts';
import { diskError, isMissing } from '../../images/store/disk-error.ts';
import { openCreating, renameDurably, syncDirectory, writeAll, writeDurably } from '../../images/store/durable.ts';
import type { StoreLayout } from '../../images/store/layout.ts';
import type { Driver, StoredUpload, Upload } from './driver.ts';

export interface FileDriverOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly content: BlobStore;
  /** Blobs have paths a listener can open. */
  readonly hasPaths: boolean;
  /** Runs the collector of the whole store, which knows images, containers and this registry's documents; the caller holds its lock. */
  readonly collect: () => Promise<{ blobs: number; reclaimedBytes: number }>;
}

/** Writes of this size cost little more than the bytes; a socket delivers 64 KiB at a time. */
const WRITE_BYTES = 1 << 20;

export function fileDriver(options: FileDriverOptions): Driver {
  const { fs, layout, locks, content, hasPaths } = options;
  const directory = layout.registry;
  const uploads = `${directory}/uploads`;
  const pathOf = (key: string) => `${directory}/${escaped(key)}`;
  const failed = (error: unknown, doing: string) => diskError(error, doing, layout.root);

  const documents: Driver['documents'] = {
    async get(key) {
      try {
        return await fs.readFile(pathOf(key));
      } catch (error) {
        if (isMissing(error) || isDirectory(error)) return undefined;
        throw failed(error, `read ${key}`);
      }
    },
    async put(key, value) {
      try {
        await writeDurably(fs, layout.tmp, pathOf(key), value);
      } catch (error) {
        throw failed(error, `write ${key}`);
      }
    },
    async delete(key) {
      const path = pathOf(key);
      try {
        await fs.unlink(path);
        await syncDirectory(fs, path.slice(0, path.lastIndexOf('/')));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw failed(error, `remove ${key}`);
      }
    },
    async list(key) {
      try {
        return (await fs.readdir(pathOf(key))).map(unescaped);
      } catch (error) {
        if (isMissing(error)) return [];
        throw failed(error, `list ${key}`);
      }
    },
  };

  return {
    documents,
    blobs: {
      size: (digest) => content.size(digest),
      read: (digest, from, to) => slice(content.stream(digest, { offset: from }), to - from),
      put: async (digest, bytes) => {
        try {
          await writeDurably(fs, layout.tmp, layout.blob(digest), bytes);
        } catch (error) {
          throw failed(error, `store blob ${digest}`);
        }
      },
      ...(hasPaths ? { path: (digest) => layout.blob(digest) } : {}),
    },
    uploads: {
      create: async (id) =>
        FileUpload.open(options, `${uploads}/${id}`, 'wx+').catch((error) => {
          throw failed(error, 'begin an upload');
        }),
      open: async (id) => {
        try {
          return await FileUpload.open(options, `${uploads}/${id}`, 'r+');
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw failed(error, 'go on with an upload');
        }
      },
      list: async () => {
        const found: StoredUpload[] = [];
        for (const id of await documents.list('uploads')) {
          const stat = await fs.stat(`${uploads}/${id}`).catch(() => undefined);
          if (stat !== undefined) found.push({ id, modifiedMs: stat.mtimeMs });
        }
        return found;
      },
    },
    locks,
    isExclusive: true,
    sweep: () => options.collect(),
  };
}

class FileUpload implements Upload {
  readonly #options: FileDriverOptions;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Bytes written, and handed to a write that is under way. */
  #written: number;
  #buffer: Uint8Array = new Uint8Array(0);
  #filled = 0;
  /** The last write; the next chunk comes in while the disk works. */
  #writing: Promise<void> = Promise.resolve();
  #spare: Uint8Array | undefined;
  #isOpen = true;

  private constructor(options: FileDriverOptions, path: string, handle: FileHandle, sizeBytes: number) {
    this.#options = options;
    this.#path = path;
    this.#handle = handle;
    this.#written = sizeBytes;
  }

  static async open(options: FileDriverOptions, path: string, flags: 'wx+' | 'r+'): Promise<FileUpload> {
    const handle = flags === 'r+' ? await options.fs.open(path, flags) : await openCreating(options.fs, path, flags);
    try {
      return new FileUpload(options, path, handle, flags === 'r+' ? (await handle.stat()).size : 0);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#written + this.#filled;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#buffer.length === 0) this.#buffer = this.#spare ?? new Uint8Array(WRITE_BYTES);
      const part = chunk.subarray(at, at + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#buffer.length) await this.#flush();
    }
  }

  /** Waits for the write before, not for its own. */
  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    const [buffer, length, position] = [this.#buffer, this.#filled, this.#written];
    await this.#writing.catch((error: unknown) => {
      throw diskError(error, 'store an upload', this.#options.layout.root);
    });
    this.#buffer = this.#spare ?? new Uint8Array(0);
    this.#spare = undefined;
    this.#written += length;
    this.#filled = 0;
    this.#writing = writeAll(this.#handle, buffer.subarray(0, length), position).then(() => {
      this.#spare = buffer;
    });
    // Looked at by the next flush.
    this.#writing.catch(() => {});
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.#flush();
      await this.#writing;
    } catch (error) {
      throw diskError(error, 'store an upload', this.#options.layout.root);
    } finally {
      await this.#handle.close();
    }
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    const handle = await this.#options.fs.open(this.#path, 'r');
    try {
      for (let at = 0; ; ) {
        const buffer = new Uint8Array(WRITE_BYTES);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async commit(digest: Parameters<Upload['commit']>[0]): Promise<void> {
    const { fs, layout } = this.#options;
    try {
      const handle = await fs.open(this.#path, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      // Over what may be there already: if that was damaged, it is whole again.
      await renameDurably(fs, this.#path, layout.blob(digest));
    } catch (error) {
      throw diskError(error, `store blob ${digest}`, layout.root);
    }
  }

  async cancel(): Promise<void> {
    await this.close().catch(() => {});
    await this.#options.fs.rm(this.#path, { force: true });
  }
}

async function* slice(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  if (left <= 0) return;
  for await (const chunk of chunks) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

function escaped(key: string): string {
  return key.replace(/[A-Z]/g, (capital) => `^${capital.toLowerCase()}`);
}

function unescaped(name: string): string {
  return name.replace(/\^([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isDirectory(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'EISDIR';
}

/**
 * A file system that fails on purpose. It counts the operations that change something and lets the n-th fail: with an
 * error (`fail`), or by dying (`crash`): then that write is torn, nothing works any more, and what was not synced is lost.
 */
import type { FileHandle, FileSystem } from '../../src/host/ports.ts';

export interface Fault {
  /** Which changing operation, from 1; Infinity only counts. */
  readonly at: number;
  readonly kind: 'fail' | 'fail-for-good' | 'crash';
  /** errno of failures. */
  readonly code: string;
}

export class FaultyFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #fault: Fault;
  readonly #dirty = new Set<string>();
  count = 0;
  dead = false;

  constructor(inner: FileSystem, fault: Fault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  /** After a crash: files written but never synced lose their second half, as after a power cut. */
  async losePower(): Promise<void> {
    for (const path of this.#dirty) {
      const handle = await this.#inner.open(path, 'r+').catch(() => undefined);
      if (handle === undefined) continue;
      await handle.truncate(Math.floor((await handle.stat()).size / 2));
      await handle.close();
    }
  }

  async open(path: string, flags: string, mode?: number): Promise<FileHandle> {
    if (flags !== 'r') await this.#change();
    this.#assertAlive();
    const handle = await this.#inner.open(path, flags, mode);
    return {
      read: (...args) => this.#alive(() => handle.read(...args)),
      write: async (buffer, offset, length, position) => {
        this.#dirty.add(path);
        try {
          await this.#change();
        } catch (error) {
          await handle.write(buffer, offset, Math.floor(length / 2), position);
          throw error;
        }
        return handle.write(buffer, offset, length, position);
      },
      truncate: async (length) => {
        await this.#change();
        await handle.truncate(length);
      },
      sync: async () => {
        await this.#change();
        await handle.sync();
        this.#dirty.delete(path);
      },
      stat: () => this.#alive(() => handle.stat()),
      close: () => handle.close(),
    };
  }

  readFile = (path: string) => this.#alive(() => this.#inner.readFile(path));
  readdir = (path: string) => this.#alive(() => this.#inner.readdir(path));
  stat = (path: string) => this.#alive(() => this.#inner.stat(path));
  lstat = (path: string) => this.#alive(() => this.#inner.lstat(path));
  readlink = (path: string) => this.#alive(() => this.#inner.readlink(path));

  async writeFile(path: string, data: Uint8Array | string): Promise<void> {
    await this.#change();
    this.#dirty.add(path);
    await this.#inner.writeFile(path, data);
  }

  async mkdir(path: string, options: { recursive?: boolean; mode?: number }): Promise<unknown> {
    await this.#change();
    return this.#inner.mkdir(path, options);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change();
    await this.#inner.rename(from, to);
    if (this.#dirty.delete(from)) this.#dirty.add(to);
  }

  async link(existing: string, path: string): Promise<void> {
    await this.#change();
    await this.#inner.link(existing, path);
  }

  async unlink(path: string): Promise<void> {
    await this.#remove();
    await this.#inner.unlink(path);
  }

  async rm(path: string, options: { recursive?: boolean; force?: boolean }): Promise<void> {
    await this.#remove();
    await this.#inner.rm(path, options);
  }

  /** A full or broken disk still lets go of files; a dead process does not. */
  async #remove(): Promise<void> {
    if (this.#fault.kind === 'crash') await this.#change();
    this.#assertAlive();
  }

  async #change(): Promise<void> {
    this.#assertAlive();
    this.count += 1;
    const { at, kind, code } = this.#fault;
    if (this.count < at || (kind === 'fail' && this.count > at)) return;
    if (kind === 'crash') this.dead = true;
    throw Object.assign(new Error(`${code}: injected at operation ${this.count}`), { code });
  }

  #assertAlive(): void {
    if (this.dead) throw Object.assign(new Error('EIO: the process is dead'), { code: 'EIO' });
  }

  async #alive<T>(action: () => Promise<T>): Promise<T> {
    this.#assertAlive();
    return action();
  }
}

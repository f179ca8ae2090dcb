/**
 * A file that is appended to until it is full, and then becomes `<path>.1`, what was there `<path>.2`, and so on. With one
 * file it is emptied instead, as docker's json-file does. Packed ones are `<path>.<i>.gz`; where there are more than two
 * files the youngest of the rotated ones is not packed yet, for those who follow and have not read it to its end.
 */
import type { FileHandle, FileSystem } from '../../host/ports.ts';
import { openCreating, writeAll } from '../../images/store/durable.ts';
import type { LogLimits } from './driver.ts';
import { PACKED, packFile } from './packing.ts';

/** Entries are joined up to this before they are written. */
const WRITE_BYTES = 64 * 1024;

export class RotatedFile {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #limits: LogLimits;
  #handle: FileHandle | undefined;
  #size = 0;
  #packing: Promise<void> = Promise.resolve();

  constructor(fs: FileSystem, path: string, limits: LogLimits) {
    this.#fs = fs;
    this.#path = path;
    this.#limits = limits;
  }

  async append(entries: readonly Uint8Array[]): Promise<void> {
    const { maxSize = Number.POSITIVE_INFINITY } = this.#limits;
    let batch: Uint8Array[] = [];
    let bytes = 0;
    for (const entry of entries) {
      if (bytes > 0 && (bytes >= WRITE_BYTES || this.#size + bytes >= maxSize)) {
        await this.#write(batch, bytes);
        batch = [];
        bytes = 0;
      }
      batch.push(entry);
      bytes += entry.length;
      // What is already there counts from the first write on.
      if (this.#handle === undefined) await this.#open();
    }
    if (bytes > 0) await this.#write(batch, bytes);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
    await this.#packing;
  }

  async #write(batch: readonly Uint8Array[], bytes: number): Promise<void> {
    const handle = await this.#room();
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const entry of batch) {
      joined.set(entry, at);
      at += entry.length;
    }
    await writeAll(handle, joined, this.#size);
    this.#size += bytes;
  }

  /** docker asks before it writes: a file is full when it has reached its size. */
  async #room(): Promise<FileHandle> {
    const { maxSize } = this.#limits;
    if (this.#handle !== undefined && maxSize !== undefined && this.#size >= maxSize) {
      await this.close();
      await this.#rotate();
    }
    return this.#handle ?? this.#open();
  }

  async #rotate(): Promise<void> {
    const { maxFiles, compress } = this.#limits;
    const rotated = (i: number) => (i === 0 ? this.#path : `${this.#path}.${i}`);
    await this.#fs.rm(`${rotated(maxFiles - 1)}${PACKED}`, { force: true });
    await this.#fs.rm(rotated(maxFiles - 1), { force: true });
    for (let i = maxFiles - 1; i >= 1; i -= 1) {
      await this.#fs.rename(rotated(i - 1), rotated(i)).catch(() => {});
      if (i > 1) await this.#fs.rename(`${rotated(i - 1)}${PACKED}`, `${rotated(i)}${PACKED}`).catch(() => {});
    }
    if (compress) this.#packing = packFile(this.#fs, rotated(Math.min(2, maxFiles - 1))).catch(() => {});
  }

  async #open(): Promise<FileHandle> {
    const handle = await openCreating(this.#fs, this.#path, 'a');
    this.#handle = handle;
    this.#size = (await handle.stat()).size;
    return handle;
  }
}

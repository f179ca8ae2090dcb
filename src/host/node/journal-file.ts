/** The journal of a container's writable layer as a file on disk (core/upper.ts). */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { JournalFile, JournalStore } from '../../core/upper.ts';

/** `path`: the journal; `<path>.next` holds a snapshot while it is written. */
export class NodeJournal implements JournalStore {
  readonly #path: string;
  readonly #note: ((descriptor: number) => void) | undefined;

  /** @param note told the descriptor of the journal when it is opened, -1 before it is closed. */
  constructor(path: string, note?: (descriptor: number) => void) {
    this.#path = path;
    this.#note = note;
  }

  open(create: boolean): JournalFile | undefined {
    try {
      const fd = openSync(this.#path, 'r+');
      this.#note?.(fd);
      return new NodeJournalFile(fd, this.#note);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
    }
    if (!create) return undefined;
    const file = new NodeJournalFile(openSync(this.#path, 'wx+', 0o600));
    this.#syncDirectory();
    return file;
  }

  createNext(): JournalFile {
    return new NodeJournalFile(openSync(this.#next, 'w+', 0o600));
  }

  commitNext(): void {
    renameSync(this.#next, this.#path);
    this.#syncDirectory();
  }

  get #next(): string {
    return `${this.#path}.next`;
  }

  /** So that the name is on the disk, too. Where directories cannot be opened (Windows) the file system sees to it. */
  #syncDirectory(): void {
    if (process.platform === 'win32') return;
    const fd = openSync(dirname(this.#path), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

class NodeJournalFile implements JournalFile {
  readonly #fd: number;
  readonly #note: ((descriptor: number) => void) | undefined;

  constructor(fd: number, note?: (descriptor: number) => void) {
    this.#fd = fd;
    this.#note = note;
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  read(position: number, target: Uint8Array): number {
    let done = 0;
    while (done < target.length) {
      const got = readSync(this.#fd, target, done, target.length - done, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  write(position: number, source: Uint8Array): void {
    let done = 0;
    while (done < source.length) {
      done += writeSync(this.#fd, source, done, source.length - done, position + done);
    }
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  truncate(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  close(): void {
    this.#note?.(-1);
    closeSync(this.#fd);
  }
}

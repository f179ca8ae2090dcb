/**
 * The FileSystem port for a command that does one thing: small calls go straight to the system instead of through
 * Node's thread pool, whose round trip costs a hundred times what they do. Large writes and fsync, which wait for the
 * disk, still go there.
 */
import type { Stats } from 'node:fs';
import type { FileHandle, FileSystem } from '../ports.ts';
import { builtin, nodeFs as fs } from './builtin.ts';
import { makeDirectories } from './make-directories.ts';

/** Up to this much is copied into the page cache sooner than another thread could be told to do it. */
const DIRECT_BYTES = 256 * 1024;

export const directFileSystem: FileSystem = {
  open: async (path, flags, mode) => new DirectHandle(fs.openSync(path, flags, mode)),
  readFile: async (path) => fs.readFileSync(path),
  writeFile: async (path, data) => fs.writeFileSync(path, data),
  mkdir: async (path, { recursive, mode = 0o777 }) =>
    recursive === true ? makeDirectories(path, mode) : fs.mkdirSync(path, { mode }),
  readdir: async (path) => fs.readdirSync(path),
  rename: async (from, to) => fs.renameSync(from, to),
  link: async (existing, path) => fs.linkSync(existing, path),
  unlink: async (path) => fs.unlinkSync(path),
  rm: async (path, options) => {
    // Trees may be large.
    if (options.recursive === true) await builtin.fs.rm(path, options);
    else removeFile(path, options.force === true);
  },
  stat: async (path) => fs.statSync(path),
  lstat: async (path) => fs.lstatSync(path),
  readlink: async (path) => fs.readlinkSync(path),
};

/** What rm does for a file, without the machinery it has for trees. */
function removeFile(path: string, force: boolean): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!force || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

class DirectHandle implements FileHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async read(buffer: Uint8Array, offset: number, length: number, position: number | null) {
    if (length <= DIRECT_BYTES) return { bytesRead: fs.readSync(this.#fd, buffer, offset, length, position) };
    return { bytesRead: await later<number>((done) => fs.read(this.#fd, buffer, offset, length, position, done)) };
  }

  async write(buffer: Uint8Array, offset: number, length: number, position: number | null) {
    if (length <= DIRECT_BYTES) return { bytesWritten: fs.writeSync(this.#fd, buffer, offset, length, position) };
    return { bytesWritten: await later<number>((done) => fs.write(this.#fd, buffer, offset, length, position, done)) };
  }

  async truncate(length: number): Promise<void> {
    fs.ftruncateSync(this.#fd, length);
  }

  async sync(): Promise<void> {
    await later<void>((done) => fs.fsync(this.#fd, done));
  }

  async stat(): Promise<Stats> {
    return fs.fstatSync(this.#fd);
  }

  async close(): Promise<void> {
    fs.closeSync(this.#fd);
  }
}

function later<T>(start: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

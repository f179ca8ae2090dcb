/**
 * A directory of the host as a build context. Links are never followed by the host: what a link leads to is looked up
 * inside the context, so nothing outside can be reached. Owners are root, as docker has it. What .dockerignore leaves out
 * is IgnoredTree's business; a directory that nobody lists is not read.
 *
 * A directory is read as a whole when something in it is asked for, and once: with synchronous calls, since a context of
 * ten thousand files spends its time on promises otherwise.
 */
import { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';
import type { SyncFileSystem } from '../../host/ports.ts';
import { quote } from '../../images/quote.ts';
import { isMissing } from '../../images/store/disk-error.ts';
import { baseOf, byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from '../tree/file-tree.ts';
import { Breather } from './breather.ts';
import { type ContextChecksums, changedAt, type FoundFile, fileState, type KeptChecksums } from './kept-checksums.ts';

/** What a context needs of a host's files. node:fs and memfs fit as they are. */
export type ContextFiles = Pick<
  SyncFileSystem,
  'openSync' | 'closeSync' | 'readSync' | 'fstatSync' | 'lstatSync' | 'readdirSync' | 'readlinkSync'
>;

export interface DirectoryTreeOptions {
  /** Where checksums of its files are kept; without it they are computed from what is read. */
  readonly kept?: KeptChecksums;
  /** How messages call it. Default: the build context. */
  readonly what?: string;
  /** Of permissions only whether its owner may execute a file counts, as in git: the rest is who fetched it. */
  readonly modes?: 'executable-only';
}

const MAX_ENTRIES = 1_000_000;
const CHUNK_BYTES = 1024 * 1024;
/** Up to here a file is read at once, into the same memory as others. */
const SMALL_BYTES = 256 * 1024;
const S_IFMT = 0o170000n;
const S_IFDIR = 0o040000n;
const S_IFREG = 0o100000n;
const S_IFLNK = 0o120000n;

/** Undefined for what has no place in an image. */
type Names = ReadonlyMap<string, TreeEntry | undefined>;

/** Stands for what cannot be named. */
const NO_TEXT: TreeEntry = { kind: 'file', mode: 0, uid: 0, gid: 0, size: 0 };

export class DirectoryTree implements FileTree {
  readonly what: string;
  readonly #fs: ContextFiles;
  readonly #root: string;
  readonly #kept: KeptChecksums | undefined;
  readonly #modes: 'executable-only' | undefined;
  readonly #directories = new Map<string, Names>();
  readonly #breather = new Breather();
  #checksums: Promise<ContextChecksums> | undefined;
  #small: Uint8Array | undefined;
  #count = 0;

  /** `root` is an absolute path of the host. */
  constructor(fs: ContextFiles, root: string, { kept, modes, what = 'the build context' }: DirectoryTreeOptions = {}) {
    this.what = what;
    this.#fs = fs;
    this.#root = root;
    this.#kept = kept;
    this.#modes = modes;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    return this.#entry(path);
  }

  async list(path: string): Promise<readonly string[]> {
    if (this.#entry(path)?.kind !== 'directory') return [];
    return [...this.#directory(path)].flatMap(([name, entry]) => (entry === undefined ? [] : [name]));
  }

  async remember(): Promise<void> {
    await (await this.#checksums)?.save((path) => this.#isGone(path));
  }

  #entry(path: string): TreeEntry | undefined {
    if (path === '') return ROOT;
    const parent = parentOf(path);
    // Only directories are among them, so of one that was read nobody asks again what leads to it
    const siblings = this.#directories.get(parent);
    if (siblings === undefined && this.#entry(parent)?.kind !== 'directory') return undefined;
    const entry = (siblings ?? this.#directory(parent)).get(baseOf(path));
    if (entry !== NO_TEXT) return entry;
    throw new WctrError('invalid-argument', `the name ${quote(path)} in ${this.what} is no UTF-8`, {
      hint: 'rename it, or leave it out by .dockerignore',
    });
  }

  #directory(path: string): Names {
    let found = this.#directories.get(path);
    if (found === undefined) {
      found = this.#scan(path);
      this.#directories.set(path, found);
    }
    return found;
  }

  #scan(path: string): Names {
    const names = this.#try(path, () => this.#fs.readdirSync(this.#host(path))) ?? [];
    this.#count += names.length;
    if (this.#count > MAX_ENTRIES) {
      throw new WctrError('limit-exceeded', `${this.what} has more than ${MAX_ENTRIES} entries`, {
        hint: 'leave what is not needed out by .dockerignore',
      });
    }
    return new Map(names.sort(byBytes).map((name) => [name, this.#read(join(path, name))]));
  }

  #read(path: string): TreeEntry | undefined {
    const host = this.#host(path);
    const stat = this.#try(path, () => this.#fs.lstatSync(host, { bigint: true }));
    // A name that is no UTF-8 comes with U+FFFD in it, and names nothing
    if (stat === undefined) return baseOf(path).includes('\ufffd') ? NO_TEXT : undefined;
    const kind = stat.mode & S_IFMT;
    const owned = { mode: this.#modeOf(Number(stat.mode), kind), uid: 0, gid: 0 };
    if (kind === S_IFDIR) return { kind: 'directory', size: 0, ...owned };
    if (kind === S_IFLNK) {
      const target = this.#try(path, () => this.#fs.readlinkSync(host));
      return target === undefined ? undefined : { kind: 'symlink', size: 0, ...owned, mode: 0o777, target };
    }
    // Sockets, devices and fifos have no place in an image
    if (kind !== S_IFREG) return undefined;
    const file: FoundFile = { path, size: Number(stat.size), state: fileState(stat), changedNs: changedAt(stat) };
    return {
      kind: 'file',
      ...{ mode: owned.mode, uid: 0, gid: 0, size: file.size },
      read: () => this.#bytes(file),
      ...(file.size > SMALL_BYTES ? {} : { readNow: () => this.#bytesNow(file) }),
      ...(this.#kept === undefined ? {} : { digest: () => this.#digest(file) }),
    };
  }

  #modeOf(mode: number, kind: bigint): number {
    if (this.#modes === undefined) return mode & 0o7777;
    return kind === S_IFDIR || (mode & 0o100) !== 0 ? 0o755 : 0o644;
  }

  async #digest(file: FoundFile): Promise<string> {
    const kept = this.#kept as KeptChecksums;
    this.#checksums ??= kept.open(this.#root);
    const checksums = await this.#checksums;
    const known = checksums.get(file);
    if (known !== undefined) return known;
    const hasher = kept.createHasher('sha256');
    if (file.size <= SMALL_BYTES) hasher.update(this.#bytesNow(file));
    else for await (const chunk of this.#bytes(file)) hasher.update(chunk);
    const hex = hasher.digestHex();
    checksums.set(file, hex);
    return hex;
  }

  /** The next build's bytes are other ones, or none: it was removed since. */
  #isGone(path: string): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const siblings = this.#directories.get(parentOf(at));
      if (siblings !== undefined) return !siblings.has(baseOf(at));
    }
    return false;
  }

  #bytesNow(file: FoundFile): Uint8Array {
    const fd = this.#open(file);
    try {
      this.#small ??= new Uint8Array(SMALL_BYTES);
      const bytes = this.#small.subarray(0, file.size);
      if (this.#fill(fd, bytes, 0) !== bytes.length) throw changed(file.path);
      return bytes;
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  async *#bytes(file: FoundFile): AsyncGenerator<Uint8Array> {
    const { size } = file;
    const fd = this.#open(file);
    try {
      for (let at = 0; at < size; at += CHUNK_BYTES) {
        await this.#breather.pause();
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - at));
        if (this.#fill(fd, chunk, at) !== chunk.length) throw changed(file.path);
        yield chunk;
      }
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  /** The file that was looked at, unchanged: not what a link, a fifo or another file in its place has. */
  #open({ path, state }: FoundFile): number {
    const fd = this.#try(path, () => this.#fs.openSync(this.#host(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (fd === undefined) throw changed(path);
    const stat = this.#fs.fstatSync(fd, { bigint: true });
    if ((stat.mode & S_IFMT) === S_IFREG && fileState(stat) === state) return fd;
    this.#fs.closeSync(fd);
    throw changed(path);
  }

  #fill(fd: number, target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const read = this.#fs.readSync(fd, target, done, target.length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  /** Undefined for what is not there, or not there any more. */
  #try<T>(path: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (isMissing(error)) return undefined;
      const { code } = error as { code?: unknown };
      if (code === 'ELOOP') throw changed(path);
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
      const name = path === '' ? this.#root : path;
      throw new WctrError('forbidden', `${quote(name)} in ${this.what} cannot be read by this user`, {
        hint: 'change its permissions, or leave it out by .dockerignore',
        cause: error,
      });
    }
  }

  #host(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

function changed(path: string): WctrError {
  return new WctrError('conflict', `${quote(path)} changed while it was read`, { hint: 'build again' });
}

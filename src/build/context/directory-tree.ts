/**
 * A directory of the host as a build context. Links are never followed by the host: what a link leads to is looked up
 * inside the context, so nothing outside can be reached. Owners are root, as docker has it; what .dockerignore leaves
 * out is not there.
 */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { fileReader, streamRange } from '../../images/archive/files.ts';
import { quote } from '../../images/quote.ts';
import { isMissing } from '../../images/store/disk-error.ts';
import type { DirectoryMatches, IgnoreMatcher } from '../ignore/ignore-matcher.ts';
import { byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from '../tree/file-tree.ts';

const MAX_ENTRIES = 1_000_000;

export class DirectoryTree implements FileTree {
  readonly what = 'the build context';
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #ignore: IgnoreMatcher | undefined;
  readonly #matches = new Map<string, DirectoryMatches>();
  readonly #entries = new Map<string, Promise<TreeEntry | undefined>>();

  /** `root` is a path of the host. */
  constructor(fs: FileSystem, root: string, ignore?: IgnoreMatcher) {
    this.#fs = fs;
    this.#root = root;
    this.#ignore = ignore;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    if (path === '') return ROOT;
    if ((await this.#parentOf(path)) !== 'directory') return undefined;
    const entry = await this.#entry(path);
    // A directory that is left out is there all the same while something in it is not
    if (entry === undefined || !this.#isIgnored(path)) return entry;
    return entry.kind === 'directory' && !this.#canSkip(path) && (await this.list(path)).length > 0 ? entry : undefined;
  }

  async list(path: string): Promise<readonly string[]> {
    if (path !== '' && (await this.#parentOf(`${path}/x`)) !== 'directory') return [];
    if (path !== '' && this.#canSkip(path)) return [];
    const names = await this.#fs.readdir(this.#host(path)).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const kept: string[] = [];
    for (const name of names) if ((await this.lstat(join(path, name))) !== undefined) kept.push(name);
    return kept.sort(byBytes);
  }

  /** What the parent of a path is, without following a link on the way. */
  async #parentOf(path: string): Promise<TreeEntry['kind'] | undefined> {
    const parent = parentOf(path);
    if (parent === '') return 'directory';
    if ((await this.#parentOf(parent)) !== 'directory') return undefined;
    return (await this.#entry(parent))?.kind;
  }

  #entry(path: string): Promise<TreeEntry | undefined> {
    let entry = this.#entries.get(path);
    if (entry !== undefined) return entry;
    if (this.#entries.size >= MAX_ENTRIES) {
      throw new WctrError('limit-exceeded', `the build context has more than ${MAX_ENTRIES} entries`, {
        hint: 'leave what is not needed out by .dockerignore',
      });
    }
    entry = this.#read(path);
    this.#entries.set(path, entry);
    return entry;
  }

  async #read(path: string): Promise<TreeEntry | undefined> {
    const host = this.#host(path);
    const stat = await this.#fs.lstat(host).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (stat === undefined) return undefined;
    const owned = { mode: stat.mode & 0o7777, uid: 0, gid: 0 };
    if (stat.isDirectory()) return { kind: 'directory', size: 0, ...owned };
    if (stat.isSymbolicLink()) {
      return { kind: 'symlink', size: 0, ...owned, mode: 0o777, target: await this.#fs.readlink(host) };
    }
    // Sockets, devices and fifos have no place in an image
    if (!stat.isFile()) return undefined;
    const { size } = stat;
    return { kind: 'file', size, ...owned, read: () => this.#bytes(path, size) };
  }

  async *#bytes(path: string, size: number): AsyncGenerator<Uint8Array> {
    const reader = await fileReader(this.#fs, this.#host(path));
    try {
      if (reader.sizeBytes !== size) {
        throw new WctrError('conflict', `${quote(path)} changed while it was read`, { hint: 'build again' });
      }
      yield* streamRange(reader, 0, size);
    } finally {
      await reader.close();
    }
  }

  #isIgnored(path: string): boolean {
    return this.#ignore !== undefined && this.#match(path, this.#ignore).isIgnored;
  }

  #canSkip(path: string): boolean {
    return this.#ignore?.canSkip(path, this.#match(path, this.#ignore)) ?? false;
  }

  #match(path: string, ignore: IgnoreMatcher): DirectoryMatches {
    let found = this.#matches.get(path);
    if (found === undefined) {
      const parent = parentOf(path);
      found = ignore.enter(path, parent === '' ? ignore.root : this.#match(parent, ignore));
      this.#matches.set(path, found);
    }
    return found;
  }

  #host(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

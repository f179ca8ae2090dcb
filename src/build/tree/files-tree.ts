/** Files that are made up, and the directories they are in. */
import { byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from './file-tree.ts';

export interface MadeFile {
  readonly content: Uint8Array;
  readonly mode: number;
}

export class FilesTree implements FileTree {
  readonly what: string;
  readonly #files: ReadonlyMap<string, MadeFile>;
  readonly #directories = new Map<string, Set<string>>([['', new Set()]]);

  /** By path, with slashes and without one at the beginning. */
  constructor(what: string, files: ReadonlyMap<string, MadeFile>) {
    this.what = what;
    this.#files = files;
    for (const path of files.keys()) this.#enter(path);
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    if (this.#directories.has(path)) return ROOT;
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const { content, mode } = file;
    const read = async function* () {
      yield content;
    };
    return { kind: 'file', mode, uid: 0, gid: 0, size: content.length, read, readNow: () => content };
  }

  async list(path: string): Promise<readonly string[]> {
    return [...(this.#directories.get(path) ?? [])].sort(byBytes);
  }

  #enter(path: string): void {
    const parent = parentOf(path);
    const names = this.#directories.get(parent) ?? new Set();
    const isNew = !this.#directories.has(parent);
    this.#directories.set(parent, names.add(path.slice(join(parent, 'x').length - 1)));
    if (isNew) this.#enter(parent);
  }
}

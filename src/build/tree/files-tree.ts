/** A few files that are made up, in one directory. */
import { byBytes, type FileTree, ROOT, type TreeEntry } from './file-tree.ts';

export interface MadeFile {
  readonly content: Uint8Array;
  readonly mode: number;
}

export class FilesTree implements FileTree {
  readonly what: string;
  readonly #files: ReadonlyMap<string, MadeFile>;

  constructor(what: string, files: ReadonlyMap<string, MadeFile>) {
    this.what = what;
    this.#files = files;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    if (path === '') return ROOT;
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const { content, mode } = file;
    const read = async function* () {
      yield content;
    };
    return { kind: 'file', mode, uid: 0, gid: 0, size: content.length, read };
  }

  async list(path: string): Promise<readonly string[]> {
    return path === '' ? [...this.#files.keys()].sort(byBytes) : [];
  }
}

/** A directory of a tree as a tree of its own: what is above is out of reach, and `..` at its root is its root. */
import { type FileTree, join, type TreeEntry } from './file-tree.ts';

export class SubTree implements FileTree {
  readonly what: string;
  readonly #tree: FileTree;
  readonly #directory: string;

  /** `directory` must be one, without links on the way (resolve-path.ts). */
  constructor(tree: FileTree, directory: string) {
    this.what = tree.what;
    this.#tree = tree;
    this.#directory = directory;
  }

  lstat(path: string): Promise<TreeEntry | undefined> {
    return this.#tree.lstat(join(this.#directory, path));
  }

  list(path: string): Promise<readonly string[]> {
    return this.#tree.list(join(this.#directory, path));
  }

  async remember(): Promise<void> {
    await this.#tree.remember?.();
  }
}

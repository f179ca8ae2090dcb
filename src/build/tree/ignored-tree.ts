/** A tree without what .dockerignore leaves out. */
import type { DirectoryMatches, IgnoreMatcher } from '../ignore/ignore-matcher.ts';
import { type FileTree, join, parentOf, type TreeEntry } from './file-tree.ts';

export class IgnoredTree implements FileTree {
  readonly what: string;
  readonly #tree: FileTree;
  readonly #ignore: IgnoreMatcher;
  readonly #matches = new Map<string, DirectoryMatches>();

  constructor(tree: FileTree, ignore: IgnoreMatcher) {
    this.what = tree.what;
    this.#tree = tree;
    this.#ignore = ignore;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    const entry = await this.#tree.lstat(path);
    if (path === '' || entry === undefined || !this.#match(path).isIgnored) return entry;
    // A directory that is left out is there all the same while something in it is not
    return entry.kind === 'directory' && (await this.list(path)).length > 0 ? entry : undefined;
  }

  async list(path: string): Promise<readonly string[]> {
    if (path !== '' && this.#ignore.canSkip(path, this.#match(path))) return [];
    const kept: string[] = [];
    for (const name of await this.#tree.list(path)) {
      const below = join(path, name);
      // Not even looked at, unless it may be a directory with exceptions in it
      if (this.#ignore.canSkip(below, this.#match(below))) continue;
      if ((await this.lstat(below)) !== undefined) kept.push(name);
    }
    return kept;
  }

  async remember(): Promise<void> {
    await this.#tree.remember?.();
  }

  #match(path: string): DirectoryMatches {
    let found = this.#matches.get(path);
    if (found === undefined) {
      const parent = parentOf(path);
      found = this.#ignore.enter(path, parent === '' ? this.#ignore.root : this.#match(parent));
      this.#matches.set(path, found);
    }
    return found;
  }
}

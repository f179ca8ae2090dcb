/**
 * What COPY or ADD takes from a tree, as one digest: names, kinds, permissions, owners, link targets and contents, as
 * copy/copy.ts walks them. Times do not count, nor where it goes: that is the instruction's part of a step key.
 *
 * ```
 * SHA-256 over, for each source: "source" NUL, and for each entry it leads to, in order of path
 *   <kind> NUL <mode, octal> NUL <uid> NUL <gid> NUL <path> NUL <link target | SHA-256 of the content | nothing> NUL
 * ```
 */
import type { CreateHasher } from '../../images/digest.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { Breather } from '../context/breather.ts';
import { expandSource, insidePath } from '../copy/sources.ts';
import { type DirectoryMatches, IgnoreMatcher } from '../ignore/ignore-matcher.ts';
import { baseOf, type FileTree, join, type TreeEntry } from '../tree/file-tree.ts';
import { resolvePath } from '../tree/resolve-path.ts';

export interface SourceChecksumOptions {
  readonly createHasher: CreateHasher;
  /** Patterns of `--exclude`. */
  readonly exclude?: readonly string[];
  /** `--parents`. */
  readonly parents?: boolean;
  /** Sources are paths, whatever characters are in them: those of a mount are no patterns. */
  readonly literal?: boolean;
  readonly signal?: AbortSignal;
}

const LINES_AT_ONCE = 2048;

/**
 * A source that is not there counts as such: the copy says what is wrong. Throws BadPatternError, `invalid-argument` for
 * links in a circle, and what reading the tree throws.
 */
export async function checksumSources(
  tree: FileTree,
  sources: readonly string[],
  options: SourceChecksumOptions,
): Promise<Digest> {
  const sum = new Checksum(tree, options);
  for (const source of sources) await sum.addSource(source);
  await tree.remember?.();
  return sum.finish();
}

interface Matches {
  readonly include: DirectoryMatches | undefined;
  readonly exclude: DirectoryMatches | undefined;
}

class Checksum {
  readonly #tree: FileTree;
  readonly #options: SourceChecksumOptions;
  readonly #exclude: IgnoreMatcher | undefined;
  readonly #hasher;
  readonly #encoder = new TextEncoder();
  readonly #breather = new Breather();
  #lines: string[] = [];
  /** Directories on the way to what may be taken: they count when something in them is. */
  #pending: (readonly [path: string, entry: TreeEntry])[] = [];

  constructor(tree: FileTree, options: SourceChecksumOptions) {
    this.#tree = tree;
    this.#options = options;
    const { exclude = [], createHasher } = options;
    this.#exclude = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude);
    this.#hasher = createHasher('sha256');
  }

  async addSource(source: string): Promise<void> {
    this.#write('source');
    if (this.#options.parents !== true) {
      const paths = this.#options.literal === true ? [insidePath(source)] : await expandSource(this.#tree, source);
      for (const path of paths) await this.#addPath(path, undefined);
      return;
    }
    const pivot = source.indexOf('/./');
    const root = pivot < 0 ? '' : source.slice(0, pivot);
    const pattern = insidePath(pivot < 0 ? source : source.slice(pivot + 3));
    const include = pattern === '' ? undefined : new IgnoreMatcher([pattern]);
    for (const path of await expandSource(this.#tree, root)) await this.#addPath(path, include);
  }

  finish(): Digest {
    this.#flush();
    return `sha256:${this.#hasher.digestHex()}`;
  }

  async #addPath(path: string, include: IgnoreMatcher | undefined): Promise<void> {
    const followed = await resolvePath(this.#tree, path);
    const entry = await this.#tree.lstat(followed);
    if (entry === undefined) this.#write('missing');
    else if (entry.kind !== 'directory') await this.#add(baseOf(path), entry);
    else {
      // Of the directory that is named only what is in it is taken
      this.#write('directory');
      this.#pending = [];
      await this.#addDirectory(followed, '', include, { include: include?.root, exclude: this.#exclude?.root });
    }
  }

  async #addDirectory(
    source: string,
    relative: string,
    include: IgnoreMatcher | undefined,
    above: Matches,
  ): Promise<void> {
    for (const name of await this.#tree.list(source)) {
      const pause = this.#breather.pause();
      if (pause !== undefined) await pause;
      this.#options.signal?.throwIfAborted();
      const from = join(source, name);
      const entry = await this.#tree.lstat(from);
      if (entry === undefined) continue;
      const path = join(relative, name);
      const matches = {
        include: above.include && include?.enter(path, above.include),
        exclude: above.exclude && this.#exclude?.enter(path, above.exclude),
      };
      const isExcluded = matches.exclude?.isIgnored === true;
      const isWanted = matches.include?.isIgnored !== false && !isExcluded;
      if (entry.kind !== 'directory') {
        if (isWanted) await this.#addWithParents(path, entry);
        continue;
      }
      const pending = this.#pending.length;
      if (isWanted) await this.#addWithParents(path, entry);
      else this.#pending.push([path, entry]);
      if (!isExcluded || this.#exclude?.hasExceptions === true) {
        await this.#addDirectory(from, path, include, matches);
      }
      this.#pending.length = Math.min(this.#pending.length, pending);
    }
  }

  async #addWithParents(path: string, entry: TreeEntry): Promise<void> {
    for (const [parent, directory] of this.#pending) await this.#add(parent, directory);
    this.#pending = [];
    await this.#add(path, entry);
  }

  async #add(path: string, entry: TreeEntry): Promise<void> {
    const { kind, mode, uid, gid, target = '' } = entry;
    const content = kind === 'symlink' ? target : kind === 'file' ? await this.#contentOf(entry) : '';
    this.#write(`${kind}\0${mode.toString(8)}\0${uid}\0${gid}\0${path}\0${content}`);
  }

  async #contentOf(entry: TreeEntry): Promise<string> {
    if (entry.digest !== undefined) return entry.digest();
    const hasher = this.#options.createHasher('sha256');
    if (entry.readNow !== undefined) hasher.update(entry.readNow());
    else for await (const chunk of entry.read?.() ?? []) hasher.update(chunk);
    return hasher.digestHex();
  }

  #write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= LINES_AT_ONCE) this.#flush();
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#hasher.update(this.#encoder.encode(`${this.#lines.join('\0')}\0`));
    this.#lines = [];
  }
}

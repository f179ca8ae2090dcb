/**
 * COPY onto a stage, by the rules of BuildKit: a directory's contents are copied, not itself; what is missing on the way
 * to the destination is made with mode 755; links in the sources stay links, those named as a source are followed.
 */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { type DirectoryMatches, IgnoreMatcher } from '../ignore/ignore-matcher.ts';
import { hasWildcard } from '../ignore/path-match.ts';
import { baseOf, type FileTree, join, parentOf, type TreeEntry } from '../tree/file-tree.ts';
import { resolvePath } from '../tree/resolve-path.ts';
import type { StageTree } from '../tree/stage-tree.ts';
import type { ModeChange } from './mode.ts';
import type { Owner } from './owner.ts';
import { expandSource, insidePath } from './sources.ts';

export interface CopyOptions {
  /** Given to everything that is copied or made; without it the owner stays as it is in the source. */
  readonly owner?: Owner;
  /** Given to everything that is copied. */
  readonly mode?: ModeChange;
  /** Patterns as in .dockerignore, relative to each source directory. */
  readonly exclude?: readonly string[];
  /** Keep the directories of a source, from a `/./` in it on. */
  readonly parents?: boolean;
  /** The source is an archive: what is in its way goes, and what is in it keeps its owners and modes. */
  readonly unpacks?: boolean;
}

/** A `/` or `/.` at its end says that it is a directory. */
export interface Destination {
  readonly path: string;
  readonly isDirectory: boolean;
}

const DIRECTORY_MODE = 0o755;

/** Relative to the working directory, which is absolute. */
export function destinationOf(text: string, workingDir: string): Destination {
  const path = insidePath(text.startsWith('/') ? text : `${workingDir}/${text}`);
  return { path, isDirectory: text === '' || /(?:^|\/)\.?$/.test(text) };
}

export class Copier {
  readonly #tree: StageTree;
  readonly #destination: Destination;
  readonly #options: CopyOptions;
  readonly #exclude: IgnoreMatcher | undefined;
  /** A source became the destination itself: a second one would replace it. */
  #hasTaken = false;

  constructor(tree: StageTree, destination: Destination, options: CopyOptions) {
    this.#tree = tree;
    this.#destination = destination;
    this.#options = options;
    const { exclude = [] } = options;
    this.#exclude = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude);
  }

  /** One source: a path or a pattern. Throws `not-found`, and `conflict` where a file and a directory meet. */
  async copy(from: FileTree, source: string): Promise<void> {
    if (this.#options.parents === true) return this.#copyWithParents(from, source);
    for (const path of await expandSource(from, source)) await this.#copyOne(from, path, undefined);
  }

  /** One path, whatever characters are in it. */
  copyPath(from: FileTree, path: string): Promise<void> {
    return this.#copyOne(from, path, undefined);
  }

  /** A file made here: a here-document. */
  async putFile(name: string, entry: TreeEntry): Promise<void> {
    await this.#makeDestination();
    const path = await this.#target(entry, name);
    await this.#put(path, entry);
  }

  async #copyWithParents(from: FileTree, source: string): Promise<void> {
    const pivot = source.indexOf('/./');
    const root = pivot < 0 ? '' : source.slice(0, pivot);
    const pattern = insidePath(pivot < 0 ? source : source.slice(pivot + 3));
    if (!hasWildcard(root) && !hasWildcard(pattern)) await this.#require(from, insidePath(`${root}/${pattern}`));
    const include = pattern === '' ? undefined : new IgnoreMatcher([pattern]);
    for (const path of await expandSource(from, root)) await this.#copyOne(from, path, include);
  }

  async #require(from: FileTree, path: string): Promise<TreeEntry> {
    const found = await from.lstat(await resolvePath(from, path));
    if (found !== undefined) return found;
    throw new WctrError('not-found', `${quote(`/${path}`)}: not found in ${from.what}`, {
      hint: 'sources are relative to the context; look into .dockerignore too',
    });
  }

  async #copyOne(from: FileTree, path: string, include: IgnoreMatcher | undefined): Promise<void> {
    const followed = await resolvePath(from, path);
    const entry = await this.#require(from, path);
    await this.#makeDestination();
    const target = await this.#target(entry, baseOf(path));
    if (entry.kind === 'directory') await this.#makeDirectories(target);
    const walk: Walk = { from, include, pending: [] };
    const none = { include: include?.root, exclude: this.#exclude?.root };
    await this.#copyEntry(walk, followed, '', target, entry, none);
  }

  /** Where an entry goes: into a directory that is there already, unless it is one itself. */
  async #target(entry: TreeEntry, name: string): Promise<string> {
    const path = await resolvePath(this.#tree, this.#destination.path);
    if (entry.kind === 'directory') return path;
    const there = await this.#tree.lstat(path);
    if (there?.kind === 'directory') return join(path, name);
    if (this.#hasTaken) {
      throw new WctrError('conflict', `${quote(`/${path}`)} is no directory, and more than one file would become it`, {
        hint: 'end the destination with a slash',
      });
    }
    this.#hasTaken = true;
    await this.#makeDirectories(parentOf(path));
    return path;
  }

  async #makeDestination(): Promise<void> {
    const { path, isDirectory } = this.#destination;
    await this.#makeDirectories(await resolvePath(this.#tree, isDirectory ? path : parentOf(path)));
  }

  async #makeDirectories(path: string): Promise<void> {
    const { owner = { uid: 0, gid: 0 } } = this.#options;
    await this.#tree.makeDirectories(path, { ...owner, mode: DIRECTORY_MODE });
  }

  async #copyEntry(
    walk: Walk,
    source: string,
    relative: string,
    target: string,
    entry: TreeEntry,
    above: Matches,
  ): Promise<void> {
    const matches = relative === '' ? above : this.#match(walk, relative, above);
    const isExcluded = matches.exclude?.isIgnored === true;
    const isWanted = relative === '' ? walk.include === undefined : matches.include?.isIgnored !== false && !isExcluded;
    if (entry.kind !== 'directory') {
      if (!isWanted && relative !== '') return;
      await this.#makePending(walk);
      await this.#put(target, entry);
      return;
    }
    if (relative !== '') walk.pending.push({ target, entry });
    if (isWanted) await this.#makePending(walk);
    if (!(isExcluded && !(this.#exclude?.hasExceptions ?? false))) {
      for (const name of await walk.from.list(source)) {
        const child = await walk.from.lstat(join(source, name));
        if (child === undefined) continue;
        await this.#copyEntry(walk, join(source, name), join(relative, name), join(target, name), child, matches);
      }
    }
    if (relative !== '') walk.pending = walk.pending.filter((parent) => parent.target !== target);
  }

  #match(walk: Walk, relative: string, above: Matches): Matches {
    return {
      include: walk.include && above.include && walk.include.enter(relative, above.include),
      exclude: this.#exclude && above.exclude && this.#exclude.enter(relative, above.exclude),
    };
  }

  /** Directories on the way to what is copied; none that would stay empty because of a pattern. */
  async #makePending(walk: Walk): Promise<void> {
    for (const { target, entry } of walk.pending) await this.#put(target, entry);
    walk.pending = [];
  }

  async #put(target: string, entry: TreeEntry): Promise<void> {
    const { owner, mode, unpacks = false } = this.#options;
    const isDirectory = entry.kind === 'directory';
    const there = unpacks ? undefined : await this.#tree.lstat(target);
    if (there !== undefined && (there.kind === 'directory') !== isDirectory) {
      const what = isDirectory ? 'cannot copy to non-directory' : 'cannot replace to directory with file';
      throw new WctrError('conflict', `${what}: ${quote(`/${target}`)}`, { hint: 'copy to another place' });
    }
    if (unpacks) {
      await this.#tree.put(target, entry);
      return;
    }
    await this.#tree.put(target, {
      ...entry,
      ...(owner ?? {}),
      ...(mode === undefined || entry.kind === 'symlink' ? {} : { mode: mode(entry.mode, isDirectory) }),
    });
  }
}

interface Walk {
  readonly from: FileTree;
  readonly include: IgnoreMatcher | undefined;
  pending: { readonly target: string; readonly entry: TreeEntry }[];
}

interface Matches {
  readonly include: DirectoryMatches | undefined;
  readonly exclude: DirectoryMatches | undefined;
}

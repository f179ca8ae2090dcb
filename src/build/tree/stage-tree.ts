/**
 * The file system a stage is building: the tree below it, and what its instructions put on top. Only names and attributes
 * are kept; the bytes of a file stay where they are until a layer is written.
 */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { baseOf, byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from './file-tree.ts';

interface Node {
  /** Undefined: as it is below; only something in it has changed. */
  entry: TreeEntry | undefined;
  children: Map<string, Node> | undefined;
  /** What is below this path is out of reach: something else was here meanwhile. */
  hidesBelow: boolean;
}

export interface ChangedEntry {
  readonly path: string;
  readonly entry: TreeEntry;
}

export class StageTree implements FileTree {
  readonly what: string;
  readonly #below: FileTree | undefined;
  readonly #root: Node = { entry: undefined, children: new Map(), hidesBelow: false };
  #changed = new Set<string>();

  /** Without a tree below it is empty. */
  constructor(what: string, below?: FileTree) {
    this.what = what;
    this.#below = below;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    const { node, seesBelow } = this.#find(path);
    if (node?.entry !== undefined) return node.entry;
    const below = seesBelow ? await this.#below?.lstat(path) : undefined;
    return path === '' ? (below ?? ROOT) : below;
  }

  async list(path: string): Promise<readonly string[]> {
    const { node, seesBelow } = this.#find(path);
    if (node?.entry !== undefined && node.entry.kind !== 'directory') return [];
    const below = seesBelow && this.#below !== undefined ? await this.#below.list(path) : [];
    if (node?.children === undefined || node.children.size === 0) return below;
    return [...new Set([...below, ...node.children.keys()])].sort(byBytes);
  }

  /** Puts an entry where its parent is a directory; a directory keeps what is in it. Throws `conflict`. */
  async put(path: string, entry: TreeEntry): Promise<void> {
    if (path === '') {
      this.#root.entry = entry;
      return;
    }
    const parent = parentOf(path);
    if (this.#find(parent).node?.entry?.kind !== 'directory' && (await this.lstat(parent))?.kind !== 'directory') {
      throw new WctrError('conflict', `${quote(`/${parent}`)} is not a directory`);
    }
    const children = this.#passage(parent).children as Map<string, Node>;
    const old = children.get(baseOf(path));
    const isDirectory = entry.kind === 'directory';
    children.set(baseOf(path), {
      entry,
      children: isDirectory ? (old?.children ?? new Map()) : undefined,
      hidesBelow: !isDirectory || old?.hidesBelow === true,
    });
    this.#changed.add(path);
  }

  /** Directories up to `path`, those that are missing with the given attributes. Throws `conflict`. */
  async makeDirectories(path: string, attributes: Pick<TreeEntry, 'mode' | 'uid' | 'gid'>): Promise<void> {
    if (path === '' || this.#find(path).node?.entry?.kind === 'directory') return;
    let at = '';
    for (const part of path.split('/')) {
      at = join(at, part);
      const found = await this.lstat(at);
      if (found === undefined) await this.put(at, { kind: 'directory', size: 0, ...attributes });
      else if (found.kind !== 'directory') {
        throw new WctrError(
          'conflict',
          `cannot make the directory ${quote(`/${path}`)}: ${quote(`/${at}`)} is in the way`,
        );
      }
    }
  }

  /** What was put since the last call, parents before what is in them. */
  takeChanges(): ChangedEntry[] {
    const paths = [...this.#changed].sort(byBytes);
    this.#changed = new Set();
    return paths.flatMap((path) => {
      const entry = this.#find(path).node?.entry;
      return entry === undefined ? [] : [{ path, entry }];
    });
  }

  /** What was put there, and whether the tree below can be asked. */
  #find(path: string): { node: Node | undefined; seesBelow: boolean } {
    let node = this.#root;
    let seesBelow = true;
    for (const part of path === '' ? [] : path.split('/')) {
      const child = node.children?.get(part);
      if (child === undefined) return { node: undefined, seesBelow };
      node = child;
      seesBelow &&= !node.hidesBelow;
    }
    return { node, seesBelow };
  }

  /** The node of a directory, made where only the tree below has it. */
  #passage(path: string): Node {
    let node = this.#root;
    for (const part of path === '' ? [] : path.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(part);
      if (child === undefined) {
        child = { entry: undefined, children: new Map(), hidesBelow: false };
        node.children.set(part, child);
      }
      node = child;
    }
    node.children ??= new Map();
    return node;
  }
}

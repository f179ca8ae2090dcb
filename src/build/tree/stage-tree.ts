/**
 * The file system a stage is building: the layers below it, and what its instructions put on top. Only names and
 * attributes are kept; the bytes of a file stay where they are until a layer is written.
 */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { byBytes, type FileTree, join, parentOf, ROOT, type TreeEntry } from './file-tree.ts';

interface Node {
  entry: TreeEntry;
  children: Map<string, Node> | undefined;
}

export interface ChangedEntry {
  readonly path: string;
  readonly entry: TreeEntry;
}

export class StageTree implements FileTree {
  readonly what: string;
  readonly #root: Node;
  #changed = new Set<string>();

  constructor(what: string, below?: StageTree) {
    this.what = what;
    this.#root = below === undefined ? { entry: ROOT, children: new Map() } : copyOf(below.#root);
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    return this.#find(path)?.entry;
  }

  /** The same at once. */
  entryAt(path: string): TreeEntry | undefined {
    return this.#find(path)?.entry;
  }

  async list(path: string): Promise<readonly string[]> {
    return [...(this.#find(path)?.children?.keys() ?? [])].sort(byBytes);
  }

  /** Puts an entry where its parent is a directory; a directory keeps what is in it. Throws `conflict`. */
  put(path: string, entry: TreeEntry): void {
    const parent = this.#find(parentOf(path))?.children;
    if (path === '') {
      this.#root.entry = entry;
      return;
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (parent === undefined) throw new WctrError('conflict', `${quote(`/${parentOf(path)}`)} is not a directory`);
    const children = entry.kind === 'directory' ? (parent.get(name)?.children ?? new Map()) : undefined;
    parent.set(name, { entry, children });
    this.#changed.add(path);
  }

  /** For the layers of a base image. */
  remove(path: string): void {
    this.#find(parentOf(path))?.children?.delete(path.slice(path.lastIndexOf('/') + 1));
  }

  /** Directories up to `path`, those that are missing with the given attributes. Throws `conflict`. */
  makeDirectories(path: string, attributes: Pick<TreeEntry, 'mode' | 'uid' | 'gid'>): void {
    let at = '';
    for (const part of path === '' ? [] : path.split('/')) {
      at = join(at, part);
      const found = this.#find(at);
      if (found === undefined) this.put(at, { kind: 'directory', size: 0, ...attributes });
      else if (found.children === undefined) {
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
      const entry = this.#find(path)?.entry;
      return entry === undefined ? [] : [{ path, entry }];
    });
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    if (path === '') return node;
    for (const part of path.split('/')) node = node?.children?.get(part);
    return node;
  }
}

function copyOf(node: Node): Node {
  const { entry, children } = node;
  if (children === undefined) return { entry, children: undefined };
  return { entry, children: new Map([...children].map(([name, child]) => [name, copyOf(child)])) };
}

/** Files to copy from and onto: a build context, another stage, an image. Paths have slashes; '' is the root. */

export interface TreeEntry {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file; 0 otherwise. */
  readonly size: number;
  /** Of a symlink. */
  readonly target?: string;
  /** Of a file. */
  readonly read?: () => AsyncIterable<Uint8Array>;
  /** Of a small file, where it can be had at once: all of it, lent until another one of the tree is read. */
  readonly readNow?: () => Uint8Array;
  /** Of a file, where the tree remembers it: hex of its SHA-256. */
  readonly digest?: () => Promise<string>;
}

export interface FileTree {
  /** How messages call it: `the build context`, `stage "build"`. */
  readonly what: string;
  /** Links are not followed. Undefined where there is nothing. */
  lstat(path: string): Promise<TreeEntry | undefined>;
  /** Names in a directory, sorted by their UTF-8 bytes. */
  list(path: string): Promise<readonly string[]>;
  /** Told when all digests that were wanted have been asked for: a tree that remembers them writes them down. */
  remember?(): Promise<void>;
}

export const ROOT: TreeEntry = { kind: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 };

export function join(directory: string, name: string): string {
  return directory === '' ? name : name === '' ? directory : `${directory}/${name}`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The order of the bytes of two names in UTF-8, which is the order of their code points. */
export function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Halves of a pair stand for code points above all others, but have smaller numbers than the last single units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * What a Linux file system does, in the fewest lines: Maps and arrays. The kernel is held against it. Answers are a value
 * or a negative errno; permissions are not modelled.
 */
import * as abi from '../../src/core/abi/kernel.ts';
import type { Tree } from './rootfs-builder.ts';

export interface ModelFile {
  kind: 'file';
  data: Uint8Array;
  nlink: number;
}
export interface ModelLink {
  kind: 'link';
  target: string;
  nlink: number;
}
export interface ModelDirectory {
  kind: 'dir';
  entries: Map<string, ModelInode>;
  parent: ModelDirectory;
  gone: boolean;
}
export type ModelInode = ModelFile | ModelLink | ModelDirectory;

interface Walked {
  dir: ModelDirectory;
  name: string;
  inode: ModelInode | undefined;
  slash: boolean;
  last: 'name' | 'dot' | 'dotdot' | 'root';
}

type Follow = 'keep' | 'follow' | 'entry';

export class ModelFs {
  readonly root: ModelDirectory;

  constructor(tree: Tree = {}) {
    this.root = newDirectory();
    this.root.parent = this.root;
    const byPath = new Map<string, ModelInode>();
    this.#fill(this.root, tree, '', byPath);
    this.#linkUp(this.root, tree, '', byPath);
  }

  #fill(dir: ModelDirectory, tree: Tree, path: string, byPath: Map<string, ModelInode>): void {
    for (const [name, node] of Object.entries(tree)) {
      let made: ModelInode | undefined;
      if ('dir' in node) {
        made = newDirectory(dir);
        this.#fill(made, node.dir, `${path}/${name}`, byPath);
      } else if ('file' in node) {
        const data = typeof node.file === 'string' ? new TextEncoder().encode(node.file) : node.file;
        made = { kind: 'file', data: data.slice(), nlink: 1 };
      } else if ('sparse' in node) {
        const data = new Uint8Array(node.size);
        for (const [offset, text] of node.sparse) data.set(new TextEncoder().encode(text), offset);
        made = { kind: 'file', data, nlink: 1 };
      } else if ('symlink' in node) {
        made = { kind: 'link', target: node.symlink, nlink: 1 };
      }
      if (made === undefined) continue;
      dir.entries.set(name, made);
      byPath.set(`${path}/${name}`, made);
    }
  }

  #linkUp(dir: ModelDirectory, tree: Tree, path: string, byPath: Map<string, ModelInode>): void {
    for (const [name, node] of Object.entries(tree)) {
      if ('dir' in node) this.#linkUp(dir.entries.get(name) as ModelDirectory, node.dir, `${path}/${name}`, byPath);
      if (!('hardlink' in node)) continue;
      const inode = byPath.get(node.hardlink) as ModelFile;
      inode.nlink++;
      dir.entries.set(name, inode);
    }
  }

  #walk(path: string, follow: Follow): Walked | number {
    if (path === '') return -abi.ENOENT;
    let rest = path;
    let dir = this.root;
    let links = 0;
    for (;;) {
      rest = rest.replace(/^\/+/, '');
      if (rest === '') return { dir, name: '', inode: dir, slash: true, last: 'root' };
      const size = rest.search(/\/|$/);
      const name = rest.slice(0, size);
      const after = rest.slice(size);
      const isLast = /^\/*$/.test(after);
      const slash = after !== '';
      if (name.length > abi.NAME_MAX) return -abi.ENAMETOOLONG;
      if (name === '.' || name === '..') {
        if (name === '..') dir = dir.parent;
        if (isLast) return { dir, name: '', inode: dir, slash, last: name === '.' ? 'dot' : 'dotdot' };
        rest = after;
        continue;
      }
      const inode = dir.entries.get(name);
      if (inode === undefined) {
        return isLast ? { dir, name, inode, slash, last: 'name' } : -abi.ENOENT;
      }
      if (inode.kind === 'link' && (!isLast || follow === 'follow' || (slash && follow === 'keep'))) {
        if (++links > 40) return -abi.ELOOP;
        rest = inode.target + after;
        if (rest.length >= abi.PATH_MAX) return -abi.ENAMETOOLONG;
        if (inode.target.startsWith('/')) dir = this.root;
        continue;
      }
      if (isLast) {
        if (slash && follow !== 'entry' && inode.kind !== 'dir') return -abi.ENOTDIR;
        return { dir, name, inode, slash, last: 'name' };
      }
      if (inode.kind !== 'dir') return -abi.ENOTDIR;
      dir = inode;
      rest = after;
    }
  }

  /** Opens for writing, creating when `create`; the file. */
  open(path: string, create: boolean): ModelFile | number {
    const at = this.#walk(path, 'follow');
    if (typeof at === 'number') return at;
    if (at.inode === undefined) {
      if (!create) return -abi.ENOENT;
      if (at.slash) return -abi.EISDIR;
      if (at.dir.gone) return -abi.ENOENT;
      const made: ModelFile = { kind: 'file', data: new Uint8Array(), nlink: 1 };
      at.dir.entries.set(at.name, made);
      return made;
    }
    if (at.inode.kind === 'dir') return -abi.EISDIR;
    return at.inode as ModelFile;
  }

  write(path: string, offset: number, data: Uint8Array): number {
    const file = this.open(path, true);
    if (typeof file === 'number') return file;
    const end = Math.max(file.data.length, offset + data.length);
    const next = new Uint8Array(end);
    next.set(file.data);
    next.set(data, offset);
    if (data.length > 0) file.data = next;
    return data.length;
  }

  read(path: string): Uint8Array | number {
    const at = this.#walk(path, 'follow');
    if (typeof at === 'number') return at;
    if (at.inode === undefined) return -abi.ENOENT;
    return at.inode.kind === 'dir' ? -abi.EISDIR : (at.inode as ModelFile).data;
  }

  truncate(path: string, size: number): number {
    const at = this.#walk(path, 'follow');
    if (typeof at === 'number') return at;
    if (at.inode === undefined) return -abi.ENOENT;
    if (at.inode.kind !== 'file') return -abi.EISDIR;
    const next = new Uint8Array(size);
    next.set(at.inode.data.subarray(0, size));
    at.inode.data = next;
    return 0;
  }

  mkdir(path: string): number {
    const at = this.#walk(path, 'entry');
    if (typeof at === 'number') return at;
    if (at.inode !== undefined) return -abi.EEXIST;
    at.dir.entries.set(at.name, newDirectory(at.dir));
    return 0;
  }

  symlink(target: string, path: string): number {
    if (target === '') return -abi.ENOENT;
    const at = this.#walk(path, 'entry');
    if (typeof at === 'number') return at;
    if (at.inode !== undefined) return -abi.EEXIST;
    if (at.slash) return -abi.ENOENT;
    at.dir.entries.set(at.name, { kind: 'link', target, nlink: 1 });
    return 0;
  }

  link(from: string, to: string): number {
    const source = this.#walk(from, 'keep');
    if (typeof source === 'number') return source;
    if (source.inode === undefined) return -abi.ENOENT;
    if (source.inode.kind === 'dir') return -abi.EPERM;
    const at = this.#walk(to, 'entry');
    if (typeof at === 'number') return at;
    if (at.inode !== undefined) return -abi.EEXIST;
    if (at.slash) return -abi.ENOENT;
    source.inode.nlink++;
    at.dir.entries.set(at.name, source.inode);
    return 0;
  }

  unlink(path: string): number {
    const at = this.#walk(path, 'entry');
    if (typeof at === 'number') return at;
    if (at.inode === undefined) return -abi.ENOENT;
    if (at.inode.kind === 'dir') return -abi.EISDIR;
    if (at.slash) return -abi.ENOTDIR;
    at.inode.nlink--;
    at.dir.entries.delete(at.name);
    return 0;
  }

  rmdir(path: string): number {
    const at = this.#walk(path, 'entry');
    if (typeof at === 'number') return at;
    if (at.last === 'dot') return -abi.EINVAL;
    if (at.last === 'dotdot') return -abi.ENOTEMPTY;
    if (at.last === 'root') return -abi.EBUSY;
    if (at.inode === undefined) return -abi.ENOENT;
    if (at.inode.kind !== 'dir') return -abi.ENOTDIR;
    if (at.inode.entries.size > 0) return -abi.ENOTEMPTY;
    at.inode.gone = true;
    at.dir.entries.delete(at.name);
    return 0;
  }

  rename(from: string, to: string): number {
    const source = this.#walk(from, 'entry');
    if (typeof source === 'number') return source;
    if (source.last !== 'name') return -abi.EBUSY;
    const inode = source.inode;
    if (inode === undefined) return -abi.ENOENT;
    const isDir = inode.kind === 'dir';
    if (source.slash && !isDir) return -abi.ENOTDIR;
    const at = this.#walk(to, 'entry');
    if (typeof at === 'number') return at;
    if (at.last !== 'name') return -abi.EBUSY;
    if (at.slash && !isDir) return -abi.ENOTDIR;
    const over = at.inode;
    if (over !== undefined) {
      if (over === inode) return 0;
      if (isDir && over.kind !== 'dir') return -abi.ENOTDIR;
      if (!isDir && over.kind === 'dir') return -abi.EISDIR;
    }
    if (isDir && isWithin(at.dir, inode)) return -abi.EINVAL;
    if (over?.kind === 'dir') {
      if (over.entries.size > 0) return -abi.ENOTEMPTY;
      over.gone = true;
    } else if (over !== undefined) {
      over.nlink--;
    }
    source.dir.entries.delete(source.name);
    at.dir.entries.set(at.name, inode);
    if (isDir) inode.parent = at.dir;
    return 0;
  }

  /** Everything there is, as plain data. */
  snapshot(dir: ModelDirectory = this.root): Record<string, unknown> {
    const names = [...dir.entries.keys()].sort();
    return Object.fromEntries(
      names.map((name) => {
        const inode = dir.entries.get(name)!;
        if (inode.kind === 'dir') return [name, { nlink: linksOf(inode), entries: this.snapshot(inode) }];
        if (inode.kind === 'link') return [name, { nlink: inode.nlink, target: inode.target }];
        return [name, { nlink: inode.nlink, data: Buffer.from(inode.data).toString('latin1') }];
      }),
    );
  }
}

function newDirectory(parent?: ModelDirectory): ModelDirectory {
  const made = { kind: 'dir', entries: new Map(), gone: false } as unknown as ModelDirectory;
  made.parent = parent ?? made;
  return made;
}

function linksOf(dir: ModelDirectory): number {
  return 2 + [...dir.entries.values()].filter((inode) => inode.kind === 'dir').length;
}

function isWithin(dir: ModelDirectory, top: ModelDirectory): boolean {
  for (let at = dir; ; at = at.parent) {
    if (at === top) return true;
    if (at.parent === at) return false;
  }
}

/**
 * A directory (or single file) of the host, or of a Node-fs-shaped object, as the kernel's hostfs wants it: nodes that
 * are looked up one name at a time, and open handles. Every method answers a result or throws; imports.ts turns what
 * is thrown into -errno.
 */
import * as abi from '../../core/abi/kernel.ts';
import type { SyncFileSystem, SyncStat } from '../ports.ts';
import type { Anchors, Found } from './anchors.ts';
import type { AttributeChange } from './attributes.ts';
import { HostErrno } from './errno.ts';
import { type HandleTable, LocalHandles } from './handles.ts';
import { LocalNodes, type MountNode, type NodeTable } from './nodes.ts';

const NS_PER_SECOND = 1e9;

export interface DirectoryEntry {
  readonly cookie: number;
  readonly name: string;
  readonly stat: SyncStat;
}

/** Order in which a directory's names were first seen: a cookie stays good while names come and go. */
interface Listing {
  readonly ordinals: Map<string, number>;
  next: number;
  present: string[];
}

export interface ShownOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface HostDirectoryOptions {
  readonly readonly?: boolean;
  /** Whom all of it belongs to, as guests see it. Default: as the host has it. */
  readonly shownOwner?: ShownOwner;
  /** Default: one for this thread alone. */
  readonly nodes?: NodeTable;
  /** Default: one for this thread alone. */
  readonly handles?: HandleTable;
  /** The source's node in `nodes`, where another thread has opened it. */
  readonly rootNode?: number;
}

export class HostDirectory {
  readonly rootNode: number;
  readonly isFile: boolean;
  readonly shownOwner: ShownOwner | undefined;
  readonly #fs: SyncFileSystem;
  readonly #anchors: Anchors;
  readonly #readonly: boolean;
  readonly #nodes: NodeTable;
  readonly #listings = new Map<number, Listing>();
  readonly #handles: HandleTable;
  readonly #owner: boolean;

  /** Throws the host's own error when the source is not there. */
  constructor(fs: SyncFileSystem, anchors: Anchors, source: string, options: HostDirectoryOptions = {}) {
    this.#fs = fs;
    this.#anchors = anchors;
    this.#readonly = options.readonly ?? false;
    this.shownOwner = options.shownOwner;
    this.#nodes = options.nodes ?? new LocalNodes();
    this.#handles = options.handles ?? new LocalHandles(fs);
    this.#owner = options.rootNode === undefined;
    if (options.rootNode !== undefined) anchors.adopt(source);
    const root =
      options.rootNode === undefined ? this.#adopt(undefined, '', anchors.root(source)) : this.#node(options.rootNode);
    this.rootNode = root.id;
    this.isFile = root.type === abi.S_IFREG;
  }

  lookup(dir: number, name: string): { node: number; stat: SyncStat } {
    return this.#known(this.#directory(this.#node(dir)), name, (parent) => this.#anchors.find(parent, checkName(name)));
  }

  forget(id: number, count: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined || node.parent === undefined) return;
    node.references -= count;
    if (node.references <= 0) this.#drop(node);
  }

  stat(id: number): SyncStat {
    return this.#anchors.stat(this.#node(id));
  }

  change(id: number, change: AttributeChange): SyncStat {
    const node = this.#writable(id);
    const before = this.#anchors.stat(node);
    // Owners of host files are the host's business; saying what already is so is no change.
    const { owner } = change;
    const { uid, gid } = this.shownOwner ?? before;
    if (owner !== undefined && !(sameId(owner.uid, uid) && sameId(owner.gid, gid))) {
      throw new HostErrno(abi.EPERM);
    }
    if (change.size !== undefined) this.#truncate(node, change.size);
    if (change.mode !== undefined) {
      if (node.type === abi.S_IFLNK || this.#fs.chmodSync === undefined) throw new HostErrno(abi.EOPNOTSUPP);
      this.#fs.chmodSync(this.#anchors.self(node), change.mode & 0o777);
    }
    if (change.atimeNs !== undefined || change.mtimeNs !== undefined) {
      const atime = Number(change.atimeNs ?? before.atimeNs) / NS_PER_SECOND;
      const mtime = Number(change.mtimeNs ?? before.mtimeNs) / NS_PER_SECOND;
      if (node.type === abi.S_IFLNK) {
        if (this.#fs.lutimesSync === undefined) throw new HostErrno(abi.EOPNOTSUPP);
        this.#fs.lutimesSync(this.#path(node), atime, mtime);
      } else {
        this.#fs.utimesSync(this.#anchors.self(node), atime, mtime);
      }
    }
    return this.#anchors.stat(node);
  }

  readlink(id: number): string {
    return this.#fs.readlinkSync(this.#path(this.#node(id)));
  }

  create(dir: number, name: string, mode: number): { node: number; stat: SyncStat } {
    return this.#known(this.#directory(this.#writable(dir)), name, (parent) => {
      const flags = abi.O_CREAT | abi.O_EXCL | abi.O_RDWR | abi.O_NOFOLLOW | abi.O_CLOEXEC;
      this.#fs.closeSync(this.#fs.openSync(this.#anchors.child(parent, checkName(name)), flags, mode & 0o777));
      return this.#anchors.find(parent, name);
    });
  }

  mkdir(dir: number, name: string, mode: number): { node: number; stat: SyncStat } {
    return this.#known(this.#directory(this.#writable(dir)), name, (parent) => {
      this.#fs.mkdirSync(this.#anchors.child(parent, checkName(name)), { mode: mode & 0o777 });
      return this.#anchors.find(parent, name);
    });
  }

  symlink(dir: number, name: string, target: string): { node: number; stat: SyncStat } {
    return this.#known(this.#directory(this.#writable(dir)), name, (parent) => {
      this.#fs.symlinkSync(target, this.#anchors.child(parent, checkName(name)));
      return this.#anchors.find(parent, name);
    });
  }

  link(id: number, dir: number, name: string): SyncStat {
    const node = this.#node(id);
    const parent = this.#directory(this.#writable(dir));
    const target = this.#anchors.child(parent, checkName(name));
    this.#fs.linkSync(this.#path(node), target);
    const made = this.#fs.lstatSync(target, { bigint: true });
    if (made.ino !== node.ino) {
      // Another file was moved under the old name meanwhile.
      this.#fs.unlinkSync(target);
      throw new HostErrno(abi.ENOENT);
    }
    return made;
  }

  unlink(dir: number, name: string): void {
    this.#fs.unlinkSync(this.#anchors.child(this.#directory(this.#writable(dir)), checkName(name)));
    this.#nodes.unname(dir, name);
  }

  rmdir(dir: number, name: string): void {
    this.#fs.rmdirSync(this.#anchors.child(this.#directory(this.#writable(dir)), checkName(name)));
    this.#nodes.unname(dir, name);
  }

  rename(dirA: number, nameA: string, dirB: number, nameB: string): void {
    const from = this.#anchors.child(this.#directory(this.#writable(dirA)), checkName(nameA));
    const to = this.#anchors.child(this.#directory(this.#writable(dirB)), checkName(nameB));
    this.#fs.renameSync(from, to);
    const moved = this.#nodes.named(dirA, nameA);
    this.#nodes.unname(dirA, nameA);
    this.#nodes.unname(dirB, nameB);
    if (moved === undefined) return;
    const parent = this.#node(dirB);
    parent.references++;
    this.forget(dirA, 1);
    this.#nodes.rename(moved, parent, nameB);
  }

  /** Regular files only: a fifo would block the guest's thread, a device or socket would reach the host. */
  open(id: number, flags: number): number {
    const writes = (flags & abi.O_ACCMODE) !== abi.O_RDONLY || (flags & abi.O_TRUNC) !== 0;
    const node = writes ? this.#writable(id) : this.#node(id);
    return this.#openRegular(node, flags & (abi.O_ACCMODE | abi.O_TRUNC | abi.O_APPEND));
  }

  release(handle: number): void {
    this.#handles.remove(handle);
  }

  read(handle: number, target: Uint8Array, position: number): number {
    return this.#fs.readSync(this.#handles.get(handle), target, 0, target.length, position);
  }

  /** `position` null: where the handle's O_APPEND puts it. */
  write(handle: number, source: Uint8Array, position: number | null): number {
    return this.#fs.writeSync(this.#handles.get(handle), source, 0, source.length, position);
  }

  sync(handle: number): void {
    this.#fs.fsyncSync(this.#handles.get(handle));
  }

  /** Entries after `cookie` (0: from the start, with the names as they are now), without "." and "..". */
  *entries(id: number, cookie: number): Generator<DirectoryEntry> {
    const node = this.#directory(this.#node(id));
    const listing = this.#listing(node, cookie === 0);
    for (const name of listing.present) {
      const ordinal = listing.ordinals.get(name)!;
      if (ordinal <= cookie) continue;
      try {
        yield {
          cookie: ordinal,
          name,
          stat: this.#fs.lstatSync(this.#anchors.child(node, name), { bigint: true }),
        };
      } catch {
        // Gone since the names were read.
      }
    }
  }

  /** Gives back every descriptor of the host. */
  close(): void {
    this.#handles.close();
    if (!this.#owner) return;
    for (const node of [...this.#nodes.all()]) {
      this.#anchors.release(node);
      this.#nodes.remove(node);
    }
    this.#anchors.close();
  }

  #node(id: number): MountNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new HostErrno(abi.ENOENT);
    return node;
  }

  #writable(id: number): MountNode {
    if (this.#readonly) throw new HostErrno(abi.EROFS);
    return this.#node(id);
  }

  /** What lies under a link's path is not under the link: only directories have children. */
  #directory(node: MountNode): MountNode {
    if (node.type !== abi.S_IFDIR) throw new HostErrno(abi.ENOTDIR);
    return node;
  }

  /** A path whose last component is the node's name: for the calls that read or move the name itself. */
  #path(node: MountNode): string {
    return node.parent === undefined ? this.#anchors.self(node) : this.#anchors.child(node.parent, node.name);
  }

  #openRegular(node: MountNode, flags: number): number {
    if (node.type !== abi.S_IFREG) throw new HostErrno(node.type === abi.S_IFDIR ? abi.EISDIR : abi.EACCES);
    const fd = this.#fs.openSync(this.#anchors.self(node), flags | abi.O_CLOEXEC);
    const stat = this.#fs.fstatSync(fd, { bigint: true });
    if (stat.ino !== node.ino || stat.dev !== node.dev || (Number(stat.mode) & abi.S_IFMT) !== abi.S_IFREG) {
      this.#fs.closeSync(fd);
      throw new HostErrno(abi.ENOENT);
    }
    return this.#handles.add(fd, stat, flags);
  }

  #truncate(node: MountNode, size: number): void {
    const handle = this.#openRegular(node, abi.O_WRONLY);
    try {
      this.#fs.ftruncateSync(handle, size);
    } finally {
      this.release(handle);
    }
  }

  #known(parent: MountNode, name: string, find: (parent: MountNode) => Found): { node: number; stat: SyncStat } {
    const found = find(parent);
    const known = this.#nodes.named(parent.id, name);
    if (known !== undefined && known.ino === found.stat.ino && known.dev === found.stat.dev) {
      this.#anchors.keep(known, found);
      known.references++;
      return { node: known.id, stat: found.stat };
    }
    return { node: this.#adopt(parent, name, found).id, stat: found.stat };
  }

  #adopt(parent: MountNode | undefined, name: string, found: Found): MountNode {
    const { stat } = found;
    let node: MountNode;
    try {
      node = this.#nodes.add(parent, name, Number(stat.mode) & abi.S_IFMT, stat);
    } catch (error) {
      if (found.pin !== undefined) this.#fs.closeSync(found.pin);
      throw error;
    }
    this.#anchors.keep(node, found);
    // A child's path goes through its parent's: the parent lives as long.
    if (parent !== undefined) parent.references++;
    return node;
  }

  #drop(node: MountNode): void {
    const { parent } = node;
    this.#listings.delete(node.id);
    this.#anchors.release(node);
    this.#nodes.remove(node);
    if (parent !== undefined) this.forget(parent.id, 1);
  }

  #listing(node: MountNode, refresh: boolean): Listing {
    let listing = this.#listings.get(node.id);
    if (listing === undefined) {
      listing = { ordinals: new Map(), next: 1, present: [] };
      this.#listings.set(node.id, listing);
      refresh = true;
    }
    if (refresh) {
      // A name that is not UTF-8 came back with U+FFFD in it and could not be looked up again.
      listing.present = this.#fs.readdirSync(this.#anchors.self(node)).filter((name) => !name.includes('\ufffd'));
      for (const name of listing.present) {
        if (!listing.ordinals.has(name)) listing.ordinals.set(name, listing.next++);
      }
      const { ordinals } = listing;
      listing.present.sort((a, b) => ordinals.get(a)! - ordinals.get(b)!);
    }
    return listing;
  }
}

function sameId(wanted: number, have: bigint | number): boolean {
  return wanted === 0xffffffff || BigInt(wanted) === BigInt(have);
}

/** The kernel hands over single names; anything else would be a path. */
function checkName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new HostErrno(abi.EINVAL);
  }
  return name;
}

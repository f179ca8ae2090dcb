/**
 * How a mount names a file to its host so that nobody can swap a symlink into the way. A guest's own symlinks never
 * reach the host (the kernel resolves them inside the container); what is guarded here is a race with other programs of
 * the host that rename and link inside a mounted directory, and symlinks that lie there already.
 */
import * as abi from '../../core/abi/kernel.ts';
import type { SyncFileSystem, SyncStat } from '../ports.ts';
import { HostErrno } from './errno.ts';
import type { MountNode } from './nodes.ts';

/** A node as a lookup found it. `pin` belongs to the caller. */
export interface Found {
  readonly stat: SyncStat;
  readonly pin?: number;
}

export interface Anchors {
  /** Opens the mount's source. Throws the host's own error. */
  root(source: string): Found;
  /** As `root`, for a source that another thread has opened and whose node is shared. */
  adopt(source: string): void;
  find(parent: MountNode, name: string): Found;
  /** Path of `name` in a directory, safe for host calls that do not follow a symlink in the last component. */
  child(parent: MountNode, name: string): string;
  /** Path that means exactly this node, whatever lies under its name by now. Not for symlinks. */
  self(node: MountNode): string;
  stat(node: MountNode): SyncStat;
  /** Takes over what the lookup of this node holds. */
  keep(node: MountNode, found: Found): void;
  release(node: MountNode): void;
  /** Gives back what is held for nodes that another thread gave back. */
  close(): void;
}

const PIN_FLAGS = abi.O_PATH | abi.O_NOFOLLOW | abi.O_CLOEXEC;
/** Descriptors a mount keeps open for its nodes; older ones are reopened on demand. */
const MOST_PINS = 512;

/** Where the descriptor of a node is kept. */
interface Pins {
  get(node: MountNode): number | undefined;
  /** It was pinned for another node that had the number before. */
  stale(node: MountNode): boolean;
  set(node: MountNode, pin: number | undefined): void;
}

/** With the node: where threads share the table, they share the descriptors too. */
const nodePins: Pins = {
  get: (node) => node.pin,
  stale: () => false,
  set: (node, pin) => {
    node.pin = pin;
  },
};

/** Of this thread alone, which is not told when another one gives a node back: its number may be a new node's by then. */
class ThreadPins implements Pins {
  readonly #pins = new Map<number, { readonly pin: number; readonly ino: bigint }>();

  get(node: MountNode): number | undefined {
    return this.#pins.get(node.id)?.pin;
  }

  stale(node: MountNode): boolean {
    const own = this.#pins.get(node.id);
    return own !== undefined && own.ino !== node.ino;
  }

  set(node: MountNode, pin: number | undefined): void {
    if (pin === undefined) this.#pins.delete(node.id);
    else this.#pins.set(node.id, { pin, ino: node.ino });
  }
}

/**
 * Linux: every node is held by an O_PATH descriptor and reached as `/proc/self/fd/N`, which is openat(2) by another
 * name. One component per step, never followed, so there is no path that a rename could bend.
 */
export class PinnedAnchors implements Anchors {
  readonly #fs: SyncFileSystem;
  readonly #pins: Pins;
  /** Least recently pinned first. The root is not among them: it stays. */
  readonly #pinned = new Map<number, MountNode>();
  #rootSource = '';

  /** @param threadsOwn descriptors belong to the thread that opened them (Deno), not to the process. */
  constructor(fs: SyncFileSystem, { threadsOwn = false }: { readonly threadsOwn?: boolean } = {}) {
    this.#fs = fs;
    this.#pins = threadsOwn ? new ThreadPins() : nodePins;
  }

  root(source: string): Found {
    this.#rootSource = source;
    // The user named the source: symlinks on the way to it are theirs.
    return this.#open(source, abi.O_PATH | abi.O_CLOEXEC);
  }

  adopt(source: string): void {
    this.#rootSource = source;
  }

  find(parent: MountNode, name: string): Found {
    return this.#open(this.child(parent, name), PIN_FLAGS);
  }

  child(parent: MountNode, name: string): string {
    return `${this.self(parent)}/${name}`;
  }

  self(node: MountNode): string {
    return `/proc/self/fd/${this.#pin(node)}`;
  }

  stat(node: MountNode): SyncStat {
    return this.#fs.fstatSync(this.#pin(node), { bigint: true });
  }

  keep(node: MountNode, found: Found): void {
    const before = this.#pins.get(node);
    if (before !== undefined) this.#fs.closeSync(before);
    this.#pins.set(node, found.pin);
    this.#pin(node);
  }

  release(node: MountNode): void {
    this.#pinned.delete(node.id);
    const pin = this.#pins.get(node);
    if (pin !== undefined) this.#fs.closeSync(pin);
    this.#pins.set(node, undefined);
  }

  close(): void {
    for (const node of [...this.#pinned.values()]) this.release(node);
  }

  #open(path: string, flags: number): Found {
    const pin = this.#fs.openSync(path, flags);
    return { pin, stat: this.#fs.fstatSync(pin, { bigint: true }) };
  }

  #pin(node: MountNode): number {
    if (this.#pins.stale(node)) this.release(node);
    let pin = this.#pins.get(node);
    if (pin === undefined) {
      const found = node.parent === undefined ? this.root(this.#rootSource) : this.find(node.parent, node.name);
      pin = found.pin!;
      if (found.stat.ino !== node.ino || found.stat.dev !== node.dev) {
        this.#fs.closeSync(pin);
        throw new HostErrno(abi.ENOENT);
      }
      this.#pins.set(node, pin);
    }
    if (node.parent === undefined) return pin;
    this.#pinned.delete(node.id);
    this.#pinned.set(node.id, node);
    if (this.#pinned.size > MOST_PINS) this.#unpinOldest(node);
    return pin;
  }

  #unpinOldest(except: MountNode): void {
    for (const node of this.#pinned.values()) {
      if (node.id === except.id) continue;
      this.release(node);
      return;
    }
  }
}

/**
 * Everywhere else (memfs, macOS, Windows): plain paths. Every step down is checked with lstat, and where the host has
 * real paths the directory's is compared before and after, so that a link that lies in the way is refused. Against a
 * program that swaps links at the right microsecond only PinnedAnchors hold.
 */
export class PathAnchors implements Anchors {
  readonly #fs: SyncFileSystem;
  #rootPath = '';

  constructor(fs: SyncFileSystem) {
    this.#fs = fs;
  }

  root(source: string): Found {
    this.#rootPath = source.length > 1 ? source.replace(/\/+$/, '') : source;
    return { stat: this.#fs.lstatSync(source, { bigint: true }) };
  }

  adopt(source: string): void {
    this.#rootPath = source.length > 1 ? source.replace(/\/+$/, '') : source;
  }

  find(parent: MountNode, name: string): Found {
    return { stat: this.#fs.lstatSync(this.child(parent, name), { bigint: true }) };
  }

  child(parent: MountNode, name: string): string {
    return `${this.self(parent) === '/' ? '' : this.self(parent)}/${name}`;
  }

  self(node: MountNode): string {
    this.stat(node);
    return this.#path(node);
  }

  /** Also proves that node and every directory above it are still the ones that were looked up. */
  stat(node: MountNode): SyncStat {
    if (node.parent !== undefined) this.stat(node.parent);
    const stat = this.#fs.lstatSync(this.#path(node), { bigint: true });
    if (stat.ino !== node.ino || (Number(stat.mode) & abi.S_IFMT) !== node.type) throw new HostErrno(abi.ENOENT);
    return stat;
  }

  keep(): void {}

  release(): void {}

  close(): void {}

  #path(node: MountNode): string {
    if (node.parent === undefined) return this.#rootPath;
    const parent = this.#path(node.parent);
    return `${parent === '/' ? '' : parent}/${node.name}`;
  }
}

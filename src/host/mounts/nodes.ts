/** The nodes of one mount: what the kernel has looked up and not given back, by number and by name. */
import type { SyncStat } from '../ports.ts';

/** One name the kernel has looked up. `parent` is undefined for the root of the mount. */
export interface MountNode {
  readonly id: number;
  readonly parent: MountNode | undefined;
  readonly name: string;
  /** Lookups the kernel has not given back. */
  references: number;
  readonly type: number;
  readonly dev: bigint;
  readonly ino: bigint;
  /** O_PATH descriptor, where anchors pin nodes. */
  pin?: number | undefined;
}

/** Calls happen one at a time: under the kernel's lock where several threads share a table. */
export interface NodeTable {
  get(id: number): MountNode | undefined;
  named(dir: number, name: string): MountNode | undefined;
  /** With one reference, under its name. Throws ENFILE when there is no room. */
  add(parent: MountNode | undefined, name: string, type: number, stat: Pick<SyncStat, 'dev' | 'ino'>): MountNode;
  /** The name means nothing from now on; the node stays. */
  unname(dir: number, name: string): void;
  rename(node: MountNode, parent: MountNode, name: string): void;
  remove(node: MountNode): void;
  all(): Iterable<MountNode>;
  /** Room for the handles of threads that share the table. */
  readonly handles?: DataView;
}

interface LocalNode {
  readonly id: number;
  parent: MountNode | undefined;
  name: string;
  references: number;
  readonly type: number;
  readonly dev: bigint;
  readonly ino: bigint;
  pin?: number | undefined;
}

/** For one thread. */
export class LocalNodes implements NodeTable {
  readonly #nodes = new Map<number, LocalNode>();
  readonly #byName = new Map<string, LocalNode>();
  #nextId = 1;

  get(id: number): MountNode | undefined {
    return this.#nodes.get(id);
  }

  named(dir: number, name: string): MountNode | undefined {
    return this.#byName.get(key(dir, name));
  }

  add(parent: MountNode | undefined, name: string, type: number, stat: Pick<SyncStat, 'dev' | 'ino'>): MountNode {
    const node: LocalNode = {
      id: this.#nextId++,
      parent,
      name,
      references: 1,
      type,
      dev: stat.dev,
      ino: stat.ino,
    };
    this.#nodes.set(node.id, node);
    if (parent !== undefined) this.#byName.set(key(parent.id, name), node);
    return node;
  }

  unname(dir: number, name: string): void {
    this.#byName.delete(key(dir, name));
  }

  rename(node: MountNode, parent: MountNode, name: string): void {
    const local = node as LocalNode;
    local.parent = parent;
    local.name = name;
    this.#byName.set(key(parent.id, name), local);
  }

  remove(node: MountNode): void {
    this.#nodes.delete(node.id);
    if (node.parent === undefined) return;
    const name = key(node.parent.id, node.name);
    if (this.#byName.get(name) === node) this.#byName.delete(name);
  }

  all(): Iterable<MountNode> {
    return this.#nodes.values();
  }
}

function key(dir: number, name: string): string {
  return `${dir}/${name}`;
}

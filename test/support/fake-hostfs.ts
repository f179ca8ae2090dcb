/** The least a host can be behind the kernel's hostfs imports: a tree of nodes in Maps that counts its references. */
import * as abi from '../../src/core/abi/kernel.ts';

interface HostNode {
  id: number;
  mode: number;
  data: Uint8Array;
  target: string;
  entries: Map<string, HostNode>;
  lookups: number;
}

export class FakeHostfs {
  readonly nodes: HostNode[] = [];
  readonly handles = new Map<number, HostNode>();
  readonly root: HostNode;
  memory: WebAssembly.Memory | undefined;
  #nextHandle = 1;

  constructor() {
    this.root = this.add(abi.S_IFDIR | 0o755);
  }

  add(mode: number, dir?: HostNode, name = '', content = ''): HostNode {
    const data = new TextEncoder().encode(content);
    const node = { id: this.nodes.length + 1, mode, data, target: content, entries: new Map(), lookups: 0 };
    this.nodes.push(node);
    dir?.entries.set(name, node);
    return node;
  }

  /** References the kernel holds. */
  get held(): number {
    return this.nodes.reduce((sum, node) => sum + node.lookups, 0);
  }

  get calls(): Record<string, (...values: number[]) => number> {
    const name = (at: number, length: number) =>
      new TextDecoder().decode(new Uint8Array(this.memory!.buffer, at, length).slice());
    const node = (id: number) => this.nodes[id - 1]!;
    const give = (found: HostNode, attr: number) => {
      found.lookups++;
      this.attributes(found, attr);
      return found.id;
    };
    const make = (mode: number, dir: number, text: string, attr: number, content = '') => {
      if (node(dir).entries.has(text)) return -abi.EEXIST;
      return give(this.add(mode, node(dir), text, content), attr);
    };
    return {
      hostfs_lookup: (_, dir, at, length, attr) => {
        const found = node(dir!).entries.get(name(at!, length!));
        return found === undefined ? -abi.ENOENT : give(found, attr!);
      },
      hostfs_forget: (_, id, count) => {
        node(id!).lookups -= count!;
        return 0;
      },
      hostfs_getattr: (_, id, attr) => this.attributes(node(id!), attr!),
      hostfs_setattr: (_, id, valid, attr) => {
        const view = new DataView(this.memory!.buffer);
        const target = node(id!);
        if (valid! & abi.SET_MODE)
          target.mode = (target.mode & abi.S_IFMT) | view.getUint32(attr! + abi.ATTR_MODE, true);
        if (valid! & abi.SET_SIZE) {
          const data = new Uint8Array(view.getUint32(attr! + abi.ATTR_SIZE, true));
          data.set(target.data.subarray(0, data.length));
          target.data = data;
        }
        return 0;
      },
      hostfs_readlink: (_, id, at, capacity) => {
        const bytes = new TextEncoder().encode(node(id!).target).subarray(0, capacity);
        new Uint8Array(this.memory!.buffer).set(bytes, at);
        return bytes.length;
      },
      hostfs_create: (_, dir, at, length, mode, attr) => make(abi.S_IFREG | mode!, dir!, name(at!, length!), attr!),
      hostfs_mkdir: (_, dir, at, length, mode, attr) => make(abi.S_IFDIR | mode!, dir!, name(at!, length!), attr!),
      hostfs_symlink: (_, dir, at, length, target, targetLength, attr) =>
        make(abi.S_IFLNK | 0o777, dir!, name(at!, length!), attr!, name(target!, targetLength!)),
      hostfs_link: (_, id, dir, at, length) => {
        node(dir!).entries.set(name(at!, length!), node(id!));
        return 0;
      },
      hostfs_unlink: (_, dir, at, length) => (node(dir!).entries.delete(name(at!, length!)) ? 0 : -abi.ENOENT),
      hostfs_rmdir: (_, dir, at, length) => (node(dir!).entries.delete(name(at!, length!)) ? 0 : -abi.ENOENT),
      hostfs_rename: (_, dirA, atA, lengthA, dirB, atB, lengthB) => {
        const from = name(atA!, lengthA!);
        const moved = node(dirA!).entries.get(from);
        if (moved === undefined) return -abi.ENOENT;
        node(dirA!).entries.delete(from);
        node(dirB!).entries.set(name(atB!, lengthB!), moved);
        return 0;
      },
      hostfs_open: (_, id, flags) => {
        if (flags! & abi.O_TRUNC) node(id!).data = new Uint8Array();
        this.handles.set(this.#nextHandle, node(id!));
        return this.#nextHandle++;
      },
      hostfs_release: (_, handle) => (this.handles.delete(handle!) ? 0 : -abi.EBADF),
      hostfs_fsync: () => 0,
      hostfs_readdir: (_, id, cookie, _hi, at, capacity) => {
        const view = new DataView(this.memory!.buffer);
        let used = 0;
        for (const [i, [text, entry]] of [...node(id!).entries].entries()) {
          const bytes = new TextEncoder().encode(text);
          const length = (abi.DIRENT_NAME + bytes.length + 7) & ~7;
          if (i < cookie!) continue;
          if (used + length > capacity!) break;
          view.setBigUint64(at! + used + abi.DIRENT_NEXT, BigInt(i + 1), true);
          view.setBigUint64(at! + used + abi.DIRENT_INO, BigInt(entry.id), true);
          view.setUint32(at! + used + abi.DIRENT_NAME_LENGTH, bytes.length, true);
          view.setUint32(at! + used + abi.DIRENT_TYPE, entry.mode >> 12, true);
          new Uint8Array(this.memory!.buffer).set(bytes, at! + used + abi.DIRENT_NAME);
          used += length;
        }
        return used;
      },
      hostfs_statfs: () => 0,
    };
  }

  attributes(node: HostNode, at: number): number {
    const view = new DataView(this.memory!.buffer);
    new Uint8Array(this.memory!.buffer).fill(0, at, at + abi.ATTR_BYTES);
    view.setBigUint64(at + abi.ATTR_INO, BigInt(node.id), true);
    view.setUint32(at + abi.ATTR_MODE, node.mode, true);
    view.setUint32(at + abi.ATTR_NLINK, 1, true);
    view.setBigUint64(at + abi.ATTR_SIZE, BigInt(node.data.length), true);
    return 0;
  }
}

/**
 * The nodes of a container's mounts where several threads call the host: one table in shared memory, changed under the
 * kernel's lock only, since every hostfs import runs with it held. Where descriptors belong to the process, a pin made
 * by one thread serves the others.
 *
 * ```
 * u32 slots in use at most | u32 first free slot | u32[BUCKETS] first slot of a hash, by mount, directory and name
 * slot, 304 bytes:
 *   0 u32 id (0: free; generation << 16 | slot)   4 u32 parent's id (0: a root)   8 i32 references   12 u32 type
 *  16 u64 dev   24 u64 ino   32 i32 pin + 1   36 u32 next slot of the hash, or of the free ones
 *  40 u32 mount   44 u16 bytes of the name   46 u16 1: found by its name   48 name
 * after the last slot: the handles, see handles.ts
 * ```
 */
import { ENAMETOOLONG, ENFILE } from '../../core/abi/kernel.ts';
import type { SyncStat } from '../ports.ts';
import { HostErrno } from './errno.ts';
import { HANDLES_BYTES } from './handles.ts';
import type { MountNode, NodeTable } from './nodes.ts';

/** Slot 0 stays unused. What a container may have open, and the directories on the way there. */
const SLOTS = 0x10000;
const BUCKETS = 1024;
const USED = 0;
const FREE = 4;
const TABLE = 8;
const FIRST = TABLE + BUCKETS * 4;
const SLOT_BYTES = 304;
const PARENT = 4;
const REFERENCES = 8;
const TYPE = 12;
const DEV = 16;
const INO = 24;
const PIN = 32;
const NEXT = 36;
const MOUNT = 40;
const NAME_LENGTH = 44;
const NAMED = 46;
const NAME = 48;
const NAME_BYTES = SLOT_BYTES - NAME;
const GENERATIONS = 0x4000;
const HANDLES = FIRST + SLOTS * SLOT_BYTES;

/** Touched pages count only. */
export function createSharedNodes(): SharedArrayBuffer {
  return new SharedArrayBuffer(HANDLES + HANDLES_BYTES);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SharedNodes implements NodeTable {
  readonly handles: DataView;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #mount: number;

  constructor(buffer: SharedArrayBuffer, mount: number) {
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.handles = new DataView(buffer, HANDLES, HANDLES_BYTES);
    this.#mount = mount;
  }

  get(id: number): MountNode | undefined {
    const at = slotAt(id & 0xffff);
    if (id === 0 || this.#u32(at) !== id || this.#u32(at + MOUNT) !== this.#mount) return undefined;
    return new SharedNode(this.#view, this.#bytes, id, this);
  }

  named(dir: number, name: string): MountNode | undefined {
    const slot = this.#find(dir, encoder.encode(name));
    return slot === 0 ? undefined : this.get(this.#u32(slotAt(slot)));
  }

  add(parent: MountNode | undefined, name: string, type: number, stat: Pick<SyncStat, 'dev' | 'ino'>): MountNode {
    const bytes = encoder.encode(name);
    if (bytes.length > NAME_BYTES) throw new HostErrno(ENAMETOOLONG);
    const slot = this.#take();
    const at = slotAt(slot);
    const generation = (this.#u32(at + TYPE) + 1) % GENERATIONS;
    const id = (generation << 16) | slot;
    const view = this.#view;
    view.setUint32(at, id, true);
    view.setUint32(at + PARENT, parent?.id ?? 0, true);
    view.setInt32(at + REFERENCES, 1, true);
    view.setUint32(at + TYPE, type, true);
    view.setBigUint64(at + DEV, BigInt.asUintN(64, stat.dev), true);
    view.setBigUint64(at + INO, BigInt.asUintN(64, stat.ino), true);
    view.setInt32(at + PIN, 0, true);
    view.setUint32(at + MOUNT, this.#mount, true);
    if (parent === undefined) view.setUint16(at + NAME_LENGTH, 0, true);
    else this.#name(slot, parent.id, bytes);
    return this.get(id)!;
  }

  unname(dir: number, name: string): void {
    const slot = this.#find(dir, encoder.encode(name));
    if (slot !== 0) this.#unlink(slot);
  }

  rename(node: MountNode, parent: MountNode, name: string): void {
    const bytes = encoder.encode(name);
    if (bytes.length > NAME_BYTES) throw new HostErrno(ENAMETOOLONG);
    const slot = node.id & 0xffff;
    this.#unlink(slot);
    this.#view.setUint32(slotAt(slot) + PARENT, parent.id, true);
    this.#name(slot, parent.id, bytes);
  }

  remove(node: MountNode): void {
    if (this.get(node.id) === undefined) return;
    const slot = node.id & 0xffff;
    const at = slotAt(slot);
    this.#unlink(slot);
    const view = this.#view;
    view.setUint32(at, 0, true);
    // The generation waits here for the slot's next node.
    view.setUint32(at + TYPE, node.id >>> 16, true);
    view.setUint32(at + NEXT, this.#u32(FREE), true);
    view.setUint32(FREE, slot, true);
  }

  *all(): Iterable<MountNode> {
    for (let slot = 1; slot <= this.#u32(USED); slot++) {
      const node = this.get(this.#u32(slotAt(slot)));
      if (node !== undefined) yield node;
    }
  }

  #take(): number {
    const free = this.#u32(FREE);
    if (free !== 0) {
      this.#view.setUint32(FREE, this.#u32(slotAt(free) + NEXT), true);
      return free;
    }
    const slot = this.#u32(USED) + 1;
    if (slot >= SLOTS) throw new HostErrno(ENFILE);
    this.#view.setUint32(USED, slot, true);
    return slot;
  }

  #name(slot: number, dir: number, bytes: Uint8Array): void {
    const at = slotAt(slot);
    const old = this.#find(dir, bytes);
    if (old !== 0) this.#unlink(old);
    this.#bytes.set(bytes, at + NAME);
    this.#view.setUint16(at + NAME_LENGTH, bytes.length, true);
    this.#view.setUint16(at + NAMED, 1, true);
    const bucket = bucketAt(this.#mount, dir, bytes);
    this.#view.setUint32(at + NEXT, this.#u32(bucket), true);
    this.#view.setUint32(bucket, slot, true);
  }

  #find(dir: number, bytes: Uint8Array): number {
    let slot = this.#u32(bucketAt(this.#mount, dir, bytes));
    for (; slot !== 0; slot = this.#u32(slotAt(slot) + NEXT)) {
      const at = slotAt(slot);
      if (this.#u32(at + PARENT) !== dir || this.#u32(at + MOUNT) !== this.#mount) continue;
      if (this.#view.getUint16(at + NAME_LENGTH, true) !== bytes.length) continue;
      if (bytes.every((byte, i) => this.#bytes[at + NAME + i] === byte)) return slot;
    }
    return 0;
  }

  /** Takes it out of its hash's list. */
  #unlink(slot: number): void {
    const at = slotAt(slot);
    if (this.#view.getUint16(at + NAMED, true) === 0) return;
    const length = this.#view.getUint16(at + NAME_LENGTH, true);
    const name = this.#bytes.subarray(at + NAME, at + NAME + length);
    let link = bucketAt(this.#mount, this.#u32(at + PARENT), name);
    while (this.#u32(link) !== slot) link = slotAt(this.#u32(link)) + NEXT;
    this.#view.setUint32(link, this.#u32(at + NEXT), true);
    this.#view.setUint16(at + NAMED, 0, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
}

/** A node where it lies: every thread sees what another changed. */
class SharedNode implements MountNode {
  readonly id: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #at: number;
  readonly #table: SharedNodes;

  constructor(view: DataView, bytes: Uint8Array, id: number, table: SharedNodes) {
    this.#view = view;
    this.#bytes = bytes;
    this.id = id;
    this.#at = slotAt(id & 0xffff);
    this.#table = table;
  }

  get parent(): MountNode | undefined {
    return this.#table.get(this.#view.getUint32(this.#at + PARENT, true));
  }

  get name(): string {
    const length = this.#view.getUint16(this.#at + NAME_LENGTH, true);
    return decoder.decode(this.#bytes.slice(this.#at + NAME, this.#at + NAME + length));
  }

  get references(): number {
    return this.#view.getInt32(this.#at + REFERENCES, true);
  }

  set references(value: number) {
    this.#view.setInt32(this.#at + REFERENCES, value, true);
  }

  get type(): number {
    return this.#view.getUint32(this.#at + TYPE, true);
  }

  get dev(): bigint {
    return this.#view.getBigUint64(this.#at + DEV, true);
  }

  get ino(): bigint {
    return this.#view.getBigUint64(this.#at + INO, true);
  }

  get pin(): number | undefined {
    // A thread may remember a node that another one gave back.
    const pin = this.#view.getUint32(this.#at, true) === this.id ? this.#view.getInt32(this.#at + PIN, true) : 0;
    return pin === 0 ? undefined : pin - 1;
  }

  set pin(value: number | undefined) {
    if (this.#view.getUint32(this.#at, true) === this.id) {
      this.#view.setInt32(this.#at + PIN, value === undefined ? 0 : value + 1, true);
    }
  }
}

function slotAt(slot: number): number {
  return FIRST + slot * SLOT_BYTES;
}

function bucketAt(mount: number, dir: number, name: Uint8Array): number {
  let hash = Math.imul(dir ^ (mount << 24), 0x9e3779b1);
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return TABLE + ((hash >>> 16) % BUCKETS) * 4;
}

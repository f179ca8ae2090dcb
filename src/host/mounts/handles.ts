/** The open files of a mount: what the kernel calls a handle, and the descriptor of the host that is behind it. */
import * as abi from '../../core/abi/kernel.ts';
import type { SyncFileSystem, SyncStat } from '../ports.ts';
import { HostErrno } from './errno.ts';

/** Calls happen one at a time: under the kernel's lock where several threads share a table. */
export interface HandleTable {
  /** Takes a descriptor over, also where it throws ENFILE; answers its handle. */
  add(descriptor: number, stat: SyncStat, flags: number): number;
  /** A descriptor that this thread may use. Throws EBADF. */
  get(handle: number): number;
  /** Closes it. Does nothing where it is closed already. */
  remove(handle: number): void;
  /** Gives back the descriptors of this thread. */
  close(): void;
}

/** For one thread: a handle is a descriptor, and no other one is named by mistake. */
export class LocalHandles implements HandleTable {
  readonly #fs: SyncFileSystem;
  readonly #open = new Set<number>();

  constructor(fs: SyncFileSystem) {
    this.#fs = fs;
  }

  add(descriptor: number): number {
    this.#open.add(descriptor);
    return descriptor;
  }

  get(handle: number): number {
    if (!this.#open.has(handle)) throw new HostErrno(abi.EBADF);
    return handle;
  }

  remove(handle: number): void {
    if (this.#open.delete(handle)) this.#fs.closeSync(handle);
  }

  close(): void {
    for (const handle of this.#open) this.#fs.closeSync(handle);
    this.#open.clear();
  }
}

/** For threads that share the process' descriptors: the kernel alone knows them, and names none that is not open. */
export class SharedHandles implements HandleTable {
  readonly #fs: SyncFileSystem;

  constructor(fs: SyncFileSystem) {
    this.#fs = fs;
  }

  add(descriptor: number): number {
    return descriptor;
  }

  get(handle: number): number {
    return handle;
  }

  remove(handle: number): void {
    this.#fs.closeSync(handle);
  }

  close(): void {}
}

const SLOTS = 0x10000;
const USED = 0;
const FREE = 4;
const FIRST = 8;
const SLOT_BYTES = 32;
const DESCRIPTOR = 4;
const FLAGS = 8;
const NEXT = 12;
const DEV = 16;
const INO = 24;
/** Descriptors of a thread from which on it looks for those whose handle another thread closed: at each doubling. */
const MANY = 64;

export const HANDLES_BYTES = FIRST + SLOTS * SLOT_BYTES;

interface OwnDescriptor {
  readonly descriptor: number;
  readonly serial: number;
}

/**
 * For threads each of which has descriptors of its own (Deno), and that hand open files to one another all the same: a
 * handle is a slot of shared memory that says which file it is and where it is open. A thread that has it not open yet
 * opens it once more from there; positions are the kernel's, so that both are the same to a guest. A thread that ends
 * closes what it had, and its number may be another file's by then: that is seen, and is EBADF.
 *
 * ```
 * u32 slots in use at most | u32 first free slot
 * slot, 32 bytes:
 *   0 u32 serial (0: free)   4 u32 descriptor where it was opened   8 u32 flags   12 u32 next free slot
 *  16 u64 dev   24 u64 ino
 * ```
 */
export class ThreadHandles implements HandleTable {
  readonly #fs: SyncFileSystem;
  readonly #view: DataView;
  readonly #own = new Map<number, OwnDescriptor>();
  #many = MANY;

  constructor(fs: SyncFileSystem, room: DataView) {
    this.#fs = fs;
    this.#view = room;
  }

  add(descriptor: number, stat: SyncStat, flags: number): number {
    if (this.#own.size >= this.#many) this.#sweep();
    const slot = this.#take();
    if (slot === 0) {
      this.#fs.closeSync(descriptor);
      throw new HostErrno(abi.ENFILE);
    }
    const at = slotAt(slot);
    const view = this.#view;
    // A free slot keeps the serial of its last use where the descriptor goes.
    const serial = (view.getUint32(at + DESCRIPTOR, true) + 1) >>> 0 || 1;
    view.setUint32(at, serial, true);
    view.setUint32(at + DESCRIPTOR, descriptor, true);
    view.setUint32(at + FLAGS, flags, true);
    view.setBigUint64(at + DEV, BigInt.asUintN(64, stat.dev), true);
    view.setBigUint64(at + INO, BigInt.asUintN(64, stat.ino), true);
    this.#forget(slot);
    this.#own.set(slot, { descriptor, serial });
    return slot;
  }

  get(handle: number): number {
    const serial = this.#serial(handle);
    if (serial === 0) throw new HostErrno(abi.EBADF);
    const own = this.#own.get(handle);
    if (own?.serial === serial) return own.descriptor;
    this.#forget(handle);
    const descriptor = this.#reopen(slotAt(handle));
    this.#own.set(handle, { descriptor, serial });
    return descriptor;
  }

  remove(handle: number): void {
    const serial = this.#serial(handle);
    if (serial === 0) return;
    const view = this.#view;
    const at = slotAt(handle);
    view.setUint32(at, 0, true);
    view.setUint32(at + DESCRIPTOR, serial, true);
    view.setUint32(at + NEXT, view.getUint32(FREE, true), true);
    view.setUint32(FREE, handle, true);
    this.#forget(handle);
  }

  close(): void {
    for (const handle of [...this.#own.keys()]) this.#forget(handle);
  }

  #reopen(at: number): number {
    const view = this.#view;
    const flags = view.getUint32(at + FLAGS, true) & ~abi.O_TRUNC;
    let pin: number | undefined;
    try {
      // What has that number by now may be anything: it is looked at before it is opened.
      pin = this.#fs.openSync(`/proc/self/fd/${view.getUint32(at + DESCRIPTOR, true)}`, abi.O_PATH | abi.O_CLOEXEC);
      if (!this.#means(at, this.#fs.fstatSync(pin, { bigint: true }))) throw new HostErrno(abi.EBADF);
      return this.#fs.openSync(`/proc/self/fd/${pin}`, flags | abi.O_CLOEXEC);
    } catch {
      throw new HostErrno(abi.EBADF);
    } finally {
      if (pin !== undefined) this.#fs.closeSync(pin);
    }
  }

  #means(at: number, stat: SyncStat): boolean {
    return (
      this.#view.getBigUint64(at + INO, true) === BigInt.asUintN(64, stat.ino) &&
      this.#view.getBigUint64(at + DEV, true) === BigInt.asUintN(64, stat.dev)
    );
  }

  /** 0: there is none. */
  #take(): number {
    const view = this.#view;
    const free = view.getUint32(FREE, true);
    if (free !== 0) {
      view.setUint32(FREE, view.getUint32(slotAt(free) + NEXT, true), true);
      return free;
    }
    const slot = view.getUint32(USED, true) + 1;
    if (slot >= SLOTS) return 0;
    view.setUint32(USED, slot, true);
    return slot;
  }

  #serial(handle: number): number {
    return handle > 0 && handle < SLOTS ? this.#view.getUint32(slotAt(handle), true) : 0;
  }

  #sweep(): void {
    for (const [handle, { serial }] of [...this.#own]) if (this.#serial(handle) !== serial) this.#forget(handle);
    this.#many = Math.max(MANY, this.#own.size * 2);
  }

  #forget(handle: number): void {
    const own = this.#own.get(handle);
    if (own === undefined) return;
    this.#own.delete(handle);
    this.#fs.closeSync(own.descriptor);
  }
}

function slotAt(slot: number): number {
  return FIRST + slot * SLOT_BYTES;
}

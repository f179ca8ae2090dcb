/**
 * The network as a guest's thread has it: every call returns when it is done or cannot be done now. Data goes through
 * rings in shared memory without asking anybody; what has to be decided (bind, listen, names) is asked of the main
 * thread, which answers in the mailbox while this thread waits.
 */
import type { HostListener, HostSocket, NetworkPort } from '../wasi/ports.ts';
import { Ring } from '../worker/ring.ts';
import * as e from './errno.ts';
import { GuestSocket, type SocketOwner } from './guest-socket.ts';
import * as slots from './slot.ts';

/** Sockets one guest may have open. */
const MAX_SOCKETS = 4096;
/** Slots kept for the next sockets, 128 KiB each. */
const MAX_SPARE = 128;

export function networkPortOf(setup: unknown): NetworkPort {
  return new GuestNetwork(setup as slots.GuestSetup);
}

class GuestNetwork implements NetworkPort, SocketOwner {
  readonly listeners: readonly HostListener[];
  readonly #setup: slots.GuestSetup;
  readonly #mailbox: Int32Array;
  readonly #slots = new Map<number, slots.Slot>();
  /** Closed by the guest, not yet FREE or not yet used again; by ring size. */
  readonly #closed: { readonly id: number; readonly slot: slots.Slot; readonly bytes: number }[] = [];
  readonly #kicked: Int32Array;
  readonly #kicks: Ring;
  readonly #kick = new Int32Array(1);
  #next: number;
  #open = 0;

  constructor(setup: slots.GuestSetup) {
    this.#setup = setup;
    this.#mailbox = new Int32Array(setup.mailbox);
    this.#next = setup.firstSlot;
    this.#kicked = new Int32Array(setup.kicked);
    this.#kicks = new Ring(setup.kicks);
    this.listeners = setup.listen.map(({ slot, memory }) => {
      const opened = new slots.Slot(memory);
      this.#slots.set(slot, opened);
      this.#open++;
      return new GuestSocket(this, slot, opened, 4, 'stream', true);
    });
  }

  socket(family: 4 | 6, type: 'stream' | 'datagram'): HostSocket | number {
    if (this.#open >= MAX_SOCKETS) return -e.EMFILE;
    const { id, slot } = this.#take(type === 'stream' ? slots.RING_BYTES : slots.DATAGRAM_RING_BYTES);
    this.#open++;
    this.send({ op: 'open', slot: id, memory: slot.memory, family, type });
    return new GuestSocket(this, id, slot, family, type);
  }

  resolve(name: string, family: 0 | 4 | 6): readonly Uint8Array[] | number {
    const count = this.ask({ op: 'resolve', name, family });
    if (count < 0) return count;
    const bytes = this.#answer();
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 1 + bytes[at]!) found.push(bytes.slice(at + 1, at + 1 + bytes[at]!));
    return found;
  }

  /** Slots for connections to come. */
  offer(count: number): void {
    for (let i = 0; i < count; i++) {
      const { id, slot } = this.#take(slots.RING_BYTES);
      this.#slots.set(id, slot);
      this.send({ op: 'offer', slot: id, memory: slot.memory });
    }
  }

  accepted(id: number, family: 4 | 6): GuestSocket | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined) return undefined;
    this.#open++;
    this.offer(1);
    return new GuestSocket(this, id, slot, family, 'stream');
  }

  close(id: number, slot: slots.Slot, bytes: number): void {
    this.#slots.delete(id);
    this.#open--;
    this.send({ op: 'close', slot: id });
    this.#closed.push({ id, slot, bytes });
    // After a flood its memory goes again.
    if (this.#closed.length > MAX_SPARE) this.#closed.shift();
  }

  /** Has the main thread look at a slot. One message stands for all kicks until it has begun to look. */
  kick(id: number, slot: slots.Slot): void {
    if (!slot.kick()) return;
    this.#kick[0] = id;
    this.#kicks.write(new Uint8Array(this.#kick.buffer));
    if (Atomics.exchange(this.#kicked, 0, 1) === 0) this.send(slots.LOOK_AT_KICKS);
  }

  send(message: slots.GuestMessage): void {
    this.#setup.port.postMessage(message);
  }

  /** Waits for the main thread's answer: a result, or a negative errno. */
  ask(message: slots.GuestMessage): number {
    const mailbox = this.#mailbox;
    Atomics.store(mailbox, 0, 0);
    this.send(message);
    while (Atomics.load(mailbox, 0) === 0) Atomics.wait(mailbox, 0, 0);
    return Atomics.load(mailbox, 1);
  }

  #answer(): Uint8Array {
    return new Uint8Array(this.#setup.mailbox, slots.MAILBOX_HEADER, Atomics.load(this.#mailbox, 2)).slice();
  }

  #take(ringBytes: number): { id: number; slot: slots.Slot } {
    const used = this.#closed.findIndex(({ slot, bytes }) => bytes === ringBytes && slot.state === slots.FREE);
    if (used >= 0) {
      const { id, slot } = this.#closed[used]!;
      this.#closed.splice(used, 1);
      slot.reset();
      return { id, slot };
    }
    const id = this.#next++;
    return { id, slot: new slots.Slot(slots.createSlotMemory(ringBytes)) };
  }
}

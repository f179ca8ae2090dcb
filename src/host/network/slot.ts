/**
 * A socket's shared memory, made by the guest's thread and sent to the main thread with the first request that names it:
 *
 * ```
 * header, i32 words: state | error (errno, taken by SO_ERROR) | kicked | wants space | peer port | peer family | local port
 *                    | local family | peer address 16 bytes | local address 16 bytes
 * inbound   ring, main thread -> guest: bytes; 4-byte slot numbers of new connections (listener); framed datagrams
 * outbound  ring, guest -> main thread: bytes; framed datagrams
 * ```
 *
 * A datagram in a ring: u16 byte length | u16 port | u8 family | 3 unused | 16 bytes of address | the bytes. Little endian.
 */
import type { SocketAddress } from '../wasi/ports.ts';
import { createRing, Ring } from '../worker/ring.ts';

export const RING_BYTES = 65536;
/** A framed datagram is one piece, and no longer than what the ring holds. */
export const DATAGRAM_HEADER = 24;
export const MAX_DATAGRAM = 65507;
export const DATAGRAM_RING_BYTES = 262144;

const STATE = 0;
const ERROR = 1;
const KICKED = 2;
const WANTS_SPACE = 3;
const PEER = 4;
const LOCAL = 6;
const PEER_BYTES = 32;
const LOCAL_BYTES = 48;
const HEADER_BYTES = 64;

export const IDLE = 0;
export const CONNECTING = 1;
export const CONNECTED = 2;
export const LISTENING = 3;
/** Both sides are done with the slot: the guest may use it again. */
export const FREE = 4;

export interface SlotMemory {
  readonly header: SharedArrayBuffer;
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
}

export function createSlotMemory(ringBytes: number): SlotMemory {
  return {
    header: new SharedArrayBuffer(HEADER_BYTES),
    inbound: createRing(ringBytes),
    outbound: createRing(ringBytes),
  };
}

export class Slot {
  readonly memory: SlotMemory;
  readonly inbound: Ring;
  readonly outbound: Ring;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SlotMemory) {
    this.memory = memory;
    this.inbound = new Ring(memory.inbound);
    this.outbound = new Ring(memory.outbound);
    this.#words = new Int32Array(memory.header);
    this.#bytes = new Uint8Array(memory.header);
  }

  get state(): number {
    return Atomics.load(this.#words, STATE);
  }

  set state(value: number) {
    Atomics.store(this.#words, STATE, value);
  }

  get error(): number {
    return Atomics.load(this.#words, ERROR);
  }

  fail(errno: number): void {
    Atomics.store(this.#words, ERROR, errno);
  }

  takeError(): number {
    return Atomics.exchange(this.#words, ERROR, 0);
  }

  /** Guest: true when the main thread has to be told. */
  kick(): boolean {
    return Atomics.exchange(this.#words, KICKED, 1) === 0;
  }

  /** Main thread, before it looks. */
  unkick(): void {
    Atomics.store(this.#words, KICKED, 0);
  }

  /** Main thread: a full inbound ring; the guest kicks when it has read. */
  wantSpace(): void {
    Atomics.store(this.#words, WANTS_SPACE, 1);
  }

  takeWantsSpace(): boolean {
    return Atomics.load(this.#words, WANTS_SPACE) !== 0 && Atomics.exchange(this.#words, WANTS_SPACE, 0) !== 0;
  }

  get peer(): SocketAddress | undefined {
    return this.#address(PEER, PEER_BYTES);
  }

  set peer(value: SocketAddress) {
    this.#setAddress(PEER, PEER_BYTES, value);
  }

  get local(): SocketAddress | undefined {
    return this.#address(LOCAL, LOCAL_BYTES);
  }

  set local(value: SocketAddress) {
    this.#setAddress(LOCAL, LOCAL_BYTES, value);
  }

  #address(word: number, at: number): SocketAddress | undefined {
    const length = Atomics.load(this.#words, word + 1);
    if (length === 0) return undefined;
    return { address: this.#bytes.slice(at, at + length), port: Atomics.load(this.#words, word) };
  }

  #setAddress(word: number, at: number, { address, port }: SocketAddress): void {
    this.#bytes.set(address, at);
    Atomics.store(this.#words, word, port);
    Atomics.store(this.#words, word + 1, address.length);
  }

  /** As new. Nobody else looks at it then. */
  reset(): void {
    this.#words.fill(0);
    new Int32Array(this.memory.inbound, 0, 4).fill(0);
    new Int32Array(this.memory.outbound, 0, 4).fill(0);
  }
}

/** Room for the header and the bytes, or false. */
export function putDatagram(ring: Ring, bytes: Uint8Array, { address, port }: SocketAddress): boolean {
  if (ring.writable < DATAGRAM_HEADER + bytes.length) return false;
  const frame = new Uint8Array(DATAGRAM_HEADER + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint16(0, bytes.length, true);
  view.setUint16(2, port, true);
  view.setUint8(4, address.length);
  frame.set(address, 8);
  frame.set(bytes, DATAGRAM_HEADER);
  ring.write(frame);
  return true;
}

/** A frame is written in one piece: where a header is, all of it is. */
export function takeDatagram(ring: Ring): { readonly bytes: Uint8Array; readonly address: SocketAddress } | undefined {
  if (ring.readable < DATAGRAM_HEADER) return undefined;
  const header = new Uint8Array(DATAGRAM_HEADER);
  ring.read(header);
  const view = new DataView(header.buffer);
  const bytes = new Uint8Array(view.getUint16(0, true));
  ring.read(bytes);
  const family = view.getUint8(4) === 16 ? 16 : 4;
  return { bytes, address: { address: header.slice(8, 8 + family), port: view.getUint16(2, true) } };
}

/** Guest to main thread. A number alone: look at the kicks. Requests are answered in the mailbox unless said otherwise. */
export type GuestMessage =
  | number
  | { readonly op: 'bind'; readonly slot: number; readonly address: SocketAddress }
  | { readonly op: 'listen'; readonly slot: number; readonly backlog: number }
  /** Not answered: state and error of the slot say how it went. */
  | { readonly op: 'connect'; readonly slot: number; readonly address: SocketAddress }
  /** Not answered. The slot is FREE when it may be used again. */
  | { readonly op: 'close'; readonly slot: number }
  /** Not answered. */
  | {
      readonly op: 'open';
      readonly slot: number;
      readonly memory: SlotMemory;
      readonly family: 4 | 6;
      readonly type: 'stream' | 'datagram';
    }
  /** Not answered: a slot for a connection to come. */
  | { readonly op: 'offer'; readonly slot: number; readonly memory: SlotMemory }
  | { readonly op: 'resolve'; readonly name: string; readonly family: 0 | 4 | 6 };

/** Handed to a guest's thread at its start. */
export interface GuestSetup {
  readonly port: MessagePort;
  /** i32 answered | i32 result | i32 bytes | bytes of the answer. */
  readonly mailbox: SharedArrayBuffer;
  /** i32: 1 while the main thread has been told to look at the ring and has not begun. */
  readonly kicked: SharedArrayBuffer;
  /** Ring, guest -> main thread: 4-byte numbers of slots that were kicked. A slot is in it once at most. */
  readonly kicks: SharedArrayBuffer;
  /** `80/tcp`: listening when the guest starts. */
  readonly listen: readonly { readonly slot: number; readonly memory: SlotMemory }[];
  readonly firstSlot: number;
}

export const MAILBOX_HEADER = 12;
export const MAILBOX_BYTES = 4096;
/** Room for more slots than there can be. */
export const KICKS_BYTES = 65536;
export const LOOK_AT_KICKS = 0;

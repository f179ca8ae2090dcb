/** One socket as a guest's thread has it: data through the rings of its slot, the rest by its network. */
import * as w from '../../spec/wasi-preview1.ts';
import type { HostSocket, SocketAddress } from '../wasi/ports.ts';
import { CLOSED_BY_READER, CLOSED_BY_WRITER } from '../worker/ring.ts';
import { mapped, unmapped } from './address.ts';
import * as e from './errno.ts';
import * as slots from './slot.ts';

const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;
/** Connections that may come in before the guest has accepted one; each is offered a slot. */
const MAX_OFFERED = 16;

/** The guest's network: see guest-port.ts. */
export interface SocketOwner {
  ask(message: slots.GuestMessage): number;
  send(message: slots.GuestMessage): void;
  kick(id: number, slot: slots.Slot): void;
  offer(count: number): void;
  accepted(id: number, family: 4 | 6): GuestSocket | undefined;
  close(id: number, slot: slots.Slot, ringBytes: number): void;
}

export class GuestSocket implements HostSocket {
  readonly wakes = true;
  /** SO_RCVTIMEO and SO_SNDTIMEO. */
  receiveTimeoutMs = Number.POSITIVE_INFINITY;
  sendTimeoutMs = Number.POSITIVE_INFINITY;
  readonly family: 4 | 6;
  readonly type: 'stream' | 'datagram';
  readonly #network: SocketOwner;
  readonly #id: number;
  readonly #slot: slots.Slot;
  #readShut = false;
  /** Found at the start, and not looked at so far: nobody is let in before the program is there to answer. */
  #isAsleep: boolean;

  constructor(
    network: SocketOwner,
    id: number,
    slot: slots.Slot,
    family: 4 | 6,
    type: 'stream' | 'datagram',
    isAsleep = false,
  ) {
    this.#isAsleep = isAsleep;
    this.#network = network;
    this.#id = id;
    this.#slot = slot;
    this.family = family;
    this.type = type;
  }

  get listening(): boolean {
    return this.#slot.state === slots.LISTENING;
  }

  bind(address: SocketAddress): number {
    if (!this.#fits(address)) return -e.EAFNOSUPPORT;
    return this.#network.ask({ op: 'bind', slot: this.#id, address: plain(address) });
  }

  listen(backlog: number): number {
    if (this.type !== 'stream') return -e.EOPNOTSUPP;
    const { state } = this.#slot;
    if (state === slots.LISTENING) return 0;
    if (state !== slots.IDLE) return -e.EINVAL;
    const result = this.#network.ask({ op: 'listen', slot: this.#id, backlog });
    if (result === 0) this.#network.offer(Math.max(1, Math.min(backlog | 0, MAX_OFFERED)));
    return result;
  }

  accept(nonBlocking: boolean): GuestSocket | number {
    const slot = this.#slot;
    if (slot.state !== slots.LISTENING) return -e.EINVAL;
    const woken = this.#awake();
    if (woken < 0) return woken;
    const ready = () => slot.inbound.readable >= 4 || slot.state !== slots.LISTENING;
    if (!ready() && (nonBlocking || !slot.inbound.waitUntil(ready, this.receiveTimeoutMs))) return -e.EAGAIN;
    const id = new Uint8Array(4);
    if (slot.inbound.read(id) < 4) return -e.EINVAL;
    return this.#network.accepted(new DataView(id.buffer).getInt32(0, true), this.family) ?? -e.ECONNABORTED;
  }

  connect(address: SocketAddress, nonBlocking: boolean): number {
    if (!this.#fits(address)) return -e.EAFNOSUPPORT;
    const slot = this.#slot;
    if (this.type === 'datagram') {
      slot.peer = plain(address);
      slot.state = slots.CONNECTED;
      this.#network.send({ op: 'connect', slot: this.#id, address: plain(address) });
      return 0;
    }
    if (slot.state === slots.CONNECTED) return -e.EISCONN;
    if (slot.state === slots.LISTENING) return -e.EINVAL;
    if (slot.state !== slots.CONNECTING) {
      slot.takeError();
      slot.state = slots.CONNECTING;
      this.#network.send({ op: 'connect', slot: this.#id, address: plain(address) });
      if (nonBlocking) return -e.EINPROGRESS;
    } else if (nonBlocking) return -e.EALREADY;
    if (!slot.inbound.waitUntil(() => slot.state !== slots.CONNECTING, this.sendTimeoutMs)) return -e.EINPROGRESS;
    const error = slot.takeError();
    return error === 0 ? 0 : -error;
  }

  local(): SocketAddress {
    return this.#shown(this.#slot.local);
  }

  peer(): SocketAddress | number {
    const { peer, state } = this.#slot;
    return peer === undefined || state !== slots.CONNECTED ? -e.ENOTCONN : this.#shown(peer);
  }

  read(target: Uint8Array, nonBlocking: boolean): number {
    return this.receive(target, 0, nonBlocking);
  }

  receive(target: Uint8Array, flags: number, nonBlocking: boolean): number {
    if (this.type === 'datagram') {
      const got = this.receiveFrom(target, flags, nonBlocking);
      return typeof got === 'number' ? got : got.length;
    }
    const slot = this.#slot;
    const { inbound } = slot;
    if (slot.state !== slots.CONNECTED) return slot.state === slots.CONNECTING ? -e.EAGAIN : this.#notConnected();
    if (target.length === 0 || this.#readShut) return 0;
    const wanted = (flags & w.RI_RECV_WAITALL) !== 0 ? Math.min(target.length, slots.RING_BYTES) : 1;
    const ready = () => inbound.readable >= wanted || inbound.closed !== 0 || slot.error !== 0;
    if (!ready()) {
      if (nonBlocking ? inbound.readable === 0 : !inbound.waitUntil(ready, this.receiveTimeoutMs)) return -e.EAGAIN;
    }
    if (inbound.readable === 0) {
      const error = slot.takeError();
      return error === 0 ? 0 : -error;
    }
    if ((flags & w.RI_RECV_PEEK) !== 0) return inbound.peek(target);
    const got = inbound.read(target);
    this.#madeRoom();
    return got;
  }

  write(source: Uint8Array, nonBlocking: boolean): number {
    return this.send(source, nonBlocking);
  }

  send(source: Uint8Array, nonBlocking: boolean): number {
    const slot = this.#slot;
    const { outbound } = slot;
    if (this.type === 'datagram') {
      const { peer } = slot;
      return peer === undefined ? -e.EDESTADDRREQ : this.sendTo(source, peer, nonBlocking);
    }
    if (slot.state !== slots.CONNECTED) return slot.state === slots.CONNECTING ? -e.EAGAIN : -e.EPIPE;
    if (source.length === 0) return 0;
    let done = 0;
    // A blocking write takes all of it, as Linux does.
    for (;;) {
      if (outbound.closed !== 0) {
        if (done > 0) return done;
        const error = slot.takeError();
        return error === 0 ? -e.EPIPE : -error;
      }
      const taken = outbound.write(done === 0 ? source : source.subarray(done));
      if (taken > 0) this.#network.kick(this.#id, slot);
      done += taken;
      if (done === source.length || (nonBlocking && done > 0)) return done;
      if (nonBlocking) return -e.EAGAIN;
      if (!outbound.waitUntil(() => outbound.writable > 0 || outbound.closed !== 0, this.sendTimeoutMs))
        return done > 0 ? done : -e.EAGAIN;
    }
  }

  receiveFrom(target: Uint8Array, flags: number, nonBlocking: boolean) {
    const slot = this.#slot;
    if (this.type === 'stream') {
      const length = this.receive(target, flags, nonBlocking);
      const from = this.peer();
      return length < 0 || typeof from === 'number' ? length : { length, from };
    }
    const { inbound } = slot;
    if ((flags & w.RI_RECV_PEEK) !== 0) return -e.EOPNOTSUPP;
    const ready = () => inbound.readable > 0 || slot.error !== 0 || this.#readShut;
    if (!ready() && (nonBlocking || !inbound.waitUntil(ready, this.receiveTimeoutMs))) return -e.EAGAIN;
    const datagram = slots.takeDatagram(inbound);
    if (datagram === undefined) return -slot.takeError();
    const { bytes, address } = datagram;
    const length = Math.min(bytes.length, target.length);
    target.set(bytes.subarray(0, length));
    return { length, from: this.#shown(address) };
  }

  sendTo(source: Uint8Array, to: SocketAddress, nonBlocking: boolean): number {
    if (this.type === 'stream') return this.send(source, nonBlocking);
    if (!this.#fits(to)) return -e.EAFNOSUPPORT;
    const { outbound } = this.#slot;
    if (source.length > slots.MAX_DATAGRAM) return -e.EMSGSIZE;
    const error = this.#slot.takeError();
    if (error !== 0) return -error;
    const room = () => outbound.writable >= slots.DATAGRAM_HEADER + source.length;
    if (!room() && (nonBlocking || !outbound.waitUntil(room, this.sendTimeoutMs))) return -e.EAGAIN;
    slots.putDatagram(outbound, source, plain(to));
    this.#network.kick(this.#id, this.#slot);
    return source.length;
  }

  shutdown(how: number): number {
    const slot = this.#slot;
    if (slot.state !== slots.CONNECTED) return -e.ENOTCONN;
    if ((how & w.SD_WR) !== 0) slot.outbound.close(CLOSED_BY_WRITER);
    if ((how & w.SD_RD) !== 0) {
      this.#readShut = true;
      slot.inbound.close(CLOSED_BY_READER);
    }
    this.#network.kick(this.#id, slot);
    return 0;
  }

  takeError(): number {
    return this.#slot.takeError();
  }

  poll(events: number): number {
    this.#awake();
    const { state, inbound, outbound, error } = this.#slot;
    let ready = 0;
    if (state === slots.LISTENING) {
      if (inbound.readable >= 4) ready = POLLIN;
    } else if (this.type === 'datagram') {
      if (inbound.readable > 0 || error !== 0) ready |= POLLIN;
      if (outbound.writable >= slots.DATAGRAM_RING_BYTES / 2 || error !== 0) ready |= POLLOUT;
    } else if (state === slots.CONNECTED) {
      const ended = inbound.closed !== 0 || this.#readShut;
      if (inbound.readable > 0 || ended || error !== 0) ready |= POLLIN;
      if (outbound.writable > 0 || outbound.closed !== 0 || error !== 0) ready |= POLLOUT;
      if ((ended && outbound.closed !== 0 && inbound.readable === 0) || error !== 0) ready |= POLLHUP;
    } else if (state === slots.IDLE) {
      // Never connected, or the connection failed.
      ready = POLLIN | POLLOUT | POLLHUP;
    }
    return ready & (events | POLLHUP);
  }

  available(): number {
    const { state, inbound } = this.#slot;
    return state === slots.LISTENING ? inbound.readable >>> 2 : inbound.readable;
  }

  close(): void {
    this.#network.close(this.#id, this.#slot, this.type === 'stream' ? slots.RING_BYTES : slots.DATAGRAM_RING_BYTES);
  }

  #awake(): number {
    if (!this.#isAsleep) return 0;
    const result = this.#network.ask({ op: 'listen', slot: this.#id, backlog: MAX_OFFERED });
    if (result < 0) return result;
    this.#isAsleep = false;
    this.#network.offer(MAX_OFFERED);
    return 0;
  }

  /** The main thread stopped for want of space: it goes on. */
  #madeRoom(): void {
    if (this.#slot.takeWantsSpace()) this.#network.kick(this.#id, this.#slot);
  }

  #notConnected(): number {
    const error = this.#slot.takeError();
    return error === 0 ? -e.ENOTCONN : -error;
  }

  #fits({ address }: SocketAddress): boolean {
    return this.family === 6 ? true : unmapped(address).length === 4;
  }

  /** In the socket's own family. */
  #shown(address: SocketAddress | undefined): SocketAddress {
    if (address === undefined) return { address: new Uint8Array(this.family === 4 ? 4 : 16), port: 0 };
    if (this.family === 4 || address.address.length === 16) return address;
    const isAny = address.address.every((byte) => byte === 0);
    return { address: isAny ? new Uint8Array(16) : mapped(address.address), port: address.port };
  }
}

/** A copy that may be sent, IPv4 as IPv4. */
function plain({ address, port }: SocketAddress): SocketAddress {
  return { address: unmapped(address).slice(), port: port & 0xffff };
}

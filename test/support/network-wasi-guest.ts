/** Programs on a thread of their own that use sockets by WASI calls, as a compiled program would. */
import { parentPort } from 'node:worker_threads';
import type { NetworkPort } from '../../src/host/wasi/ports.ts';
import { TestGuest } from './wasi-guest.ts';
import { TestKernel } from './wasi-kernel.ts';

class SocketGuest {
  readonly guest: TestGuest;
  readonly #out: number;

  constructor(network?: NetworkPort) {
    const kernel = new TestKernel({ shared: true });
    this.guest = new TestGuest(kernel, network === undefined ? {} : { network });
    // The main thread wakes this kernel's pollers.
    parentPort?.postMessage({ kernel: kernel.memory.buffer, eventWord: kernel.calls.event_word() });
    this.#out = this.guest.room(64);
  }

  /** Throws what is not 0. */
  call(name: string, ...args: (number | bigint)[]): void {
    const errno = this.guest.calls[name]!(...args);
    if (errno !== 0) throw new Error(`${name}: errno ${errno}`);
  }

  open(family: number, type: number): number {
    this.call('sock_open', family, type, this.#out);
    return this.u32(this.#out);
  }

  u32(at: number): number {
    return this.guest.view.getUint32(at, true);
  }

  /** {pointer, length} of an address: 4 bytes, or 128 with the family in front. */
  address(bytes: readonly number[], room = bytes.length): number {
    const [pointer] = this.guest.put(new Uint8Array(room));
    const view = new Uint8Array(this.guest.memory.buffer, pointer, room);
    if (room === 128) {
      view[0] = 1;
      view.set(bytes, 2);
    } else view.set(bytes);
    const at = this.guest.room(8);
    this.guest.view.setUint32(at, pointer, true);
    this.guest.view.setUint32(at + 4, room, true);
    return at;
  }

  addressBytes(address: number, length: number, skip = 0): number[] {
    return [...new Uint8Array(this.guest.memory.buffer, this.u32(address) + skip, length)];
  }

  vector(content: string | Uint8Array): [number, number, number] {
    const [pointer, length] = this.guest.put(content);
    return [...this.guest.vector([pointer, length]), pointer];
  }

  text(pointer: number, length: number): string {
    return new TextDecoder().decode(new Uint8Array(this.guest.memory.buffer, pointer, length).slice());
  }

  /** Waits for one descriptor by poll_oneoff; gives the event's type and bytes. */
  poll(fd: number, type: number): { type: number; bytes: number } {
    const { guest } = this;
    const at = guest.room(48);
    const events = guest.room(32);
    guest.view.setUint8(at + 8, type);
    guest.view.setInt32(at + 16, fd, true);
    this.call('poll_oneoff', at, events, 1, this.#out);
    if (guest.view.getUint16(events + 8, true) !== 0)
      throw new Error(`poll: ${guest.view.getUint16(events + 8, true)}`);
    return { type: guest.view.getUint8(events + 10), bytes: Number(guest.view.getBigUint64(events + 16, true)) };
  }
}

const READ = 1;
const WRITE = 2;

/** First generation: short addresses, sock_accept without flags, five and four arguments. */
export function firstGeneration(network: NetworkPort, listening: (port: number) => void): unknown {
  const guest = new SocketGuest(network);
  const out = guest.guest.room(64);
  const listener = guest.open(1, 2);
  guest.call('sock_setsockopt', listener, 0, 0, guest.guest.put(Uint8Array.of(1, 0, 0, 0))[0], 4);
  guest.call('sock_bind', listener, guest.address([0, 0, 0, 0]), 8080);
  guest.call('sock_listen', listener, 16);
  listening(8080);
  const ready = guest.poll(listener, READ);
  guest.call('sock_accept', listener, out);
  const connection = guest.u32(out);
  const local = guest.address(new Array(16).fill(0));
  guest.call('sock_getlocaladdr', connection, local, out, out + 4);
  const localPort = guest.u32(out + 4);
  const localType = guest.u32(out);
  const peer = guest.address(new Array(16).fill(0));
  guest.call('sock_getpeeraddr', connection, peer, out, out + 4);
  const request = guest.poll(connection, READ);
  const [vector, count, buffer] = guest.vector(new Uint8Array(1000));
  guest.call('sock_recv', connection, vector, count, 0, out, out + 4);
  const text = guest.text(buffer, guest.u32(out));
  const [answer, answers] = guest.vector(`you said ${text}`);
  guest.call('sock_send', connection, answer, answers, 0, out);
  guest.call('sock_shutdown', connection, 2);
  guest.call('fd_close', connection);
  return {
    ready,
    request,
    localType,
    localPort,
    local: guest.addressBytes(local, 4),
    peer: guest.addressBytes(peer, 4),
    text,
  };
}

/** Second generation: addresses of 128 bytes, names by sock_getaddrinfo, eight arguments, fd_read and fd_write. */
export function secondGeneration(network: NetworkPort, name: string): unknown {
  const guest = new SocketGuest(network);
  const { guest: memory } = guest;
  const out = memory.room(64);
  const [node, nodeLength] = memory.put(`${name}\0`);
  const [service, serviceLength] = memory.put('8080\0');
  const hints = memory.room(28);
  memory.view.setUint8(hints + 2, 1);
  memory.view.setUint8(hints + 3, 2);
  const info = memory.room(28);
  const sockaddr = memory.room(12);
  const data = memory.room(26);
  memory.view.setUint32(info + 12, sockaddr, true);
  memory.view.setUint32(sockaddr + 8, data, true);
  memory.view.setUint32(out, info, true);
  guest.call('sock_getaddrinfo', node, nodeLength, service, serviceLength, hints, out, 1, out + 4);
  const found = { count: guest.u32(out + 4), port: memory.view.getUint16(data, false) };
  const address = [...new Uint8Array(memory.memory.buffer, data + 2, 4)];
  const socket = guest.open(1, 2);
  // Not blocking, as an event loop would.
  guest.call('fd_fdstat_set_flags', socket, 4);
  const connecting = memory.calls.sock_connect!(socket, guest.address(address, 128), found.port);
  guest.poll(socket, WRITE);
  memory.view.setUint32(out + 4, 4, true);
  guest.call('sock_getsockopt', socket, 0, 2, out, out + 4);
  const error = guest.u32(out);
  const again = memory.calls.sock_recv!(socket, ...guest.vector(new Uint8Array(8)).slice(0, 2), 0, out, out + 4);
  const [vector, count] = guest.vector('hello');
  guest.call('fd_write', socket, vector, count, out);
  guest.poll(socket, READ);
  guest.call('fd_fdstat_set_flags', socket, 0);
  const from = guest.address([], 128);
  const [target, targets, buffer] = guest.vector(new Uint8Array(1000));
  guest.call('sock_recv_from', socket, target, targets, from, 0, out, out + 4, out + 8);
  const text = guest.text(buffer, guest.u32(out + 4));
  const fromPort = guest.u32(out);
  guest.call('fd_read', socket, target, targets, out);
  return {
    found,
    connecting,
    error,
    again,
    text,
    from: guest.addressBytes(from, 6),
    fromPort,
    end: guest.u32(out),
  };
}

/** What is answered to calls that cannot be right. */
export function wrongCalls(network: NetworkPort): unknown {
  const guest = new SocketGuest(network);
  const { calls } = guest.guest;
  const socket = guest.open(1, 2);
  const far = 0xfffffff0;
  return {
    badFd: calls.sock_listen!(99, 1),
    notSocket: calls.sock_listen!(0, 1),
    farResult: calls.sock_open!(1, 2, far),
    farAddress: calls.sock_bind!(socket, far, 80),
    family: calls.sock_open!(9, 2, 1024),
    notConnected: calls.sock_getpeeraddr!(socket, guest.address(new Array(16).fill(0)), 1024, 1028),
    shortAddress: calls.sock_bind!(socket, guest.address([1, 2, 3]), 80),
    notOurs: calls.sock_bind!(socket, guest.address([8, 8, 8, 8]), 80),
    option: calls.sock_setsockopt!(socket, 0, 99, 1024, 4),
  };
}

/** As it is without a network. */
export function withoutNetwork(): unknown {
  const { calls } = new SocketGuest().guest;
  return { open: calls.sock_open!(1, 2, 1024), second: calls.sock_open_v2!(1, 2, 1024) };
}

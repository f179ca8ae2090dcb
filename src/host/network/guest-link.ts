/** One guest thread's sockets, on the main thread: answers its requests and moves its bytes. */
import type { SocketAddress } from '../wasi/ports.ts';
import { CLOSED_BY_READER, createRing, Ring } from '../worker/ring.ts';
import { ANY_V4, ANY_V6 } from './address.ts';
import * as e from './errno.ts';
import { Flow } from './flow.ts';
import type { ByteServer, ByteSocket, DatagramSocket } from './host-sockets.ts';
import * as slots from './slot.ts';
import { type BoundPort, SocketError, type Transport } from './transport.ts';

/** Connections that wait for the guest to have a slot for them. */
const MAX_PENDING = 1024;

type Kind = 'stream' | 'datagram';

interface Socket {
  readonly slot: slots.Slot;
  readonly family: 4 | 6;
  readonly type: Kind;
  bound?: BoundPort;
  server?: ByteServer;
  flow?: Flow;
  datagrams?: Promise<DatagramSocket>;
  closed: boolean;
}

export class GuestLink {
  readonly setup: slots.GuestSetup;
  readonly #transport: Transport;
  readonly #wake: () => void;
  readonly #port: MessagePort;
  readonly #mailbox: Int32Array;
  readonly #kickedWord: Int32Array;
  readonly #kicks: Ring;
  readonly #sockets = new Map<number, Socket>();
  readonly #offered: { readonly id: number; readonly slot: slots.Slot }[] = [];
  readonly #pending: { readonly listener: Socket; readonly socket: ByteSocket }[] = [];

  /** `listeners`: ports, already claimed, that the guest finds as sockets. They listen once it looks at one. */
  constructor(transport: Transport, listeners: readonly BoundPort[], wake: () => void) {
    this.#transport = transport;
    this.#wake = wake;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const mailbox = new SharedArrayBuffer(slots.MAILBOX_BYTES);
    this.#mailbox = new Int32Array(mailbox, 0, 3);
    const listen = listeners.map((bound, slot) => {
      const memory = slots.createSlotMemory(slots.RING_BYTES);
      const socket: Socket = { slot: new slots.Slot(memory), family: 4, type: 'stream', bound, closed: false };
      this.#sockets.set(slot, socket);
      socket.slot.local = bound.address;
      socket.slot.state = slots.LISTENING;
      return { slot, memory };
    });
    const kicked = new SharedArrayBuffer(4);
    const kicks = createRing(slots.KICKS_BYTES);
    this.#kickedWord = new Int32Array(kicked);
    this.#kicks = new Ring(kicks);
    this.setup = { port: port2, mailbox, kicked, kicks, listen, firstSlot: listen.length };
    port1.onmessage = ({ data }: MessageEvent) => this.#receive(data as slots.GuestMessage);
    // The container's process lives for its guest, not for this.
    (port1 as { unref?(): void }).unref?.();
  }

  /** The guest's thread is gone: what it has written still goes out. */
  detach(): void {
    for (const [id, socket] of this.#sockets) this.#close(id, socket);
    for (const { socket } of this.#pending) socket.destroy();
    this.#pending.length = 0;
    this.#port.close();
  }

  #receive(message: slots.GuestMessage): void {
    if (typeof message === 'number') {
      this.#lookAtKicks();
      return;
    }
    switch (message.op) {
      case 'open': {
        const { memory, family, type } = message;
        const socket: Socket = { slot: new slots.Slot(memory), family, type, closed: false };
        this.#sockets.set(message.slot, socket);
        // Its kick may have been seen before this message.
        if (type === 'datagram') this.#kicked(socket);
        return;
      }
      case 'offer':
        this.#offered.push({ id: message.slot, slot: new slots.Slot(message.memory) });
        this.#servePending();
        return;
      case 'resolve':
        this.#answer(this.#resolve(message.name, message.family));
        return;
      default:
    }
    const socket = this.#sockets.get(message.slot);
    if (message.op === 'close') {
      if (socket !== undefined) this.#close(message.slot, socket);
      return;
    }
    if (socket === undefined) {
      if (message.op !== 'connect') this.#answer(Promise.resolve(-e.EBADF));
      return;
    }
    if (message.op === 'connect') this.#connect(message.slot, socket, message.address);
    else if (message.op === 'bind') this.#answer(this.#bind(socket, message.address));
    else this.#answer(this.#listen(socket, message.backlog));
  }

  #lookAtKicks(): void {
    Atomics.store(this.#kickedWord, 0, 0);
    const id = new Int32Array(1);
    const bytes = new Uint8Array(id.buffer);
    while (this.#kicks.read(bytes) === bytes.length) {
      const socket = this.#sockets.get(id[0]!);
      if (socket !== undefined) this.#kicked(socket);
    }
  }

  #kicked(socket: Socket): void {
    socket.slot.unkick();
    if (socket.type === 'stream') socket.flow?.kicked();
    else if (socket.slot.outbound.readable > 0) this.#sendDatagrams(socket);
  }

  /** Rejections are answered as their errno. */
  #answer(result: Promise<number>): void {
    result
      .catch((error: unknown) => -errnoFrom(error))
      .then((value) => {
        Atomics.store(this.#mailbox, 1, value);
        Atomics.store(this.#mailbox, 0, 1);
        Atomics.notify(this.#mailbox, 0);
      });
  }

  async #resolve(name: string, family: 0 | 4 | 6): Promise<number> {
    const found = await this.#transport.resolve(name, family);
    const bytes = new Uint8Array(this.setup.mailbox, slots.MAILBOX_HEADER);
    let at = 0;
    let count = 0;
    for (const address of found) {
      if (at + 1 + address.length > bytes.length) break;
      bytes[at] = address.length;
      bytes.set(address, at + 1);
      at += 1 + address.length;
      count++;
    }
    Atomics.store(this.#mailbox, 2, at);
    return count === 0 ? -e.ENOENT : count;
  }

  async #bind(socket: Socket, address: SocketAddress): Promise<number> {
    if (socket.bound !== undefined || socket.datagrams !== undefined || socket.flow !== undefined) return -e.EINVAL;
    if (socket.type === 'datagram') {
      await this.#openDatagrams(socket, address);
      return 0;
    }
    socket.bound = this.#transport.bindTcp(address);
    socket.slot.local = socket.bound.address;
    return 0;
  }

  async #listen(socket: Socket, backlog: number): Promise<number> {
    socket.bound ??= this.#transport.bindTcp({ address: socket.family === 6 ? ANY_V6 : ANY_V4, port: 0 });
    socket.server = await this.#transport.listenTcp(socket.bound, backlog, (accepted) =>
      this.#accept(socket, accepted),
    );
    socket.slot.local = socket.server.address;
    socket.slot.state = slots.LISTENING;
    if (socket.closed) socket.server.close();
    return 0;
  }

  #accept(listener: Socket, socket: ByteSocket): void {
    if (listener.closed || this.#pending.length >= MAX_PENDING) {
      socket.destroy();
      return;
    }
    this.#pending.push({ listener, socket });
    this.#servePending();
  }

  #servePending(): void {
    while (this.#pending.length > 0 && this.#offered.length > 0) {
      const { listener, socket } = this.#pending.shift()!;
      if (listener.closed) {
        socket.destroy();
        continue;
      }
      const { id, slot } = this.#offered.shift()!;
      this.#sockets.set(id, this.#connected(id, slot, listener.family, socket));
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, id, true);
      listener.slot.inbound.write(bytes);
      this.#wake();
    }
  }

  #connected(id: number, slot: slots.Slot, family: 4 | 6, socket: ByteSocket): Socket {
    const flow = new Flow(slot, socket, this.#wake, () => this.#free(id, slot));
    return { slot, family, type: 'stream', flow, closed: false };
  }

  #connect(id: number, socket: Socket, address: SocketAddress): void {
    if (socket.type === 'datagram') {
      this.#openDatagrams(socket, { address: socket.family === 6 ? ANY_V6 : ANY_V4, port: 0 }).catch((error) =>
        this.#fail(socket, error),
      );
      return;
    }
    this.#transport
      .connectTcp(address)
      .then((connection) => {
        if (socket.closed) {
          connection.destroy();
          this.#free(id, socket.slot);
          return;
        }
        socket.flow = new Flow(socket.slot, connection, this.#wake, () => this.#free(id, socket.slot));
        this.#wake();
      })
      .catch((error: unknown) => {
        if (socket.closed) this.#free(id, socket.slot);
        else this.#fail(socket, error);
      });
  }

  #fail({ slot, type }: Socket, error: unknown): void {
    slot.fail(errnoFrom(error));
    if (type === 'stream') slot.state = slots.IDLE;
    slot.inbound.touch();
    this.#wake();
  }

  #openDatagrams(socket: Socket, at: SocketAddress): Promise<DatagramSocket> {
    socket.datagrams ??= this.#transport
      .bindUdp(at, (bytes, from) => {
        // As everywhere: a datagram nobody has room for is lost.
        if (!socket.closed && slots.putDatagram(socket.slot.inbound, bytes, from)) this.#wake();
      })
      .then((opened) => {
        socket.slot.local = opened.address;
        return opened;
      });
    socket.datagrams.catch(() => {
      delete socket.datagrams;
    });
    return socket.datagrams;
  }

  #sendDatagrams(socket: Socket): void {
    const any = { address: socket.family === 6 ? ANY_V6 : ANY_V4, port: 0 };
    this.#openDatagrams(socket, any)
      .then((datagrams) => {
        for (let next = slots.takeDatagram(socket.slot.outbound); next !== undefined; ) {
          datagrams.send(next.bytes, next.address);
          next = slots.takeDatagram(socket.slot.outbound);
        }
        this.#wake();
      })
      .catch((error: unknown) => this.#fail(socket, error));
  }

  #close(id: number, socket: Socket): void {
    if (socket.closed) return;
    socket.closed = true;
    socket.server?.close();
    socket.bound?.release();
    if (socket.type === 'datagram') {
      this.#sendAndClose(id, socket);
      return;
    }
    if (socket.flow !== undefined) {
      socket.flow.close();
      return;
    }
    if (socket.server !== undefined) this.#forgetUnaccepted(socket);
    if (socket.slot.state !== slots.CONNECTING) this.#free(id, socket.slot);
  }

  /** Connections the guest never took: their slots are offered anew. */
  #forgetUnaccepted(listener: Socket): void {
    const bytes = new Uint8Array(4);
    while (listener.slot.inbound.read(bytes) === 4) {
      const id = new DataView(bytes.buffer).getInt32(0, true);
      const socket = this.#sockets.get(id);
      socket?.flow?.destroy();
      if (socket !== undefined) socket.closed = true;
      this.#sockets.delete(id);
    }
  }

  #sendAndClose(id: number, socket: Socket): void {
    const opened = socket.datagrams;
    if (opened === undefined && socket.slot.outbound.readable === 0) {
      this.#free(id, socket.slot);
      return;
    }
    this.#sendDatagrams(socket);
    this.#openDatagrams(socket, { address: ANY_V4, port: 0 })
      .then((datagrams) => datagrams.close())
      .catch(() => {})
      .then(() => this.#free(id, socket.slot));
  }

  #free(id: number, slot: slots.Slot): void {
    this.#sockets.delete(id);
    slot.outbound.close(CLOSED_BY_READER);
    slot.state = slots.FREE;
  }
}

function errnoFrom(error: unknown): number {
  return error instanceof SocketError ? error.errno : e.errnoOf(error);
}

/**
 * A container on one network. What it serves there are sockets in the network's directory:
 *
 * ```
 * <network id, 10 digits>/<address, 8 hex><port, 4 hex>t     TCP: the first 6 bytes are the caller's address and port,
 *                                                            then the bytes themselves
 * <network id, 10 digits>/<address, 8 hex><port, 4 hex>u     UDP: u16 byte length | caller's address and port | the bytes
 * <network id, 10 digits>/n<address, 8 hex>                  JSON { address, names, pid }: who is here
 * s<network id, 10 digits>                                   the network's subnet: for those not on it, nowhere
 * ```
 *
 * Numbers are in network order. Only the user can reach the directory, and a guest only what is in those of its networks.
 */
import type { SocketAddress } from '../wasi/ports.ts';
import {
  formatAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
  sameAddress,
  subnetHolds,
  v4Number,
} from './address.ts';
import * as e from './errno.ts';
import type { ByteHandlers, ByteServer, ByteSocket, HostSockets } from './host-sockets.ts';
import type { NetworkAttachment } from './port.ts';
import { SocketError } from './transport.ts';

export interface Counters {
  rxBytes: number;
  rxPackets: number;
  txBytes: number;
  txPackets: number;
}

const CALLER_BYTES = 6;
const DATAGRAM_HEADER = 2 + CALLER_BYTES;
/** How long a way to another container's UDP port is kept open. */
const UDP_IDLE_MS = 30_000;

export class Attachment {
  readonly plan: NetworkAttachment;
  readonly address: Uint8Array;
  readonly gateway: Uint8Array | undefined;
  readonly counters: Counters = { rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0 };
  readonly #subnet: Subnet | undefined;
  readonly #sockets: HostSockets;
  readonly #directory: string;
  readonly #subnetFile: string;
  readonly #servers = new Set<ByteServer>();
  readonly #open = new Set<ByteSocket>();
  #closed = false;

  constructor(plan: NetworkAttachment, sockets: HostSockets, directory: string) {
    this.plan = plan;
    this.address = parseAddress(plan.address) ?? new Uint8Array(4);
    this.gateway = parseAddress(plan.gateway);
    this.#subnet = parseSubnet(plan.subnet);
    this.#sockets = sockets;
    this.#directory = `${directory}/${plan.id.slice(0, 10)}`;
    this.#subnetFile = `${directory}/s${plan.id.slice(0, 10)}`;
  }

  /** Others find it from now on. */
  async announce(): Promise<void> {
    await this.#sockets.makeDirectory(this.#directory);
    const { address, names, subnet } = this.plan;
    await this.#sockets.writeFile(this.#subnetFile, subnet);
    await this.#sockets.writeFile(
      `${this.#directory}/n${hex(this.address)}`,
      JSON.stringify({ address, names, pid: this.#sockets.pid }),
    );
  }

  holds(address: Uint8Array): boolean {
    return this.#subnet !== undefined && subnetHolds(this.#subnet, address);
  }

  /** Serves a TCP port of the container here. */
  async serve(port: number, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
    const local = { address: this.address, port };
    return this.#serve(this.#path(local, 't'), (socket) => {
      readCaller(socket, (peer, rest) => accept(this.meter(socket, local, peer, rest)));
    });
  }

  /** Throws ECONNREFUSED when nobody listens there, EHOSTUNREACH when nobody is there. */
  async connect(to: SocketAddress, localPort: number): Promise<ByteSocket> {
    let socket: ByteSocket;
    try {
      socket = await this.#sockets.connectPath(this.#path(to, 't'));
    } catch {
      const here = (await this.#members()).some(({ address }) => address === formatAddress(to.address));
      throw new SocketError(here ? e.ECONNREFUSED : e.EHOSTUNREACH);
    }
    const local = { address: this.address, port: localPort };
    socket.write(callerBytes(local));
    return this.meter(socket, local, to);
  }

  async serveDatagrams(port: number, receive: (bytes: Uint8Array, from: SocketAddress) => void): Promise<ByteServer> {
    return this.#serve(this.#path({ address: this.address, port }, 'u'), (socket) => {
      this.#open.add(socket);
      let left: Uint8Array = new Uint8Array(0);
      const data = (bytes: Uint8Array) => {
        const all = new Uint8Array(left.length + bytes.length);
        all.set(left);
        all.set(bytes, left.length);
        let at = 0;
        while (all.length - at >= DATAGRAM_HEADER) {
          const length = (all[at]! << 8) | all[at + 1]!;
          if (all.length - at < DATAGRAM_HEADER + length) break;
          const body = all.slice(at + DATAGRAM_HEADER, at + DATAGRAM_HEADER + length);
          this.count('rx', length);
          receive(body, callerFrom(all.subarray(at + 2)));
          at += DATAGRAM_HEADER + length;
        }
        left = all.slice(at);
      };
      const closed = () => {
        this.#open.delete(socket);
      };
      socket.listen({ data, end: () => socket.end(), drained: () => {}, closed });
    });
  }

  /** A way for datagrams from one port; `close` gives its connections back. */
  datagramSender(port: number): { send(bytes: Uint8Array, to: SocketAddress): void; close(): void } {
    const ways = new Map<string, Promise<ByteSocket>>();
    const from = callerBytes({ address: this.address, port });
    const open = (path: string): Promise<ByteSocket> => {
      const way = this.#sockets.connectPath(path).then((socket) => {
        this.#open.add(socket);
        const closed = () => {
          this.#open.delete(socket);
          ways.delete(path);
        };
        socket.listen({ data: () => {}, end: () => socket.end(), drained: () => {}, closed });
        const timer = setTimeout(() => {
          ways.delete(path);
          socket.end();
        }, UDP_IDLE_MS);
        (timer as { unref?(): void }).unref?.();
        return socket;
      });
      ways.set(path, way);
      // Nobody there: datagrams go nowhere, as they do on a wire.
      way.catch(() => ways.delete(path));
      return way;
    };
    return {
      send: (bytes, to) => {
        const frame = new Uint8Array(DATAGRAM_HEADER + bytes.length);
        frame.set([bytes.length >> 8, bytes.length & 255]);
        frame.set(from, 2);
        frame.set(bytes, DATAGRAM_HEADER);
        this.count('tx', bytes.length);
        const path = this.#path(to, 'u');
        (ways.get(path) ?? open(path)).then((socket) => socket.write(frame)).catch(() => {});
      },
      close: () => {
        for (const way of ways.values()) way.then((socket) => socket.end()).catch(() => {});
      },
    };
  }

  /** Address of another container here, by one of its names. */
  async find(name: string): Promise<Uint8Array | undefined> {
    const wanted = name.toLowerCase();
    for (const { address, names } of await this.#members()) {
      const known = names.some((own) => {
        const lower = own.toLowerCase();
        return lower === wanted || `${lower}.${this.plan.name.toLowerCase()}` === wanted;
      });
      if (known) return parseAddress(address);
    }
    return undefined;
  }

  count(way: 'rx' | 'tx', bytes: number): void {
    const { counters } = this;
    if (way === 'rx') {
      counters.rxBytes += bytes;
      counters.rxPackets++;
    } else {
      counters.txBytes += bytes;
      counters.txPackets++;
    }
  }

  /** The same connection, counted as this network's and ended with it. */
  meter(socket: ByteSocket, local: SocketAddress, peer: SocketAddress, rest?: Uint8Array): ByteSocket {
    const metered = new MeteredSocket(this, socket, local, peer, rest, () => this.#open.delete(metered));
    if (this.#closed) socket.destroy();
    else this.#open.add(metered);
    return metered;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    for (const socket of this.#open) socket.destroy();
    await this.#sockets.remove(`${this.#directory}/n${hex(this.address)}`);
  }

  async #serve(path: string, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
    // Addresses are given to one container at a time: what is there was left by a process that was killed.
    await this.#sockets.makeDirectory(this.#directory);
    await this.#sockets.remove(path);
    const server = await this.#sockets.listenPath(path, accept);
    const served: ByteServer = {
      address: server.address,
      close: () => {
        this.#servers.delete(served);
        server.close();
      },
    };
    this.#servers.add(served);
    if (this.#closed) served.close();
    return served;
  }

  async #members(): Promise<readonly { address: string; names: readonly string[] }[]> {
    const members: { address: string; names: readonly string[] }[] = [];
    for (const text of await this.#sockets.readFiles(this.#directory, 'n')) {
      try {
        const { address, names, pid } = JSON.parse(text) as { address: string; names: readonly string[]; pid: number };
        if (this.#sockets.isAlive(pid)) members.push({ address, names });
      } catch {
        // Half written, or gone: nobody, so far.
      }
    }
    return members;
  }

  #path({ address, port }: SocketAddress, protocol: 't' | 'u'): string {
    return `${this.#directory}/${hex(address)}${port.toString(16).padStart(4, '0')}${protocol}`;
  }
}

class MeteredSocket implements ByteSocket {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  readonly #network: Attachment;
  readonly #socket: ByteSocket;
  readonly #gone: () => void;
  #rest: Uint8Array | undefined;

  constructor(
    network: Attachment,
    socket: ByteSocket,
    local: SocketAddress,
    peer: SocketAddress,
    rest: Uint8Array | undefined,
    gone: () => void,
  ) {
    this.#network = network;
    this.#socket = socket;
    this.local = local;
    this.peer = peer;
    this.#rest = rest;
    this.#gone = gone;
  }

  write(bytes: Uint8Array): boolean {
    this.#network.count('tx', bytes.length);
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  listen(handlers: ByteHandlers): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined && rest.length > 0) {
      this.#network.count('rx', rest.length);
      handlers.data(rest);
    }
    this.#socket.listen({
      data: (bytes) => {
        this.#network.count('rx', bytes.length);
        handlers.data(bytes);
      },
      end: () => handlers.end(),
      drained: () => handlers.drained(),
      closed: (errno) => {
        this.#gone();
        handlers.closed(errno);
      },
    });
  }
}

function callerBytes({ address, port }: SocketAddress): Uint8Array {
  return Uint8Array.of(...address.subarray(0, 4), port >> 8, port & 255);
}

function callerFrom(bytes: Uint8Array): SocketAddress {
  return { address: bytes.slice(0, 4), port: (bytes[4]! << 8) | bytes[5]! };
}

/** The first bytes of a connection; the socket is paused when `done` is called. */
function readCaller(socket: ByteSocket, done: (peer: SocketAddress, rest: Uint8Array) => void): void {
  let seen: Uint8Array = new Uint8Array(0);
  socket.listen({
    data: (bytes) => {
      const all = new Uint8Array(seen.length + bytes.length);
      all.set(seen);
      all.set(bytes, seen.length);
      seen = all;
      if (seen.length < CALLER_BYTES) return;
      socket.pause();
      done(callerFrom(seen), seen.slice(CALLER_BYTES));
    },
    end: () => socket.destroy(),
    drained: () => {},
    closed: () => {},
  });
}

function hex(address: Uint8Array): string {
  return v4Number(address).toString(16).padStart(8, '0');
}

export function isOwn(attachments: readonly Attachment[], address: Uint8Array): boolean {
  return attachments.some((attachment) => sameAddress(attachment.address, address));
}

/**
 * A container on one network. What it serves there are sockets in the network's directory (endpoints.ts):
 *
 * ```
 * <network id, 10 digits>/...      of the network
 * l<container id, 10 digits>/...   of a container's own loopback, for those that share its network
 * s<network id, 10 digits>         the network's subnets, a line each: for those not on it, nowhere
 * ```
 */
import type { SocketAddress } from '../wasi/ports.ts';
import { LOOPBACK_V4, LOOPBACK_V6, parseAddress, sameAddress } from './address.ts';
import { DatagramSender, receiveDatagrams } from './datagrams.ts';
import { callerBytes, callerLength, type EndpointKind, Endpoints, type Member, readCaller } from './endpoints.ts';
import * as e from './errno.ts';
import type { ByteServer, ByteSocket, HostSockets } from './host-sockets.ts';
import { type Meter, MeteredSocket } from './metered-socket.ts';
import type { NetworkAttachment } from './port.ts';
import { parseSubnet, type Subnet, subnetHolds } from './subnet.ts';
import { SocketError } from './transport.ts';

export interface Counters {
  rxBytes: number;
  rxPackets: number;
  txBytes: number;
  txPackets: number;
}

type Receive = (bytes: Uint8Array, from: SocketAddress) => void;

export interface DatagramWay {
  send(bytes: Uint8Array, to: SocketAddress): void;
  close(): void;
}

export class Attachment implements Meter {
  plan: NetworkAttachment;
  readonly address: Uint8Array;
  readonly address6: Uint8Array | undefined;
  readonly counters: Counters = { rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0 };
  readonly #gateways: readonly (Uint8Array | undefined)[];
  readonly #subnets: readonly Subnet[];
  readonly #sockets: HostSockets;
  readonly #endpoints: Endpoints;
  readonly #subnetFile: string | undefined;
  readonly #servers = new Set<ByteServer>();
  readonly #open = new Set<ByteSocket>();
  #announced = false;
  #closed = false;

  constructor(plan: NetworkAttachment, sockets: HostSockets, directory: string, subnetFile?: string) {
    this.plan = plan;
    this.address = parseAddress(plan.address) ?? new Uint8Array(4);
    this.address6 = parseAddress(plan.ipv6?.address ?? '');
    this.#gateways = [parseAddress(plan.gateway), parseAddress(plan.ipv6?.gateway ?? '')];
    this.#subnets = [plan.subnet, plan.ipv6?.subnet ?? ''].flatMap((text) => parseSubnet(text) ?? []);
    this.#sockets = sockets;
    this.#endpoints = new Endpoints(directory, sockets);
    this.#subnetFile = subnetFile;
  }

  static on(plan: NetworkAttachment, sockets: HostSockets, directory: string): Attachment {
    const id = plan.id.slice(0, 10);
    return new Attachment(plan, sockets, `${directory}/${id}`, `${directory}/s${id}`);
  }

  /** The loopback of a container, for those that share its network. */
  static loopback(owner: string, sockets: HostSockets, directory: string): Attachment {
    const ipv6 = { subnet: '::1/128', gateway: '', address: '::1' };
    const [address, subnet] = ['127.0.0.1', '127.0.0.0/8'];
    const rest = { id: owner, name: 'lo', internal: true, gateway: '', names: [], links: {} };
    return new Attachment({ ...rest, address, subnet, ipv6 }, sockets, `${directory}/l${owner.slice(0, 10)}`);
  }

  /** Others find it from now on. */
  async announce(): Promise<void> {
    this.#announced = true;
    const { subnet, ipv6, names } = this.plan;
    if (this.#subnetFile !== undefined) {
      await this.#sockets.makeDirectory(this.#endpoints.directory);
      await this.#sockets.writeFile(
        this.#subnetFile,
        [subnet, ...(ipv6 === undefined ? [] : [ipv6.subnet])].join('\n'),
      );
    }
    await this.#endpoints.announce({ address: this.address, address6: this.address6, names });
  }

  /** Other names from now on. */
  async rename(plan: NetworkAttachment): Promise<void> {
    const before = this.plan;
    this.plan = plan;
    if (before.names.join() !== plan.names.join()) await this.announce();
  }

  /** An address of its subnets. */
  holds(address: Uint8Array): boolean {
    return this.#subnets.some((subnet) => subnetHolds(subnet, address));
  }

  owns(address: Uint8Array): boolean {
    return sameAddress(this.address, address) || (this.address6 !== undefined && sameAddress(this.address6, address));
  }

  gateway(family: 4 | 6): Uint8Array | undefined {
    return this.#gateways[family === 4 ? 0 : 1];
  }

  isGateway(address: Uint8Array): boolean {
    return this.#gateways.some((gateway) => gateway !== undefined && sameAddress(gateway, address));
  }

  /** Undefined where the network has none of that family. */
  own(family: 4 | 6): Uint8Array | undefined {
    return family === 4 ? this.address : this.address6;
  }

  /** Serves a TCP port of the container here. Throws EADDRINUSE when one that shares its network does. */
  serve(family: 4 | 6, port: number, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
    const local = { address: this.own(family)!, port };
    const kind = family === 4 ? 't' : 'T';
    return this.#serve(port, kind, (socket) => {
      readCaller(socket, callerLength(kind), (peer, rest) => accept(this.meter(socket, local, peer, rest)));
    });
  }

  /** Throws ECONNREFUSED when nobody listens there, EHOSTUNREACH when nobody is there. `from`: in place of its own. */
  async connect(to: SocketAddress, localPort: number, from?: SocketAddress): Promise<ByteSocket> {
    const family = to.address.length === 4 ? 4 : 6;
    const peer = await this.#peer(to.address);
    if (peer === undefined) throw new SocketError(e.EHOSTUNREACH);
    let socket: ByteSocket;
    try {
      socket = await this.#sockets.connectPath(this.#endpoints.path(peer, to.port, family === 4 ? 't' : 'T'));
    } catch {
      const here = this.owns(to.address) || (await this.#endpoints.memberAt(to.address)) !== undefined;
      throw new SocketError(here ? e.ECONNREFUSED : e.EHOSTUNREACH);
    }
    const local = { address: this.own(family)!, port: localPort };
    socket.write(callerBytes(from ?? local));
    return this.meter(socket, local, to);
  }

  serveDatagrams(family: 4 | 6, port: number, receive: Receive): Promise<ByteServer> {
    const kind = family === 4 ? 'u' : 'U';
    return this.#serve(port, kind, (socket) => {
      this.#open.add(socket);
      const counted: Receive = (bytes, from) => {
        this.count('rx', bytes.length);
        receive(bytes, from);
      };
      receiveDatagrams(socket, callerLength(kind), counted, () => this.#open.delete(socket));
    });
  }

  /** A way for datagrams from one port; `close` gives its connections back. */
  datagramSender(port: number): DatagramWay {
    const sender = new DatagramSender((path) => this.#sockets.connectPath(path));
    return {
      send: (bytes, to) => {
        const family = to.address.length === 4 ? 4 : 6;
        this.count('tx', bytes.length);
        const from = { address: this.own(family)!, port };
        const deliver = (peer: Uint8Array | undefined) => {
          if (peer === undefined) return;
          sender.send(this.#endpoints.path(peer, to.port, family === 4 ? 'u' : 'U'), bytes, from);
        };
        if (family === 4) deliver(to.address);
        else this.#peer(to.address).then(deliver, () => {});
      },
      close: () => sender.close(),
    };
  }

  /** Another container here, by one of its names. */
  async find(name: string): Promise<Member | undefined> {
    const wanted = name.toLowerCase();
    const network = this.plan.name.toLowerCase();
    return (await this.#endpoints.members()).find(({ names }) =>
      names.some((own) => {
        const lower = own.toLowerCase();
        return lower === wanted || `${lower}.${network}` === wanted;
      }),
    );
  }

  at(address: Uint8Array): Promise<Member | undefined> {
    return this.#endpoints.memberAt(address);
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
    if (this.#announced) await this.#endpoints.leave(this.address);
    if (this.#subnetFile === undefined) await this.#sockets.remove(this.#endpoints.directory);
  }

  /** The address of IPv4 of who has this one. */
  async #peer(address: Uint8Array): Promise<Uint8Array | undefined> {
    if (address.length === 4) return address;
    if (this.owns(address)) return this.address;
    return (await this.#endpoints.memberAt(address))?.address;
  }

  async #serve(port: number, kind: EndpointKind, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
    const path = this.#endpoints.path(this.address, port, kind);
    await this.#sockets.makeDirectory(this.#endpoints.directory);
    await this.#mustBeFree(path);
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

  /** Where nobody answers, what is there was left by a process that was killed. */
  async #mustBeFree(path: string): Promise<void> {
    const there = await this.#sockets.connectPath(path).catch(() => undefined);
    if (there !== undefined) {
      there.destroy();
      throw new SocketError(e.EADDRINUSE);
    }
    await this.#sockets.remove(path);
  }
}

export function isOwn(attachments: readonly Attachment[], address: Uint8Array): boolean {
  return attachments.some((attachment) => attachment.owns(address));
}

export function loopback(family: 4 | 6): Uint8Array {
  return family === 4 ? LOOPBACK_V4 : LOOPBACK_V6;
}

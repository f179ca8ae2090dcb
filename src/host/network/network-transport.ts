/** `--network none` and networks of one's own: a loopback that is the container's, and its networks. */
import type { SocketAddress } from '../wasi/ports.ts';
import { ANY_V4, isAny, isLoopback, LOOPBACK_V4, parseSubnet, sameAddress, subnetHolds, unmapped } from './address.ts';
import { Attachment, isOwn } from './attachment.ts';
import * as e from './errno.ts';
import type { ByteServer, ByteSocket, DatagramSocket, HostSockets } from './host-sockets.ts';
import { socketPair } from './pair.ts';
import type { NetworkPlan } from './port.ts';
import { type PortEntry, PortTable } from './port-table.ts';
import { type BoundPort, SocketError, type Transport } from './transport.ts';

type Accept = (socket: ByteSocket) => void;
type Receive = (bytes: Uint8Array, from: SocketAddress) => void;

interface Bound extends BoundPort {
  readonly entry: PortEntry<Accept>;
}

/** Sends to a peer by the published port it came in by; false when it did not. */
type AnswerPublished = (port: number, to: SocketAddress, bytes: Uint8Array) => boolean;

export class NetworkTransport implements Transport {
  readonly #sockets: HostSockets;
  readonly #tcp = new PortTable<Accept>();
  readonly #udp = new PortTable<Receive>();
  readonly #servers = new Map<PortEntry<unknown>, Map<Attachment, ByteServer>>();
  #attachments: readonly Attachment[] = [];
  #plan: NetworkPlan;
  #hosts: (name: string) => Uint8Array | undefined;
  published: AnswerPublished | undefined;

  constructor(plan: NetworkPlan, sockets: HostSockets, hosts: (name: string) => Uint8Array | undefined) {
    this.#plan = plan;
    this.#sockets = sockets;
    this.#hosts = hosts;
  }

  get attachments(): readonly Attachment[] {
    return this.#attachments;
  }

  /** Joins and leaves networks. What listens on every address does so on the new ones too. */
  async update(plan: NetworkPlan, hosts: (name: string) => Uint8Array | undefined): Promise<void> {
    this.#plan = plan;
    this.#hosts = hosts;
    const kept = this.#attachments.filter((attachment) =>
      plan.networks.some(({ id, address }) => id === attachment.plan.id && address === attachment.plan.address),
    );
    const gone = this.#attachments.filter((attachment) => !kept.includes(attachment));
    const added = plan.networks
      .filter(({ id }) => !kept.some((attachment) => attachment.plan.id === id))
      .map((network) => new Attachment(network, this.#sockets, plan.directory));
    this.#attachments = [...kept, ...added];
    for (const attachment of gone) {
      for (const servers of this.#servers.values()) servers.delete(attachment);
      await attachment.close();
    }
    for (const attachment of added) {
      for (const entry of this.#tcp) if (entry.value !== undefined) await this.#serveOn(attachment, entry);
      for (const entry of this.#udp) await this.#serveDatagramsOn(attachment, entry);
      await attachment.announce();
    }
  }

  bindTcp(at: SocketAddress): Bound {
    return this.#bind(at);
  }

  /** A listening socket made for the guest; one it makes itself on this port takes its place. */
  bindSoft(port: number, evicted: () => void): BoundPort {
    return this.#bind({ address: ANY_V4, port }, evicted);
  }

  isTaken(port: number): boolean {
    return this.#tcp.isTaken(port);
  }

  #bind(at: SocketAddress, evicted?: () => void): Bound {
    const address = unmapped(at.address);
    if (!isAny(address) && !isLoopback(address) && !isOwn(this.#attachments, address)) {
      throw new SocketError(e.EADDRNOTAVAIL);
    }
    let bound: Bound;
    const soft =
      evicted === undefined
        ? undefined
        : () => {
            bound.release();
            evicted();
          };
    const entry = this.#tcp.claim(
      { address: isLoopback(address) ? LOOPBACK_V4 : address, port: at.port },
      undefined,
      soft,
    );
    const release = () => {
      this.#tcp.release(entry);
      this.#stopServing(entry);
    };
    bound = {
      entry,
      address: { address: isAny(at.address) ? at.address : address, port: entry.address.port },
      release,
    };
    return bound;
  }

  async listenTcp(port: BoundPort, _backlog: number, accept: Accept): Promise<ByteServer> {
    const { entry } = port as Bound;
    entry.value = accept;
    for (const attachment of this.#attachments) await this.#serveOn(attachment, entry);
    return { address: port.address, close: () => port.release() };
  }

  async connectTcp(to: SocketAddress): Promise<ByteSocket> {
    const address = unmapped(to.address);
    if (isAny(address) || isLoopback(address) || isOwn(this.#attachments, address)) {
      const own = isAny(address) || isLoopback(address) ? LOOPBACK_V4 : address;
      return this.#connectOwn({ address: own, port: to.port });
    }
    if (address.length === 16) throw new SocketError(e.ENETUNREACH);
    const network = this.#attachments.find((attachment) => attachment.holds(address));
    const local = this.#tcp.claim({ address: ANY_V4, port: 0 });
    this.#tcp.release(local);
    if (network !== undefined && network.gateway !== undefined && sameAddress(network.gateway, address)) {
      if (!this.#hostAllowed() || network.plan.internal) throw new SocketError(e.ECONNREFUSED);
      return this.#connectOut(network, { address: LOOPBACK_V4, port: to.port }, to);
    }
    if (network !== undefined) return network.connect({ address, port: to.port }, local.address.port);
    const way = this.#wayOut();
    if (way === undefined) throw new SocketError(e.ENETUNREACH);
    if (await this.#isElsewhere(address)) throw new SocketError(e.EHOSTUNREACH);
    return this.#connectOut(way, { address, port: to.port }, to);
  }

  async bindUdp(at: SocketAddress, receive: Receive): Promise<DatagramSocket> {
    const address = unmapped(at.address);
    if (!isAny(address) && !isLoopback(address) && !isOwn(this.#attachments, address)) {
      throw new SocketError(e.EADDRNOTAVAIL);
    }
    const entry = this.#udp.claim({ address: isLoopback(address) ? LOOPBACK_V4 : address, port: at.port }, receive);
    for (const attachment of this.#attachments) await this.#serveDatagramsOn(attachment, entry);
    const { port } = entry.address;
    const senders = new Map<Attachment, ReturnType<Attachment['datagramSender']>>();
    let outside: Promise<DatagramSocket> | undefined;
    const send = (bytes: Uint8Array, target: SocketAddress) => {
      const to = { address: unmapped(target.address), port: target.port };
      const loopback = isAny(to.address) || isLoopback(to.address);
      if (loopback || isOwn(this.#attachments, to.address)) {
        const own = loopback ? LOOPBACK_V4 : to.address;
        this.#udp.find({ address: own, port: to.port })?.value?.(bytes, { address: own, port });
        return;
      }
      if (this.published?.(port, to, bytes) === true) {
        this.#wayOut()?.count('tx', bytes.length);
        return;
      }
      if (to.address.length === 16) return;
      const network = this.#attachments.find((attachment) => attachment.holds(to.address));
      if (network !== undefined) {
        let sender = senders.get(network);
        if (sender === undefined) {
          sender = network.datagramSender(port);
          senders.set(network, sender);
        }
        sender.send(bytes, to);
        return;
      }
      const way = this.#wayOut();
      if (way === undefined) return;
      way.count('tx', bytes.length);
      outside ??= this.#sockets.bindUdp({ address: ANY_V4, port: 0 }, (answer, from) => {
        way.count('rx', answer.length);
        receive(answer, from);
      });
      outside
        .then(async (socket) => {
          if (!(await this.#isElsewhere(to.address))) socket.send(bytes, to);
        })
        .catch(() => {});
    };
    const close = () => {
      this.#udp.release(entry);
      this.#stopServing(entry);
      for (const sender of senders.values()) sender.close();
      outside?.then((socket) => socket.close()).catch(() => {});
    };
    return { address: { address: at.address, port }, send, close };
  }

  /** Names of the container's networks come first, then its hosts, then the host's resolver, if there is a way out. */
  async resolve(name: string, family: 0 | 4 | 6): Promise<readonly Uint8Array[]> {
    const plain = name.replace(/\.$/, '');
    const host = this.#hosts(plain);
    if (host !== undefined) return family === 6 && host.length === 4 ? [] : [host];
    for (const attachment of this.#attachments) {
      const linked = attachment.plan.links[plain];
      const found = await attachment.find(linked ?? plain);
      if (found !== undefined) return family === 6 ? [] : [found];
    }
    if (this.#wayOut() === undefined) throw new SocketError(e.ENOENT);
    const found = await this.#sockets.lookup(plain, family);
    return found.filter((address) => address.length === 4);
  }

  /** The host is the gateway: a guest that trusts its own loopback must not trust the host's. */
  shownPeer(peer: SocketAddress): SocketAddress {
    const gateway = (this.#wayOut() ?? this.#attachments[0])?.gateway;
    return isLoopback(unmapped(peer.address)) && gateway !== undefined ? { address: gateway, port: peer.port } : peer;
  }

  /** A connection from the host to a published port. */
  acceptPublished(port: number, socket: ByteSocket): void {
    const network = this.#wayOut() ?? this.#attachments[0];
    const local = { address: network?.address ?? LOOPBACK_V4, port };
    const accept = network === undefined ? undefined : this.#tcp.find(local)?.value;
    if (accept === undefined || network === undefined) socket.destroy();
    else accept(network.meter(socket, local, this.shownPeer(socket.peer)));
  }

  receivePublished(port: number, bytes: Uint8Array, from: SocketAddress): void {
    const network = this.#wayOut() ?? this.#attachments[0];
    if (network === undefined) return;
    network.count('rx', bytes.length);
    this.#udp.find({ address: network.address, port })?.value?.(bytes, from);
  }

  async close(): Promise<void> {
    const all = this.#attachments;
    this.#attachments = [];
    for (const attachment of all) await attachment.close();
  }

  #connectOwn(to: SocketAddress): ByteSocket {
    const accept = this.#tcp.find(to)?.value;
    if (accept === undefined) throw new SocketError(e.ECONNREFUSED);
    const claimed = this.#tcp.claim({ address: ANY_V4, port: 0 });
    const [client, server] = socketPair({ address: to.address, port: claimed.address.port }, to);
    this.#tcp.release(claimed);
    accept(server);
    return client;
  }

  async #connectOut(way: Attachment, to: SocketAddress, shown: SocketAddress): Promise<ByteSocket> {
    const socket = await this.#sockets.connectTcp(to);
    return way.meter(socket, { address: way.address, port: socket.local.port }, shown);
  }

  /** On a network of others. Their addresses are no addresses of the outside, which may know the same ones. */
  async #isElsewhere(address: Uint8Array): Promise<boolean> {
    const subnets = await this.#sockets.readFiles(this.#plan.directory, 's');
    return subnets.some((text) => {
      const subnet = parseSubnet(text);
      return subnet !== undefined && subnetHolds(subnet, address);
    });
  }

  #wayOut(): Attachment | undefined {
    return this.#attachments.find(({ plan }) => !plan.internal);
  }

  /** The host itself only when it was named. */
  #hostAllowed(): boolean {
    return this.#plan.extraHosts.some((host) => host.endsWith(':host-gateway') || host.endsWith('=host-gateway'));
  }

  async #serveOn(attachment: Attachment, entry: PortEntry<Accept>): Promise<void> {
    const { address, port } = entry.address;
    if (!isAny(address) && !sameAddress(address, attachment.address)) return;
    await this.#served(
      attachment,
      entry,
      attachment.serve(port, (socket) => entry.value?.(socket)),
    );
  }

  async #serveDatagramsOn(attachment: Attachment, entry: PortEntry<Receive>): Promise<void> {
    const { address, port } = entry.address;
    if (!isAny(address) && !sameAddress(address, attachment.address)) return;
    const receive: Receive = (bytes, from) => entry.value?.(bytes, from);
    await this.#served(attachment, entry, attachment.serveDatagrams(port, receive));
  }

  async #served(attachment: Attachment, entry: PortEntry<unknown>, server: Promise<ByteServer>): Promise<void> {
    const servers = this.#servers.get(entry) ?? new Map<Attachment, ByteServer>();
    this.#servers.set(entry, servers);
    servers.set(attachment, await server);
  }

  #stopServing(entry: PortEntry<unknown>): void {
    for (const server of this.#servers.get(entry)?.values() ?? []) server.close();
    this.#servers.delete(entry);
  }
}

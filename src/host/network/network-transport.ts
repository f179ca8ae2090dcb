/** `--network none` and networks of one's own: a loopback that is the container's, and its networks. */
import type { SocketAddress } from '../wasi/ports.ts';
import { ANY_V4, ANY_V6, isAny, isLoopback, unmapped } from './address.ts';
import { Attachment, type DatagramWay, isOwn, loopback } from './attachment.ts';
import * as e from './errno.ts';
import type { ByteServer, ByteSocket, DatagramSocket, HostSockets } from './host-sockets.ts';
import type { Hosts } from './hosts.ts';
import { mayReach } from './outside.ts';
import { socketPair } from './pair.ts';
import type { NetworkPlan } from './port.ts';
import { type PortEntry, PortTable } from './port-table.ts';
import { relay } from './relay.ts';
import { isResolver, Resolver } from './resolver.ts';
import { parseSubnet, subnetHolds } from './subnet.ts';
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
  readonly #servers = new Map<PortEntry<unknown>, Set<ByteServer>>();
  /** For those that share this network. */
  readonly #loopback: Attachment;
  readonly #resolver: Resolver;
  #attachments: readonly Attachment[] = [];
  #plan: NetworkPlan;
  #hosts: Hosts;
  published: AnswerPublished | undefined;

  constructor(plan: NetworkPlan, sockets: HostSockets, hosts: Hosts) {
    this.#plan = plan;
    this.#sockets = sockets;
    this.#hosts = hosts;
    this.#loopback = Attachment.loopback(plan.owner, sockets, plan.directory);
    this.#resolver = new Resolver({
      sockets,
      hosts: () => this.#hosts,
      attachments: () => this.#attachments,
      plan: () => this.#plan,
      hasWayOut: (family) => this.#wayOut(family) !== undefined,
    });
  }

  get attachments(): readonly Attachment[] {
    return this.#attachments;
  }

  /** Joins and leaves networks. What listens on every address does so on the new ones too. */
  async update(plan: NetworkPlan, hosts: Hosts): Promise<void> {
    this.#plan = plan;
    this.#hosts = hosts;
    const kept = this.#attachments.filter((attachment) =>
      plan.networks.some(({ id, address }) => id === attachment.plan.id && address === attachment.plan.address),
    );
    const gone = this.#attachments.filter((attachment) => !kept.includes(attachment));
    const added = plan.networks
      .filter(({ id }) => !kept.some((attachment) => attachment.plan.id === id))
      .map((network) => Attachment.on(network, this.#sockets, plan.directory));
    this.#attachments = [...kept, ...added];
    for (const attachment of gone) await attachment.close();
    for (const attachment of added) {
      for (const entry of this.#tcp) if (entry.value !== undefined) await this.#serveOn(attachment, entry);
      for (const entry of this.#udp) await this.#serveDatagramsOn(attachment, entry);
      if (plan.joined !== true) await attachment.announce();
    }
    // Names it was given since.
    if (plan.joined !== true) {
      const names = new Map(plan.networks.map((network) => [network.id, network]));
      for (const attachment of kept) await attachment.rename(names.get(attachment.plan.id)!);
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
    const address = this.#bindable(at.address);
    let bound: Bound;
    const soft =
      evicted === undefined
        ? undefined
        : () => {
            bound.release();
            evicted();
          };
    const entry = this.#tcp.claim({ address, port: at.port }, undefined, soft);
    const release = () => {
      this.#tcp.release(entry);
      this.#stopServing(entry);
    };
    bound = { entry, address: { address, port: entry.address.port }, release };
    return bound;
  }

  async listenTcp(port: BoundPort, _backlog: number, accept: Accept): Promise<ByteServer> {
    const { entry } = port as Bound;
    entry.value = accept;
    try {
      for (const attachment of [this.#loopback, ...this.#attachments]) await this.#serveOn(attachment, entry);
    } catch (error) {
      port.release();
      throw error;
    }
    return { address: port.address, close: () => port.release() };
  }

  async connectTcp(to: SocketAddress): Promise<ByteSocket> {
    const address = unmapped(to.address);
    const family = address.length === 4 ? 4 : 6;
    if (isAny(address) || isLoopback(address) || isOwn(this.#attachments, address)) {
      const own = isAny(address) || isLoopback(address) ? loopback(family) : address;
      return this.#connectOwn({ address: own, port: to.port });
    }
    const network = this.#attachments.find((attachment) => attachment.holds(address));
    const local = this.#ephemeral();
    if (network?.isGateway(address) === true) {
      if (!this.#hosts.hasHost || network.plan.internal) throw new SocketError(e.ECONNREFUSED);
      return this.#connectOut(network, { address: loopback(family), port: to.port }, { address, port: to.port });
    }
    if (network !== undefined) return network.connect({ address, port: to.port }, local);
    const way = this.#wayOut(family);
    if (way === undefined || !mayReach(address, this.#hosts.named)) throw new SocketError(e.ENETUNREACH);
    if (await this.#isElsewhere(address)) throw new SocketError(e.EHOSTUNREACH);
    return this.#connectOut(way, { address, port: to.port }, { address, port: to.port });
  }

  async bindUdp(at: SocketAddress, receive: Receive): Promise<DatagramSocket> {
    const entry = this.#udp.claim({ address: this.#bindable(at.address), port: at.port }, receive);
    const { port } = entry.address;
    try {
      for (const attachment of [this.#loopback, ...this.#attachments]) await this.#serveDatagramsOn(attachment, entry);
    } catch (error) {
      this.#udp.release(entry);
      this.#stopServing(entry);
      throw error;
    }
    const senders = new Map<Attachment, DatagramWay>();
    const through = (attachment: Attachment) => {
      const sender = senders.get(attachment) ?? attachment.datagramSender(port);
      senders.set(attachment, sender);
      return sender;
    };
    const outside = new Map<4 | 6, Promise<DatagramSocket>>();
    const sendOut = (bytes: Uint8Array, to: SocketAddress) => {
      const family = to.address.length === 4 ? 4 : 6;
      const way = this.#wayOut(family);
      if (way === undefined || !mayReach(to.address, this.#hosts.named)) return;
      way.count('tx', bytes.length);
      const opened =
        outside.get(family) ??
        this.#sockets.bindUdp({ address: family === 4 ? ANY_V4 : ANY_V6, port: 0 }, (answer, from) => {
          way.count('rx', answer.length);
          receive(answer, from);
        });
      outside.set(family, opened);
      opened
        .then(async (socket) => {
          if (!(await this.#isElsewhere(to.address))) socket.send(bytes, to);
        })
        .catch(() => {});
    };
    const send = (bytes: Uint8Array, target: SocketAddress) => {
      const to = { address: unmapped(target.address), port: target.port };
      if (isResolver(to)) {
        this.#resolver.answer(bytes).then(
          (answer) => answer !== undefined && receive(answer, to),
          () => {},
        );
        return;
      }
      const local = isAny(to.address) || isLoopback(to.address);
      if (local || isOwn(this.#attachments, to.address)) {
        const own = local ? loopback(to.address.length === 4 ? 4 : 6) : to.address;
        const value = this.#udp.find({ address: own, port: to.port })?.value;
        if (value !== undefined) value(bytes, { address: own, port });
        else through(this.#holding(own)).send(bytes, { address: own, port: to.port });
        return;
      }
      if (this.published?.(port, to, bytes) === true) {
        this.#wayOut(4)?.count('tx', bytes.length);
        return;
      }
      const network = this.#attachments.find((attachment) => attachment.holds(to.address));
      if (network === undefined) sendOut(bytes, to);
      else through(network).send(bytes, to);
    };
    const close = () => {
      this.#udp.release(entry);
      this.#stopServing(entry);
      for (const sender of senders.values()) sender.close();
      for (const socket of outside.values()) socket.then((opened) => opened.close()).catch(() => {});
    };
    return { address: { address: at.address, port }, send, close };
  }

  resolve(name: string, family: 0 | 4 | 6): Promise<readonly Uint8Array[]> {
    return this.#resolver.resolve(name, family);
  }

  /** The host is the gateway: a guest that trusts its own loopback must not trust the host's. */
  shownPeer(peer: SocketAddress): SocketAddress {
    return this.#peerAs(4, peer);
  }

  /** A connection from the host to a published port. */
  acceptPublished(port: number, socket: ByteSocket): void {
    const network = this.#front();
    if (network === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: unmapped(socket.peer.address), port: socket.peer.port };
    const families: readonly (4 | 6)[] = peer.address.length === 16 && network.address6 !== undefined ? [6, 4] : [4];
    for (const family of families) {
      const local = { address: network.own(family)!, port };
      const accept = this.#tcp.find(local)?.value;
      if (accept === undefined) continue;
      accept(network.meter(socket, local, this.#peerAs(family, peer)));
      return;
    }
    // One that shares this network may listen there.
    network
      .connect({ address: network.address, port }, port, this.#peerAs(4, peer))
      .then((other) => relay(socket, other))
      .catch(() => socket.destroy());
  }

  receivePublished(port: number, bytes: Uint8Array, from: SocketAddress): void {
    const network = this.#front();
    if (network === undefined) return;
    network.count('rx', bytes.length);
    this.#udp.find({ address: network.address, port })?.value?.(bytes, from);
  }

  async close(): Promise<void> {
    const all = this.#attachments;
    this.#attachments = [];
    for (const attachment of [this.#loopback, ...all]) await attachment.close();
  }

  /** What a socket is claimed on. Throws EADDRNOTAVAIL for an address of others. */
  #bindable(given: Uint8Array): Uint8Array {
    const address = unmapped(given);
    if (isLoopback(address)) return loopback(address.length === 4 ? 4 : 6);
    if (!isAny(address) && !isOwn(this.#attachments, address)) throw new SocketError(e.EADDRNOTAVAIL);
    return address;
  }

  #ephemeral(): number {
    const claimed = this.#tcp.claim({ address: ANY_V4, port: 0 });
    this.#tcp.release(claimed);
    return claimed.address.port;
  }

  /** The network this address of its own is on. */
  #holding(own: Uint8Array): Attachment {
    return this.#attachments.find((attachment) => attachment.owns(own)) ?? this.#loopback;
  }

  async #connectOwn(to: SocketAddress): Promise<ByteSocket> {
    const accept = this.#tcp.find(to)?.value;
    const local = this.#ephemeral();
    // One that shares this network may listen there.
    if (accept === undefined) return this.#holding(to.address).connect(to, local);
    const [client, server] = socketPair({ address: to.address, port: local }, to);
    accept(server);
    return client;
  }

  async #connectOut(way: Attachment, to: SocketAddress, shown: SocketAddress): Promise<ByteSocket> {
    const socket = await this.#sockets.connectTcp(to);
    const own = way.own(shown.address.length === 4 ? 4 : 6) ?? way.address;
    return way.meter(socket, { address: own, port: socket.local.port }, shown);
  }

  /** On a network of others. Their addresses are no addresses of the outside, which may know the same ones. */
  async #isElsewhere(address: Uint8Array): Promise<boolean> {
    const files = await this.#sockets.readFiles(this.#plan.directory, 's');
    return files.some((text) =>
      text.split('\n').some((line) => {
        const subnet = parseSubnet(line);
        return subnet !== undefined && subnetHolds(subnet, address);
      }),
    );
  }

  #wayOut(family: 4 | 6): Attachment | undefined {
    return this.#attachments.find((attachment) => !attachment.plan.internal && attachment.own(family) !== undefined);
  }

  /** Where what comes to a published port comes in. */
  #front(): Attachment | undefined {
    return this.#wayOut(4) ?? this.#attachments[0];
  }

  #peerAs(family: 4 | 6, { address, port }: SocketAddress): SocketAddress {
    const plain = unmapped(address);
    const gateway = this.#front()?.gateway(family);
    const fits = plain.length === (family === 4 ? 4 : 16) && !isLoopback(plain);
    return { address: fits || gateway === undefined ? plain : gateway, port };
  }

  async #serveOn(attachment: Attachment, entry: PortEntry<Accept>): Promise<void> {
    for (const family of servedFamilies(attachment, entry.address.address)) {
      const server = await attachment.serve(family, entry.address.port, (socket) => entry.value?.(socket));
      this.#serves(entry, server);
    }
  }

  async #serveDatagramsOn(attachment: Attachment, entry: PortEntry<Receive>): Promise<void> {
    const receive: Receive = (bytes, from) => entry.value?.(bytes, from);
    for (const family of servedFamilies(attachment, entry.address.address)) {
      this.#serves(entry, await attachment.serveDatagrams(family, entry.address.port, receive));
    }
  }

  #serves(entry: PortEntry<unknown>, server: ByteServer): void {
    this.#servers.set(entry, (this.#servers.get(entry) ?? new Set()).add(server));
  }

  #stopServing(entry: PortEntry<unknown>): void {
    for (const server of this.#servers.get(entry) ?? []) server.close();
    this.#servers.delete(entry);
  }
}

/** `::` serves both families, 0.0.0.0 one, an address its own. */
function servedFamilies(attachment: Attachment, address: Uint8Array): readonly (4 | 6)[] {
  const family = address.length === 4 ? 4 : 6;
  if (!isAny(address)) return attachment.owns(address) ? [family] : [];
  const families: readonly (4 | 6)[] = family === 4 ? [4] : [4, 6];
  return families.filter((one) => attachment.own(one) !== undefined);
}

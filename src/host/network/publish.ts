/** Published ports: listeners of the host that lead to the container's. */
import { WctrError } from '../../errors.ts';
import type { PortBinding, PortMap } from '../../spec/engine-api.ts';
import type { SocketAddress } from '../wasi/ports.ts';
import { formatAddress, isAny, parseAddress, unmapped } from './address.ts';
import { EADDRINUSE, errnoOf } from './errno.ts';
import type { DatagramSocket, HostSockets } from './host-sockets.ts';
import type { NetworkTransport } from './network-transport.ts';

/** Where answers to datagrams go: as many as this, the oldest are forgotten. */
const MAX_PEERS = 4096;
const BACKLOG = 511;

export class PublishedPorts {
  readonly #sockets: HostSockets;
  readonly #transport: NetworkTransport;
  readonly #open: { close(): void }[] = [];
  /** By the peer's address as the guest sees it: the socket it came in by, and its own address. */
  readonly #peers = new Map<string, { readonly socket: DatagramSocket; readonly to: SocketAddress }>();
  readonly #ports: Record<string, PortBinding[]> = {};

  constructor(sockets: HostSockets, transport: NetworkTransport) {
    this.#sockets = sockets;
    this.#transport = transport;
    transport.published = (port, to, bytes) => {
      const peer = this.#peers.get(peerKey(port, to));
      peer?.socket.send(bytes, peer.to);
      return peer !== undefined;
    };
  }

  get ports(): PortMap {
    return this.#ports;
  }

  /** Throws 'conflict' for a port of the host that is taken, 'invalid-argument' for one that is none. */
  async open(publish: PortMap): Promise<void> {
    try {
      for (const [name, bindings] of Object.entries(publish)) {
        const { port, protocol } = parsePort(name);
        this.#ports[name] ??= [];
        for (const binding of bindings ?? []) this.#ports[name].push(...(await this.#publish(port, protocol, binding)));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    for (const server of this.#open) server.close();
    this.#open.length = 0;
    for (const name of Object.keys(this.#ports)) delete this.#ports[name];
  }

  async #publish(port: number, protocol: string, binding: PortBinding): Promise<PortBinding[]> {
    const { HostIp, HostPort } = binding;
    if (HostIp !== undefined && HostIp !== '' && parseAddress(HostIp) === undefined) {
      throw new WctrError('invalid-argument', `invalid host IP ${HostIp}`);
    }
    const addresses = HostIp === undefined || HostIp === '' ? ['0.0.0.0', '::'] : [HostIp];
    const isOneForBoth = addresses.length > 1 && protocol === 'tcp' && this.#sockets.isDualStack;
    if (isOneForBoth) addresses.reverse();
    const [first, last] = parseRange(HostPort ?? '');
    for (let candidate = first; ; candidate++) {
      const opened: { address: SocketAddress; close(): void }[] = [];
      try {
        for (const text of addresses) {
          const at = { address: parseAddress(text)!, port: opened[0]?.address.port ?? candidate };
          try {
            const isTaken = isOneForBoth && opened.length > 0;
            opened.push(isTaken ? { address: at, close() {} } : await this.#listen(port, protocol, at));
          } catch (error) {
            // A host without IPv6 publishes on IPv4.
            if (text !== '::' || addresses.length === 1 || errnoOf(error) === EADDRINUSE) throw error;
          }
        }
        this.#open.push(...opened);
        if (isOneForBoth) opened.reverse();
        return opened.map(({ address }) => ({
          HostIp: formatAddress(address.address),
          HostPort: String(address.port),
        }));
      } catch (error) {
        for (const server of opened) server.close();
        if (candidate < last) continue;
        throw publishError(error, HostIp || '0.0.0.0', first, last);
      }
    }
  }

  async #listen(port: number, protocol: string, at: SocketAddress): Promise<{ address: SocketAddress; close(): void }> {
    if (protocol === 'tcp') {
      const server = await this.#sockets.listenTcp(at, BACKLOG, (socket) =>
        this.#transport.acceptPublished(port, socket),
      );
      return { address: { address: at.address, port: server.address.port }, close: () => server.close() };
    }
    const socket: DatagramSocket = await this.#sockets.bindUdp(at, (bytes, from) => {
      const shown = this.#transport.shownPeer({ address: unmapped(from.address), port: from.port });
      const key = peerKey(port, shown);
      this.#peers.delete(key);
      this.#peers.set(key, { socket, to: from });
      if (this.#peers.size > MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
      this.#transport.receivePublished(port, bytes, shown);
    });
    return { address: { address: at.address, port: socket.address.port }, close: () => socket.close() };
  }
}

export function parsePort(name: string): { port: number; protocol: 'tcp' | 'udp' } {
  const [digits, protocol = 'tcp'] = name.split('/');
  const port = Number(digits);
  if (!/^\d+$/.test(digits ?? '') || port < 1 || port > 65535) {
    throw new WctrError('invalid-argument', `invalid containerPort: ${digits}`);
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new WctrError('unsupported', `cannot publish ${name}: only tcp and udp ports are supported`);
  }
  return { port, protocol };
}

/** `8080`, `8000-8010`, empty for any. */
function parseRange(text: string): readonly [number, number] {
  const match = /^(?:(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(text);
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? first);
  if (match === null || first > 65535 || last > 65535 || last < first) {
    throw new WctrError('invalid-argument', `invalid host port ${text}`);
  }
  return [first, last];
}

function publishError(error: unknown, host: string, first: number, last: number): unknown {
  if (errnoOf(error) !== EADDRINUSE) {
    const code = String((error as { code?: unknown }).code ?? error);
    return new WctrError('invalid-argument', `cannot listen on ${hostPort(host, first)}: ${code}`, { cause: error });
  }
  const what = first === last ? `Bind for ${hostPort(host, first)} failed: port is already allocated` : undefined;
  return new WctrError('conflict', what ?? `all ports of ${hostPort(host, first)}-${last} are already allocated`, {
    hint: 'stop what uses the port, or publish on another one',
    data: { host, port: first },
  });
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function peerKey(port: number, { address, port: peer }: SocketAddress): string {
  return `${port}|${isAny(address) ? '' : formatAddress(address)}|${peer}`;
}

/** What a guest's socket calls come down to on the main thread. Failures are `SocketError`s. */
import type { SocketAddress } from '../wasi/ports.ts';
import type { ByteServer, ByteSocket, DatagramSocket, HostSockets } from './host-sockets.ts';
import type { Hosts } from './hosts.ts';

export class SocketError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

export interface Transport {
  /** Claims an address for a stream socket that does not listen yet; port 0: any free one. */
  bindTcp(at: SocketAddress): BoundPort;
  listenTcp(port: BoundPort, backlog: number, accept: (socket: ByteSocket) => void): Promise<ByteServer>;
  connectTcp(to: SocketAddress): Promise<ByteSocket>;
  bindUdp(at: SocketAddress, receive: (bytes: Uint8Array, from: SocketAddress) => void): Promise<DatagramSocket>;
  resolve(name: string, family: 0 | 4 | 6): Promise<readonly Uint8Array[]>;
}

export interface BoundPort {
  readonly address: SocketAddress;
  release(): void;
}

/** `--network host`: the host's sockets as they are. */
export class HostTransport implements Transport {
  readonly #sockets: HostSockets;
  readonly #hosts: Hosts;

  constructor(sockets: HostSockets, hosts: Hosts) {
    this.#sockets = sockets;
    this.#hosts = hosts;
  }

  bindTcp(address: SocketAddress): BoundPort {
    return { address, release: () => {} };
  }

  listenTcp(port: BoundPort, backlog: number, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
    return this.#sockets.listenTcp(port.address, backlog, accept);
  }

  connectTcp(to: SocketAddress): Promise<ByteSocket> {
    return this.#sockets.connectTcp(to);
  }

  bindUdp(at: SocketAddress, receive: (bytes: Uint8Array, from: SocketAddress) => void): Promise<DatagramSocket> {
    return this.#sockets.bindUdp(at, receive);
  }

  async resolve(name: string, family: 0 | 4 | 6): Promise<readonly Uint8Array[]> {
    const known = this.#hosts.find(name);
    if (known !== undefined) return ofFamily(known, family);
    return this.#sockets.lookup(name, family);
  }
}

export function ofFamily(addresses: readonly Uint8Array[], family: 0 | 4 | 6): readonly Uint8Array[] {
  return family === 0 ? addresses : addresses.filter(({ length }) => length === (family === 4 ? 4 : 16));
}

/**
 * The directory of a network: sockets that containers serve there, and who is there.
 *
 * ```
 * <address, 8 hex><port, 4 hex>t   TCP: the caller's address (4 bytes) and port (2), then the bytes themselves
 * <address, 8 hex><port, 4 hex>T   TCP of IPv6: the same with an address of 16 bytes
 * <address, 8 hex><port, 4 hex>u   UDP: u16 byte length | the caller's address and port | the bytes
 * <address, 8 hex><port, 4 hex>U   UDP of IPv6
 * n<address, 8 hex>                JSON { address, address6, names, pid }: who is here
 * ```
 *
 * Numbers are in network order, and the address in a name is always that of IPv4: a path of a socket has to be short. Only
 * the user can reach the directory, and a guest only what is in those of its networks.
 */
import type { SocketAddress } from '../wasi/ports.ts';
import { parseAddress, sameAddress } from './address.ts';
import type { ByteSocket, HostSockets } from './host-sockets.ts';

export type EndpointKind = 't' | 'T' | 'u' | 'U';

export interface Member {
  readonly address: Uint8Array;
  readonly address6: Uint8Array | undefined;
  readonly names: readonly string[];
}

export class Endpoints {
  readonly directory: string;
  readonly #sockets: HostSockets;

  constructor(directory: string, sockets: HostSockets) {
    this.directory = directory;
    this.#sockets = sockets;
  }

  path(address: Uint8Array, port: number, kind: EndpointKind): string {
    return `${this.directory}/${hex(address)}${port.toString(16).padStart(4, '0')}${kind}`;
  }

  async announce(member: Member): Promise<void> {
    await this.#sockets.makeDirectory(this.directory);
    const { address, address6, names } = member;
    await this.#sockets.writeFile(
      this.#memberPath(address),
      JSON.stringify({
        address: [...address],
        ...(address6 === undefined ? {} : { address6: [...address6] }),
        names,
        pid: this.#sockets.pid,
      }),
    );
  }

  leave(address: Uint8Array): Promise<void> {
    return this.#sockets.remove(this.#memberPath(address));
  }

  /** Those whose processes are there. */
  async members(): Promise<readonly Member[]> {
    const members: Member[] = [];
    for (const text of await this.#sockets.readFiles(this.directory, 'n')) {
      try {
        const { address, address6, names, pid } = JSON.parse(text) as {
          address: string | number[];
          address6?: number[];
          names: readonly string[];
          pid: number;
        };
        // Processes of a release before this one write it as text.
        const bytes = typeof address === 'string' ? parseAddress(address)! : Uint8Array.from(address);
        const bytes6 = address6 === undefined ? undefined : Uint8Array.from(address6);
        if (this.#sockets.isAlive(pid)) members.push({ address: bytes, address6: bytes6, names });
      } catch {
        // Half written, or gone: nobody, so far.
      }
    }
    return members;
  }

  async memberAt(address: Uint8Array): Promise<Member | undefined> {
    return (await this.members()).find((member) =>
      address.length === 4
        ? sameAddress(member.address, address)
        : member.address6 !== undefined && sameAddress(member.address6, address),
    );
  }

  #memberPath(address: Uint8Array): string {
    return `${this.directory}/n${hex(address)}`;
  }
}

/** What goes before a connection's bytes, and in each datagram. */
export function callerBytes({ address, port }: SocketAddress): Uint8Array {
  return Uint8Array.of(...address, port >> 8, port & 255);
}

/** Bytes of a caller's address and port. */
export function callerLength(kind: EndpointKind): number {
  return kind === 't' || kind === 'u' ? 6 : 18;
}

export function callerFrom(bytes: Uint8Array, length: number): SocketAddress {
  return { address: bytes.slice(0, length - 2), port: (bytes[length - 2]! << 8) | bytes[length - 1]! };
}

/** Takes the first bytes of a connection; the socket is paused when `done` is called. */
export function readCaller(
  socket: ByteSocket,
  length: number,
  done: (peer: SocketAddress, rest: Uint8Array) => void,
): void {
  let seen: Uint8Array = new Uint8Array(0);
  socket.listen({
    data: (bytes) => {
      const all = new Uint8Array(seen.length + bytes.length);
      all.set(seen);
      all.set(bytes, seen.length);
      seen = all;
      if (seen.length < length) return;
      socket.pause();
      done(callerFrom(seen, length), seen.slice(length));
    },
    end: () => socket.destroy(),
    drained: () => {},
    closed: () => {},
  });
}

function hex(address: Uint8Array): string {
  return [...address].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

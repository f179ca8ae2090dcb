/** Which addresses and ports of a container are taken, and by what. One for TCP, one for UDP. */
import type { SocketAddress } from '../wasi/ports.ts';
import { isAny, sameAddress, unmapped } from './address.ts';
import { EADDRINUSE } from './errno.ts';
import { SocketError } from './transport.ts';

/** Linux' ip_local_port_range. */
const EPHEMERAL_FIRST = 32768;
const EPHEMERAL_LAST = 60999;

export interface PortEntry<T> {
  readonly address: SocketAddress;
  /** Gives way to whoever asks for the port by number. */
  readonly soft: (() => void) | undefined;
  value: T | undefined;
}

export class PortTable<T> {
  readonly #entries = new Map<number, PortEntry<T>[]>();
  #next = EPHEMERAL_FIRST + Math.floor(Math.random() * (EPHEMERAL_LAST - EPHEMERAL_FIRST));

  /** Throws EADDRINUSE. Port 0 is any free one. */
  claim(at: SocketAddress, value?: T, soft?: () => void): PortEntry<T> {
    const address = unmapped(at.address);
    const port = at.port === 0 ? this.#free(address) : at.port;
    for (const other of this.#overlapping(address, port)) {
      if (other.soft === undefined) throw new SocketError(EADDRINUSE);
      other.soft();
    }
    const entry: PortEntry<T> = { address: { address, port }, soft, value };
    this.#entries.set(port, [...(this.#entries.get(port) ?? []), entry]);
    return entry;
  }

  release(entry: PortEntry<T>): void {
    const { port } = entry.address;
    const left = (this.#entries.get(port) ?? []).filter((other) => other !== entry);
    if (left.length === 0) this.#entries.delete(port);
    else this.#entries.set(port, left);
  }

  /** Who serves this address; of several the one that named it. */
  find({ address, port }: SocketAddress): PortEntry<T> | undefined {
    const all = (this.#entries.get(port) ?? []).filter(({ value }) => value !== undefined);
    return (
      all.find((entry) => sameAddress(entry.address.address, address)) ??
      // On `::` both families are served, on 0.0.0.0 one.
      all.find((entry) => isAny(entry.address.address) && entry.address.address.length >= address.length)
    );
  }

  isTaken(port: number): boolean {
    return this.#entries.has(port);
  }

  *[Symbol.iterator](): Iterator<PortEntry<T>> {
    for (const entries of this.#entries.values()) yield* entries;
  }

  #overlapping(address: Uint8Array, port: number): PortEntry<T>[] {
    return (this.#entries.get(port) ?? []).filter(({ address: { address: other } }) => covers(address, other));
  }

  #free(address: Uint8Array): number {
    for (let tries = EPHEMERAL_LAST - EPHEMERAL_FIRST; tries >= 0; tries--) {
      this.#next = this.#next >= EPHEMERAL_LAST ? EPHEMERAL_FIRST : this.#next + 1;
      if (this.#overlapping(address, this.#next).length === 0) return this.#next;
    }
    throw new SocketError(EADDRINUSE);
  }
}

/** Whether two sockets on these addresses are in each other's way. `::` is every address, 0.0.0.0 every one of IPv4. */
function covers(a: Uint8Array, b: Uint8Array): boolean {
  if (isAny(a)) return a.length >= b.length || isAny(b);
  if (isAny(b)) return b.length >= a.length;
  return sameAddress(a, b);
}

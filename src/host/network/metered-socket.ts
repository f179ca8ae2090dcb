/** A connection over a network, as its owner sees it: with addresses of the network, and counted. */
import type { SocketAddress } from '../wasi/ports.ts';
import type { ByteHandlers, ByteSocket } from './host-sockets.ts';

export interface Meter {
  count(way: 'rx' | 'tx', bytes: number): void;
}

export class MeteredSocket implements ByteSocket {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  readonly #meter: Meter;
  readonly #socket: ByteSocket;
  readonly #gone: () => void;
  #rest: Uint8Array | undefined;

  /** `rest`: bytes that came before anybody listened here. */
  constructor(
    meter: Meter,
    socket: ByteSocket,
    local: SocketAddress,
    peer: SocketAddress,
    rest: Uint8Array | undefined,
    gone: () => void,
  ) {
    this.#meter = meter;
    this.#socket = socket;
    this.local = local;
    this.peer = peer;
    this.#rest = rest;
    this.#gone = gone;
  }

  write(bytes: Uint8Array): boolean {
    this.#meter.count('tx', bytes.length);
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
      this.#meter.count('rx', rest.length);
      handlers.data(rest);
    }
    this.#socket.listen({
      data: (bytes) => {
        this.#meter.count('rx', bytes.length);
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

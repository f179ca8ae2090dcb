/** Two ends of a connection inside one process: a container that talks to itself. */
import type { SocketAddress } from '../wasi/ports.ts';
import type { ByteHandlers, ByteSocket } from './host-sockets.ts';

/** What one side may have sent that the other has not taken. */
const HIGH_WATER_BYTES = 262144;

export function socketPair(client: SocketAddress, server: SocketAddress): readonly [ByteSocket, ByteSocket] {
  const a = new PairEnd(client, server);
  const b = new PairEnd(server, client);
  a.other = b;
  b.other = a;
  return [a, b];
}

class PairEnd implements ByteSocket {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  other!: PairEnd;
  #handlers: ByteHandlers | undefined;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended = false;
  #endTold = false;
  #closed = false;
  #wantsDrain = false;
  #scheduled = false;

  constructor(local: SocketAddress, peer: SocketAddress) {
    this.local = local;
    this.peer = peer;
  }

  listen(handlers: ByteHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    const { other } = this;
    if (this.#closed || other.#closed) return true;
    other.#waiting.push(bytes);
    other.#waitingBytes += bytes.length;
    other.#schedule();
    this.#wantsDrain = other.#waitingBytes > HIGH_WATER_BYTES;
    return !this.#wantsDrain;
  }

  end(): void {
    this.other.#ended = true;
    this.other.#schedule();
  }

  destroy(): void {
    this.#close();
    this.other.#ended = true;
    this.other.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  /** Never from within a call of the other side: neither expects to be called back while it writes. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    while (!this.#paused && !this.#closed && this.#waiting.length > 0) {
      const bytes = this.#waiting.shift()!;
      this.#waitingBytes -= bytes.length;
      handlers.data(bytes);
    }
    const { other } = this;
    if (other.#wantsDrain && this.#waitingBytes < HIGH_WATER_BYTES / 2) {
      other.#wantsDrain = false;
      other.#handlers?.drained();
    }
    if (this.#ended && this.#waiting.length === 0 && !this.#endTold && !this.#closed) {
      this.#endTold = true;
      handlers.end();
    }
    if (this.#endTold && (other.#endTold || other.#closed)) {
      this.#close();
      other.#close();
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.#handlers?.closed(0));
  }
}

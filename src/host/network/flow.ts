/** Moves bytes between a guest's slot and the socket that stands for it. */
import { CLOSED_BY_READER, CLOSED_BY_WRITER } from '../worker/ring.ts';
import type { ByteHandlers, ByteSocket } from './host-sockets.ts';
import { CONNECTED, type Slot } from './slot.ts';

/** Linux' tcp_fin_timeout. */
const LINGER_MS = 60_000;

export class Flow implements ByteHandlers {
  readonly #slot: Slot;
  readonly #socket: ByteSocket;
  readonly #wake: () => void;
  readonly #gone: () => void;
  /** What did not fit into the guest's ring; the socket is paused then. */
  #left: Uint8Array | undefined;
  #blocked = false;
  #ended = false;
  #guestClosed = false;
  #closed = false;
  #endSent = false;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** `gone`: nothing of this connection touches the slot any more. */
  constructor(slot: Slot, socket: ByteSocket, wake: () => void, gone: () => void) {
    this.#slot = slot;
    this.#socket = socket;
    this.#wake = wake;
    this.#gone = gone;
    slot.local = socket.local;
    slot.peer = socket.peer;
    slot.state = CONNECTED;
    slot.inbound.touch();
    socket.listen(this);
  }

  data(bytes: Uint8Array): void {
    if (this.#guestClosed) {
      this.#socket.destroy();
      return;
    }
    const { inbound } = this.#slot;
    if ((inbound.closed & CLOSED_BY_READER) !== 0) return;
    const taken = inbound.write(bytes);
    if (taken < bytes.length) {
      this.#left = bytes.slice(taken);
      this.#socket.pause();
      this.#slot.wantSpace();
      // The guest may have read all of it before it was asked to tell.
      this.#giveLeft();
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    if (this.#left === undefined) this.#endInbound();
  }

  drained(): void {
    this.#blocked = false;
    this.#takeOutbound();
  }

  closed(errno: number): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    if (this.#guestClosed) {
      this.#gone();
      return;
    }
    if (errno !== 0) this.#slot.fail(errno);
    this.#slot.outbound.close(CLOSED_BY_READER);
    this.#ended = true;
    if (this.#left === undefined) this.#endInbound();
  }

  /** The guest has written, made room, or shut something down. */
  kicked(): void {
    if (this.#left !== undefined) this.#giveLeft();
    this.#takeOutbound();
  }

  /** The guest is done: what it has written still goes out. */
  close(): void {
    this.#guestClosed = true;
    if (this.#closed) {
      this.#gone();
      return;
    }
    this.#left = undefined;
    this.#socket.resume();
    this.#slot.outbound.close(CLOSED_BY_WRITER);
    this.#takeOutbound();
    // The other side may never end; nobody is left to notice.
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    (this.#linger as { unref?(): void }).unref?.();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #giveLeft(): void {
    const left = this.#left!;
    const taken = this.#slot.inbound.write(left);
    if (taken > 0) this.#wake();
    if (taken < left.length) {
      this.#left = left.subarray(taken);
      this.#slot.wantSpace();
      return;
    }
    this.#left = undefined;
    if (this.#ended) this.#endInbound();
    else this.#socket.resume();
  }

  #endInbound(): void {
    this.#slot.inbound.close(CLOSED_BY_WRITER);
    this.#wake();
  }

  #takeOutbound(): void {
    const { outbound } = this.#slot;
    let taken = 0;
    while (!this.#blocked && !this.#closed && outbound.readable > 0) {
      const bytes = new Uint8Array(outbound.readable);
      taken += outbound.read(bytes);
      this.#blocked = !this.#socket.write(bytes);
    }
    if (taken > 0 && !this.#guestClosed) this.#wake();
    if (outbound.readable === 0 && (outbound.closed & CLOSED_BY_WRITER) !== 0 && !this.#endSent && !this.#closed) {
      this.#endSent = true;
      this.#socket.end();
    }
  }
}

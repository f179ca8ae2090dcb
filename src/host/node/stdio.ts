/** A file descriptor of the host as a guest's standard stream: synchronous, no relay, no buffer. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { EAGAIN, EIO, EPIPE, O_NONBLOCK, POLLHUP, POLLIN, POLLOUT } from '../../core/abi/kernel.ts';
import type { HostStream } from '../wasi/ports.ts';

/** Between tries on a descriptor that another program left in non-blocking mode. */
const RETRY_MS = 1;
const PEEK_BYTES = 4096;

const clock = new Int32Array(new SharedArrayBuffer(4));

export function pause(ms: number): void {
  Atomics.wait(clock, 0, 0, ms);
}

export class InputStream implements HostStream {
  readonly #fd: number;
  /** A second, non-blocking opening of the same pipe or terminal; null where the host has no such thing. */
  #nonBlockingFd: number | null | undefined;
  /** Bytes read while asking whether there are any. */
  #peeked = new Uint8Array(0);
  #ended = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(target: Uint8Array, nonBlocking: boolean): number {
    if (this.#peeked.length > 0) {
      const part = this.#peeked.subarray(0, target.length);
      target.set(part);
      this.#peeked = this.#peeked.subarray(part.length);
      return part.length;
    }
    if (this.#ended) return 0;
    if (nonBlocking) return this.#readNow(target);
    for (;;) {
      const result = readFrom(this.#fd, target);
      if (result !== -EAGAIN) return result;
      pause(RETRY_MS);
    }
  }

  poll(events: number): number {
    if ((events & POLLIN) === 0) return 0;
    if (this.#peeked.length === 0 && !this.#ended) {
      const buffer = new Uint8Array(PEEK_BYTES);
      const result = this.#readNow(buffer);
      if (result === -EAGAIN) return 0;
      if (result > 0) this.#peeked = buffer.subarray(0, result);
      else this.#ended = true;
    }
    return this.#ended && this.#peeked.length === 0 ? POLLIN | POLLHUP : POLLIN;
  }

  available(): number {
    return this.#peeked.length;
  }

  close(): void {
    if (typeof this.#nonBlockingFd === 'number') closeSync(this.#nonBlockingFd);
    this.#nonBlockingFd = null;
  }

  #readNow(target: Uint8Array): number {
    if (this.#nonBlockingFd === undefined) {
      try {
        // The flag belongs to the opening: setting it on ours would set it for the shell too.
        this.#nonBlockingFd = openSync(`/proc/self/fd/${this.#fd}`, O_NONBLOCK);
      } catch {
        // A socket, or not Linux: a read may wait.
        this.#nonBlockingFd = null;
      }
    }
    return readFrom(this.#nonBlockingFd ?? this.#fd, target);
  }
}

function readFrom(fd: number, target: Uint8Array): number {
  try {
    return readSync(fd, target, 0, target.length, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Windows says EOF where others return 0.
    if (code === 'EOF') return 0;
    return code === 'EAGAIN' ? -EAGAIN : -EIO;
  }
}

export class OutputStream implements HostStream {
  readonly #fd: number;
  readonly #onBroken: () => void;

  /** `onBroken` is called when nobody reads any more; it may end the guest. */
  constructor(fd: number, onBroken: () => void) {
    this.#fd = fd;
    this.#onBroken = onBroken;
  }

  write(source: Uint8Array, nonBlocking: boolean): number {
    for (;;) {
      try {
        return writeSync(this.#fd, source, 0, source.length, null);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') {
          this.#onBroken();
          return -EPIPE;
        }
        if (code !== 'EAGAIN') return -EIO;
        if (nonBlocking) return -EAGAIN;
        pause(RETRY_MS);
      }
    }
  }

  poll(events: number): number {
    return events & POLLOUT;
  }
}

/** Standard input of a guest that has none. */
export const emptyInput: HostStream = {
  read: () => 0,
  poll: (events) => (events & POLLIN) | POLLHUP,
};

/** This process' own descriptor 0, 1 or 2. Nobody reading any more is an error the guest sees (EPIPE). */
export function inheritedStream(name: 'stdin' | 'stdout' | 'stderr'): HostStream {
  if (name === 'stdin') return new InputStream(0);
  return new OutputStream(name === 'stdout' ? 1 : 2, () => {});
}

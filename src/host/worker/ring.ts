/**
 * A one-way byte stream between two threads over shared memory: one writer, one reader, either may wait for the other.
 * (Threads that share an end take turns by a lock of their own.)
 *
 * ```
 * i32 written (bytes ever, wraps) | i32 read (bytes ever, wraps) | i32 closed: 1 by the writer, 2 by the reader
 * i32 event: changes with each of the above | i32 mark: the reader's own | 12 bytes 0 | data, a power of two of bytes
 * ```
 */
const WRITTEN = 0;
const READ = 1;
const CLOSED = 2;
const EVENT = 3;
const MARK = 4;
const HEADER_BYTES = 32;

export const CLOSED_BY_WRITER = 1;
export const CLOSED_BY_READER = 2;

export function createRing(capacityBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + capacityBytes);
}

export class Ring {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#data = new Uint8Array(buffer, HEADER_BYTES);
  }

  get readable(): number {
    return (Atomics.load(this.#words, WRITTEN) - Atomics.load(this.#words, READ)) | 0;
  }

  get writable(): number {
    return this.#data.length - this.readable;
  }

  /** CLOSED_* bits. */
  get closed(): number {
    return Atomics.load(this.#words, CLOSED);
  }

  /** What the reader notes for itself, and for those it shares its end with; 0 at first. */
  get mark(): number {
    return Atomics.load(this.#words, MARK);
  }

  set mark(value: number) {
    Atomics.store(this.#words, MARK, value);
  }

  /** Takes what fits now; returns how much. */
  write(source: Uint8Array): number {
    const length = Math.min(source.length, this.writable);
    const at = Atomics.load(this.#words, WRITTEN) & (this.#data.length - 1);
    const first = Math.min(length, this.#data.length - at);
    this.#data.set(source.subarray(0, first), at);
    this.#data.set(source.subarray(first, length), 0);
    Atomics.add(this.#words, WRITTEN, length);
    if (length > 0) this.#changed();
    return length;
  }

  /** Gives what is there now; returns how much. */
  read(target: Uint8Array): number {
    const length = Math.min(target.length, this.readable);
    const at = Atomics.load(this.#words, READ) & (this.#data.length - 1);
    const first = Math.min(length, this.#data.length - at);
    target.set(this.#data.subarray(at, at + first));
    target.set(this.#data.subarray(0, length - first), first);
    Atomics.add(this.#words, READ, length);
    if (length > 0) this.#changed();
    return length;
  }

  /** As `read`, and leaves it there. */
  peek(target: Uint8Array): number {
    const length = Math.min(target.length, this.readable);
    const at = Atomics.load(this.#words, READ) & (this.#data.length - 1);
    const first = Math.min(length, this.#data.length - at);
    target.set(this.#data.subarray(at, at + first));
    target.set(this.#data.subarray(0, length - first), first);
    return length;
  }

  close(by: number): void {
    Atomics.or(this.#words, CLOSED, by);
    this.#changed();
  }

  /** Has whoever waits look again: something outside of the ring changed. */
  touch(): void {
    this.#changed();
  }

  /** Has whoever waits look again. */
  poke(): void {
    this.#changed();
  }

  /** Blocks until `ready()`; only for threads that may wait. False: `timeoutMs` passed first. */
  waitUntil(ready: () => boolean, timeoutMs = Number.POSITIVE_INFINITY): boolean {
    const until = timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : performance.now() + timeoutMs;
    for (;;) {
      const seen = Atomics.load(this.#words, EVENT);
      if (ready()) return true;
      const left = until - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#words, EVENT, seen, left);
    }
  }

  #changed(): void {
    Atomics.add(this.#words, EVENT, 1);
    Atomics.notify(this.#words, EVENT);
  }
}

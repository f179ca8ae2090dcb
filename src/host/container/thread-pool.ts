/**
 * Threads for the programs of a container. To start one takes some ten milliseconds, so those of programs that ended by
 * themselves run others; a guest has nothing to leave behind in them but memory that the collector has yet to find.
 */
import type { GuestThread } from './guest.ts';
import type { GuestMessage, GuestStart } from './messages.ts';

/** Programs one thread runs after each other. */
const MOST_RUNS = 100;
/** Idle threads kept, and how many of them for longer. */
const MOST_IDLE = 4;
const KEEP_IDLE = 1;
const IDLE_MS = 10_000;

export class PooledThread implements GuestThread {
  readonly #thread: GuestThread;
  #message: (message: GuestMessage) => void = () => {};
  #end: (error: unknown) => void = () => {};
  #runs = 0;
  /** CPU time that earlier programs took. */
  usedCpuMs = 0;

  constructor(thread: GuestThread, onEnd: (thread: PooledThread) => void) {
    this.#thread = thread;
    thread.onMessage((message) => this.#message(message));
    thread.onEnd((error) => {
      onEnd(this);
      this.#end(error);
    });
  }

  get runs(): number {
    return this.#runs;
  }

  post(message: GuestStart, transfer?: readonly unknown[]): void {
    this.#runs++;
    this.#thread.post(message, transfer);
  }

  onMessage(listener: (message: GuestMessage) => void): void {
    this.#message = listener;
  }

  onEnd(listener: (error: unknown) => void): void {
    this.#end = listener;
  }

  terminate(): Promise<void> {
    return this.#thread.terminate();
  }

  /** Its program is gone: it has nobody to tell anything. */
  rest(): void {
    this.#message = () => {};
    this.#end = () => {};
  }
}

export class ThreadPool {
  readonly #open: () => GuestThread;
  readonly #idle: PooledThread[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** One is opened at once: it loads while the container boots. */
  constructor(open: () => GuestThread) {
    this.#open = open;
    this.warm();
  }

  take(): PooledThread {
    return this.#idle.pop() ?? this.#opened();
  }

  /** Has one ready for the next program. */
  warm(): void {
    if (this.#idle.length === 0 && !this.#closed) this.#idle.push(this.#opened());
  }

  /** Back from a program that ended by itself. False: it is of no more use. */
  give(thread: PooledThread): boolean {
    if (this.#closed || thread.runs >= MOST_RUNS || this.#idle.length >= MOST_IDLE) return false;
    thread.rest();
    this.#idle.push(thread);
    if (this.#timer !== undefined) return true;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const spare of this.#idle.splice(KEEP_IDLE)) void spare.terminate();
    }, IDLE_MS);
    (this.#timer as { unref?(): void }).unref?.();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }

  #opened(): PooledThread {
    return new PooledThread(this.#open(), (ended) => {
      const at = this.#idle.indexOf(ended);
      if (at >= 0) this.#idle.splice(at, 1);
    });
  }
}

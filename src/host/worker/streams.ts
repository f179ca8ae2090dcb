/** The main thread's end of a guest's standard streams: web streams over the rings that the guest's thread uses. */
import type { SandboxSpec } from '../sandbox.ts';
import type { StreamSetup } from './messages.ts';
import { CLOSED_BY_READER, CLOSED_BY_WRITER, createRing, Ring } from './ring.ts';

export const RING_BYTES = 64 * 1024;
const READ_BYTES = 64 * 1024;

/** One output of the guest as a web stream; a ring is emptied only as fast as the reader takes it. */
export class Output {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #ring: Ring | undefined;
  readonly #onTaken: () => void;
  readonly #shown: (bytes: Uint8Array) => Uint8Array;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #wanted = false;
  #open = true;

  /** `onTaken`: the guest has room for more. `shown`: what becomes of its bytes. */
  constructor(
    ring: Ring | undefined,
    onTaken: () => void = () => {},
    shown: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  ) {
    this.#ring = ring;
    this.#shown = shown;
    this.#onTaken = onTaken;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.wake();
        },
        cancel: () => {
          this.#open = false;
          ring?.close(CLOSED_BY_READER);
          onTaken();
        },
      },
      { highWaterMark: 1 },
    );
  }

  push(bytes: Uint8Array): void {
    if (this.#open) this.#controller.enqueue(bytes);
  }

  wake(): void {
    if (!this.#wanted || !this.#open || this.#ring === undefined || this.#ring.readable === 0) return;
    this.#wanted = false;
    this.#controller.enqueue(this.#take(this.#ring));
  }

  /** What is still in the ring comes before the end. */
  end(): void {
    if (!this.#open) return;
    while (this.#ring !== undefined && this.#ring.readable > 0) this.#controller.enqueue(this.#take(this.#ring));
    this.#open = false;
    this.#controller.close();
  }

  #take(ring: Ring): Uint8Array {
    const bytes = new Uint8Array(Math.min(READ_BYTES, ring.readable));
    const length = ring.read(bytes);
    this.#onTaken();
    return this.#shown(bytes.subarray(0, length));
  }
}

/** The guest's input: through a ring while it runs, or all of it before it starts. */
export class Input {
  readonly writable: WritableStream<Uint8Array> | undefined;
  readonly ready: Promise<StreamSetup>;
  readonly #onGiven: () => void;
  #wake: (() => void) | undefined;
  #gone = false;

  /** `onGiven`: the guest has bytes to read, or the end. */
  constructor(kind: SandboxSpec['stdio']['stdin'], sharedMemory: boolean, onGiven: () => void = () => {}) {
    this.#onGiven = onGiven;
    if (kind !== 'pipe') {
      this.ready = Promise.resolve({ kind });
    } else if (sharedMemory) {
      const buffer = createRing(RING_BYTES);
      this.ready = Promise.resolve({ kind: 'ring', buffer });
      this.writable = this.#throughRing(new Ring(buffer));
    } else {
      const chunks: Uint8Array[] = [];
      let complete: () => void = () => {};
      this.ready = new Promise<void>((resolve) => {
        complete = resolve;
      }).then(async () => ({
        kind: 'message',
        input: new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
      }));
      this.writable = new WritableStream({
        write: (chunk) => void chunks.push(chunk.slice()),
        close: complete,
        abort: complete,
      });
    }
  }

  /** The guest has read, or is gone: there may be room. */
  wake(): void {
    this.#wake?.();
  }

  /** Nobody will read: what is written from now on goes nowhere. */
  discard(): void {
    this.#gone = true;
    this.wake();
  }

  #throughRing(ring: Ring): WritableStream<Uint8Array> {
    const end = () => {
      ring.close(CLOSED_BY_WRITER);
      this.#onGiven();
    };
    return new WritableStream({
      write: async (chunk) => {
        if (this.#gone) return;
        for (let at = ring.write(chunk); at < chunk.length; at += ring.write(chunk.subarray(at))) {
          this.#onGiven();
          if (this.#gone) return;
          if (ring.writable > 0) continue;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
            if (ring.writable > 0 || this.#gone) resolve();
          });
        }
        this.#onGiven();
      },
      close: end,
      abort: end,
    });
  }
}

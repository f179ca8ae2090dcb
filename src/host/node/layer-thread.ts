/**
 * A second thread for layer passes (node:worker_threads): it hashes the plain tar and writes it to disk, straight out of
 * the pass's shared memory, while the first thread decodes and parses. Chunks are announced through a ring:
 *
 * ```
 * i32[0] chunks announced   i32[1] chunks taken   i32[2] 1 once the thread has failed
 * i32[8 + 2n] address, i32[9 + 2n] length of chunk n modulo RING; length 0 ends the tar, -1 gives it up
 * ```
 *
 * Threads are kept for the next layer, as many as there are cores to spare; they do not keep the process alive.
 */
import type { Worker } from 'node:worker_threads';
import type { TarThread } from '../../core/layer-pass.ts';
import { WctrError } from '../../errors.ts';
import { builtin } from './builtin.ts';

const RING = 64;
const ANNOUNCED = 0;
const TAKEN = 1;
const FAILED = 2;
const FIRST = 8;
const END = 0;
const GIVE_UP = -1;

/** ES2024, in every Node this runs on, but not yet in the library the project compiles against. */
const { waitAsync } = Atomics as unknown as {
  waitAsync(words: Int32Array, index: number, value: number, timeoutMs: number): { value: unknown };
};

interface Job {
  readonly memory: WebAssembly.Memory;
  readonly ring: SharedArrayBuffer;
  readonly path: string;
  /** Hash with this module of the core, over the same memory, instead of node:crypto. */
  readonly core: WebAssembly.Module | undefined;
}

interface Outcome {
  readonly digest?: string;
  readonly error?: { readonly message: string; readonly code: string | undefined };
}

const idle: Worker[] = [];
let started = 0;

export interface LayerThreadOptions {
  /** The core compiled for shared memory: hash in Wasm instead of with node:crypto. */
  readonly core?: WebAssembly.Module;
  /** Threads at once. Default: the cores beyond the first. */
  readonly maxThreads?: number;
}

/**
 * A thread that writes the tar to `path`, which must exist; undefined when there is no core to spare or the runtime is
 * not Node itself (Deno and Bun start such threads differently).
 */
export function createLayerThread(path: string, options: LayerThreadOptions = {}): TarThread | undefined {
  if ('Deno' in globalThis || 'Bun' in globalThis) return undefined;
  const maxThreads = options.maxThreads ?? builtin.os.availableParallelism() - 1;
  if (idle.length === 0 && started >= maxThreads) return undefined;
  return new LayerThread(idle.pop() ?? startWorker(), path, options.core);
}

function startWorker(): Worker {
  started++;
  // The function is self-contained: a worker from source needs no file of its own, in src/ as in dist/.
  const worker = new builtin.threads.Worker(`(${consume.toString()})(require)`, { eval: true, env: {}, stdin: false });
  worker.unref();
  worker.once('exit', () => {
    started--;
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  });
  return worker;
}

class LayerThread implements TarThread {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #core: WebAssembly.Module | undefined;
  readonly #ring = new Int32Array(new SharedArrayBuffer(4 * (FIRST + 2 * RING)));
  #outcome: Promise<Outcome> | undefined;
  #slots = 2;
  #isOver = false;

  constructor(worker: Worker, path: string, core: WebAssembly.Module | undefined) {
    this.#worker = worker;
    this.#path = path;
    this.#core = core;
  }

  open(memory: WebAssembly.Memory, slots: number): void {
    this.#slots = Math.min(slots, RING);
    const worker = this.#worker;
    worker.ref();
    this.#outcome = new Promise<Outcome>((resolve) => {
      const settle = (outcome: Outcome): void => {
        worker.off('message', settle);
        worker.off('error', onError);
        worker.off('exit', onExit);
        resolve(outcome);
      };
      const onError = (error: Error): void => settle({ error: { message: error.message, code: undefined } });
      const onExit = (): void => settle({ error: { message: 'the thread ended', code: undefined } });
      worker.on('message', settle);
      worker.on('error', onError);
      worker.on('exit', onExit);
    }).then((outcome) => {
      Atomics.store(this.#ring, FAILED, outcome.error === undefined ? 0 : 1);
      // Wakes a push that waits for a thread that is no more.
      Atomics.notify(this.#ring, TAKEN);
      worker.unref();
      if (outcome.error?.code !== undefined || outcome.error === undefined) idle.push(worker);
      return outcome;
    });
    const job: Job = { memory, ring: this.#ring.buffer as SharedArrayBuffer, path: this.#path, core: this.#core };
    worker.postMessage(job);
  }

  push(address: number, length: number): void | Promise<void> {
    this.#announce(address, length);
    // One chunk is in the making and one was announced just now: both must stay out of reach of the next ones.
    if (this.#behind() >= this.#slots - 2) return this.#catchUp();
  }

  async finish(): Promise<string> {
    this.#end(END);
    const { digest, error } = await this.#outcome!;
    if (error !== undefined) {
      throw Object.assign(new Error(error.message), error.code === undefined ? {} : { code: error.code });
    }
    if (digest === undefined) throw new WctrError('internal', 'the layer thread answered without a digest');
    return digest;
  }

  /** Settles when the thread has let go of the file and the memory. */
  async abort(): Promise<void> {
    if (this.#outcome === undefined) {
      // Never opened: the worker goes back as it is.
      if (!this.#isOver) idle.push(this.#worker);
      this.#isOver = true;
      return;
    }
    this.#end(GIVE_UP);
    await this.#outcome;
  }

  #end(how: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#announce(0, how);
  }

  #announce(address: number, length: number): void {
    const ring = this.#ring;
    const at = Atomics.load(ring, ANNOUNCED);
    const slot = FIRST + 2 * ((at >>> 0) % RING);
    ring[slot] = address;
    ring[slot + 1] = length;
    Atomics.store(ring, ANNOUNCED, at + 1);
    Atomics.notify(ring, ANNOUNCED);
  }

  #behind(): number {
    return (Atomics.load(this.#ring, ANNOUNCED) - Atomics.load(this.#ring, TAKEN)) | 0;
  }

  async #catchUp(): Promise<void> {
    while (this.#behind() >= this.#slots - 2) {
      if (Atomics.load(this.#ring, FAILED) !== 0) {
        this.#isOver = true;
        await this.finish();
      }
      const taken = Atomics.load(this.#ring, TAKEN);
      if (this.#behind() < this.#slots - 2) return;
      await waitAsync(this.#ring, TAKEN, taken, 1000).value;
    }
  }
}

/** Runs in the worker. Uses nothing of this module, since only its text gets there. */
function consume(require: NodeJS.Require): void {
  const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { closeSync, openSync, writeSync } = require('node:fs') as typeof import('node:fs');
  const { createHash } = require('node:crypto') as typeof import('node:crypto');

  interface Sha {
    update(address: number, chunk: Uint8Array): void;
    hex(): string;
  }

  function hostSha(): Sha {
    const hash = createHash('sha256');
    return { update: (_, chunk) => void hash.update(chunk), hex: () => hash.digest('hex') };
  }

  function coreSha(module: WebAssembly.Module, memory: WebAssembly.Memory): Sha {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    const exports = instance.exports as unknown as Record<string, (...args: number[]) => number>;
    const context = exports.regionAlloc!(exports.sha256Size!());
    exports.sha256Init!(context);
    return {
      update: (address, chunk) => void exports.sha256Update!(context, address, chunk.length),
      hex: () => {
        exports.sha256Final!(context, context);
        const digest = Buffer.from(memory.buffer, context, 32).toString('hex');
        exports.regionFree!(context);
        return digest;
      },
    };
  }

  function run({ memory, ring, path, core }: Job): Outcome {
    const words = new Int32Array(ring);
    const sha = core === undefined ? hostSha() : coreSha(core, memory);
    let view = new Uint8Array(memory.buffer);
    const file = openSync(path, 'r+');
    try {
      for (let taken = 0; ; ) {
        Atomics.wait(words, 0, taken);
        const announced = Atomics.load(words, 0);
        for (; taken !== announced; taken = (taken + 1) | 0) {
          const slot = 8 + 2 * ((taken >>> 0) % 64);
          const address = words[slot]! >>> 0;
          const length = words[slot + 1]!;
          if (length < 0) return {};
          if (length === 0) return { digest: sha.hex() };
          if (address + length > view.length) {
            // Growing by nothing makes this thread see what the other has grown.
            memory.grow(0);
            view = new Uint8Array(memory.buffer);
          }
          const chunk = view.subarray(address, address + length);
          sha.update(address, chunk);
          for (let done = 0; done < length; ) done += writeSync(file, chunk, done, length - done);
          Atomics.store(words, 1, (taken + 1) | 0);
          Atomics.notify(words, 1);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  parentPort!.on('message', (job: Job) => {
    let outcome: Outcome;
    try {
      outcome = run(job);
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      outcome = { error: { message, code: code ?? 'EIO' } };
    }
    parentPort!.postMessage(outcome);
  });
}

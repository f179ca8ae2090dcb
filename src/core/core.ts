/** One instance of the core with its memory: what hash.ts and decode.ts call. */
import { WctrError } from '../errors.ts';
import { type CoreInstance, type CoreModules, instantiateCore, instantiateCoreSync } from './core-modules.ts';

/** Addresses come signed: `>>> 0` before use. Each is described at its definition in assembly/. */
export interface CoreExports {
  regionAlloc(bytes: number): number;
  regionFree(address: number): number;

  sha256Size(): number;
  sha256Init(context: number): void;
  sha256Update(context: number, data: number, length: number): void;
  sha256Final(context: number, digest: number): void;

  decoderNew(format: number, windowLimit: number, slots: number): number;
  decoderFree(decoder: number): void;
  decoderInput(decoder: number): number;
  decoderInputSpace(decoder: number): number;
  decoderPush(decoder: number, length: number): number;
  decoderEnd(decoder: number): void;
  decoderRun(decoder: number): number;
  decoderOutput(decoder: number): number;
  decoderOutputLength(decoder: number): number;

  encoderNew(): number;
  encoderFree(encoder: number): void;
  encoderInput(encoder: number): number;
  encoderInputSpace(encoder: number): number;
  encoderPush(encoder: number, length: number): number;
  encoderEnd(encoder: number): number;
  encoderOutput(encoder: number): number;
}

export interface CoreOptions {
  /** Over shared memory, for a second thread that reads it. Default false. */
  readonly shared?: boolean;
  /** Ceiling of the memory. Default 1 GiB. */
  readonly maximumBytes?: number;
}

export class Core {
  readonly memory: WebAssembly.Memory;
  readonly exports: CoreExports;
  #view: Uint8Array;

  private constructor(instance: CoreInstance<CoreExports>) {
    this.memory = instance.memory;
    this.exports = instance.exports;
    this.#view = new Uint8Array(this.memory.buffer);
  }

  /** Over a module at hand, compiled for unshared memory, without waiting. */
  static over(module: WebAssembly.Module, maximumBytes = 2 ** 30): Core {
    return new Core(instantiateCoreSync<CoreExports>(module, { shared: false, maximumBytes }));
  }

  static async create(modules: CoreModules, options: CoreOptions = {}): Promise<Core> {
    const { shared = false, maximumBytes = 2 ** 30 } = options;
    return new Core(await instantiateCore<CoreExports>(modules, { shared, maximumBytes }));
  }

  /** The memory's bytes as they are now; a call into the core may grow it and make this view stale. */
  get bytes(): Uint8Array {
    if (this.#view.buffer !== this.memory.buffer) this.#view = new Uint8Array(this.memory.buffer);
    return this.#view;
  }

  /** Address of a region of the memory. Throws `no-memory`. */
  alloc(bytes: number): number {
    const address = this.exports.regionAlloc(bytes) >>> 0;
    if (address === 0) throw new WctrError('no-memory', `no ${bytes} bytes left in the core's memory`);
    return address;
  }

  free(address: number): void {
    this.exports.regionFree(address);
  }
}

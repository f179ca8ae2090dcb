/**
 * The stack of a program built with Binaryen's Asyncify, taken down into its memory and put up again from outside. It
 * happens in a call of the program's to the host: the call is left unmade, its frames return one after the other, each
 * saving itself; when they come up again, the call is made.
 *
 * ```
 * structure at `at`, in memory the host grew for it:   u32 next free byte | u32 end | saved frames ...
 * ```
 */
import { WctrError } from '../../errors.ts';
import { ERRNO_INTR } from '../../spec/wasi-preview1.ts';
import { damaged } from './format.ts';

/** Who wants the stack taken down, and what is to be done then. */
export interface StackTaker {
  /** Is it wanted? Asked before each call the guest makes. */
  wants(): boolean;
  /** From here on it cannot be called off. False: it has been. */
  begin(): boolean;
  /** The frames lie at `at`. True: the program is to go on. */
  taken(at: number): boolean;
  /** There is no room for the frames. */
  failed(error: WctrError): void;
  /** A wait of the guest's was cut short for this alone. */
  interrupted(): boolean;
}

type Control = 'start_unwind' | 'stop_unwind' | 'start_rewind' | 'stop_rewind';
type Call = (...values: never[]) => unknown;

const PAGE_BYTES = 65536;
/** Room for frames. Untouched pages of it cost nothing, neither in memory nor in a checkpoint. */
const ROOM_PAGES = 32;
const STRUCTURE_BYTES = 8;

export class GuestStack {
  readonly #taker: StackTaker | undefined;
  #exports: WebAssembly.Exports = {};
  #at = 0;
  #unwinding = false;
  #rewinding = false;
  /** Calls being made; one within another comes from a handler of the guest's, whose frames lie on top of the host's. */
  #depth = 0;

  /** Without a taker: only for a program that goes on. */
  constructor(taker?: StackTaker) {
    this.#taker = taker;
  }

  imports(imports: WebAssembly.Imports): WebAssembly.Imports {
    return Object.fromEntries(
      Object.entries(imports).map(([module, functions]) => [
        module,
        Object.fromEntries(
          Object.entries(functions).map(([name, value]) => [
            name,
            typeof value === 'function' ? this.#watched(value as Call) : value,
          ]),
        ),
      ]),
    );
  }

  attach(instance: WebAssembly.Instance): void {
    this.#exports = instance.exports;
  }

  /** The next call of the entry goes on with the frames at `at`. */
  goOn(at: number): void {
    const memory = this.#exports['wctr.m0'];
    if (!(memory instanceof WebAssembly.Memory) || at + STRUCTURE_BYTES > memory.buffer.byteLength) {
      throw damaged('its frames lie outside of the memory');
    }
    for (const name of ['start_unwind', 'stop_unwind', 'start_rewind', 'stop_rewind']) {
      if (typeof this.#exports[`asyncify_${name}`] !== 'function') throw damaged('the program keeps no frames');
    }
    this.#at = at;
    this.#rewinding = true;
    this.#control('start_rewind', at);
  }

  /** Calls the entry until the program has ended, or is not to go on. */
  around(entry: () => unknown): () => void {
    return () => {
      entry();
      while (this.#unwinding) {
        this.#unwinding = false;
        this.#control('stop_unwind');
        if (this.#taker?.taken(this.#at) !== true) return;
        this.goOn(this.#at);
        entry();
      }
    };
  }

  #watched(call: Call): Call {
    return (...values) => {
      if (this.#unwinding)
        throw new WctrError('sandbox-failed', 'the program calls the host while its stack is taken down');
      if (this.#rewinding) {
        this.#rewinding = false;
        this.#control('stop_rewind');
      }
      for (;;) {
        if (this.#depth === 0 && this.#taker?.wants() === true && this.#takeDown()) return 0;
        this.#depth++;
        const result = call(...values);
        this.#depth--;
        if (result !== ERRNO_INTR || this.#taker === undefined) return result;
        const isCut = this.#taker.interrupted();
        if (!isCut && !this.#taker.wants()) return result;
      }
    };
  }

  #takeDown(): boolean {
    const memory = this.#exports['wctr.m0'] as WebAssembly.Memory;
    if (this.#at === 0 && !this.#makeRoom(memory)) return false;
    if (this.#taker?.begin() !== true) return false;
    new DataView(memory.buffer).setUint32(this.#at, this.#at + STRUCTURE_BYTES, true);
    this.#unwinding = true;
    this.#control('start_unwind', this.#at);
    return true;
  }

  /** An allocator that takes memory from the system cannot tell this from another one's growing it. */
  #makeRoom(memory: WebAssembly.Memory): boolean {
    try {
      this.#at = memory.grow(ROOM_PAGES) * PAGE_BYTES;
    } catch (cause) {
      const megabytes = (ROOM_PAGES * PAGE_BYTES) / 1048576;
      const message = `no room for the program's frames: its memory cannot grow by ${megabytes} MB`;
      this.#taker?.failed(new WctrError('no-memory', message, { hint: 'raise its limit: -m', cause }));
      return false;
    }
    new DataView(memory.buffer).setUint32(this.#at + 4, this.#at + ROOM_PAGES * PAGE_BYTES, true);
    return true;
  }

  #control(name: Control, at?: number): void {
    const control = this.#exports[`asyncify_${name}`] as (at?: number) => void;
    if (at === undefined) control();
    else control(at);
  }
}

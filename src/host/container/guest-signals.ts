/**
 * Signals that a guest handles itself: a module that exports `__wasm_signal(i32)` (as WASIX programs do) is called with
 * the number when its next system call returns; a call that waits returns EINTR for it. A guest that computes without
 * calling anything sees its signals when it does.
 */
import { PROCESS_SIGNALS } from '../../core/abi/kernel.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import { FREEZE_SIGNAL, STATE_CATCHES } from './messages.ts';

const HANDLER = '__wasm_signal';

export class GuestSignals {
  readonly #port: KernelPort;
  readonly #task: number;
  readonly #words: Int32Array;
  readonly #pending: number;
  #handler: ((signal: number) => unknown) | undefined;
  #handling = false;

  constructor(port: KernelPort, task: number) {
    this.#port = port;
    this.#task = task;
    this.#words = new Int32Array(port.memory.buffer);
    this.#pending = ((this.#words[task >>> 2]! >>> 0) + PROCESS_SIGNALS) >>> 2;
  }

  /** Does the program handle its signals itself? */
  get handles(): boolean {
    return this.#handler !== undefined;
  }

  /** Does a wait have to end? */
  get pending(): boolean {
    return this.#handler !== undefined && Atomics.load(this.#words, this.#pending) !== 0;
  }

  /** Was a wait ended by FREEZE_SIGNAL? It is gone then; others stay. */
  takeFreeze(): boolean {
    const bit = 1 << (FREEZE_SIGNAL - 1);
    return (Atomics.and(this.#words, this.#pending, ~bit) & bit) !== 0;
  }

  /** The imports with signals delivered behind each; as they are for a module that handles none. */
  imports(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Imports {
    const handles = WebAssembly.Module.exports(module).some(
      ({ name, kind }) => name === HANDLER && kind === 'function',
    );
    if (!handles) return imports;
    return Object.fromEntries(
      Object.entries(imports).map(([module, functions]) => [
        module,
        Object.fromEntries(Object.entries(functions).map(([name, value]) => [name, this.#delivering(value)])),
      ]),
    );
  }

  attach(instance: WebAssembly.Instance, state: Int32Array): void {
    const handler = instance.exports[HANDLER];
    if (typeof handler !== 'function') return;
    this.#handler = handler as (signal: number) => unknown;
    Atomics.store(state, STATE_CATCHES, 1);
  }

  #delivering(value: WebAssembly.ImportValue): WebAssembly.ImportValue {
    if (typeof value !== 'function') return value;
    return (...values: never[]) => {
      const result: unknown = value(...values);
      if (this.pending && !this.#handling) this.#deliver();
      return result;
    };
  }

  /** A handler's own calls deliver nothing: one signal at a time. */
  #deliver(): void {
    this.#handling = true;
    try {
      const mask = this.#port.calls.signals_take(this.#task);
      for (let signal = 1; signal < FREEZE_SIGNAL; signal++) {
        if ((mask >>> (signal - 1)) & 1) this.#handler?.(signal);
      }
    } finally {
      this.#handling = false;
    }
  }
}

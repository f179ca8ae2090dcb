/**
 * The host's end of the fuel checks that core/guard injects. A guest burns units as it loops, calls and copies; when
 * they are spent it asks for more, and that is the moment to look at the clock: to sleep off what is over the CPU quota,
 * to hold a paused guest, to end one whose time is up. Units are only a means to come by every few milliseconds; what is
 * charged against the quota is measured time.
 */
import { WctrError } from '../errors.ts';
import { type CpuQuota, localQuota, sharedQuota } from './fuel-quota.ts';

export interface FuelOptions {
  /** CPUs as a fraction of one; absent: no limit. */
  readonly cpus?: number;
  /** The limit's bucket where several threads share it (fuel-quota.ts); default: one of our own. */
  readonly quota?: SharedArrayBuffer;
  /** Wall time from the start to the end of the guest, milliseconds. */
  readonly timeoutMs?: number;
  /**
   * Asked at every refill: `stop` ends the guest, `pause` holds it until the answer changes. What it reads (a shared
   * flag, mostly) must be readable from the guest's own thread, which does not run its event loop meanwhile.
   */
  readonly poll?: () => FuelCommand;
  /** Monotonic milliseconds. Default performance.now. */
  readonly now?: () => number;
  /** Blocks the thread. Default Atomics.wait. */
  readonly sleep?: (milliseconds: number) => void;
}

export type FuelCommand = 'run' | 'pause' | 'stop';

/** Why the guest was ended; the trap that ended it says nothing of it. */
export type FuelEnd = 'timeout' | 'stopped';

/** The exports the guard adds. */
const TABLE_EXPORT = 'wctr.fuel';
const START_EXPORT = 'wctr.start';

/** Wanted time between two refills. */
const TARGET_MS = 3;
/** Answer that makes the guest trap where it stands; a trap, unlike an exception, cannot be caught by the guest. */
const END_GUEST = -1;
const MIN_UNITS = 1_000;
/** About 5 ms of the fastest loop seen: a guest that was measured idling cannot run away for long. */
const MAX_UNITS = 16_000_000;
const FIRST_UNITS = 20_000;
/** Sleeping in slices keeps a throttled or paused guest responsive to `stop`. */
const SLICE_MS = 20;

/** The module's start function, where the guard left it to the host. */
export function runStart({ exports }: WebAssembly.Instance): void {
  const start = exports[START_EXPORT];
  if (typeof start === 'function') start();
}

export class Fuel {
  readonly #quota: CpuQuota | undefined;
  readonly #deadline: number;
  readonly #poll: () => FuelCommand;
  readonly #now: () => number;
  readonly #sleep: (milliseconds: number) => void;
  #units = FIRST_UNITS;
  #resumed: number;
  #usedMs = 0;
  #end: FuelEnd | undefined;

  /** Starts the clock. Throws 'unsupported' when `cpus` is given and the thread cannot sleep. */
  constructor(options: FuelOptions = {}) {
    if (options.cpus !== undefined && !(options.cpus > 0)) {
      throw new WctrError('invalid-argument', `invalid CPU limit ${options.cpus}`, {
        hint: 'use --cpus above 0, as in 0.5',
      });
    }
    this.#poll = options.poll ?? (() => 'run');
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? threadSleep(options.cpus !== undefined);
    const start = this.#now();
    this.#deadline = start + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#resumed = start;
    const { cpus, quota } = options;
    if (cpus !== undefined) this.#quota = quota === undefined ? localQuota(cpus, this.#now) : sharedQuota(quota);
  }

  /** Why the guest was ended by a refill; undefined when it was not. */
  get end(): FuelEnd | undefined {
    return this.#end;
  }

  /** Milliseconds the guest ran, as far as accounted for. */
  get usedMs(): number {
    return this.#usedMs;
  }

  /**
   * Connects a guarded instance and runs its start function, which the guard took out of the engine's hands. Does
   * nothing for a module without code. `start` false: an instance that goes on somewhere has had its start.
   */
  attach(instance: WebAssembly.Instance, start = true): void {
    const table = instance.exports[TABLE_EXPORT];
    if (!(table instanceof WebAssembly.Table)) return;
    table.set(
      0,
      asWasmFunction(() => this.refill()),
    );
    if (start) runStart(instance);
  }

  /**
   * Called by the host before and after a system call that blocks, so that waiting is not charged as CPU time:
   * `const resume = fuel.blocked(); ...; resume();`.
   */
  blocked(): () => void {
    this.#charge();
    return () => {
      this.#resumed = this.#now();
    };
  }

  /** The next allowance in units; below zero ends the guest. */
  refill(): number {
    if (this.#end !== undefined) return END_GUEST;
    const elapsed = this.#charge();
    this.#adapt(elapsed);
    this.#hold();
    this.#resumed = this.#now();
    return this.#end === undefined ? this.#units : END_GUEST;
  }

  /** Books the time since the guest resumed; gives it. */
  #charge(): number {
    const now = this.#now();
    const elapsed = Math.max(0, now - this.#resumed);
    this.#resumed = now;
    this.#usedMs += elapsed;
    this.#quota?.take(elapsed);
    return elapsed;
  }

  /** Steers towards TARGET_MS between refills; falls at once, rises by doubling. */
  #adapt(elapsedMs: number): void {
    const factor = elapsedMs > 0 ? Math.min(2, TARGET_MS / elapsedMs) : 2;
    this.#units = Math.max(MIN_UNITS, Math.min(MAX_UNITS, Math.floor(this.#units * factor)));
  }

  /** Sleeps while the guest is paused or over its quota; notes its end. */
  #hold(): void {
    for (;;) {
      const now = this.#now();
      const command = this.#poll();
      if (command === 'stop') this.#end = 'stopped';
      else if (now >= this.#deadline) this.#end = 'timeout';
      if (this.#end !== undefined) return;
      const owedMs = this.#quota?.owedMs() ?? 0;
      if (command === 'run' && owedMs === 0) return;
      const wanted = command === 'pause' ? SLICE_MS : Math.min(SLICE_MS, Math.max(1, owedMs));
      this.#sleep(Math.min(wanted, Math.max(1, this.#deadline - now)));
    }
  }
}

/** (module (import "e" "f" (func (result i32))) (export "f" (func 0))): a host function a table takes. */
const WRAPPER = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f, 0x02, 0x07, 0x01, 0x01,
  0x65, 0x01, 0x66, 0x00, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,
]);

function asWasmFunction(f: () => number): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(WRAPPER), { e: { f } }).exports.f;
}

function threadSleep(needed: boolean): (milliseconds: number) => void {
  if (typeof SharedArrayBuffer === 'undefined') {
    if (!needed) return () => {};
    throw new WctrError(
      'unsupported',
      'a CPU limit needs a thread that can sleep, and this page has no shared memory',
      {
        hint: 'serve the page with COOP and COEP headers, or leave --cpus out',
      },
    );
  }
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return (milliseconds) => {
    Atomics.wait(cell, 0, 0, milliseconds);
  };
}

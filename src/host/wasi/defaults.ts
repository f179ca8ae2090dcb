/** Clock, randomness and waiting from web standards alone, and their deterministic twins. */
import type { ClockPort, RandomPort, Sleep } from './ports.ts';

/** A monotonic clock does not follow when the wall clock is set; how often that is looked for, and how far off is too far. */
const CHECK_EVERY_MS = 50;
const DRIFT_MS = 20;
/** A wall clock from a monotonic one: one look per call, since the kernel asks for the time with every write. */
export function clockFrom(monotonicMs: () => number, cpuMs?: () => number): ClockPort {
  let origin = 0;
  let checked = Number.NEGATIVE_INFINITY;
  return {
    realtimeMs() {
      const now = monotonicMs();
      if (now - checked > CHECK_EVERY_MS) {
        checked = now;
        const coarse = Date.now();
        if (Math.abs(origin + now - coarse) > DRIFT_MS) origin = coarse - now;
      }
      return origin + now;
    },
    monotonicMs,
    ...(cpuMs === undefined ? {} : { cpuMs }),
  };
}

export const hostClock: ClockPort = clockFrom(() => performance.now());

export const hostRandom: RandomPort = {
  fill(target) {
    crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);
  },
};

/**
 * Waits without spinning wherever the host lets this thread block: Workers, and the main thread of Node, Deno and Bun.
 * A page's main thread may not block at all; there the wait is a loop on the clock, so guests that sleep belong in a
 * Worker.
 */
export const hostSleep: Sleep = (ms) => {
  if (ms <= 0) return;
  try {
    Atomics.wait(sleepWord(), 0, 0, ms);
  } catch {
    const until = performance.now() + ms;
    while (performance.now() < until);
  }
};

let word: Int32Array | undefined;

function sleepWord(): Int32Array {
  word ??= new Int32Array(new SharedArrayBuffer(4));
  return word;
}

/** Where the deterministic clock starts unless told otherwise: 2020-01-01. */
const EPOCH_SECONDS = 1_577_836_800;
/** How far it goes with every look. */
const STEP_MS = 0.001;

/** Time that depends on nothing but how often it was looked at and how long the guest slept. `start`: seconds. */
export function deterministicHost(
  seed = 0,
  start = EPOCH_SECONDS,
): { clock: ClockPort; random: RandomPort; sleep: Sleep } {
  let elapsed = 0;
  const tick = () => {
    elapsed += STEP_MS;
    return elapsed;
  };
  let state = BigInt.asUintN(64, BigInt(seed));
  return {
    clock: { realtimeMs: () => start * 1000 + tick(), monotonicMs: tick },
    sleep: (ms) => {
      elapsed += ms;
    },
    random: {
      // splitmix64: reproducible, not secret.
      fill(target) {
        for (let at = 0; at < target.length; at += 8) {
          state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
          let z = state;
          z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
          z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
          z ^= z >> 31n;
          for (let i = 0; i < 8 && at + i < target.length; i++) target[at + i] = Number((z >> BigInt(8 * i)) & 0xffn);
        }
      },
    },
  };
}

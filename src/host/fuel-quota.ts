/**
 * A CPU limit as a bucket of time: it fills at the rate of the limit, up to one period, and what ran is taken from it.
 * The threads of a container share one, in shared memory.
 *
 * ```
 * i64 microseconds in the bucket | i64 when it was filled last, microseconds of the wall clock
 * i64 the limit in millionths of a CPU, 0: none
 * ```
 */

/** What may be saved up, as cgroups' cpu.max does it. */
const PERIOD_MS = 100;
const CREDIT = 0;
const FILLED = 1;
const RATE = 2;
const BYTES = 24;

/** `cpus`: undefined for no limit so far. */
export function createSharedQuota(cpus: number | undefined): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(BYTES);
  const words = new BigInt64Array(buffer);
  words[CREDIT] = micros(Math.min(cpus ?? 0, 1) * PERIOD_MS);
  words[FILLED] = micros(Date.now());
  setSharedRate(buffer, cpus);
  return buffer;
}

/** Another limit from now on, for every thread that has this bucket. */
export function setSharedRate(buffer: SharedArrayBuffer, cpus: number | undefined): void {
  Atomics.store(new BigInt64Array(buffer), RATE, BigInt(Math.round((cpus ?? 0) * 1e6)));
}

export interface CpuQuota {
  /** Books time that ran. */
  take(ms: number): void;
  /** Fills up to now; how long to wait until something is in it, 0: nothing to wait for. */
  owedMs(): number;
}

/** `cpus`: as a fraction of one. `now`: monotonic milliseconds. */
export function localQuota(cpus: number, now: () => number): CpuQuota {
  let credit = Math.min(cpus, 1) * PERIOD_MS;
  let filled = now();
  return {
    take(ms) {
      credit -= ms;
    },
    owedMs() {
      const time = now();
      credit = Math.min(credit + (time - filled) * cpus, cpus * PERIOD_MS);
      filled = time;
      return credit < 0 ? -credit / cpus : 0;
    },
  };
}

export function sharedQuota(buffer: SharedArrayBuffer): CpuQuota {
  const words = new BigInt64Array(buffer);
  return {
    take(ms) {
      Atomics.sub(words, CREDIT, micros(ms));
    },
    owedMs() {
      const cpus = Number(Atomics.load(words, RATE)) / 1e6;
      if (cpus === 0) return 0;
      const most = micros(cpus * PERIOD_MS);
      const time = micros(Date.now());
      const filled = Atomics.load(words, FILLED);
      // One of the threads fills for a span of time; a clock that was set back fills nothing.
      if (time !== filled && Atomics.compareExchange(words, FILLED, filled, time) === filled && time > filled) {
        Atomics.add(words, CREDIT, BigInt(Math.floor(Number(time - filled) * cpus)));
      }
      let credit = Atomics.load(words, CREDIT);
      while (credit > most) {
        const seen = Atomics.compareExchange(words, CREDIT, credit, most);
        if (seen === credit) return 0;
        credit = seen;
      }
      return credit < 0n ? Number(-credit) / 1000 / cpus : 0;
    },
  };
}

function micros(ms: number): bigint {
  return BigInt(Math.round(ms * 1000));
}

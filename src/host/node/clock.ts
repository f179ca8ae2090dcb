/** Node's own clocks: there from the start, while `performance` has to be loaded. */
import type { ClockPort } from '../wasi/ports.ts';

/** The wall clock is read anew when this much has passed, so that setting it is followed. */
const CHECK_EVERY_MS = 50;
const DRIFT_MS = 20;
let origin = 0;
let checked = Number.NEGATIVE_INFINITY;

export const processClock: ClockPort = {
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
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

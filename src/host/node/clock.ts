import { clockFrom } from '../wasi/defaults.ts';

/** Node's own clock: there from the start, while `performance` has to be loaded first. */
export const processClock = clockFrom(
  () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
);

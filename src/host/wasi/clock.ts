/**
 * clock_res_get, clock_time_get. Times are cut to a configured resolution: a fine timer is half of a side channel.
 * Where the host offers no CPU time, the time since the start of the process stands in for it.
 */
import {
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_THREAD_CPUTIME,
  ERRNO_FAULT,
  ERRNO_INVAL,
  ERRNO_SUCCESS,
} from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';

export function clock(context: WasiContext) {
  const { guest } = context;
  return {
    clock_res_get(id: number, result: number): number {
      if (id >>> 0 > CLOCK_THREAD_CPUTIME) return ERRNO_INVAL;
      const at = result >>> 0;
      if (!guest.holds(at, 8)) return ERRNO_FAULT;
      guest.view.setUint32(at, context.clockResolutionNs, true);
      guest.view.setUint32(at + 4, 0, true);
      return ERRNO_SUCCESS;
    },
    clock_time_get(id: number, _precision: bigint, result: number): number {
      if (id >>> 0 > CLOCK_THREAD_CPUTIME) return ERRNO_INVAL;
      const at = result >>> 0;
      if (!guest.holds(at, 8)) return ERRNO_FAULT;
      const units = clockUnits(context, id);
      // units * resolution, exactly: the product of two doubles would lose the low bits of a time since 1970.
      const unitsHigh = Math.floor(units / 0x1_0000_0000);
      const product = (units - unitsHigh * 0x1_0000_0000) * context.clockResolutionNs;
      const carry = Math.floor(product / 0x1_0000_0000);
      guest.view.setUint32(at, product - carry * 0x1_0000_0000, true);
      guest.view.setUint32(at + 4, unitsHigh * context.clockResolutionNs + carry, true);
      return ERRNO_SUCCESS;
    },
  };
}

/** The clock's time in whole units of the resolution. */
function clockUnits(context: WasiContext, id: number): number {
  return Math.floor((clockMs(context, id) * 1e6) / context.clockResolutionNs);
}

/** The clock's time in milliseconds. */
export function clockMs(context: WasiContext, id: number): number {
  const source = context.clock;
  if (id === CLOCK_REALTIME) return source.realtimeMs();
  if (id === CLOCK_MONOTONIC) return source.monotonicMs();
  return source.cpuMs?.() ?? source.monotonicMs() - context.startedMs;
}

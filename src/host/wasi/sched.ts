/** sched_yield. A process has its thread to itself; there is nothing to give way to. */
import { ERRNO_SUCCESS } from '../../spec/wasi-preview1.ts';

export function sched() {
  return { sched_yield: (): number => ERRNO_SUCCESS };
}

/**
 * A guest recurses as deep as its thread's stack goes, and calls the kernel from there. Run out of stack inside, and the
 * kernel would stop where it stands, with its lock taken and its structures half changed, for every process of the
 * container. So there has to be room for the whole call before it is made; where there is not, the guest ends as it would
 * have one call deeper.
 */
import type { KernelCalls, KernelPort } from '../wasi/kernel-port.ts';

/** Frames tried; their size is the engine's business, and a kernel call with its host imports takes far less. */
const FRAMES = 256;

function descend(frames: number): number {
  return frames === 0 ? 0 : descend(frames - 1) + 1;
}

type Call = (...values: number[]) => number;

/** The same calls, each made only with stack to spare. The end of a begun call has what the begin found. */
export function withStackSpare(calls: KernelPort['calls']): KernelCalls {
  const guarded: Record<string, Call> = {};
  for (const [name, call] of Object.entries(calls) as [string, Call | undefined][]) {
    if (typeof call === 'function') guarded[name] = name === 'io_end' ? call : spared(call);
  }
  return guarded as unknown as KernelCalls;
}

function spared(call: Call): Call {
  // No call has more than nine; missing ones become 0 and are not looked at.
  return (a, b, c, d, e, f, g, h, i) => {
    descend(FRAMES);
    return call(a!, b!, c!, d!, e!, f!, g!, h!, i!);
  };
}

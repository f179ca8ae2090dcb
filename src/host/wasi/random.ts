/** random_get, in pieces of bounded size whatever length the guest asks for. */
import { ERRNO_FAULT, ERRNO_SUCCESS } from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';

/** What crypto.getRandomValues gives at most in one call. */
const CHUNK = 65536;

export function random(context: WasiContext) {
  const { guest } = context;
  return {
    random_get(buffer: number, length: number): number {
      const from = buffer >>> 0;
      const end = from + (length >>> 0);
      if (!guest.holds(from, length >>> 0)) return ERRNO_FAULT;
      // Hosts refuse to fill shared memory directly.
      const scratch = guest.shared ? new Uint8Array(Math.min(CHUNK, end - from)) : undefined;
      for (let at = from; at < end; at += CHUNK) {
        const target = guest.u8.subarray(at, Math.min(at + CHUNK, end));
        if (scratch === undefined) {
          context.random.fill(target);
        } else {
          const piece = scratch.subarray(0, target.length);
          context.random.fill(piece);
          target.set(piece);
        }
      }
      return ERRNO_SUCCESS;
    },
  };
}

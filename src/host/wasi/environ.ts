/** environ_get, environ_sizes_get. */
import { giveSizes, giveStrings } from './args.ts';
import type { WasiContext } from './context.ts';

export function environ(context: WasiContext) {
  return {
    environ_get: (vector: number, buffer: number): number => giveStrings(context, context.environ, vector, buffer),
    environ_sizes_get: (count: number, size: number): number => giveSizes(context, context.environ, count, size),
  };
}

/** args_get, args_sizes_get, and the way strings are handed over that environ shares. */
import { ERRNO_FAULT, ERRNO_SUCCESS } from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';
import type { StringBlock } from './ports.ts';

export function args(context: WasiContext) {
  return {
    args_get: (argv: number, buffer: number): number => giveStrings(context, context.args, argv, buffer),
    args_sizes_get: (count: number, size: number): number => giveSizes(context, context.args, count, size),
  };
}

export function giveStrings({ guest }: WasiContext, block: StringBlock, vector: number, buffer: number): number {
  const at = vector >>> 0;
  const to = buffer >>> 0;
  const { bytes, offsets } = block;
  if (!guest.holds(at, offsets.length * 4) || !guest.holds(to, bytes.length)) return ERRNO_FAULT;
  for (let i = 0; i < offsets.length; i++) guest.view.setUint32(at + 4 * i, to + offsets[i]!, true);
  guest.u8.set(bytes, to);
  return ERRNO_SUCCESS;
}

export function giveSizes({ guest }: WasiContext, block: StringBlock, count: number, size: number): number {
  if (!guest.holds(count >>> 0, 4) || !guest.holds(size >>> 0, 4)) return ERRNO_FAULT;
  guest.view.setUint32(count >>> 0, block.offsets.length, true);
  guest.view.setUint32(size >>> 0, block.bytes.length, true);
  return ERRNO_SUCCESS;
}

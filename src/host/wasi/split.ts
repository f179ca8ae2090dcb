/**
 * JavaScript gets every i64 argument as a newly made BigInt. For the two busiest functions that have some, a Wasm
 * function in between cuts them into i32 (25 % of an open's time, measured). The module, from this text by wat2wasm:
 *
 * ```
 * (module
 *   (import "w" "o" (func $o (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
 *   (import "w" "s" (func $s (param i32 i32 i32 i32 i32) (result i32)))
 *   (func (export "o") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
 *     local.get 0 local.get 1 local.get 2 local.get 3 local.get 4
 *     local.get 5 i32.wrap_i64 local.get 6 i32.wrap_i64 local.get 7 local.get 8 call $o)
 *   (func (export "s") (param i32 i64 i32 i32) (result i32)
 *     local.get 0 local.get 1 i32.wrap_i64 local.get 1 i64.const 32 i64.shr_u i32.wrap_i64
 *     local.get 2 local.get 3 call $s))
 * ```
 */
const BYTES =
  'AGFzbQEAAAABLARgCX9/f39/fn5/fwF/YAl/f39/f39/f38Bf2AEf35/fwF/YAV/f39/fwF/Ag0CAXcBbwABAXcBcwADAwMCAAIHCQIBbwACAXMAAwouAhgAIAAgASACIAMgBCAFpyAGpyAHIAgQAAsTACAAIAGnIAFCIIinIAIgAxABCw==';

/** path_open with the low halves of its rights; no right has a number above 29. */
export type SplitOpen = (
  fd: number,
  dirflags: number,
  pointer: number,
  length: number,
  oflags: number,
  base: number,
  inheriting: number,
  fdflags: number,
  result: number,
) => number;

/** fd_seek with its offset in two halves. */
export type SplitSeek = (fd: number, lo: number, hi: number, whence: number, result: number) => number;

let module: WebAssembly.Module | undefined;

/** The two as functions a guest can import. Where nothing can be compiled JavaScript cuts the numbers itself. */
export function splitImports(open: SplitOpen, seek: SplitSeek) {
  module ??= compiled();
  if (module === undefined) return uncompiled(open, seek);
  const { exports } = new WebAssembly.Instance(module, { w: { o: open, s: seek } });
  return { path_open: exports.o!, fd_seek: exports.s! };
}

function compiled(): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(BYTES), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function uncompiled(open: SplitOpen, seek: SplitSeek) {
  const low = (value: bigint) => Number(BigInt.asIntN(32, value));
  return {
    path_open: (
      ...[fd, dirflags, pointer, length, oflags, base, inheriting, fdflags, result]: [
        ...[fd: number, dirflags: number, pointer: number, length: number, oflags: number],
        ...[base: bigint, inheriting: bigint, fdflags: number, result: number],
      ]
    ) => open(fd, dirflags, pointer, length, oflags, low(base), low(inheriting), fdflags, result),
    fd_seek: (fd: number, offset: bigint, whence: number, result: number) =>
      seek(fd, low(offset), low(offset >> 32n), whence, result),
  };
}

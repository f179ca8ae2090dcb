import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guard, refusal } from '../../support/guard.ts';
import { coreBytes, kernelBytes } from '../../support/wasm.ts';
import {
  body,
  END,
  FUNCREF,
  functionType,
  I32,
  i32Const,
  limits,
  VOID,
  wasmModule,
} from '../../support/wasm-builder.ts';

const small = wasmModule({
  types: [functionType([], []), functionType([I32, I32], [I32])],
  imports: [['wasi_snapshot_preview1', 'sched_yield', [0, 0]]],
  functions: [1, 0],
  tables: [[FUNCREF, ...limits(2, 20)]],
  memories: [limits(1, 2)],
  globals: [[I32, 1, ...i32Const(7), END]],
  exports: [
    ['memory', 2, 0],
    ['f', 0, 1],
    ['_start', 0, 2],
  ],
  start: 2,
  elements: [[0, ...i32Const(0), END, 2, 1, 2]],
  bodies: [
    body(
      [0x03, VOID, 0x20, 0, 0x04, VOID, 0x20, 0, ...i32Const(1), 0x6b, 0x21, 0, 0x0c, 1, END, END, 0x20, 1],
      [[2, I32]],
    ),
    body([...i32Const(3), ...i32Const(4), 0x10, 1, 0x1a, 0x02, VOID, ...i32Const(0), 0x0e, 1, 0, 0, END]),
  ],
  data: [[0, ...i32Const(0), END, 3, 1, 2, 3]],
});

const POLICY = {
  sharedMemory: true,
  memoryImport: true,
  imports: [{ module: 'env' }, { module: 'wasi_snapshot_preview1' }],
};

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(8) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    value: fc.nat(255),
  }),
);

function mutate(
  bytes: Uint8Array,
  changes: readonly { kind: string; at: number; value: number }[],
): Uint8Array<ArrayBuffer> {
  let out = [...bytes];
  for (const { kind, at, value } of changes) {
    const place = Math.min(out.length - 1, Math.floor(at * out.length));
    if (kind === 'set') out[place] = value;
    else if (kind === 'insert') out.splice(place, 0, value);
    else out = [...out.slice(0, place), ...out.slice(place + value)];
  }
  return new Uint8Array(out);
}

/** The guard answers; what it lets through is valid exactly when the input was. */
function agrees(bytes: Uint8Array<ArrayBuffer>): void {
  for (const fuel of [false, true]) {
    const error = refusal(bytes, { ...POLICY, fuel });
    if (error !== undefined) {
      expect(['invalid-module', 'module-denied', 'no-memory', 'unsupported']).toContain(error.code);
      continue;
    }
    expect(WebAssembly.validate(guard(bytes, { ...POLICY, fuel }).bytes)).toBe(WebAssembly.validate(bytes));
  }
}

describe('damaged modules', () => {
  it('begin as sound ones', () => {
    expect(WebAssembly.validate(small)).toBe(true);
    for (const fuel of [false, true]) expect(WebAssembly.validate(guard(small, { ...POLICY, fuel }).bytes)).toBe(true);
  });

  it('small, changed anywhere', () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes) => agrees(mutate(small, changes))),
      { numRuns: 2000 },
    );
  });

  it('cut off at every byte, and every byte set to what matters', () => {
    for (let at = 0; at < small.length; at++) {
      agrees(small.slice(0, at));
      for (const value of [0x00, 0x0b, 0x40, 0x7f, 0x80, 0xff]) {
        const copy = small.slice();
        copy[at] = value;
        agrees(copy);
      }
    }
  });

  it('large, changed in their code', () => {
    for (const source of [coreBytes(), kernelBytes()]) {
      agrees(source);
      fc.assert(
        fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (changes) => agrees(mutate(source, changes))),
        { numRuns: 20 },
      );
    }
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fuel } from '../../../src/host/fuel.ts';
import { guard } from '../../support/guard.ts';
import {
  type Bytes,
  body,
  call,
  DROP,
  END,
  endless,
  FUNCREF,
  functionType,
  I32,
  i32Const,
  leb,
  limits,
  program,
  VOID,
  wasmModule,
} from '../../support/wasm-builder.ts';

type Exports = Record<string, (...args: number[]) => number>;

function instantiate(bytes: Uint8Array<ArrayBuffer>, fuel?: Fuel): Exports {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  fuel?.attach(instance);
  return instance.exports as Exports;
}

/** A clock that goes on by a step each time it is read; sleeping moves it too. */
function fakeTime(stepMs: number) {
  let now = 0;
  return {
    now: () => {
      now += stepMs;
      return now;
    },
    sleep: (ms: number) => {
      now += ms;
    },
  };
}

/** Local 0: state, 1: steps; ends by `return` once `steps` run out. */
type Statement =
  | { kind: 'mix'; value: number }
  | { kind: 'block' | 'loop' | 'if'; body: readonly Statement[] }
  | { kind: 'branch'; label: number; bit: number }
  | { kind: 'table'; labels: readonly number[] };

const STEPS = 3000;
const statements = fc.letrec<{ list: Statement[]; one: Statement }>((tie) => ({
  list: fc.array(tie('one'), { maxLength: 5, depthIdentifier: 'd' }),
  one: fc.oneof(
    { depthIdentifier: 'd', maxDepth: 5 },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('mix' as const), value: fc.nat(1000) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('branch' as const), label: fc.nat(8), bit: fc.nat(6) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('table' as const),
        labels: fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('block' as const, 'loop' as const, 'loop' as const, 'if' as const),
        body: tie('list'),
      }),
    },
  ),
})).list;

const GET_STATE: Bytes = [0x20, 0];
/** `state = state * 31 + value; if (++steps > STEPS) return state`. */
const mix = (value: number): Bytes => [
  ...GET_STATE,
  ...i32Const(31),
  0x6c,
  ...i32Const(value),
  0x6a,
  0x21,
  0,
  0x20,
  1,
  ...i32Const(1),
  0x6a,
  0x22,
  1,
  ...i32Const(STEPS),
  0x4b,
  0x04,
  VOID,
  ...GET_STATE,
  0x0f,
  END,
];
const stateBits = (shift: number, mask: number): Bytes => [
  ...GET_STATE,
  ...i32Const(shift),
  0x76,
  ...i32Const(mask),
  0x71,
];

function compile(list: readonly Statement[], depth: number): number[] {
  return list.flatMap((statement): number[] => {
    switch (statement.kind) {
      case 'mix':
        return [...mix(statement.value)];
      case 'branch':
        return [...mix(7), ...stateBits(statement.bit, 1), 0x0d, statement.label % depth];
      case 'table': {
        const labels = statement.labels.map((label) => label % depth);
        return [...mix(9), ...stateBits(3, 3), 0x0e, ...leb(labels.length - 1), ...labels];
      }
      case 'if':
        return [...stateBits(2, 1), 0x04, VOID, ...compile(statement.body, depth + 1), END];
      default:
        return [statement.kind === 'loop' ? 0x03 : 0x02, VOID, ...compile(statement.body, depth + 1), END];
    }
  });
}

describe('a rewritten program', () => {
  it('does what the original does, whatever its blocks, loops and branches', () => {
    fc.assert(
      fc.property(statements, fc.integer(), (list, seed) => {
        // the outermost block catches what would leave the function without its result
        const code = [0x02, VOID, ...compile(list, 1), END, ...GET_STATE];
        const bytes = wasmModule({
          types: [functionType([I32], [I32])],
          functions: [0],
          exports: [['run', 0, 0]],
          bodies: [body(code, [[1, I32]])],
        });
        const guarded = guard(bytes, { fuel: true });
        expect(WebAssembly.validate(bytes)).toBe(true);
        expect(WebAssembly.validate(guarded.bytes)).toBe(true);
        const plain = instantiate(bytes);
        const fuelled = instantiate(guarded.bytes, new Fuel());
        expect(fuelled.run!(seed)).toBe(plain.run!(seed));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps values that a loop leaves behind, and loops with parameters', () => {
    const bytes = wasmModule({
      types: [functionType([I32], [I32]), functionType([I32], [I32]), functionType([], [I32, I32])],
      functions: [0, 0],
      exports: [
        ['result', 0, 0],
        ['param', 0, 1],
      ],
      bodies: [
        // sum = loop (result i32) n; if (--n) continue; sum end
        body(
          [0x03, I32, 0x20, 1, 0x20, 0, 0x6a, 0x21, 1, 0x20, 0, ...i32Const(1), 0x6b, 0x22, 0, 0x0d, 0, 0x20, 1, END],
          [[1, I32]],
        ),
        // a loop that carries its counter as a parameter
        body(
          [
            0x20,
            0,
            0x03,
            1,
            0x20,
            1,
            ...i32Const(3),
            0x6a,
            0x21,
            1,
            ...i32Const(1),
            0x6b,
            0x22,
            0,
            0x20,
            0,
            0x0d,
            0,
            END,
            DROP,
            0x20,
            1,
          ],
          [[1, I32]],
        ),
      ],
    });
    const guarded = guard(bytes, { fuel: true });
    const { result, param } = instantiate(guarded.bytes, new Fuel());
    expect(guarded.info.fuel?.loops).toBe(2);
    expect(result!(1000)).toBe(500500);
    expect(param!(1000)).toBe(3000);
    expect(instantiate(bytes).param!(1000)).toBe(3000);
  });

  it('runs its start function when the host is ready for it', () => {
    const bytes = wasmModule({
      types: [functionType([], []), functionType([], [I32])],
      functions: [0, 1],
      globals: [[I32, 1, ...i32Const(1), END]],
      exports: [['get', 0, 1]],
      start: 0,
      bodies: [body([...i32Const(42), 0x24, 0]), body([0x23, 0])],
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(guard(bytes, { fuel: true }).bytes), {});
    const { get } = instance.exports as Exports;
    expect(get!()).toBe(1);
    new Fuel().attach(instance);
    expect(get!()).toBe(42);
  });

  it('is the same every time, and untouched where nothing needs fuel', () => {
    const bytes = program(endless());
    expect(guard(bytes, { fuel: true }).bytes).toEqual(guard(bytes, { fuel: true }).bytes);
    const none = wasmModule({ memories: [limits(1, 1)], exports: [['m', 2, 0]] });
    expect(guard(none, { fuel: true }).bytes).toEqual(none);
  });
});

const callSelf = call(0);
const TYPES = [functionType([], [])];
const SELF_TABLE = {
  types: TYPES,
  tables: [[FUNCREF, ...limits(1, 1)]],
  elements: [[0, ...i32Const(0), END, 1, 0]],
};
const PAGE = { memories: [limits(1, 1)] };
/** Calls in both directions, so that the depth stays small while the number of calls does not. */
const tree = (depth: number) =>
  wasmModule({
    types: TYPES,
    functions: Array(depth).fill(0),
    exports: [['_start', 0, 0]],
    bodies: Array.from({ length: depth }, (_, i) => body(i + 1 < depth ? [...call(i + 1), ...call(i + 1)] : [])),
  });

describe('a program that never ends comes back to its host', () => {
  it.each<[string, Uint8Array<ArrayBuffer>]>([
    ['an empty loop', program(endless())],
    ['a loop in a loop', program(endless(endless()))],
    ['a conditional loop', program([0x03, VOID, ...i32Const(1), 0x0d, 0, END])],
    ['br_table to its loop', program([0x03, VOID, ...i32Const(0), 0x0e, 1, 0, 0, END])],
    ['two loops that take turns', program([0x03, VOID, 0x02, VOID, 0x03, VOID, 0x0c, 2, END, END, END])],
    [
      'a loop with a parameter',
      program([...i32Const(1), 0x03, 1, 0x0c, 0, END, DROP], {
        types: [functionType([], []), functionType([I32], [I32])],
      }),
    ],
    ['a loop that catches everything', program([0x03, VOID, 0x06, VOID, 0x0c, 1, 0x19, 0x0c, 1, END, END])],
    ['a tree of calls without recursion', tree(64)],
    [
      'a recursion tree that ends each branch soon',
      program(
        [
          0x23,
          0,
          ...i32Const(1),
          0x6a,
          0x24,
          0,
          0x23,
          0,
          ...i32Const(30),
          0x49,
          0x04,
          VOID,
          ...callSelf,
          ...callSelf,
          END,
          0x23,
          0,
          ...i32Const(1),
          0x6b,
          0x24,
          0,
        ],
        { globals: [[I32, 1, ...i32Const(0), END]] },
      ),
    ],
    [
      'call_indirect in a loop',
      program(endless([...i32Const(0), 0x11, 0, 0]), {
        ...SELF_TABLE,
        functions: [0, 0],
        elements: [[0, ...i32Const(0), END, 1, 1]],
        bodies: [body(endless([...i32Const(0), 0x11, 0, 0])), body([])],
      }),
    ],
    [
      'memory.fill again and again',
      program(endless([...i32Const(0), ...i32Const(0), ...i32Const(65536), 0xfc, 11, 0]), PAGE),
    ],
    [
      'memory.copy again and again',
      program(endless([...i32Const(0), ...i32Const(1), ...i32Const(65535), 0xfc, 10, 0, 0]), PAGE),
    ],
    ['memory.grow again and again', program(endless([...i32Const(0), 0x40, 0, DROP]), PAGE)],
    ['table.grow again and again', program(endless([0xd0, FUNCREF, ...i32Const(0), 0xfc, 15, 0, DROP]), SELF_TABLE)],
    ['an endless start function', program(endless(), { start: 0 })],
  ])('%s', (_what, bytes) => {
    let polls = 0;
    const fuel = new Fuel({ poll: () => (++polls > 20 ? 'stop' : 'run'), now: () => performance.now() });
    const run = () => instantiate(guard(bytes, { fuel: true }).bytes, fuel)._start!();
    expect(run).toThrow(WebAssembly.RuntimeError);
    expect(fuel.end).toBe('stopped');
    expect(polls).toBe(21);
  });

  const tailCalls = program([0x12, 0]);
  it.skipIf(!WebAssembly.validate(tailCalls))('a tail call to itself', () => {
    const fuel = new Fuel({ timeoutMs: 1000, ...fakeTime(10) });
    expect(() => instantiate(guard(tailCalls, { fuel: true }).bytes, fuel)._start!()).toThrow(WebAssembly.RuntimeError);
    expect(fuel.end).toBe('timeout');
  });

  it('and one that is over traps again when it is called again', () => {
    const fuel = new Fuel({ poll: () => 'stop' });
    const exports = instantiate(guard(program(endless()), { fuel: true }).bytes, fuel);
    expect(() => exports._start!()).toThrow(/unreachable/);
    expect(() => exports._start!()).toThrow(/unreachable/);
  });
});

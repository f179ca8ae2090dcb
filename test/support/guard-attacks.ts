/** Modules that want to harm their host, and how each has to end under the guard (test/attack/guard.test.ts). */
import {
  type Bytes,
  body,
  bytesOf,
  call,
  custom,
  DROP,
  END,
  EXNREF,
  EXTERNREF,
  endless,
  FUNCREF,
  functionType,
  HEADER,
  I32,
  I64,
  i32Const,
  leb,
  limits,
  name,
  paddedLeb,
  program,
  section,
  V128,
  VOID,
  vector,
  wasmModule,
} from './wasm-builder.ts';

export type Attack = readonly [what: string, bytes: Uint8Array<ArrayBuffer>, ends: readonly string[]];

const VOID_TYPE = functionType([], []);
const RUNS_ON = ['timeout'];
const MALFORMED = ['invalid-module'];
const DENIED = ['module-denied'];
const TRAPS = ['RuntimeError', 'RangeError'];
const INVALID = ['CompileError', 'invalid-module'];
const ENDS = ['exit'];

const raw = (...parts: readonly Bytes[]) => bytesOf(HEADER, ...parts);
const repeat = (count: number, bytes: Bytes): Bytes => {
  const all: number[] = [];
  for (let i = 0; i < count; i++) for (const byte of bytes) all.push(byte);
  return all;
};
const many = (count: number, item: (i: number) => Bytes): Bytes[] => Array.from({ length: count }, (_, i) => item(i));
const table = (min: number, max?: number, type = FUNCREF): Bytes => [type, ...limits(min, max)];
const grow = (amount: number): Bytes => [...i32Const(amount), 0x40, 0, DROP];
const growTable = (index: number, amount: number, type = FUNCREF): Bytes => [
  0xd0,
  type,
  ...i32Const(amount),
  0xfc,
  15,
  index,
  DROP,
];
const SELF = { tables: [table(1, 1)], elements: [[0, ...i32Const(0), END, 1, 0]] };
const indirect: Bytes = [...i32Const(0), 0x11, 0, 0];
const importing = (...rows: readonly (readonly [string, string, Bytes])[]) =>
  wasmModule({ types: [VOID_TYPE], imports: rows });
const locals = (count: number, type: number, functions = 1) =>
  wasmModule({
    types: [VOID_TYPE],
    functions: Array(functions).fill(0),
    exports: [['_start', 0, 0]],
    bodies: many(functions, () => body([], [[count, type]])),
  });
const nested = (depth: number, open: Bytes) => program([...repeat(depth, open), ...repeat(depth, [END])]);
const brTable = (labels: number) =>
  program([0x02, VOID, ...i32Const(0), 0x0e, ...leb(labels), ...repeat(labels + 1, [0]), END]);

const LOOPS: Attack[] = [
  ['an endless loop', program(endless()), RUNS_ON],
  ['loops 200 deep', program(Array.from({ length: 200 }).reduce<Bytes>((inner) => endless(inner), [])), RUNS_ON],
  ['a thousand loops in turn', program(endless(...many(1000, () => [0x03, VOID, END]))), RUNS_ON],
  ['a loop by br_if', program([0x03, VOID, ...i32Const(1), 0x0d, 0, END]), RUNS_ON],
  ['a loop by br_table', program([0x03, VOID, ...i32Const(9), 0x0e, 2, 0, 0, 0, END]), RUNS_ON],
  ['a loop over an outer label', program([0x03, VOID, 0x02, VOID, 0x02, VOID, 0x0c, 2, END, END, END]), RUNS_ON],
  ['a loop in an if', program([...i32Const(1), 0x04, VOID, ...endless(), END]), RUNS_ON],
  [
    'a loop that catches what it can',
    program([0x03, VOID, 0x06, VOID, ...endless(), 0x19, 0x0c, 1, END, END]),
    RUNS_ON,
  ],
  ['a loop in the start function', program(endless(), { start: 0 }), RUNS_ON],
  ['recursion without end', program(call(0)), TRAPS],
  ['recursion of two', program(call(1), { functions: [0, 0], bodies: [body(call(1)), body(call(0))] }), TRAPS],
  ['recursion through a table', program(indirect, SELF), TRAPS],
  ['recursion in the start function', program(call(0), { start: 0 }), TRAPS],
  [
    'recursion, again and again',
    program([...endless([0x06, VOID, ...call(1), 0x19, END])], {
      functions: [0, 0],
      bodies: [body(endless([0x06, VOID, ...call(1), 0x19, END])), body(call(1))],
    }),
    [...TRAPS, ...RUNS_ON],
  ],
  [
    'a tree of calls',
    wasmModule({
      types: [VOID_TYPE],
      functions: Array(80).fill(0),
      exports: [['_start', 0, 0]],
      bodies: many(80, (i) => body(i < 79 ? [...call(i + 1), ...call(i + 1)] : [])),
    }),
    RUNS_ON,
  ],
  [
    'call_indirect in a loop',
    program([], {
      functions: [0, 0],
      ...SELF,
      elements: [[0, ...i32Const(0), END, 1, 1]],
      bodies: [body(endless(indirect)), body([])],
    }),
    RUNS_ON,
  ],
  ['return_call to itself', program([0x12, 0]), [...RUNS_ON, ...INVALID]],
  ['return_call_indirect to itself', program([...i32Const(0), 0x13, 0, 0], SELF), [...RUNS_ON, ...INVALID]],
  [
    'a host call in a loop',
    program([], {
      imports: [['wasi_snapshot_preview1', 'sched_yield', [0, 1]]],
      types: [VOID_TYPE, functionType([], [I32])],
      exports: [['_start', 0, 1]],
      bodies: [body(endless([0x10, 0, DROP]))],
    }),
    RUNS_ON,
  ],
  [
    'memory.fill of 64 MiB in a loop',
    program(endless([...i32Const(0), ...i32Const(1), ...i32Const(64 << 20), 0xfc, 11, 0]), {
      memories: [limits(1024)],
    }),
    RUNS_ON,
  ],
  [
    'memory.copy of 32 MiB in a loop',
    program(endless([...i32Const(0), ...i32Const(32 << 20), ...i32Const(32 << 20), 0xfc, 10, 0, 0]), {
      memories: [limits(1024)],
    }),
    RUNS_ON,
  ],
  [
    'table.fill of 100,000 in a loop',
    program(endless([...i32Const(0), 0xd0, FUNCREF, ...i32Const(100_000), 0xfc, 17, 0]), { tables: [table(100_000)] }),
    RUNS_ON,
  ],
  [
    'table.copy of 100,000 in a loop',
    program(endless([...i32Const(0), ...i32Const(0), ...i32Const(100_000), 0xfc, 14, 0, 0]), {
      tables: [table(100_000)],
    }),
    RUNS_ON,
  ],
  [
    'float work that depends on itself',
    program(endless(repeat(200, [0x44, ...Array(7).fill(0), 0x40, 0x9f, DROP]))),
    RUNS_ON,
  ],
  ['long straight code in a loop', program(endless(repeat(100_000, [0x01]))), RUNS_ON],
];

const MEMORY: Attack[] = [
  ['4 GiB of memory at the start', program([], { memories: [limits(65536)] }), ['no-memory']],
  ['more than 4 GiB', program([], { memories: [limits(65537)] }), MALFORMED],
  ['2^32 - 1 pages', program([], { memories: [limits(4294967295)] }), MALFORMED],
  ['memory.grow without end', program(endless(grow(1)), { memories: [limits(0)] }), RUNS_ON],
  ['memory.grow by 4 GiB', program(endless(grow(65535)), { memories: [limits(0, 65536)] }), RUNS_ON],
  [
    'memory grown and written',
    program(endless(grow(16), [...i32Const(0), ...i32Const(7), 0x3f, 0, ...i32Const(16), 0x74, 0xfc, 11, 0]), {
      memories: [limits(1)],
    }),
    RUNS_ON,
  ],
  ['many memories', program([], { memories: many(100, () => limits(1000)) }), DENIED],
  ['a shared memory', program([], { memories: [[3, 1, 16]] }), DENIED],
  ['a 64-bit memory', program([], { memories: [[4, 1]] }), DENIED],
  ['a 64-bit memory of 2^48 pages', program([], { memories: [[5, 1, ...paddedLeb(2 ** 48, 7)]] }), DENIED],
  ['one-byte pages', program([], { memories: [[8, 1, 0]] }), DENIED],
  ['a data segment outside', program([], { memories: [limits(1)], data: [[0, ...i32Const(-1), END, 1, 0]] }), TRAPS],
  ['100,000 empty data segments', program([], { memories: [limits(1)], data: many(100_000, () => [1, 0]) }), ENDS],
  ['more data segments than allowed', raw(section(11, leb(100_001))), DENIED],
];

const TABLES: Attack[] = [
  ['a table of 10 million', program([], { tables: [table(10_000_000)] }), DENIED],
  ['2^32 - 1 entries', program([], { tables: [table(4294967295)] }), DENIED],
  ['table.grow without end', program(endless(growTable(0, 1)), { tables: [table(0)] }), RUNS_ON],
  ['table.grow by 10 million', program(endless(growTable(0, 10_000_000)), { tables: [table(0, 4294967295)] }), RUNS_ON],
  [
    'externref tables grown',
    program(endless(growTable(0, 1000, EXTERNREF)), { tables: [table(0, undefined, EXTERNREF)] }),
    RUNS_ON,
  ],
  [
    '16 tables grown',
    program(endless(...many(16, (i) => growTable(i, 100_000)), ...many(16, (i) => growTable(i, 500))), {
      tables: many(16, () => table(0)),
    }),
    RUNS_ON,
  ],
  ['100 tables', program([], { tables: many(100, () => table(1)) }), DENIED],
  ['tables too large together', program([], { tables: many(16, () => table(10_000)) }), DENIED],
  ['a 64-bit table', program([], { tables: [[FUNCREF, 5, 1, ...paddedLeb(2 ** 40, 6)]] }), DENIED],
  ['a table of exceptions', program([], { tables: [table(1, 100_000, EXNREF)] }), DENIED],
  [
    'a million element entries',
    program([], { tables: [table(10)], elements: [[0, ...i32Const(0), END, ...leb(1_000_000)]] }),
    DENIED,
  ],
  ['200,000 element segments', raw(section(9, leb(200_000))), DENIED],
  ['the guard its own table', program([...i32Const(0), 0xd0, FUNCREF, 0x26, 0]), MALFORMED],
  [
    'the guard its own table, by elements',
    program([], { elements: [[2, 0, ...i32Const(0), END, 0, 1, 0]] }),
    MALFORMED,
  ],
  ['the guard its own table, by table.grow', program(growTable(0, 1)), MALFORMED],
  [
    'the guard its own table, by export',
    program([], {
      exports: [
        ['_start', 0, 0],
        ['x', 1, 0],
      ],
    }),
    MALFORMED,
  ],
];

const GC: Attack[] = [
  ['an array type', raw(section(1, vector([[0x5e, I64, 1]]))), DENIED],
  ['a struct type', raw(section(1, vector([[0x5f, 1, I32, 0]]))), DENIED],
  ['a recursion group', raw(section(1, vector([[0x4e, ...vector([VOID_TYPE])]]))), DENIED],
  ['a subtype', raw(section(1, vector([[0x50, 0, ...VOID_TYPE]]))), DENIED],
  ['a final subtype', raw(section(1, vector([[0x4f, 0, ...VOID_TYPE]]))), DENIED],
  ['anyref in a type', wasmModule({ types: [functionType([0x6e], [])] }), DENIED],
  ['an i31ref global', wasmModule({ globals: [[0x6c, 0, 0xd0, 0x6c, END]] }), DENIED],
  ['an eqref table', wasmModule({ tables: [table(1, 1, 0x6d)] }), DENIED],
  ['an arrayref local', wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [body([], [[1, 0x6a]])] }), DENIED],
  ['array.new in a loop', program(endless([...i32Const(1 << 20), 0xfb, 7, 0, DROP])), DENIED],
  ['array.new in a constant', wasmModule({ globals: [[I32, 0, ...i32Const(9), 0xfb, 7, 0, END]] }), DENIED],
];

const COMPILER: Attack[] = [
  ['50,000 locals', locals(50_000, I32), DENIED],
  ['2^32 - 1 locals', locals(4294967295, V128), DENIED],
  ['49,000 locals in each of 1,000 functions', locals(49_000, I32, 1000), DENIED],
  ['49,000 vectors as locals', locals(49_000, V128), ENDS],
  ['500,001 functions', raw(section(1, vector([VOID_TYPE])), section(3, leb(500_001))), DENIED],
  ['100,001 types', raw(section(1, leb(100_001))), DENIED],
  ['a type of 1,000 results', wasmModule({ types: [functionType([], Array(1000).fill(I32))] }), DENIED],
  ['a type of 1,000 parameters', wasmModule({ types: [functionType(Array(1000).fill(I32), [])] }), DENIED],
  ['blocks 100,000 deep', nested(100_000, [0x02, VOID]), ENDS],
  ['loops 20,000 deep', nested(20_000, [0x03, VOID]), [...ENDS, ...TRAPS]],
  ['ifs 50,000 deep', program([...repeat(50_000, [...i32Const(1), 0x04, VOID]), ...repeat(50_000, [END])]), ENDS],
  ['a br_table of 65,000', brTable(65_000), ENDS],
  ['a br_table of a million', brTable(1_000_000), INVALID],
  ['a br_table that lies about its length', program([...i32Const(0), 0x0e, ...leb(4294967295), 0]), MALFORMED],
  ['a body of 7 MB', wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [[...leb(7_000_001), 0]] }), DENIED],
  ['100,001 globals', raw(section(6, leb(100_001))), DENIED],
  ['100,001 exports', raw(section(7, leb(100_001))), DENIED],
  [
    'the same export twice',
    program([], {
      exports: [
        ['f', 0, 0],
        ['f', 0, 0],
      ],
    }),
    INVALID,
  ],
  ['1,001 custom sections', raw(...many(1001, () => custom('x'))), DENIED],
  ['1,001 tags', wasmModule({ types: [VOID_TYPE], tags: many(1001, () => [0, 0]) }), DENIED],
];

const BYTES: Attack[] = [
  ['a LEB of six bytes', raw([1, ...paddedLeb(1, 6), 0]), MALFORMED],
  ['a LEB that never ends', raw([1, ...Array(1000).fill(0x80)]), MALFORMED],
  ['a padded index in code', program([0x10, ...paddedLeb(0, 6)]), MALFORMED],
  ['a constant that never ends', program([0x41, ...Array(20).fill(0x80), DROP]), MALFORMED],
  ['a section beyond the file', raw([10, ...leb(4294967295)]), MALFORMED],
  ['a section over its neighbour', raw([1, 9, 1, 0x60, 0, 0], section(3, [0])), MALFORMED],
  ['2^32 - 1 types', raw(section(1, leb(4294967295))), DENIED],
  ['100,000 types in no bytes', raw(section(1, leb(100_000))), MALFORMED],
  ['code twice', program([], { tail: [section(10, vector([body([])]))] }), MALFORMED],
  ['types behind code', program([], { tail: [section(1, vector([VOID_TYPE]))] }), MALFORMED],
  ['an unknown section', raw(section(200, [])), MALFORMED],
  ['a name that leaves its section', raw(section(7, [1, ...leb(1000), 0, 0, 0])), MALFORMED],
  [
    'a body that says it is larger',
    wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [[100, 0, END]] }),
    MALFORMED,
  ],
  ['a body that says it is empty', wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [[0]] }), MALFORMED],
  ['nothing but zeros', new Uint8Array(100_000), MALFORMED],
  ['a component', bytesOf([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), ['unsupported']],
];

const IMPORTS: Attack[] = [
  ['a function of the host', importing(['env', 'exec', [0, 0]]), DENIED],
  ['a module of nearly the right name', importing(['wasi_snapshot_preview1\0', 'fd_write', [0, 0]]), DENIED],
  ['a prototype', importing(['__proto__', 'constructor', [0, 0]]), DENIED],
  ['the memory of the guard', importing(['wctr', 'memory', [2, ...limits(1)]]), DENIED],
  ['a table', importing(['env', '__indirect_function_table', [1, ...table(1)]]), DENIED],
  ['a global', importing(['wasi_snapshot_preview1', 'g', [3, I32, 1]]), DENIED],
  ['a tag', importing(['wasi_snapshot_preview1', 't', [4, 0, 0]]), DENIED],
  [
    '2,001 imports',
    importing(...Array.from({ length: 2001 }, () => ['wasi_snapshot_preview1', 'sched_yield', [0, 0]] as const)),
    DENIED,
  ],
  ['names of a megabyte', importing(['x'.repeat(1 << 20), 'y'.repeat(1 << 20), [0, 0]]), DENIED],
  ['the fuel table as an export', program([], { exports: [['wctr.fuel', 0, 0]] }), DENIED],
  ['the fuel global', program(endless([...i32Const(0x7fffffff), 0x24, 0])), MALFORMED],
  ['the fuel counter', program(endless([...i32Const(0x7fffffff), 0x21, 0])), MALFORMED],
  ['the refill function', program(call(1)), MALFORMED],
  [
    'branch hints for code that moved',
    program(endless(), { tail: [section(0, [...name('metadata.code.branch_hint'), 1, 0, 1, 3, 1, 1])] }),
    RUNS_ON,
  ],
];

export const ATTACKS: readonly Attack[] = [...LOOPS, ...MEMORY, ...TABLES, ...GC, ...COMPILER, ...BYTES, ...IMPORTS];

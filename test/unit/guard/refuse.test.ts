import { describe, expect, it } from 'vitest';
import type { GuardPolicy } from '../../../src/core/guard.ts';
import { guard, refusal } from '../../support/guard.ts';
import {
  type Bytes,
  body,
  bytesOf,
  COMPONENT_HEADER,
  custom,
  DROP,
  END,
  EXNREF,
  FUNCREF,
  functionType,
  HEADER,
  I32,
  i32Const,
  leb,
  limits,
  MAGIC,
  name,
  paddedLeb,
  program,
  section,
  vector,
  wasmModule,
} from '../../support/wasm-builder.ts';

type Row = readonly [what: string, bytes: Uint8Array, code: string, message: RegExp, policy?: Partial<GuardPolicy>];

const raw = (...parts: readonly Bytes[]) => bytesOf(HEADER, ...parts);
const VOID_TYPE = functionType([], []);
const imports = (...rows: readonly (readonly [string, string, Bytes])[]) =>
  wasmModule({ types: [VOID_TYPE], imports: rows });

const MALFORMED: readonly Row[] = [
  ['an empty file', new Uint8Array(), 'invalid-module', /^not a WebAssembly module$/],
  [
    'a shell script',
    new TextEncoder().encode('#!/bin/sh\necho hello\n'),
    'invalid-module',
    /^not a WebAssembly module$/,
  ],
  ['half a header', bytesOf(MAGIC, [1, 0]), 'invalid-module', /^not a WebAssembly module$/],
  ['version 2', bytesOf(MAGIC, [2, 0, 0, 0]), 'invalid-module', /at byte 0: unknown WebAssembly version 0x2/],
  ['a component', bytesOf(COMPONENT_HEADER), 'unsupported', /is a WASI 0\.2 component/],
  ['an unknown section', raw(section(14, [])), 'invalid-module', /at byte 8: unknown section 14/],
  ['a section beyond the end', raw([1, 100]), 'invalid-module', /at byte 8: a size disagrees/],
  [
    'a section that is shorter than its contents',
    raw([1, 3, 1, 0x60, 0, 0]),
    'invalid-module',
    /type section.*end too early/,
  ],
  [
    'a section that is longer',
    raw(section(1, [...vector([VOID_TYPE]), 0])),
    'invalid-module',
    /type section at byte 14/,
  ],
  [
    'the same section twice',
    raw(section(1, [0]), section(1, [0])),
    'invalid-module',
    /section type is out of order or there twice/,
  ],
  ['sections out of order', raw(section(3, [0]), section(1, [0])), 'invalid-module', /section type is out of order/],
  ['data count behind code', raw(section(10, [0]), section(12, [0])), 'invalid-module', /data count is out of order/],
  ['a number of six bytes', raw([1, ...paddedLeb(1, 6), 0]), 'invalid-module', /too many bytes/],
  ['a number above 32 bits', raw([1, 0xff, 0xff, 0xff, 0xff, 0x1f]), 'invalid-module', /too many bytes/],
  ['a section id without a size', raw([1]), 'invalid-module', /end too early/],
  [
    'a count that its section cannot hold',
    raw(section(2, leb(1_000))),
    'invalid-module',
    /import section.*end too early/,
  ],
  [
    'a custom section whose name is longer',
    raw(section(0, [9, 0x61])),
    'invalid-module',
    /custom section.*end too early/,
  ],
  ['an unknown type form', raw(section(1, [1, 0x61, 0, 0])), 'invalid-module', /unknown type form 0x61/],
  ['an unknown value type', raw(section(1, [1, 0x60, 1, 0x55, 0])), 'invalid-module', /unknown value type 0x55/],
  [
    'a function of a type that is not there',
    wasmModule({ types: [VOID_TYPE], functions: [1], bodies: [body([])] }),
    'invalid-module',
    /function section.*index 1 of 1/,
  ],
  [
    'functions without bodies',
    wasmModule({ types: [VOID_TYPE], functions: [0] }),
    'invalid-module',
    /0 function bodies for 1 functions/,
  ],
  [
    'more bodies than functions',
    wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [body([]), body([])] }),
    'invalid-module',
    /2 function bodies for 1/,
  ],
  [
    'a body beyond its section',
    wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [[60, 0, END]] }),
    'invalid-module',
    /code section.*size disagrees/,
  ],
  [
    'locals beyond their body',
    wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [[1, 1, 1, I32]] }),
    'invalid-module',
    /code section/,
  ],
  ['limits upside down', wasmModule({ memories: [limits(2, 1)] }), 'invalid-module', /impossible limits/],
  ['shared memory without a maximum', wasmModule({ memories: [[2, 1]] }), 'invalid-module', /impossible limits/],
  ['memory above 4 GiB', wasmModule({ memories: [limits(1, 65537)] }), 'invalid-module', /impossible limits/],
  ['an export of nothing', wasmModule({ exports: [['f', 0, 0]] }), 'invalid-module', /export section.*index 0 of 0/],
  ['an export of an unknown kind', wasmModule({ exports: [['f', 7, 0]] }), 'invalid-module', /unknown kind 7/],
  ['a start function that is not there', wasmModule({ start: 0 }), 'invalid-module', /start section.*index 0 of 0/],
  [
    'a segment into a table that is not there',
    wasmModule({ elements: [[0, ...i32Const(0), END, 0]] }),
    'invalid-module',
    /element section.*segment flags 0/,
  ],
  ['unknown segment flags', wasmModule({ data: [[3, 0]] }), 'invalid-module', /data section.*segment flags 3/],
  [
    'a call in a constant',
    wasmModule({ globals: [[I32, 0, 0x10, 0, END]] }),
    'invalid-module',
    /instruction 0x10 in a constant/,
  ],
  [
    'a constant of a later global',
    wasmModule({ globals: [[I32, 0, 0x23, 0, END]] }),
    'invalid-module',
    /global section.*index 0 of 0/,
  ],
  ['a constant without an end', wasmModule({ globals: [[I32, 0, 0x41, 0]] }), 'invalid-module', /end too early/],
];

const DENIED: readonly Row[] = [
  [
    'a function not granted',
    imports(['env', 'system', [0, 0]]),
    'module-denied',
    /^the module imports what is not granted: env\.system$/,
  ],
  [
    'one name off',
    imports(['wasi_snapshot_preview2', 'fd_write', [0, 0]]),
    'module-denied',
    /wasi_snapshot_preview2\.fd_write/,
  ],
  ['a memory', imports(['env', 'memory', [2, ...limits(1)]]), 'module-denied', /env\.memory \(memory\)/],
  ['a table', imports(['env', 'table', [1, FUNCREF, ...limits(1)]]), 'module-denied', /env\.table \(table\)/],
  ['a global', imports(['wasi_unstable', 'g', [3, I32, 0]]), 'module-denied', /wasi_unstable\.g \(global\)/],
  ['a tag', imports(['env', 'tag', [4, 0, 0]]), 'module-denied', /env\.tag \(tag\)/],
  [
    'many',
    imports(...Array.from({ length: 8 }, (_, i) => ['x', `f${i}`, [0, 0]] as const)),
    'module-denied',
    /x\.f0, x\.f1, x\.f2, x\.f3, x\.f4 and 3 more$/,
  ],
  ['names for the terminal', imports(['\x1b[2J', 'a\nb', [0, 0]]), 'module-denied', /^[\x20-\x7e]*\?\[2J\.a\?b$/],
  ['a struct type', raw(section(1, [1, 0x5f, 0])), 'module-denied', /garbage-collected/],
  ['an array type', raw(section(1, [1, 0x5e, I32, 1])), 'module-denied', /garbage-collected/],
  ['a recursion group', raw(section(1, [1, 0x4e, 0])), 'module-denied', /garbage-collected/],
  ['anyref', wasmModule({ types: [functionType([0x6e], [])] }), 'module-denied', /garbage-collected/],
  ['(ref null i31)', wasmModule({ types: [functionType([0x63, 0x6c], [])] }), 'module-denied', /garbage-collected/],
  ['a 64-bit memory', wasmModule({ memories: [[4, 1]] }), 'module-denied', /64-bit/],
  ['a 64-bit table', wasmModule({ tables: [[FUNCREF, 4, 1]] }), 'module-denied', /64-bit/],
  ['pages of one byte', wasmModule({ memories: [[8, 1, 0]] }), 'module-denied', /custom page size/],
  ['a shared memory', wasmModule({ memories: [[3, 1, 2]] }), 'module-denied', /shared memory/],
  ['a table of exceptions', wasmModule({ tables: [[EXNREF, ...limits(1)]] }), 'module-denied', /exceptions in a table/],
  [
    'tags, where they are off',
    wasmModule({ types: [VOID_TYPE], tags: [[0, 0]] }),
    'module-denied',
    /WebAssembly exceptions/,
    { exceptions: false },
  ],
  ['a name of ours', program([], { exports: [['wctr.fuel', 0, 0]] }), 'module-denied', /begins with "wctr\."/],
  [
    'too much memory at the start',
    wasmModule({ memories: [limits(65536)] }),
    'no-memory',
    /wants 4194304 KiB of memory at the start, the limit is 65536 KiB/,
  ],
  [
    'too large a table at the start',
    wasmModule({ tables: [[FUNCREF, ...limits(200_000)]] }),
    'module-denied',
    /200000 table entries/,
  ],
  [
    'tables too large together',
    wasmModule({
      tables: [
        [FUNCREF, ...limits(60_000)],
        [FUNCREF, ...limits(60_000)],
      ],
    }),
    'module-denied',
    /table entries/,
  ],
  ['two memories', wasmModule({ memories: [limits(0), limits(0)] }), 'module-denied', /2 memories, the limit is 1/],
  [
    'too many results',
    wasmModule({ types: [functionType([], Array(65).fill(I32))] }),
    'module-denied',
    /65 results in one type, the limit is 64/,
  ],
  [
    'too many locals',
    wasmModule({ types: [VOID_TYPE], functions: [0], bodies: [body([], [[50_000, I32]])] }),
    'module-denied',
    /50000 locals in one function/,
  ],
  [
    '2^32 locals',
    wasmModule({
      types: [VOID_TYPE],
      functions: [0],
      bodies: [
        body(
          [],
          [
            [4294967295, I32],
            [4294967295, I32],
          ],
        ),
      ],
    }),
    'module-denied',
    /locals in one function/,
  ],
  [
    'too many bytes',
    new Uint8Array(2000),
    'module-denied',
    /2000 bytes, the limit is 1000/,
    { counts: { moduleBytes: 1000 } },
  ],
];

const cases = (rows: readonly Row[]) => rows.map((row) => ({ what: row[0], row }));

describe('malformed modules', () => {
  it.each(cases(MALFORMED))('$what', ({ row: [, bytes, code, message, policy] }) => {
    for (const fuel of [false, true])
      expect(refusal(bytes, { ...policy, fuel })).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('modules the policy refuses', () => {
  it.each(cases(DENIED))('$what', ({ row: [, bytes, code, message, policy] }) => {
    const error = refusal(bytes, policy);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error?.hint).toBeTruthy();
    expect(error?.message).not.toMatch(/\n/);
  });
});

describe('code the guard has to understand before it rewrites it', () => {
  const body0 = (...code: Bytes[]) => program(code.flat());
  it.each([
    ['an unknown instruction', body0([0x27]), 'invalid-module', /unknown instruction 0x27/],
    ['an unknown SIMD instruction', body0([0xfd, 0x9a, 0x01]), 'invalid-module', /unknown instruction 0xfd/],
    ['an unknown instruction behind 0xfc', body0([0xfc, 0x12]), 'invalid-module', /unknown instruction 0xfc/],
    ['an unknown atomic', body0([0xfe, 0x4f]), 'invalid-module', /unknown instruction 0xfe/],
    ['stack switching', body0([0xe0, 0]), 'invalid-module', /unknown instruction 0xe0/],
    ['a garbage-collected object', body0([0xfb, 0, 0]), 'module-denied', /garbage-collected/],
    ['a local that the guard would add', body0([0x20, 0, DROP]), 'invalid-module', /index 0 of 0/],
    ['the global that the guard would add', body0([0x41, 0, 0x24, 0]), 'invalid-module', /index 0 of 0/],
    ['the table that the guard would add', body0([0xd2, 0, 0x26, 0]), 'invalid-module', /index 0 of 0/],
    ['the function that the guard would add', body0([0x10, 1]), 'invalid-module', /index 1 of 1/],
    ['an end too many', body0([END]), 'invalid-module', /blocks and ends do not match/],
    ['an end too few', body0([0x02, 0x40]), 'invalid-module', /blocks and ends do not match/],
    ['a label of nothing', body0([0x0c, 5]), 'invalid-module', /too many bytes|do not match/],
    ['a br_table beyond its body', body0([0x41, 0, 0x0e, 0xff, 0xff, 3]), 'invalid-module', /code section/],
    ['an instruction cut off by the end', body0([0x44, 0, 0]), 'invalid-module', /code section/],
  ] as const)('%s', (_what, bytes, code, message) => {
    expect(refusal(bytes, { fuel: true })).toMatchObject({ code, message: expect.stringMatching(message) });
    // Without fuel the code is not looked at, and the engine refuses it.
    expect(WebAssembly.validate(guard(bytes).bytes)).toBe(false);
  });
});

describe('what a policy grants', () => {
  it('goes by module and name', () => {
    const module = imports(['host', 'log', [0, 0]]);
    expect(refusal(module, { imports: [{ module: 'host', names: ['log'] }] })).toBeUndefined();
    expect(refusal(module, { imports: [{ module: 'host' }] })).toBeUndefined();
    expect(refusal(module, { imports: [{ module: 'host', names: ['lo', 'logs'] }] })?.data).toMatchObject({
      imports: ['host.log'],
    });
    expect(refusal(module, { imports: [] })?.code).toBe('module-denied');
    expect(refusal(module, { imports: [], ungranted: 'trap' })).toBeUndefined();
  });

  it('may include a memory, shared or not', () => {
    const plain = imports(['env', 'memory', [2, ...limits(1, 2)]]);
    expect(guard(plain, { memoryImport: true }).info.memory).toEqual({
      minPages: 1,
      maxPages: 2,
      shared: false,
      imported: 'guest',
    });
    const shared = imports(['env', 'memory', [2, 3, 1, 2]]);
    expect(refusal(shared, { memoryImport: true })?.message).toMatch(/shared memory/);
    expect(guard(shared, { memoryImport: true, sharedMemory: true }).info.memory?.shared).toBe(true);
  });

  it('says what the module has', () => {
    const bytes = wasmModule({
      types: [VOID_TYPE],
      imports: [['wasi_snapshot_preview1', 'sched_yield', [0, 0]]],
      functions: [0],
      tables: [[FUNCREF, ...limits(3, 5)]],
      memories: [limits(2, 4)],
      exports: [
        ['memory', 2, 0],
        ['_start', 0, 1],
      ],
      start: 1,
      bodies: [body([])],
      tail: [custom('name', [0, 2, ...name('m')])],
    });
    expect(guard(bytes).info).toEqual({
      imports: [{ module: 'wasi_snapshot_preview1', name: 'sched_yield', kind: 'function', granted: true }],
      exports: [
        { name: 'memory', kind: 'memory', index: 0 },
        { name: '_start', kind: 'function', index: 1 },
      ],
      memory: { minPages: 2, maxPages: 4, shared: false, imported: false },
      tableMin: 3,
      tableMax: 5,
      hasStart: true,
      functions: 1,
      fuel: undefined,
    });
    expect(guard(bytes).bytes).toEqual(bytes);
  });
});

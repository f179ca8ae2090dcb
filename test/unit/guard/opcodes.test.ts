import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { guard } from '../../support/guard.ts';
import { peer } from '../../support/peers.ts';
import { removeTree } from '../../support/remove-tree.ts';
import {
  type Bytes,
  body,
  END,
  EXTERNREF,
  FUNCREF,
  functionType,
  I32,
  I64,
  i32Const,
  leb,
  limits,
  paddedLeb,
  V128,
  VOID,
  wasmModule,
} from '../../support/wasm-builder.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const memarg = (align: number): Bytes => [align, ...leb(300_000)];
const UNASSIGNED_SIMD = new Set([
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2,
  0xee,
]);
const simd = (sub: number, ...immediates: number[]): Bytes => [0xfd, ...leb(sub), ...immediates];

/** Every instruction with its immediates; the stack around it is polymorphic. */
const GROUPS: readonly (readonly [string, readonly Bytes[]])[] = [
  ['plain control', [[0x00], [0x01], [0x0f], [DROP(), 0x01], [0x0c, 0], [0x0d, 1], [0x0e, 2, 0, 1, 0]]],
  [
    'blocks',
    [
      [0x02, VOID, END],
      [0x03, VOID, END],
      [0x04, VOID, 0x05, END],
      [0x02, I32, 0x00, END],
      [0x02, 2, 0x00, END],
      [0x03, 2, 0x00, END],
      [0x02, FUNCREF, 0x00, END],
    ],
  ],
  [
    'calls',
    [
      [0x10, 0],
      [0x11, 0, 0],
      [0x12, 0],
      [0x13, 0, 0],
    ],
  ],
  ['parametric', [[0x1a], [0x1b], [0x1c, 1, I64], [0x1c, 1, FUNCREF]]],
  [
    'variables',
    [
      [0x20, 0],
      [0x21, 0],
      [0x22, 0],
      [0x23, 0],
      [0x24, 0],
      [0x20, ...paddedLeb(0, 5)],
    ],
  ],
  [
    'tables',
    [
      [0x25, 0],
      [0x26, 0],
      [0xfc, 12, 0, 0],
      [0xfc, 13, 0],
      [0xfc, 14, 0, 0],
      [0xfc, 15, 0],
      [0xfc, 16, 0],
      [0xfc, 17, 0],
    ],
  ],
  [
    'references',
    [
      [0xd0, FUNCREF],
      [0xd0, EXTERNREF],
      [0xd0, FUNCREF, 0xd1],
      [0xd2, 0],
    ],
  ],
  [
    'memory',
    [
      ...range(0x28, 0x3e).map((op): Bytes => [op, ...memarg(0)]),
      [0x3f, 0],
      [0x40, 0],
      [0x40, 0x80 & 0],
      [0xfc, 8, 0, 0],
      [0xfc, 9, 0],
      [0xfc, 10, 0, 0],
      [0xfc, 11, 0],
    ],
  ],
  [
    'constants',
    [
      [0x41, ...paddedLeb(0, 5)],
      i32Const(-1),
      [0x42, ...Array(9).fill(0xff), 0x7f],
      [0x42, 0],
      [0x43, 0x0b, 3, 4, 0x10],
      [0x44, 0x0b, 3, 4, 5, 6, 7, 8, 0x10],
    ],
  ],
  ['numeric', range(0x45, 0xc4).map((op): Bytes => [op])],
  ['saturating', range(0, 7).map((sub): Bytes => [0xfc, sub])],
  ['SIMD memory', [...range(0, 11), 92, 93].map((sub) => simd(sub, ...memarg(0)))],
  ['SIMD constants', [simd(12, ...Array(16).fill(0x0b)), simd(13, ...range(0, 15))]],
  [
    'SIMD lanes',
    [...range(21, 34).map((sub) => simd(sub, 1)), ...range(84, 91).map((sub) => simd(sub, ...memarg(0), 0))],
  ],
  [
    'SIMD arithmetic',
    [...range(14, 20), ...range(35, 83), ...range(94, 255)]
      .filter((sub) => !UNASSIGNED_SIMD.has(sub))
      .map((sub) => simd(sub)),
  ],
  ['relaxed SIMD', range(0x100, 0x113).map((sub) => simd(sub))],
  ['atomics', [[0xfe, 3, 0], ...atomics()]],
  [
    'older exceptions',
    [
      [0x06, VOID, END],
      [0x06, VOID, 0x07, 0, END],
      [0x06, VOID, 0x19, 0x09, 0, END],
      [0x06, VOID, 0x18, 0],
      [0x06, VOID, 0x18, 2],
      [0x08, 0],
    ],
  ],
];

function DROP(): number {
  return 0x1a;
}

function atomics(): Bytes[] {
  const natural = (sub: number) => {
    if (sub === 0 || sub === 1) return 2;
    if (sub === 2) return 3;
    // load, store, then seven per operation: i32 i64 i32_8 i32_16 i64_8 i64_16 i64_32
    return [2, 3, 0, 1, 0, 1, 2][(sub - 0x10) % 7]!;
  };
  return [0, 1, 2, ...range(0x10, 0x4e)].map((sub) => [0xfe, sub, ...memarg(natural(sub))]);
}

/** Each instruction in a function of its own, in a loop that a branch leaves, so that everything there is to move moves. */
const moduleOf = (instructions: readonly Bytes[]) =>
  wasmModule({
    types: [functionType([], []), functionType([I32], []), functionType([], [I32, V128])],
    functions: [...instructions.map(() => 0), 0],
    tables: [[FUNCREF, ...limits(1, 10)]],
    memories: [limits(1, 2)],
    tags: [[0, 0]],
    globals: [[I32, 1, ...i32Const(0), END]],
    elements: [[1, 0, 1, 0]],
    bodies: [
      ...instructions.map((op) => body([0x02, VOID, 0x03, VOID, 0x00, ...op, 0x00, 0x0c, 1, END, END], [[1, I32]])),
      body([]),
    ],
    data: [[1, 1, 0]],
  });

/** The data count section belongs between elements and code. */
function withDataCount(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let at = 8;
  while (bytes[at] !== 10) {
    let size = 0;
    let shift = 0;
    do size |= (bytes[++at]! & 0x7f) << (shift++ * 7);
    while (bytes[at]! >= 0x80);
    at += 1 + size;
  }
  return new Uint8Array([...bytes.subarray(0, at), 12, 1, 1, ...bytes.subarray(at)]);
}

const validator = peer('wasm-validate');
const dir = mkdtempSync(join(tmpdir(), 'guard-'));
afterAll(() => removeTree(dir));

/** What wabt says against the module; empty when it is valid. */
function complaints(bytes: Uint8Array): string {
  const path = join(dir, 'module.wasm');
  writeFileSync(path, bytes);
  try {
    execFileSync(validator!, ['--enable-all', path], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return String((error as { stderr: Buffer }).stderr);
  }
}

describe.skipIf(validator === undefined)('every instruction is stepped over, as wabt sees it', () => {
  it.each(GROUPS)('%s', (_group, instructions) => {
    const original = withDataCount(moduleOf(instructions));
    expect(complaints(original)).toBe('');
    const { bytes, info } = guard(original, { fuel: true });
    expect(complaints(bytes)).toBe('');
    expect(info.fuel?.loops).toBeGreaterThanOrEqual(instructions.length);
  });

  it('charges what works on a length', () => {
    const bulk: Bytes[] = [
      [0xfc, 8, 0, 0],
      [0xfc, 10, 0, 0],
      [0xfc, 11, 0],
      [0xfc, 12, 0, 0],
      [0xfc, 14, 0, 0],
      [0xfc, 15, 0],
      [0xfc, 17, 0],
      [0x40, 0],
    ];
    expect(guard(withDataCount(moduleOf(bulk)), { fuel: true }).info.fuel?.bulk).toBe(bulk.length);
  });
});

describe('newer exceptions', () => {
  it('keep their labels', () => {
    // block $out; loop; block $caught; try_table (catch_all $caught) (catch 0 $out) ... br 3 end end; br 1; end; end
    const code = [
      0x02,
      VOID,
      0x03,
      VOID,
      0x02,
      VOID,
      0x1f,
      VOID,
      2,
      2,
      0,
      0,
      0,
      2,
      0x0c,
      3,
      END,
      END,
      0x0c,
      1,
      END,
      END,
    ];
    const bytes = wasmModule({
      types: [functionType([], [])],
      functions: [0],
      tags: [[0, 0]],
      exports: [['f', 0, 0]],
      bodies: [body(code)],
    });
    const { bytes: output, info } = guard(bytes, { fuel: true });
    expect(info.fuel?.loops).toBe(1);
    // labels that leave the loop grow by three, those inside it stay: catch_all 0, catch 2 -> 5, br 3 -> 6
    const tryTable = output.indexOf(0x1f);
    expect([...output.subarray(tryTable, tryTable + 10)]).toEqual([0x1f, VOID, 2, 2, 0, 0, 0, 5, 0x0c, 6]);
    if (WebAssembly.validate(bytes)) expect(WebAssembly.validate(output)).toBe(true);
  });
});

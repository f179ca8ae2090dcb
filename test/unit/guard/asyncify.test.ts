/** Which modules' stacks can be taken down from outside, and what the guard exports of their state. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ASYNCIFY_FREE, ASYNCIFY_NO_IMPORTS, ASYNCIFY_NONE, ASYNCIFY_USED } from '../../../src/core/abi/guard.ts';
import { guard } from '../../support/guard.ts';

const BINARYEN = fileURLToPath(new URL('../../../node_modules/binaryen/bin/', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'wctr-asyncify-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Two calls deep in an import, in text. */
const PLAIN = `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 0))
  (global $fixed i32 (i32.const 1))
  (table 2 funcref)
  (func $deep (result i32) (global.set $count (call $yield)) (global.get $count))
  (func (export "_start") (drop (call $deep)) (drop (call $deep))))`;
/** One that unwinds itself. */
const OWN = PLAIN.replace('(memory', '(import "asyncify" "start_unwind" (func $unwind (param i32))) (memory').replace(
  '(global.set $count',
  '(call $unwind (i32.const 64)) (global.set $count',
);

function built(text: string, ...flags: string[]): Uint8Array<ArrayBuffer> {
  const [source, module] = [join(dir, 'in.wat'), join(dir, 'out.wasm')];
  writeFileSync(source, text);
  execFileSync(process.execPath, [join(BINARYEN, 'wasm-opt'), source, '-all', '-o', module, ...flags]);
  return new Uint8Array(readFileSync(module));
}

const names = (bytes: Uint8Array<ArrayBuffer>) =>
  WebAssembly.Module.exports(new WebAssembly.Module(bytes))
    .map(({ name }) => name)
    .filter((name) => name.startsWith('wctr.'));

describe('a module built with Asyncify', () => {
  it.each([
    ['as it was', PLAIN, [], ASYNCIFY_NONE],
    ['by the pass', PLAIN, ['--asyncify'], ASYNCIFY_FREE],
    ['by the pass and optimised', PLAIN, ['--asyncify', '-O3'], ASYNCIFY_FREE],
    ['with imports left out', PLAIN, ['--asyncify', '--pass-arg=asyncify-ignore-imports'], ASYNCIFY_NO_IMPORTS],
    ['that unwinds itself', OWN, ['--asyncify'], ASYNCIFY_USED],
    ['that unwinds itself, inlined', OWN, ['--asyncify', '-O3'], ASYNCIFY_USED],
  ])('%s is known', (_, text, flags, kind) => {
    expect(guard(built(text, ...flags), { asyncify: true }).info.asyncify).toBe(kind);
  });

  it('gives its state, and others only where it is asked for', () => {
    const state = ['wctr.g0', 'wctr.t0', 'wctr.m0'];
    const plain = built(PLAIN);
    expect(names(guard(plain).bytes)).toEqual([]);
    expect(names(guard(plain, { stateOfAsyncify: true }).bytes)).toEqual([]);
    expect(names(guard(plain, { state: true }).bytes)).toEqual(state);
    expect(names(guard(plain, { state: true, fuel: true }).bytes)).toEqual(['wctr.fuel', ...state]);
    const asyncified = built(PLAIN, '--asyncify');
    expect(names(guard(asyncified, { stateOfAsyncify: true }).bytes)).toEqual(expect.arrayContaining(state));
  });
});

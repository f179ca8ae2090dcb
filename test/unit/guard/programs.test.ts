import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Fuel } from '../../../src/host/fuel.ts';
import { guard } from '../../support/guard.ts';
import { peer, peerPackage } from '../../support/peers.ts';
import { removeTree } from '../../support/remove-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'guard-'));
afterAll(() => removeTree(dir));

const clang = peer('clang');

describe.skipIf(clang === undefined)('programs of a C compiler', () => {
  const compiled = (flags: readonly string[]) => {
    const source = new URL('../../../bench/suites/fuel-guests.c', import.meta.url).pathname;
    const path = join(dir, 'guests.wasm');
    execFileSync(clang!, [
      '--target=wasm32',
      '-nostdlib',
      '-mbulk-memory',
      '-Wl,--no-entry',
      ...flags,
      '-o',
      path,
      source,
    ]);
    return new Uint8Array(readFileSync(path));
  };
  type Kernels = Record<string, (amount: number) => number>;

  it.each([['-O0'], ['-O1'], ['-O2'], ['-O3', '-msimd128']])(
    'compute the same with fuel, built with %s %s',
    (...flags) => {
      const bytes = compiled(flags.filter((flag) => flag !== undefined));
      const guarded = guard(bytes, { fuel: true });
      expect(guarded.info.fuel).toMatchObject({ loops: expect.any(Number), entries: expect.any(Number) });
      const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as Kernels;
      const instance = new WebAssembly.Instance(new WebAssembly.Module(guarded.bytes), {});
      new Fuel().attach(instance);
      const fuelled = instance.exports as unknown as Kernels;
      for (const [kernel, amount] of [
        ['sha256', 1],
        ['matmul', 1],
        ['sieve', 1],
        ['interpreter', 100_000],
        ['qsort_callback', 1],
        ['fib', 20],
      ] as const) {
        expect(fuelled[kernel]!(amount), kernel).toBe(plain[kernel]!(amount));
      }
    },
  );
});

/** Runs a guarded module under node:wasi, with or without fuel, and gives what it printed. */
const RUN = `
  import { WASI } from 'node:wasi';
  import { readFileSync } from 'node:fs';
  const [file, ...args] = process.argv.slice(1);
  const wasi = new WASI({ version: 'preview1', args: ['guest', ...args], env: {}, returnOnExit: true });
  const module = new WebAssembly.Module(readFileSync(file));
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  const wrapper = Uint8Array.from(atob('AGFzbQEAAAABBQFgAAF/AgcBAWUBZgAABwUBAWYAAA=='), (c) => c.charCodeAt(0));
  let refills = 0;
  const f = () => { refills++; return 1000000; };
  const wrapped = new WebAssembly.Instance(new WebAssembly.Module(wrapper), { e: { f } }).exports.f;
  instance.exports['wctr.fuel']?.set(0, wrapped);
  const code = wasi.start({ exports: instance.exports });
  console.error('refills ' + refills);
  process.exitCode = code;
`;

function run(bytes: Uint8Array, args: readonly string[], input: string): { output: string; refills: number } {
  const path = join(dir, 'guest.wasm');
  writeFileSync(path, bytes);
  const errors = join(dir, 'stderr');
  const output = execFileSync(
    'sh',
    [
      '-c',
      'exec "$0" --no-warnings --input-type=module -e "$1" "$2" "$3" 2>"$4"',
      process.execPath,
      RUN,
      path,
      ...args,
      errors,
    ],
    { input, encoding: 'utf8' },
  );
  return { output, refills: Number(/refills (\d+)/.exec(readFileSync(errors, 'utf8'))?.[1]) };
}

const esbuild = peerPackage('@esbuild/wasi-preview1');

describe.skipIf(esbuild === undefined)('a large program of a Go compiler', () => {
  const bytes = esbuild === undefined ? new Uint8Array() : new Uint8Array(readFileSync(join(esbuild, 'esbuild.wasm')));
  const input = 'const greet = (name: string): string => "hello " + name; export default greet;';

  it('does its work with and without fuel', () => {
    const large = { maxMemoryPages: 16384, maxTableElements: 100_000 };
    const plain = run(guard(bytes, large).bytes, ['--loader=ts'], input);
    const fuelled = run(guard(bytes, { ...large, fuel: true }).bytes, ['--loader=ts'], input);
    expect(plain.output).toContain('export default greet');
    expect(fuelled.output).toBe(plain.output);
    expect(plain.refills).toBe(0);
    expect(fuelled.refills).toBeGreaterThan(0);
  });
});

const ruby = peerPackage('@ruby/3.4-wasm-wasi');
const rubyFile = ruby === undefined ? '' : join(ruby, 'dist', 'ruby+stdlib.wasm');

describe.skipIf(!existsSync(rubyFile))('ruby with its standard library, 30 MB', () => {
  it('is valid after the rewriting, and named in full when it is refused', () => {
    const bytes = new Uint8Array(readFileSync(rubyFile));
    const embedding = [{ module: 'wasi_snapshot_preview1' }, { module: 'rb-js-abi-host' }, { module: 'canonical_abi' }];
    expect(() => guard(bytes)).toThrow(/rb-js-abi-host\.rb_wasm_throw_prohibit_rewind_exception.* and \d+ more$/);
    for (const fuel of [false, true]) {
      const guarded = guard(bytes, { imports: embedding, fuel });
      expect(WebAssembly.validate(guarded.bytes)).toBe(true);
      expect(guarded.bytes.length).toBeLessThan(bytes.length * 1.1);
    }
  });
});

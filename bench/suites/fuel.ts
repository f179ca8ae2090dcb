/**
 * What fuel checks cost a guest that only computes: the same C programs with and without, in one run. "Ratio" is the
 * plain guest's time by the fuelled one's, so the bar of 15 % slower reads 1 / 1.15. The recursive fib does nothing but
 * call and has no bar: it shows the price of a call.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardModule } from '../../src/core/guard.ts';
import { withMemoryKind } from '../../src/core/load.ts';
import { Fuel } from '../../src/host/fuel.ts';
import type { Row, Suite } from '../harness.ts';

type Guest = Record<string, (amount: number) => number>;

const BAR = 1 / 1.15;
const ROUNDS = 9;
/** Export and argument: each about 30 ms. */
const KERNELS = [
  ['sha256', 5],
  ['matmul', 3],
  ['sieve', 8],
  ['interpreter', 15_000_000],
  ['qsort_callback', 3],
] as const;

export const suite: Suite = {
  name: 'fuel',
  async rows() {
    const bytes = compiledGuests();
    if (bytes === undefined) return { rows: [], missing: ['clang with wasm32 and wasm-ld'] };
    const core = readFileSync(join(process.cwd(), 'dist', 'wasm', 'core.wasm'));
    const guarded = guardModule({ module: new WebAssembly.Module(withMemoryKind(core, false)) }, bytes, {
      imports: [],
      maxMemoryPages: 1024,
      maxTableElements: 1000,
      fuel: true,
    });
    const plain = instance(bytes);
    const fuelled = instance(guarded.bytes, new Fuel());
    for (const [kernel, amount] of KERNELS) warmUp([plain, fuelled], kernel, amount);
    warmUp([plain, fuelled], 'fib', 27);
    const row = (kernel: string, amount: number, bars: Row['bars']): Row => ({
      title: `fuel: ${kernel}`,
      ours: { name: 'with fuel', run: () => timed(fuelled, kernel, amount) },
      peers: [{ name: 'without', run: () => timed(plain, kernel, amount) }],
      bars,
      rounds: ROUNDS,
    });
    return {
      rows: [
        ...KERNELS.map(([kernel, amount]) => row(kernel, amount, { without: BAR })),
        row('fib', 30, {}),
        // Last, when everything in it has been through the optimising compiler for certain.
        meanRow(plain, fuelled),
      ],
    };
  },
};

/** One run is the geometric mean over the kernels (the best of three each), so that no kernel's size decides. */
function meanRow(plain: Guest, fuelled: Guest): Row {
  const mean = (guest: Guest) => () => {
    const logs = KERNELS.map(([kernel, amount]) =>
      Math.log(Math.min(...[1, 2, 3].map(() => timed(guest, kernel, amount)))),
    );
    return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  };
  return {
    title: 'fuel: geometric mean of the compute-bound guests above',
    ours: { name: 'with fuel', run: mean(fuelled) },
    peers: [{ name: 'without', run: mean(plain) }],
    bars: { without: BAR },
    rounds: 5,
  };
}

function instance(bytes: Uint8Array<ArrayBuffer>, fuel?: Fuel): Guest {
  const made = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  fuel?.attach(made);
  return made.exports as Guest;
}

function timed(guest: Guest, kernel: string, amount: number): number {
  const start = performance.now();
  guest[kernel]!(amount);
  return performance.now() - start;
}

/** Until the optimising compiler is through, and both agree. */
function warmUp([plain, fuelled]: readonly [Guest, Guest], kernel: string, amount: number): void {
  for (let i = 0; i < 5; i++) {
    if (plain[kernel]!(amount) !== fuelled[kernel]!(amount)) throw new Error(`${kernel}: fuel changes the result`);
  }
}

/** Undefined where there is no clang for Wasm. */
function compiledGuests(): Uint8Array<ArrayBuffer> | undefined {
  const source = join(process.cwd(), 'bench', 'suites', 'fuel-guests.c');
  const dir = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
  const output = join(dir, 'guests.wasm');
  const flags = ['--target=wasm32', '-O2', '-nostdlib', '-mbulk-memory', '-Wl,--no-entry'];
  try {
    execFileSync('clang', [...flags, '-o', output, source], { stdio: 'pipe' });
    return new Uint8Array(readFileSync(output));
  } catch {
    return undefined;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

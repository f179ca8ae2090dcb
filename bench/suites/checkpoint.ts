/** A program that is long in getting ready, cold and from its checkpoint: npm's ruby with its standard library. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
const RUBY = '@ruby/3.4-wasm-wasi';
const PACKED = join(process.cwd(), 'test', 'peers', 'node_modules', RUBY, 'dist', 'ruby+stdlib.wasm');
const MAIN = join(process.cwd(), 'test', 'programs', 'ruby-main.wat');
const MERGE_OPTIONS = ['--all-features', '--no-validation', '--skip-export-conflicts'];
const LIBRARIES = 'json set erb digest optparse fileutils time yaml'.split(' ');
const LOAD = LIBRARIES.map((name) => `require "${name}"`).join(';');
const PROGRAM = 'puts JSON.generate([1, Set[2].size]); $stdout.flush; exit! 0';
const PRINTED = '[1,1]\n';
/** Where the packed library is. */
const RUBY_FLAGS = ['-I/usr/local/lib/ruby/3.4.0', '-I/usr/local/lib/ruby/3.4.0/wasm32-wasi', '-EUTF-8', '-e_=0'];
const LONG_MS = 300_000;

export const suite: Suite = {
  name: 'checkpoint',
  async rows() {
    if (!existsSync(PACKED)) return { rows: [], missing: [RUBY] };
    const dir = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
    const env = { ...process.env, WCTR_DATA_ROOT: join(dir, 'store') };
    const wctr = (...args: string[]) =>
      execFileSync(process.execPath, [WCTR, ...args], { env, encoding: 'utf8', timeout: LONG_MS });
    const tool = (name: string, ...args: string[]) =>
      execFileSync(process.execPath, [join(process.cwd(), 'node_modules/binaryen/bin', name), ...args]);
    const main = join(dir, 'main.wasm');
    tool('wasm-as', MAIN, '-o', main);
    tool('wasm-merge', PACKED, 'env', main, 'canonical_abi', '-o', join(dir, 'ruby.wasm'), ...MERGE_OPTIONS);
    execFileSync('tar', ['-C', dir, '-cf', join(dir, 'ruby.tar'), 'ruby.wasm']);
    const label = ['-c', 'LABEL wctr.unknown-imports=trap', '-c', 'ENTRYPOINT ["/ruby.wasm"]'];
    wctr('import', ...label, join(dir, 'ruby.tar'), 'ruby:cold');
    wctr('create', '--name', 'ruby', 'ruby:cold', LOAD, ...RUBY_FLAGS);
    wctr('checkpoint', 'create', '--image', 'ruby:warm', '-c', 'CMD []', 'ruby');
    const run = (name: string, ...args: string[]): Contender => ({
      name,
      run() {
        const start = performance.now();
        const { stdout, stderr } = spawnSync(process.execPath, [WCTR, 'run', '--rm', ...args], {
          env,
          encoding: 'utf8',
        });
        if (stdout !== PRINTED) throw new Error(`${name}: ${stdout}${stderr}`);
        return performance.now() - start;
      },
    });
    return {
      rows: [
        {
          title: 'ruby with 8 libraries of its standard library, whole command',
          ours: run('from its checkpoint', 'ruby:warm', PROGRAM),
          peers: [run('cold', 'ruby:cold', `${LOAD};${PROGRAM}`, ...RUBY_FLAGS)],
          bars: { cold: 3 },
        },
      ],
      done: () => rmSync(dir, { recursive: true, force: true }),
    };
  },
};

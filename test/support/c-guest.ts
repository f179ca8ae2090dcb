/** Guests in C of test/support/guests, built with Debian's clang and wasi-libc and kept by content under .build. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peer } from './peers.ts';

const SOURCES = fileURLToPath(new URL('./guests/', import.meta.url));
const BUILT = fileURLToPath(new URL('../../.build/guests/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WASM_OPT = join(ROOT, 'node_modules', 'binaryen', 'bin', 'wasm-opt');
const FLAGS = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-Wall', '-Wextra', '-Werror'];
const ASYNCIFY = ['-O2', '--asyncify'];

/** False: something to build with is missing, tests skip (or fail under CI=true). */
export function hasCompiler(): boolean {
  return ['clang', 'wasm-ld'].every((name) => peer(name) !== undefined);
}

/** The compiled `<name>.c`. `asyncify`: so that its stack can be taken down and put up again from outside. */
export function compileGuest(name: string, { asyncify = false } = {}): Uint8Array<ArrayBuffer> {
  const source = `${SOURCES}${name}.c`;
  const hash = createHash('sha256')
    .update(readFileSync(source))
    .update(`${FLAGS}${asyncify ? ASYNCIFY : ''}`);
  const path = `${BUILT}${name}-${hash.digest('hex').slice(0, 16)}.wasm`;
  if (!existsSync(path)) {
    mkdirSync(BUILT, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    execFileSync(peer('clang')!, [...FLAGS, '-o', unfinished, source], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (asyncify) execFileSync(process.execPath, [WASM_OPT, ...ASYNCIFY, '-o', unfinished, unfinished]);
    renameSync(unfinished, path);
  }
  return new Uint8Array(readFileSync(path));
}

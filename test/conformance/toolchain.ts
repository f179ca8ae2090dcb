/** Builds the own cases: C with Debian's clang and wasi-libc, text with wabt. Results are kept by content in .cache. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peer } from '../support/peers.ts';

const CACHE = new URL('../../.cache/conformance/', import.meta.url).pathname;
const C_FLAGS = [
  '--target=wasm32-wasi',
  '--sysroot=/usr',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-function',
];
const WAT_FLAGS = ['--enable-exceptions'];

/** False: something to build with is missing, tests skip (or fail under CI=true). */
export function hasToolchain(): boolean {
  return (
    peer('clang') !== undefined &&
    peer('wasm-ld') !== undefined &&
    peer('wat2wasm') !== undefined &&
    existsSync('/usr/include/wasm32-wasi/wasi/api.h')
  );
}

/** The compiled module of a .c or .wat file. */
export function compile(source: string): Uint8Array<ArrayBuffer> {
  const isC = source.endsWith('.c');
  const hash = createHash('sha256').update(readFileSync(source)).update(`${C_FLAGS}${WAT_FLAGS}`);
  const shared = join(dirname(source), 'check.h');
  if (isC && existsSync(shared)) hash.update(readFileSync(shared));
  const target = join(CACHE, `${hash.digest('hex').slice(0, 32)}.wasm`);
  if (!existsSync(target)) {
    mkdirSync(CACHE, { recursive: true });
    const temporary = `${target}.${process.pid}`;
    const command = isC ? [peer('clang')!, ...C_FLAGS] : [peer('wat2wasm')!, ...WAT_FLAGS];
    execFileSync(command[0]!, [...command.slice(1), '-o', temporary, source], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    renameSync(temporary, target);
  }
  return new Uint8Array(readFileSync(target));
}

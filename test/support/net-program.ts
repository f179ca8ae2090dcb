/** test/programs/sockets/net.c, built: a program that opens sockets as programs for WasmEdge do. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peer } from './peers.ts';

const SOURCE = fileURLToPath(new URL('../programs/sockets/net.c', import.meta.url));
const FLAGS = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-Wall', '-Wextra', '-Werror'];

export const hasNetProgram =
  peer('clang') !== undefined && peer('wasm-ld') !== undefined && existsSync('/usr/include/wasm32-wasi/stdio.h');

/** Path of `net.wasm` in the directory. */
export function buildNetProgram(dir: string): string {
  const path = join(dir, 'net.wasm');
  execFileSync(peer('clang')!, [...FLAGS, '-o', path, SOURCE]);
  return path;
}

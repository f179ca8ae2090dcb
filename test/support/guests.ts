/** Guest programs of the tests, compiled on first use from test/support/guests and kept under .build by content. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('./guests/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILT = join(ROOT, '.build', 'guests');

/** Path of the compiled guest `<name>.ts`: a WASI preview 1 command without a memory maximum. */
export function guestPath(name: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(SOURCES).sort()) hash.update(readFileSync(join(SOURCES, file)));
  const path = join(BUILT, `${name}-${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(path)) {
    mkdirSync(BUILT, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    const asc = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    const options = ['--runtime', 'stub', '--optimizeLevel', '2', '--debug', '--use', 'abort=', '-o', unfinished];
    execFileSync(process.execPath, [asc, join(SOURCES, `${name}.ts`), ...options], { cwd: SOURCES, stdio: 'inherit' });
    renameSync(unfinished, path);
  }
  return path;
}

export function guestBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(guestPath(name)));
}

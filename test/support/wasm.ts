import { readFileSync } from 'node:fs';

/** The built core module, as `npm run build` left it. */
export function coreBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL('../../dist/wasm/core.wasm', import.meta.url)));
}

/** The built kernel module. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL('../../dist/wasm/kernel.wasm', import.meta.url)));
}

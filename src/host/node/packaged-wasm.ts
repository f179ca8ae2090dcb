/** The Wasm modules of the package, each compiled once in this thread. */
import { readFileSync } from 'node:fs';
import { withMemoryKind } from '../../core/load.ts';
import { DIST } from './package-files.ts';

type Name = 'kernel' | 'core';

/** Each is read and compiled when first asked for and kept. */
export interface WasmModules {
  kernel(): WebAssembly.Module;
  core(): WebAssembly.Module;
}

const compiled = new Map<Name, WebAssembly.Module>();

let sharedKernel: WebAssembly.Module | undefined;

export const packagedWasm = {
  kernel: () => compiledNow('kernel'),
  core: () => compiledNow('core'),
  /** For shared memory; the others are for plain. */
  sharedKernel: () => {
    sharedKernel ??= new WebAssembly.Module(bytesOf('kernel', true));
    return sharedKernel;
  },
} satisfies WasmModules & { sharedKernel(): WebAssembly.Module };

function compiledNow(name: Name): WebAssembly.Module {
  const module = compiled.get(name) ?? new WebAssembly.Module(bytesOf(name));
  compiled.set(name, module);
  return module;
}

function bytesOf(name: Name, shared = false): Uint8Array<ArrayBuffer> {
  return withMemoryKind(readFileSync(`${DIST}wasm/${name}.wasm`), shared);
}

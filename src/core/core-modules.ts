/** The core module compiled once per kind of memory; instances have a memory each, given back with them. */
import { createMemory, withMemoryKind } from './load.ts';

export interface CoreModules {
  /** The compiled core for unshared or shared memory. */
  module(shared: boolean): Promise<WebAssembly.Module>;
}

export interface CoreInstance<Exports> {
  readonly memory: WebAssembly.Memory;
  readonly exports: Exports;
}

/** Pages a fresh instance starts with: the static data and little more. */
const INITIAL_PAGES = 16;

/** `source`: dist/wasm/core.wasm, or what reads it. Nothing is read or compiled before it is asked for. */
export function createCoreModules(source: Uint8Array | (() => Promise<Uint8Array>)): CoreModules {
  const compiled = new Map<boolean, Promise<WebAssembly.Module>>();
  const compile = async (shared: boolean) => {
    const bytes = typeof source === 'function' ? await source() : source;
    return WebAssembly.compile(withMemoryKind(bytes, shared));
  };
  return {
    module(shared) {
      const known = compiled.get(shared) ?? compile(shared);
      compiled.set(shared, known);
      return known;
    },
  };
}

/** Instantiates the core over a fresh memory of at most `maximumBytes`. */
export async function instantiateCore<Exports>(
  modules: CoreModules,
  options: { shared: boolean; maximumBytes: number },
): Promise<CoreInstance<Exports>> {
  const memory = coreMemory(options);
  const instance = await WebAssembly.instantiate(await modules.module(options.shared), { env: { memory } });
  return { memory, exports: instance.exports as Exports };
}

/** The same at once. Only where a thread may block on it: a page's main thread may not. */
export function instantiateCoreSync<Exports>(
  module: WebAssembly.Module,
  options: { shared: boolean; maximumBytes: number },
): CoreInstance<Exports> {
  const memory = coreMemory(options);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, exports: exports as Exports };
}

function coreMemory({ shared, maximumBytes }: { shared: boolean; maximumBytes: number }): WebAssembly.Memory {
  const maximumPages = Math.min(65536, Math.ceil(maximumBytes / 65536));
  return createMemory({ shared, initialPages: INITIAL_PAGES, maximumPages });
}

/** The guard over the built core, with a policy that tests narrow down. */
import { type GuardedModule, type GuardPolicy, guardModule, WASI_GRANTS } from '../../src/core/guard.ts';
import { withMemoryKind } from '../../src/core/load.ts';
import { WctrError } from '../../src/errors.ts';
import { coreBytes } from './wasm.ts';

const core = { module: new WebAssembly.Module(withMemoryKind(coreBytes(), false)) };

export const POLICY: GuardPolicy = { imports: WASI_GRANTS, maxMemoryPages: 1024, maxTableElements: 100_000 };

export function guard(bytes: Uint8Array, policy: Partial<GuardPolicy> = {}): GuardedModule {
  return guardModule(core, bytes, { ...POLICY, ...policy });
}

/** What the guard says against a module; undefined when it lets it through. */
export function refusal(bytes: Uint8Array, policy: Partial<GuardPolicy> = {}): WctrError | undefined {
  try {
    guard(bytes, policy);
    return undefined;
  } catch (error) {
    if (error instanceof WctrError) return error;
    throw error;
  }
}

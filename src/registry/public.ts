/**
 * `wctr/registry`: a registry for programs that serve one themselves, in whatever answers a Request with a Response: Deno,
 * Bun, Node with an adapter, a service worker.
 */
import { Core } from '../core/core.ts';
import { createCoreModules } from '../core/core-modules.ts';
import { createHasher } from '../core/hash.ts';
import { WctrError } from '../errors.ts';
import type { CreateHasher } from '../images/digest.ts';

export type { Access, Action, Authenticator } from './access/access.ts';
export type { OriginRules } from './access/origins.ts';
export type { CollectOptions, RegistryGarbage } from './collect.ts';
export type { RegistryRequest, Reply } from './http.ts';
export { createRegistry, type LogEntry, type Registry, type RegistryOptions } from './registry.ts';
export type { Driver } from './storage/driver.ts';
export { memoryDriver } from './storage/memory-driver.ts';

/** Hashes by the package's `dist/wasm/core.wasm`, where a host has none of its own: sha256 only. */
export async function wasmHasher(coreBytes: Uint8Array): Promise<CreateHasher> {
  const core = await Core.create(createCoreModules(async () => coreBytes));
  return (algorithm) => {
    if (algorithm === 'sha256') return createHasher(core);
    throw new WctrError('unsupported', 'sha512 digests are not supported here');
  };
}

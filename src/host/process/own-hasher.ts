/**
 * SHA-256 for a process that becomes a container's: the core is compiled there anyway, to check the guest's module, and
 * the few kilobytes of a record or a manifest are hashed before OpenSSL would be loaded.
 */
import { Core } from '../../core/core.ts';
import { createHasher } from '../../core/hash.ts';
import { nodeHasher } from '../node/hasher.ts';
import { packagedWasm } from '../node/packaged-wasm.ts';
import type { Hasher } from '../ports.ts';

let core: Core | undefined;

export function ownHasher(algorithm: 'sha256' | 'sha512'): Hasher {
  if (algorithm !== 'sha256') return nodeHasher(algorithm);
  core ??= Core.over(packagedWasm.core());
  return createHasher(core);
}

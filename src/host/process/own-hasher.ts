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
/** By the core, so far. */
let hashedBytes = 0;

/** What OpenSSL would have taken less time for, its loading included. */
const WORTH_LOADING_BYTES = 512 * 1024;

export function ownHasher(algorithm: 'sha256' | 'sha512'): Hasher {
  if (algorithm !== 'sha256' || hashedBytes >= WORTH_LOADING_BYTES) return nodeHasher(algorithm);
  let chosen: Hasher | undefined;
  const hasher = (length: number): Hasher => {
    if (chosen === undefined && length >= WORTH_LOADING_BYTES) chosen = nodeHasher(algorithm);
    if (chosen === undefined) {
      core ??= Core.over(packagedWasm.core());
      chosen = createHasher(core);
    }
    return chosen;
  };
  return {
    update(chunk) {
      hashedBytes += chunk.length;
      hasher(chunk.length).update(chunk);
    },
    digestHex: () => hasher(0).digestHex(),
  };
}

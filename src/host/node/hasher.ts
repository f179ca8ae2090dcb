import type { Hasher } from '../ports.ts';
import { builtin } from './builtin.ts';

/** OpenSSL's SHA-2, which uses the processor's own instructions: faster here than any Wasm (bench/suites/hash.ts). */
export function nodeHasher(algorithm: 'sha256' | 'sha512'): Hasher {
  const hash = builtin.crypto.createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digestHex: () => hash.digest('hex'),
  };
}

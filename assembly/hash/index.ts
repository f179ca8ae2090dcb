/** Hashes for JavaScript: context sizes as functions, since a wasm export of a number is a global. */
import { CRC32_SCRATCH_BYTES } from './crc32';
import { SHA256_BYTES } from './sha256';
import { XXH64_BYTES } from './xxh64';

export { adler32Update } from './adler32';
export { crc32Update } from './crc32';
export { sha256Final, sha256Init, sha256Update } from './sha256';
export { xxh64Digest, xxh64Init, xxh64Update } from './xxh64';

export function sha256Size(): u32 {
  return SHA256_BYTES;
}

export function crc32ScratchSize(): u32 {
  return CRC32_SCRATCH_BYTES;
}

export function xxh64Size(): u32 {
  return XXH64_BYTES;
}

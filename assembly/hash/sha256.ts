/**
 * SHA-256 (FIPS 180-4), streaming, state in the caller's memory.
 *
 * ```
 * context, SHA256_BYTES
 *   0 u32[8] chaining value
 *  32 u8[64] the bytes held back, less than a block
 *  96 u32 how many are held back (0..63)
 * 104 u64 total bytes
 * ```
 */
import { sha256Blocks } from './sha256-blocks';

export const SHA256_BYTES: u32 = 112;

export function sha256Init(context: usize): void {
  store<u32>(context, 0x6a09e667);
  store<u32>(context, 0xbb67ae85, 4);
  store<u32>(context, 0x3c6ef372, 8);
  store<u32>(context, 0xa54ff53a, 12);
  store<u32>(context, 0x510e527f, 16);
  store<u32>(context, 0x9b05688c, 20);
  store<u32>(context, 0x1f83d9ab, 24);
  store<u32>(context, 0x5be0cd19, 28);
  store<u32>(context, 0, 96);
  store<u64>(context, 0, 104);
}

export function sha256Update(context: usize, data: usize, length: u32): void {
  store<u64>(context, load<u64>(context, 104) + length, 104);
  const held: u32 = load<u32>(context, 96);
  if (held > 0) {
    const take = min(64 - held, length);
    memory.copy(context + 32 + held, data, take);
    if (held + take < 64) {
      store<u32>(context, held + take, 96);
      return;
    }
    sha256Blocks(context, context + 32, 64);
    data += take;
    length -= take;
  }
  const whole = length & ~63;
  if (whole > 0) sha256Blocks(context, data, whole);
  memory.copy(context + 32, data + whole, length - whole);
  store<u32>(context, length - whole, 96);
}

/** Writes the 32-byte digest to `digest`. The context is spent: init it before it is used again. */
export function sha256Final(context: usize, digest: usize): void {
  const total = load<u64>(context, 104);
  const block = context + 32;
  let held: u32 = load<u32>(context, 96);
  store<u8>(block + held, 0x80);
  held++;
  if (held > 56) {
    memory.fill(block + held, 0, 64 - held);
    sha256Blocks(context, block, 64);
    held = 0;
  }
  memory.fill(block + held, 0, 56 - held);
  store<u64>(block, bswap<u64>(total << 3), 56);
  sha256Blocks(context, block, 64);
  for (let at: usize = 0; at < 32; at += 4) store<u32>(digest + at, bswap<u32>(load<u32>(context + at)));
}

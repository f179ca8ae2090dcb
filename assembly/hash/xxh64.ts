/**
 * XXH64 with seed 0 (the content checksum of zstd, RFC 8878 section 3.1.1), streaming.
 *
 * ```
 * context, XXH64_BYTES
 *   0 u64[4] accumulators
 *  32 u64 total bytes
 *  40 u32 bytes held back (0..31)
 *  48 u8[32] the bytes held back
 * ```
 */
export const XXH64_BYTES: u32 = 80;

// biome-ignore-start lint/correctness/noPrecisionLoss: AssemblyScript has 64-bit integers
const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;
// biome-ignore-end lint/correctness/noPrecisionLoss: end

export function xxh64Init(context: usize): void {
  store<u64>(context, P1 + P2);
  store<u64>(context, P2, 8);
  store<u64>(context, 0, 16);
  store<u64>(context, 0 - P1, 24);
  store<u64>(context, 0, 32);
  store<u32>(context, 0, 40);
}

export function xxh64Update(context: usize, data: usize, length: u32): void {
  store<u64>(context, load<u64>(context, 32) + length, 32);
  const held: u32 = load<u32>(context, 40);
  if (held > 0) {
    const take = min(32 - held, length);
    memory.copy(context + 48 + held, data, take);
    if (held + take < 32) {
      store<u32>(context, held + take, 40);
      return;
    }
    stripes(context, context + 48, 32);
    data += take;
    length -= take;
  }
  const whole = length & ~31;
  if (whole > 0) stripes(context, data, whole);
  memory.copy(context + 48, data + whole, length - whole);
  store<u32>(context, length - whole, 40);
}

/** The hash; the context may go on afterwards. */
export function xxh64Digest(context: usize): u64 {
  const total = load<u64>(context, 32);
  let hash: u64;
  if (total >= 32) {
    const a = load<u64>(context);
    const b = load<u64>(context, 8);
    const c = load<u64>(context, 16);
    const d = load<u64>(context, 24);
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = P5;
  }
  hash += total;
  let at = context + 48;
  const end = at + load<u32>(context, 40);
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}

function stripes(context: usize, data: usize, length: u32): void {
  let a = load<u64>(context);
  let b = load<u64>(context, 8);
  let c = load<u64>(context, 16);
  let d = load<u64>(context, 24);
  for (const end = data + length; data < end; data += 32) {
    a = round(a, load<u64>(data));
    b = round(b, load<u64>(data, 8));
    c = round(c, load<u64>(data, 16));
    d = round(d, load<u64>(data, 24));
  }
  store<u64>(context, a);
  store<u64>(context, b, 8);
  store<u64>(context, c, 16);
  store<u64>(context, d, 24);
}

function round(accumulator: u64, lane: u64): u64 {
  return rotl<u64>(accumulator + lane * P2, 31) * P1;
}

function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ round(0, accumulator)) * P1 + P4;
}

/**
 * Adler-32 of zlib (RFC 1950 section 8.2): s1 = 1 + sum of bytes, s2 = sum of all s1, both modulo 65521.
 * Sixteen bytes a step: s2 grows by 16 * s1 and by the bytes weighted 16, 15, ... 1.
 */
const MODULUS: u32 = 65521;
/** Largest run of bytes before s2 could overflow 32 bits, a multiple of 16. */
const RUN: u32 = 5536;

/** Adler of what came before (1 at the start) continued over `length` bytes. */
export function adler32Update(adler: u32, data: usize, length: u32): u32 {
  let s1 = adler & 0xffff;
  let s2 = adler >> 16;
  const high = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const low = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  while (length >= 16) {
    const run = min(length, RUN) & ~15;
    const end = data + run;
    let sums = i32x4(0, 0, 0, 0);
    let earlier = i32x4(0, 0, 0, 0);
    let weighted = i32x4(0, 0, 0, 0);
    while (data < end) {
      const block = v128.load(data);
      earlier = i32x4.add(earlier, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(block)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(block), high));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(block), low));
      data += 16;
    }
    s2 = (s2 + s1 * run + (lanes(earlier) << 4) + lanes(weighted)) % MODULUS;
    s1 = (s1 + lanes(sums)) % MODULUS;
    length -= run;
  }
  for (; length > 0; length--) {
    s1 += load<u8>(data++);
    s2 += s1;
  }
  return ((s2 % MODULUS) << 16) | (s1 % MODULUS);
}

function lanes(v: v128): u32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

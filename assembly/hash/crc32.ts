/**
 * CRC-32 of gzip (RFC 1952 section 8; reflected 0xedb88320). Wasm has no carry-less multiply and one table load per byte
 * is too slow beside the decoder, so long runs are folded 16 bytes at a time with XOR alone.
 *
 * P is the CRC polynomial. x^203 + x^186 + x^123 + x^85 + x^79 + 1 is a multiple of P (found by search, checked in the
 * tests through the result), and so is its 128th power, which over GF(2) only multiplies the exponents by 128. So in
 * units of 16-byte words the message may be reduced by the recurrence
 *
 *   v[i] = data[i] ^ v[i-17] ^ v[i-80] ^ v[i-118] ^ v[i-124] ^ v[i-203]
 *
 * and the last 203 words, with the same sums of earlier v added, have the CRC of the whole. They go through tables.
 */

const WORD: u32 = 16;
const DELAY: u32 = 203;
/** Words folded before the delay line moves to the front of the scratch area. */
const BATCH: u32 = 512;
const SCRATCH_WORDS: u32 = DELAY + BATCH;
/** What a caller gives to crc32Update as scratch. */
export const CRC32_SCRATCH_BYTES: u32 = SCRATCH_WORDS * WORD;
/** Below this the fixed cost of folding is not worth it. */
const FOLD_MIN: u32 = 4 * DELAY * WORD;

/** Eight tables of 256 u32: TABLES[k][b] is the CRC of byte b followed by k zero bytes. Filled on first use. */
const TABLES: usize = memory.data(8 * 1024, 64);
const READY: usize = memory.data(4, 4);

/**
 * CRC of what came before (0 at the start) continued over `length` bytes. `scratch` is CRC32_SCRATCH_BYTES of the
 * caller's memory, 16-byte aligned, contents irrelevant.
 */
export function crc32Update(crc: u32, data: usize, length: u32, scratch: usize): u32 {
  if (atomic.load<u32>(READY) == 0) fillTables();
  if (length < FOLD_MIN) return ~bytes(~crc, data, length);
  const words = length / WORD;
  const folded = words - DELAY;
  fold(~crc, data, folded, scratch);
  // The delay line of the last batch now starts at `scratch`; add it to the words left and run them through the tables.
  const rest = data + folded * WORD;
  for (let i: u32 = 0; i < DELAY; i++) {
    let sum = v128.load(rest + i * WORD);
    sum = v128.xor(sum, v128.load(scratch + i * WORD));
    if (i < 124) sum = v128.xor(sum, v128.load(scratch + (i + DELAY - 124) * WORD));
    if (i < 118) sum = v128.xor(sum, v128.load(scratch + (i + DELAY - 118) * WORD));
    if (i < 80) sum = v128.xor(sum, v128.load(scratch + (i + DELAY - 80) * WORD));
    if (i < 17) sum = v128.xor(sum, v128.load(scratch + (i + DELAY - 17) * WORD));
    v128.store(scratch + i * WORD, sum);
  }
  crc = bytes(0, scratch, DELAY * WORD);
  return ~bytes(crc, rest + DELAY * WORD, length - words * WORD);
}

/** Runs the recurrence over `count` words; leaves the last DELAY values of v at the front of `scratch`. */
function fold(crc: u32, data: usize, count: u32, scratch: usize): void {
  memory.fill(scratch, 0, DELAY * WORD);
  // A CRC register is added to the first four bytes that follow.
  let carry = i32x4(crc, 0, 0, 0);
  while (count > 0) {
    const batch = min(count, BATCH);
    let v = scratch + DELAY * WORD;
    const end = v + batch * WORD;
    while (v < end) {
      let sum = v128.xor(v128.load(data), carry);
      sum = v128.xor(sum, v128.load(v - 203 * 16));
      sum = v128.xor(sum, v128.load(v - 124 * 16));
      sum = v128.xor(sum, v128.load(v - 118 * 16));
      sum = v128.xor(sum, v128.load(v - 80 * 16));
      sum = v128.xor(sum, v128.load(v - 17 * 16));
      v128.store(v, sum);
      carry = i32x4(0, 0, 0, 0);
      v += WORD;
      data += WORD;
    }
    memory.copy(scratch, end - DELAY * WORD, DELAY * WORD);
    count -= batch;
  }
}

/** Plain slicing by eight; `crc` is the register itself, not inverted. */
function bytes(crc: u32, data: usize, length: u32): u32 {
  const end = data + length;
  while (data + 8 <= end) {
    const low = load<u32>(data) ^ crc;
    const high = load<u32>(data, 4);
    crc =
      load<u32>(TABLES + ((low & 255) << 2), 7 * 1024) ^
      load<u32>(TABLES + (((low >> 8) & 255) << 2), 6 * 1024) ^
      load<u32>(TABLES + (((low >> 16) & 255) << 2), 5 * 1024) ^
      load<u32>(TABLES + ((low >> 24) << 2), 4 * 1024) ^
      load<u32>(TABLES + ((high & 255) << 2), 3 * 1024) ^
      load<u32>(TABLES + (((high >> 8) & 255) << 2), 2 * 1024) ^
      load<u32>(TABLES + (((high >> 16) & 255) << 2), 1024) ^
      load<u32>(TABLES + ((high >> 24) << 2));
    data += 8;
  }
  while (data < end) {
    crc = load<u32>(TABLES + (((crc ^ load<u8>(data)) & 255) << 2)) ^ (crc >> 8);
    data++;
  }
  return crc;
}

/** Idempotent, so two threads that fill at once do no harm; READY is set only after the last store. */
function fillTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
    store<u32>(TABLES + (byte << 2), crc);
  }
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = load<u32>(TABLES + (byte << 2));
    for (let table: u32 = 1; table < 8; table++) {
      crc = load<u32>(TABLES + ((crc & 255) << 2)) ^ (crc >> 8);
      store<u32>(TABLES + (table << 10) + (byte << 2), crc);
    }
  }
  atomic.store<u32>(READY, 1);
}

/** CRC-32 as gzip has it (RFC 1952, section 8). */
let table: StaticArray<u32> | null = null;

export function crc32(crc: u32, from: usize, length: i32): u32 {
  let known = table;
  if (known == null) {
    known = new StaticArray<u32>(256);
    for (let i = 0; i < 256; i++) {
      let c = <u32>i;
      for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ 0xedb88320 : c >> 1;
      known[i] = c;
    }
    table = known;
  }
  let c = ~crc;
  for (let i = 0; i < length; i++) c = (c >> 8) ^ unchecked(known[(c ^ load<u8>(from + i)) & 255]);
  return ~c;
}

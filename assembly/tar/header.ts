/**
 * One 512-byte tar header (POSIX.1-2017 pax "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").
 *
 * ```
 *   0 name[100]   100 mode[8]   108 uid[8]   116 gid[8]   124 size[12]   136 mtime[12]   148 chksum[8]   156 typeflag
 * 157 linkname[100]   257 magic[6] version[2]   265 uname[32]   297 gname[32]   329 devmajor[8]   337 devminor[8]
 * 345 prefix[155]  ("ustar\0")  |  GNU ("ustar  \0"): 386 4 x {offset[12], numbytes[12]}  482 isextended  483 realsize[12]
 * ```
 */
export const BLOCK: u32 = 512;
export const H_NAME: u32 = 0;
export const H_MODE: u32 = 100;
export const H_UID: u32 = 108;
export const H_GID: u32 = 116;
export const H_SIZE: u32 = 124;
export const H_MTIME: u32 = 136;
export const H_CHECKSUM: u32 = 148;
export const H_TYPE: u32 = 156;
export const H_LINK: u32 = 157;
export const H_MAGIC: u32 = 257;
export const H_MAJOR: u32 = 329;
export const H_MINOR: u32 = 337;
export const H_PREFIX: u32 = 345;
export const H_SPARSE: u32 = 386;
export const H_SPARSE_MORE: u32 = 482;
export const H_REAL_SIZE: u32 = 483;

/** What an entry is; the numbers are LAYER_* of the layer index. */
export const KIND_FILE: u32 = 1;
export const KIND_HARDLINK: u32 = 2;
export const KIND_SYMLINK: u32 = 3;
export const KIND_CHARACTER: u32 = 4;
export const KIND_BLOCK: u32 = 5;
export const KIND_DIRECTORY: u32 = 6;
export const KIND_FIFO: u32 = 7;

/** Set by `field` when what it read is no number; the reader clears it before and looks at it after a header. */
export let badField: bool = false;

export function clearBadField(): void {
  badField = false;
}

function bad(): i64 {
  badField = true;
  return 0;
}

/**
 * A numeric field: octal digits, or base 256 (first byte 0x80 positive, 0xff negative). Where readers in use disagree
 * (digits after leading NULs or after a blank) the field is bad rather than guessed at.
 */
export function field(p: usize, length: u32): i64 {
  if (load<u8>(p) & 0x80) return base256(p, length);
  const end = p + length;
  while (p < end && load<u8>(p) == 0x20) p++;
  let value: i64 = 0;
  let digits: u32 = 0;
  for (; p < end; p++) {
    const digit: u32 = <u32>load<u8>(p) - 0x30;
    if (digit > 7) break;
    value = (value << 3) | <i64>digit;
    digits++;
  }
  if (p < end) {
    const stop: u32 = load<u8>(p);
    if (stop != 0 && stop != 0x20) return bad();
    if (stop == 0 && digits > 0) return value;
    for (; p < end; p++) {
      const rest: u32 = load<u8>(p);
      if (rest != 0 && rest != 0x20) return bad();
    }
  }
  return value;
}

function base256(p: usize, length: u32): i64 {
  const invert: u32 = load<u8>(p) & 0x40 ? 0xff : 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    let byte: u32 = <u32>load<u8>(p + i) ^ invert;
    if (i == 0) byte &= 0x7f;
    if (value >> 55 != 0) return bad();
    value = (value << 8) | <u64>byte;
  }
  return invert ? ~(<i64>value) : <i64>value;
}

/** Whether the stored checksum is the sum of the bytes, taken as unsigned or (old Sun and NeXT tars) as signed. */
export function checksumMatches(p: usize): bool {
  let acc = i32x4.splat(0);
  let high = i32x4.splat(0);
  for (let i: usize = 0; i < 512; i += 16) {
    const v = v128.load(p + i);
    acc = i32x4.add(acc, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v)));
    const negative = i8x16.shr_u(v, 7);
    high = i32x4.add(high, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(negative)));
  }
  let unsigned = lanes(acc);
  let negatives = lanes(high);
  for (let i: u32 = H_CHECKSUM; i < H_CHECKSUM + 8; i++) {
    const byte: u32 = load<u8>(p + i);
    unsigned += 0x20 - <i32>byte;
    negatives -= byte >> 7;
  }
  const stored = <i32>field(p + H_CHECKSUM, 8);
  return stored == unsigned || stored == unsigned - (negatives << 8);
}

function lanes(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

export function isZeroBlock(p: usize): bool {
  let acc = v128.load(p);
  for (let i: usize = 16; i < 512; i += 16) acc = v128.or(acc, v128.load(p + i));
  return !v128.any_true(acc);
}

/** Length of a NUL-terminated field of at most `limit` bytes. */
export function textLength(p: usize, limit: u32): u32 {
  let n: u32 = 0;
  while (n < limit && load<u8>(p + n) != 0) n++;
  return n;
}

/** "ustar\0": the POSIX header, the only one whose prefix field holds a part of the name. */
export function isUstar(p: usize): bool {
  return load<u32>(p, 257) == 0x61747375 && load<u16>(p, 261) == 0x0072;
}

/** "ustar  \0": GNU tar's own. */
export function isGnu(p: usize): bool {
  return load<u32>(p, 257) == 0x61747375 && load<u32>(p, 261) == 0x00202072;
}

/** Which format bytes are of, by their first four. */
import { FORMAT_AUTO, FORMAT_GZIP, FORMAT_PLAIN, FORMAT_ZSTD } from '../../src/core/abi/codec';

export const ZSTD_MAGIC: u32 = 0xfd2fb528;
/** 0x184d2a50 .. 0x184d2a5f */
export const ZSTD_SKIPPABLE: u32 = 0x184d2a50;

/** FORMAT_GZIP, FORMAT_ZSTD or FORMAT_PLAIN; FORMAT_AUTO when `length` is too short to tell and `last` is not set. */
export function sniffFormat(data: usize, length: u32, last: u32): u32 {
  if (length >= 2 && load<u16>(data) == 0x8b1f) return FORMAT_GZIP;
  if (length < 4) return last ? FORMAT_PLAIN : FORMAT_AUTO;
  const magic = load<u32>(data);
  if (magic == ZSTD_MAGIC || (magic & 0xfffffff0) == ZSTD_SKIPPABLE) return FORMAT_ZSTD;
  return FORMAT_PLAIN;
}

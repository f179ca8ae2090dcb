/**
 * What a compressor holds, one region:
 *
 * ```
 *       0 Encoder
 *      64 u32[LITLEN_SYMBOLS] how often each literal or length comes in the piece, then u32[OFFSET_SYMBOLS] each offset
 *         CODES    u32 per symbol, the same order: bits 0..15 the codeword, bit-reversed, 16.. its length
 *         LENGTHS  u8 per symbol, the same order, and u8[PRECODE_SYMBOLS]
 *         WORK     sorting, run-length coded lengths
 *         HEADS    i32[HASH_SIZE] last place with this hash, PREVIOUS i32[WINDOW] the one before, by place modulo WINDOW
 *         WINDOW_AT the last 32 KiB of the pieces before, then the piece (PIECE bytes), then padding for loads beyond it
 *         TOKENS   u32 per literal or match: bits 16.. length, 0 for a literal; 0..15 offset - 1, or the byte
 *         OUTPUT   what one piece becomes at most
 * ```
 *
 * A place is an offset from WINDOW_AT; negative ones are too far back.
 */
import { LITLEN_SYMBOLS, OFFSET_SYMBOLS, PRECODE_SYMBOLS } from './tables';

export const WINDOW: u32 = 32768;
/** Pieces have one length whatever was pushed at once, so the output depends on the input alone. */
export const PIECE: u32 = 131072;
export const HASH_BITS: u32 = 15;
export const HASH_SIZE: u32 = 1 << HASH_BITS;
export const SYMBOLS: u32 = LITLEN_SYMBOLS + OFFSET_SYMBOLS;

export const FREQUENCIES: usize = 64;
export const CODES: usize = FREQUENCIES + 4 * SYMBOLS;
export const CODE_LENGTHS: usize = CODES + 4 * (SYMBOLS + PRECODE_SYMBOLS);
export const WORK: usize = (CODE_LENGTHS + SYMBOLS + PRECODE_SYMBOLS + 15) & ~15;
const WORK_BYTES: usize = 8192;
export const HEADS: usize = WORK + WORK_BYTES;
export const PREVIOUS: usize = HEADS + 4 * HASH_SIZE;
export const WINDOW_AT: usize = PREVIOUS + 4 * WINDOW;
export const TOKENS: usize = WINDOW_AT + WINDOW + PIECE + 64;
export const OUTPUT: usize = TOKENS + 4 * PIECE;
/** Stored blocks bound it: 5 bytes for each 65,535. The rest is room for the wrapper and for writing in words. */
const OUTPUT_BYTES: usize = PIECE + 64;
export const ENCODER_BYTES: u32 = <u32>(OUTPUT + OUTPUT_BYTES);

/** Zero-filled at first, apart from HEADS and PREVIOUS. */
@unmanaged
export class Encoder {
  /** Bytes of the present piece so far. */
  filled: u32;
  tokens: u32;
  /** Where the next output goes, and the bits that make no byte yet. */
  out: usize;
  bits: u64;
  bitCount: u32;
  checksum: u32;
  totalBytes: u32;
  /** The header is written, the trailer is written. */
  begun: u32;
  ended: u32;
}

export function litlenCount(e: Encoder, symbol: u32): usize {
  return changetype<usize>(e) + FREQUENCIES + (symbol << 2);
}

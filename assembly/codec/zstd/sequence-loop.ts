/**
 * Sequences of a block (RFC 8878 section 3.1.1.4): each copies literals, then a match from earlier output. The bits are
 * read backwards: `window` is the 8 bytes at `at`, of which the top `used` bits are spent. Everything that the data says
 * is checked against the literals, the block's size and the window before a byte is copied.
 */
import { Decoder, tablesOf } from '../decoder-state';
import { PATTERN_SHUFFLE, PATTERN_STRIDE } from '../pattern';
import { LITERAL_LENGTH_TABLE, MATCH_LENGTH_TABLE, OFFSET_TABLE } from './tables';

/** Extra bits of one sequence that still leave room for its state bits (26) in a window just refilled (57 bits). */
const EXTRA_MOST: u64 = 31;

export function runSequences(d: Decoder, start: usize, end: usize, count: u32): bool {
  const tables = tablesOf(d);
  const windowBytes = d.window;
  const blockStart = d.out;
  const blockEnd = blockStart + d.blockMax;
  // From here on this frame's output lies in one piece up to `out`; earlier bytes, if any, are in the older part.
  const fresh = blockStart - d.ring;
  const contiguous = d.frameBytes < <u64>fresh ? blockStart - <usize>d.frameBytes : d.ring;
  let literals = d.literals;
  const literalsEnd = literals + d.literalsLength;
  let out = blockStart;
  let repeat1 = d.repeat1;
  let repeat2 = d.repeat2;
  let repeat3 = d.repeat3;

  let at = end - 8;
  let window = load<u64>(at);
  let used: u64 = clz<u32>(load<u8>(end - 1)) - 23;
  let log: u64 = d.literalLengthLog;
  used += log;
  let literalState = <u32>(window >> (0 - used)) & (((<u32>1) << (<u32>log)) - 1);
  log = d.offsetLog;
  used += log;
  let offsetState = <u32>(window >> (0 - used)) & (((<u32>1) << (<u32>log)) - 1);
  log = d.matchLengthLog;
  used += log;
  let matchState = <u32>(window >> (0 - used)) & (((<u32>1) << (<u32>log)) - 1);
  at -= <u32>(used >> 3);
  used &= 7;
  window = load<u64>(at);

  while (true) {
    const literalEntry = load<u64>(tables + (literalState << 3), LITERAL_LENGTH_TABLE);
    const matchEntry = load<u64>(tables + (matchState << 3), MATCH_LENGTH_TABLE);
    const offsetEntry = load<u64>(tables + (offsetState << 3), OFFSET_TABLE);
    // Bit counts with other fields above them, which are not masked off: of a shift count only the low six bits matter,
    // and of `used` only the low eight until it is cut down at the next refill.
    const offsetBits = offsetEntry >> 32;
    const matchBits = matchEntry >> 32;
    const literalBits = literalEntry >> 32;
    const extraBits = (offsetBits + matchBits + literalBits) & 255;
    let offset = <u32>offsetEntry + top(window << used, offsetBits);
    used += offsetBits;
    if (extraBits > EXTRA_MOST) {
      at -= <u32>(used >> 3) & 31;
      used &= 7;
      window = load<u64>(at);
    }
    const matchLength = <u32>matchEntry + top(window << used, matchBits);
    used += matchBits;
    const literalLength = <u32>literalEntry + top(window << used, literalBits);
    used += literalBits;
    if (extraBits > EXTRA_MOST) {
      at -= <u32>(used >> 3) & 31;
      used &= 7;
      window = load<u64>(at);
    }
    if (offsetBits & 0xfe) {
      repeat3 = repeat2;
      repeat2 = repeat1;
      repeat1 = offset;
    } else {
      // A repeat code 1..3; without literals it means the next one, and 4 is the first less one.
      if (<u32>literalEntry == 0) offset++;
      if (offset == 1) {
        offset = repeat1;
      } else {
        const code = offset;
        offset = code == 2 ? repeat2 : code == 3 ? repeat3 : repeat1 - 1;
        if (code != 2) repeat3 = repeat2;
        repeat2 = repeat1;
        repeat1 = offset;
      }
    }

    if (--count != 0) {
      literalState = <u32>(literalEntry >> 48) + top(window << used, literalEntry >> 40);
      used += literalEntry >> 40;
      matchState = <u32>(matchEntry >> 48) + top(window << used, matchEntry >> 40);
      used += matchEntry >> 40;
      offsetState = <u32>(offsetEntry >> 48) + top(window << used, offsetEntry >> 40);
      used += offsetEntry >> 40;
      at -= <u32>(used >> 3) & 31;
      used &= 7;
      window = load<u64>(at);
      if (at + 8 < start) return false;
    } else if ((<i64>at - <i64>start) * 8 + 64 != <i64>(used & 255)) {
      // The last sequence ends exactly where the stream starts.
      return false;
    }

    if (literalLength > <u32>(literalsEnd - literals)) return false;
    if (literalLength + matchLength > <u32>(blockEnd - out)) return false;
    v128.store(out, v128.load(literals));
    if (literalLength > 16) {
      let from = literals + 16;
      let to = out + 16;
      const stop = out + literalLength;
      do {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += 32;
        to += 32;
      } while (to < stop);
    }
    out += literalLength;
    literals += literalLength;

    let from = out - offset;
    let to = out;
    if (offset > <u32>(out - contiguous) || offset - 1 >= windowBytes) {
      if (offset - 1 >= windowBytes) return false;
      if (<u64>offset > d.frameBytes + (out - blockStart)) return false;
      copyOlder(d, out, offset, matchLength);
      out += matchLength;
    } else {
      out += matchLength;
      if (offset >= 16) {
        v128.store(to, v128.load(from));
        if (matchLength > 16) {
          from += 16;
          to += 16;
          do {
            v128.store(to, v128.load(from));
            v128.store(to, v128.load(from, 16), 16);
            from += 32;
            to += 32;
          } while (to < out);
        }
      } else {
        const pattern = v128.swizzle(v128.load(from), v128.load(PATTERN_SHUFFLE + (offset << 4)));
        const stride: u32 = load<u8>(PATTERN_STRIDE + offset);
        do {
          v128.store(to, pattern);
          to += stride;
          v128.store(to, pattern);
          to += stride;
        } while (to < out);
      }
    }
    if (count == 0) break;
  }
  d.repeat1 = repeat1;
  d.repeat2 = repeat2;
  d.repeat3 = repeat3;

  const left = literalsEnd - literals;
  if (left > blockEnd - out) return false;
  memory.copy(out, literals, left);
  d.out = out + left;
  return true;
}

/** A match that starts before the ring's wrap: first from the end of the older part, then from the ring's start. */
function copyOlder(d: Decoder, out: usize, offset: u32, length: u32): void {
  const back = offset - <u32>(out - d.ring);
  const head = min(back, length);
  memory.copy(out, d.olderEnd - back, head);
  let to = out + head;
  let from = d.ring;
  for (const stop = out + length; to < stop; to++) store<u8>(to, load<u8>(from++));
}

/** The top `count` bits (modulo 64; 0 to 63 of them). */
function top(window: u64, count: u64): u32 {
  return <u32>((window >> 1) >> ~count);
}

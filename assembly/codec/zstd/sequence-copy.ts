/** The copies of a batch of sequences. Both copies go in whole vectors and may write past their end, never past SLACK. */
import { Decoder } from '../decoder-state';
import { PATTERN_SHUFFLE, PATTERN_STRIDE } from '../pattern';
import { SEQUENCE_BYTES } from './tables';

/**
 * Executes `count` sequences at `sequence` onto `out`. The caller has checked that the literals are there and that all
 * fits in the block; the offsets are checked here. False for one that reaches too far.
 */
export function copySequences(
  d: Decoder,
  sequence: usize,
  count: u32,
  blockStart: usize,
  out: usize,
  literals: usize,
): bool {
  // From here on this frame's output lies in one piece up to `out`; earlier bytes, if any, are in the older part.
  const contiguous = d.frameBytes < <u64>(blockStart - d.ring) ? blockStart - <usize>d.frameBytes : d.ring;
  // How far any match of the batch may reach without a closer look.
  const reach = min(<u32>(out - contiguous), d.window);
  const stop = sequence + count * SEQUENCE_BYTES;
  do {
    const literalLength = load<u32>(sequence, 4);
    v128.store(out, v128.load(literals));
    const literalsStop = out + literalLength;
    if (literalLength > 16) {
      let from = literals + 16;
      let to = out + 16;
      do {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += 32;
        to += 32;
      } while (to < literalsStop);
    }
    literals += literalLength;
    const offset = load<u32>(sequence);
    const matchLength = load<u32>(sequence, 8);
    out = literalsStop + matchLength;
    let to = literalsStop;
    if (offset - 1 >= reach) {
      if (!copyFar(d, contiguous, blockStart, to, offset, matchLength)) return false;
    } else if (offset >= 16) {
      let from = to - offset;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      if (matchLength > 32) {
        do {
          from += 32;
          to += 32;
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        } while (to + 32 < out);
      }
    } else {
      const pattern = v128.swizzle(v128.load(to - offset), v128.load(PATTERN_SHUFFLE + (offset << 4)));
      const stride: u32 = load<u8>(PATTERN_STRIDE + offset);
      do {
        v128.store(to, pattern);
        to += stride;
        v128.store(to, pattern);
        to += stride;
      } while (to < out);
    }
    sequence += SEQUENCE_BYTES;
  } while (sequence < stop);
  return true;
}

/**
 * A match that may start before the frame's start, the window or the ring's wrap. One from before the wrap is copied from
 * the end of the older part first, then from the ring's start.
 */
function copyFar(d: Decoder, contiguous: usize, blockStart: usize, out: usize, offset: u32, length: u32): bool {
  if (offset - 1 >= d.window) return false;
  const stop = out + length;
  let to = out;
  let from = out - offset;
  if (offset > <u32>(out - contiguous)) {
    if (<u64>offset > d.frameBytes + (out - blockStart)) return false;
    const back = offset - <u32>(out - d.ring);
    from = d.olderEnd - back;
    if (back >= length) {
      // The older part ends well away from `out`, and behind it lies at least the ring's overrun.
      do {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += 32;
        to += 32;
      } while (to < stop);
      return true;
    }
    memory.copy(to, from, back);
    to += back;
    from = d.ring;
  }
  for (; to < stop; to++) store<u8>(to, load<u8>(from++));
  return true;
}

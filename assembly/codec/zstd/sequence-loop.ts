/**
 * Sequences of a block (RFC 8878 section 3.1.1.4): each copies literals, then a match from earlier output. They go in
 * batches through three loops, one that reads, one that finds the offsets and one that copies: together they need more
 * registers than there are, and the copies, which do not wait for each other, overlap when nothing is in between.
 *
 * ```
 * sequence, SEQUENCE_BYTES             0 u32 offset, at first as value   4 u32 literal length   8 u32 match length
 * reader between batches, at READER    0 u32 at   4 u32 used   8 u32 literal-length state   12 u32 match-length state
 *                                     16 u32 offset state   20 u32 sum of literal lengths   24 u32 sum of match lengths
 * ```
 */
import { Decoder, tablesOf } from '../decoder-state';
import { copySequences } from './sequence-copy';
import {
  LITERAL_LENGTH_TABLE,
  MATCH_LENGTH_TABLE,
  OFFSET_TABLE,
  READER,
  SEQUENCE_BYTES,
  SEQUENCES,
  SEQUENCES_MOST,
} from './tables';

/** Extra bits of one sequence that still leave room for its state bits (26) in a window just refilled (56 bits). */
const EXTRA_MOST: u64 = 30;
/** State bits of one sequence are 4 bytes at most; the last sequence has none, so that the reader then passes the start. */
const PASSED_MOST: usize = 4;

/** Everything that the data says is checked against the literals, the block's size and the window before a copy. */
export function runSequences(d: Decoder, start: usize, end: usize, count: u32): bool {
  const tables = tablesOf(d);
  const blockStart = d.out;
  const blockEnd = blockStart + d.blockMax;
  let literals = d.literals;
  const literalsEnd = literals + d.literalsLength;
  let out = blockStart;
  openReader(d, tables, end);
  do {
    const batch = min(count, SEQUENCES_MOST);
    count -= batch;
    if (!readBatch(tables, start, batch, count == 0)) return false;
    resolveBatch(d, tables, batch);
    const literalSum = load<u32>(tables, READER + 20);
    const matchSum = load<u32>(tables, READER + 24);
    if (literalSum > <u32>(literalsEnd - literals)) return false;
    if (literalSum + matchSum > <u32>(blockEnd - out)) return false;
    if (!copySequences(d, tables + SEQUENCES, batch, blockStart, out, literals)) return false;
    out += literalSum + matchSum;
    literals += literalSum;
  } while (count != 0);

  const left = literalsEnd - literals;
  if (left > blockEnd - out) return false;
  memory.copy(out, literals, left);
  d.out = out + left;
  return true;
}

/** Reads the first states off the end of the stream. */
function openReader(d: Decoder, tables: usize, end: usize): void {
  const at = end - 8;
  let window = (load<u64>(at) | 1) << (<u64>(clz<u32>(load<u8>(end - 1)) - 23));
  store<u32>(tables, top(window, d.literalLengthLog), READER + 8);
  window <<= <u64>d.literalLengthLog;
  store<u32>(tables, top(window, d.offsetLog), READER + 16);
  window <<= <u64>d.offsetLog;
  store<u32>(tables, top(window, d.matchLengthLog), READER + 12);
  window <<= <u64>d.matchLengthLog;
  const used = <u32>ctz<u64>(window);
  store<u32>(tables, at - (used >> 3), READER);
  store<u32>(tables, used & 7, READER + 4);
}

/**
 * Reads `count` sequences into SEQUENCES, offsets as offset values. The bits are read backwards: `window` holds the next
 * ones from the top bit down; the lowest bit set is a marker, so its position tells how many of the 8 bytes at `at` are
 * used up. False when they run out, or when the last sequence of the block does not end where the stream starts.
 */
function readBatch(tables: usize, start: usize, count: u32, last: bool): bool {
  let at: usize = load<u32>(tables, READER);
  let window = (load<u64>(at) | 1) << (<u64>load<u32>(tables, READER + 4));
  let literalState: u32 = load<u32>(tables, READER + 8);
  let matchState: u32 = load<u32>(tables, READER + 12);
  let offsetState: u32 = load<u32>(tables, READER + 16);
  const floor = start - 8 - PASSED_MOST;
  let sequence = tables + SEQUENCES;
  const stop = sequence + count * SEQUENCE_BYTES;
  let stateBits: u64 = 0;

  do {
    // Of a shift count only the low six bits matter, so what lies above a bit count is not masked off.
    const offsetEntry = load<u64>(tables + (offsetState << 3), OFFSET_TABLE);
    const matchEntry = load<u64>(tables + (matchState << 3), MATCH_LENGTH_TABLE);
    const literalEntry = load<u64>(tables + (literalState << 3), LITERAL_LENGTH_TABLE);
    store<u32>(sequence, <u32>offsetEntry + top(window, offsetEntry >> 32));
    window <<= offsetEntry >> 32;
    if ((((offsetEntry >> 32) + (matchEntry >> 32) + (literalEntry >> 32)) & 255) > EXTRA_MOST) {
      const used = <u32>ctz<u64>(window);
      at -= used >> 3;
      window = (load<u64>(at) | 1) << (<u64>(used & 7));
      store<u32>(sequence, <u32>matchEntry + top(window, matchEntry >> 32), 8);
      window <<= matchEntry >> 32;
      store<u32>(sequence, <u32>literalEntry + top(window, literalEntry >> 32), 4);
      window <<= literalEntry >> 32;
      const spent = <u32>ctz<u64>(window);
      at -= spent >> 3;
      window = (load<u64>(at) | 1) << (<u64>(spent & 7));
    } else {
      store<u32>(sequence, <u32>matchEntry + top(window, matchEntry >> 32), 8);
      window <<= matchEntry >> 32;
      store<u32>(sequence, <u32>literalEntry + top(window, literalEntry >> 32), 4);
      window <<= literalEntry >> 32;
    }
    sequence += SEQUENCE_BYTES;
    stateBits = (literalEntry >> 40) + (matchEntry >> 40) + (offsetEntry >> 40);
    literalState = <u32>(literalEntry >> 48) + top(window, literalEntry >> 40);
    window <<= literalEntry >> 40;
    matchState = <u32>(matchEntry >> 48) + top(window, matchEntry >> 40);
    window <<= matchEntry >> 40;
    offsetState = <u32>(offsetEntry >> 48) + top(window, offsetEntry >> 40);
    window <<= offsetEntry >> 40;
    const used = <u32>ctz<u64>(window);
    at -= used >> 3;
    if (at < floor) return false;
    window = (load<u64>(at) | 1) << (<u64>(used & 7));
  } while (sequence < stop);

  const used = <u32>ctz<u64>(window);
  // The state bits of the last sequence, which are not there, would come in front of the start.
  if (last) return <i32>(at - start) * 8 + 64 - <i32>used == -(<i32>(stateBits & 255));
  store<u32>(tables, at, READER);
  store<u32>(tables, used, READER + 4);
  store<u32>(tables, literalState, READER + 8);
  store<u32>(tables, matchState, READER + 12);
  store<u32>(tables, offsetState, READER + 16);
  return true;
}

/** Makes offsets of offset values (1 to 3 repeat an earlier offset) and adds up the lengths. */
function resolveBatch(d: Decoder, tables: usize, count: u32): void {
  let repeat1 = d.repeat1;
  let repeat2 = d.repeat2;
  let repeat3 = d.repeat3;
  let sums = i32x4.splat(0);
  let sequence = tables + SEQUENCES;
  const stop = sequence + count * SEQUENCE_BYTES;
  do {
    sums = i32x4.add(sums, v128.load(sequence));
    let value = load<u32>(sequence);
    if (value > 3) {
      repeat3 = repeat2;
      repeat2 = repeat1;
      repeat1 = value - 3;
    } else {
      // Without literals a repeat code means the next one, and 4 is the first less one.
      if (load<u32>(sequence, 4) == 0) value++;
      if (value != 1) {
        const offset = value == 2 ? repeat2 : value == 3 ? repeat3 : repeat1 - 1;
        if (value != 2) repeat3 = repeat2;
        repeat2 = repeat1;
        repeat1 = offset;
      }
    }
    store<u32>(sequence, repeat1);
    sequence += SEQUENCE_BYTES;
  } while (sequence < stop);
  d.repeat1 = repeat1;
  d.repeat2 = repeat2;
  d.repeat3 = repeat3;
  store<u32>(tables, i32x4.extract_lane(sums, 1), READER + 20);
  store<u32>(tables, i32x4.extract_lane(sums, 2), READER + 24);
}

/** The top `count` bits (modulo 64; 0 to 63 of them). */
function top(window: u64, count: u64): u32 {
  return <u32>((window >> 1) >> ~count);
}

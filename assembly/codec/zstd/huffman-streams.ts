/**
 * Huffman-coded literals (RFC 8878 section 4.2.2). A stream is read backwards. `window` holds its next bits from the top
 * bit down; the lowest bit set is a marker, so its position tells how many bits are used up. The four streams of a block
 * are decoded in step, to keep four chains of dependent loads in flight.
 */
import { HUFFMAN_BITS, LITERAL_TABLE, SINGLE_TABLE } from './tables';

const SHIFT: u64 = 64 - HUFFMAN_BITS;
/** Lookups per refill: 5 * 11 bits fit between the marker and the top; each gives up to two symbols. */
const SYMBOLS_PER_TURN: u32 = 10;
const BYTES_PER_TURN: u32 = 7;

/** One stream in [start, end) of exactly `length` symbols; false when it is broken. */
export function decodeOne(tables: usize, start: usize, end: usize, out: usize, length: u32): bool {
  if (start >= end || load<u8>(end - 1) == 0) return false;
  return finish(tables, start, end - 8, open(end), out, out + length);
}

/** A jump table of three u16 lengths and four streams, each a quarter of the symbols (the last may have fewer). */
export function decodeFour(tables: usize, start: usize, end: usize, out: usize, length: u32): bool {
  if (end - start < 10) return false;
  const quarter: u32 = (length + 3) >> 2;
  if (quarter * 3 > length) return false;
  const start0 = start + 6;
  const start1 = start0 + load<u16>(start);
  const start2 = start1 + load<u16>(start, 2);
  const start3 = start2 + load<u16>(start, 4);
  if (start0 >= start1 || start1 >= start2 || start2 >= start3 || start3 >= end) return false;
  if (load<u8>(start1 - 1) == 0 || load<u8>(start2 - 1) == 0) return false;
  if (load<u8>(start3 - 1) == 0 || load<u8>(end - 1) == 0) return false;

  let at0 = start1 - 8;
  let at1 = start2 - 8;
  let at2 = start3 - 8;
  let at3 = end - 8;
  let window0 = open(start1);
  let window1 = open(start2);
  let window2 = open(start3);
  let window3 = open(end);
  let out0 = out;
  let out1 = out0 + quarter;
  let out2 = out1 + quarter;
  let out3 = out2 + quarter;
  const end0 = out1;
  const end1 = out2;
  const end2 = out3;
  const end3 = out + length;
  const table = tables + LITERAL_TABLE;

  while (true) {
    // As many turns as are safe whatever the bits say: no stream leaves the section, none overruns its symbols.
    let turns = min(room(end0, out0), min(room(end1, out1), min(room(end2, out2), room(end3, out3))));
    const lowest = min(at0, min(at1, min(at2, at3)));
    if (lowest < start) break;
    turns = min(turns, <u32>(lowest - start) / BYTES_PER_TURN);
    if (turns == 0) break;
    do {
      for (let i = 0; i < 5; i++) {
        let entry = load<u32>(table + ((<u32>(window0 >> SHIFT)) << 2));
        window0 <<= <u64>entry;
        store<u16>(out0, <u16>(entry >> 16));
        out0 += (entry >> 8) & 3;
        entry = load<u32>(table + ((<u32>(window1 >> SHIFT)) << 2));
        window1 <<= <u64>entry;
        store<u16>(out1, <u16>(entry >> 16));
        out1 += (entry >> 8) & 3;
        entry = load<u32>(table + ((<u32>(window2 >> SHIFT)) << 2));
        window2 <<= <u64>entry;
        store<u16>(out2, <u16>(entry >> 16));
        out2 += (entry >> 8) & 3;
        entry = load<u32>(table + ((<u32>(window3 >> SHIFT)) << 2));
        window3 <<= <u64>entry;
        store<u16>(out3, <u16>(entry >> 16));
        out3 += (entry >> 8) & 3;
      }
      let used = <u32>ctz<u64>(window0);
      at0 -= used >> 3;
      window0 = refill(at0, used);
      used = <u32>ctz<u64>(window1);
      at1 -= used >> 3;
      window1 = refill(at1, used);
      used = <u32>ctz<u64>(window2);
      at2 -= used >> 3;
      window2 = refill(at2, used);
      used = <u32>ctz<u64>(window3);
      at3 -= used >> 3;
      window3 = refill(at3, used);
    } while (--turns);
  }
  return (
    finish(tables, start0, at0, window0, out0, end0) &&
    finish(tables, start1, at1, window1, out1, end1) &&
    finish(tables, start2, at2, window2, out2, end2) &&
    finish(tables, start3, at3, window3, out3, end3)
  );
}

function room(end: usize, out: usize): u32 {
  return <u32>(end - out) / SYMBOLS_PER_TURN;
}

/** The window of a stream that ends at `end`: the padding, zeros and a one on top of the last byte, is used up. */
function open(end: usize): u64 {
  const padding: u32 = clz<u32>(load<u8>(end - 1)) - 23;
  return (load<u64>(end - 8) | 1) << (<u64>padding);
}

function refill(at: usize, used: u32): u64 {
  return (load<u64>(at) | 1) << (<u64>(used & 7));
}

/** Symbol by symbol to `end`; true when exactly all bits down to `start` were used. */
function finish(tables: usize, start: usize, at: usize, window: u64, out: usize, end: usize): bool {
  while (out < end) {
    const entry: u32 = load<u16>(tables + ((<u32>(window >> SHIFT)) << 1), SINGLE_TABLE);
    store<u8>(out++, <u8>entry);
    window <<= <u64>(entry >> 8);
    const used = <u32>ctz<u64>(window);
    at -= used >> 3;
    if (at + 8 < start) return false;
    window = refill(at, used);
  }
  // Bytes above the window's position, less the bits used in its top byte.
  return ((<i32>(at - start)) << 3) + 64 == <i32>ctz<u64>(window);
}

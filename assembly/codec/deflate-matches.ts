/**
 * Finds what came before: chains of places with the same four bytes, and a look one byte further before a match is taken
 * (RFC 1951 section 4). What is found depends on the bytes alone, so every host makes the same output.
 */
import {
  Encoder,
  FREQUENCIES,
  HASH_BITS,
  HASH_SIZE,
  HEADS,
  PIECE,
  PREVIOUS,
  TOKENS,
  WINDOW,
  WINDOW_AT,
} from './encoder-state';
import { LITLEN_SYMBOLS, lengthSymbol, offsetSymbol } from './tables';

const MIN_MATCH: u32 = 4;
const MAX_MATCH: u32 = 258;
/** Places looked at for one match, and fewer of them once a good one is at hand. */
const CHAIN: u32 = 24;
const CHAIN_WHEN_GOOD: u32 = 6;
const GOOD: u32 = 16;
/** Long enough to stop looking. */
const NICE: u32 = 96;
/** The next place is not tried after a match of this length. */
const LAZY: u32 = 32;

/** Nothing is known of what came before. */
export function forgetMatches(e: Encoder): void {
  memory.fill(changetype<usize>(e) + HEADS, 0xff, 4 * (HASH_SIZE + WINDOW));
}

/** Moves the last window of a full piece to the front, and every place with it. */
export function slideWindow(e: Encoder): void {
  const window = changetype<usize>(e) + WINDOW_AT;
  memory.copy(window, window + PIECE, WINDOW);
  const distance = i32x4.splat(PIECE);
  const none = i32x4.splat(-1);
  const end = changetype<usize>(e) + WINDOW_AT;
  for (let at = changetype<usize>(e) + HEADS; at < end; at += 16) {
    v128.store(at, i32x4.max_s(i32x4.sub(v128.load(at), distance), none));
  }
}

/** The piece as tokens, and how often each symbol comes. */
export function findMatches(e: Encoder): void {
  const base = changetype<usize>(e) + WINDOW_AT;
  const counts = changetype<usize>(e) + FREQUENCIES;
  const heads = changetype<usize>(e) + HEADS;
  const previous = changetype<usize>(e) + PREVIOUS;
  const end: u32 = WINDOW + e.filled;
  let token = changetype<usize>(e) + TOKENS;
  let at: u32 = WINDOW;
  let heldLength: u32 = 0;
  let heldOffset: u32 = 0;
  let holds = false;
  while (at < end) {
    let length: u32 = heldLength;
    let offset: u32 = 0;
    if (end - at >= MIN_MATCH) {
      const word = load<u32>(base + at);
      const head = heads + (hashOf(word) << 2);
      let place = load<i32>(head);
      store<i32>(head, at);
      store<i32>(previous + ((at & (WINDOW - 1)) << 2), place);
      if (heldLength < LAZY) {
        const most = min(end - at, MAX_MATCH);
        if (length < MIN_MATCH - 1) length = MIN_MATCH - 1;
        let tries = heldLength >= GOOD ? CHAIN_WHEN_GOOD : CHAIN;
        const nearest = <i32>(at - WINDOW);
        while (place >= nearest && place >= 0 && length < most) {
          const candidate = base + <u32>place;
          // What would not be longer is not looked at further
          if (load<u32>(candidate) == word && load<u8>(candidate + length) == load<u8>(base + at + length)) {
            const found = sameBytes(candidate, base + at, most);
            if (found > length) {
              length = found;
              offset = at - <u32>place;
              if (found >= NICE) break;
            }
          }
          if (--tries == 0) break;
          place = load<i32>(previous + ((<u32>place & (WINDOW - 1)) << 2));
        }
      }
    }
    if (heldLength >= MIN_MATCH && offset == 0) {
      store<u32>(token, (heldLength << 16) | (heldOffset - 1));
      token += 4;
      count(counts, lengthSymbol(heldLength));
      count(counts, LITLEN_SYMBOLS + offsetSymbol(heldOffset));
      const stop = at - 1 + heldLength;
      for (at++; at < stop; at++) {
        if (end - at < MIN_MATCH) continue;
        const head = heads + (hashOf(load<u32>(base + at)) << 2);
        store<i32>(previous + ((at & (WINDOW - 1)) << 2), load<i32>(head));
        store<i32>(head, at);
      }
      heldLength = 0;
      holds = false;
      continue;
    }
    if (holds) {
      const byte: u32 = load<u8>(base + at - 1);
      store<u32>(token, byte);
      token += 4;
      count(counts, byte);
    }
    holds = true;
    heldLength = offset == 0 ? 0 : length;
    heldOffset = offset;
    at++;
  }
  if (holds) {
    const byte: u32 = load<u8>(base + at - 1);
    store<u32>(token, byte);
    token += 4;
    count(counts, byte);
  }
  e.tokens = <u32>(token - changetype<usize>(e) - TOKENS) >> 2;
}

function hashOf(word: u32): u32 {
  return (word * 0x9e3779b1) >> (32 - HASH_BITS);
}

function count(counts: usize, symbol: u32): void {
  const at = counts + (symbol << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** How many bytes at `a` and `b` are equal, `most` at most; what is behind them can be read. */
function sameBytes(a: usize, b: usize, most: u32): u32 {
  let same: u32 = 0;
  while (same < most) {
    const difference = load<u64>(a + same) ^ load<u64>(b + same);
    if (difference != 0) return min(same + <u32>(ctz(difference) >> 3), most);
    same += 8;
  }
  return most;
}

/** Pattern matching (XCU 2.14) of flagged units (units.ts) against bytes. */
import {
  BACKSLASH,
  BANG,
  CARET,
  CLOSE_BRACKET,
  COLON,
  MINUS,
  OPEN_BRACKET,
  QUESTION,
  STAR,
} from '../syntax/characters';
import { EMPTY, IS_QUOTED } from './units';

const BYTE: i32 = 0xff;

/** Is there anything in it that is not matched by itself? */
export function isPattern(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit & IS_QUOTED) continue;
    const byte = unit & BYTE;
    if (byte == STAR || byte == QUESTION || byte == OPEN_BRACKET || byte == BACKSLASH) return true;
  }
  return false;
}

/** Does the pattern match the whole of `subject` from `start` to `end`? */
export function matches(pattern: string, subject: string, start: i32, end: i32): bool {
  const length = pattern.length;
  let at = 0;
  let here = start;
  // where to go on when what follows the last star does not fit
  let starAt = -1;
  let starHere = 0;
  while (true) {
    if (at < length) {
      const unit = pattern.charCodeAt(at);
      if (unit == EMPTY) {
        at++;
        continue;
      }
      if ((unit & IS_QUOTED) == 0 && (unit & BYTE) == STAR) {
        starAt = ++at;
        starHere = here;
        continue;
      }
      if (here < end) {
        const next = matchOne(pattern, at, subject.charCodeAt(here));
        if (next > 0) {
          at = next;
          here++;
          continue;
        }
      }
    } else if (here == end) return true;
    if (starAt < 0 || starHere >= end) return false;
    at = starAt;
    here = ++starHere;
  }
}

/** The pattern's position behind what matches the byte; 0: it does not. */
function matchOne(pattern: string, at: i32, byte: i32): i32 {
  const unit = pattern.charCodeAt(at);
  const literal = unit & BYTE;
  if (unit & IS_QUOTED) return literal == byte ? at + 1 : 0;
  if (literal == QUESTION) return at + 1;
  if (literal == OPEN_BRACKET) {
    const end = bracketEnd(pattern, at + 1);
    if (end > 0) return matchesBracket(pattern, at + 1, end, byte) ? end + 1 : 0;
  }
  if (literal == BACKSLASH && at + 1 < pattern.length) {
    return (pattern.charCodeAt(at + 1) & BYTE) == byte ? at + 2 : 0;
  }
  return literal == byte ? at + 1 : 0;
}

/** Where the bracket that began before `start` closes; 0: nowhere, and it is a literal one. */
function bracketEnd(pattern: string, start: i32): i32 {
  let at = start;
  const length = pattern.length;
  if (at < length && isSpecial(pattern, at, BANG)) at++;
  else if (at < length && isSpecial(pattern, at, CARET)) at++;
  // a closing bracket that comes first is one of the characters
  let isFirst = true;
  while (at < length) {
    if (isSpecial(pattern, at, CLOSE_BRACKET) && !isFirst) return at;
    isFirst = false;
    if (isSpecial(pattern, at, OPEN_BRACKET) && at + 1 < length) {
      const kind = pattern.charCodeAt(at + 1);
      if (kind == COLON || kind == 0x2e || kind == 0x3d) {
        const close = classEnd(pattern, at + 2, kind);
        if (close > 0) {
          at = close + 2;
          continue;
        }
      }
    }
    if (isSpecial(pattern, at, BACKSLASH) && at + 1 < length) at++;
    at++;
  }
  return 0;
}

/** Where `:]` is, or `.]` or `=]`; 0: nowhere. */
function classEnd(pattern: string, start: i32, kind: i32): i32 {
  for (let at = start; at + 1 < pattern.length; at++) {
    if ((pattern.charCodeAt(at) & BYTE) == kind && (pattern.charCodeAt(at + 1) & BYTE) == CLOSE_BRACKET) return at;
  }
  return 0;
}

function isSpecial(pattern: string, at: i32, byte: i32): bool {
  const unit = pattern.charCodeAt(at);
  return (unit & IS_QUOTED) == 0 && (unit & BYTE) == byte;
}

function matchesBracket(pattern: string, start: i32, end: i32, byte: i32): bool {
  let at = start;
  let negated = false;
  if (isSpecial(pattern, at, BANG) || isSpecial(pattern, at, CARET)) {
    negated = true;
    at++;
  }
  let found = false;
  while (at < end) {
    if (isSpecial(pattern, at, OPEN_BRACKET) && at + 1 < end) {
      const kind = pattern.charCodeAt(at + 1);
      if (kind == COLON) {
        const close = classEnd(pattern, at + 2, COLON);
        if (close > 0 && close < end) {
          if (isInClass(pattern.substring(at + 2, close), byte)) found = true;
          at = close + 2;
          continue;
        }
      }
    }
    let low = 0;
    const element = bracketElement(pattern, at, end);
    low = element & BYTE;
    at = element >> 8;
    let high = low;
    if (at + 1 < end && isSpecial(pattern, at, MINUS)) {
      const last = bracketElement(pattern, at + 1, end);
      high = last & BYTE;
      at = last >> 8;
    }
    if (byte >= low && byte <= high) found = true;
  }
  return found != negated;
}

/** The byte of one element and, times 256, the position behind it. */
function bracketElement(pattern: string, at: i32, end: i32): i32 {
  if (isSpecial(pattern, at, OPEN_BRACKET) && at + 1 < end) {
    const kind = pattern.charCodeAt(at + 1);
    if (kind == 0x2e || kind == 0x3d) {
      const close = classEnd(pattern, at + 2, kind);
      if (close > at + 2 && close < end) return ((close + 2) << 8) | (pattern.charCodeAt(at + 2) & BYTE);
    }
  }
  if (isSpecial(pattern, at, BACKSLASH) && at + 1 < end) at++;
  return ((at + 1) << 8) | (pattern.charCodeAt(at) & BYTE);
}

function isInClass(flagged: string, byte: i32): bool {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isUpper = byte >= 0x41 && byte <= 0x5a;
  const isLower = byte >= 0x61 && byte <= 0x7a;
  const isGraph = byte > 0x20 && byte < 0x7f;
  const isAlnum = isDigit || isUpper || isLower;
  const name = flagged;
  if (name == 'alnum') return isAlnum;
  if (name == 'alpha') return isUpper || isLower;
  if (name == 'blank') return byte == 0x20 || byte == 0x09;
  if (name == 'cntrl') return byte < 0x20 || byte == 0x7f;
  if (name == 'digit') return isDigit;
  if (name == 'graph') return isGraph;
  if (name == 'lower') return isLower;
  if (name == 'print') return isGraph || byte == 0x20;
  if (name == 'punct') return isGraph && !isAlnum;
  if (name == 'space') return byte == 0x20 || (byte >= 0x09 && byte <= 0x0d);
  if (name == 'upper') return isUpper;
  if (name == 'xdigit') return isDigit || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
  return false;
}

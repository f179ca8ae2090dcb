/** Patterns of file names: `*`, `?`, `[...]`, a backslash. */
import { toLower, unit } from '../io/text';
import { addClass, ByteSet } from '../regex/node';

/** As fnmatch(3) without flags: `*` matches slashes and leading dots, too. Linear in the product of the lengths. */
export function globMatches(pattern: string, text: string, fold: bool = false): bool {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length || p < pattern.length) {
    if (p < pattern.length) {
      const c = unit(pattern, p);
      if (c == 42) {
        star = p++;
        mark = t;
        continue;
      }
      if (t < text.length) {
        const next = one(pattern, p, unit(text, t), fold);
        if (next > 0) {
          p = next;
          t++;
          continue;
        }
      }
    }
    // the star before takes one byte more
    if (star < 0 || mark >= text.length) return false;
    p = star + 1;
    t = ++mark;
  }
  return true;
}

/** Where the pattern goes on when its item at `p` matches a byte; 0 when it does not. */
function one(pattern: string, p: i32, byte: i32, fold: bool): i32 {
  const c = unit(pattern, p);
  if (c == 63) return p + 1;
  if (c == 91) {
    const end = bracketEnd(pattern, p);
    if (end > 0) return inBracket(pattern, p, end, byte, fold) ? end + 1 : 0;
  }
  let next = p + 1;
  let wanted = c;
  if (c == 92 && next < pattern.length) wanted = unit(pattern, next++);
  return wanted == byte || (fold && toLower(wanted) == toLower(byte)) ? next : 0;
}

/** Of the `]` that closes a bracket; 0 where there is none. */
function bracketEnd(pattern: string, p: i32): i32 {
  let at = p + 1;
  if (at < pattern.length && (unit(pattern, at) == 33 || unit(pattern, at) == 94)) at++;
  if (at < pattern.length && unit(pattern, at) == 93) at++;
  for (; at < pattern.length; at++) {
    const c = unit(pattern, at);
    if (c == 93) return at;
    if (c == 92) at++;
    if (c == 91 && at + 1 < pattern.length && unit(pattern, at + 1) == 58) {
      const end = pattern.indexOf(':]', at + 2);
      if (end > 0) at = end + 1;
    }
  }
  return 0;
}

function inBracket(pattern: string, p: i32, end: i32, byte: i32, fold: bool): bool {
  const set = new ByteSet();
  let at = p + 1;
  const negated = unit(pattern, at) == 33 || unit(pattern, at) == 94;
  if (negated) at++;
  while (at < end) {
    if (unit(pattern, at) == 91 && unit(pattern, at + 1) == 58) {
      const close = pattern.indexOf(':]', at + 2);
      if (close > 0 && close < end) {
        addClass(set, pattern.substring(at + 2, close));
        at = close + 2;
        continue;
      }
    }
    if (unit(pattern, at) == 92 && at + 1 < end) at++;
    const from = unit(pattern, at++);
    if (at + 1 < end && unit(pattern, at) == 45) {
      at++;
      if (unit(pattern, at) == 92 && at + 1 < end) at++;
      set.range(from, unit(pattern, at++));
    } else {
      set.add(from);
    }
  }
  if (fold) set.fold();
  return set.has(byte) != negated;
}

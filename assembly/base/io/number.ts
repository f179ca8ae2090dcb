/** Numbers out of text and into it, without the runtime's parser (which takes more than POSIX does). */
import { isDigit, isSpace, toLower, unit } from './text';

/** Set by `parseDecimal` and its like: whether the text was a number from its first to its last byte. */
let fine = false;

export function wasNumber(): bool {
  return fine;
}

/** [+-]digits; saturates. */
export function parseDecimal(text: string): i64 {
  fine = false;
  let at = 0;
  let negative = false;
  if (at < text.length && (unit(text, at) == 43 || unit(text, at) == 45)) {
    negative = unit(text, at) == 45;
    at++;
  }
  if (at >= text.length) return 0;
  let value: i64 = 0;
  for (; at < text.length; at++) {
    const c = unit(text, at);
    if (!isDigit(c)) return 0;
    const digit = <i64>(c - 48);
    value = value > (i64.MAX_VALUE - digit) / 10 ? i64.MAX_VALUE : value * 10 + digit;
  }
  fine = true;
  return negative ? -value : value;
}

/** Digits of one base up to 16, nothing else. */
export function parseBase(text: string, base: i32): i64 {
  fine = text.length > 0;
  let value: i64 = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = digitOf(unit(text, at));
    if (digit < 0 || digit >= base) {
      fine = false;
      return 0;
    }
    value = value * base + digit;
  }
  return value;
}

/** The value of a hexadecimal digit; -1 for anything else. */
export function digitOf(c: i32): i32 {
  if (isDigit(c)) return c - 48;
  const lower = toLower(c);
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** A count with a suffix as GNU takes it: b 512, kB 1000, K KiB 1024, M, G, T, P, E. Not fine: -1. */
export function parseSize(text: string): i64 {
  let end = 0;
  while (end < text.length && isDigit(unit(text, end))) end++;
  fine = false;
  if (end == 0) return -1;
  const value = parseDecimal(text.substring(0, end));
  const suffix = text.substring(end);
  fine = true;
  if (suffix == '') return value;
  if (suffix == 'b') return value * 512;
  if (suffix == 'c') return value;
  if (suffix == 'w') return value * 2;
  const power = 'KMGTPE'.indexOf(suffix.charAt(0) == 'k' ? 'K' : suffix.charAt(0));
  const rest = suffix.substring(1);
  fine = power >= 0 && (rest == '' || rest == 'B' || rest == 'iB');
  if (!fine) return -1;
  let factor: i64 = 1;
  for (let i = 0; i <= power; i++) factor *= rest == 'B' ? 1000 : 1024;
  return value * factor;
}

/** What strtod reads at a place: blanks, a sign, digits, a fraction, an exponent. `numberEnd` tells where it stopped. */
export function parseFloatAt(text: string, from: i32): f64 {
  let at = from;
  while (at < text.length && isSpace(unit(text, at))) at++;
  const start = at;
  if (at < text.length && (unit(text, at) == 43 || unit(text, at) == 45)) at++;
  let digits = 0;
  while (at < text.length && isDigit(unit(text, at))) {
    at++;
    digits++;
  }
  if (at < text.length && unit(text, at) == 46) {
    at++;
    while (at < text.length && isDigit(unit(text, at))) {
      at++;
      digits++;
    }
  }
  if (digits == 0) {
    floatEnd = from;
    return 0;
  }
  if (at < text.length && (unit(text, at) | 32) == 101) {
    let ahead = at + 1;
    if (ahead < text.length && (unit(text, ahead) == 43 || unit(text, ahead) == 45)) ahead++;
    if (ahead < text.length && isDigit(unit(text, ahead))) {
      while (ahead < text.length && isDigit(unit(text, ahead))) ahead++;
      at = ahead;
    }
  }
  floatEnd = at;
  // a number that fits is exact without the general way
  if (digits <= 15 && text.length > 0) {
    const whole = text.substring(start, at);
    if (whole.indexOf('.') < 0 && whole.indexOf('e') < 0 && whole.indexOf('E') < 0) return <f64>parseDecimal(whole);
  }
  return F64.parseFloat(text.substring(start, at));
}

let floatEnd = 0;

export function numberEnd(): i32 {
  return floatEnd;
}

/** In a base, left-padded with zeros. */
export function inBase(value: u64, base: i32, width: i32 = 1): string {
  let result = '';
  let rest = value;
  while (rest != 0 || result.length < width) {
    const digit = <i32>(rest % base);
    result = String.fromCharCode(digit < 10 ? 48 + digit : 87 + digit) + result;
    rest /= base;
  }
  return result;
}

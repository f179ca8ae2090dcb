/** What sort compares: fields of lines, as text, as numbers, as versions. */

import { parseFloatAt } from '../io/number';
import { compare, isAlnum, isBlank, isDigit, isSpace, toUpper, unit } from '../io/text';
import { MONTHS } from '../io/times';

export class Order {
  numeric: bool = false;
  general: bool = false;
  human: bool = false;
  version: bool = false;
  month: bool = false;
  fold: bool = false;
  dictionary: bool = false;
  printable: bool = false;
  reverse: bool = false;
  blanksStart: bool = false;
  blanksEnd: bool = false;

  get plain(): bool {
    return !(
      this.numeric ||
      this.general ||
      this.human ||
      this.version ||
      this.month ||
      this.fold ||
      this.dictionary ||
      this.printable ||
      this.reverse ||
      this.blanksStart ||
      this.blanksEnd
    );
  }

  /** One of the letters of an order; false for another. */
  letter(c: i32): bool {
    switch (c) {
      case 110: // n
        this.numeric = true;
        return true;
      case 103: // g
        this.general = true;
        return true;
      case 104: // h
        this.human = true;
        return true;
      case 86: // V
        this.version = true;
        return true;
      case 77: // M
        this.month = true;
        return true;
      case 102: // f
        this.fold = true;
        return true;
      case 100: // d
        this.dictionary = true;
        return true;
      case 105: // i
        this.printable = true;
        return true;
      case 114: // r
        this.reverse = true;
        return true;
      default:
        return false;
    }
  }
}

export class Key {
  order: Order = new Order();
  /** Field and byte, from 1; end field 0: to the line's end, end byte 0: to the field's. */
  startField: i32 = 1;
  startByte: i32 = 1;
  endField: i32 = 0;
  endByte: i32 = 0;

  /** F[.C][opts][,F[.C][opts]]; false when it is not one. */
  parse(text: string): bool {
    let at = 0;
    this.startField = 0;
    while (at < text.length && isDigit(unit(text, at))) this.startField = this.startField * 10 + unit(text, at++) - 48;
    if (this.startField <= 0) return false;
    if (at < text.length && unit(text, at) == 46) {
      at++;
      this.startByte = 0;
      while (at < text.length && isDigit(unit(text, at))) this.startByte = this.startByte * 10 + unit(text, at++) - 48;
      if (this.startByte <= 0) return false;
    }
    for (; at < text.length && unit(text, at) != 44; at++) {
      if (unit(text, at) == 98) this.order.blanksStart = true;
      else if (!this.order.letter(unit(text, at))) return false;
    }
    if (at >= text.length) return true;
    at++;
    const first = at;
    while (at < text.length && isDigit(unit(text, at))) this.endField = this.endField * 10 + unit(text, at++) - 48;
    if (at == first || this.endField == 0) return false;
    if (at < text.length && unit(text, at) == 46) {
      at++;
      while (at < text.length && isDigit(unit(text, at))) this.endByte = this.endByte * 10 + unit(text, at++) - 48;
    }
    for (; at < text.length; at++) {
      if (unit(text, at) == 98) this.order.blanksEnd = true;
      else if (!this.order.letter(unit(text, at))) return false;
    }
    return true;
  }

  of(line: string, separator: i32): string {
    let start = fieldStart(line, this.startField, separator);
    if (this.order.blanksStart) while (start < line.length && isBlank(unit(line, start))) start++;
    start = min(start + this.startByte - 1, line.length);
    let end = line.length;
    if (this.endField > 0) {
      if (this.endByte == 0) {
        end = fieldEnd(line, this.endField, separator);
      } else {
        end = fieldStart(line, this.endField, separator);
        if (this.order.blanksEnd) while (end < line.length && isBlank(unit(line, end))) end++;
        end = min(end + this.endByte, line.length);
      }
    }
    return end > start ? line.substring(start, end) : '';
  }
}

/** A field without a separator begins with the blanks before it. */
function fieldStart(line: string, field: i32, separator: i32): i32 {
  let at = 0;
  for (let i = 1; i < field && at < line.length; i++)
    at = min(oneField(line, at, separator) + (separator >= 0 ? 1 : 0), line.length);
  return at;
}

function fieldEnd(line: string, field: i32, separator: i32): i32 {
  let at = 0;
  for (let i = 1; i <= field && at < line.length; i++) {
    at = oneField(line, at, separator);
    if (separator >= 0 && i < field && at < line.length) at++;
  }
  return at;
}

function oneField(line: string, from: i32, separator: i32): i32 {
  let at = from;
  if (separator >= 0) {
    while (at < line.length && unit(line, at) != separator) at++;
    return at;
  }
  while (at < line.length && isBlank(unit(line, at))) at++;
  while (at < line.length && !isBlank(unit(line, at))) at++;
  return at;
}

/** Negative, 0 or positive; the order's direction is not looked at. */
export function compareBy(order: Order, a: string, b: string): i32 {
  if (order.numeric) return compareNumbers(a, b);
  if (order.human) {
    const difference = humanRank(a) - humanRank(b);
    return difference != 0 ? difference : compareNumbers(a, b);
  }
  if (order.general) {
    const x = parseFloatAt(a, 0);
    const y = parseFloatAt(b, 0);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (order.month) return monthOf(a) - monthOf(b);
  if (order.version) return compareVersions(a, b);
  if (order.fold || order.dictionary || order.printable) return compare(reduced(order, a), reduced(order, b));
  return compare(a, b);
}

function reduced(order: Order, text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const c = unit(text, i);
    if (order.dictionary && !isAlnum(c) && !isBlank(c)) continue;
    if (order.printable && (c < 32 || c > 126)) continue;
    result += String.fromCharCode(order.fold ? toUpper(c) : c);
  }
  return result;
}

/** Of any length: blanks, a minus, digits, a point, digits. */
function compareNumbers(a: string, b: string): i32 {
  let i = skipBlanks(a);
  let k = skipBlanks(b);
  const negativeA = i < a.length && unit(a, i) == 45;
  const negativeB = k < b.length && unit(b, k) == 45;
  if (negativeA) i++;
  if (negativeB) k++;
  const size = compareSizes(a, i, b, k);
  const zeroA = isZero(a, i);
  const zeroB = isZero(b, k);
  if (zeroA && zeroB) return 0;
  const minusA = negativeA && !zeroA;
  const minusB = negativeB && !zeroB;
  if (minusA != minusB) return minusA ? -1 : 1;
  return minusA ? -size : size;
}

function skipBlanks(text: string): i32 {
  let at = 0;
  while (at < text.length && isSpace(unit(text, at))) at++;
  return at;
}

function isZero(text: string, from: i32): bool {
  let point = false;
  for (let i = from; i < text.length; i++) {
    const c = unit(text, i);
    if (c == 46 && !point) point = true;
    else if (!isDigit(c)) return true;
    else if (c != 48) return false;
  }
  return true;
}

function compareSizes(a: string, fromA: i32, b: string, fromB: i32): i32 {
  let i = fromA;
  let k = fromB;
  while (i < a.length && unit(a, i) == 48) i++;
  while (k < b.length && unit(b, k) == 48) k++;
  let endA = i;
  let endB = k;
  while (endA < a.length && isDigit(unit(a, endA))) endA++;
  while (endB < b.length && isDigit(unit(b, endB))) endB++;
  if (endA - i != endB - k) return endA - i - (endB - k);
  for (; i < endA; i++, k++) if (unit(a, i) != unit(b, k)) return unit(a, i) - unit(b, k);
  if (i < a.length && unit(a, i) == 46) i++;
  if (k < b.length && unit(b, k) == 46) k++;
  while (true) {
    const x = i < a.length && isDigit(unit(a, i)) ? unit(a, i) : 0;
    const y = k < b.length && isDigit(unit(b, k)) ? unit(b, k) : 0;
    if (x == 0 && y == 0) return 0;
    const difference = (x == 0 ? 48 : x) - (y == 0 ? 48 : y);
    if (difference != 0) return difference;
    if (x != 0) i++;
    if (y != 0) k++;
  }
}

/** K, M, G, ... of a number; below them for a negative one. */
function humanRank(text: string): i32 {
  let at = skipBlanks(text);
  const negative = at < text.length && unit(text, at) == 45;
  if (negative) at++;
  if (isZero(text, at)) return 0;
  while (at < text.length && (isDigit(unit(text, at)) || unit(text, at) == 46)) at++;
  const c = at < text.length ? unit(text, at) : 0;
  const rank = c == 107 ? 1 : c == 0 ? 0 : 'KMGTPEZY'.indexOf(String.fromCharCode(c)) + 1;
  return negative ? -rank - 1 : rank + 1;
}

function monthOf(text: string): i32 {
  const at = skipBlanks(text);
  const name = text.substring(at, at + 3).toUpperCase();
  for (let i = 0; i < 12; i++) if (MONTHS[i].substring(0, 3).toUpperCase() == name) return i + 1;
  return 0;
}

/** Digits as numbers, letters before other bytes, `~` before everything: GNU's and Debian's order of versions. */
export function compareVersions(a: string, b: string): i32 {
  // what looks like a file's suffix counts only between equals
  const endA = withoutSuffix(a);
  const endB = withoutSuffix(b);
  const result = versionParts(a.substring(0, endA), b.substring(0, endB));
  if (result != 0) return result;
  return endA == a.length && endB == b.length ? 0 : versionParts(a, b);
}

function withoutSuffix(text: string): i32 {
  let end = text.length;
  let at = text.length;
  while (at > 0) {
    let start = at;
    while (start > 0 && (isAlnum(unit(text, start - 1)) || unit(text, start - 1) == 126)) start--;
    if (start == at || start < 2 || unit(text, start - 1) != 46) break;
    const c = unit(text, start);
    if (isDigit(c)) break;
    end = start - 1;
    at = end;
  }
  return end;
}

function rank(text: string, at: i32): i32 {
  if (at >= text.length) return 0;
  const c = unit(text, at);
  if (isDigit(c)) return 0;
  if (isAlnum(c)) return c;
  return c == 126 ? -1 : c + 256;
}

function versionParts(a: string, b: string): i32 {
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    while ((i < a.length && !isDigit(unit(a, i))) || (k < b.length && !isDigit(unit(b, k)))) {
      const difference = rank(a, i) - rank(b, k);
      if (difference != 0) return difference;
      i++;
      k++;
    }
    while (i < a.length && unit(a, i) == 48) i++;
    while (k < b.length && unit(b, k) == 48) k++;
    let first = 0;
    while (i < a.length && isDigit(unit(a, i)) && k < b.length && isDigit(unit(b, k))) {
      if (first == 0) first = unit(a, i) - unit(b, k);
      i++;
      k++;
    }
    if (i < a.length && isDigit(unit(a, i))) return 1;
    if (k < b.length && isDigit(unit(b, k))) return -1;
    if (first != 0) return first;
  }
  return 0;
}

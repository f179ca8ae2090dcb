/**
 * Doubles as decimal text, exactly: every double is an integer times a power of two, so it has a finite decimal form.
 * The digits are computed in base 1e9 and rounded half to even where the format ends.
 */
import { Text } from './text';

const BASE: u64 = 1000000000;

/** Decimal digits of |value| without leading zeros, and how many of them are before the point (may be negative). */
class Digits {
  text: string = '';
  point: i32 = 0;
}

function exactDigits(value: f64): Digits {
  const result = new Digits();
  const bits = reinterpret<u64>(value);
  let exponent = <i32>((bits >> 52) & 0x7ff);
  let mantissa = bits & 0xfffffffffffff;
  if (exponent == 0) exponent = 1;
  else mantissa |= 0x10000000000000;
  exponent -= 1075;
  if (mantissa == 0) return result;
  while ((mantissa & 1) == 0) {
    mantissa >>= 1;
    exponent++;
  }
  // value = mantissa * 2^exponent; with a negative exponent: mantissa * 5^-exponent / 10^-exponent
  const limbs: u32[] = [];
  while (mantissa != 0) {
    limbs.push(<u32>(mantissa % BASE));
    mantissa /= BASE;
  }
  let times = abs(exponent);
  const factor: u64 = exponent < 0 ? 1953125 : 536870912; // 5^9, 2^29
  const step = exponent < 0 ? 9 : 29;
  while (times >= step) {
    multiply(limbs, factor);
    times -= step;
  }
  for (; times > 0; times--) multiply(limbs, exponent < 0 ? 5 : 2);
  const text = new Text(limbs.length * 9 + 1);
  for (let i = limbs.length - 1; i >= 0; i--) {
    const part = limbs[i].toString();
    text.text(i == limbs.length - 1 ? part : part.padStart(9, '0'));
  }
  result.text = text.toString();
  result.point = result.text.length + min(exponent, 0);
  return result;
}

function multiply(limbs: Array<u32>, factor: u64): void {
  let carry: u64 = 0;
  for (let i = 0; i < limbs.length; i++) {
    const value = <u64>limbs[i] * factor + carry;
    limbs[i] = <u32>(value % BASE);
    carry = value / BASE;
  }
  if (carry != 0) limbs.push(<u32>carry);
}

/** Keeps `count` digits; rounds half to even. */
function rounded(digits: Digits, count: i32): Digits {
  const text = digits.text;
  if (count >= text.length) return digits;
  const result = new Digits();
  if (count < 0) return result;
  const next = text.charCodeAt(count);
  let up = next > 53;
  if (next == 53) {
    let rest = count + 1;
    while (rest < text.length && text.charCodeAt(rest) == 48) rest++;
    up = rest < text.length || (count > 0 && (text.charCodeAt(count - 1) & 1) == 1);
  }
  let kept = text.substring(0, count);
  result.point = digits.point;
  if (up) {
    let at = count - 1;
    while (at >= 0 && kept.charCodeAt(at) == 57) at--;
    if (at < 0) {
      kept = `1${'0'.repeat(count)}`;
      result.point++;
    } else {
      kept = `${kept.substring(0, at)}${String.fromCharCode(kept.charCodeAt(at) + 1)}${'0'.repeat(count - at - 1)}`;
    }
  }
  result.text = kept;
  return result;
}

/** %f of a value that is not negative. */
export function fixed(value: f64, precision: i32): string {
  let digits = exactDigits(value);
  digits = rounded(digits, digits.point + precision);
  let whole = '0';
  let fraction = '';
  if (digits.text.length > 0) {
    if (digits.point > 0) {
      whole = digits.text.substring(0, digits.point).padEnd(digits.point, '0');
      fraction = digits.text.substring(digits.point);
    } else {
      fraction = '0'.repeat(-digits.point) + digits.text;
    }
  }
  return precision > 0 ? `${whole}.${fraction.padEnd(precision, '0')}` : whole;
}

/** %e of a value that is not negative. */
export function scientific(value: f64, precision: i32): string {
  const digits = rounded(exactDigits(value), precision + 1);
  const text = digits.text.padEnd(precision + 1, '0');
  const exponent = digits.text.length == 0 ? 0 : digits.point - 1;
  const size = abs(exponent).toString().padStart(2, '0');
  return `${text.substring(0, 1)}${precision > 0 ? `.${text.substring(1)}` : ''}e${exponent < 0 ? '-' : '+'}${size}`;
}

/** %g of a value that is not negative; `keep` leaves zeros at the end, as # does. */
export function general(value: f64, precision: i32, keep: bool): string {
  const count = precision == 0 ? 1 : precision;
  const digits = rounded(exactDigits(value), count);
  const exponent = digits.text.length == 0 ? 0 : digits.point - 1;
  if (exponent < -4 || exponent >= count) {
    const text = scientific(value, count - 1);
    if (keep) return text;
    const e = text.indexOf('e');
    return withoutZeros(text.substring(0, e)) + text.substring(e);
  }
  const text = fixed(value, count - 1 - exponent);
  return keep ? text : withoutZeros(text);
}

function withoutZeros(text: string): string {
  if (text.indexOf('.') < 0) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) == 48) end--;
  if (text.charCodeAt(end - 1) == 46) end--;
  return text.substring(0, end);
}

/** One conversion of a printf format: `%[flags][width][.precision]letter`. */
import { fixed, general, scientific } from './decimal';
import { inBase } from './number';
import { isDigit, unit } from './text';

export class Conversion {
  left: bool = false;
  plus: bool = false;
  space: bool = false;
  zero: bool = false;
  alternate: bool = false;
  width: i32 = 0;
  /** -1: none. */
  precision: i32 = -1;
  /** `*` stands for the width, the precision. */
  widthGiven: bool = false;
  precisionGiven: bool = false;
  letter: i32 = 0;
  /** Behind the conversion. */
  end: i32 = 0;

  /** Reads it behind its `%`. The letter is 0 where the format ends too soon. */
  static parse(format: string, from: i32, modifiers: bool = true): Conversion {
    const c = new Conversion();
    let at = from;
    for (; at < format.length; at++) {
      const flag = unit(format, at);
      if (flag == 45) c.left = true;
      else if (flag == 43) c.plus = true;
      else if (flag == 32) c.space = true;
      else if (flag == 48) c.zero = true;
      else if (flag == 35) c.alternate = true;
      else if (flag != 39) break;
    }
    if (at < format.length && unit(format, at) == 42) {
      c.widthGiven = true;
      at++;
    }
    while (at < format.length && isDigit(unit(format, at)))
      c.width = min(c.width * 10 + unit(format, at++) - 48, 1 << 20);
    if (at < format.length && unit(format, at) == 46) {
      at++;
      c.precision = 0;
      if (at < format.length && unit(format, at) == 42) {
        c.precisionGiven = true;
        at++;
      }
      while (at < format.length && isDigit(unit(format, at))) {
        c.precision = min(c.precision * 10 + unit(format, at++) - 48, 1 << 20);
      }
    }
    // length modifiers say nothing here
    while (modifiers && at < format.length && 'hlLjzt'.includes(format.charAt(at))) at++;
    if (at < format.length) c.letter = unit(format, at++);
    c.end = at;
    return c;
  }

  /** A width or precision that came as an argument. */
  setWidth(value: i32): void {
    this.left = this.left || value < 0;
    this.width = min(abs(value), 1 << 20);
  }

  pad(text: string, zeros: bool = false): string {
    if (text.length >= this.width) return text;
    if (this.left) return text.padEnd(this.width);
    if (!zeros) return text.padStart(this.width);
    let head = 0;
    while (head < text.length && (unit(text, head) == 43 || unit(text, head) == 45 || unit(text, head) == 32)) head++;
    if (text.length > head + 1 && unit(text, head) == 48 && (unit(text, head + 1) | 32) == 120) head += 2;
    return text.substring(0, head) + text.substring(head).padStart(this.width - head, '0');
  }

  /** %s, %b */
  string(text: string): string {
    return this.pad(this.precision >= 0 && this.precision < text.length ? text.substring(0, this.precision) : text);
  }

  private sign(negative: bool): string {
    return negative ? '-' : this.plus ? '+' : this.space ? ' ' : '';
  }

  /** %d %i %o %u %x %X */
  integer(value: i64): string {
    const letter = this.letter;
    let digits: string;
    let sign = '';
    if (letter == 100 || letter == 105) {
      sign = this.sign(value < 0);
      digits = inBase(value < 0 ? <u64>-value : <u64>value, 10);
    } else if (letter == 111) {
      digits = inBase(<u64>value, 8);
      if (this.alternate && digits.charCodeAt(0) != 48) digits = `0${digits}`;
    } else if ((letter | 32) == 120) {
      digits = inBase(<u64>value, 16);
    } else {
      digits = inBase(<u64>value, 10);
    }
    if (this.precision == 0 && value == 0) digits = '';
    if (this.precision > digits.length) digits = digits.padStart(this.precision, '0');
    if (this.alternate && (letter | 32) == 120 && value != 0) digits = `0x${digits}`;
    if (letter == 88) digits = digits.toUpperCase();
    return this.pad(sign + digits, this.zero && this.precision < 0);
  }

  /** %e %E %f %F %g %G %a */
  real(value: f64): string {
    const negative = reinterpret<u64>(value) >> 63 != 0;
    const letter = this.letter | 32;
    const upper = this.letter != letter;
    let text: string;
    if (F64.isNaN(value) || !F64.isFinite(value)) {
      text = this.sign(negative) + (F64.isNaN(value) ? 'nan' : 'inf');
      return this.pad(upper ? text.toUpperCase() : text);
    }
    const size = Math.abs(value);
    const precision = this.precision < 0 ? 6 : this.precision;
    if (letter == 102) text = fixed(size, precision);
    else if (letter == 101) text = scientific(size, precision);
    else text = general(size, precision, this.alternate);
    text = this.sign(negative) + text;
    return this.pad(upper ? text.toUpperCase() : text, this.zero);
  }
}

/** A value of awk: a number, a text, both, or an array. */
import { Conversion } from '../../io/conversion';
import { numberEnd, parseFloatAt } from '../../io/number';
import { isSpace, unit } from '../../io/text';

export const UNSET: i32 = 0;
export const NUM: i32 = 1;
export const STR: i32 = 2;
/** Text from outside: a number where it looks like one. */
export const OUTSIDE: i32 = 3;
export const ARRAY: i32 = 4;

export class Cell {
  kind: i32 = UNSET;
  number: f64 = 0;
  text: string = '';
  array: Map<string, Cell> | null = null;
  /** The variable that was given to a function before it was anything: it becomes an array with this one. */
  origin: Cell | null = null;
  /** Of OUTSIDE: 0 not looked at, 1 a number, 2 none. */
  private looks: i32 = 0;

  static ofNumber(value: f64): Cell {
    const cell = new Cell();
    cell.kind = NUM;
    cell.number = value;
    return cell;
  }

  static ofText(value: string): Cell {
    const cell = new Cell();
    cell.kind = STR;
    cell.text = value;
    return cell;
  }

  static outside(value: string): Cell {
    const cell = new Cell();
    cell.kind = OUTSIDE;
    cell.text = value;
    return cell;
  }

  set(other: Cell): void {
    this.kind = other.kind == ARRAY ? UNSET : other.kind;
    this.number = other.number;
    this.text = other.text;
    this.looks = other.looks;
  }

  setNumber(value: f64): void {
    this.kind = NUM;
    this.number = value;
  }

  setText(value: string): void {
    this.kind = STR;
    this.text = value;
  }

  setOutside(value: string): void {
    this.kind = OUTSIDE;
    this.text = value;
    this.looks = 0;
  }

  private look(): bool {
    if (this.looks == 0) {
      const value = parseFloatAt(this.text, 0);
      let end = numberEnd();
      const isNumber = end > 0;
      while (end < this.text.length && isSpace(unit(this.text, end))) end++;
      this.looks = isNumber && end == this.text.length ? 1 : 2;
      this.number = value;
    }
    return this.looks == 1;
  }

  /** Compares as a number? */
  get isNumeric(): bool {
    return this.kind == NUM || this.kind == UNSET || (this.kind == OUTSIDE && this.look());
  }

  toNumber(): f64 {
    if (this.kind == NUM) return this.number;
    if (this.kind == STR) return parseFloatAt(this.text, 0);
    if (this.kind == OUTSIDE) {
      this.look();
      return this.number;
    }
    return 0;
  }

  toText(format: string): string {
    if (this.kind == STR || this.kind == OUTSIDE) return this.text;
    return this.kind == NUM ? numberText(this.number, format) : '';
  }

  toBool(): bool {
    if (this.kind == NUM) return this.number != 0;
    if (this.kind == OUTSIDE) return this.look() ? this.number != 0 : this.text.length > 0;
    return this.kind == STR && this.text.length > 0;
  }
}

/** Whole numbers as such, others by CONVFMT or OFMT. */
export function numberText(value: f64, format: string): string {
  if (value == Math.trunc(value) && Math.abs(value) < 1e16) return (<i64>value).toString();
  if (F64.isNaN(value)) return reinterpret<u64>(value) >> 63 ? '-nan' : 'nan';
  if (!F64.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const percent = format.indexOf('%');
  if (percent < 0) return format;
  const conversion = Conversion.parse(format, percent + 1);
  const letter = conversion.letter | 32;
  const text =
    letter == 101 || letter == 102 || letter == 103 ? conversion.real(value) : conversion.integer(<i64>value);
  return format.substring(0, percent) + text + format.substring(conversion.end);
}

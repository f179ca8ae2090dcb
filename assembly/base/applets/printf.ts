/** echo, printf */
import { Context } from '../applet';
import { Conversion } from '../io/conversion';
import { complain } from '../io/messages';
import { digitOf, numberEnd, parseBase, parseDecimal, parseFloatAt } from '../io/number';
import { Text, unit } from '../io/text';

/** As GNU's: -n, -e, -E before the first operand; without -e a backslash is one. */
export function echo(context: Context, args: Array<string>): i32 {
  let first = 1;
  let newline = true;
  let escapes = false;
  for (; first < args.length; first++) {
    const arg = args[first];
    if (arg.length < 2 || unit(arg, 0) != 45) break;
    let known = true;
    for (let i = 1; i < arg.length; i++) {
      const c = unit(arg, i);
      if (c != 110 && c != 101 && c != 69) known = false;
    }
    if (!known) break;
    for (let i = 1; i < arg.length; i++) {
      const c = unit(arg, i);
      if (c == 110) newline = false;
      else escapes = c == 101;
    }
  }
  for (let i = first; i < args.length; i++) {
    if (i > first) context.stdout.byte(32);
    if (!escapes) {
      context.stdout.write(args[i]);
      continue;
    }
    const text = new Text();
    const more = expandEscapes(args[i], text, true);
    context.stdout.write(text.toString());
    if (!more) return 0;
  }
  if (newline) context.stdout.byte(10);
  return 0;
}

/**
 * Appends a text with its backslash escapes replaced. `argument`: as in %b and echo -e, where octal numbers begin with
 * a 0. False after \c: nothing more is written at all.
 */
export function expandEscapes(source: string, target: Text, argument: bool): bool {
  for (let i = 0; i < source.length; i++) {
    const c = unit(source, i);
    if (c != 92 || i + 1 >= source.length) {
      target.byte(c);
      continue;
    }
    i++;
    const e = unit(source, i);
    switch (e) {
      case 97: // a
        target.byte(7);
        break;
      case 98: // b
        target.byte(8);
        break;
      case 99: // c
        return false;
      case 101: // e
        target.byte(27);
        break;
      case 102: // f
        target.byte(12);
        break;
      case 110: // n
        target.byte(10);
        break;
      case 114: // r
        target.byte(13);
        break;
      case 116: // t
        target.byte(9);
        break;
      case 118: // v
        target.byte(11);
        break;
      case 92: // backslash
        target.byte(92);
        break;
      case 34: // "
        if (argument) target.byte(92);
        target.byte(34);
        break;
      case 120: {
        // x
        let value = 0;
        let digits = 0;
        while (digits < 2 && i + 1 < source.length && digitOf(unit(source, i + 1)) >= 0) {
          value = value * 16 + digitOf(unit(source, ++i));
          digits++;
        }
        if (digits > 0) target.byte(value);
        else target.text('\\x');
        break;
      }
      default: {
        if (e < 48 || e > 55) {
          target.byte(92);
          target.byte(e);
          break;
        }
        let value = 0;
        let left = argument && e == 48 ? 4 : 3;
        while (left > 0 && i < source.length && unit(source, i) >= 48 && unit(source, i) <= 55) {
          value = value * 8 + unit(source, i) - 48;
          i++;
          left--;
        }
        i--;
        target.byte(value & 255);
      }
    }
  }
  return true;
}

/** The arguments of a printf, and what was wrong with them. */
class Arguments {
  status: i32 = 0;

  constructor(
    private context: Context,
    private name: string,
    private list: Array<string>,
    public index: i32,
  ) {}

  get left(): bool {
    return this.index < this.list.length;
  }

  next(): string {
    return this.left ? this.list[this.index++] : '';
  }

  private wrong(text: string, partly: bool): void {
    const what = partly ? 'value not completely converted' : 'expected a numeric value';
    complain(this.context, this.name, `'${text}': ${what}`);
    this.status = 1;
  }

  integer(): i64 {
    if (!this.left) return 0;
    const text = this.next();
    if (text.length > 0 && (unit(text, 0) == 39 || unit(text, 0) == 34)) return text.length > 1 ? unit(text, 1) : 0;
    let at = 0;
    while (at < text.length && (unit(text, at) == 32 || unit(text, at) == 9)) at++;
    let negative = false;
    if (at < text.length && (unit(text, at) == 45 || unit(text, at) == 43)) negative = unit(text, at++) == 45;
    let base = 10;
    if (at + 1 < text.length && unit(text, at) == 48) {
      base = (unit(text, at + 1) | 32) == 120 ? 16 : 8;
      at += base == 16 ? 2 : 1;
    }
    let end = at;
    while (end < text.length && digitOf(unit(text, end)) >= 0 && digitOf(unit(text, end)) < base) end++;
    if (end == at || end < text.length) this.wrong(text, end > at);
    if (end == at) return 0;
    const digits = text.substring(at, end);
    const value = base == 10 ? parseDecimal(digits) : parseBase(digits, base);
    return negative ? -value : value;
  }

  real(): f64 {
    if (!this.left) return 0;
    const text = this.next();
    if (text.length > 0 && (unit(text, 0) == 39 || unit(text, 0) == 34)) return text.length > 1 ? unit(text, 1) : 0;
    const value = parseFloatAt(text, 0);
    if (numberEnd() == 0 || numberEnd() < text.length) {
      const lower = text.toLowerCase();
      if (lower == 'inf' || lower == 'infinity') return Infinity;
      if (lower == 'nan') return NaN;
      this.wrong(text, numberEnd() > 0);
    }
    return value;
  }
}

export function printf(context: Context, args: Array<string>): i32 {
  let first = 1;
  if (first < args.length && args[first] == '--') first++;
  if (first >= args.length) {
    complain(context, args[0], 'missing operand');
    return 1;
  }
  const format = args[first];
  const values = new Arguments(context, args[0], args, first + 1);
  do {
    const before = values.index;
    if (!printOnce(context, args[0], format, values)) return values.status;
    if (values.index == before) break;
  } while (values.left && context.stdout.error == 0);
  return values.status;
}

/** One pass over the format; false where nothing more is to be written. */
function printOnce(context: Context, name: string, format: string, values: Arguments): bool {
  const out = context.stdout;
  for (let at = 0; at < format.length; ) {
    let end = at;
    while (end < format.length && unit(format, end) != 37) {
      if (unit(format, end) == 92) end++;
      end++;
    }
    if (end > at) {
      const text = new Text();
      const more = expandEscapes(format.substring(at, min(end, format.length)), text, false);
      out.write(text.toString());
      if (!more) return false;
      at = end;
      continue;
    }
    const conversion = Conversion.parse(format, at + 1);
    if (conversion.widthGiven) conversion.setWidth(<i32>values.integer());
    if (conversion.precisionGiven) conversion.precision = max(<i32>values.integer(), -1);
    at = conversion.end;
    switch (conversion.letter) {
      case 37: // %
        out.byte(37);
        break;
      case 99: {
        // c
        const text = values.next();
        out.write(conversion.pad(text.substring(0, 1)));
        break;
      }
      case 115: // s
        out.write(conversion.string(values.next()));
        break;
      case 98: {
        // b
        const text = new Text();
        const more = expandEscapes(values.next(), text, true);
        out.write(conversion.string(text.toString()));
        if (!more) return false;
        break;
      }
      case 113: // q
        out.write(conversion.string(quoted(values.next())));
        break;
      case 100: // d
      case 105: // i
      case 111: // o
      case 117: // u
      case 120: // x
      case 88: // X
        out.write(conversion.integer(values.integer()));
        break;
      case 101: // e
      case 69: // E
      case 102: // f
      case 70: // F
      case 103: // g
      case 71: // G
        out.write(conversion.real(values.real()));
        break;
      default: {
        const shown = conversion.letter == 0 ? '%' : `%${String.fromCharCode(conversion.letter)}`;
        complain(context, name, `${shown}: invalid conversion specification`);
        values.status = 1;
        return false;
      }
    }
  }
  return true;
}

/** So that a shell reads it back as one word. */
export function quoted(text: string): string {
  let plain = text.length > 0;
  for (let i = 0; i < text.length && plain; i++) {
    const c = unit(text, i);
    const isWord = (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 122);
    plain = isWord || '_-./:,+@%'.includes(String.fromCharCode(c));
  }
  return plain ? text : `'${text.split("'").join("'\\''")}'`;
}

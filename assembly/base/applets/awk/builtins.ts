// biome-ignore-all lint/correctness/noPrecisionLoss: the constants are 64-bit integers here
/** The functions of awk. */
import { Conversion } from '../../io/conversion';
import { Text, unit } from '../../io/text';
import { findText, Regex } from '../../regex/regex';
import { realTime } from '../../wasi/clock';
import { strftime } from '../strftime';
import { ARRAY, Cell } from './cell';
import { Evaluator } from './evaluator';
import { splitByRegex, splitText } from './record';
import * as t from './tree';
import { Node } from './tree';

const NANOS: i64 = 1000000000;

/** The generator of rand, and the seed it began with. */
let state: u64 = 1;
let seed: f64 = 0;

function seedWith(value: f64): void {
  seed = value;
  state = reinterpret<u64>(value) * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d;
}

function random(): f64 {
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return <f64>((z ^ (z >> 31)) >> 11) / 9007199254740992;
}

export function callBuiltin(m: Evaluator, node: Node): Cell {
  const list = node.list;
  switch (node.value) {
    case t.B_LENGTH: {
      if (list.length == 0) return Cell.ofNumber(m.fieldText(0).length);
      const only = list[0];
      if (only.kind == t.GLOBAL || only.kind == t.LOCAL) {
        const cell = m.holder(only);
        if (cell.kind == ARRAY) return Cell.ofNumber(m.arrayOf(cell).size);
      }
      return Cell.ofNumber(m.string(only).length);
    }
    case t.B_SUBSTR:
      return Cell.ofText(
        substring(m.string(list[0]), m.number(list[1]), list.length > 2 ? m.number(list[2]) : Infinity),
      );
    case t.B_INDEX: {
      const text = m.string(list[0]);
      const wanted = m.string(list[1]);
      return Cell.ofNumber(wanted.length == 0 ? 0 : findText(text, wanted, 0) + 1);
    }
    case t.B_SPLIT:
      return split(m, list);
    case t.B_SUB:
      return substitute(m, list, false);
    case t.B_GSUB:
      return substitute(m, list, true);
    case t.B_GENSUB:
      return general(m, list);
    case t.B_MATCH:
      return match(m, list);
    case t.B_SPRINTF: {
      const values: Cell[] = [];
      const text = m.string(list[0]);
      for (let i = 1; i < list.length; i++) values.push(m.copy(list[i]));
      return Cell.ofText(format(m, text, values));
    }
    case t.B_SIN:
      return Cell.ofNumber(Math.sin(m.number(list[0])));
    case t.B_COS:
      return Cell.ofNumber(Math.cos(m.number(list[0])));
    case t.B_ATAN2: {
      const y = m.number(list[0]);
      return Cell.ofNumber(Math.atan2(y, m.number(list[1])));
    }
    case t.B_EXP:
      return Cell.ofNumber(Math.exp(m.number(list[0])));
    case t.B_LOG:
      return Cell.ofNumber(Math.log(m.number(list[0])));
    case t.B_SQRT:
      return Cell.ofNumber(Math.sqrt(m.number(list[0])));
    case t.B_INT:
      return Cell.ofNumber(Math.trunc(m.number(list[0])));
    case t.B_RAND:
      return Cell.ofNumber(random());
    case t.B_SRAND: {
      const old = seed;
      seedWith(list.length > 0 ? m.number(list[0]) : <f64>(realTime() / NANOS));
      return Cell.ofNumber(old);
    }
    case t.B_TOLOWER:
      return Cell.ofText(m.string(list[0]).toLowerCase());
    case t.B_TOUPPER:
      return Cell.ofText(m.string(list[0]).toUpperCase());
    case t.B_SYSTEM:
      return Cell.ofNumber(m.streams.system(m.string(list[0])));
    case t.B_CLOSE:
      return Cell.ofNumber(m.streams.close(m.string(list[0])));
    case t.B_FFLUSH:
      m.streams.flush();
      return Cell.ofNumber(0);
    case t.B_SYSTIME:
      return Cell.ofNumber(<f64>(realTime() / NANOS));
    default: {
      const text = list.length > 0 ? m.string(list[0]) : '%a %b %e %H:%M:%S %Z %Y';
      return Cell.ofText(strftime(text, list.length > 1 ? <i64>m.number(list[1]) * NANOS : realTime()));
    }
  }
}

/** The nearest whole number, halves to the even one. */
function nearest(value: f64): f64 {
  return Math.abs(value) < 4503599627370496 ? nearestOf(value) : value;
}

function nearestOf(value: f64): f64 {
  return f64.nearest(value);
}

function substring(text: string, from: f64, count: f64): string {
  if (F64.isNaN(from) || F64.isNaN(count)) return '';
  const start = nearest(from);
  const end = count == Infinity ? Infinity : nearest(start + nearest(count));
  const first = max(start, 1);
  const last = min(end, <f64>text.length + 1);
  return last > first ? text.substring(<i32>first - 1, <i32>last - 1) : '';
}

function split(m: Evaluator, list: Array<Node>): Cell {
  const text = m.string(list[0]);
  const target = list[1];
  if (target.kind != t.GLOBAL && target.kind != t.LOCAL) {
    m.fatal('split: the second argument is no array');
    return new Cell();
  }
  const parts: string[] = [];
  if (list.length > 2 && list[2].kind == t.REGEX) splitByRegex(text, list[2].regex!, parts);
  else splitText(text, list.length > 2 ? m.string(list[2]) : m.text(t.V_FS), parts);
  const array = m.arrayOf(m.holder(target));
  array.clear();
  for (let i = 0; i < parts.length; i++) array.set((i + 1).toString(), Cell.outside(parts[i]));
  return Cell.ofNumber(parts.length);
}

function match(m: Evaluator, list: Array<Node>): Cell {
  const text = m.string(list[0]);
  const regex = m.regex(list[1]);
  const found = regex.error == '' && regex.match(text, 0);
  m.globals[t.V_RSTART].setNumber(found ? regex.start + 1 : 0);
  m.globals[t.V_RLENGTH].setNumber(found ? regex.end - regex.start : -1);
  if (list.length > 2) {
    const array = m.arrayOf(m.holder(list[2]));
    array.clear();
    for (let i = 0; found && i <= regex.groups; i++) {
      if (regex.captures[i * 2] >= 0) array.set(i.toString(), Cell.outside(regex.group(text, i)));
    }
  }
  return Cell.ofNumber(found ? regex.start + 1 : 0);
}

/** Appends a replacement: `&` and, where groups count, `\1`; `\&` is an ampersand, `\\` a backslash. */
function replace(target: Text, replacement: string, text: string, regex: Regex, groups: bool): void {
  for (let i = 0; i < replacement.length; i++) {
    const c = unit(replacement, i);
    if (c == 38) {
      target.part(text, regex.start, regex.end);
      continue;
    }
    if (c == 92 && i + 1 < replacement.length) {
      const next = unit(replacement, i + 1);
      if (next == 38 || next == 92) {
        target.byte(next);
        i++;
        continue;
      }
      if (groups && next >= 48 && next <= 57) {
        target.text(regex.group(text, next - 48));
        i++;
        continue;
      }
    }
    target.byte(c);
  }
}

/** Replaces all, or the `which`th match; how many it were is in `replaced`. */
function replaceAll(text: string, regex: Regex, replacement: string, which: i32, groups: bool): string {
  replaced = 0;
  const result = new Text(text.length + 32);
  let at = 0;
  let from = 0;
  let count = 0;
  let previous = -1;
  while (from <= text.length && regex.error == '' && regex.match(text, from)) {
    const start = regex.start;
    const end = regex.end;
    if (start == end && start == previous) {
      from = end + 1;
      continue;
    }
    previous = end;
    count++;
    if (which == 0 || count == which) {
      result.part(text, at, start);
      replace(result, replacement, text, regex, groups);
      at = end;
      replaced++;
      if (which != 0) break;
    }
    from = end == start ? end + 1 : end;
  }
  if (replaced == 0) return text;
  result.part(text, at, text.length);
  return result.toString();
}

let replaced: i32 = 0;

function substitute(m: Evaluator, list: Array<Node>, all: bool): Cell {
  const regex = m.regex(list[0]);
  const replacement = m.string(list[1]);
  const target = list.length > 2 ? list[2] : null;
  const text = target == null ? m.fieldText(0) : m.string(target);
  const result = replaceAll(text, regex, replacement, all ? 0 : 1, false);
  const count = replaced;
  if (count > 0) {
    if (target == null) {
      m.record.setWhole(result, m.text(t.V_FS));
    } else {
      const kind = target.kind;
      if (kind == t.GLOBAL || kind == t.LOCAL || kind == t.INDEX || kind == t.FIELD)
        m.store(target, Cell.ofText(result));
      else m.fatal('sub: the third argument cannot be changed');
    }
  }
  return Cell.ofNumber(count);
}

function general(m: Evaluator, list: Array<Node>): Cell {
  const regex = m.regex(list[0]);
  const replacement = m.string(list[1]);
  const how = m.string(list[2]);
  const text = list.length > 3 ? m.string(list[3]) : m.fieldText(0);
  const isAll = how.startsWith('g') || how.startsWith('G');
  const which = isAll ? 0 : max(<i32>Cell.ofText(how).toNumber(), 1);
  return Cell.ofText(replaceAll(text, regex, replacement, which, true));
}

/** printf's and sprintf's text. */
export function format(m: Evaluator, text: string, values: Array<Cell>): string {
  const result = new Text();
  let next = 0;
  for (let at = 0; at < text.length; ) {
    if (unit(text, at) != 37) {
      result.byte(unit(text, at++));
      continue;
    }
    const conversion = Conversion.parse(text, at + 1);
    if (conversion.widthGiven) conversion.setWidth(next < values.length ? <i32>values[next++].toNumber() : 0);
    if (conversion.precisionGiven)
      conversion.precision = next < values.length ? max(<i32>values[next++].toNumber(), -1) : 0;
    const start = at;
    at = conversion.end;
    const letter = conversion.letter;
    if (letter == 37) {
      result.byte(letter);
      continue;
    }
    const value = next < values.length ? values[next] : new Cell();
    switch (letter) {
      case 99: // c
        if (value.isNumeric && value.kind != 0 && value.kind != 2) {
          result.text(conversion.pad(String.fromCharCode(<i32>value.toNumber() & 255)));
        } else {
          result.text(conversion.pad(value.toText(m.convfmt).substring(0, 1)));
        }
        break;
      case 115: // s
        result.text(conversion.string(value.toText(m.convfmt)));
        break;
      case 100: // d
      case 105: // i
      case 111: // o
      case 117: // u
      case 120: // x
      case 88: {
        // X
        const number = Math.trunc(value.toNumber());
        if (F64.isNaN(number) || Math.abs(number) >= 9.2e18) {
          conversion.letter = 102;
          conversion.precision = 0;
          result.text(conversion.real(number));
        } else {
          result.text(conversion.integer(<i64>number));
        }
        break;
      }
      case 101: // e
      case 69: // E
      case 102: // f
      case 70: // F
      case 103: // g
      case 71: // G
        result.text(conversion.real(value.toNumber()));
        break;
      default:
        result.part(text, start, at);
        continue;
    }
    next++;
  }
  return result.toString();
}

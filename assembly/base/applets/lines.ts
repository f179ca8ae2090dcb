/** nl, fold, expand, tee, seq, split: filters that need few words each. */
import { Context } from '../applet';
import { Conversion } from '../io/conversion';
import { complain, complainOf } from '../io/messages';
import { numberEnd, parseDecimal, parseFloatAt, parseSize, wasNumber } from '../io/number';
import { closeInput, closeOutput, inputOf, openError, openOutput } from '../io/open';
import { Reader } from '../io/reader';
import { isBlank, unit } from '../io/text';
import { Writer } from '../io/writer';
import { Regex } from '../regex/regex';
import { APPEND, CREATE, TRUNCATE, WRITE } from '../wasi/files';
import { eachInput } from './each-input';
import { END, Options, operandFault, STOP } from './options';

class Numbering {
  style: string = 't';
  width: i32 = 6;
  separator: string = '\t';
  start: i64 = 1;
  step: i64 = 1;
  format: string = 'rn';
  next: i64 = 1;
  regex: Regex | null = null;
}

export function nl(context: Context, args: Array<string>): i32 {
  const numbering = new Numbering();
  const options = new Options(
    context,
    args,
    'b:d:f:h:i:l:n:ps:v:w:',
    'body-numbering:=b,line-increment:=i,number-format:=n,number-separator:=s,starting-line-number:=v,number-width:=w',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 98) {
      numbering.style = options.value;
      if (options.value.startsWith('p')) numbering.regex = new Regex(options.value.substring(1), 0);
    } else if (o == 105) numbering.step = parseDecimal(options.value);
    else if (o == 110) numbering.format = options.value;
    else if (o == 115) numbering.separator = options.value;
    else if (o == 118) numbering.start = parseDecimal(options.value);
    else if (o == 119) numbering.width = <i32>parseDecimal(options.value);
  }
  numbering.next = numbering.start;
  return eachInput<Numbering>(context, args[0], options.operands, numbering, numberLines);
}

function numberLines(context: Context, reader: Reader, _path: string, n: Numbering): void {
  while (context.stdout.error == 0) {
    const line = reader.line();
    if (line == null) return;
    const regex = n.regex;
    const isNumbered = n.style == 'a' || (n.style == 't' && line.length > 0) || (regex != null && regex.test(line));
    if (isNumbered) {
      const text = n.next.toString();
      if (n.format == 'ln') context.stdout.write(text.padEnd(n.width));
      else context.stdout.write(text.padStart(n.width, n.format == 'rz' ? '0' : ' '));
      context.stdout.write(n.separator);
      n.next += n.step;
    } else {
      context.stdout.write(' '.repeat(n.width + n.separator.length));
    }
    context.stdout.line(line);
  }
}

class Folding {
  width: i32 = 80;
  spaces: bool = false;
  bytes: bool = false;
}

export function fold(context: Context, args: Array<string>): i32 {
  const folding = new Folding();
  const options = new Options(context, args, 'bsw:', 'bytes=b,spaces=s,width:=w');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 98) folding.bytes = true;
    else if (o == 115) folding.spaces = true;
    else {
      folding.width = <i32>parseDecimal(options.value);
      if (!wasNumber() || folding.width <= 0) {
        complain(context, args[0], `invalid number of columns: '${options.value}'`);
        return 1;
      }
    }
  }
  return eachInput<Folding>(context, args[0], options.operands, folding, foldLines);
}

function columnAfter(column: i32, c: i32, bytes: bool): i32 {
  if (bytes) return column + 1;
  if (c == 8) return max(column - 1, 0);
  if (c == 13) return 0;
  return c == 9 ? (column | 7) + 1 : column + 1;
}

function foldLines(context: Context, reader: Reader, _path: string, folding: Folding): void {
  while (context.stdout.error == 0) {
    const line = reader.line();
    if (line == null) return;
    let start = 0;
    let column = 0;
    for (let i = 0; i < line.length; i++) {
      const next = columnAfter(column, unit(line, i), folding.bytes);
      if (next <= folding.width || i == start) {
        column = next;
        continue;
      }
      let end = i;
      if (folding.spaces) {
        let blank = i - 1;
        while (blank >= start && !isBlank(unit(line, blank))) blank--;
        if (blank >= start) end = blank + 1;
      }
      context.stdout.line(line.substring(start, end));
      start = end;
      column = 0;
      i = end - 1;
    }
    context.stdout.write(line.substring(start));
    if (reader.terminated) context.stdout.byte(10);
  }
}

class Tabs {
  size: i32 = 8;
  initial: bool = false;
}

export function expand(context: Context, args: Array<string>): i32 {
  const tabs = new Tabs();
  const options = new Options(context, args, 'it:', 'initial=i,tabs:=t');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 105) tabs.initial = true;
    else {
      tabs.size = <i32>parseDecimal(options.value);
      if (!wasNumber() || tabs.size <= 0) {
        complain(context, args[0], `tab size '${options.value}' is not supported`);
        return 1;
      }
    }
  }
  return eachInput<Tabs>(context, args[0], options.operands, tabs, expandLines);
}

function expandLines(context: Context, reader: Reader, _path: string, tabs: Tabs): void {
  let column = 0;
  let isStart = true;
  while (context.stdout.error == 0) {
    const c = reader.byte();
    if (c < 0) return;
    if (c == 9 && (isStart || !tabs.initial)) {
      const to = (column / tabs.size + 1) * tabs.size;
      context.stdout.write(' '.repeat(to - column));
      column = to;
      continue;
    }
    context.stdout.byte(c);
    if (c == 10) {
      column = 0;
      isStart = true;
    } else {
      column = c == 8 ? max(column - 1, 0) : column + 1;
      if (c != 32) isStart = false;
    }
  }
}

export function tee(context: Context, args: Array<string>): i32 {
  let append = false;
  const options = new Options(context, args, 'aip', 'append=a,ignore-interrupts=i,output-error?=p');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 97) append = true;
  }
  const writers: Writer[] = [];
  const paths: string[] = [];
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const writer = openOutput(context, options.operands[i], WRITE | CREATE | (append ? APPEND : TRUNCATE));
    if (writer == null) {
      complainOf(context, args[0], options.operands[i], openError());
      status = 1;
      continue;
    }
    writers.push(writer);
    paths.push(options.operands[i]);
  }
  const size = 65536;
  const block = new StaticArray<u8>(size);
  for (;;) {
    const got = context.stdin.chunk(changetype<usize>(block), size);
    if (got == 0) break;
    context.stdout.bytes(changetype<usize>(block), got);
    context.stdout.flush();
    for (let i = 0; i < writers.length; i++) writers[i].bytes(changetype<usize>(block), got);
    if (context.stdout.error != 0 && writers.length == 0) break;
  }
  for (let i = 0; i < writers.length; i++) if (!closeOutput(context, args[0], paths[i], writers[i])) status = 1;
  return status;
}

export function seq(context: Context, args: Array<string>): i32 {
  let separator = '\n';
  let equal = false;
  let format = '';
  let first = 1;
  // numbers may begin with a minus, so options are looked at here
  while (first < args.length) {
    const arg = args[first];
    if (arg == '-w' || arg == '--equal-width') equal = true;
    else if ((arg == '-s' || arg == '-f') && first + 1 < args.length) {
      if (arg == '-s') separator = args[++first];
      else format = args[++first];
    } else if (arg.startsWith('-s')) separator = arg.substring(2);
    else if (arg.startsWith('-f')) format = arg.substring(2);
    else if (arg.startsWith('--separator=')) separator = arg.substring(12);
    else if (arg.startsWith('--format=')) format = arg.substring(9);
    else if (arg == '--') {
      first++;
      break;
    } else if (arg.startsWith('-') && arg.length > 1 && !(unit(arg, 1) >= 46 && unit(arg, 1) <= 57)) {
      complain(context, args[0], `invalid option '${arg}'`);
      return 1;
    } else break;
    first++;
  }
  const words = args.slice(first);
  if (words.length == 0) return operandFault(context, args, words, -1);
  if (words.length > 3) return operandFault(context, args, words, 3);
  const numbers: f64[] = [];
  let digits = 0;
  let width = 0;
  for (let i = 0; i < words.length; i++) {
    numbers.push(parseFloatAt(words[i], 0));
    if (numberEnd() == 0 || numberEnd() < words[i].length) {
      complain(context, args[0], `invalid floating point argument: '${words[i]}'`);
      return 1;
    }
    const point = words[i].indexOf('.');
    if (words.length == 1 || i < 2) digits = max(digits, point < 0 ? 0 : words[i].length - point - 1);
  }
  const from = words.length > 1 ? numbers[0] : 1;
  const step = words.length > 2 ? numbers[1] : 1;
  const to = numbers[numbers.length - 1];
  if (words.length == 2) {
    const point = words[0].indexOf('.');
    digits = point < 0 ? 0 : words[0].length - point - 1;
  } else if (words.length == 1) digits = 0;
  if (step == 0) {
    complain(context, args[0], "invalid Zero increment value: '0'");
    return 1;
  }
  const shape = Conversion.parse(`.${digits}f`, 0);
  let before = '';
  let after = '';
  let own: Conversion | null = null;
  if (format != '') {
    const percent = format.indexOf('%');
    if (percent < 0) {
      complain(context, args[0], `format '${format}' has no % directive`);
      return 1;
    }
    own = Conversion.parse(format, percent + 1);
    before = format.substring(0, percent).split('%%').join('%');
    after = format.substring(own.end).split('%%').join('%');
    if (!'efgEFG'.includes(String.fromCharCode(own.letter))) {
      complain(context, args[0], `format '${format}' has unknown directive`);
      return 1;
    }
  }
  if (equal) {
    const last = from + Math.floor((to - from) / step + 1e-10) * step;
    width = max(shape.real(from).length, shape.real(last).length);
  }
  const count = Math.floor((to - from) / step + 1e-10);
  for (let i: f64 = 0; i <= count && context.stdout.error == 0; i++) {
    const value = from + i * step;
    if (i > 0) context.stdout.write(separator);
    if (own != null) {
      context.stdout.write(before + own.real(value) + after);
    } else {
      const text = shape.real(value);
      context.stdout.write(
        equal
          ? text.startsWith('-')
            ? `-${text.substring(1).padStart(width - 1, '0')}`
            : text.padStart(width, '0')
          : text,
      );
    }
  }
  if (count >= 0) context.stdout.byte(10);
  return 0;
}

/** Names end in aa, ab, ...; or 00, 01, ... */
function suffixOf(index: i32, length: i32, digits: bool): string {
  const base = digits ? 10 : 26;
  let rest = index;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = String.fromCharCode((digits ? 48 : 97) + (rest % base)) + text;
    rest /= base;
  }
  return rest > 0 ? '' : text;
}

export function split(context: Context, args: Array<string>): i32 {
  let lines: i64 = 1000;
  let bytes: i64 = 0;
  let length = 2;
  let digits = false;
  let added = '';
  const options = new Options(
    context,
    args,
    'a:b:l:d',
    'suffix-length:=a,bytes:=b,lines:=l,numeric-suffixes?=d,additional-suffix:=A',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 97) length = <i32>parseDecimal(options.value);
    else if (o == 100) digits = true;
    else if (o == 65) added = options.value;
    else {
      const value = parseSize(options.value);
      if (value <= 0) {
        complain(context, args[0], `invalid number of ${o == 98 ? 'bytes' : 'lines'}: '${options.value}'`);
        return 1;
      }
      if (o == 98) bytes = value;
      else lines = value;
    }
  }
  const operands = options.operands;
  const path = operands.length > 0 ? operands[0] : '-';
  const prefix = operands.length > 1 ? operands[1] : 'x';
  const reader = inputOf(context, args[0], path);
  if (reader == null) return 1;
  let status = 0;
  for (let index = 0; reader.peek() >= 0 && status == 0; index++) {
    const suffix = suffixOf(index, length, digits);
    if (suffix == '') {
      complain(context, args[0], 'output file suffixes exhausted');
      return 1;
    }
    const name = prefix + suffix + added;
    const writer = openOutput(context, name);
    if (writer == null) {
      complainOf(context, args[0], name, openError());
      return 1;
    }
    if (bytes > 0) {
      for (let left = bytes; left > 0; left--) {
        const c = reader.byte();
        if (c < 0) break;
        writer.byte(c);
      }
    } else {
      for (let left = lines; left > 0; left--) {
        const line = reader.line();
        if (line == null) break;
        writer.write(line);
        if (reader.terminated) writer.byte(10);
      }
    }
    if (!closeOutput(context, args[0], name, writer)) status = 1;
  }
  return closeInput(context, args[0], path, reader) ? status : 1;
}

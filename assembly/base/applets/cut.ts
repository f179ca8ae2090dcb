/** cut, paste */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { closeInput, inputOf } from '../io/open';
import { Reader } from '../io/reader';
import { isDigit, unit } from '../io/text';
import { inputs } from './cat';
import { END, Options, STOP } from './options';

/** `1,3-5,7-`: pairs of first and last, in order, not overlapping. */
class Ranges {
  firsts: Array<i32> = [];
  lasts: Array<i32> = [];

  parse(text: string): bool {
    const parts = text.split(',').join(' ').split(' ');
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      let at = 0;
      let first = 0;
      let last = 0;
      const start = at;
      while (at < part.length && isDigit(unit(part, at))) first = min(first * 10 + unit(part, at++) - 48, 1 << 26);
      const hasFirst = at > start;
      if (hasFirst && first == 0) return false;
      if (at < part.length && unit(part, at) == 45) {
        at++;
        const begin = at;
        while (at < part.length && isDigit(unit(part, at))) last = min(last * 10 + unit(part, at++) - 48, 1 << 26);
        if (at == begin) {
          if (!hasFirst) return false;
          last = i32.MAX_VALUE;
        } else if (last == 0) return false;
        if (!hasFirst) first = 1;
      } else {
        if (!hasFirst) return false;
        last = first;
      }
      if (at < part.length || last < first) return false;
      this.add(first, last);
    }
    return true;
  }

  private add(first: i32, last: i32): void {
    let at = 0;
    while (at < this.firsts.length && this.firsts[at] < first) at++;
    this.firsts.push(0);
    this.lasts.push(0);
    for (let i = this.firsts.length - 1; i > at; i--) {
      this.firsts[i] = this.firsts[i - 1];
      this.lasts[i] = this.lasts[i - 1];
    }
    this.firsts[at] = first;
    this.lasts[at] = last;
    for (let i = 0; i + 1 < this.firsts.length; ) {
      if (this.lasts[i] < this.firsts[i + 1]) {
        i++;
        continue;
      }
      this.lasts[i] = max(this.lasts[i], this.lasts[i + 1]);
      this.firsts.splice(i + 1, 1);
      this.lasts.splice(i + 1, 1);
    }
  }

  complement(): void {
    const from: i32[] = [];
    const to: i32[] = [];
    let next = 1;
    for (let i = 0; i < this.firsts.length; i++) {
      if (this.firsts[i] > next) {
        from.push(next);
        to.push(this.firsts[i] - 1);
      }
      if (this.lasts[i] == i32.MAX_VALUE) {
        next = -1;
        break;
      }
      next = this.lasts[i] + 1;
    }
    if (next > 0) {
      from.push(next);
      to.push(i32.MAX_VALUE);
    }
    this.firsts = from;
    this.lasts = to;
  }
}

export function cut(context: Context, args: Array<string>): i32 {
  const ranges = new Ranges();
  let kind = 0;
  let list = '';
  let delimiter = '\t';
  let between: string | null = null;
  let only = false;
  let complement = false;
  let end = 10;
  const options = new Options(
    context,
    args,
    'b:c:f:d:nsz',
    'bytes:=b,characters:=c,fields:=f,delimiter:=d,only-delimited=s,complement=C,output-delimiter:=o,zero-terminated=z',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 98: // b
      case 99: // c
      case 102: // f
        if (kind != 0) {
          complain(context, args[0], 'only one list may be specified');
          return 1;
        }
        kind = o;
        list = options.value;
        break;
      case 100: // d
        delimiter = options.value.length == 0 ? '\0' : options.value;
        if (delimiter.length != 1) {
          complain(context, args[0], 'the delimiter must be a single character');
          return 1;
        }
        break;
      case 115: // s
        only = true;
        break;
      case 67: // C
        complement = true;
        break;
      case 111: // o
        between = options.value;
        break;
      case 122: // z
        end = 0;
        break;
    }
  }
  if (kind == 0) {
    complain(context, args[0], 'you must specify a list of bytes, characters, or fields');
    return 1;
  }
  if (!ranges.parse(list)) {
    complain(
      context,
      args[0],
      kind == 102 ? `invalid field value '${list}'` : `invalid byte/character position '${list}'`,
    );
    return 1;
  }
  if (complement) ranges.complement();
  const paths = inputs(options.operands);
  let status = 0;
  for (let i = 0; i < paths.length; i++) {
    const reader = inputOf(context, args[0], paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    while (context.stdout.error == 0) {
      const line = reader.line(end);
      if (line == null) break;
      if (kind == 102) {
        if (line.indexOf(delimiter) < 0) {
          if (only) continue;
          context.stdout.write(line);
        } else {
          fields(context, line, ranges, delimiter, between == null ? delimiter : between);
        }
      } else {
        bytes(context, line, ranges, between == null ? '' : between);
      }
      context.stdout.byte(end);
    }
    if (!closeInput(context, args[0], paths[i], reader)) status = 1;
  }
  return status;
}

function fields(context: Context, line: string, ranges: Ranges, delimiter: string, between: string): void {
  const parts = line.split(delimiter);
  let first = true;
  for (let i = 0; i < ranges.firsts.length; i++) {
    const last = min(ranges.lasts[i], parts.length);
    for (let k = ranges.firsts[i]; k <= last; k++) {
      if (!first) context.stdout.write(between);
      context.stdout.write(parts[k - 1]);
      first = false;
    }
  }
}

function bytes(context: Context, line: string, ranges: Ranges, between: string): void {
  for (let i = 0; i < ranges.firsts.length; i++) {
    if (ranges.firsts[i] > line.length) break;
    if (i > 0) context.stdout.write(between);
    context.stdout.write(line.substring(ranges.firsts[i] - 1, min(ranges.lasts[i], line.length)));
  }
}

export function paste(context: Context, args: Array<string>): i32 {
  let serial = false;
  let list = '\t';
  let end = 10;
  const options = new Options(context, args, 'd:sz', 'delimiters:=d,serial=s,zero-terminated=z');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 115) serial = true;
    else if (o == 122) end = 0;
    else list = options.value;
  }
  const separators: string[] = [];
  for (let i = 0; i < list.length; i++) {
    if (unit(list, i) != 92 || i + 1 >= list.length) {
      separators.push(list.charAt(i));
      continue;
    }
    const c = list.charAt(++i);
    separators.push(c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '' : c);
  }
  if (separators.length == 0) separators.push('');
  const paths = inputs(options.operands);
  const readers: Reader[] = [];
  for (let i = 0; i < paths.length; i++) {
    const reader = inputOf(context, args[0], paths[i]);
    if (reader == null) return 1;
    readers.push(reader);
  }
  const out = context.stdout;
  if (serial) {
    for (let i = 0; i < readers.length; i++) {
      let count = 0;
      for (let line = readers[i].line(end); line != null; line = readers[i].line(end)) {
        if (count > 0) out.write(separators[(count - 1) % separators.length]);
        out.write(line);
        count++;
      }
      out.byte(end);
    }
  } else {
    while (out.error == 0) {
      let row = '';
      let isMore = false;
      for (let i = 0; i < readers.length; i++) {
        const line = readers[i].line(end);
        if (i > 0) row += separators[(i - 1) % separators.length];
        if (line == null) continue;
        isMore = true;
        row += line;
      }
      if (!isMore) break;
      out.write(row);
      out.byte(end);
    }
  }
  let status = 0;
  for (let i = 0; i < readers.length; i++) if (!closeInput(context, args[0], paths[i], readers[i])) status = 1;
  return status;
}

/** head, tail */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseSize, wasNumber } from '../io/number';
import { closeInput, inputOf } from '../io/open';
import { Reader } from '../io/reader';
import { isDigit, Text, unit } from '../io/text';
import { inputs } from './cat';
import { END, Options, STOP } from './options';

const BLOCK: i32 = 65536;

class Part {
  count: i64 = 10;
  bytes: bool = false;
  /** head -n -N: all but the last; tail -n +N: from the Nth on. */
  opposite: bool = false;
  delimiter: i32 = 10;
  /** 1 always, -1 never, 0 when there are several. */
  titles: i32 = 0;

  set(context: Context, name: string, text: string, sign: i32, bytes: bool): bool {
    this.bytes = bytes;
    let digits = text;
    this.opposite = text.length > 0 && unit(text, 0) == sign;
    if (text.length > 0 && (unit(text, 0) == 43 || unit(text, 0) == 45)) digits = text.substring(1);
    this.count = parseSize(digits);
    if (wasNumber() && this.count >= 0) return true;
    complain(context, name, `invalid number of ${bytes ? 'bytes' : 'lines'}: '${text}'`);
    return false;
  }
}

/** `-5` and `-c5`'s old relatives, as the first argument. */
function oldStyle(context: Context, args: Array<string>, part: Part, from: i32): Array<string> | null {
  if (args.length < 2 || args[1].length < 2) return args;
  const first = args[1];
  const isSign = unit(first, 0) == 45 || (from == 43 && unit(first, 0) == 43);
  if (!isSign || !isDigit(unit(first, 1))) return args;
  let end = 1;
  while (end < first.length && isDigit(unit(first, end))) end++;
  const rest = first.substring(end);
  if (rest != '' && rest != 'c' && rest != 'l' && rest != 'n') return args;
  const value = (unit(first, 0) == 43 ? '+' : '') + first.substring(1, end);
  if (!part.set(context, args[0], value, from, rest == 'c')) return null;
  const others = args.slice(2);
  others.unshift(args[0]);
  return others;
}

export function head(context: Context, args: Array<string>): i32 {
  const part = new Part();
  const words = oldStyle(context, args, part, 45);
  if (words == null) return 1;
  const options = new Options(
    context,
    words,
    'n:c:qvz',
    'lines:=n,bytes:=c,quiet=q,silent=q,verbose=v,zero-terminated=z',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 110 || o == 99) {
      if (!part.set(context, args[0], options.value, 45, o == 99)) return 1;
    } else if (o == 122) part.delimiter = 0;
    else part.titles = o == 118 ? 1 : -1;
  }
  return run(context, args[0], options.operands, part, false);
}

export function tail(context: Context, args: Array<string>): i32 {
  const part = new Part();
  const words = oldStyle(context, args, part, 43);
  if (words == null) return 1;
  const options = new Options(
    context,
    words,
    'n:c:qvzfFs:',
    'lines:=n,bytes:=c,quiet=q,silent=q,verbose=v,zero-terminated=z,follow?=f,retry=F',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 110 || o == 99) {
      if (!part.set(context, args[0], options.value, 43, o == 99)) return 1;
    } else if (o == 122) part.delimiter = 0;
    else if (o == 102 || o == 70) {
      complain(context, args[0], 'following a file (-f) is not supported');
      return 1;
    } else part.titles = o == 118 ? 1 : -1;
  }
  return run(context, args[0], options.operands, part, true);
}

function run(context: Context, name: string, operands: Array<string>, part: Part, isTail: bool): i32 {
  const paths = inputs(operands);
  const titles = part.titles > 0 || (part.titles == 0 && paths.length > 1);
  let status = 0;
  let first = true;
  for (let i = 0; i < paths.length && context.stdout.error == 0; i++) {
    const reader = inputOf(context, name, paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    if (titles) {
      context.stdout.line(`${first ? '' : '\n'}==> ${paths[i] == '-' ? 'standard input' : paths[i]} <==`);
      first = false;
    }
    if (isTail != part.opposite) {
      if (part.bytes) lastBytes(context, reader, part.count, isTail);
      else lastLines(context, reader, part, isTail);
    } else if (part.bytes) {
      firstBytes(context, reader, isTail ? max<i64>(part.count - 1, 0) : part.count, isTail);
    } else {
      firstLines(context, reader, part, isTail);
    }
    if (!closeInput(context, name, paths[i], reader)) status = 1;
  }
  return status;
}

/** Shows so many lines, or what is behind them. */
function firstLines(context: Context, reader: Reader, part: Part, skip: bool): void {
  const out = context.stdout;
  let left = skip ? max<i64>(part.count - 1, 0) : part.count;
  while (left > 0 && out.error == 0) {
    const line = reader.line(part.delimiter);
    if (line == null) return;
    left--;
    if (skip) continue;
    out.write(line);
    if (reader.terminated) out.byte(part.delimiter);
  }
  if (skip) copyRest(context, reader, i64.MAX_VALUE);
}

function firstBytes(context: Context, reader: Reader, count: i64, skip: bool): void {
  let left = count;
  if (!skip) {
    copyRest(context, reader, left);
    return;
  }
  const block = new StaticArray<u8>(BLOCK);
  while (left > 0) {
    const got = reader.chunk(changetype<usize>(block), <i32>min<i64>(left, BLOCK));
    if (got == 0) return;
    left -= got;
  }
  copyRest(context, reader, i64.MAX_VALUE);
}

function copyRest(context: Context, reader: Reader, most: i64): void {
  const block = new StaticArray<u8>(BLOCK);
  let left = most;
  while (left > 0 && context.stdout.error == 0) {
    const got = reader.chunk(changetype<usize>(block), <i32>min<i64>(left, BLOCK));
    if (got == 0) return;
    context.stdout.bytes(changetype<usize>(block), got);
    left -= got;
  }
}

/** Shows the last lines, or all but them; holds no more than that many. */
function lastLines(context: Context, reader: Reader, part: Part, isTail: bool): void {
  const out = context.stdout;
  const count = part.count;
  const ring: string[] = [];
  let at = 0;
  let ended = true;
  for (let line = reader.line(part.delimiter); line != null; line = reader.line(part.delimiter)) {
    ended = reader.terminated;
    if (ring.length < count) {
      ring.push(line);
      continue;
    }
    if (!isTail) {
      out.write(count == 0 ? line : ring[at]);
      if (count > 0 || ended) out.byte(part.delimiter);
      if (out.error != 0) return;
    }
    if (count == 0) continue;
    ring[at] = line;
    at = (at + 1) % ring.length;
  }
  if (!isTail) return;
  for (let i = 0; i < ring.length; i++) {
    out.write(ring[(at + i) % ring.length]);
    if (i + 1 < ring.length || ended) out.byte(part.delimiter);
  }
}

function lastBytes(context: Context, reader: Reader, count: i64, isTail: bool): void {
  const kept = new Text(BLOCK);
  const most = <i32>min<i64>(count, 1 << 30);
  for (;;) {
    const target = kept.room(BLOCK);
    const got = reader.chunk(target, BLOCK);
    if (got == 0) break;
    kept.length += got;
    const extra = kept.length - most;
    // what can no longer be among the last goes at once, in pieces worth the move
    if (extra <= 0 || (extra < most && extra < BLOCK)) continue;
    const base = changetype<usize>(kept.bytes);
    if (!isTail) context.stdout.bytes(base, extra);
    memory.copy(base, base + extra, most);
    kept.length = most;
  }
  const base = changetype<usize>(kept.bytes);
  const extra = max(kept.length - most, 0);
  if (isTail) context.stdout.bytes(base + extra, kept.length - extra);
  else context.stdout.bytes(base, extra);
}

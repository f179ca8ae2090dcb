/** xargs, timeout, nohup, nice, which */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, inputOf } from '../io/open';
import { join } from '../io/paths';
import { Reader, TextReader } from '../io/reader';
import { isSpace, Text } from '../io/text';
import { statOf } from '../io/walk';
import { monotonicTime } from '../wasi/clock';
import { END, Options, operandFault, STOP } from './options';
import { runCommand } from './run-command';
import { duration } from './small';

const BYTES_MAX: i32 = 131072;

class Batch {
  status: i32 = 0;
  stop: bool = false;
  trace: bool = false;

  constructor(
    private context: Context,
    private name: string,
  ) {}

  run(words: Array<string>): void {
    const context = this.context;
    if (this.trace) {
      context.stderr.line(words.join(' '));
      context.stderr.flush();
    }
    context.stdout.flush();
    // the commands must not eat what xargs reads
    const inner = new Context(new TextReader(''), context.stdout, context.stderr, context.cwd, context.env);
    const status = runCommand(inner, words);
    if (status == 0) return;
    if (status == 255) {
      complain(context, this.name, `${words[0]}: exited with status 255; aborting`);
      this.status = 124;
      this.stop = true;
    } else if (status == 126 || status == 127) {
      this.status = status;
      this.stop = true;
    } else if (status >= 128 + 1 && status <= 128 + 64) {
      this.status = 125;
      this.stop = true;
    } else {
      this.status = 123;
    }
  }
}

/** Items as xargs reads them: words with quotes, or what is between delimiters, or lines. */
class Items {
  failed: bool = false;
  /** The item that came last ended its line. */
  lineEnded: bool = false;

  constructor(
    private context: Context,
    private name: string,
    private reader: Reader,
    /** -1: words. */
    private delimiter: i32,
    /** Each line is an item, without the blanks before it. */
    private lines: bool,
    private end: string,
  ) {}

  next(): string | null {
    const item = this.delimiter >= 0 ? this.reader.line(this.delimiter) : this.word();
    this.lineEnded = this.lineEnded || this.delimiter >= 0;
    if (item != null && this.end != '' && item == this.end) return null;
    return item;
  }

  private word(): string | null {
    const reader = this.reader;
    this.lineEnded = false;
    let c = reader.byte();
    while (c >= 0 && isSpace(c)) c = reader.byte();
    if (c < 0) return null;
    const text = new Text();
    while (c >= 0) {
      if (c == 10 || (!this.lines && isSpace(c))) break;
      if (c == 39 || c == 34) {
        const quote = c;
        c = reader.byte();
        while (c >= 0 && c != quote && c != 10) {
          text.byte(c);
          c = reader.byte();
        }
        if (c != quote) {
          const kind = quote == 39 ? 'single' : 'double';
          complain(
            this.context,
            this.name,
            `unmatched ${kind} quote; by default quotes are special to xargs unless you use the -0 option`,
          );
          this.failed = true;
          return null;
        }
      } else if (c == 92) {
        c = reader.byte();
        if (c >= 0) text.byte(c);
      } else {
        text.byte(c);
      }
      c = reader.byte();
    }
    if (c == 10) this.lineEnded = true;
    else if (c == 32 || c == 9) {
      // blanks at its end join a line to the next one, for -L
      while (reader.peek() == 32 || reader.peek() == 9) reader.byte();
    }
    return text.toString();
  }
}

export function xargs(context: Context, args: Array<string>): i32 {
  let delimiter = -1;
  let most: i64 = i64.MAX_VALUE;
  let linesMost: i64 = 0;
  let replace = '';
  let skipEmpty = false;
  let size: i64 = BYTES_MAX;
  let file = '';
  let end = '';
  const batch = new Batch(context, args[0]);
  const options = new Options(
    context,
    args,
    '+0a:d:E:e?I:i?L:l?n:P:prs:tx',
    'null=0,arg-file:=a,delimiter:=d,eof?=e,replace?=i,max-lines?=l,max-args:=n,max-procs:=P,interactive=p,no-run-if-empty=r,max-chars:=s,verbose=t,exit=x',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    const value = options.value;
    switch (o) {
      case STOP:
        return options.status;
      case 48: // 0
        delimiter = 0;
        break;
      case 97: // a
        file = value;
        break;
      case 100: // d
        delimiter =
          value == '\\n' ? 10 : value == '\\0' ? 0 : value == '\\t' ? 9 : value.length > 0 ? value.charCodeAt(0) : 0;
        break;
      case 69: // E
      case 101: // e
        end = value;
        break;
      case 73: // I
        replace = value;
        break;
      case 105: // i
        replace = value == '' ? '{}' : value;
        break;
      case 110: // n
      case 76: // L
      case 108: // l
      case 115: {
        // s
        const number = o == 108 && value == '' ? 1 : parseDecimal(value);
        if ((o != 108 && !wasNumber()) || number < 1) {
          complain(context, args[0], `invalid number '${value}' for -${String.fromCharCode(o)} option`);
          return 1;
        }
        if (o == 110) most = number;
        else if (o == 115) size = number;
        else linesMost = number;
        break;
      }
      case 114: // r
        skipEmpty = true;
        break;
      case 116: // t
        batch.trace = true;
        break;
      case 112: // p
        complain(context, args[0], 'asking (-p) is not supported');
        return 1;
    }
  }
  const command = options.operands.length > 0 ? options.operands : ['echo'];
  const reader = file == '' ? context.stdin : inputOf(context, args[0], file);
  if (reader == null) return 1;
  const items = new Items(context, args[0], reader, delimiter, replace != '', end);
  let fixed = 0;
  for (let i = 0; i < command.length; i++) fixed += command[i].length + 1;
  let words = command.slice(0);
  let length = fixed;
  let count = 0;
  let lines = 0;
  let ran = false;
  while (!batch.stop && context.stdout.error == 0) {
    const item = items.next();
    if (item == null) break;
    if (replace != '') {
      const own: string[] = [];
      for (let i = 0; i < command.length; i++) own.push(command[i].split(replace).join(item));
      batch.run(own);
      ran = true;
      continue;
    }
    if (count > 0 && length + item.length + 1 > size) {
      batch.run(words);
      ran = true;
      words = command.slice(0);
      length = fixed;
      count = lines = 0;
      if (batch.stop) break;
    }
    words.push(item);
    length += item.length + 1;
    count++;
    if (items.lineEnded) lines++;
    if (count >= most || (linesMost > 0 && lines >= linesMost)) {
      batch.run(words);
      ran = true;
      words = command.slice(0);
      length = fixed;
      count = lines = 0;
    }
  }
  if (!batch.stop && !items.failed && (count > 0 || (!ran && !skipEmpty && replace == ''))) batch.run(words);
  if (file != '') closeInput(context, args[0], file, reader);
  return items.failed ? 1 : batch.status;
}

/**
 * A command that is a function of this process cannot be ended from the outside: it runs to its end, and the status tells
 * afterwards that it took too long. The shell's runner, where there is one, ends programs in time.
 */
export function timeout(context: Context, args: Array<string>): i32 {
  const options = new Options(
    context,
    args,
    '+k:s:v',
    'kill-after:=k,signal:=s,preserve-status=p,foreground=f,verbose=v',
    125,
  );
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  if (options.operands.length < 2) {
    operandFault(context, args, options.operands, -1);
    return 125;
  }
  const limit = duration(options.operands[0]);
  if (limit < 0) {
    complain(context, args[0], `invalid time interval '${options.operands[0]}'`);
    return 125;
  }
  if (limit == 0) return runCommand(context, options.operands.slice(1));
  return runLimited(context, options.operands.slice(1), limit);
}

/** Runs `args` for at most so many seconds. */
export type LimitedRunner = (context: Context, args: Array<string>, seconds: f64) => i32;

let limited: LimitedRunner | null = null;

/** The shell's way to run a command with a limit, where the host starts processes. */
export function setLimitedRunner(run: LimitedRunner): void {
  limited = run;
}

function runLimited(context: Context, words: Array<string>, seconds: f64): i32 {
  const run = limited;
  if (run != null) return run(context, words, seconds);
  const start = monotonicTime();
  const status = runCommand(context, words);
  return <f64>(monotonicTime() - start) > seconds * 1e9 ? 124 : status;
}

/** nohup and nice: nothing hangs up here, and there is nothing to be nice to. */
export function plainly(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '+n:0123456789', 'adjustment:=n', 125);
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  if (options.operands.length > 0) return runCommand(context, options.operands);
  if (args[0].endsWith('nice')) {
    context.stdout.line('0');
    return 0;
  }
  operandFault(context, args, options.operands, -1);
  return 125;
}

/** Where PATH leads to a program of a name. */
export function which(context: Context, args: Array<string>): i32 {
  let all = false;
  let quiet = false;
  const options = new Options(context, args, 'as', '');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 97) all = true;
    else quiet = true;
  }
  const path = context.env.has('PATH')
    ? context.env.get('PATH')
    : '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  let status = options.operands.length == 0 ? 1 : 0;
  for (let i = 0; i < options.operands.length; i++) {
    const name = options.operands[i];
    const directories = name.includes('/') ? [''] : path.split(':');
    let found = false;
    for (let k = 0; k < directories.length && (all || !found); k++) {
      const candidate = name.includes('/') ? name : join(directories[k] == '' ? '.' : directories[k], name);
      const stat = statOf(context, candidate, true);
      if (stat == null || !stat.isFile || (stat.mode & 0o111) == 0) continue;
      found = true;
      if (!quiet) context.stdout.line(candidate);
    }
    if (!found) status = 1;
  }
  return status;
}

/** cat, tac, rev: files to standard output, as they are, or turned round by lines or within them. */
import { Context } from '../applet';
import { closeInput, inputOf } from '../io/open';
import { Reader } from '../io/reader';
import { Text, unit } from '../io/text';
import { END, Options, STOP } from './options';

const BLOCK: i32 = 65536;
const STDIN: StaticArray<string> = ['-'];

/** The operands, or standard input. */
export function inputs(operands: Array<string>): Array<string> {
  return operands.length > 0 ? operands : STDIN.slice<Array<string>>();
}

class CatStyle {
  numbers: bool = false;
  numbersNonBlank: bool = false;
  squeeze: bool = false;
  ends: bool = false;
  tabs: bool = false;
  visible: bool = false;
  count: i32 = 0;
  blank: bool = false;
  atStart: bool = true;

  get plain(): bool {
    return !(this.numbers || this.numbersNonBlank || this.squeeze || this.ends || this.tabs || this.visible);
  }
}

export function cat(context: Context, args: Array<string>): i32 {
  const style = new CatStyle();
  const options = new Options(
    context,
    args,
    'uvetAnbsET',
    'show-all=A,number-nonblank=b,show-ends=E,number=n,squeeze-blank=s,show-tabs=T,show-nonprinting=v',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    switch (o) {
      case 97 - 32: // A
        style.visible = true;
        style.ends = true;
        style.tabs = true;
        break;
      case 98: // b
        style.numbersNonBlank = true;
        break;
      case 101: // e
        style.visible = true;
        style.ends = true;
        break;
      case 69: // E
        style.ends = true;
        break;
      case 110: // n
        style.numbers = true;
        break;
      case 115: // s
        style.squeeze = true;
        break;
      case 116: // t
        style.visible = true;
        style.tabs = true;
        break;
      case 84: // T
        style.tabs = true;
        break;
      case 118: // v
        style.visible = true;
        break;
    }
  }
  let status = 0;
  const files = inputs(options.operands);
  const block = new StaticArray<u8>(BLOCK);
  for (let i = 0; i < files.length && context.stdout.error == 0; i++) {
    const reader = inputOf(context, args[0], files[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    if (style.plain) {
      for (;;) {
        const count = reader.chunk(changetype<usize>(block), BLOCK);
        if (count == 0 || context.stdout.error != 0) break;
        context.stdout.bytes(changetype<usize>(block), count);
        // who reads along wants what came, not what fills a buffer
        if (reader === context.stdin && count < BLOCK && reader.unread() == 0) context.stdout.flush();
      }
    } else {
      decorated(context, reader, style);
    }
    if (!closeInput(context, args[0], files[i], reader)) status = 1;
  }
  return status;
}

function decorated(context: Context, reader: Reader, style: CatStyle): void {
  const out = context.stdout;
  while (out.error == 0) {
    const line = reader.line();
    if (line == null) return;
    const empty = line.length == 0 && reader.terminated;
    if (style.squeeze && empty && style.blank && style.atStart) continue;
    style.blank = empty && style.atStart;
    if (style.atStart && (style.numbersNonBlank ? !empty : style.numbers)) {
      style.count++;
      out.write(style.count.toString().padStart(6));
      out.byte(9);
    }
    for (let i = 0; i < line.length; i++) {
      let c = unit(line, i);
      if (c == 9) {
        out.write(style.tabs ? '^I' : '\t');
        continue;
      }
      if (style.visible) {
        if (c >= 128) {
          out.write('M-');
          c -= 128;
        }
        if (c < 32) {
          out.byte(94);
          c += 64;
        } else if (c == 127) {
          out.byte(94);
          c = 63;
        }
      }
      out.byte(c);
    }
    if (reader.terminated) {
      if (style.ends) out.byte(36);
      out.byte(10);
    }
    style.atStart = reader.terminated;
  }
}

/** Lines from the last to the first; a line's end stays behind it. */
export function tac(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  let status = 0;
  const files = inputs(options.operands);
  for (let i = 0; i < files.length; i++) {
    const reader = inputOf(context, args[0], files[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    const all = reader.rest();
    backwards(context, all);
    if (!closeInput(context, args[0], files[i], reader)) status = 1;
  }
  return status;
}

function backwards(context: Context, all: Text): void {
  const base = changetype<usize>(all.bytes);
  let end = all.length;
  while (end > 0) {
    let start = end - 1;
    while (start > 0 && all.at(start - 1) != 10) start--;
    context.stdout.bytes(base + start, end - start);
    end = start;
  }
}

export function rev(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  let status = 0;
  const files = inputs(options.operands);
  for (let i = 0; i < files.length; i++) {
    const reader = inputOf(context, args[0], files[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    while (context.stdout.error == 0) {
      const line = reader.line();
      if (line == null) break;
      for (let k = line.length - 1; k >= 0; k--) context.stdout.byte(unit(line, k));
      if (reader.terminated) context.stdout.byte(10);
    }
    if (!closeInput(context, args[0], files[i], reader)) status = 1;
  }
  return status;
}

/** tr */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseBase, parseDecimal, wasNumber } from '../io/number';
import { unit } from '../io/text';
import { addClass, ByteSet } from '../regex/node';
import { END, Options, operandFault, STOP } from './options';

const BLOCK: i32 = 65536;

/** A set of tr, written out; classes of letters remember where they are, for [:lower:] against [:upper:]. */
class Spelled {
  bytes: Array<i32> = [];
  error: string = '';
  /** `[x*]`, which fills up: where, and with what. */
  fillAt: i32 = -1;
  fillByte: i32 = 0;
  private at: i32 = 0;

  constructor(private text: string) {}

  private one(): i32 {
    const text = this.text;
    const c = unit(text, this.at++);
    if (c != 92 || this.at >= text.length) return c;
    const e = unit(text, this.at++);
    switch (e) {
      case 97: // a
        return 7;
      case 98: // b
        return 8;
      case 102: // f
        return 12;
      case 110: // n
        return 10;
      case 114: // r
        return 13;
      case 116: // t
        return 9;
      case 118: // v
        return 11;
    }
    if (e < 48 || e > 55) return e;
    let value = e - 48;
    for (let i = 0; i < 2 && this.at < text.length; i++) {
      const d = unit(text, this.at);
      if (d < 48 || d > 55 || value * 8 + d - 48 > 255) break;
      value = value * 8 + d - 48;
      this.at++;
    }
    return value;
  }

  spell(): void {
    const text = this.text;
    while (this.at < text.length && this.error == '') {
      if (unit(text, this.at) == 91 && this.special()) continue;
      const c = this.one();
      if (this.at + 1 < text.length && unit(text, this.at) == 45) {
        this.at++;
        const to = this.one();
        if (to < c) {
          this.error = `range-endpoints of '${String.fromCharCode(c)}-${String.fromCharCode(to)}' are in reverse collating sequence order`;
          return;
        }
        for (let b = c; b <= to; b++) this.bytes.push(b);
      } else {
        this.bytes.push(c);
      }
    }
  }

  /** [:class:], [=x=], [x*n] */
  private special(): bool {
    const text = this.text;
    const kind = this.at + 1 < text.length ? text.charAt(this.at + 1) : '';
    if (kind == ':' || kind == '=') {
      const end = text.indexOf(`${kind}]`, this.at + 2);
      if (end < 0) return false;
      const name = text.substring(this.at + 2, end);
      if (kind == '=') {
        if (name.length != 1) return false;
        this.bytes.push(unit(name, 0));
      } else {
        const set = new ByteSet();
        if (!addClass(set, name)) {
          this.error = `invalid character class '${name}'`;
          return true;
        }
        for (let b = 0; b < 256; b++) if (set.has(b)) this.bytes.push(b);
      }
      this.at = end + 2;
      return true;
    }
    const before = this.at;
    this.at++;
    if (this.at >= text.length) {
      this.at = before;
      return false;
    }
    const c = this.one();
    if (this.at < text.length && unit(text, this.at) == 42) {
      const end = text.indexOf(']', this.at);
      const digits = end > 0 ? text.substring(this.at + 1, end) : 'x';
      const count = digits == '' ? 0 : digits.startsWith('0') ? parseBase(digits, 8) : parseDecimal(digits);
      if (digits == '' || wasNumber()) {
        this.at = end + 1;
        if (count == 0) {
          this.fillAt = this.bytes.length;
          this.fillByte = c;
        }
        for (let i: i64 = 0; i < count && i < 65536; i++) this.bytes.push(c);
        return true;
      }
    }
    this.at = before;
    return false;
  }

  fill(length: i32): void {
    if (this.fillAt < 0) return;
    while (this.bytes.length < length) {
      this.bytes.push(0);
      for (let i = this.bytes.length - 1; i > this.fillAt; i--) this.bytes[i] = this.bytes[i - 1];
      this.bytes[this.fillAt] = this.fillByte;
    }
  }
}

export function tr(context: Context, args: Array<string>): i32 {
  let complement = false;
  let remove = false;
  let squeeze = false;
  let cut = false;
  const options = new Options(context, args, '+cCdst', 'complement=c,delete=d,squeeze-repeats=s,truncate-set1=t');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 99 || o == 67) complement = true;
    else if (o == 100) remove = true;
    else if (o == 115) squeeze = true;
    else cut = true;
  }
  const operands = options.operands;
  const least = remove == squeeze ? 2 : 1;
  if (operands.length < least) return operandFault(context, args, operands, -1);
  const most = remove && !squeeze ? 1 : 2;
  if (operands.length > most) return operandFault(context, args, operands, most);
  const first = new Spelled(operands[0]);
  const second = new Spelled(operands.length > 1 ? operands[1] : '');
  first.spell();
  second.spell();
  if (first.error != '' || second.error != '') {
    complain(context, args[0], first.error != '' ? first.error : second.error);
    return 1;
  }
  let from = first.bytes;
  if (complement) {
    const others: i32[] = [];
    for (let b = 0; b < 256; b++) if (!from.includes(b)) others.push(b);
    from = others;
  }
  const isMapped = !remove && operands.length > 1;
  const map = new StaticArray<u8>(256);
  const gone = new StaticArray<u8>(256);
  const once = new StaticArray<u8>(256);
  for (let b = 0; b < 256; b++) map[b] = <u8>b;
  if (isMapped) {
    second.fill(from.length);
    const to = second.bytes;
    if (to.length == 0 && !cut) {
      complain(context, args[0], 'when not truncating set1, string2 must be non-empty');
      return 1;
    }
    for (let i = 0; i < from.length; i++) {
      if (i >= to.length && cut) break;
      map[from[i]] = <u8>to[min(i, to.length - 1)];
    }
  }
  if (remove) for (let i = 0; i < from.length; i++) gone[from[i]] = 1;
  if (squeeze) {
    const set = operands.length > 1 ? second.bytes : from;
    for (let i = 0; i < set.length; i++) once[set[i]] = 1;
  }
  const block = new StaticArray<u8>(BLOCK);
  let last = -1;
  while (context.stdout.error == 0) {
    const got = context.stdin.chunk(changetype<usize>(block), BLOCK);
    if (got == 0) break;
    let kept = 0;
    for (let i = 0; i < got; i++) {
      const c = block[i];
      if (gone[c] != 0) continue;
      const to = map[c];
      if (once[to] != 0 && <i32>to == last) continue;
      last = to;
      block[kept++] = to;
    }
    context.stdout.bytes(changetype<usize>(block), kept);
  }
  return 0;
}

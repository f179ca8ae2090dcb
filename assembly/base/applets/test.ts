/** test, [ */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { compare, isSpace, unit } from '../io/text';
import { statOf } from '../io/walk';
import { isTerminal } from '../wasi/files';
import { processIds } from '../wasi/process';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from '../wasi/stat';

/** The expression that is read; a `fault` makes the status 2. */
class Expression {
  at: i32 = 0;
  fault: bool = false;

  constructor(
    private context: Context,
    private name: string,
    private words: Array<string>,
  ) {}

  wrong(text: string): bool {
    if (!this.fault) complain(this.context, this.name, text);
    this.fault = true;
    return false;
  }

  /** As POSIX says for up to four words; longer ones by the grammar with -o, -a and parentheses. */
  value(from: i32, count: i32): bool {
    const words = this.words;
    if (count == 0) return false;
    if (count == 1) return words[from].length > 0;
    if (count == 2) {
      if (words[from] == '!') return words[from + 1].length == 0;
      if (isUnary(words[from])) return this.unary(words[from], words[from + 1]);
      return this.wrong(`${words[from]}: unary operator expected`);
    }
    if (count == 3) {
      if (isBinary(words[from + 1])) return this.binary(words[from], words[from + 1], words[from + 2]);
      if (words[from + 1] == '-a') return words[from].length > 0 && words[from + 2].length > 0;
      if (words[from + 1] == '-o') return words[from].length > 0 || words[from + 2].length > 0;
      if (words[from] == '!') return !this.value(from + 1, 2);
      if (words[from] == '(' && words[from + 2] == ')') return words[from + 1].length > 0;
      return this.wrong(`${words[from + 1]}: binary operator expected`);
    }
    if (count == 4) {
      if (words[from] == '!') return !this.value(from + 1, 3);
      if (words[from] == '(' && words[from + 3] == ')') return this.value(from + 1, 2);
    }
    this.at = from;
    const end = from + count;
    const result = this.either(end);
    if (this.at < end && !this.fault) return this.wrong(`extra argument '${words[this.at]}'`);
    return result;
  }

  private either(end: i32): bool {
    let result = this.both(end);
    while (this.at < end && this.words[this.at] == '-o' && !this.fault) {
      this.at++;
      const right = this.both(end);
      result = result || right;
    }
    return result;
  }

  private both(end: i32): bool {
    let result = this.term(end);
    while (this.at < end && this.words[this.at] == '-a' && !this.fault) {
      this.at++;
      const right = this.term(end);
      result = result && right;
    }
    return result;
  }

  private term(end: i32): bool {
    const words = this.words;
    if (this.at >= end) return this.wrong('argument expected');
    const word = words[this.at];
    if (word == '!' && this.at + 1 < end) {
      this.at++;
      return !this.term(end);
    }
    if (this.at + 2 < end && isBinary(words[this.at + 1])) {
      this.at += 3;
      return this.binary(words[this.at - 3], words[this.at - 2], words[this.at - 1]);
    }
    if (word == '(' && this.at + 1 < end) {
      this.at++;
      const result = this.either(end);
      if (this.at >= end || words[this.at] != ')') return this.wrong("')' expected");
      this.at++;
      return result;
    }
    if (isUnary(word) && this.at + 1 < end) {
      this.at += 2;
      return this.unary(word, words[this.at - 1]);
    }
    this.at++;
    return word.length > 0;
  }

  private integer(text: string): i64 {
    let from = 0;
    let to = text.length;
    while (from < to && isSpace(unit(text, from))) from++;
    while (to > from && isSpace(unit(text, to - 1))) to--;
    const value = parseDecimal(text.substring(from, to));
    if (!wasNumber()) this.wrong(`invalid integer '${text}'`);
    return value;
  }

  private binary(a: string, operator: string, b: string): bool {
    if (operator == '=' || operator == '==') return a == b;
    if (operator == '!=') return a != b;
    if (operator == '<') return compare(a, b) < 0;
    if (operator == '>') return compare(a, b) > 0;
    if (operator == '-nt' || operator == '-ot' || operator == '-ef') {
      const left = statOf(this.context, a, true);
      const right = statOf(this.context, b, true);
      if (operator == '-ef') return left != null && right != null && left.dev == right.dev && left.ino == right.ino;
      const newer = operator == '-nt';
      if (left == null) return !newer && right != null;
      if (right == null) return newer;
      return newer ? left.mtime > right.mtime : left.mtime < right.mtime;
    }
    const x = this.integer(a);
    const y = this.integer(b);
    if (this.fault) return false;
    if (operator == '-eq') return x == y;
    if (operator == '-ne') return x != y;
    if (operator == '-lt') return x < y;
    if (operator == '-le') return x <= y;
    if (operator == '-gt') return x > y;
    return x >= y;
  }

  private unary(operator: string, operand: string): bool {
    const letter = unit(operator, 1);
    switch (letter) {
      case 110: // n
        return operand.length > 0;
      case 122: // z
        return operand.length == 0;
      case 116: {
        // t
        const fd = <i32>this.integer(operand);
        return !this.fault && isTerminal(fd);
      }
    }
    const stat = statOf(this.context, operand, letter != 104 && letter != 76);
    if (stat == null) return false;
    switch (letter) {
      case 101: // e
        return true;
      case 102: // f
        return stat.isFile;
      case 100: // d
        return stat.isDirectory;
      case 104: // h
      case 76: // L
        return stat.isLink;
      case 115: // s
        return stat.size > 0;
      case 98: // b
        return stat.type == S_IFBLK;
      case 99: // c
        return stat.type == S_IFCHR;
      case 112: // p
        return stat.type == S_IFIFO;
      case 83: // S
        return stat.type == S_IFSOCK;
      case 117: // u
        return (stat.mode & 0o4000) != 0;
      case 103: // g
        return (stat.mode & 0o2000) != 0;
      case 107: // k
        return (stat.mode & 0o1000) != 0;
      case 79: // O
        return stat.uid == <u32>processIds().uid;
      case 71: // G
        return stat.gid == <u32>processIds().gid;
      case 78: // N
        return stat.mtime > stat.atime;
      case 114: // r
        return allowed(stat.mode, stat.uid, stat.gid, 4);
      case 119: // w
        return allowed(stat.mode, stat.uid, stat.gid, 2);
      default:
        return allowed(stat.mode, stat.uid, stat.gid, 1);
    }
  }
}

function allowed(mode: i32, uid: u32, gid: u32, bit: i32): bool {
  const ids = processIds();
  if (ids.uid == 0) return bit != 1 || (mode & 0o111) != 0 || (mode & 0o170000) == 0o040000;
  if (<u32>ids.uid == uid) return ((mode >> 6) & bit) != 0;
  if (<u32>ids.gid == gid) return ((mode >> 3) & bit) != 0;
  return (mode & bit) != 0;
}

function isUnary(word: string): bool {
  return word.length == 2 && unit(word, 0) == 45 && 'bcdefghkLnNOGprsStuwxz'.includes(word.charAt(1));
}

function isBinary(word: string): bool {
  if (word == '=' || word == '==' || word == '!=' || word == '<' || word == '>') return true;
  if (word.length != 3 || unit(word, 0) != 45) return false;
  const name = word.substring(1);
  if (name == 'eq' || name == 'ne' || name == 'lt' || name == 'le' || name == 'gt' || name == 'ge') return true;
  return name == 'nt' || name == 'ot' || name == 'ef';
}

/** 0 true, 1 false, 2 wrong. As `[` its last argument is `]`. */
export function test(context: Context, args: Array<string>): i32 {
  let count = args.length - 1;
  if (args[0] == '[' || args[0].endsWith('/[')) {
    if (count == 0 || args[count] != ']') {
      complain(context, args[0], "missing ']'");
      return 2;
    }
    count--;
  }
  const expression = new Expression(context, args[0], args);
  const result = expression.value(1, count);
  return expression.fault ? 2 : result ? 0 : 1;
}

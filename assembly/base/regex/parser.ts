/**
 * Basic and extended regular expressions of POSIX, with what GNU adds to them: `\+ \? \|` in basic ones, `\w \W \s \S
 * \b \B \< \> \` \'` in both.
 */
import { digitOf } from '../io/number';
import { isDigit, unit } from '../io/text';
import {
  ALTERNATE,
  ASSERT,
  addClass,
  BACKREF,
  ByteSet,
  CONCAT,
  EMPTY,
  GROUP,
  LINE_END,
  LINE_START,
  NO_WORD_AFTER,
  NO_WORD_BEFORE,
  NOT_WORD_EDGE,
  Node,
  TEXT_END,
  TEXT_START,
  WORD_EDGE,
  WORD_END,
  WORD_START,
  wordSet,
} from './node';

export const EXTENDED: i32 = 1;
export const IGNORE_CASE: i32 = 2;
/** `^` and `$` match at the lines within a text, too. */
export const MULTILINE: i32 = 4;
/** `\n`, `\t`, `\x41` and their like are bytes, in brackets, too. */
export const ESCAPES: i32 = 8;
/** A backslash in brackets makes the next byte an ordinary one, as awk has it. */
export const BRACKET_ESCAPES: i32 = 16;
/** `\y` is the edge of a word and `\b` is not, as in awk. */
export const AWK: i32 = 32;
/** A match must not have a letter, digit or `_` beside it. */
export const WHOLE_WORD: i32 = 64;
/** A match must be the whole text (a line). */
export const WHOLE_LINE: i32 = 128;
/** A `)` that closes nothing is itself, in an extended expression. */
export const PAREN_LITERAL: i32 = 256;

const REPEAT_MAX: i32 = 32767;
const DEPTH_MAX: i32 = 400;

export class Parser {
  error: string = '';
  groups: i32 = 0;
  backrefs: bool = false;
  private at: i32 = 0;
  private depth: i32 = 0;
  private extended: bool;
  /** The groups that are complete: only they can be referred to. */
  private closed: Array<i32> = [];

  constructor(
    private pattern: string,
    private flags: i32,
  ) {
    this.extended = (flags & EXTENDED) != 0;
  }

  parse(): Node {
    const node = this.alternatives();
    if (this.error == '' && this.at < this.pattern.length) this.fail('Unmatched ) or \\)');
    if (this.flags & WHOLE_LINE) return wrapped(LINE_START, node, LINE_END);
    if (this.flags & WHOLE_WORD) return wrapped(NO_WORD_BEFORE, node, NO_WORD_AFTER);
    return node;
  }

  private fail(text: string): Node {
    if (this.error == '') this.error = text;
    this.at = this.pattern.length;
    return new Node(EMPTY);
  }

  private get more(): bool {
    return this.at < this.pattern.length;
  }

  private see(offset: i32): i32 {
    return this.at + offset < this.pattern.length ? unit(this.pattern, this.at + offset) : -1;
  }

  /** Is there `\c` (basic) or `c` (extended) here? */
  private operator(c: i32): bool {
    return this.extended ? this.see(0) == c : this.see(0) == 92 && this.see(1) == c;
  }

  private skipOperator(): void {
    this.at += this.extended ? 1 : 2;
  }

  private alternatives(): Node {
    if (++this.depth > DEPTH_MAX) return this.fail('Regular expression too big');
    let node = this.sequence();
    while (this.more && this.operator(124)) {
      this.skipOperator();
      node = Node.pair(ALTERNATE, node, this.sequence());
    }
    this.depth--;
    return node;
  }

  private sequence(): Node {
    let node: Node | null = null;
    let first = true;
    while (this.more && !this.operator(124) && !(this.depth > 1 && this.operator(41))) {
      if (this.extended && this.see(0) == 41) {
        if ((this.flags & PAREN_LITERAL) == 0) {
          this.fail('Unmatched ) or \\)');
          break;
        }
      }
      if (!this.extended && this.see(0) == 92 && this.see(1) == 41) {
        this.fail('Unmatched ) or \\)');
        break;
      }
      const anchored = first && !this.extended && this.see(0) == 94;
      let item = this.atom(first);
      // after the anchor of a basic expression a * is itself
      if (!(anchored && this.see(0) == 42)) item = this.repeated(item);
      else if (this.see(0) == 42) {
        this.at++;
        item = Node.pair(CONCAT, item, this.repeated(this.byte(42)));
      }
      node = node == null ? item : Node.pair(CONCAT, node, item);
      first = false;
    }
    return node == null ? new Node(EMPTY) : node;
  }

  private byte(c: i32): Node {
    const set = ByteSet.of(c);
    if (this.flags & IGNORE_CASE) set.fold();
    return Node.ofSet(set);
  }

  /** The operators `* + ? {n,m}` behind an item. */
  private repeated(item: Node): Node {
    let node = item;
    while (this.more) {
      if (this.see(0) == 42) {
        this.at++;
        node = Node.repeat(node, 0, -1);
      } else if (this.operator(43)) {
        this.skipOperator();
        node = Node.repeat(node, 1, -1);
      } else if (this.operator(63)) {
        this.skipOperator();
        node = Node.repeat(node, 0, 1);
      } else if (this.operator(123)) {
        const start = this.at;
        this.skipOperator();
        const bounded = this.interval(node);
        if (bounded == null) {
          if (!this.extended || this.error != '') {
            this.fail(this.see(0) < 0 ? 'Unmatched { or \\{' : 'Invalid content of \\{\\}');
            return node;
          }
          // not an interval: in an extended expression the brace is itself
          this.at = start + 1;
          return Node.pair(CONCAT, node, this.repeated(this.byte(123)));
        }
        node = bounded;
      } else {
        break;
      }
    }
    return node;
  }

  private number(): i32 {
    let value = -1;
    while (isDigit(this.see(0))) {
      value = min(max(value, 0) * 10 + this.see(0) - 48, REPEAT_MAX + 1);
      this.at++;
    }
    return value;
  }

  private interval(node: Node): Node | null {
    let least = this.number();
    let most = least;
    if (this.see(0) == 44) {
      this.at++;
      most = this.number();
      if (least < 0) least = 0;
    }
    if (least < 0) return null;
    if (!this.operator(125)) return null;
    this.skipOperator();
    if (least > REPEAT_MAX || most > REPEAT_MAX) {
      this.fail('Regular expression too big');
      return node;
    }
    if (most >= 0 && most < least) {
      this.fail('Invalid content of \\{\\}');
      return node;
    }
    return Node.repeat(node, least, most);
  }

  private group(): Node {
    this.skipOperator();
    const number = ++this.groups;
    const inner = this.alternatives();
    if (this.error != '') return inner;
    if (!this.operator(41)) return this.fail('Unmatched ( or \\(');
    this.skipOperator();
    this.closed.push(number);
    return Node.valued(GROUP, number, inner);
  }

  private atom(first: bool): Node {
    const c = this.see(0);
    if (this.operator(40)) return this.group();
    switch (c) {
      case 46: {
        // .
        this.at++;
        const set = new ByteSet();
        set.invert();
        return Node.ofSet(set);
      }
      case 91: // [
        return this.bracket();
      case 94: // ^
        if (this.extended || first) {
          this.at++;
          return Node.valued(ASSERT, LINE_START);
        }
        break;
      case 36: // $
        if (this.extended || this.endsHere()) {
          this.at++;
          return Node.valued(ASSERT, LINE_END);
        }
        break;
      case 42: // *
        // nothing to repeat: itself in a basic expression, nothing in an extended one
        this.at++;
        return this.extended && first ? new Node(EMPTY) : this.byte(42);
      case 43: // +
      case 63: // ?
        if (this.extended && first) {
          this.at++;
          return new Node(EMPTY);
        }
        break;
      case 123: // {
        if (this.extended && first) {
          this.at++;
          return this.byte(123);
        }
        break;
      case 92: // backslash
        return this.escaped();
    }
    this.at++;
    return this.byte(c);
  }

  /** Is a basic expression's `$` the last of its sequence? */
  private endsHere(): bool {
    if (this.see(1) < 0) return true;
    return this.see(1) == 92 && (this.see(2) == 124 || (this.see(2) == 41 && this.depth > 1));
  }

  private escaped(): Node {
    const c = this.see(1);
    if (c < 0) return this.fail('Trailing backslash');
    this.at += 2;
    if (c >= 49 && c <= 57) {
      if (!this.closed.includes(c - 48)) return this.fail('Invalid back reference');
      this.backrefs = true;
      return Node.valued(BACKREF, c - 48);
    }
    const awk = (this.flags & AWK) != 0;
    switch (c) {
      case 119: // w
        return Node.ofSet(wordSet());
      case 87: {
        // W
        const set = wordSet();
        set.invert();
        return Node.ofSet(set);
      }
      case 115: // s
      case 83: {
        // S
        const set = new ByteSet();
        addClass(set, 'space');
        if (c == 83) set.invert();
        return Node.ofSet(set);
      }
      case 98: // b
        if (awk) return this.byte(8);
        return Node.valued(ASSERT, WORD_EDGE);
      case 121: // y
        if (!awk) break;
        return Node.valued(ASSERT, WORD_EDGE);
      case 66: // B
        return Node.valued(ASSERT, NOT_WORD_EDGE);
      case 60: // <
        return Node.valued(ASSERT, WORD_START);
      case 62: // >
        return Node.valued(ASSERT, WORD_END);
      case 96: // `
        return Node.valued(ASSERT, TEXT_START);
      case 39: // quote
        return Node.valued(ASSERT, TEXT_END);
      case 123: // {
        // a basic expression's interval with nothing before it
        if (!this.extended) return this.fail('Invalid preceding regular expression');
        break;
    }
    if (this.flags & ESCAPES) {
      this.at--;
      return this.byte(this.byteEscape());
    }
    return this.byte(c);
  }

  /** The byte that an escape behind a backslash stands for; moves behind it. */
  private byteEscape(): i32 {
    const c = this.see(0);
    this.at++;
    switch (c) {
      case 97: // a
        return 7;
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
      case 120: // x
        return this.digits(16, 2, c);
      case 111: // o
        return this.flags & AWK ? c : this.digits(8, 3, c);
      case 100: // d
        return this.flags & AWK ? c : this.digits(10, 3, c);
      case 99: // c
        if (this.flags & AWK || this.see(0) < 0) return c;
        this.at++;
        return (this.see(-1) & 0xdf) ^ 64;
      default:
        if (this.flags & AWK && c >= 48 && c <= 55) {
          this.at--;
          return this.digits(8, 3, c);
        }
        return c;
    }
  }

  private digits(base: i32, most: i32, otherwise: i32): i32 {
    let value = 0;
    let count = 0;
    while (count < most && digitOf(this.see(0)) >= 0 && digitOf(this.see(0)) < base) {
      value = value * base + digitOf(this.see(0));
      this.at++;
      count++;
    }
    return count == 0 ? otherwise : value & 255;
  }

  private bracket(): Node {
    this.at++;
    const set = new ByteSet();
    const negated = this.see(0) == 94;
    if (negated) this.at++;
    let first = true;
    for (;;) {
      let c = this.see(0);
      if (c < 0) return this.fail('Unmatched [, [^, [:, [., or [=');
      if (c == 93 && !first) break;
      first = false;
      if (c == 91 && (this.see(1) == 58 || this.see(1) == 61)) {
        const kind = this.see(1);
        const name = this.named(kind);
        if (this.error != '') return new Node(EMPTY);
        if (kind == 58) {
          if (this.flags & IGNORE_CASE && (name == 'upper' || name == 'lower')) addClass(set, 'alpha');
          else if (!addClass(set, name)) return this.fail('Invalid character class name');
        } else if (name.length == 1) {
          set.add(unit(name, 0));
        } else {
          return this.fail('Invalid collation character');
        }
        continue;
      }
      c = this.member();
      if (this.error != '') return new Node(EMPTY);
      if (this.see(0) == 45 && this.see(1) != 93 && this.see(1) >= 0) {
        this.at++;
        const to = this.member();
        if (this.error != '') return new Node(EMPTY);
        if (to < c) return this.fail('Invalid range end');
        set.range(c, to);
      } else {
        set.add(c);
      }
    }
    this.at++;
    if (this.flags & IGNORE_CASE) set.fold();
    if (negated) set.invert();
    return Node.ofSet(set);
  }

  /** One byte in brackets: itself, an escape, `[.x.]`. */
  private member(): i32 {
    const c = this.see(0);
    if (c == 91 && this.see(1) == 46) {
      const name = this.named(46);
      if (this.error == '' && name.length != 1) this.fail('Invalid collation character');
      return name.length == 1 ? unit(name, 0) : 0;
    }
    this.at++;
    if (c != 92) return c;
    const next = this.see(0);
    if (this.flags & BRACKET_ESCAPES && next >= 0) return this.byteEscape();
    if (
      this.flags & ESCAPES &&
      (next == 110 || next == 116 || next == 114 || next == 102 || next == 118 || next == 97)
    ) {
      return this.byteEscape();
    }
    if (this.flags & ESCAPES && next == 120 && digitOf(this.see(1)) >= 0) return this.byteEscape();
    return c;
  }

  private named(kind: i32): string {
    const end = this.pattern.indexOf(`${String.fromCharCode(kind)}]`, this.at + 2);
    if (end < 0) {
      this.fail('Unmatched [, [^, [:, [., or [=');
      return '';
    }
    const name = this.pattern.substring(this.at + 2, end);
    this.at = end + 2;
    return name;
  }
}

function wrapped(before: i32, node: Node, after: i32): Node {
  return Node.pair(CONCAT, Node.valued(ASSERT, before), Node.pair(CONCAT, node, Node.valued(ASSERT, after)));
}

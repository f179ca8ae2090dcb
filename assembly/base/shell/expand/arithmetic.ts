/** Arithmetic expansion (XCU 2.6.4): signed 64-bit integers with C's operators, assignments and comma among them. */
import * as c from '../syntax/characters';

/** Where an expression's variables are. */
export abstract class ArithmeticScope {
  /** Its text; empty where it is not set. */
  abstract valueOf(name: string): string;
  /** False where it cannot be set: that has been said. */
  abstract assign(name: string, value: string): bool;
}

const MAX_DEPTH: i32 = 100;

// Precedence of binary operators, of C.
const P_COMMA: i32 = 0;
const P_OR: i32 = 1;
const P_AND: i32 = 2;
const P_BIT_OR: i32 = 3;
const P_BIT_XOR: i32 = 4;
const P_BIT_AND: i32 = 5;
const P_EQUAL: i32 = 6;
const P_COMPARE: i32 = 7;
const P_SHIFT: i32 = 8;
const P_ADD: i32 = 9;
const P_MULTIPLY: i32 = 10;

export class Arithmetic {
  /** What is wrong; empty: nothing. */
  failure: string = '';
  private at: i32 = 0;
  private depth: i32 = 0;
  /** Above 0 in what is not to be evaluated, as the right of `0 && x`. */
  private skipping: i32 = 0;
  /** The name that the operand read last was, if it was one. */
  private name: string = '';
  /** Of the operator `peekBinary` found. */
  private operator: i32 = 0;
  private operatorLength: i32 = 0;

  constructor(
    private text: string,
    private scope: ArithmeticScope,
  ) {}

  /** The value; look at `failure` before using it. */
  evaluate(): i64 {
    this.blanks();
    if (this.at >= this.text.length) return 0;
    const value = this.comma();
    if (this.failure.length == 0 && this.at < this.text.length) this.fail('unexpected');
    return value;
  }

  private fail(what: string): void {
    if (this.failure.length > 0) return;
    const rest = this.text.substring(this.at, this.at + 40);
    this.failure = rest.length > 0 ? `${what} "${rest}"` : `${what} end of expression`;
  }

  private peek(offset: i32 = 0): i32 {
    const at = this.at + offset;
    return at < this.text.length ? this.text.charCodeAt(at) : -1;
  }

  private blanks(): void {
    for (let unit = this.peek(); unit == c.SPACE || (unit >= 9 && unit <= 13); unit = this.peek()) this.at++;
  }

  private accept(text: string): bool {
    this.blanks();
    for (let i = 0; i < text.length; i++) if (this.peek(i) != text.charCodeAt(i)) return false;
    this.at += text.length;
    return true;
  }

  private comma(): i64 {
    let value = this.assignment();
    while (this.failure.length == 0 && this.accept(',')) value = this.assignment();
    return value;
  }

  private assignment(): i64 {
    if (++this.depth > MAX_DEPTH) {
      this.fail('expression nested too deeply at');
      return 0;
    }
    const value = this.conditional();
    this.depth--;
    return value;
  }

  /** `a ? b : c`, and assignments, whose left side turns up as an operand that was a name. */
  private conditional(): i64 {
    this.blanks();
    const start = this.at;
    const value = this.binary(P_OR);
    if (this.failure.length > 0) return 0;
    const operator = this.assignmentOperator();
    if (operator != 0) {
      // the left side must be the name alone
      const name = this.name;
      if (name.length == 0 || !this.isAlone(start, name)) {
        this.fail('assignment to what is no variable before');
        return 0;
      }
      const right = this.assignment();
      if (this.failure.length > 0) return 0;
      const result = operator == c.EQUALS ? right : this.apply(operator, value, right);
      this.set(name, result);
      this.name = '';
      return result;
    }
    if (!this.accept('?')) return value;
    const isTrue = value != 0;
    if (!isTrue) this.skipping++;
    const then = this.comma();
    if (!isTrue) this.skipping--;
    if (this.failure.length == 0 && !this.accept(':')) this.fail('expected ":" before');
    if (this.failure.length > 0) return 0;
    if (isTrue) this.skipping++;
    const otherwise = this.assignment();
    if (isTrue) this.skipping--;
    this.name = '';
    return isTrue ? then : otherwise;
  }

  private leftEnd: i32 = 0;

  private isAlone(start: i32, name: string): bool {
    return this.leftEnd == start + name.length;
  }

  /** 0: none is ahead; `=` itself; or the operator that is applied before the assignment, as `apply` takes it. */
  private assignmentOperator(): i32 {
    this.blanks();
    const first = this.peek();
    if (first == c.EQUALS) {
      if (this.peek(1) == c.EQUALS) return 0;
      this.at++;
      return c.EQUALS;
    }
    let length = 0;
    switch (first) {
      case c.PLUS:
      case c.MINUS:
      case c.STAR:
      case c.SLASH:
      case c.PERCENT:
      case c.AMPERSAND:
      case c.PIPE:
      case c.CARET:
        length = 1;
        break;
      case c.LESS:
      case c.GREATER:
        if (this.peek(1) != first) return 0;
        length = 2;
        break;
      default:
        return 0;
    }
    if (this.peek(length) != c.EQUALS) return 0;
    this.at += length + 1;
    return length == 2 ? first | (first << 8) : first;
  }

  private binary(precedence: i32): i64 {
    let left = this.unary();
    while (true) {
      if (this.failure.length > 0) return 0;
      const level = this.peekBinary();
      if (level < precedence) return left;
      const operator = this.operator;
      this.at += this.operatorLength;
      this.name = '';
      if (level == P_AND || level == P_OR) {
        const isDecided = level == P_AND ? left == 0 : left != 0;
        if (isDecided) this.skipping++;
        const right = this.binary(level + 1);
        if (isDecided) this.skipping--;
        left = level == P_AND ? i64(left != 0 && right != 0) : i64(left != 0 || right != 0);
      } else {
        const right = this.binary(level + 1);
        if (this.failure.length > 0) return 0;
        left = this.apply(operator, left, right);
      }
      this.name = '';
    }
  }

  /** Precedence of the binary operator ahead; -1: none. */
  private peekBinary(): i32 {
    this.blanks();
    const first = this.peek();
    const second = this.peek(1);
    const isAssigning = second == c.EQUALS;
    let length = 1;
    let level = -1;
    switch (first) {
      case c.PIPE:
        if (second == c.PIPE) {
          length = 2;
          level = P_OR;
        } else if (!isAssigning) level = P_BIT_OR;
        break;
      case c.AMPERSAND:
        if (second == c.AMPERSAND) {
          length = 2;
          level = P_AND;
        } else if (!isAssigning) level = P_BIT_AND;
        break;
      case c.CARET:
        if (!isAssigning) level = P_BIT_XOR;
        break;
      case c.EQUALS:
      case c.BANG:
        if (isAssigning) {
          length = 2;
          level = P_EQUAL;
        }
        break;
      case c.LESS:
      case c.GREATER:
        if (second == first) {
          if (this.peek(2) == c.EQUALS) break;
          length = 2;
          level = P_SHIFT;
        } else {
          length = isAssigning ? 2 : 1;
          level = P_COMPARE;
        }
        break;
      case c.PLUS:
      case c.MINUS:
        if (!isAssigning) level = P_ADD;
        break;
      case c.STAR:
      case c.SLASH:
      case c.PERCENT:
        if (!isAssigning) level = P_MULTIPLY;
        break;
    }
    this.operator = length == 2 ? first | (second << 8) : first;
    this.operatorLength = length;
    return level;
  }

  /** `operator`: its first unit, and 256 times its second one. */
  private apply(operator: i32, left: i64, right: i64): i64 {
    switch (operator) {
      case c.PLUS:
        return left + right;
      case c.MINUS:
        return left - right;
      case c.STAR:
        return left * right;
      case c.SLASH:
      case c.PERCENT:
        if (right == 0) {
          if (this.skipping == 0) this.failure = 'division by zero';
          return 0;
        }
        // the one quotient that does not fit
        if (right == -1) return operator == c.SLASH ? 0 - left : 0;
        return operator == c.SLASH ? left / right : left % right;
      case c.AMPERSAND:
        return left & right;
      case c.PIPE:
        return left | right;
      case c.CARET:
        return left ^ right;
      case c.LESS:
        return i64(left < right);
      case c.GREATER:
        return i64(left > right);
      case c.LESS | (c.LESS << 8):
        return left << (right & 63);
      case c.GREATER | (c.GREATER << 8):
        return left >> (right & 63);
      case c.EQUALS | (c.EQUALS << 8):
        return i64(left == right);
      case c.BANG | (c.EQUALS << 8):
        return i64(left != right);
      case c.LESS | (c.EQUALS << 8):
        return i64(left <= right);
    }
    return i64(left >= right);
  }

  private unary(): i64 {
    if (++this.depth > MAX_DEPTH) {
      this.fail('expression nested too deeply at');
      return 0;
    }
    const value = this.operand();
    this.depth--;
    return value;
  }

  private operand(): i64 {
    this.blanks();
    this.name = '';
    const first = this.peek();
    if ((first == c.PLUS || first == c.MINUS) && this.peek(1) == first) {
      // ++x, where a name follows; else two signs
      const start = this.at;
      this.at += 2;
      this.blanks();
      if (c.isNameStart(this.peek())) {
        const name = this.readName();
        const value = this.lookUp(name) + (first == c.PLUS ? 1 : -1);
        this.set(name, value);
        this.name = '';
        return value;
      }
      this.at = start;
    }
    switch (first) {
      case c.PLUS:
        this.at++;
        return this.after(this.unary());
      case c.MINUS:
        this.at++;
        return this.after(0 - this.unary());
      case c.BANG:
        this.at++;
        return this.after(i64(this.unary() == 0));
      case c.TILDE:
        this.at++;
        return this.after(~this.unary());
      case c.OPEN: {
        this.at++;
        const value = this.comma();
        if (this.failure.length == 0 && !this.accept(')')) this.fail('expected ")" before');
        return this.after(value);
      }
    }
    if (c.isDigit(first)) return this.number();
    if (!c.isNameStart(first)) {
      this.fail('expected a value before');
      return 0;
    }
    const name = this.readName();
    const value = this.lookUp(name);
    this.leftEnd = this.at;
    this.blanks();
    const sign = this.peek();
    if ((sign == c.PLUS || sign == c.MINUS) && this.peek(1) == sign && !this.beginsOperand(2)) {
      this.at += 2;
      this.set(name, value + (sign == c.PLUS ? 1 : -1));
      return value;
    }
    this.name = name;
    return value;
  }

  /** `x++ + y` is an increment, `x++y` would be `x + (+y)`. */
  private beginsOperand(offset: i32): bool {
    const unit = this.peek(offset);
    return c.isNamePart(unit) || unit == c.OPEN;
  }

  private after(value: i64): i64 {
    this.name = '';
    return value;
  }

  private readName(): string {
    const start = this.at;
    while (c.isNamePart(this.peek())) this.at++;
    return this.text.substring(start, this.at);
  }

  private number(): i64 {
    const start = this.at;
    while (c.isNamePart(this.peek())) this.at++;
    const text = this.text.substring(start, this.at);
    const parsed = parseConstant(text);
    if (!constantIsGood) this.failure = `bad number: ${text}`;
    return parsed;
  }

  private lookUp(name: string): i64 {
    if (this.skipping > 0) return 0;
    const text = trimmed(this.scope.valueOf(name));
    if (text.length == 0) return 0;
    const value = parseConstant(text);
    if (constantIsGood) return value;
    // assigned to next: what it holds now does not matter
    this.blanks();
    if (this.peek() == c.EQUALS && this.peek(1) != c.EQUALS) return 0;
    this.failure = `bad number: ${text}`;
    return 0;
  }

  private set(name: string, value: i64): void {
    if (this.skipping > 0) return;
    if (!this.scope.assign(name, value.toString())) this.failure = `cannot set ${name}`;
  }
}

let constantIsGood: bool = true;

/** Decimal, 0 octal, 0x hexadecimal, with a sign; says in `constantIsGood` whether it was one. */
function parseConstant(text: string): i64 {
  let at = 0;
  let negative = false;
  const length = text.length;
  constantIsGood = false;
  if (length > 0 && (text.charCodeAt(0) == c.MINUS || text.charCodeAt(0) == c.PLUS)) {
    negative = text.charCodeAt(0) == c.MINUS;
    at++;
  }
  let base: i64 = 10;
  if (at + 1 < length && text.charCodeAt(at) == 0x30) {
    if ((text.charCodeAt(at + 1) | 0x20) == 0x78) {
      base = 16;
      at += 2;
    } else {
      base = 8;
      at++;
    }
  }
  if (at >= length) return 0;
  let value: i64 = 0;
  for (; at < length; at++) {
    const unit = text.charCodeAt(at);
    const lower = unit | 0x20;
    let digit: i64 = 99;
    if (c.isDigit(unit)) digit = unit - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x57;
    if (digit >= base) return 0;
    value = value * base + digit;
  }
  constantIsGood = true;
  return negative ? 0 - value : value;
}

function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

function isBlank(unit: i32): bool {
  return unit == c.SPACE || (unit >= 9 && unit <= 13);
}

/** The words of an awk program. */
import { digitOf, numberEnd, parseFloatAt } from '../../io/number';
import { isAlnum, isAlpha, isDigit, Text, unit } from '../../io/text';

export const T_END: i32 = 0;
export const T_NEWLINE: i32 = 1;
export const T_NUMBER: i32 = 2;
export const T_STRING: i32 = 3;
export const T_NAME: i32 = 4;
/** A name with a parenthesis right behind it. */
export const T_CALL: i32 = 5;
/** A word of the language, or a function of it; `text` says which. */
export const T_WORD: i32 = 6;
/** `text` says which. */
export const T_OPERATOR: i32 = 7;

const WORDS: StaticArray<string> = [
  'BEGIN',
  'END',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
];
const LONG: StaticArray<string> = [
  '**=',
  '&&',
  '||',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '==',
  '<=',
  '>=',
  '!=',
  '!~',
  '>>',
  '**',
];

export class Lexer {
  kind: i32 = T_NEWLINE;
  text: string = '';
  number: f64 = 0;
  line: i32 = 1;
  error: string = '';
  private at: i32 = 0;
  /** Where the current word begins. */
  private start: i32 = 0;

  constructor(
    private source: string,
    private builtins: StaticArray<string>,
  ) {}

  private get c(): i32 {
    return this.at < this.source.length ? unit(this.source, this.at) : -1;
  }

  is(text: string): bool {
    return (this.kind == T_OPERATOR || this.kind == T_WORD) && this.text == text;
  }

  next(): void {
    this.skip();
    this.start = this.at;
    const c = this.c;
    if (c < 0) {
      this.kind = T_END;
      this.text = 'end of program';
    } else if (c == 10) {
      this.at++;
      this.line++;
      this.kind = T_NEWLINE;
      this.text = 'newline';
    } else if (isDigit(c) || (c == 46 && this.at + 1 < this.source.length && isDigit(unit(this.source, this.at + 1)))) {
      this.readNumber();
    } else if (isAlpha(c) || c == 95) {
      this.name();
    } else if (c == 34) {
      this.at++;
      this.kind = T_STRING;
      this.text = this.quoted(34);
    } else {
      this.operator();
    }
  }

  private skip(): void {
    while (this.at < this.source.length) {
      const c = this.c;
      if (c == 32 || c == 9 || c == 13) {
        this.at++;
      } else if (c == 92 && this.at + 1 < this.source.length && unit(this.source, this.at + 1) == 10) {
        this.at += 2;
        this.line++;
      } else if (c == 92 && this.source.substring(this.at + 1, this.at + 3) == '\r\n') {
        this.at += 3;
        this.line++;
      } else if (c == 35) {
        while (this.c >= 0 && this.c != 10) this.at++;
      } else {
        break;
      }
    }
  }

  private readNumber(): void {
    this.kind = T_NUMBER;
    if (
      this.c == 48 &&
      this.at + 2 < this.source.length &&
      (unit(this.source, this.at + 1) | 32) == 120 &&
      digitOf(unit(this.source, this.at + 2)) >= 0
    ) {
      this.at += 2;
      this.number = 0;
      while (digitOf(this.c) >= 0) this.number = this.number * 16 + digitOf(unit(this.source, this.at++));
    } else {
      this.number = parseFloatAt(this.source, this.at);
      this.at = numberEnd();
    }
    this.text = this.source.substring(this.start, this.at);
  }

  private name(): void {
    while (isAlnum(this.c) || this.c == 95) this.at++;
    this.text = this.source.substring(this.start, this.at);
    for (let i = 0; i < WORDS.length; i++) {
      if (WORDS[i] == this.text) {
        if (this.text == 'func') this.text = 'function';
        this.kind = T_WORD;
        return;
      }
    }
    for (let i = 0; i < this.builtins.length; i++) {
      if (this.builtins[i] == this.text) {
        this.kind = T_WORD;
        return;
      }
    }
    this.kind = this.c == 40 ? T_CALL : T_NAME;
  }

  private operator(): void {
    this.kind = T_OPERATOR;
    for (let i = 0; i < LONG.length; i++) {
      if (this.source.substr(this.at, LONG[i].length) != LONG[i]) continue;
      this.at += LONG[i].length;
      this.text = LONG[i] == '**' ? '^' : LONG[i] == '**=' ? '^=' : LONG[i];
      return;
    }
    this.text = String.fromCharCode(this.c);
    if (!'{}()[];,+-*/%^!<>|?:~$=&'.includes(this.text)) this.error = `unexpected character '${this.text}'`;
    this.at++;
  }

  /** The text of a regular expression whose `/`, or `/=`, is the current word. */
  regex(): string {
    this.at = this.start + 1;
    const text = new Text();
    let inBracket = false;
    for (;;) {
      const c = this.c;
      if (c < 0 || c == 10) {
        this.error = 'unterminated regular expression';
        break;
      }
      this.at++;
      if (c == 47 && !inBracket) break;
      if (c == 92 && this.c >= 0) {
        if (this.c != 47) text.byte(92);
        text.byte(this.c);
        this.at++;
        continue;
      }
      if (c == 91 && !inBracket) {
        inBracket = true;
        text.byte(c);
        if (this.c == 94) text.byte(unit(this.source, this.at++));
        if (this.c == 93) text.byte(unit(this.source, this.at++));
        continue;
      }
      if (c == 91 && this.c == 58) {
        const end = this.source.indexOf(':]', this.at);
        if (end > 0) {
          text.text(this.source.substring(this.at - 1, end + 2));
          this.at = end + 2;
          continue;
        }
      }
      if (c == 93) inBracket = false;
      text.byte(c);
    }
    return text.toString();
  }

  private quoted(quote: i32): string {
    const end = new Text();
    for (;;) {
      const c = this.c;
      if (c < 0 || c == 10) {
        this.error = 'unterminated string';
        break;
      }
      this.at++;
      if (c == quote) break;
      if (c != 92) {
        end.byte(c);
        continue;
      }
      if (this.c < 0) break;
      if (this.c == 10) {
        this.at++;
        this.line++;
        continue;
      }
      this.at = appendEscape(this.source, this.at, end);
    }
    return end.toString();
  }
}

/** Appends what the escape behind a backslash at `at` stands for; where it ends. */
export function appendEscape(source: string, at: i32, target: Text): i32 {
  const c = unit(source, at);
  switch (c) {
    case 110: // n
      target.byte(10);
      return at + 1;
    case 116: // t
      target.byte(9);
      return at + 1;
    case 114: // r
      target.byte(13);
      return at + 1;
    case 97: // a
      target.byte(7);
      return at + 1;
    case 98: // b
      target.byte(8);
      return at + 1;
    case 102: // f
      target.byte(12);
      return at + 1;
    case 118: // v
      target.byte(11);
      return at + 1;
    case 92: // backslash
    case 34: // "
    case 47: // /
      target.byte(c);
      return at + 1;
    case 120: {
      // x
      let next = at + 1;
      let value = 0;
      while (next < source.length && next < at + 3 && digitOf(unit(source, next)) >= 0)
        value = value * 16 + digitOf(unit(source, next++));
      if (next == at + 1) break;
      target.byte(value);
      return next;
    }
  }
  if (c >= 48 && c <= 55) {
    let next = at;
    let value = 0;
    while (next < source.length && next < at + 3 && unit(source, next) >= 48 && unit(source, next) <= 55)
      value = value * 8 + unit(source, next++) - 48;
    target.byte(value);
    return next;
  }
  target.byte(92);
  target.byte(c);
  return at + 1;
}

/** A text with its escapes replaced, as of -v and of assignments among the operands. */
export function unescaped(source: string): string {
  const text = new Text();
  for (let at = 0; at < source.length; ) {
    if (unit(source, at) == 92 && at + 1 < source.length) at = appendEscape(source, at + 1, text);
    else text.byte(unit(source, at++));
  }
  return text.toString();
}

/** Tokens of a script (XCU 2.3), and the words among them with their quotes and expansions (2.2). */
import { TextBuffer } from '../text-buffer';
import { LITERAL, Part, QUOTED, Redirect, Word } from './ast';
import * as c from './characters';
import { readBackquotes, readDollar } from './expansions';
import { Source } from './source';

/** Kinds of token. */
export const T_END: i32 = 0;
export const T_NEWLINE: i32 = 1;
export const T_WORD: i32 = 2;
/** Digits right before a redirection. */
export const T_NUMBER: i32 = 3;
export const T_AND: i32 = 4;
export const T_AND_AND: i32 = 5;
export const T_OR: i32 = 6;
export const T_OR_OR: i32 = 7;
export const T_SEMICOLON: i32 = 8;
export const T_CASE_END: i32 = 9;
export const T_CASE_ON: i32 = 10;
export const T_OPEN: i32 = 11;
export const T_CLOSE: i32 = 12;
/** From here on: redirections. */
export const T_LESS: i32 = 13;
export const T_GREATER: i32 = 14;
export const T_APPEND: i32 = 15;
export const T_CLOBBER: i32 = 16;
export const T_READ_WRITE: i32 = 17;
export const T_LESS_AND: i32 = 18;
export const T_GREATER_AND: i32 = 19;
export const T_HERE: i32 = 20;
export const T_HERE_STRIP: i32 = 21;

const NAMES: StaticArray<string> = [
  'end of file',
  'newline',
  'word',
  'number',
  '&',
  '&&',
  '|',
  '||',
  ';',
  ';;',
  ';&',
  '(',
  ')',
  '<',
  '>',
  '>>',
  '>|',
  '<>',
  '<&',
  '>&',
  '<<',
  '<<-',
];

/** How deep constructs may lie within each other: what the host's stack holds, with room to spare. */
const MAX_DEPTH: i32 = 200;

export class Lexer {
  position: i32 = 0;
  line: i32;
  /** What is wrong, in the words of the message; empty: nothing. From then on there is only T_END. */
  failure: string = '';
  failureLine: i32 = 0;
  /** Here-documents whose bodies follow the next newline. */
  pending: Array<Redirect> = [] as Redirect[];
  depth: i32 = 0;
  /** Of the token read last. */
  word: Word = new Word();
  tokenLine: i32 = 0;

  constructor(public source: Source) {
    this.line = source.line;
  }

  fail(message: string): void {
    if (this.failure.length > 0) return;
    this.failure = message;
    this.failureLine = this.line;
  }

  /** Notes that one more construct is open; false where that is too many. */
  enter(): bool {
    if (++this.depth <= MAX_DEPTH) return true;
    this.fail('commands nested too deeply');
    return false;
  }

  leave(): void {
    this.depth--;
  }

  /** Lets go of the text behind: nothing goes back to it. */
  forget(): void {
    if (this.position < 4096) return;
    this.source.text = this.source.text.substring(this.position);
    this.position = 0;
  }

  /** The unit so many places ahead; -1 at the end. */
  ahead(offset: i32): i32 {
    if (this.failure.length > 0) return -1;
    const at = this.position + offset;
    while (at >= this.source.text.length) if (!this.source.more()) return -1;
    return this.source.text.charCodeAt(at);
  }

  /** The next unit where a backslash and a newline are nothing. */
  peek(): i32 {
    while (true) {
      const unit = this.ahead(0);
      if (unit != c.BACKSLASH || this.ahead(1) != c.NEWLINE) return unit;
      this.position += 2;
      this.line++;
    }
  }

  /** Takes the next unit; counts lines. */
  take(): i32 {
    const unit = this.ahead(0);
    if (unit < 0) return unit;
    this.position++;
    if (unit == c.NEWLINE) this.line++;
    return unit;
  }

  private is(unit: i32): bool {
    if (this.peek() != unit) return false;
    this.position++;
    return true;
  }

  /** Reads a token: its kind. */
  next(): i32 {
    this.blanks();
    this.tokenLine = this.line;
    const unit = this.peek();
    if (unit < 0) return T_END;
    switch (unit) {
      case c.NEWLINE: {
        this.take();
        this.readHereDocuments();
        return T_NEWLINE;
      }
      case c.AMPERSAND:
        this.position++;
        return this.is(c.AMPERSAND) ? T_AND_AND : T_AND;
      case c.PIPE:
        this.position++;
        return this.is(c.PIPE) ? T_OR_OR : T_OR;
      case c.SEMICOLON:
        this.position++;
        if (this.is(c.SEMICOLON)) return T_CASE_END;
        return this.is(c.AMPERSAND) ? T_CASE_ON : T_SEMICOLON;
      case c.OPEN:
        this.position++;
        return T_OPEN;
      case c.CLOSE:
        this.position++;
        return T_CLOSE;
      case c.LESS:
        this.position++;
        if (this.is(c.GREATER)) return T_READ_WRITE;
        if (this.is(c.AMPERSAND)) return T_LESS_AND;
        if (!this.is(c.LESS)) return T_LESS;
        return this.is(c.MINUS) ? T_HERE_STRIP : T_HERE;
      case c.GREATER:
        this.position++;
        if (this.is(c.GREATER)) return T_APPEND;
        if (this.is(c.AMPERSAND)) return T_GREATER_AND;
        return this.is(c.PIPE) ? T_CLOBBER : T_GREATER;
    }
    this.word = this.readWord();
    if (this.failure.length > 0) return T_END;
    const plain = this.word.plain;
    const after = this.peek();
    if (plain !== null && plain.length > 0 && (after == c.LESS || after == c.GREATER) && allDigits(plain))
      return T_NUMBER;
    return T_WORD;
  }

  private blanks(): void {
    while (true) {
      const unit = this.peek();
      if (unit == c.SPACE || unit == c.TAB) {
        this.position++;
      } else if (unit == c.HASH) {
        // a comment's backslash at the end of its line goes nowhere
        while (this.ahead(0) >= 0 && this.ahead(0) != c.NEWLINE) this.position++;
      } else return;
    }
  }

  /** A word outside of quotes, up to what ends it. */
  private readWord(): Word {
    const word = new Word();
    const literal = new TextBuffer();
    while (true) {
      const unit = this.peek();
      if (unit < 0 || endsWord(unit)) break;
      if (!this.readQuoted(word, literal, unit)) {
        this.take();
        literal.push(unit);
      }
    }
    flushLiteral(word, literal);
    return word;
  }

  /** Quotes and expansions outside of double quotes. False where the unit is an ordinary one. */
  readQuoted(word: Word, literal: TextBuffer, unit: i32): bool {
    switch (unit) {
      case c.BACKSLASH: {
        this.take();
        flushLiteral(word, literal);
        const next = this.take();
        word.parts.push(new Part(QUOTED, String.fromCharCode(next < 0 ? c.BACKSLASH : next), true));
        return true;
      }
      case c.QUOTE:
        flushLiteral(word, literal);
        this.take();
        word.parts.push(new Part(QUOTED, this.readSingleQuotes(), true));
        return true;
      case c.DOUBLE_QUOTE:
        flushLiteral(word, literal);
        this.take();
        this.readDoubleQuotes(word);
        return true;
      case c.DOLLAR:
        readDollar(this, word, literal, false);
        return true;
      case c.BACKQUOTE:
        flushLiteral(word, literal);
        readBackquotes(this, word, false);
        return true;
    }
    return false;
  }

  private readSingleQuotes(): string {
    const text = new TextBuffer();
    while (true) {
      const unit = this.take();
      if (unit == c.QUOTE) return text.toString();
      if (unit < 0) {
        this.fail("unexpected end of file while looking for the other '");
        return '';
      }
      text.push(unit);
    }
  }

  private readDoubleQuotes(word: Word): void {
    if (!this.enter()) return;
    const before = word.parts.length;
    const text = new TextBuffer();
    while (true) {
      const unit = this.peek();
      if (unit < 0) {
        this.fail('unexpected end of file while looking for the other "');
        break;
      }
      if (unit == c.DOUBLE_QUOTE) {
        this.take();
        break;
      }
      this.readInQuotes(word, text, unit, c.DOUBLE_QUOTE);
    }
    flushQuoted(word, text);
    if (word.parts.length == before) word.parts.push(new Part(QUOTED, '', true));
    this.leave();
  }

  /** What is special between double quotes and in here-documents; `closer` can be escaped, too. */
  readInQuotes(word: Word, text: TextBuffer, unit: i32, closer: i32): void {
    if (unit == c.BACKSLASH) {
      this.take();
      const next = this.ahead(0);
      const isInBraces = closer == c.CLOSE_BRACE && next == c.DOUBLE_QUOTE;
      if (next == c.DOLLAR || next == c.BACKQUOTE || next == c.BACKSLASH || next == closer || isInBraces)
        text.push(this.take());
      else text.push(unit);
    } else if (unit == c.DOLLAR) {
      readDollar(this, word, text, true);
    } else if (unit == c.BACKQUOTE) {
      flushQuoted(word, text);
      readBackquotes(this, word, true);
    } else {
      this.take();
      text.push(unit);
    }
  }

  private readHereDocuments(): void {
    const pending = this.pending;
    for (let i = 0; i < pending.length; i++) this.readHereDocument(pending[i]);
    pending.length = 0;
  }

  private readHereDocument(redirect: Redirect): void {
    const end = new TextBuffer();
    let isQuoted = false;
    const parts = redirect.target.parts;
    for (let i = 0; i < parts.length; i++) {
      if (parts[i].kind == QUOTED) isQuoted = true;
      else if (parts[i].kind != LITERAL) end.push(c.DOLLAR);
      end.append(parts[i].text);
    }
    const delimiter = end.toString();
    const line = this.line;
    const body = new TextBuffer();
    while (true) {
      const start = body.length;
      if (!this.readHereLine(body, redirect.strips, isQuoted, delimiter)) {
        body.truncate(start);
        break;
      }
    }
    const text = body.toString();
    redirect.body = isQuoted ? quotedWord(text) : this.hereWord(text, line);
  }

  /** Appends a line; false if it was the last, which is no part of the document. */
  private readHereLine(body: TextBuffer, strips: bool, isQuoted: bool, delimiter: string): bool {
    const start = body.length;
    if (strips) while (this.ahead(0) == c.TAB) this.position++;
    if (this.ahead(0) < 0) return false;
    let isJoined = false;
    while (true) {
      const unit = this.take();
      if (unit < 0 || unit == c.NEWLINE) {
        if (!isJoined && body.length - start == delimiter.length && endsWith(body, start, delimiter)) return false;
        if (unit < 0) return body.length > start;
        body.push(unit);
        return true;
      }
      body.push(unit);
      if (isQuoted || unit != c.BACKSLASH) continue;
      // an escaped newline joins the next line to this one, so that one cannot be the delimiter
      const next = this.ahead(0);
      if (next < 0) continue;
      body.push(this.take());
      if (next == c.NEWLINE) {
        isJoined = true;
        if (strips) while (this.ahead(0) == c.TAB) this.position++;
      }
    }
  }

  private hereWord(text: string, line: i32): Word {
    const word = new Word();
    if (!this.enter()) return word;
    const lexer = new Lexer(new Source(text, line));
    lexer.depth = this.depth;
    const buffer = new TextBuffer();
    for (let unit = lexer.peek(); unit >= 0; unit = lexer.peek()) lexer.readInQuotes(word, buffer, unit, -1);
    flushQuoted(word, buffer);
    if (lexer.failure.length > 0) this.fail(lexer.failure);
    this.leave();
    return word;
  }
}

/** A token as a message names it. */
export function tokenName(kind: i32, word: Word): string {
  if (kind != T_WORD && kind != T_NUMBER) return kind <= T_NEWLINE ? NAMES[kind] : `"${NAMES[kind]}"`;
  const plain = word.plain;
  return plain === null ? 'word' : `"${plain}"`;
}

export function flushLiteral(word: Word, text: TextBuffer): void {
  if (text.length > 0) word.parts.push(new Part(LITERAL, text.take(), false));
}

export function flushQuoted(word: Word, text: TextBuffer): void {
  if (text.length > 0) word.parts.push(new Part(QUOTED, text.take(), true));
}

function quotedWord(text: string): Word {
  const word = new Word();
  word.parts.push(new Part(QUOTED, text, true));
  return word;
}

function endsWord(unit: i32): bool {
  switch (unit) {
    case c.SPACE:
    case c.TAB:
    case c.NEWLINE:
    case c.AMPERSAND:
    case c.PIPE:
    case c.SEMICOLON:
    case c.OPEN:
    case c.CLOSE:
    case c.LESS:
    case c.GREATER:
      return true;
  }
  return false;
}

function allDigits(text: string): bool {
  for (let i = 0; i < text.length; i++) if (!c.isDigit(text.charCodeAt(i))) return false;
  return text.length < 9;
}

function endsWith(body: TextBuffer, start: i32, text: string): bool {
  for (let i = 0; i < text.length; i++) if (body.at(start + i) != text.charCodeAt(i)) return false;
  return true;
}

/** What begins with a dollar sign or a backquote (XCU 2.6): parameters, commands, arithmetic, `$'...'`. */
import { TextBuffer } from '../text-buffer';
import {
  ALTERNATE,
  ARITHMETIC,
  ASSIGN,
  BAD,
  COMMAND,
  DEFAULT,
  ERROR,
  LENGTH,
  LONG_PREFIX,
  LONG_SUFFIX,
  Node,
  PARAMETER,
  Part,
  PREFIX,
  QUOTED,
  Redirect,
  SUFFIX,
  Word,
} from './ast';
import * as c from './characters';
import { flushLiteral, flushQuoted, Lexer, T_CLOSE, T_END } from './lexer';
import { Parser } from './parser';
import { Source } from './source';

/** At a `$`. `text` holds what came before it in the word and is not yet a part. */
export function readDollar(lexer: Lexer, word: Word, text: TextBuffer, quoted: bool): void {
  lexer.take();
  const unit = lexer.peek();
  if (unit == c.OPEN_BRACE) {
    flush(word, text, quoted);
    lexer.take();
    readBraces(lexer, word, quoted);
  } else if (unit == c.OPEN) {
    flush(word, text, quoted);
    lexer.take();
    readParentheses(lexer, word, quoted);
  } else if (c.isNameStart(unit)) {
    flush(word, text, quoted);
    word.parts.push(new Part(PARAMETER, readName(lexer), quoted));
  } else if (unit >= 0 && c.isSpecialParameter(unit)) {
    flush(word, text, quoted);
    lexer.take();
    word.parts.push(new Part(PARAMETER, String.fromCharCode(unit), quoted));
  } else if (unit == c.QUOTE && !quoted) {
    flush(word, text, quoted);
    lexer.take();
    word.parts.push(new Part(QUOTED, readDollarQuotes(lexer), true));
  } else {
    text.push(c.DOLLAR);
  }
}

function flush(word: Word, text: TextBuffer, quoted: bool): void {
  if (quoted) flushQuoted(word, text);
  else flushLiteral(word, text);
}

function readName(lexer: Lexer): string {
  const name = new TextBuffer();
  for (let unit = lexer.peek(); unit >= 0 && c.isNamePart(unit); unit = lexer.peek()) name.push(lexer.take());
  return name.toString();
}

/** After `${`. */
function readBraces(lexer: Lexer, word: Word, quoted: bool): void {
  if (!lexer.enter()) return;
  const part = new Part(PARAMETER, '', quoted);
  word.parts.push(part);
  let unit = lexer.peek();
  if (unit == c.HASH) {
    lexer.take();
    unit = lexer.peek();
    if (unit == c.CLOSE_BRACE) part.text = '#';
    else if (isOperator(unit) && !isLengthOfSpecial(lexer, unit)) part.text = '#';
    else part.operator = LENGTH;
  }
  if (part.text.length == 0) part.text = readParameterName(lexer);
  if (part.text.length == 0) part.operator = BAD;
  unit = lexer.peek();
  if (part.operator == 0 && unit != c.CLOSE_BRACE) {
    readOperator(lexer, part);
    if (part.operator != BAD) {
      const isPattern = part.operator >= PREFIX;
      part.word = readBraceWord(lexer, quoted && !isPattern);
    }
  }
  if (lexer.peek() != c.CLOSE_BRACE) part.operator = BAD;
  for (let next = lexer.peek(); next != c.CLOSE_BRACE; next = lexer.peek()) {
    if (next < 0) {
      lexer.fail('unexpected end of file while looking for the matching }');
      break;
    }
    lexer.take();
  }
  lexer.take();
  lexer.leave();
}

/** `${#-}`, `${#?}` and the like are lengths; `${#-x}` and `${#?x}` are of `$#`. */
function isLengthOfSpecial(lexer: Lexer, unit: i32): bool {
  return c.isSpecialParameter(unit) && lexer.ahead(1) == c.CLOSE_BRACE;
}

function isOperator(unit: i32): bool {
  switch (unit) {
    case c.COLON:
    case c.MINUS:
    case c.EQUALS:
    case c.QUESTION:
    case c.PLUS:
    case c.PERCENT:
    case c.HASH:
      return true;
  }
  return false;
}

function readParameterName(lexer: Lexer): string {
  const unit = lexer.peek();
  if (unit < 0) return '';
  if (c.isNameStart(unit)) return readName(lexer);
  if (c.isDigit(unit)) {
    const digits = new TextBuffer();
    while (c.isDigit(lexer.peek())) digits.push(lexer.take());
    return digits.toString();
  }
  if (!c.isSpecialParameter(unit)) return '';
  lexer.take();
  return String.fromCharCode(unit);
}

function readOperator(lexer: Lexer, part: Part): void {
  let unit = lexer.take();
  if (unit == c.COLON) {
    part.colon = true;
    unit = lexer.peek();
    if (unit != c.MINUS && unit != c.EQUALS && unit != c.QUESTION && unit != c.PLUS) {
      part.operator = BAD;
      return;
    }
    lexer.take();
  }
  switch (unit) {
    case c.MINUS:
      part.operator = DEFAULT;
      return;
    case c.EQUALS:
      part.operator = ASSIGN;
      return;
    case c.QUESTION:
      part.operator = ERROR;
      return;
    case c.PLUS:
      part.operator = ALTERNATE;
      return;
    case c.HASH:
      part.operator = PREFIX;
      if (lexer.peek() != c.HASH) return;
      lexer.take();
      part.operator = LONG_PREFIX;
      return;
    case c.PERCENT:
      part.operator = SUFFIX;
      if (lexer.peek() != c.PERCENT) return;
      lexer.take();
      part.operator = LONG_SUFFIX;
      return;
  }
  part.operator = BAD;
}

/** Up to the brace that closes, which stays. */
function readBraceWord(lexer: Lexer, quoted: bool): Word {
  const word = new Word();
  const text = new TextBuffer();
  while (true) {
    const unit = lexer.peek();
    if (unit < 0 || unit == c.CLOSE_BRACE) break;
    if (!quoted) {
      if (lexer.readQuoted(word, text, unit)) continue;
      text.push(lexer.take());
    } else if (unit == c.DOUBLE_QUOTE) {
      flushQuoted(word, text);
      lexer.readQuoted(word, text, unit);
    } else {
      lexer.readInQuotes(word, text, unit, c.CLOSE_BRACE);
    }
  }
  flush(word, text, quoted);
  return word;
}

/** After `$(`: arithmetic if it ends in `))`, else a command. */
function readParentheses(lexer: Lexer, word: Word, quoted: bool): void {
  if (!lexer.enter()) return;
  if (lexer.peek() == c.OPEN) {
    const position = lexer.position;
    const line = lexer.line;
    lexer.take();
    const expression = new Word();
    if (readArithmetic(lexer, expression)) {
      const part = new Part(ARITHMETIC, '', quoted);
      part.word = expression;
      word.parts.push(part);
      lexer.leave();
      return;
    }
    lexer.position = position;
    lexer.line = line;
  }
  const part = new Part(COMMAND, '', quoted);
  part.command = readCommand(lexer);
  word.parts.push(part);
  lexer.leave();
}

/** A list of commands and the parenthesis after it. */
function readCommand(lexer: Lexer): Node | null {
  const outer = lexer.pending;
  lexer.pending = [] as Redirect[];
  const parser = new Parser(lexer);
  const list = parser.substitution(T_CLOSE);
  // a here-document whose body did not come before the parenthesis: it comes after this line
  for (let i = 0; i < lexer.pending.length; i++) outer.push(lexer.pending[i]);
  lexer.pending = outer;
  return list;
}

/** Up to `))` of the same level; false where there is none, or a parenthesis closes what was not opened here. */
function readArithmetic(lexer: Lexer, word: Word): bool {
  const text = new TextBuffer();
  let level = 0;
  while (true) {
    const unit = lexer.peek();
    if (unit < 0) {
      lexer.fail('unexpected end of file while looking for the matching ))');
      return true;
    }
    if (unit == c.OPEN) {
      level++;
    } else if (unit == c.CLOSE) {
      if (level == 0) {
        if (lexer.ahead(1) != c.CLOSE) return false;
        lexer.position += 2;
        flushQuoted(word, text);
        return true;
      }
      level--;
    }
    if (unit == c.DOUBLE_QUOTE) lexer.take();
    else lexer.readInQuotes(word, text, unit, c.DOUBLE_QUOTE);
  }
}

/** At a backquote: its text, with the backslashes that only protect it taken away, is a script of its own. */
export function readBackquotes(lexer: Lexer, word: Word, quoted: bool): void {
  if (!lexer.enter()) return;
  lexer.take();
  const line = lexer.line;
  const text = new TextBuffer();
  while (true) {
    const unit = lexer.take();
    if (unit == c.BACKQUOTE) break;
    if (unit < 0) {
      lexer.fail('unexpected end of file while looking for the other `');
      return;
    }
    if (unit == c.BACKSLASH) {
      const next = lexer.ahead(0);
      const isProtected =
        next == c.DOLLAR || next == c.BACKQUOTE || next == c.BACKSLASH || (quoted && next == c.DOUBLE_QUOTE);
      if (isProtected) {
        text.push(lexer.take());
        continue;
      }
    }
    text.push(unit);
  }
  const inner = new Lexer(new Source(text.toString(), line));
  inner.depth = lexer.depth;
  const part = new Part(COMMAND, '', quoted);
  part.command = new Parser(inner).substitution(T_END);
  if (inner.failure.length > 0) lexer.fail(inner.failure);
  word.parts.push(part);
  lexer.leave();
}

/** After `$'`: the escapes of C (XCU 2.2.4). */
function readDollarQuotes(lexer: Lexer): string {
  const text = new TextBuffer();
  let isCut = false;
  while (true) {
    let unit = lexer.take();
    if (unit == c.QUOTE) return text.toString();
    if (unit < 0) {
      lexer.fail("unexpected end of file while looking for the other '");
      return '';
    }
    if (unit == c.BACKSLASH) unit = readEscape(lexer);
    // what follows a NUL in here cannot be told to any program
    if (unit == 0) isCut = true;
    if (!isCut) text.push(unit);
  }
}

function readEscape(lexer: Lexer): i32 {
  const unit = lexer.take();
  switch (unit) {
    case 0x61:
      return 7;
    case 0x62:
      return 8;
    case 0x65:
      return 27;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    case 0x76:
      return 11;
    case 0x63:
      return lexer.take() & 0x1f;
    case 0x78:
      return readNumber(lexer, 0, 16, 2);
  }
  if (unit >= 0x30 && unit < 0x38) return readNumber(lexer, unit - 0x30, 8, 2);
  return max(unit, 0);
}

function readNumber(lexer: Lexer, start: i32, base: i32, digits: i32): i32 {
  let value = start;
  for (let i = 0; i < digits; i++) {
    const unit = lexer.ahead(0);
    const lower = unit | 0x20;
    let digit = -1;
    if (c.isDigit(unit)) digit = unit - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x57;
    if (digit < 0 || digit >= base) break;
    value = value * base + digit;
    lexer.take();
  }
  return value & 0xff;
}

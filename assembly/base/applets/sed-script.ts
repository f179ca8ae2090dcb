/** The script of sed: its commands, read by POSIX's rules and GNU's additions to them. */
import { digitOf } from '../io/number';
import { isDigit, isSpace, Text, unit } from '../io/text';
import { ESCAPES, EXTENDED, IGNORE_CASE, MULTILINE } from '../regex/parser';
import { Regex } from '../regex/regex';
import {
  Address,
  AT_LAST,
  AT_LINE,
  AT_MORE,
  AT_MULTIPLE,
  AT_REGEX,
  AT_STEP,
  AT_ZERO,
  Command,
  NO_ADDRESS,
  PIECE_CASE,
  PIECE_GROUP,
  PIECE_TEXT,
  Piece,
} from './sed-command';

export class Script {
  commands: Array<Command> = [];
  error: string = '';
  silent: bool = false;
  private at: i32 = 0;
  private text: string = '';
  private blocks: Array<i32> = [];

  constructor(private extended: bool) {}

  private get c(): i32 {
    return this.at < this.text.length ? unit(this.text, this.at) : -1;
  }

  private fail(message: string): void {
    if (this.error == '') this.error = `char ${this.at}: ${message}`;
    this.at = this.text.length;
  }

  parse(text: string): void {
    this.text = text;
    if (text.startsWith('#n') && (text.length == 2 || unit(text, 2) == 10)) this.silent = true;
    while (this.error == '') {
      while (isSpace(this.c) || this.c == 59) this.at++;
      if (this.c < 0) break;
      this.command();
    }
    if (this.error == '' && this.blocks.length > 0) this.error = "char 0: unmatched `{'";
    for (let i = 0; i < this.commands.length && this.error == ''; i++) this.resolve(this.commands[i]);
  }

  private resolve(command: Command): void {
    const letter = command.letter;
    if (letter != 98 && letter != 116 && letter != 84) return;
    command.target = this.commands.length;
    if (command.text == '') return;
    for (let i = 0; i < this.commands.length; i++) {
      if (this.commands[i].letter == 58 && this.commands[i].text == command.text) {
        command.target = i;
        return;
      }
    }
    this.error = `can't find label for jump to \`${command.text}'`;
  }

  private blanks(): void {
    while (this.c == 32 || this.c == 9) this.at++;
  }

  private number(): i64 {
    let value: i64 = 0;
    while (isDigit(this.c)) {
      value = min(value * 10 + this.c - 48, (<i64>1) << 50);
      this.at++;
    }
    return value;
  }

  private address(address: Address, isSecond: bool): bool {
    const c = this.c;
    if (isDigit(c)) {
      address.kind = AT_LINE;
      address.line = this.number();
      this.blanks();
      if (this.c == 126 && !isSecond) {
        this.at++;
        address.kind = AT_STEP;
        address.step = this.number();
      } else if (address.line == 0 && !isSecond) {
        address.kind = AT_ZERO;
      }
    } else if (c == 36) {
      this.at++;
      address.kind = AT_LAST;
    } else if (c == 47 || c == 92) {
      this.at++;
      if (c == 92) this.at++;
      const pattern = this.delimited(unit(this.text, this.at - 1), true);
      if (this.error != '') return false;
      let flags = 0;
      for (; this.c == 73 || this.c == 77; this.at++) flags |= this.c == 73 ? IGNORE_CASE : MULTILINE;
      address.kind = AT_REGEX;
      address.regex = this.compile(pattern, flags);
    } else if (isSecond && (c == 43 || c == 126)) {
      this.at++;
      address.kind = c == 43 ? AT_MORE : AT_MULTIPLE;
      address.line = this.number();
    } else {
      return false;
    }
    return true;
  }

  private compile(pattern: string, flags: i32): Regex | null {
    if (pattern == '') return null;
    const regex = new Regex(pattern, flags | ESCAPES | (this.extended ? EXTENDED : 0));
    if (regex.error != '') this.fail(regex.error);
    return regex;
  }

  /** Up to a delimiter, behind which it stops. A delimiter with a backslash is a plain one. */
  private delimited(delimiter: i32, isRegex: bool): string {
    const result = new Text();
    while (this.c >= 0) {
      const c = this.c;
      if (c == delimiter) {
        this.at++;
        return result.toString();
      }
      if (c == 10 && isRegex) break;
      this.at++;
      if (c == 92 && this.c >= 0) {
        const next = this.c;
        this.at++;
        if (next == delimiter && next != 92) {
          result.byte(next);
        } else if (isRegex && next == 10) {
          result.byte(10);
        } else {
          result.byte(92);
          result.byte(next);
        }
        continue;
      }
      result.byte(c);
      if (c == 91 && isRegex) this.bracket(result);
    }
    this.fail('');
    return '';
  }

  /** The rest of a bracket expression, where a delimiter is a byte like others; nothing where it has no end. */
  private bracket(result: Text): void {
    let end = this.at;
    const text = this.text;
    if (end < text.length && unit(text, end) == 94) end++;
    if (end < text.length && unit(text, end) == 93) end++;
    for (; end < text.length && unit(text, end) != 93; end++) {
      if (unit(text, end) == 10) return;
      if (unit(text, end) == 91 && end + 1 < text.length && ':.='.includes(text.charAt(end + 1))) {
        const close = text.indexOf(`${text.charAt(end + 1)}]`, end + 2);
        if (close < 0) return;
        end = close + 1;
      }
    }
    if (end >= text.length) return;
    result.part(text, this.at, end + 1);
    this.at = end + 1;
  }

  private command(): void {
    const command = new Command();
    if (this.address(command.first, false)) {
      this.blanks();
      if (this.c == 44) {
        this.at++;
        this.blanks();
        if (!this.address(command.second, true)) this.fail("unexpected `,'");
      }
    } else if (this.c == 44) {
      this.fail("unexpected `,'");
    }
    if (this.error != '') {
      if (this.error.endsWith(': ')) this.error += 'unterminated address regex';
      return;
    }
    if (command.first.kind == AT_ZERO && command.second.kind != AT_REGEX) {
      this.fail('invalid usage of line address 0');
      return;
    }
    this.blanks();
    while (this.c == 33) {
      command.negated = true;
      this.at++;
      this.blanks();
    }
    const letter = this.c;
    if (letter < 0) {
      this.fail('missing command');
      return;
    }
    command.letter = letter;
    this.at++;
    this.arguments(command);
  }

  /** What follows the letter. */
  private arguments(command: Command): void {
    const index = this.commands.length;
    switch (command.letter) {
      case 35: // #
        if (command.first.kind != NO_ADDRESS) this.fail("comments don't accept any addresses");
        while (this.c >= 0 && this.c != 10) this.at++;
        return;
      case 123: // {
        this.blocks.push(index);
        this.commands.push(command);
        return;
      case 125: {
        // }
        if (this.blocks.length == 0 || command.first.kind != NO_ADDRESS) {
          this.fail("unexpected `}'");
          return;
        }
        this.commands[this.blocks.pop()].target = index;
        this.commands.push(command);
        this.end();
        return;
      }
      case 97: // a
      case 105: // i
      case 99: // c
        this.textArgument(command);
        break;
      case 58: // :
        if (command.first.kind != NO_ADDRESS) this.fail(": doesn't want any addresses");
        command.text = this.word(false);
        if (command.text == '') this.fail('":" lacks a label');
        break;
      case 98: // b
      case 116: // t
      case 84: // T
        command.text = this.word(true);
        this.end();
        break;
      case 114: // r
      case 82: // R
      case 119: // w
      case 87: // W
        this.blanks();
        command.text = this.line();
        if (command.text == '') this.fail('missing filename in r/R/w/W commands');
        break;
      case 113: // q
      case 81: // Q
      case 108: // l
      case 76: // L
        this.blanks();
        if (isDigit(this.c)) command.number = <i32>this.number();
        this.end();
        break;
      case 115: // s
        this.substitution(command);
        break;
      case 121: // y
        this.transliteration(command);
        break;
      case 61: // =
      case 100: // d
      case 68: // D
      case 103: // g
      case 71: // G
      case 104: // h
      case 72: // H
      case 110: // n
      case 78: // N
      case 112: // p
      case 80: // P
      case 120: // x
      case 122: // z
      case 70: // F
        this.end();
        break;
      case 101: // e
        this.fail('running commands (e) is not supported');
        return;
      default:
        this.fail(`unknown command: \`${String.fromCharCode(command.letter)}'`);
        return;
    }
    if (this.error == '') this.commands.push(command);
  }

  /** Blanks, and then what ends a command. */
  private end(): void {
    this.blanks();
    const c = this.c;
    if (c < 0 || c == 10 || c == 59 || c == 125 || c == 35) {
      if (c == 10 || c == 59) this.at++;
      return;
    }
    if (c == 13) this.at++;
    else this.fail('extra characters after command');
  }

  private line(): string {
    const start = this.at;
    while (this.c >= 0 && this.c != 10) this.at++;
    return this.text.substring(start, this.at);
  }

  private word(ends: bool): string {
    this.blanks();
    const start = this.at;
    while (this.c >= 0 && !isSpace(this.c) && this.c != 59 && !(ends && this.c == 125)) this.at++;
    return this.text.substring(start, this.at);
  }

  /** a, i, c: what is behind a backslash and a newline, or the rest of the line. */
  private textArgument(command: Command): void {
    this.blanks();
    if (this.c == 92) {
      this.at++;
      const before = this.at;
      this.blanks();
      if (this.c == 10) this.at++;
      else this.at = before;
    }
    if (this.c < 0 || (this.c == 10 && unit(this.text, this.at - 1) != 10)) {
      if (this.c < 0 && unit(this.text, this.at - 1) == 92) {
        this.fail("expected \\ after `a', `c' or `i'");
        return;
      }
      if (this.c < 0 && unit(this.text, this.at - 1) != 10) {
        this.fail("expected \\ after `a', `c' or `i'");
        return;
      }
    }
    const text = new Text();
    while (this.c >= 0 && this.c != 10) {
      if (this.c != 92) {
        text.byte(this.c);
        this.at++;
        continue;
      }
      this.at++;
      if (this.c < 0) break;
      this.escape(text, false);
    }
    this.at++;
    text.byte(10);
    command.text = text.toString();
  }

  /** The byte of `\n`, `\t` and so on, behind the backslash; others stand for themselves. */
  private escape(text: Text, keepOthers: bool): void {
    const c = this.c;
    this.at++;
    switch (c) {
      case 97: // a
        text.byte(7);
        break;
      case 102: // f
        text.byte(12);
        break;
      case 110: // n
        text.byte(10);
        break;
      case 114: // r
        text.byte(13);
        break;
      case 116: // t
        text.byte(9);
        break;
      case 118: // v
        text.byte(11);
        break;
      case 120: // x
      case 111: // o
      case 100: {
        // d
        const base = c == 120 ? 16 : c == 111 ? 8 : 10;
        const most = base == 16 ? 2 : 3;
        let value = 0;
        let count = 0;
        while (count < most && digitOf(this.c) >= 0 && digitOf(this.c) < base) {
          value = value * base + digitOf(this.c);
          this.at++;
          count++;
        }
        text.byte(count == 0 ? c : value);
        break;
      }
      default:
        if (keepOthers) text.byte(92);
        text.byte(c);
    }
  }

  private substitution(command: Command): void {
    const delimiter = this.c;
    this.at++;
    if (delimiter < 0 || delimiter == 10 || delimiter == 92) {
      this.fail("unterminated `s' command");
      return;
    }
    const pattern = this.delimited(delimiter, true);
    if (this.error == '') this.replacement(command, delimiter);
    if (this.error != '') {
      if (this.error.endsWith(': ')) this.error += "unterminated `s' command";
      return;
    }
    let flags = 0;
    let isMore = true;
    while (isMore) {
      const c = this.c;
      switch (c) {
        case 103: // g
          if (command.global) this.fail("multiple `g' options to `s' command");
          command.global = true;
          break;
        case 112: // p
          command.print++;
          break;
        case 105: // i
        case 73: // I
          flags |= IGNORE_CASE;
          break;
        case 109: // m
        case 77: // M
          flags |= MULTILINE;
          break;
        case 101: // e
          this.fail('running commands (e) is not supported');
          return;
        case 119: // w
          this.at++;
          this.blanks();
          command.file = this.line();
          if (command.file == '') this.fail('missing filename in r/R/w/W commands');
          isMore = false;
          break;
        default:
          if (c == 48) {
            this.fail("number option to `s' command may not be zero");
            return;
          }
          if (isDigit(c)) {
            command.occurrence = <i32>this.number();
            this.at--;
            break;
          }
          isMore = false;
      }
      if (isMore) this.at++;
    }
    if (command.file == '') {
      const before = this.at;
      this.end();
      if (this.error != '') this.error = `char ${before + 1}: unknown option to \`s'`;
    }
    if (this.error != '') return;
    command.regex = this.compile(pattern, flags);
    const regex = command.regex;
    if (regex == null || this.error != '') return;
    for (let i = 0; i < command.pieces.length; i++) {
      const piece = command.pieces[i];
      if (piece.kind == PIECE_GROUP && piece.value > regex.groups) {
        this.fail(`invalid reference \\${piece.value} on \`s' command's RHS`);
      }
    }
  }

  private replacement(command: Command, delimiter: i32): void {
    const text = new Text();
    while (this.c >= 0 && this.c != delimiter) {
      const c = this.c;
      this.at++;
      if (c == 38) {
        this.flush(command, text);
        command.pieces.push(new Piece(PIECE_GROUP, '', 0));
        continue;
      }
      if (c != 92) {
        text.byte(c);
        continue;
      }
      const next = this.c;
      if (next < 0) break;
      if (isDigit(next)) {
        this.at++;
        this.flush(command, text);
        command.pieces.push(new Piece(PIECE_GROUP, '', next - 48));
      } else if (next == 85 || next == 76 || next == 69 || next == 117 || next == 108) {
        this.at++;
        this.flush(command, text);
        command.pieces.push(new Piece(PIECE_CASE, '', next));
      } else if (next == delimiter || next == 10 || next == 38) {
        this.at++;
        text.byte(next);
      } else if (next == 99) {
        this.at += 2;
        text.byte(this.at <= this.text.length ? (unit(this.text, this.at - 1) & 0xdf) ^ 64 : 0);
      } else {
        this.escape(text, false);
      }
    }
    this.flush(command, text);
    if (this.c == delimiter) this.at++;
    else this.fail('');
  }

  private flush(command: Command, text: Text): void {
    if (text.length > 0) command.pieces.push(new Piece(PIECE_TEXT, text.toString(), 0));
    text.clear();
  }

  private transliteration(command: Command): void {
    const delimiter = this.c;
    this.at++;
    const from = this.mapSide(delimiter);
    const to = this.mapSide(delimiter);
    if (this.error != '') {
      this.error += "unterminated `y' command";
      return;
    }
    if (from.length != to.length) {
      this.fail("strings for `y' command are different lengths");
      return;
    }
    const map = new StaticArray<u8>(256);
    for (let i = 0; i < 256; i++) map[i] = <u8>i;
    for (let i = 0; i < from.length; i++) map[from.at(i)] = <u8>to.at(i);
    command.map = map;
    this.end();
  }

  private mapSide(delimiter: i32): Text {
    const text = new Text();
    while (this.c >= 0 && this.c != delimiter) {
      const c = this.c;
      this.at++;
      if (c != 92 || this.c < 0) {
        text.byte(c);
      } else if (this.c == delimiter || this.c == 92) {
        text.byte(this.c);
        this.at++;
      } else {
        this.escape(text, true);
      }
    }
    if (this.c == delimiter && delimiter >= 0) this.at++;
    else this.fail('');
    return text;
  }
}

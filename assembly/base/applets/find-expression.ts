/** The expression of find: a tree of tests and actions. */
import { Context } from '../applet';
import { BAD_MODE, changedMode } from '../io/modes';
import { parseDecimal, wasNumber } from '../io/number';
import { isDigit, unit } from '../io/text';
import { groupId, userId } from '../io/users';
import { statError, statOf } from '../io/walk';
import { EXTENDED, IGNORE_CASE, WHOLE_LINE } from '../regex/parser';
import { Regex } from '../regex/regex';
import { errorText } from '../wasi/errno';
import { parseTime, wasTime } from './dates';

export const AND: i32 = 1;
export const OR: i32 = 2;
export const NOT: i32 = 3;
export const COMMA: i32 = 4;
export const TRUE: i32 = 5;
export const NAME: i32 = 6;
export const PATH: i32 = 7;
export const REGEX: i32 = 8;
export const TYPE: i32 = 9;
export const SIZE: i32 = 10;
/** `value` is the unit in seconds; `text` a, m or c. */
export const AGE: i32 = 11;
export const NEWER: i32 = 12;
export const PERM: i32 = 13;
export const USER: i32 = 14;
export const GROUP: i32 = 15;
export const EMPTY: i32 = 16;
export const LINKS: i32 = 17;
export const INODE: i32 = 18;
export const NO_USER: i32 = 19;
export const NO_GROUP: i32 = 20;
export const LINK_NAME: i32 = 21;
export const ACCESS: i32 = 22;
export const FALSE: i32 = 23;
export const PRINT: i32 = 30;
export const PRINT0: i32 = 31;
export const PRINTF: i32 = 32;
export const EXEC: i32 = 33;
export const EXEC_MANY: i32 = 34;
export const DELETE: i32 = 35;
export const PRUNE: i32 = 36;
export const QUIT: i32 = 37;
export const LS: i32 = 38;

export class Term {
  left: Term | null = null;
  right: Term | null = null;
  text: string = '';
  fold: bool = false;
  value: i64 = 0;
  /** -1 less, 0 equal, 1 more; of PERM: 0 equal, 1 all bits, 2 any. */
  sign: i32 = 0;
  unit: i64 = 1;
  regex: Regex | null = null;
  words: Array<string> = [];
  /** Run in the directory of what was found. */
  inDirectory: bool = false;
  pending: Array<string> = [];

  constructor(public kind: i32) {}
}

export class Expression {
  error: string = '';
  depthFirst: bool = false;
  least: i32 = 0;
  most: i32 = i32.MAX_VALUE;
  sameDevice: bool = false;
  acts: bool = false;
  many: Array<Term> = [];
  private at: i32 = 0;
  private dialect: i32 = 0;

  constructor(
    private context: Context,
    private words: Array<string>,
    private now: i64,
  ) {}

  private fail(text: string): Term {
    if (this.error == '') this.error = text;
    this.at = this.words.length;
    return new Term(TRUE);
  }

  parse(): Term {
    let term = this.words.length == 0 ? new Term(TRUE) : this.list();
    if (this.error == '' && this.at < this.words.length) {
      this.fail(
        this.words[this.at] == ')'
          ? "you have too many ')'"
          : `paths must precede expression: '${this.words[this.at]}'`,
      );
    }
    if (!this.acts) {
      const both = new Term(AND);
      both.left = term;
      both.right = new Term(PRINT);
      term = both;
    }
    return term;
  }

  private see(word: string, or: string): bool {
    return this.at < this.words.length && (this.words[this.at] == word || this.words[this.at] == or);
  }

  private pair(kind: i32, left: Term, right: Term): Term {
    const term = new Term(kind);
    term.left = left;
    term.right = right;
    return term;
  }

  private list(): Term {
    let term = this.either();
    while (this.see(',', ',')) {
      this.at++;
      term = this.pair(COMMA, term, this.either());
    }
    return term;
  }

  private either(): Term {
    let term = this.both();
    while (this.see('-o', '-or')) {
      this.at++;
      term = this.pair(OR, term, this.both());
    }
    return term;
  }

  private both(): Term {
    let term = this.one();
    while (this.at < this.words.length && !this.see('-o', '-or') && !this.see(')', ',')) {
      if (this.see('-a', '-and')) this.at++;
      term = this.pair(AND, term, this.one());
    }
    return term;
  }

  private one(): Term {
    if (this.at >= this.words.length) return this.fail('expected an expression');
    const word = this.words[this.at++];
    if (word == '!' || word == '-not') {
      const term = new Term(NOT);
      term.left = this.one();
      return term;
    }
    if (word == '(') {
      const term = this.list();
      if (this.error != '') return term;
      if (!this.see(')', ')')) return this.fail("expected ')'");
      this.at++;
      return term;
    }
    if (!word.startsWith('-')) {
      return this.fail(word == ')' ? "you have too many ')'" : `paths must precede expression: '${word}'`);
    }
    return this.primary(word);
  }

  private argument(word: string): string {
    if (this.at >= this.words.length) {
      this.fail(`missing argument to '${word}'`);
      return '';
    }
    return this.words[this.at++];
  }

  /** [+-]N */
  private number(term: Term, word: string, argument: string): Term {
    let digits = argument;
    if (digits.startsWith('+') || digits.startsWith('-')) {
      term.sign = digits.startsWith('+') ? 1 : -1;
      digits = digits.substring(1);
    }
    term.value = parseDecimal(digits);
    if (!wasNumber()) return this.fail(`invalid argument '${argument}' to '${word}'`);
    return term;
  }

  private action(kind: i32): Term {
    this.acts = true;
    return new Term(kind);
  }

  private primary(word: string): Term {
    if (word == '-true' || word == '-noleaf' || word == '-daystart' || word == '-warn' || word == '-nowarn')
      return new Term(TRUE);
    if (word == '-false') return new Term(FALSE);
    if (word == '-depth' || word == '-d') {
      this.depthFirst = true;
      return new Term(TRUE);
    }
    if (word == '-xdev' || word == '-mount') {
      this.sameDevice = true;
      return new Term(TRUE);
    }
    if (word == '-print') return this.action(PRINT);
    if (word == '-print0') return this.action(PRINT0);
    if (word == '-ls') return this.action(LS);
    if (word == '-quit') {
      const term = new Term(QUIT);
      return term;
    }
    if (word == '-prune') return new Term(PRUNE);
    if (word == '-delete') {
      this.depthFirst = true;
      return this.action(DELETE);
    }
    if (word == '-empty') return new Term(EMPTY);
    if (word == '-nouser') return new Term(NO_USER);
    if (word == '-nogroup') return new Term(NO_GROUP);
    if (word == '-readable' || word == '-writable' || word == '-executable') {
      const term = new Term(ACCESS);
      term.value = word == '-readable' ? 0o444 : word == '-writable' ? 0o222 : 0o111;
      return term;
    }
    if (word == '-exec' || word == '-execdir' || word == '-ok') return this.exec(word);
    const argument = this.argument(word);
    if (this.error != '') return new Term(TRUE);
    return this.withArgument(word, argument);
  }

  private textual(kind: i32, text: string, fold: bool): Term {
    const term = new Term(kind);
    term.text = text;
    term.fold = fold;
    return term;
  }

  private withArgument(word: string, argument: string): Term {
    if (word == '-name' || word == '-iname') return this.textual(NAME, argument, word == '-iname');
    if (word == '-path' || word == '-wholename' || word == '-ipath' || word == '-iwholename') {
      return this.textual(PATH, argument, word.startsWith('-i'));
    }
    if (word == '-lname' || word == '-ilname') return this.textual(LINK_NAME, argument, word == '-ilname');
    if (word == '-regextype') {
      this.dialect =
        argument.includes('extended') || argument.includes('egrep') || argument.includes('awk') ? EXTENDED : 0;
      return new Term(TRUE);
    }
    if (word == '-regex' || word == '-iregex') {
      const term = new Term(REGEX);
      term.regex = new Regex(argument, WHOLE_LINE | this.dialect | (word == '-iregex' ? IGNORE_CASE : 0));
      return term.regex!.error != '' ? this.fail(term.regex!.error) : term;
    }
    if (word == '-maxdepth' || word == '-mindepth') {
      const value = parseDecimal(argument);
      if (!wasNumber() || value < 0)
        return this.fail(`expected a positive decimal integer argument to ${word}, but got '${argument}'`);
      if (word == '-maxdepth') this.most = <i32>min<i64>(value, i32.MAX_VALUE);
      else this.least = <i32>min<i64>(value, i32.MAX_VALUE);
      return new Term(TRUE);
    }
    if (word == '-type' || word == '-xtype') {
      const term = this.textual(TYPE, argument.split(',').join(''), word == '-xtype');
      for (let i = 0; i < term.text.length; i++) {
        if (!'fdlbcps'.includes(term.text.charAt(i))) return this.fail(`Unknown argument to ${word}: ${argument}`);
      }
      return term.text == '' ? this.fail(`Arguments to ${word} should contain at least one letter`) : term;
    }
    if (word == '-size') return this.size(argument);
    if (word == '-links') return this.number(new Term(LINKS), word, argument);
    if (word == '-inum') return this.number(new Term(INODE), word, argument);
    if (
      word == '-mtime' ||
      word == '-atime' ||
      word == '-ctime' ||
      word == '-mmin' ||
      word == '-amin' ||
      word == '-cmin'
    ) {
      const term = this.number(new Term(AGE), word, argument);
      term.text = word.charAt(1);
      term.unit = word.endsWith('time') ? 86400 : 60;
      return term;
    }
    if (word == '-newer' || word == '-anewer' || word == '-cnewer' || word.startsWith('-newer'))
      return this.newer(word, argument);
    if (word == '-perm') return this.perm(argument);
    if (word == '-user' || word == '-uid' || word == '-group' || word == '-gid') {
      const isUser = word == '-user' || word == '-uid';
      const term = new Term(isUser ? USER : GROUP);
      if (word.endsWith('id')) return this.number(term, word, argument);
      term.value = isUser ? userId(argument) : groupId(argument);
      if (term.value < 0) return this.fail(`'${argument}' is not the name of a known ${isUser ? 'user' : 'group'}`);
      return term;
    }
    if (word == '-printf') {
      const term = this.action(PRINTF);
      term.text = argument;
      return term;
    }
    return this.fail(`unknown predicate '${word}'`);
  }

  private size(argument: string): Term {
    const term = new Term(SIZE);
    let digits = argument;
    const last = argument.length > 0 ? unit(argument, argument.length - 1) : 0;
    term.unit = 512;
    if (!isDigit(last)) {
      digits = argument.substring(0, argument.length - 1);
      const units = 'cwbkMG';
      const sizes: StaticArray<i64> = [1, 2, 512, 1024, 1 << 20, 1 << 30];
      const index = units.indexOf(String.fromCharCode(last));
      if (index < 0) return this.fail(`invalid -size type '${String.fromCharCode(last)}'`);
      term.unit = sizes[index];
    }
    return this.number(term, '-size', digits);
  }

  private newer(word: string, argument: string): Term {
    const term = new Term(NEWER);
    term.text = word == '-anewer' ? 'a' : word == '-cnewer' ? 'c' : 'm';
    let than = 'm';
    if (word.length == 8) {
      term.text = word.charAt(6);
      than = word.charAt(7);
    }
    if (than == 't') {
      term.value = parseTime(argument, this.now);
      if (!wasTime()) return this.fail(`I cannot figure out how to interpret '${argument}' as a date or time`);
      return term;
    }
    const stat = statOf(this.context, argument, true);
    if (stat == null) return this.fail(`'${argument}': ${errorText(statError())}`);
    term.value = than == 'a' ? stat.atime : than == 'c' ? stat.ctime : stat.mtime;
    return term;
  }

  private perm(argument: string): Term {
    const term = new Term(PERM);
    let text = argument;
    if (text.startsWith('-') || text.startsWith('/')) {
      term.sign = text.startsWith('-') ? 1 : 2;
      text = text.substring(1);
    }
    const mode = changedMode(text, 0, 0);
    if (mode == BAD_MODE) return this.fail(`invalid mode '${argument}'`);
    term.value = mode;
    return term;
  }

  private exec(word: string): Term {
    this.acts = true;
    const term = new Term(EXEC);
    term.inDirectory = word == '-execdir';
    while (this.at < this.words.length) {
      const next = this.words[this.at++];
      if (next == ';') return term.words.length > 0 ? term : this.fail(`missing argument to '${word}'`);
      if (next == '+' && term.words.length > 1 && term.words[term.words.length - 1] == '{}') {
        term.kind = EXEC_MANY;
        term.words.pop();
        this.many.push(term);
        return term;
      }
      term.words.push(next);
    }
    return this.fail(`missing argument to '${word}'`);
  }
}

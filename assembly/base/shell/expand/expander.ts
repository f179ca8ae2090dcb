/** Word expansions (XCU 2.6) in order: tilde, parameters, commands, arithmetic; then fields and path names. */
import { NO_GLOB, NO_UNSET } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import {
  ALTERNATE,
  ARITHMETIC,
  ASSIGN,
  Assignment,
  BAD,
  COMMAND,
  DEFAULT,
  ERROR,
  LENGTH,
  LITERAL,
  LONG_PREFIX,
  LONG_SUFFIX,
  PARAMETER,
  Part,
  PLAIN,
  PREFIX,
  QUOTED,
  SUFFIX,
  Word,
} from '../syntax/ast';
import * as c from '../syntax/characters';
import { TextBuffer } from '../text-buffer';
import { Arithmetic, ArithmeticScope } from './arithmetic';
import { splitFields } from './fields';
import { expandPath } from './paths';
import { matches } from './pattern';
import { substitute } from './substitution';
import { expandTilde } from './tilde';
import { BREAK, EMPTY, IS_QUOTED, IS_SPLIT, stripUnits } from './units';

const DEFAULT_IFS: string = ' \t\n';

export class Expander extends ArithmeticScope {
  constructor(private shell: Shell) {
    super();
  }

  private get failed(): bool {
    return this.shell.unwind != RUNNING;
  }

  /** The fields of a command's words, path names included. */
  fields(words: Array<Word>, results: Array<string>): void {
    for (let i = 0; i < words.length; i++) {
      this.fieldsOf(words[i], results);
      if (this.failed) return;
    }
  }

  fieldsOf(word: Word, results: Array<string>): void {
    const plain = word.plain;
    if (plain !== null && isOrdinary(plain)) {
      results.push(plain);
      return;
    }
    let expanded: string;
    const parts = word.parts;
    if (parts.length == 1 && isValue(parts[0])) {
      const value = this.value(parts[0]);
      if (this.failed) return;
      if (parts[0].quoted || (value.length > 0 && isOrdinary(value) && !hasSeparator(value, this.separators()))) {
        results.push(value);
        return;
      }
      const out = new TextBuffer();
      out.appendFlagged(value, IS_SPLIT);
      expanded = out.toString();
    } else {
      expanded = this.expand(word, false);
      if (this.failed) return;
    }
    const fields: string[] = [];
    splitFields(expanded, this.separators(), fields);
    const globs = !this.shell.has(NO_GLOB);
    for (let i = 0; i < fields.length; i++) {
      if (globs) expandPath(fields[i], this.shell.cwd, results);
      else results.push(stripUnits(fields[i]));
    }
  }

  /** One text: what an assignment, `case` or a redirection takes. */
  text(word: Word): string {
    const plain = word.plain;
    if (plain !== null && isOrdinary(plain)) return plain;
    const parts = word.parts;
    if (parts.length == 1 && isValue(parts[0])) return this.value(parts[0]);
    return stripUnits(this.expand(word, false));
  }

  /** Of a part that is one text, whatever is around it. */
  private value(part: Part): string {
    if (part.kind == COMMAND) return substitute(this.shell, part.command);
    if (part.kind == ARITHMETIC) return this.arithmetic(part.word!);
    const value = this.valueOfParameter(part.text);
    if (value !== null) return value;
    if (this.shell.has(NO_UNSET)) this.shell.fail(`${part.text}: parameter not set`);
    return '';
  }

  /** As `text`, with tildes after colons, too. */
  assigned(assignment: Assignment): string {
    const word = assignment.value;
    const plain = word.plain;
    if (plain !== null && isOrdinary(plain)) return plain;
    const parts = word.parts;
    if (parts.length == 1 && isValue(parts[0])) return this.value(parts[0]);
    return stripUnits(this.expand(word, true));
  }

  assignedWord(word: Word): string {
    return stripUnits(this.expand(word, true));
  }

  /** Flagged, for `matches`. */
  pattern(word: Word): string {
    return this.expand(word, false);
  }

  /** IFS. */
  separators(): string {
    const value = this.shell.variables.get('IFS');
    return value === null ? DEFAULT_IFS : value;
  }

  private expand(word: Word, isAssignment: bool): string {
    const out = new TextBuffer();
    this.parts(word, out, 0, isAssignment);
    return out.toString();
  }

  /** `flag`: what literal text counts as. */
  private parts(word: Word, out: TextBuffer, flag: i32, isAssignment: bool): void {
    const parts = word.parts;
    for (let i = 0; i < parts.length; i++) {
      const part = unchecked(parts[i]);
      switch (part.kind) {
        case LITERAL:
          this.literal(word, i, out, flag, isAssignment);
          break;
        case QUOTED:
          if (part.text.length == 0) out.push(EMPTY);
          else out.appendFlagged(part.text, IS_QUOTED);
          break;
        case COMMAND:
          this.result(substitute(this.shell, part.command), part.quoted, out);
          break;
        case ARITHMETIC:
          this.result(this.arithmetic(part.word!), part.quoted, out);
          break;
        default:
          this.parameter(part, out);
      }
      if (this.failed) return;
    }
  }

  private literal(word: Word, index: i32, out: TextBuffer, flag: i32, isAssignment: bool): void {
    const text = word.parts[index].text;
    const isLast = index == word.parts.length - 1;
    let at = 0;
    if (index == 0 && text.charCodeAt(0) == c.TILDE) at = expandTilde(this.shell, text, 0, isLast, isAssignment, out);
    if (!isAssignment) {
      out.appendFlagged(at == 0 ? text : text.substring(at), flag);
      return;
    }
    while (at < text.length) {
      const unit = text.charCodeAt(at++);
      out.push(unit | flag);
      if (unit == c.COLON && at < text.length && text.charCodeAt(at) == c.TILDE)
        at = expandTilde(this.shell, text, at, isLast, true, out);
    }
  }

  private result(text: string, quoted: bool, out: TextBuffer): void {
    if (quoted && text.length == 0) out.push(EMPTY);
    else out.appendFlagged(text, quoted ? IS_QUOTED : IS_SPLIT);
  }

  private parameter(part: Part, out: TextBuffer): void {
    const shell = this.shell;
    const name = part.text;
    if (part.operator == BAD) {
      shell.fail('bad substitution');
      return;
    }
    const isList = name == '@' || name == '*';
    if (isList && (part.operator < DEFAULT || shell.positional.length > 0 || part.operator >= PREFIX)) {
      this.list(part, out);
      return;
    }
    let value: string | null = null;
    if (!isList) value = this.valueOfParameter(name);
    const isMissing = value === null || (part.colon && value.length == 0);
    switch (part.operator) {
      case DEFAULT:
        if (isMissing) this.operand(part, out);
        else this.result(value!, part.quoted, out);
        return;
      case ALTERNATE:
        if (!isMissing) this.operand(part, out);
        else if (part.quoted) out.push(EMPTY);
        return;
      case ASSIGN: {
        if (!isMissing) {
          this.result(value!, part.quoted, out);
          return;
        }
        if (!c.isName(name)) {
          shell.fail(`${name}: cannot assign in this way`);
          return;
        }
        const assigned = stripUnits(this.expand(part.word!, false));
        if (this.failed || !shell.assign(name, assigned)) return;
        this.result(assigned, part.quoted, out);
        return;
      }
      case ERROR: {
        if (!isMissing) {
          this.result(value!, part.quoted, out);
          return;
        }
        const message = stripUnits(this.expand(part.word!, false));
        if (this.failed) return;
        if (message.length > 0) shell.fail(`${name}: ${message}`);
        else shell.fail(`${name}: parameter ${part.colon ? 'null or ' : ''}not set`);
        return;
      }
    }
    if (value === null) {
      if (shell.has(NO_UNSET)) {
        shell.fail(`${name}: parameter not set`);
        return;
      }
      this.result(part.operator == LENGTH ? '0' : '', part.quoted, out);
      return;
    }
    if (part.operator == LENGTH) this.result(value.length.toString(), part.quoted, out);
    else if (part.operator >= PREFIX) this.result(this.removed(part, value), part.quoted, out);
    else this.result(value, part.quoted, out);
  }

  /** The word of `${x:-word}`. Outside of quotes, its literal text is split as well. */
  private operand(part: Part, out: TextBuffer): void {
    const before = out.length;
    this.parts(part.word!, out, part.quoted ? IS_QUOTED : IS_SPLIT, false);
    if (part.quoted && out.length == before) out.push(EMPTY);
  }

  /** `$@` and `$*`. */
  private list(part: Part, out: TextBuffer): void {
    const shell = this.shell;
    const values = shell.positional;
    const count = values.length;
    const isAt = part.text == '@';
    if (part.operator == LENGTH) {
      this.result(count.toString(), part.quoted, out);
      return;
    }
    if (part.operator == ALTERNATE) {
      this.operand(part, out);
      return;
    }
    if (part.quoted && !isAt) {
      const separators = this.separators();
      const joint = shell.variables.get('IFS') === null ? ' ' : separators.substring(0, 1);
      if (count == 0) out.push(EMPTY);
      for (let i = 0; i < count; i++) {
        if (i > 0) out.appendFlagged(joint, IS_QUOTED);
        this.result(this.trimmedValue(part, values[i]), true, out);
      }
      return;
    }
    for (let i = 0; i < count; i++) {
      if (i > 0) out.push(BREAK);
      this.result(this.trimmedValue(part, values[i]), part.quoted, out);
    }
  }

  private trimmedValue(part: Part, value: string): string {
    return part.operator >= PREFIX ? this.removed(part, value) : value;
  }

  /** Takes the prefix or suffix that matches off. */
  private removed(part: Part, value: string): string {
    const pattern = this.expand(part.word!, false);
    if (this.failed) return value;
    const length = value.length;
    switch (part.operator) {
      case PREFIX:
        for (let i = 0; i <= length; i++) if (matches(pattern, value, 0, i)) return value.substring(i);
        break;
      case LONG_PREFIX:
        for (let i = length; i >= 0; i--) if (matches(pattern, value, 0, i)) return value.substring(i);
        break;
      case SUFFIX:
        for (let i = length; i >= 0; i--) if (matches(pattern, value, i, length)) return value.substring(0, i);
        break;
      case LONG_SUFFIX:
        for (let i = 0; i <= length; i++) if (matches(pattern, value, i, length)) return value.substring(0, i);
        break;
    }
    return value;
  }

  /** Null: not set. */
  private valueOfParameter(name: string): string | null {
    const shell = this.shell;
    const first = name.charCodeAt(0);
    if (c.isNameStart(first)) {
      if (name == 'LINENO') return shell.line.toString();
      return shell.variables.get(name);
    }
    if (c.isDigit(first)) {
      const index = name.length > 9 ? i32.MAX_VALUE : I32.parseInt(name);
      if (index == 0) return shell.name;
      return index <= shell.positional.length ? shell.positional[index - 1] : null;
    }
    switch (first) {
      case c.HASH:
        return shell.positional.length.toString();
      case c.QUESTION:
        return shell.status.toString();
      case c.MINUS:
        return shell.letters;
      case c.DOLLAR:
        return shell.pid.toString();
      case c.BANG:
        return shell.lastJob == 0 ? null : shell.lastJob.toString();
    }
    return null;
  }

  private arithmetic(word: Word): string {
    const text = stripUnits(this.expand(word, false));
    if (this.failed) return '';
    const arithmetic = new Arithmetic(text, this);
    const value = arithmetic.evaluate();
    if (this.failed) return '';
    if (arithmetic.failure.length > 0) {
      this.shell.fail(`arithmetic expression: ${arithmetic.failure}`);
      return '';
    }
    return value.toString();
  }

  valueOf(name: string): string {
    const value = this.valueOfParameter(name);
    if (value !== null) return value;
    if (this.shell.has(NO_UNSET)) this.shell.fail(`${name}: parameter not set`);
    return '';
  }

  assign(name: string, value: string): bool {
    return this.shell.assign(name, value);
  }
}

/** One text, and nothing but. */
function isValue(part: Part): bool {
  if (part.kind == COMMAND || part.kind == ARITHMETIC) return true;
  return part.kind == PARAMETER && part.operator == PLAIN && part.text != '@' && part.text != '*';
}

function hasSeparator(text: string, separators: string): bool {
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    for (let k = 0; k < separators.length; k++) if (separators.charCodeAt(k) == byte) return true;
  }
  return false;
}

/** Nothing in it is expanded. */
function isOrdinary(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == c.TILDE || unit == c.STAR || unit == c.QUESTION || unit == c.OPEN_BRACKET || unit == c.BACKSLASH)
      return false;
  }
  return true;
}

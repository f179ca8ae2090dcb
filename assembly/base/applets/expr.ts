/** expr */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { compare } from '../io/text';
import { Regex } from '../regex/regex';

class Evaluator {
  at: i32 = 1;
  fault: string = '';

  constructor(private words: Array<string>) {}

  private fail(text: string): string {
    if (this.fault == '') this.fault = text;
    this.at = this.words.length;
    return '';
  }

  private see(word: string): bool {
    return this.at < this.words.length && this.words[this.at] == word;
  }

  or(): string {
    let left = this.and();
    while (this.see('|')) {
      this.at++;
      const right = this.and();
      if (isNothing(left)) left = isNothing(right) ? '0' : right;
    }
    return left;
  }

  private and(): string {
    let left = this.comparison();
    while (this.see('&')) {
      this.at++;
      const right = this.comparison();
      if (isNothing(left) || isNothing(right)) left = '0';
    }
    return left;
  }

  private comparison(): string {
    let left = this.sum();
    while (this.at < this.words.length) {
      const operator = this.words[this.at];
      if (
        operator != '<' &&
        operator != '<=' &&
        operator != '=' &&
        operator != '==' &&
        operator != '!=' &&
        operator != '>=' &&
        operator != '>'
      )
        break;
      this.at++;
      const right = this.sum();
      const a = parseDecimal(left);
      const isNumber = wasNumber();
      const b = parseDecimal(right);
      const order = isNumber && wasNumber() ? (a < b ? -1 : a > b ? 1 : 0) : compare(left, right);
      let result = false;
      if (operator == '<') result = order < 0;
      else if (operator == '<=') result = order <= 0;
      else if (operator == '!=') result = order != 0;
      else if (operator == '>=') result = order >= 0;
      else if (operator == '>') result = order > 0;
      else result = order == 0;
      left = result ? '1' : '0';
    }
    return left;
  }

  private integer(text: string): i64 {
    const value = parseDecimal(text);
    if (!wasNumber()) this.fail('non-integer argument');
    return value;
  }

  private sum(): string {
    let left = this.product();
    while (this.see('+') || this.see('-')) {
      const minus = this.see('-');
      this.at++;
      const right = this.integer(this.product());
      const value = this.integer(left);
      left = (minus ? value - right : value + right).toString();
    }
    return left;
  }

  private product(): string {
    let left = this.match();
    while (this.see('*') || this.see('/') || this.see('%')) {
      const operator = this.words[this.at++];
      const right = this.integer(this.match());
      const value = this.integer(left);
      if (right == 0 && operator != '*') return this.fail(this.fault == '' ? 'division by zero' : this.fault);
      left = (operator == '*' ? value * right : operator == '/' ? value / right : value % right).toString();
    }
    return left;
  }

  private match(): string {
    let left = this.primary();
    while (this.see(':')) {
      this.at++;
      left = this.matched(left, this.primary());
    }
    return left;
  }

  private matched(text: string, pattern: string): string {
    const regex = new Regex(pattern, 0);
    if (regex.error != '') return this.fail(regex.error);
    // a match has to begin where the text does
    const found = regex.match(text, 0) && regex.start == 0;
    if (regex.groups > 0) return found ? regex.group(text, 1) : '';
    return found ? regex.end.toString() : '0';
  }

  private primary(): string {
    if (this.at >= this.words.length)
      return this.fail(`syntax error: missing argument after '${this.words[this.words.length - 1]}'`);
    const word = this.words[this.at++];
    if (word == '(') {
      const value = this.or();
      if (!this.see(')')) return this.fail("syntax error: expecting ')' after the expression");
      this.at++;
      return value;
    }
    if (this.at >= this.words.length) return word == ')' ? this.fail("syntax error: unexpected ')'") : word;
    if (word == '+') return this.words[this.at++];
    if (word == 'length') return this.primary().length.toString();
    if (word == 'match') {
      const text = this.primary();
      return this.matched(text, this.primary());
    }
    if (word == 'index') {
      const text = this.primary();
      const set = this.primary();
      for (let i = 0; i < text.length; i++) if (set.includes(text.charAt(i))) return (i + 1).toString();
      return '0';
    }
    if (word == 'substr') {
      const text = this.primary();
      const start = parseDecimal(this.primary());
      const isFine = wasNumber();
      const count = parseDecimal(this.primary());
      if (!isFine || !wasNumber() || start <= 0 || count <= 0 || start > text.length) return '';
      return text.substring(<i32>start - 1, <i32>min<i64>(start - 1 + count, text.length));
    }
    return word;
  }
}

function isNothing(text: string): bool {
  if (text.length == 0) return true;
  const value = parseDecimal(text);
  return wasNumber() && value == 0;
}

/** 0: the result is neither empty nor 0; 1: it is; 2: wrong; 3: too large. */
export function expr(context: Context, args: Array<string>): i32 {
  const words = args.length > 1 && args[1] == '--' ? [args[0]].concat(args.slice(2)) : args;
  if (words.length < 2) {
    complain(context, args[0], 'missing operand');
    return 2;
  }
  const evaluator = new Evaluator(words);
  const result = evaluator.or();
  if (evaluator.fault == '' && evaluator.at < words.length) {
    evaluator.fault = `syntax error: unexpected argument '${words[evaluator.at]}'`;
  }
  if (evaluator.fault != '') {
    complain(context, args[0], evaluator.fault);
    return 2;
  }
  context.stdout.line(result);
  return isNothing(result) ? 1 : 0;
}

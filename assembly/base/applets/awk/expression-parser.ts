/** The expressions of awk. */
import { AWK, BRACKET_ESCAPES, ESCAPES, EXTENDED } from '../../regex/parser';
import { Regex } from '../../regex/regex';
import { Lexer, T_CALL, T_END, T_NAME, T_NEWLINE, T_NUMBER, T_OPERATOR, T_STRING, T_WORD } from './lexer';
import * as t from './tree';
import { Node } from './tree';

export const REGEX_FLAGS: i32 = EXTENDED | ESCAPES | BRACKET_ESCAPES | AWK;
export const DEPTH_MAX: i32 = 500;

export class ExpressionParser {
  program: t.Program = new t.Program();
  error: string = '';
  protected lexer: Lexer;
  slots: Map<string, i32> = new Map();
  protected functions: Map<string, i32> = new Map();
  protected locals: Map<string, i32> = new Map();
  /** `>` is where print goes to; `in` belongs to a for. */
  protected noGreater: bool = false;
  protected noIn: bool = false;
  protected depth: i32 = 0;

  constructor(source: string) {
    this.lexer = new Lexer(source, t.BUILTINS);
    for (let i = 0; i < t.V_NAMES.length; i++) this.global(t.V_NAMES[i]);
  }

  global(name: string): i32 {
    if (this.slots.has(name)) return this.slots.get(name);
    const slot = this.program.globals.length;
    this.program.globals.push(name);
    this.slots.set(name, slot);
    return slot;
  }

  protected fail(text: string): Node {
    if (this.error == '') this.error = `syntax error at line ${this.lexer.line}: ${text}`;
    this.lexer.kind = T_END;
    return new Node(t.NUMBER);
  }

  protected get failed(): bool {
    if (this.lexer.error != '' && this.error == '') this.fail(this.lexer.error);
    return this.error != '';
  }

  protected next(): void {
    if (this.error != '') return;
    this.lexer.next();
    if (this.lexer.error != '') this.fail(this.lexer.error);
  }

  protected is(text: string): bool {
    return this.lexer.is(text);
  }

  protected eat(text: string): bool {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  protected want(text: string): void {
    if (!this.eat(text)) this.fail(`expected ${text} before ${this.lexer.text}`);
  }

  protected newlines(): void {
    while (this.lexer.kind == T_NEWLINE) this.next();
  }

  protected ends(): void {
    while (this.lexer.kind == T_NEWLINE || this.is(';')) this.next();
  }

  protected functionSlot(name: string): i32 {
    if (this.functions.has(name)) return this.functions.get(name);
    const slot = this.program.functions.length;
    this.program.functions.push(new t.Routine(name));
    this.functions.set(name, slot);
    return slot;
  }

  protected array(): Node {
    if (this.lexer.kind != T_NAME) return this.fail('expected the name of an array');
    const node = this.variable(this.lexer.text);
    this.next();
    return node;
  }

  protected expressions(): Array<Node> {
    const list: Node[] = [this.expression()];
    while (this.eat(',') && !this.failed) {
      this.newlines();
      list.push(this.expression());
    }
    return list;
  }

  protected expression(): Node {
    if (++this.depth > DEPTH_MAX) return this.fail('nested too deeply');
    let node = this.or();
    if (this.eat('?')) {
      this.newlines();
      const ternary = Node.of(t.TERNARY, node);
      ternary.b = this.expression();
      this.newlines();
      this.want(':');
      this.newlines();
      ternary.c = this.expression();
      node = ternary;
    }
    this.depth--;
    return node;
  }

  protected or(): Node {
    let node = this.and();
    while (this.eat('||')) {
      this.newlines();
      node = Node.of(t.OR, node, this.and());
    }
    return node;
  }

  protected and(): Node {
    let node = this.membership();
    while (this.eat('&&')) {
      this.newlines();
      node = Node.of(t.AND, node, this.membership());
    }
    return node;
  }

  protected membership(): Node {
    let node = this.matching();
    while (!this.noIn && this.eat('in')) {
      const own = Node.of(t.IN, null, this.array());
      if (node.kind == t.GROUP) own.list = node.list;
      else own.list.push(node);
      node = own;
    }
    return node;
  }

  protected matching(): Node {
    let node = this.comparison();
    while (this.is('~') || this.is('!~')) {
      const negated = this.is('!~') ? 1 : 0;
      this.next();
      node = Node.of(t.MATCH, node, this.comparison(), negated);
    }
    return node;
  }

  protected comparison(): Node {
    let node = this.concatenation();
    while (true) {
      if (this.is('|') && !this.noGreater) {
        // a pipe that is not getline's is print's
        this.next();
        if (!this.eat('getline')) return this.fail('expected getline behind |');
        node = Node.of(t.GETLINE, this.optionalLvalue(), node, 124);
        continue;
      }
      let which = -1;
      if (this.is('<')) which = t.LESS;
      else if (this.is('<=')) which = t.LESS_EQUAL;
      else if (this.is('==')) which = t.EQUAL;
      else if (this.is('!=')) which = t.NOT_EQUAL;
      else if (this.is('>') && !this.noGreater) which = t.GREATER;
      else if (this.is('>=')) which = t.GREATER_EQUAL;
      if (which < 0) return node;
      this.next();
      node = Node.of(t.COMPARE, node, this.concatenation(), which);
    }
  }

  /** Does the current word begin an operand, which is then joined to the one before? */
  protected get startsOperand(): bool {
    const kind = this.lexer.kind;
    if (kind == T_NUMBER || kind == T_STRING || kind == T_NAME || kind == T_CALL) return true;
    if (kind == T_WORD) return t.BUILTINS.includes(this.lexer.text);
    return this.is('$') || this.is('(') || this.is('-') || this.is('+') || this.is('++') || this.is('--');
  }

  protected concatenation(): Node {
    let node = this.additive();
    while (this.startsOperand && !this.failed) node = Node.of(t.CONCAT, node, this.additive());
    return node;
  }

  protected additive(): Node {
    let node = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const operator = this.lexer.text.charCodeAt(0);
      this.next();
      node = Node.of(t.ARITHMETIC, node, this.multiplicative(), operator);
    }
    return node;
  }

  protected multiplicative(): Node {
    let node = this.unary();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const operator = this.lexer.text.charCodeAt(0);
      this.next();
      node = Node.of(t.ARITHMETIC, node, this.unary(), operator);
    }
    return node;
  }

  protected unary(): Node {
    if (this.is('!') || this.is('-') || this.is('+')) {
      if (++this.depth > DEPTH_MAX) return this.fail('nested too deeply');
      const kind = this.is('!') ? t.NOT : this.is('-') ? t.NEGATE : t.PLUS;
      this.next();
      const node = Node.of(kind, this.unary());
      this.depth--;
      return node;
    }
    return this.power();
  }

  protected power(): Node {
    const node = this.postfix();
    if (!this.eat('^')) return node;
    // to the right, and a sign there binds closer
    const right = this.is('-') || this.is('+') || this.is('!') ? this.unary() : this.power();
    return Node.of(t.ARITHMETIC, node, right, 94);
  }

  protected postfix(): Node {
    const node = this.primary();
    if (!isLvalue(node)) return node;
    if (this.is('++') || this.is('--')) {
      const step = this.is('++') ? 1 : -1;
      this.next();
      return Node.of(t.INCREMENT, node, node, step);
    }
    return this.assignment(node);
  }

  protected assignment(node: Node): Node {
    if (this.lexer.kind != T_OPERATOR) return node;
    const text = this.lexer.text;
    const isPlain = text == '=';
    if (!isPlain && !(text.length == 2 && text.charAt(1) == '=' && '+-*/%^'.includes(text.charAt(0)))) return node;
    this.next();
    this.newlines();
    return Node.of(t.ASSIGN, node, this.expression(), isPlain ? 0 : text.charCodeAt(0));
  }

  protected primary(): Node {
    const lexer = this.lexer;
    const text = lexer.text;
    switch (lexer.kind) {
      case T_NUMBER: {
        const node = new Node(t.NUMBER);
        node.number = lexer.number;
        this.next();
        return node;
      }
      case T_STRING: {
        const node = new Node(t.STRING);
        node.text = text;
        this.next();
        return node;
      }
      case T_NAME: {
        this.next();
        const node = this.variable(text);
        if (!this.eat('[')) return node;
        const index = Node.of(t.INDEX, node);
        index.list = this.inside(']');
        return index;
      }
      case T_CALL: {
        const node = new Node(t.CALL);
        node.slot = this.functionSlot(text);
        this.next();
        this.next();
        this.newlines();
        if (this.is(')')) this.next();
        else node.list = this.inside(')');
        return node;
      }
      case T_WORD:
        return this.word(text);
    }
    if (this.is('(')) {
      this.next();
      const list = this.inside(')');
      const group = new Node(t.GROUP);
      group.list = list;
      return group;
    }
    if (this.is('$')) {
      this.next();
      return Node.of(t.FIELD, this.fieldNumber());
    }
    if (this.is('++') || this.is('--')) {
      const step = this.is('++') ? 1 : -1;
      this.next();
      const node = this.primary();
      return isLvalue(node) ? Node.of(t.INCREMENT, node, null, step) : this.fail('expected a variable');
    }
    if (this.is('/') || this.is('/=')) {
      const node = new Node(t.REGEX);
      node.regex = new Regex(lexer.regex(), REGEX_FLAGS);
      if (lexer.error == '' && node.regex!.error != '') return this.fail(node.regex!.error);
      this.next();
      return node;
    }
    return this.fail(`unexpected ${text}`);
  }

  /** What `$` takes: `$i++` is ($i)++, `$++i` and `$-1` are what they look like. */
  protected fieldNumber(): Node {
    if (this.is('-') || this.is('+') || this.is('!')) {
      const kind = this.is('!') ? t.NOT : this.is('-') ? t.NEGATE : t.PLUS;
      this.next();
      return Node.of(kind, this.primary());
    }
    return this.primary();
  }

  /** Expressions up to a closing word, free of what holds outside. */
  protected inside(close: string): Array<Node> {
    const greater = this.noGreater;
    const isIn = this.noIn;
    this.noGreater = this.noIn = false;
    this.newlines();
    const list = this.expressions();
    this.newlines();
    this.noGreater = greater;
    this.noIn = isIn;
    this.want(close);
    return list;
  }

  protected variable(name: string): Node {
    const isLocal = this.locals.has(name);
    const node = new Node(isLocal ? t.LOCAL : t.GLOBAL);
    node.slot = isLocal ? this.locals.get(name) : this.global(name);
    node.text = name;
    return node;
  }

  protected optionalLvalue(): Node | null {
    if (this.lexer.kind != T_NAME && !this.is('$')) return null;
    const node = this.primary();
    return isLvalue(node) ? node : this.fail('expected a variable');
  }

  protected word(text: string): Node {
    if (text == 'getline') {
      this.next();
      const node = Node.of(t.GETLINE, this.optionalLvalue());
      if (this.is('<')) {
        this.next();
        node.value = 60;
        node.b = this.primary();
      }
      return node;
    }
    const which = t.BUILTINS.indexOf(text);
    if (which < 0) return this.fail(`unexpected ${text}`);
    this.next();
    const node = new Node(t.BUILTIN);
    node.value = which;
    if (this.eat('(')) {
      this.newlines();
      if (!this.eat(')')) node.list = this.inside(')');
    } else if (which != t.B_LENGTH) {
      return this.fail(`expected ( behind ${text}`);
    }
    if (node.list.length < fewest(which)) return this.fail(`too few arguments to ${text}`);
    return node;
  }
}

function fewest(which: i32): i32 {
  if (which == t.B_GENSUB) return 3;
  if (
    which == t.B_SUBSTR ||
    which == t.B_INDEX ||
    which == t.B_SPLIT ||
    which == t.B_SUB ||
    which == t.B_GSUB ||
    which == t.B_MATCH ||
    which == t.B_ATAN2
  )
    return 2;
  if (
    which == t.B_LENGTH ||
    which == t.B_RAND ||
    which == t.B_SRAND ||
    which == t.B_FFLUSH ||
    which == t.B_SYSTIME ||
    which == t.B_STRFTIME
  )
    return 0;
  return 1;
}

export function isName(node: Node): bool {
  return node.kind == t.GLOBAL || node.kind == t.LOCAL;
}

function isLvalue(node: Node): bool {
  return isName(node) || node.kind == t.INDEX || node.kind == t.FIELD;
}

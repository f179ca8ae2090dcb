/** The grammar of awk: POSIX's, with what gawk, mawk and busybox all take besides. */
import { AWK, BRACKET_ESCAPES, ESCAPES, EXTENDED } from '../../regex/parser';
import { Regex } from '../../regex/regex';
import { Lexer, T_CALL, T_END, T_NAME, T_NEWLINE, T_NUMBER, T_OPERATOR, T_STRING, T_WORD } from './lexer';
import * as t from './tree';
import { Node } from './tree';

export const REGEX_FLAGS: i32 = EXTENDED | ESCAPES | BRACKET_ESCAPES | AWK;
const DEPTH_MAX: i32 = 500;

export class Parser {
  program: t.Program = new t.Program();
  error: string = '';
  private lexer: Lexer;
  slots: Map<string, i32> = new Map();
  private functions: Map<string, i32> = new Map();
  private locals: Map<string, i32> = new Map();
  /** `>` is where print goes to; `in` belongs to a for. */
  private noGreater: bool = false;
  private noIn: bool = false;
  private depth: i32 = 0;

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

  private fail(text: string): Node {
    if (this.error == '') this.error = `syntax error at line ${this.lexer.line}: ${text}`;
    this.lexer.kind = T_END;
    return new Node(t.NUMBER);
  }

  private get failed(): bool {
    if (this.lexer.error != '' && this.error == '') this.fail(this.lexer.error);
    return this.error != '';
  }

  private next(): void {
    if (this.error != '') return;
    this.lexer.next();
    if (this.lexer.error != '') this.fail(this.lexer.error);
  }

  private is(text: string): bool {
    return this.lexer.is(text);
  }

  private eat(text: string): bool {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  private want(text: string): void {
    if (!this.eat(text)) this.fail(`expected ${text} before ${this.lexer.text}`);
  }

  private newlines(): void {
    while (this.lexer.kind == T_NEWLINE) this.next();
  }

  private ends(): void {
    while (this.lexer.kind == T_NEWLINE || this.is(';')) this.next();
  }

  parse(): void {
    this.next();
    this.ends();
    while (this.lexer.kind != T_END && !this.failed) {
      this.item();
      this.ends();
    }
    for (let i = 0; i < this.program.functions.length && !this.failed; i++) {
      const one = this.program.functions[i];
      if (one.body == null) this.error = `function ${one.name} is called and never defined`;
    }
  }

  private item(): void {
    if (this.eat('function')) {
      this.functionItem();
      return;
    }
    if (this.eat('BEGIN')) {
      this.newlines();
      this.program.begin.push(this.block());
      return;
    }
    if (this.eat('END')) {
      this.newlines();
      this.program.end.push(this.block());
      return;
    }
    const rule = new t.Rule();
    if (!this.is('{')) {
      rule.first = this.expression();
      if (this.eat(',')) {
        this.newlines();
        rule.last = this.expression();
      }
    }
    if (this.is('{')) rule.body = this.block();
    else if (this.lexer.kind != T_NEWLINE && this.lexer.kind != T_END && !this.is(';'))
      this.fail(`unexpected ${this.lexer.text}`);
    this.program.rules.push(rule);
  }

  private functionSlot(name: string): i32 {
    if (this.functions.has(name)) return this.functions.get(name);
    const slot = this.program.functions.length;
    this.program.functions.push(new t.Routine(name));
    this.functions.set(name, slot);
    return slot;
  }

  private functionItem(): void {
    if (this.lexer.kind != T_NAME && this.lexer.kind != T_CALL) {
      this.fail('expected the name of a function');
      return;
    }
    const own = this.program.functions[this.functionSlot(this.lexer.text)];
    if (own.body != null) this.fail(`function ${own.name} is defined twice`);
    this.next();
    this.want('(');
    this.locals = new Map();
    while (!this.is(')') && !this.failed) {
      if (this.lexer.kind != T_NAME) {
        this.fail('expected the name of a parameter');
        return;
      }
      this.locals.set(this.lexer.text, own.parameters++);
      this.next();
      if (!this.eat(',')) break;
      this.newlines();
    }
    this.want(')');
    this.newlines();
    own.body = this.block();
    this.locals = new Map();
  }

  private block(): Node {
    const node = new Node(t.BLOCK);
    this.want('{');
    this.ends();
    while (!this.is('}') && !this.failed) {
      if (this.lexer.kind == T_END) return this.fail('unexpected end of program');
      node.list.push(this.statement());
      this.ends();
    }
    this.want('}');
    return node;
  }

  /** What ends a simple statement. */
  private finish(): void {
    if (this.lexer.kind == T_NEWLINE || this.is(';')) this.next();
    else if (!this.is('}') && this.lexer.kind != T_END) this.fail(`unexpected ${this.lexer.text}`);
  }

  /** The statement a condition governs. */
  private body(): Node {
    this.newlines();
    if (this.eat(';')) return new Node(t.BLOCK);
    return this.statement();
  }

  private statement(): Node {
    if (++this.depth > DEPTH_MAX) return this.fail('nested too deeply');
    const node = this.anyStatement();
    this.depth--;
    return node;
  }

  private anyStatement(): Node {
    if (this.is('{')) return this.block();
    if (this.eat('if')) {
      this.want('(');
      const node = Node.of(t.IF, this.expression());
      this.want(')');
      node.b = this.body();
      // an else may follow newlines and a semicolon
      this.ends();
      if (this.eat('else')) node.c = this.body();
      return node;
    }
    if (this.eat('while')) {
      this.want('(');
      const node = Node.of(t.WHILE, this.expression());
      this.want(')');
      node.b = this.body();
      return node;
    }
    if (this.eat('do')) {
      const node = new Node(t.DO);
      node.b = this.body();
      this.ends();
      this.want('while');
      this.want('(');
      node.a = this.expression();
      this.want(')');
      this.finish();
      return node;
    }
    if (this.eat('for')) return this.loop();
    const node = this.simple();
    this.finish();
    return node;
  }

  private loop(): Node {
    this.want('(');
    const node = new Node(t.FOR);
    let start: Node | null = null;
    if (!this.is(';')) {
      this.noIn = true;
      start = this.simple();
      this.noIn = false;
      const variable = start.a;
      if (this.is('in') && start.kind == t.SIMPLE && variable != null && isName(variable)) {
        this.next();
        node.kind = t.FOR_IN;
        node.a = variable;
        node.c = this.array();
        this.want(')');
        node.b = this.body();
        return node;
      }
    }
    this.want(';');
    this.newlines();
    if (!this.is(';')) node.a = this.expression();
    this.want(';');
    this.newlines();
    const step: Node | null = this.is(')') ? null : this.simple();
    this.want(')');
    node.list.push(start == null ? new Node(t.BLOCK) : start);
    node.list.push(step == null ? new Node(t.BLOCK) : step);
    node.b = this.body();
    return node;
  }

  private array(): Node {
    if (this.lexer.kind != T_NAME) return this.fail('expected the name of an array');
    const node = this.variable(this.lexer.text);
    this.next();
    return node;
  }

  private get atEnd(): bool {
    return this.lexer.kind == T_NEWLINE || this.lexer.kind == T_END || this.is(';') || this.is('}');
  }

  private simple(): Node {
    if (this.is('print') || this.is('printf')) return this.print();
    if (this.eat('delete')) {
      const name = this.array();
      if (!this.eat('[')) return Node.of(t.DELETE, name);
      const node = Node.of(t.INDEX, name);
      node.list = this.expressions();
      this.want(']');
      return Node.of(t.DELETE, node);
    }
    if (this.eat('next')) return new Node(t.NEXT);
    if (this.eat('nextfile')) return new Node(t.NEXT_FILE);
    if (this.eat('break')) return new Node(t.BREAK);
    if (this.eat('continue')) return new Node(t.CONTINUE);
    if (this.eat('exit')) return Node.of(t.EXIT, this.atEnd ? null : this.expression());
    if (this.eat('return')) return Node.of(t.RETURN, this.atEnd ? null : this.expression());
    return Node.of(t.SIMPLE, this.expression());
  }

  private print(): Node {
    const node = new Node(this.is('print') ? t.PRINT : t.PRINTF);
    this.next();
    const outer = this.noGreater;
    this.noGreater = true;
    if (!this.atEnd && !this.is('>') && !this.is('>>') && !this.is('|')) {
      const list = this.expressions();
      // print (a, b) > file
      node.list = list.length == 1 && list[0].kind == t.GROUP ? list[0].list : list;
    }
    this.noGreater = outer;
    if (this.is('>') || this.is('>>') || this.is('|')) {
      node.value = this.is('>') ? 62 : this.is('>>') ? 97 : 124;
      this.next();
      node.b = this.concatenation();
    }
    if (node.kind == t.PRINTF && node.list.length == 0) this.fail('printf: no format');
    return node;
  }

  private expressions(): Array<Node> {
    const list: Node[] = [this.expression()];
    while (this.eat(',') && !this.failed) {
      this.newlines();
      list.push(this.expression());
    }
    return list;
  }

  private expression(): Node {
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

  private or(): Node {
    let node = this.and();
    while (this.eat('||')) {
      this.newlines();
      node = Node.of(t.OR, node, this.and());
    }
    return node;
  }

  private and(): Node {
    let node = this.membership();
    while (this.eat('&&')) {
      this.newlines();
      node = Node.of(t.AND, node, this.membership());
    }
    return node;
  }

  private membership(): Node {
    let node = this.matching();
    while (!this.noIn && this.eat('in')) {
      const own = Node.of(t.IN, null, this.array());
      if (node.kind == t.GROUP) own.list = node.list;
      else own.list.push(node);
      node = own;
    }
    return node;
  }

  private matching(): Node {
    let node = this.comparison();
    while (this.is('~') || this.is('!~')) {
      const negated = this.is('!~') ? 1 : 0;
      this.next();
      node = Node.of(t.MATCH, node, this.comparison(), negated);
    }
    return node;
  }

  private comparison(): Node {
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
  private get startsOperand(): bool {
    const kind = this.lexer.kind;
    if (kind == T_NUMBER || kind == T_STRING || kind == T_NAME || kind == T_CALL) return true;
    if (kind == T_WORD) return t.BUILTINS.includes(this.lexer.text);
    return this.is('$') || this.is('(') || this.is('-') || this.is('+') || this.is('++') || this.is('--');
  }

  private concatenation(): Node {
    let node = this.additive();
    while (this.startsOperand && !this.failed) node = Node.of(t.CONCAT, node, this.additive());
    return node;
  }

  private additive(): Node {
    let node = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const operator = this.lexer.text.charCodeAt(0);
      this.next();
      node = Node.of(t.ARITHMETIC, node, this.multiplicative(), operator);
    }
    return node;
  }

  private multiplicative(): Node {
    let node = this.unary();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const operator = this.lexer.text.charCodeAt(0);
      this.next();
      node = Node.of(t.ARITHMETIC, node, this.unary(), operator);
    }
    return node;
  }

  private unary(): Node {
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

  private power(): Node {
    const node = this.postfix();
    if (!this.eat('^')) return node;
    // to the right, and a sign there binds closer
    const right = this.is('-') || this.is('+') || this.is('!') ? this.unary() : this.power();
    return Node.of(t.ARITHMETIC, node, right, 94);
  }

  private postfix(): Node {
    const node = this.primary();
    if (!isLvalue(node)) return node;
    if (this.is('++') || this.is('--')) {
      const step = this.is('++') ? 1 : -1;
      this.next();
      return Node.of(t.INCREMENT, node, node, step);
    }
    return this.assignment(node);
  }

  private assignment(node: Node): Node {
    if (this.lexer.kind != T_OPERATOR) return node;
    const text = this.lexer.text;
    const isPlain = text == '=';
    if (!isPlain && !(text.length == 2 && text.charAt(1) == '=' && '+-*/%^'.includes(text.charAt(0)))) return node;
    this.next();
    this.newlines();
    return Node.of(t.ASSIGN, node, this.expression(), isPlain ? 0 : text.charCodeAt(0));
  }

  private primary(): Node {
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
  private fieldNumber(): Node {
    if (this.is('-') || this.is('+') || this.is('!')) {
      const kind = this.is('!') ? t.NOT : this.is('-') ? t.NEGATE : t.PLUS;
      this.next();
      return Node.of(kind, this.primary());
    }
    return this.primary();
  }

  /** Expressions up to a closing word, free of what holds outside. */
  private inside(close: string): Array<Node> {
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

  private variable(name: string): Node {
    const isLocal = this.locals.has(name);
    const node = new Node(isLocal ? t.LOCAL : t.GLOBAL);
    node.slot = isLocal ? this.locals.get(name) : this.global(name);
    node.text = name;
    return node;
  }

  private optionalLvalue(): Node | null {
    if (this.lexer.kind != T_NAME && !this.is('$')) return null;
    const node = this.primary();
    return isLvalue(node) ? node : this.fail('expected a variable');
  }

  private word(text: string): Node {
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

function isName(node: Node): bool {
  return node.kind == t.GLOBAL || node.kind == t.LOCAL;
}

function isLvalue(node: Node): bool {
  return isName(node) || node.kind == t.INDEX || node.kind == t.FIELD;
}

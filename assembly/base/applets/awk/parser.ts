import { DEPTH_MAX, ExpressionParser, isName } from './expression-parser';
import { T_CALL, T_END, T_NAME, T_NEWLINE } from './lexer';
import * as t from './tree';
import { Node } from './tree';

export class Parser extends ExpressionParser {
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
}

/** The grammar (XCU 2.10): tokens to a tree. After a failure, which the lexer holds, every result is to be thrown away. */
import {
  AndOr,
  APPEND,
  Assignment,
  Case,
  CaseItem,
  CLOBBER,
  DUPLICATE_INPUT,
  DUPLICATE_OUTPUT,
  For,
  FunctionDefinition,
  GROUP,
  Group,
  HERE,
  If,
  INPUT,
  LITERAL,
  List,
  Loop,
  Node,
  OUTPUT,
  Part,
  Pipeline,
  READ_WRITE,
  Redirect,
  Simple,
  SUBSHELL,
  Word,
} from './ast';
import * as c from './characters';
import {
  Lexer,
  T_AND,
  T_AND_AND,
  T_APPEND,
  T_CASE_END,
  T_CASE_ON,
  T_CLOBBER,
  T_CLOSE,
  T_END,
  T_GREATER,
  T_GREATER_AND,
  T_HERE_STRIP,
  T_LESS,
  T_LESS_AND,
  T_NEWLINE,
  T_NUMBER,
  T_OPEN,
  T_OR,
  T_OR_OR,
  T_READ_WRITE,
  T_SEMICOLON,
  T_WORD,
  tokenName,
} from './lexer';

export class Parser {
  /** The token ahead; -1: not read yet. */
  private token: i32 = -1;

  constructor(public lexer: Lexer) {}

  private get failed(): bool {
    return this.lexer.failure.length > 0;
  }

  private peek(): i32 {
    if (this.failed) return T_END;
    if (this.token < 0) this.token = this.lexer.next();
    return this.failed ? T_END : this.token;
  }

  private skip(): void {
    this.token = -1;
  }

  private accept(kind: i32): bool {
    if (this.peek() != kind) return false;
    this.token = -1;
    return true;
  }

  private unexpected(expected: string = ''): void {
    const kind = this.peek();
    if (this.failed) return;
    const tail = expected.length > 0 ? ` (expecting ${expected})` : '';
    this.lexer.fail(`unexpected ${tokenName(kind, this.lexer.word)}${tail}`);
  }

  /** The word ahead if it has no quotes and expansions: what may be a reserved word. */
  private plainWord(): string {
    if (this.peek() != T_WORD) return '';
    const plain = this.lexer.word.plain;
    return plain === null ? '' : plain;
  }

  private acceptWord(text: string): bool {
    if (this.plainWord() != text) return false;
    this.skip();
    return true;
  }

  private expectWord(text: string): void {
    if (!this.acceptWord(text)) this.unexpected(`"${text}"`);
  }

  private newlines(): void {
    while (this.accept(T_NEWLINE)) {
      // any number of them
    }
  }

  /** The commands up to the end of a line; null for an empty one, at the end and after a failure. */
  complete(): Node | null {
    if (this.accept(T_NEWLINE) || this.peek() == T_END) return null;
    const list = this.list(false);
    if (!this.failed && this.peek() != T_NEWLINE && this.peek() != T_END) this.unexpected();
    this.skip();
    return this.failed ? null : list;
  }

  get atEnd(): bool {
    return this.peek() == T_END;
  }

  /** Everything up to a T_CLOSE, or to the end of the text. Null where there is nothing. */
  substitution(end: i32): Node | null {
    this.newlines();
    let list: Node | null = null;
    if (this.peek() != end) list = this.list(true);
    if (!this.failed && this.peek() != end) this.unexpected(end == T_CLOSE ? '")"' : '');
    return list;
  }

  /** A list of and-or lists. `lines`: newlines separate, too. */
  private list(lines: bool): Node {
    const list = new List();
    list.line = this.lexer.tokenLine;
    if (lines) this.newlines();
    while (true) {
      list.items.push(this.andOr());
      list.background.push(false);
      if (this.failed) break;
      const kind = this.peek();
      if (kind == T_AND) list.background[list.background.length - 1] = true;
      if (kind == T_AND || kind == T_SEMICOLON) this.skip();
      else if (!lines || kind != T_NEWLINE) break;
      if (lines) this.newlines();
      if (this.endsList()) break;
    }
    return list.items.length == 1 && !list.background[0] ? list.items[0] : list;
  }

  private endsList(): bool {
    const kind = this.peek();
    if (kind == T_END || kind == T_NEWLINE || kind == T_CLOSE || kind == T_CASE_END || kind == T_CASE_ON) return true;
    return isClosing(this.plainWord());
  }

  private andOr(): Node {
    const first = this.pipeline();
    let kind = this.peek();
    if (kind != T_AND_AND && kind != T_OR_OR) return first;
    const all = new AndOr();
    all.line = first.line;
    all.commands.push(first);
    all.isAnd.push(true);
    while (kind == T_AND_AND || kind == T_OR_OR) {
      this.skip();
      this.newlines();
      all.commands.push(this.pipeline());
      all.isAnd.push(kind == T_AND_AND);
      kind = this.peek();
    }
    return all;
  }

  private pipeline(): Node {
    let negated = false;
    let isBang = false;
    while (this.acceptWord('!')) {
      negated = !negated;
      isBang = true;
    }
    const line = this.lexer.tokenLine;
    const first = this.command();
    if (!isBang && this.peek() != T_OR) return first;
    const commands: Node[] = [];
    commands.push(first);
    while (this.accept(T_OR)) {
      this.newlines();
      commands.push(this.command());
    }
    const pipeline = new Pipeline(commands, negated);
    pipeline.line = line;
    return pipeline;
  }

  private command(): Node {
    if (!this.lexer.enter()) return new Simple();
    const line = this.lexer.tokenLine;
    let node = this.compound();
    if (node === null) {
      node = this.simple();
    } else {
      const redirects: Redirect[] = [];
      while (this.redirect(redirects)) {
        // all of them
      }
      node.redirects = redirects;
    }
    node.line = line;
    this.lexer.leave();
    return node;
  }

  private compound(): Node | null {
    const kind = this.peek();
    if (kind == T_OPEN) {
      this.skip();
      const body = this.list(true);
      if (!this.accept(T_CLOSE)) this.unexpected('")"');
      return new Group(SUBSHELL, body);
    }
    if (kind != T_WORD) return null;
    const word = this.plainWord();
    if (word.length == 0) return null;
    if (word == '{') {
      this.skip();
      const body = this.list(true);
      this.expectWord('}');
      return new Group(GROUP, body);
    }
    if (word == 'if') {
      this.skip();
      return this.ifRest();
    }
    if (word == 'while' || word == 'until') {
      this.skip();
      const condition = this.list(true);
      return new Loop(condition, this.doGroup(), word == 'until');
    }
    if (word == 'for') {
      this.skip();
      return this.forRest();
    }
    if (word == 'case') {
      this.skip();
      return this.caseRest();
    }
    if (isClosing(word)) this.unexpected();
    return null;
  }

  private doGroup(): Node {
    this.newlines();
    this.expectWord('do');
    const body = this.list(true);
    this.expectWord('done');
    return body;
  }

  private ifRest(): Node {
    const condition = this.list(true);
    this.expectWord('then');
    const then = this.list(true);
    let otherwise: Node | null = null;
    if (this.acceptWord('elif')) {
      if (!this.lexer.enter()) return then;
      otherwise = this.ifRest();
      this.lexer.leave();
      return new If(condition, then, otherwise);
    }
    if (this.acceptWord('else')) otherwise = this.list(true);
    this.expectWord('fi');
    return new If(condition, then, otherwise);
  }

  private forRest(): Node {
    const name = this.plainWord();
    if (!c.isName(name)) {
      if (this.peek() == T_WORD) this.lexer.fail(`bad for loop variable: ${name}`);
      else this.unexpected('a name');
    }
    this.skip();
    let words: Array<Word> | null = null;
    this.newlines();
    if (this.acceptWord('in')) {
      words = [] as Word[];
      while (this.peek() == T_WORD) {
        words.push(this.lexer.word);
        this.skip();
      }
      if (!this.accept(T_SEMICOLON) && !this.accept(T_NEWLINE)) this.unexpected();
    } else {
      this.accept(T_SEMICOLON);
    }
    const node = new For(name, this.doGroup());
    node.words = words;
    return node;
  }

  private caseRest(): Node {
    if (this.peek() != T_WORD && this.peek() != T_NUMBER) this.unexpected('a word');
    const node = new Case(this.lexer.word);
    this.skip();
    this.newlines();
    this.expectWord('in');
    this.newlines();
    while (!this.failed && this.plainWord() != 'esac') {
      const item = new CaseItem();
      const isOpened = this.accept(T_OPEN);
      do {
        if (this.peek() != T_WORD) this.unexpected(isOpened || item.patterns.length > 0 ? 'a pattern' : '"esac"');
        item.patterns.push(this.lexer.word);
        this.skip();
      } while (this.accept(T_OR));
      if (!this.accept(T_CLOSE)) this.unexpected('")"');
      this.newlines();
      node.items.push(item);
      if (!this.endsCaseItem()) item.body = this.list(true);
      if (this.accept(T_CASE_ON)) item.fallsThrough = true;
      else if (!this.accept(T_CASE_END)) break;
      this.newlines();
    }
    this.expectWord('esac');
    return node;
  }

  private endsCaseItem(): bool {
    const kind = this.peek();
    return kind == T_CASE_END || kind == T_CASE_ON || this.plainWord() == 'esac';
  }

  private simple(): Node {
    const node = new Simple();
    while (true) {
      if (this.redirect(node.redirects)) continue;
      if (this.peek() != T_WORD) break;
      const word = this.lexer.word;
      if (node.words.length == 0) {
        const assignment = asAssignment(word);
        if (assignment !== null) {
          node.assignments.push(assignment);
          this.skip();
          continue;
        }
      }
      this.skip();
      if (node.words.length == 0 && node.assignments.length == 0 && node.redirects.length == 0) {
        const name = word.plain;
        if (name !== null && this.peek() == T_OPEN) return this.functionRest(name);
      }
      node.words.push(word);
    }
    if (node.words.length == 0 && node.assignments.length == 0 && node.redirects.length == 0) this.unexpected();
    return node;
  }

  private functionRest(name: string): Node {
    this.skip();
    if (!this.accept(T_CLOSE)) this.unexpected('")"');
    if (!c.isName(name)) this.lexer.fail(`bad function name: ${name}`);
    this.newlines();
    const line = this.lexer.tokenLine;
    const body = this.compound();
    if (body === null) {
      this.unexpected('the body of a function');
      return new Simple();
    }
    const redirects: Redirect[] = [];
    while (this.redirect(redirects)) {
      // all of them
    }
    body.redirects = redirects;
    body.line = line;
    return new FunctionDefinition(name, body);
  }

  /** Takes a redirection, if one is next. */
  private redirect(into: Array<Redirect>): bool {
    let fd = -1;
    let kind = this.peek();
    if (kind == T_NUMBER) {
      const digits = this.lexer.word.plain;
      fd = digits === null ? 0 : I32.parseInt(digits);
      this.skip();
      kind = this.peek();
    }
    if (kind < T_LESS) return false;
    const line = this.lexer.tokenLine;
    this.skip();
    const next = this.peek();
    if (next != T_WORD && next != T_NUMBER) {
      this.unexpected();
      return false;
    }
    const redirect = new Redirect(redirectKind(kind), fd < 0 ? standardFd(kind) : fd, this.lexer.word);
    redirect.line = line;
    redirect.strips = kind == T_HERE_STRIP;
    // before the next token is looked at, which may be the newline that the body follows
    if (redirect.kind == HERE) this.lexer.pending.push(redirect);
    this.skip();
    into.push(redirect);
    return true;
  }
}

function standardFd(token: i32): i32 {
  return token == T_GREATER || token == T_APPEND || token == T_CLOBBER || token == T_GREATER_AND ? 1 : 0;
}

function redirectKind(token: i32): i32 {
  switch (token) {
    case T_LESS:
      return INPUT;
    case T_GREATER:
      return OUTPUT;
    case T_APPEND:
      return APPEND;
    case T_CLOBBER:
      return CLOBBER;
    case T_READ_WRITE:
      return READ_WRITE;
    case T_LESS_AND:
      return DUPLICATE_INPUT;
    case T_GREATER_AND:
      return DUPLICATE_OUTPUT;
    default:
      return HERE;
  }
}

function isClosing(word: string): bool {
  if (word.length == 0) return false;
  return (
    word == 'then' ||
    word == 'else' ||
    word == 'elif' ||
    word == 'fi' ||
    word == 'do' ||
    word == 'done' ||
    word == 'esac' ||
    word == '}'
  );
}

export function isReserved(word: string): bool {
  if (isClosing(word)) return true;
  return (
    word == '!' || word == '{' || word == 'if' || word == 'while' || word == 'until' || word == 'for' || word == 'case'
  );
}

/** `NAME=value`; null for any other word. */
export function asAssignment(word: Word): Assignment | null {
  const parts = word.parts;
  if (parts.length == 0 || parts[0].kind != LITERAL) return null;
  const text = parts[0].text;
  const equals = text.indexOf('=');
  if (equals <= 0 || !c.isName(text.substring(0, equals))) return null;
  const value = new Word();
  if (equals + 1 < text.length) value.parts.push(new Part(LITERAL, text.substring(equals + 1), false));
  for (let i = 1; i < parts.length; i++) value.parts.push(parts[i]);
  return new Assignment(text.substring(0, equals), value);
}

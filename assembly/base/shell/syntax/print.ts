/** A tree as a script again: for shells in processes of their own, and for who asks what a function is. */
import { TextBuffer } from '../text-buffer';
import {
  ALTERNATE,
  AND_OR,
  AndOr,
  APPEND,
  ARITHMETIC,
  ASSIGN,
  BAD,
  CASE,
  Case,
  CLOBBER,
  COMMAND,
  DEFAULT,
  DUPLICATE_INPUT,
  DUPLICATE_OUTPUT,
  ERROR,
  FOR,
  For,
  FUNCTION,
  FunctionDefinition,
  GROUP,
  Group,
  HERE,
  IF,
  If,
  INPUT,
  LENGTH,
  LIST,
  LITERAL,
  List,
  LONG_PREFIX,
  LOOP,
  Loop,
  Node,
  OUTPUT,
  Part,
  PIPELINE,
  Pipeline,
  PREFIX,
  QUOTED,
  READ_WRITE,
  Redirect,
  SIMPLE,
  Simple,
  SUBSHELL,
  SUFFIX,
  Word,
} from './ast';
import { alwaysQuoted } from './quote';

export function printNode(node: Node): string {
  const printer = new Printer();
  printer.node(node);
  printer.newline();
  return printer.out.toString();
}

class Printer {
  out: TextBuffer = new TextBuffer();
  /** Here-documents whose bodies follow the next newline. */
  private pending: Array<Redirect> = [] as Redirect[];

  newline(): void {
    this.out.push(0x0a);
    const pending = this.pending;
    this.pending = [] as Redirect[];
    for (let i = 0; i < pending.length; i++) this.hereDocument(pending[i]);
  }

  private write(text: string): void {
    this.out.append(text);
  }

  node(node: Node): void {
    switch (node.kind) {
      case SIMPLE:
        this.simple(changetype<Simple>(node));
        return;
      case PIPELINE:
        this.pipeline(changetype<Pipeline>(node));
        return;
      case AND_OR: {
        const all = changetype<AndOr>(node);
        for (let i = 0; i < all.commands.length; i++) {
          if (i > 0) {
            this.write(all.isAnd[i] ? ' &&' : ' ||');
            this.newline();
          }
          this.node(all.commands[i]);
        }
        return;
      }
      case LIST:
        this.list(changetype<List>(node));
        return;
      case GROUP:
        this.enclosed('{', changetype<Group>(node).body, '}');
        break;
      case SUBSHELL:
        this.enclosed('(', changetype<Group>(node).body, ')');
        break;
      case IF:
        this.branch(changetype<If>(node));
        break;
      case FOR:
        this.each(changetype<For>(node));
        break;
      case LOOP: {
        const loop = changetype<Loop>(node);
        this.enclosed(loop.isUntil ? 'until' : 'while', loop.condition, '');
        this.enclosed('do', loop.body, 'done');
        break;
      }
      case CASE:
        this.choice(changetype<Case>(node));
        break;
      case FUNCTION: {
        const definition = changetype<FunctionDefinition>(node);
        this.write(`${definition.name}() `);
        this.node(definition.body);
        return;
      }
    }
    this.redirects(node.redirects);
  }

  private enclosed(before: string, body: Node, after: string): void {
    this.write(before);
    this.newline();
    this.node(body);
    this.newline();
    this.write(after);
  }

  private list(list: List): void {
    for (let i = 0; i < list.items.length; i++) {
      if (i > 0) this.newline();
      this.node(list.items[i]);
      if (list.background[i]) this.write(' &');
    }
  }

  private pipeline(pipeline: Pipeline): void {
    if (pipeline.negated) this.write('! ');
    for (let i = 0; i < pipeline.commands.length; i++) {
      if (i > 0) {
        this.write(' |');
        this.newline();
      }
      this.node(pipeline.commands[i]);
    }
  }

  private branch(node: If): void {
    this.enclosed('if', node.condition, '');
    this.enclosed('then', node.then, '');
    const otherwise = node.otherwise;
    if (otherwise !== null) this.enclosed('else', otherwise, '');
    this.write('fi');
  }

  private each(node: For): void {
    this.write(`for ${node.name}`);
    const words = node.words;
    if (words !== null) {
      this.write(' in');
      this.words(words);
    }
    this.newline();
    this.enclosed('do', node.body, 'done');
  }

  private choice(node: Case): void {
    this.write('case ');
    this.word(node.subject);
    this.write(' in');
    this.newline();
    for (let i = 0; i < node.items.length; i++) {
      const item = node.items[i];
      this.write('(');
      for (let k = 0; k < item.patterns.length; k++) {
        if (k > 0) this.write(' | ');
        this.word(item.patterns[k]);
      }
      this.write(')');
      this.newline();
      const body = item.body;
      if (body !== null) this.node(body);
      this.newline();
      this.write(item.fallsThrough ? ';&' : ';;');
      this.newline();
    }
    this.write('esac');
  }

  private simple(node: Simple): void {
    let isFirst = true;
    for (let i = 0; i < node.assignments.length; i++) {
      if (!isFirst) this.write(' ');
      isFirst = false;
      this.write(`${node.assignments[i].name}=`);
      this.word(node.assignments[i].value);
    }
    for (let i = 0; i < node.words.length; i++) {
      if (!isFirst) this.write(' ');
      isFirst = false;
      this.word(node.words[i]);
    }
    this.redirects(node.redirects);
  }

  private words(words: Array<Word>): void {
    for (let i = 0; i < words.length; i++) {
      this.write(' ');
      this.word(words[i]);
    }
  }

  private redirects(redirects: Array<Redirect>): void {
    for (let i = 0; i < redirects.length; i++) {
      const redirect = redirects[i];
      this.write(` ${redirect.fd}${operatorOf(redirect.kind)}`);
      if (redirect.kind == HERE) {
        this.write(END_OF_HERE);
        this.pending.push(redirect);
      } else {
        this.word(redirect.target);
      }
    }
  }

  private hereDocument(redirect: Redirect): void {
    const start = this.out.length;
    const body = redirect.body;
    if (body !== null) this.insideQuotes(body, HERE_SPECIAL);
    if (this.out.length > start && this.out.at(this.out.length - 1) != 0x0a) this.out.push(0x0a);
    this.write(END_OF_HERE);
    this.out.push(0x0a);
  }

  /** Parts between quotes that are there already; `special`: what a backslash has to be before. */
  private insideQuotes(word: Word, special: string): void {
    for (let i = 0; i < word.parts.length; i++) {
      const part = word.parts[i];
      if (part.kind != QUOTED) this.expansion(part);
      else this.escaped(part.text, special);
    }
  }

  private escaped(text: string, special: string): void {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      for (let k = 0; k < special.length; k++) if (special.charCodeAt(k) == unit) this.out.push(0x5c);
      this.out.push(unit);
    }
  }

  private word(word: Word): void {
    for (let i = 0; i < word.parts.length; i++) this.part(word.parts[i]);
  }

  private part(part: Part): void {
    switch (part.kind) {
      case LITERAL:
        // what a dollar sign that stands for itself would begin with what comes next
        this.write(part.text.replaceAll('$', '\\$'));
        return;
      case QUOTED:
        this.write(alwaysQuoted(part.text));
        return;
    }
    if (part.quoted) this.write('"');
    this.expansion(part);
    if (part.quoted) this.write('"');
  }

  private expansion(part: Part): void {
    switch (part.kind) {
      case COMMAND: {
        this.write('$(');
        const command = part.command;
        if (command !== null) {
          const inner = new Printer();
          inner.newline();
          inner.node(command);
          inner.newline();
          this.write(inner.out.toString());
        }
        this.write(')');
        return;
      }
      case ARITHMETIC:
        this.write('$((');
        this.insideQuotes(part.word!, ARITHMETIC_SPECIAL);
        this.write('))');
        return;
    }
    this.write('${');
    if (part.operator == LENGTH) this.write('#');
    this.write(part.operator == BAD ? '!' : part.text);
    if (part.operator > LENGTH && part.operator != BAD) {
      if (part.colon) this.write(':');
      this.write(symbolOf(part.operator));
      if (part.quoted && part.operator < PREFIX) this.insideQuotes(part.word!, BRACE_SPECIAL);
      else this.word(part.word!);
    }
    this.write('}');
  }
}

const END_OF_HERE: string = '__end_of_here_document__';
const HERE_SPECIAL: string = '\\$`';
const BRACE_SPECIAL: string = '\\$`"}';
const ARITHMETIC_SPECIAL: string = '\\$`';

function operatorOf(kind: i32): string {
  switch (kind) {
    case INPUT:
      return '<';
    case OUTPUT:
      return '>';
    case APPEND:
      return '>>';
    case READ_WRITE:
      return '<>';
    case CLOBBER:
      return '>|';
    case DUPLICATE_INPUT:
      return '<&';
    case DUPLICATE_OUTPUT:
      return '>&';
    default:
      return '<<';
  }
}

function symbolOf(operator: i32): string {
  switch (operator) {
    case DEFAULT:
      return '-';
    case ASSIGN:
      return '=';
    case ERROR:
      return '?';
    case ALTERNATE:
      return '+';
    case PREFIX:
      return '#';
    case LONG_PREFIX:
      return '##';
    case SUFFIX:
      return '%';
    default:
      return '%%';
  }
}

/** What a script is parsed to. */

/** Kinds of `Part`. */
export const LITERAL: i32 = 0;
/** Text in quotes; nothing in it is special. May be empty: `""` is a field. */
export const QUOTED: i32 = 1;
export const PARAMETER: i32 = 2;
export const COMMAND: i32 = 3;
export const ARITHMETIC: i32 = 4;

/** Operators of a parameter expansion. */
export const PLAIN: i32 = 0;
export const LENGTH: i32 = 1;
export const DEFAULT: i32 = 2;
export const ASSIGN: i32 = 3;
export const ERROR: i32 = 4;
export const ALTERNATE: i32 = 5;
export const PREFIX: i32 = 6;
export const LONG_PREFIX: i32 = 7;
export const SUFFIX: i32 = 8;
export const LONG_SUFFIX: i32 = 9;
/** `${` with something in it that nothing means: an error once it is expanded. */
export const BAD: i32 = 10;

export class Part {
  /** Of a parameter expansion; `colon`: null counts as unset. */
  operator: i32 = PLAIN;
  colon: bool = false;
  /** Of an operator, or what an arithmetic expression is before its expansion. */
  word: Word | null = null;
  /** Of a command substitution; null is an empty one. */
  command: Node | null = null;

  constructor(
    public kind: i32,
    /** Literal text, or the parameter's name. */
    public text: string,
    /** Between double quotes, or in a here-document. */
    public quoted: bool,
  ) {}
}

export class Word {
  parts: Array<Part> = [] as Part[];

  /** The text of a word without quotes and expansions, else null. */
  get plain(): string | null {
    const parts = this.parts;
    if (parts.length == 0) return '';
    if (parts.length != 1 || parts[0].kind != LITERAL) return null;
    return parts[0].text;
  }
}

export class Assignment {
  constructor(
    public name: string,
    public value: Word,
  ) {}
}

/** Kinds of `Redirect`. */
export const INPUT: i32 = 0;
export const OUTPUT: i32 = 1;
export const APPEND: i32 = 2;
export const READ_WRITE: i32 = 3;
export const CLOBBER: i32 = 4;
export const DUPLICATE_INPUT: i32 = 5;
export const DUPLICATE_OUTPUT: i32 = 6;
export const HERE: i32 = 7;

export class Redirect {
  /** Of a here-document. */
  body: Word | null = null;
  /** `<<-`: tabs at the beginning of lines are not part of it. */
  strips: bool = false;
  line: i32 = 0;

  constructor(
    public kind: i32,
    public fd: i32,
    /** A file, a descriptor, or what ends the here-document. */
    public target: Word,
  ) {}
}

/** Kinds of `Node`. */
export const SIMPLE: i32 = 0;
export const PIPELINE: i32 = 1;
export const AND_OR: i32 = 2;
export const LIST: i32 = 3;
export const GROUP: i32 = 4;
export const SUBSHELL: i32 = 5;
export const IF: i32 = 6;
export const FOR: i32 = 7;
export const LOOP: i32 = 8;
export const CASE: i32 = 9;
export const FUNCTION: i32 = 10;

export abstract class Node {
  line: i32 = 0;
  redirects: Array<Redirect> = NO_REDIRECTS;

  constructor(public kind: i32) {}
}

const NO_REDIRECTS: Array<Redirect> = [] as Redirect[];

export class Simple extends Node {
  assignments: Array<Assignment> = [] as Assignment[];
  words: Array<Word> = [] as Word[];

  constructor() {
    super(SIMPLE);
    this.redirects = [] as Redirect[];
  }
}

export class Pipeline extends Node {
  constructor(
    public commands: Array<Node>,
    public negated: bool,
  ) {
    super(PIPELINE);
  }
}

/** Pipelines with `&&` or `||` between them; the two bind alike. */
export class AndOr extends Node {
  commands: Array<Node> = [] as Node[];
  /** Of each: is it `&&` that stands before it? Of the first, nothing. */
  isAnd: Array<bool> = [] as bool[];

  constructor() {
    super(AND_OR);
  }
}

export class List extends Node {
  items: Array<Node> = [] as Node[];
  /** Of each item: does `&` follow it? */
  background: Array<bool> = [] as bool[];

  constructor() {
    super(LIST);
  }
}

/** `{ body; }`, or `( body )` as a SUBSHELL. */
export class Group extends Node {
  constructor(
    kind: i32,
    public body: Node,
  ) {
    super(kind);
  }
}

export class If extends Node {
  constructor(
    public condition: Node,
    public then: Node,
    /** An `If` for elif. */
    public otherwise: Node | null,
  ) {
    super(IF);
  }
}

export class For extends Node {
  /** Null without `in`: the positional parameters. */
  words: Array<Word> | null = null;

  constructor(
    public name: string,
    public body: Node,
  ) {
    super(FOR);
  }
}

export class Loop extends Node {
  constructor(
    public condition: Node,
    public body: Node,
    public isUntil: bool,
  ) {
    super(LOOP);
  }
}

export class CaseItem {
  patterns: Array<Word> = [] as Word[];
  /** Null where there is nothing to do. */
  body: Node | null = null;
  /** `;&`: on into the next item. */
  fallsThrough: bool = false;
}

export class Case extends Node {
  items: Array<CaseItem> = [] as CaseItem[];

  constructor(public subject: Word) {
    super(CASE);
  }
}

export class FunctionDefinition extends Node {
  constructor(
    public name: string,
    public body: Node,
  ) {
    super(FUNCTION);
  }
}

/** An awk program as a tree. What the children of each kind are is said with it: a, b, c, list. */
import { Regex } from '../../regex/regex';

// expressions
export const NUMBER: i32 = 1; // number
export const STRING: i32 = 2; // text
export const REGEX: i32 = 3; // regex; as a value: $0 ~ regex
export const GLOBAL: i32 = 4; // slot
export const LOCAL: i32 = 5; // slot
export const FIELD: i32 = 6; // a: its number
export const INDEX: i32 = 7; // a: GLOBAL or LOCAL; list: subscripts
export const ASSIGN: i32 = 8; // a: what; b: value; value: 0 or the operator (+ - * / % ^)
export const TERNARY: i32 = 9; // a ? b : c
export const OR: i32 = 10;
export const AND: i32 = 11;
export const IN: i32 = 12; // list in b
export const MATCH: i32 = 13; // a ~ b; value 1: !~
export const COMPARE: i32 = 14; // a b; value: which
export const CONCAT: i32 = 15;
export const ARITHMETIC: i32 = 16; // a b; value: + - * / % ^
export const NEGATE: i32 = 17;
export const PLUS: i32 = 18;
export const NOT: i32 = 19;
export const INCREMENT: i32 = 20; // a; value: 1 or -1; b is not null: the old value
export const CALL: i32 = 21; // slot: function; list
export const BUILTIN: i32 = 22; // value: which; list
export const GETLINE: i32 = 23; // a: lvalue or null; b: file or command or null; value: 0 main input, '<', '|'
export const GROUP: i32 = 24; // list, in parentheses

export const LESS: i32 = 0;
export const LESS_EQUAL: i32 = 1;
export const EQUAL: i32 = 2;
export const NOT_EQUAL: i32 = 3;
export const GREATER: i32 = 4;
export const GREATER_EQUAL: i32 = 5;

// statements
export const BLOCK: i32 = 40; // list
export const SIMPLE: i32 = 41; // a
export const PRINT: i32 = 42; // list; b: where to, value: 0, '>', 'a' for >>, '|'
export const PRINTF: i32 = 43;
export const IF: i32 = 44; // a, b, c
export const WHILE: i32 = 45; // a, b
export const DO: i32 = 46; // b, a
export const FOR: i32 = 47; // list: start, step; a: condition; b: body
export const FOR_IN: i32 = 48; // a: variable; c: array; b: body
export const BREAK: i32 = 49;
export const CONTINUE: i32 = 50;
export const NEXT: i32 = 51;
export const NEXT_FILE: i32 = 52;
export const EXIT: i32 = 53; // a
export const RETURN: i32 = 54; // a
export const DELETE: i32 = 55; // a: INDEX, or the whole array

export class Node {
  a: Node | null = null;
  b: Node | null = null;
  c: Node | null = null;
  list: Array<Node> = [];
  value: i32 = 0;
  slot: i32 = 0;
  number: f64 = 0;
  text: string = '';
  regex: Regex | null = null;
  /** A regular expression computed last here, and its text. */
  cached: string = '';

  constructor(public kind: i32) {}

  static of(kind: i32, a: Node | null, b: Node | null = null, value: i32 = 0): Node {
    const node = new Node(kind);
    node.a = a;
    node.b = b;
    node.value = value;
    return node;
  }
}

export class Rule {
  /** null: every record. With `last`: a range. */
  first: Node | null = null;
  last: Node | null = null;
  /** null: print the record. */
  body: Node | null = null;
  inRange: bool = false;
}

export class Routine {
  parameters: i32 = 0;
  body: Node | null = null;

  constructor(public name: string) {}
}

export class Program {
  begin: Array<Node> = [];
  end: Array<Node> = [];
  rules: Array<Rule> = [];
  functions: Array<Routine> = [];
  /** Names of the globals, by their slots. */
  globals: Array<string> = [];
}

// slots of the variables that mean something
export const V_NF: i32 = 0;
export const V_NR: i32 = 1;
export const V_FNR: i32 = 2;
export const V_FS: i32 = 3;
export const V_OFS: i32 = 4;
export const V_ORS: i32 = 5;
export const V_RS: i32 = 6;
export const V_FILENAME: i32 = 7;
export const V_SUBSEP: i32 = 8;
export const V_RSTART: i32 = 9;
export const V_RLENGTH: i32 = 10;
export const V_CONVFMT: i32 = 11;
export const V_OFMT: i32 = 12;
export const V_ENVIRON: i32 = 13;
export const V_ARGC: i32 = 14;
export const V_ARGV: i32 = 15;
export const V_NAMES: StaticArray<string> = [
  'NF',
  'NR',
  'FNR',
  'FS',
  'OFS',
  'ORS',
  'RS',
  'FILENAME',
  'SUBSEP',
  'RSTART',
  'RLENGTH',
  'CONVFMT',
  'OFMT',
  'ENVIRON',
  'ARGC',
  'ARGV',
];

/** Functions of the language, by their numbers. */
export const BUILTINS: StaticArray<string> = [
  'length',
  'substr',
  'index',
  'split',
  'sub',
  'gsub',
  'match',
  'sprintf',
  'sin',
  'cos',
  'atan2',
  'exp',
  'log',
  'sqrt',
  'int',
  'rand',
  'srand',
  'tolower',
  'toupper',
  'system',
  'close',
  'fflush',
  'gensub',
  'systime',
  'strftime',
];
export const B_LENGTH: i32 = 0;
export const B_SUBSTR: i32 = 1;
export const B_INDEX: i32 = 2;
export const B_SPLIT: i32 = 3;
export const B_SUB: i32 = 4;
export const B_GSUB: i32 = 5;
export const B_MATCH: i32 = 6;
export const B_SPRINTF: i32 = 7;
export const B_SIN: i32 = 8;
export const B_COS: i32 = 9;
export const B_ATAN2: i32 = 10;
export const B_EXP: i32 = 11;
export const B_LOG: i32 = 12;
export const B_SQRT: i32 = 13;
export const B_INT: i32 = 14;
export const B_RAND: i32 = 15;
export const B_SRAND: i32 = 16;
export const B_TOLOWER: i32 = 17;
export const B_TOUPPER: i32 = 18;
export const B_SYSTEM: i32 = 19;
export const B_CLOSE: i32 = 20;
export const B_FFLUSH: i32 = 21;
export const B_GENSUB: i32 = 22;
export const B_SYSTIME: i32 = 23;
export const B_STRFTIME: i32 = 24;

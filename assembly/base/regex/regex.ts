/** A compiled regular expression. Texts are byte strings. */
import { unit } from '../io/text';
import { Automaton } from './automaton';
import { Backtracker, Threads } from './machine';
import { IGNORE_CASE, MULTILINE, Parser } from './parser';
import {
  INSTRUCTION,
  nullable,
  OP_BACKREF,
  OP_BYTE,
  OP_JUMP,
  OP_MATCH,
  OP_SET,
  OP_SPLIT,
  Program,
  startsText,
} from './program';

export class Regex {
  /** Why it is not one; nothing else may be called then. */
  error: string = '';
  /** Of groups; numbers 1 to this. */
  groups: i32 = 0;
  /** Of the last `match`: start and end of the whole, of group 1, ...; -1 where a group took no part. */
  captures: StaticArray<i32> = new StaticArray<i32>(2);
  /** It is too hard to say whether there is a match (back-references only). */
  exhausted: bool = false;
  private literal: string = '';
  private isLiteral: bool = false;
  private anchored: bool = false;
  private firsts: StaticArray<u8> | null = null;
  private threads: Threads | null = null;
  private backtracker: Backtracker | null = null;
  private automaton: Automaton | null = null;

  constructor(pattern: string, flags: i32) {
    this.compile(pattern, flags);
  }

  private compile(pattern: string, flags: i32): void {
    const parser = new Parser(pattern, flags);
    const tree = parser.parse();
    this.error = parser.error;
    if (this.error != '') return;
    const program = new Program();
    program.compile(tree);
    this.error = program.error;
    if (this.error != '') return;
    this.groups = parser.groups;
    const multiline = (flags & MULTILINE) != 0;
    this.anchored = startsText(tree, multiline);
    this.captures = new StaticArray<i32>((this.groups + 1) * 2);
    if (parser.backrefs) {
      this.backtracker = new Backtracker(program, this.captures.length, multiline, (flags & IGNORE_CASE) != 0);
      return;
    }
    this.findLiteral(program);
    if (!nullable(tree)) this.findFirsts(program);
    this.threads = new Threads(program, this.captures.length, multiline);
    this.automaton = new Automaton(program, multiline, this.anchored);
  }

  /** A program of bytes alone is a text to look for. */
  private findLiteral(program: Program): void {
    let text = '';
    for (let pc = 1; pc < program.length - 2; pc++) {
      if (program.code[pc * INSTRUCTION] != OP_BYTE) return;
      text += String.fromCharCode(program.code[pc * INSTRUCTION + 1]);
    }
    this.isLiteral = text.length > 0;
    this.literal = text;
  }

  private findFirsts(program: Program): void {
    const firsts = new StaticArray<u8>(256);
    const seen = new Set<i32>();
    const todo: i32[] = [0];
    while (todo.length > 0) {
      const pc = todo.pop();
      if (seen.has(pc)) continue;
      seen.add(pc);
      const op = program.code[pc * INSTRUCTION];
      const a = program.code[pc * INSTRUCTION + 1];
      if (op == OP_MATCH || op == OP_BACKREF) return;
      if (op == OP_BYTE) {
        firsts[a] = 1;
      } else if (op == OP_SET) {
        for (let byte = 0; byte < 256; byte++) if (program.sets[a].has(byte)) firsts[byte] = 1;
      } else if (op == OP_JUMP) {
        todo.push(a);
      } else if (op == OP_SPLIT) {
        todo.push(a);
        todo.push(program.code[pc * INSTRUCTION + 2]);
      } else {
        todo.push(pc + 1);
      }
    }
    this.firsts = firsts;
  }

  /** Does it match anywhere? */
  test(text: string): bool {
    if (this.isLiteral) return findText(text, this.literal, 0) >= 0;
    const automaton = this.automaton;
    if (automaton != null) return automaton.exists(text);
    return this.match(text, 0);
  }

  /** The leftmost, longest match that begins at `from` or behind it; `captures` tells where. */
  match(text: string, from: i32): bool {
    if (this.isLiteral) {
      const at = findText(text, this.literal, from);
      if (at < 0) return false;
      this.captures[0] = at;
      this.captures[1] = at + this.literal.length;
      return true;
    }
    if (this.anchored && from > 0) return false;
    const backtracker = this.backtracker;
    if (backtracker != null) {
      const found = backtracker.run(text, from, this.anchored, this.captures);
      this.exhausted = backtracker.exhausted;
      return found;
    }
    return this.threads!.run(text, from, this.anchored, this.firsts, this.captures);
  }

  get start(): i32 {
    return this.captures[0];
  }

  get end(): i32 {
    return this.captures[1];
  }

  /** What a group matched in the text of the last match; empty where it took no part. */
  group(text: string, index: i32): string {
    if (index > this.groups || this.captures[index * 2] < 0) return '';
    return text.substring(this.captures[index * 2], this.captures[index * 2 + 1]);
  }
}

/** The first place of a text that is not empty; -1. */
export function findText(text: string, wanted: string, from: i32): i32 {
  const first = unit(wanted, 0);
  const size = wanted.length;
  const last = text.length - size;
  for (let at = from; at <= last; at++) {
    if (unit(text, at) != first) continue;
    let i = 1;
    while (i < size && unit(text, at + i) == unit(wanted, i)) i++;
    if (i == size) return at;
  }
  return -1;
}

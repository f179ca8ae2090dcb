/**
 * The tree as instructions of a machine that stands in several places at once: three numbers each, what to do and two
 * arguments. Repetitions with bounds are written out, so the number of instructions is bounded.
 */
import {
  ALTERNATE,
  ASSERT,
  BACKREF,
  ByteSet,
  CONCAT,
  EMPTY,
  GROUP,
  LINE_START,
  Node,
  REPEAT,
  SET,
  TEXT_START,
} from './node';

export const OP_BYTE: i32 = 0;
export const OP_SET: i32 = 1;
/** Goes on at both arguments, the first is preferred. */
export const OP_SPLIT: i32 = 2;
export const OP_JUMP: i32 = 3;
export const OP_SAVE: i32 = 4;
export const OP_ASSERT: i32 = 5;
export const OP_BACKREF: i32 = 6;
export const OP_MATCH: i32 = 7;
/** Remembers where a round of a loop began, in the register that is its argument. */
export const OP_ENTER: i32 = 8;
/** A round that matched nothing goes nowhere: else a loop of nothing would have no end. */
export const OP_CHECK: i32 = 9;

export const INSTRUCTION: i32 = 3;
const LENGTH_MAX: i32 = 60000;

export class Program {
  code: Array<i32> = [];
  sets: Array<ByteSet> = [];
  registers: i32 = 0;
  error: string = '';

  get length(): i32 {
    return this.code.length / INSTRUCTION;
  }

  private emit(op: i32, a: i32 = 0, b: i32 = 0): i32 {
    const at = this.length;
    if (at >= LENGTH_MAX) this.error = 'Regular expression too big';
    this.code.push(op);
    this.code.push(a);
    this.code.push(b);
    return at;
  }

  private point(at: i32, argument: i32, to: i32): void {
    this.code[at * INSTRUCTION + argument] = to;
  }

  compile(node: Node): void {
    this.emit(OP_SAVE, 0);
    this.node(node);
    this.emit(OP_SAVE, 1);
    this.emit(OP_MATCH);
  }

  private node(node: Node): void {
    if (this.error != '') return;
    switch (node.kind) {
      case EMPTY:
        break;
      case SET: {
        const set = node.set!;
        const single = set.single();
        if (single >= 0) {
          this.emit(OP_BYTE, single);
        } else {
          this.emit(OP_SET, this.sets.length);
          this.sets.push(set);
        }
        break;
      }
      case CONCAT:
        this.node(node.left!);
        this.node(node.right!);
        break;
      case ALTERNATE: {
        const split = this.emit(OP_SPLIT, this.length + 1);
        this.node(node.left!);
        const jump = this.emit(OP_JUMP);
        this.point(split, 2, this.length);
        this.node(node.right!);
        this.point(jump, 1, this.length);
        break;
      }
      case GROUP:
        this.emit(OP_SAVE, node.value * 2);
        this.node(node.left!);
        this.emit(OP_SAVE, node.value * 2 + 1);
        break;
      case ASSERT:
        this.emit(OP_ASSERT, node.value);
        break;
      case BACKREF:
        this.emit(OP_BACKREF, node.value);
        break;
      case REPEAT:
        this.repeat(node.left!, node.min, node.max);
        break;
    }
  }

  private repeat(inner: Node, least: i32, most: i32): void {
    for (let i = 0; i < least && this.error == ''; i++) this.node(inner);
    if (most < 0) {
      const split = this.emit(OP_SPLIT, this.length + 1);
      const isNullable = nullable(inner);
      const register = isNullable ? this.registers++ : 0;
      if (isNullable) this.emit(OP_ENTER, register);
      this.node(inner);
      if (isNullable) this.emit(OP_CHECK, register);
      this.emit(OP_JUMP, split);
      this.point(split, 2, this.length);
      return;
    }
    const splits: i32[] = [];
    for (let i = least; i < most && this.error == ''; i++) {
      splits.push(this.emit(OP_SPLIT, this.length + 1));
      this.node(inner);
    }
    for (let i = 0; i < splits.length; i++) this.point(splits[i], 2, this.length);
  }
}

/** Can it match no byte at all? */
export function nullable(node: Node): bool {
  switch (node.kind) {
    case SET:
      return false;
    case CONCAT:
      return nullable(node.left!) && nullable(node.right!);
    case ALTERNATE:
      return nullable(node.left!) || nullable(node.right!);
    case GROUP:
      return nullable(node.left!);
    case REPEAT:
      return node.min == 0 || nullable(node.left!);
    default:
      return true;
  }
}

/** Does every match begin with `^` of the whole text? */
export function startsText(node: Node, multiline: bool): bool {
  switch (node.kind) {
    case CONCAT:
      return startsText(node.left!, multiline);
    case ALTERNATE:
      return startsText(node.left!, multiline) && startsText(node.right!, multiline);
    case GROUP:
      return startsText(node.left!, multiline);
    case ASSERT:
      return node.value == TEXT_START || (node.value == LINE_START && !multiline);
    default:
      return false;
  }
}

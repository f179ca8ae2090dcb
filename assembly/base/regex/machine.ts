/**
 * The machines that run a program. `Threads` stands in all places at once (Pike's way): its time grows with the text's
 * length times the program's, whatever the pattern. `Backtracker` is for back-references, which need one path after the
 * other; its steps are bounded.
 */
import { isAlnum, unit } from '../io/text';
import {
  LINE_END,
  LINE_START,
  NO_WORD_AFTER,
  NO_WORD_BEFORE,
  NOT_WORD_EDGE,
  TEXT_END,
  TEXT_START,
  WORD_EDGE,
  WORD_START,
} from './node';
import {
  INSTRUCTION,
  OP_ASSERT,
  OP_BACKREF,
  OP_BYTE,
  OP_CHECK,
  OP_ENTER,
  OP_JUMP,
  OP_MATCH,
  OP_SAVE,
  OP_SET,
  OP_SPLIT,
  Program,
} from './program';

export function isWord(c: i32): bool {
  return c >= 0 && (isAlnum(c) || c == 95);
}

/** Does an assertion hold between two bytes? -1 stands for the text's edge. */
export function holds(assertion: i32, before: i32, after: i32, multiline: bool): bool {
  switch (assertion) {
    case LINE_START:
      return before < 0 || (multiline && before == 10);
    case LINE_END:
      return after < 0 || (multiline && after == 10);
    case TEXT_START:
      return before < 0;
    case TEXT_END:
      return after < 0;
    case WORD_EDGE:
      return isWord(before) != isWord(after);
    case NOT_WORD_EDGE:
      return isWord(before) == isWord(after);
    case WORD_START:
      return !isWord(before) && isWord(after);
    case NO_WORD_BEFORE:
      return !isWord(before);
    case NO_WORD_AFTER:
      return !isWord(after);
    default:
      return isWord(before) && !isWord(after);
  }
}

/** The places a machine stands in, in the order they are preferred, each with its captures. */
class Places {
  count: i32 = 0;
  pcs: StaticArray<i32>;
  captures: StaticArray<i32>;

  constructor(length: i32, slots: i32) {
    this.pcs = new StaticArray<i32>(length);
    this.captures = new StaticArray<i32>(length * slots);
  }
}

export class Threads {
  private now: Places;
  private next: Places;
  private marks: StaticArray<i32>;
  private round: i32 = 0;
  /** The captures of the place being followed. */
  private work: StaticArray<i32>;
  private code: Array<i32>;

  constructor(
    private program: Program,
    private slots: i32,
    private multiline: bool,
  ) {
    const length = program.length;
    this.now = new Places(length, slots);
    this.next = new Places(length, slots);
    this.marks = new StaticArray<i32>(length);
    this.work = new StaticArray<i32>(slots);
    this.code = program.code;
  }

  /** Adds a place and those reached from it without a byte. */
  private add(places: Places, pc: i32, at: i32, before: i32, after: i32): void {
    if (unchecked(this.marks[pc]) == this.round) return;
    this.marks[pc] = this.round;
    const code = this.code;
    const op = unchecked(code[pc * INSTRUCTION]);
    const a = unchecked(code[pc * INSTRUCTION + 1]);
    switch (op) {
      case OP_JUMP:
        this.add(places, a, at, before, after);
        break;
      case OP_SPLIT:
        this.add(places, a, at, before, after);
        this.add(places, unchecked(code[pc * INSTRUCTION + 2]), at, before, after);
        break;
      case OP_SAVE:
        if (a < this.slots) {
          const old = unchecked(this.work[a]);
          this.work[a] = at;
          this.add(places, pc + 1, at, before, after);
          this.work[a] = old;
        } else {
          this.add(places, pc + 1, at, before, after);
        }
        break;
      case OP_ASSERT:
        if (holds(a, before, after, this.multiline)) this.add(places, pc + 1, at, before, after);
        break;
      case OP_ENTER:
      case OP_CHECK:
        this.add(places, pc + 1, at, before, after);
        break;
      default: {
        const index = places.count++;
        places.pcs[index] = pc;
        const size = (<usize>this.slots) << 2;
        memory.copy(changetype<usize>(places.captures) + size * index, changetype<usize>(this.work), size);
      }
    }
  }

  /**
   * The leftmost match from `from` on, the longest of those, its captures into `result`. `firsts` are the bytes a match
   * can begin with, where that is known; `once`: only at `from`.
   */
  run(text: string, from: i32, once: bool, firsts: StaticArray<u8> | null, result: StaticArray<i32>): bool {
    const length = text.length;
    const slots = this.slots;
    const code = this.code;
    const sets = this.program.sets;
    let now = this.now;
    let next = this.next;
    let found = false;
    now.count = 0;
    this.round++;
    for (let at = from; at <= length; at++) {
      if (now.count == 0) {
        if (found || (once && at > from)) break;
        if (firsts != null) {
          while (at < length && unchecked(firsts[unit(text, at)]) == 0) at++;
          if (at == length || (once && at > from)) break;
        }
        // nobody stands anywhere, so nothing was reached at this position yet
        this.round++;
      }
      const before = at > 0 ? unit(text, at - 1) : -1;
      const after = at < length ? unit(text, at) : -1;
      // the marks of this position were made when its places were; a new start comes last
      if (!found && (!once || at == from)) {
        for (let i = 0; i < slots; i++) this.work[i] = -1;
        this.add(now, 0, at, before, after);
      }
      this.round++;
      next.count = 0;
      const following = at + 1 < length ? unit(text, at + 1) : -1;
      for (let i = 0; i < now.count; i++) {
        const pc = unchecked(now.pcs[i]);
        const captures = changetype<usize>(now.captures) + ((<usize>(i * slots)) << 2);
        if (found && load<i32>(captures) > unchecked(result[0])) break;
        const op = unchecked(code[pc * INSTRUCTION]);
        if (op == OP_MATCH) {
          if (!found || at > unchecked(result[1])) {
            memory.copy(changetype<usize>(result), captures, (<usize>slots) << 2);
            found = true;
          }
          continue;
        }
        if (after < 0) continue;
        const a = unchecked(code[pc * INSTRUCTION + 1]);
        if (op == OP_BYTE ? after != a : !unchecked(sets[a]).has(after)) continue;
        memory.copy(changetype<usize>(this.work), captures, (<usize>slots) << 2);
        this.add(next, pc + 1, at + 1, after, following);
      }
      const swap = now;
      now = next;
      next = swap;
    }
    return found;
  }
}

const STEPS_MAX: i32 = 30000000;

export class Backtracker {
  /** More steps would have been needed: the answer is not known. */
  exhausted: bool = false;
  private stack: Array<i32> = [];
  private registers: StaticArray<i32>;
  private captures: StaticArray<i32>;

  constructor(
    private program: Program,
    private slots: i32,
    private multiline: bool,
    private fold: bool,
  ) {
    this.registers = new StaticArray<i32>(program.registers);
    this.captures = new StaticArray<i32>(slots);
  }

  run(text: string, from: i32, once: bool, result: StaticArray<i32>): bool {
    this.exhausted = false;
    let steps = 0;
    for (let start = from; start <= text.length; start++) {
      steps = this.from(text, start, result, steps);
      if (steps < 0) return true;
      if (this.exhausted || once) return false;
    }
    return false;
  }

  private same(text: string, a: i32, b: i32, length: i32): bool {
    for (let i = 0; i < length; i++) {
      let x = unit(text, a + i);
      let y = unit(text, b + i);
      if (x != y && !(this.fold && (x | 32) == (y | 32) && isAlnum(x))) return false;
    }
    return true;
  }

  /** All ways from one start, for the longest; -1 when there is a match, else the steps made so far. */
  private from(text: string, start: i32, result: StaticArray<i32>, steps: i32): i32 {
    const code = this.program.code;
    const stack = this.stack;
    const length = text.length;
    const captures = this.captures;
    let best = -1;
    for (let i = 0; i < captures.length; i++) captures[i] = -1;
    for (let i = 0; i < this.registers.length; i++) this.registers[i] = -1;
    stack.length = 0;
    let pc = 0;
    let at = start;
    for (;;) {
      let fails = false;
      if (++steps > STEPS_MAX) {
        this.exhausted = true;
        break;
      }
      const op = code[pc * INSTRUCTION];
      const a = code[pc * INSTRUCTION + 1];
      switch (op) {
        case OP_BYTE:
          fails = at >= length || unit(text, at) != a;
          at++;
          pc++;
          break;
        case OP_SET:
          fails = at >= length || !this.program.sets[a].has(unit(text, at));
          at++;
          pc++;
          break;
        case OP_JUMP:
          pc = a;
          break;
        case OP_SPLIT:
          stack.push(at);
          stack.push(code[pc * INSTRUCTION + 2]);
          stack.push(-1);
          pc = a;
          break;
        case OP_SAVE:
          stack.push(captures[a]);
          stack.push(a);
          stack.push(-2);
          captures[a] = at;
          pc++;
          break;
        case OP_ENTER:
          stack.push(this.registers[a]);
          stack.push(a);
          stack.push(-3);
          this.registers[a] = at;
          pc++;
          break;
        case OP_CHECK:
          fails = this.registers[a] == at;
          pc++;
          break;
        case OP_ASSERT:
          fails = !holds(a, at > 0 ? unit(text, at - 1) : -1, at < length ? unit(text, at) : -1, this.multiline);
          pc++;
          break;
        case OP_BACKREF: {
          const begin = captures[a * 2];
          const size = captures[a * 2 + 1] - begin;
          fails = begin < 0 || size < 0 || at + size > length || !this.same(text, begin, at, size);
          at += size;
          pc++;
          break;
        }
        case OP_MATCH:
          if (at > best) {
            best = at;
            for (let i = 0; i < this.slots; i++) result[i] = captures[i];
          }
          if (at == length) return -1;
          fails = true;
          break;
      }
      if (!fails) continue;
      let resumed = false;
      while (stack.length > 0 && !resumed) {
        const kind = stack.pop();
        const where = stack.pop();
        const value = stack.pop();
        if (kind == -1) {
          pc = where;
          at = value;
          resumed = true;
        } else if (kind == -2) {
          captures[where] = value;
        } else {
          this.registers[where] = value;
        }
      }
      if (!resumed) break;
    }
    return best >= 0 ? -1 : steps;
  }
}

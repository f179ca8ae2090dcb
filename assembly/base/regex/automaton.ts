/**
 * Is there a match at all? A deterministic automaton made while it runs, at most so many states of it: one step of a
 * table for each byte. A state is the set of places before the assertions at a position are judged, and the byte that
 * came before, as far as assertions look at it.
 */
import { unit } from '../io/text';
import { holds, isWord } from './machine';
import {
  INSTRUCTION,
  OP_ASSERT,
  OP_BYTE,
  OP_CHECK,
  OP_ENTER,
  OP_JUMP,
  OP_MATCH,
  OP_SAVE,
  OP_SPLIT,
  Program,
} from './program';

const STATES_MAX: i32 = 512;
/** Places over all states. */
const PLACES_MAX: i32 = 1 << 20;
/** One entry for each byte and one for the text's end. */
const WIDTH: i32 = 257;
const UNKNOWN: i32 = 0;
const MATCHED: i32 = -1;
const DEAD: i32 = -2;

/** What assertions know of the byte before. */
const EDGE: i32 = 0;
const NEWLINE: i32 = 1;
const WORD: i32 = 2;
const OTHER: i32 = 3;

export class Automaton {
  private tables: Array<StaticArray<i32>> = [];
  private places: Array<StaticArray<i32>> = [];
  private kinds: Array<i32> = [];
  private known: Map<string, i32> = new Map();
  private marks: StaticArray<i32>;
  private round: i32 = 0;
  private list: Array<i32> = [];
  private matched: bool = false;
  private total: i32 = 0;

  constructor(
    private program: Program,
    private multiline: bool,
    /** Matches begin at the text's start only. */
    private anchored: bool,
  ) {
    this.marks = new StaticArray<i32>(program.length);
  }

  private get full(): bool {
    return this.tables.length > STATES_MAX || this.total > PLACES_MAX;
  }

  private reset(): void {
    this.total = 0;
    this.tables = [];
    this.places = [];
    this.kinds = [];
    this.known.clear();
    // number 0 means that a step is not known yet
    this.tables.push(new StaticArray<i32>(0));
    this.places.push(new StaticArray<i32>(0));
    this.kinds.push(0);
  }

  private state(places: Array<i32>, kind: i32): i32 {
    let key = String.fromCharCode(kind);
    for (let i = 0; i < places.length; i++) key += String.fromCharCode(places[i]);
    if (this.known.has(key)) return this.known.get(key);
    const number = this.tables.length;
    this.tables.push(new StaticArray<i32>(WIDTH));
    this.places.push(StaticArray.fromArray(places));
    this.kinds.push(kind);
    this.total += places.length;
    this.known.set(key, number);
    return number;
  }

  /** The places behind `pc` that wait for a byte. */
  private close(pc: i32, before: i32, after: i32): void {
    if (unchecked(this.marks[pc]) == this.round || this.matched) return;
    this.marks[pc] = this.round;
    const code = this.program.code;
    const a = code[pc * INSTRUCTION + 1];
    switch (code[pc * INSTRUCTION]) {
      case OP_JUMP:
        this.close(a, before, after);
        break;
      case OP_SPLIT:
        this.close(a, before, after);
        this.close(code[pc * INSTRUCTION + 2], before, after);
        break;
      case OP_SAVE:
      case OP_ENTER:
      case OP_CHECK:
        this.close(pc + 1, before, after);
        break;
      case OP_ASSERT:
        if (holds(a, before, after, this.multiline)) this.close(pc + 1, before, after);
        break;
      case OP_MATCH:
        this.matched = true;
        break;
      default:
        this.list.push(pc);
    }
  }

  private step(from: i32, byte: i32): i32 {
    const kind = this.kinds[from];
    const before = kind == EDGE ? -1 : kind == NEWLINE ? 10 : kind == WORD ? 97 : 32;
    const after = byte == WIDTH - 1 ? -1 : byte;
    const places = this.places[from];
    const code = this.program.code;
    this.round++;
    this.matched = false;
    this.list = [];
    for (let i = 0; i < places.length; i++) this.close(places[i], before, after);
    if (!this.anchored || kind == EDGE) this.close(0, before, after);
    let result = DEAD;
    if (this.matched) {
      result = MATCHED;
    } else if (after >= 0) {
      const reached: i32[] = [];
      for (let i = 0; i < this.list.length; i++) {
        const pc = this.list[i];
        const a = code[pc * INSTRUCTION + 1];
        const fits = code[pc * INSTRUCTION] == OP_BYTE ? a == byte : this.program.sets[a].has(byte);
        if (fits) reached.push(pc + 1);
      }
      if (reached.length > 0 || !this.anchored) {
        reached.sort((x, y) => x - y);
        result = this.state(reached, byte == 10 ? NEWLINE : isWord(byte) ? WORD : OTHER);
      }
    }
    this.tables[from][byte] = result;
    return result;
  }

  exists(text: string): bool {
    if (this.tables.length == 0 || this.full) this.reset();
    let state = this.state([], EDGE);
    const length = text.length;
    let table = this.tables[state];
    for (let at = 0; at <= length; at++) {
      const byte = at < length ? unit(text, at) : WIDTH - 1;
      let next = unchecked(table[byte]);
      if (next <= UNKNOWN) {
        if (next == UNKNOWN) next = this.step(state, byte);
        if (next == MATCHED) return true;
        if (next == DEAD) return false;
        if (this.full) {
          // starts over with the state it is in
          const places = this.places[next].slice<Array<i32>>();
          const kind = this.kinds[next];
          this.reset();
          next = this.state(places, kind);
        }
      }
      state = next;
      table = unchecked(this.tables[state]);
    }
    return false;
  }
}

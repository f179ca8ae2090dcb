/** A regular expression as a tree. */

export const EMPTY: i32 = 0;
/** One byte of `set`. */
export const SET: i32 = 1;
export const CONCAT: i32 = 2;
export const ALTERNATE: i32 = 3;
/** `left`, `min` to `max` times; max -1: any number. */
export const REPEAT: i32 = 4;
/** `left`, remembered as group `value`. */
export const GROUP: i32 = 5;
/** An assertion, `value` says which. */
export const ASSERT: i32 = 6;
/** What group `value` matched. */
export const BACKREF: i32 = 7;

export const LINE_START: i32 = 0;
export const LINE_END: i32 = 1;
export const WORD_EDGE: i32 = 2;
export const NOT_WORD_EDGE: i32 = 3;
export const WORD_START: i32 = 4;
export const WORD_END: i32 = 5;
export const TEXT_START: i32 = 6;
export const TEXT_END: i32 = 7;
export const NO_WORD_BEFORE: i32 = 8;
export const NO_WORD_AFTER: i32 = 9;

/** A set of bytes: 256 bits. */
export class ByteSet {
  a: u64 = 0;
  b: u64 = 0;
  c: u64 = 0;
  d: u64 = 0;

  has(byte: i32): bool {
    const bits = byte < 128 ? (byte < 64 ? this.a : this.b) : byte < 192 ? this.c : this.d;
    return ((bits >> (byte & 63)) & 1) != 0;
  }

  add(byte: i32): void {
    const bit: u64 = (<u64>1) << (byte & 63);
    if (byte < 64) this.a |= bit;
    else if (byte < 128) this.b |= bit;
    else if (byte < 192) this.c |= bit;
    else this.d |= bit;
  }

  range(from: i32, to: i32): void {
    for (let byte = from; byte <= to; byte++) this.add(byte);
  }

  merge(other: ByteSet): void {
    this.a |= other.a;
    this.b |= other.b;
    this.c |= other.c;
    this.d |= other.d;
  }

  invert(): void {
    this.a = ~this.a;
    this.b = ~this.b;
    this.c = ~this.c;
    this.d = ~this.d;
  }

  /** Adds the other case of each letter in it. */
  fold(): void {
    for (let lower = 97; lower <= 122; lower++) {
      if (this.has(lower)) this.add(lower - 32);
      else if (this.has(lower - 32)) this.add(lower);
    }
  }

  /** Its only byte; -1 where it has none or several. */
  single(): i32 {
    if (popcnt(this.a) + popcnt(this.b) + popcnt(this.c) + popcnt(this.d) != 1) return -1;
    if (this.a != 0) return <i32>ctz(this.a);
    if (this.b != 0) return 64 + <i32>ctz(this.b);
    return this.c != 0 ? 128 + <i32>ctz(this.c) : 192 + <i32>ctz(this.d);
  }

  static of(byte: i32): ByteSet {
    const set = new ByteSet();
    set.add(byte);
    return set;
  }
}

export class Node {
  set: ByteSet | null = null;
  left: Node | null = null;
  right: Node | null = null;
  value: i32 = 0;
  min: i32 = 0;
  max: i32 = 0;

  constructor(public kind: i32) {}

  static pair(kind: i32, left: Node, right: Node): Node {
    const node = new Node(kind);
    node.left = left;
    node.right = right;
    return node;
  }

  static repeat(left: Node, min: i32, max: i32): Node {
    const node = new Node(REPEAT);
    node.left = left;
    node.min = min;
    node.max = max;
    return node;
  }

  static ofSet(set: ByteSet): Node {
    const node = new Node(SET);
    node.set = set;
    return node;
  }

  static valued(kind: i32, value: i32, left: Node | null = null): Node {
    const node = new Node(kind);
    node.value = value;
    node.left = left;
    return node;
  }
}

/** Adds the bytes of a class of the POSIX locale; false where there is no class of that name. */
export function addClass(set: ByteSet, name: string): bool {
  if (name == 'alpha') {
    set.range(65, 90);
    set.range(97, 122);
  } else if (name == 'digit') {
    set.range(48, 57);
  } else if (name == 'alnum') {
    set.range(48, 57);
    set.range(65, 90);
    set.range(97, 122);
  } else if (name == 'upper') {
    set.range(65, 90);
  } else if (name == 'lower') {
    set.range(97, 122);
  } else if (name == 'space') {
    set.range(9, 13);
    set.add(32);
  } else if (name == 'blank') {
    set.add(9);
    set.add(32);
  } else if (name == 'punct') {
    set.range(33, 47);
    set.range(58, 64);
    set.range(91, 96);
    set.range(123, 126);
  } else if (name == 'print') {
    set.range(32, 126);
  } else if (name == 'graph') {
    set.range(33, 126);
  } else if (name == 'cntrl') {
    set.range(0, 31);
    set.add(127);
  } else if (name == 'xdigit') {
    set.range(48, 57);
    set.range(65, 70);
    set.range(97, 102);
  } else {
    return false;
  }
  return true;
}

/** Letters, digits and `_`. */
export function wordSet(): ByteSet {
  const set = new ByteSet();
  addClass(set, 'alnum');
  set.add(95);
  return set;
}

/** A command of a sed script, as it was read. */
import { Regex } from '../regex/regex';

export const NO_ADDRESS: i32 = 0;
export const AT_LINE: i32 = 1;
export const AT_LAST: i32 = 2;
export const AT_REGEX: i32 = 3;
/** first~step */
export const AT_STEP: i32 = 4;
/** ,+N */
export const AT_MORE: i32 = 5;
/** ,~N */
export const AT_MULTIPLE: i32 = 6;
/** 0, in front of a regex: it may match in the first line already */
export const AT_ZERO: i32 = 7;

export class Address {
  kind: i32 = NO_ADDRESS;
  line: i64 = 0;
  step: i64 = 0;
  /** null: the one that was used last. */
  regex: Regex | null = null;
}

export const PIECE_TEXT: i32 = 0;
/** A group; number 0 is the whole match. */
export const PIECE_GROUP: i32 = 1;
/** From here on in another case: U, L, E, u, l. */
export const PIECE_CASE: i32 = 2;

export class Piece {
  constructor(
    public kind: i32,
    public text: string,
    public value: i32,
  ) {}
}

export class Command {
  first: Address = new Address();
  second: Address = new Address();
  negated: bool = false;
  letter: i32 = 0;
  /** Of a, i, c; the label of b, t, T and `:`; the file of r, R, w, W. */
  text: string = '';
  /** Where a jump goes, or the end of a block. */
  target: i32 = -1;
  /** Of q, Q, l. */
  number: i32 = -1;
  regex: Regex | null = null;
  pieces: Array<Piece> = [];
  global: bool = false;
  print: i32 = 0;
  occurrence: i32 = 1;
  file: string = '';
  /** Of y: what each byte becomes. */
  map: StaticArray<u8> | null = null;
  // the state of its range
  active: bool = false;
  until: i64 = 0;
}

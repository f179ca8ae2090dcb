/**
 * Byte strings: a `string` whose every code unit is one byte, 0 to 255. `Text` builds one; bytes in memory and strings
 * are turned into each other here and nowhere else.
 */

/** A growing buffer of bytes. */
export class Text {
  bytes: StaticArray<u8>;
  length: i32 = 0;

  constructor(capacity: i32 = 64) {
    this.bytes = new StaticArray<u8>(capacity);
  }

  /** Makes room for `more` bytes behind what is there; the address of the first of them, until the next call. */
  room(more: i32): usize {
    const needed = this.length + more;
    if (needed > this.bytes.length) {
      const grown = new StaticArray<u8>(max(needed, this.bytes.length * 2));
      memory.copy(changetype<usize>(grown), changetype<usize>(this.bytes), this.length);
      this.bytes = grown;
    }
    return changetype<usize>(this.bytes) + this.length;
  }

  byte(value: i32): void {
    if (this.length == this.bytes.length) this.room(1);
    store<u8>(changetype<usize>(this.bytes) + this.length, value);
    this.length++;
  }

  text(value: string): void {
    this.part(value, 0, value.length);
  }

  /** The code units `from` up to `to` of a string. */
  part(value: string, from: i32, to: i32): void {
    const count = to - from;
    if (count <= 0) return;
    let target = this.room(count);
    let source = changetype<usize>(value) + ((<usize>from) << 1);
    for (let i = 0; i < count; i++) store<u8>(target + i, load<u16>(source + ((<usize>i) << 1)));
    this.length += count;
  }

  block(from: usize, count: i32): void {
    memory.copy(this.room(count), from, count);
    this.length += count;
  }

  at(index: i32): i32 {
    return load<u8>(changetype<usize>(this.bytes) + index);
  }

  clear(): void {
    this.length = 0;
  }

  toString(): string {
    return fromBytes(changetype<usize>(this.bytes), this.length);
  }
}

/** The string of `length` bytes at an address. */
export function fromBytes(address: usize, length: i32): string {
  if (length <= 0) return '';
  const result = changetype<string>(__new((<usize>length) << 1, idof<string>()));
  const target = changetype<usize>(result);
  for (let i = 0; i < length; i++) store<u16>(target + ((<usize>i) << 1), load<u8>(address + i));
  return result;
}

/** A string's bytes, with one 0 behind them. */
export function toBytes(value: string): StaticArray<u8> {
  const result = new StaticArray<u8>(value.length + 1);
  const source = changetype<usize>(value);
  const target = changetype<usize>(result);
  for (let i = 0; i < value.length; i++) store<u8>(target + i, load<u16>(source + ((<usize>i) << 1)));
  return result;
}

/** The code unit of a string, without a check. */
export function unit(value: string, index: i32): i32 {
  return load<u16>(changetype<usize>(value) + ((<usize>index) << 1));
}

/** As in the POSIX locale: by bytes; negative, 0 or positive. */
export function compare(a: string, b: string): i32 {
  const length = min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = unit(a, i) - unit(b, i);
    if (difference != 0) return difference;
  }
  return a.length - b.length;
}

export function isDigit(c: i32): bool {
  return c >= 48 && c <= 57;
}

export function isAlpha(c: i32): bool {
  const lower = c | 32;
  return lower >= 97 && lower <= 122;
}

export function isAlnum(c: i32): bool {
  return isDigit(c) || isAlpha(c);
}

export function isSpace(c: i32): bool {
  return c == 32 || (c >= 9 && c <= 13);
}

export function isBlank(c: i32): bool {
  return c == 32 || c == 9;
}

export function toLower(c: i32): i32 {
  return c >= 65 && c <= 90 ? c + 32 : c;
}

export function toUpper(c: i32): i32 {
  return c >= 97 && c <= 122 ? c - 32 : c;
}

/** Text that grows at its end. Units are 16 bits wide: see expand/units.ts for what the upper byte says. */
export class TextBuffer {
  private units: StaticArray<u16> = new StaticArray<u16>(32);
  length: i32 = 0;

  push(unit: i32): void {
    const length = this.length;
    if (length == this.units.length) this.grow(length + 1);
    store<u16>(changetype<usize>(this.units) + ((<usize>length) << 1), unit);
    this.length = length + 1;
  }

  append(text: string): void {
    this.appendFlagged(text, 0);
  }

  /** Appends with bits set in each unit. */
  appendFlagged(text: string, flag: i32): void {
    const count = text.length;
    const length = this.length;
    if (length + count > this.units.length) this.grow(length + count);
    const target = changetype<usize>(this.units) + ((<usize>length) << 1);
    const source = changetype<usize>(text);
    for (let i: usize = 0; i < <usize>count; i++) store<u16>(target + (i << 1), load<u16>(source + (i << 1)) | flag);
    this.length = length + count;
  }

  at(index: i32): i32 {
    return unchecked(this.units[index]);
  }

  clear(): void {
    this.length = 0;
  }

  truncate(length: i32): void {
    this.length = length;
  }

  toString(): string {
    const length = this.length;
    if (length == 0) return '';
    const text = changetype<usize>(__new((<usize>length) << 1, idof<string>()));
    memory.copy(text, changetype<usize>(this.units), (<usize>length) << 1);
    return changetype<string>(text);
  }

  /** The text, and nothing in here any more. */
  take(): string {
    const text = this.toString();
    this.length = 0;
    return text;
  }

  private grow(needed: i32): void {
    const units = new StaticArray<u16>(max(needed, this.units.length << 1));
    memory.copy(changetype<usize>(units), changetype<usize>(this.units), (<usize>this.length) << 1);
    this.units = units;
  }
}

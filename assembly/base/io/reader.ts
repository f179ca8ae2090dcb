/**
 * Buffered input: a descriptor, bytes in memory, or what a subclass gives. The buffer is the reader's, so programs that
 * share one reader go on where the one before them stopped. An error ends it and is remembered.
 */
import { closeFile, readFile } from '../wasi/files';
import { fromBytes, Text, toBytes } from './text';

const CAPACITY: i32 = 65536;

export class Reader {
  /** The errno that ended it, positive. */
  error: i32 = 0;
  /** -1 where there is none. */
  descriptor: i32 = -1;
  /** Whether the line that came last had its delimiter. */
  terminated: bool = false;
  protected buffer: StaticArray<u8> | null = null;
  protected position: i32 = 0;
  protected limit: i32 = 0;
  protected ended: bool = false;

  /** Reads what there is, up to `length` bytes, to an address: their number, 0 at the end, a negative errno. */
  protected source(_target: usize, _length: i32): i32 {
    return 0;
  }

  private take(target: usize, length: i32): i32 {
    const count = this.source(target, length);
    if (count < 0) this.error = -count;
    return max(count, 0);
  }

  protected fill(): bool {
    if (this.ended) return false;
    let buffer = this.buffer;
    if (buffer == null) {
      buffer = new StaticArray<u8>(CAPACITY);
      this.buffer = buffer;
    }
    this.position = 0;
    this.limit = this.take(changetype<usize>(buffer), buffer.length);
    if (this.limit == 0) {
      this.ended = true;
      return false;
    }
    return true;
  }

  /** The next byte; -1 at the end. */
  byte(): i32 {
    if (this.position >= this.limit && !this.fill()) return -1;
    return load<u8>(changetype<usize>(this.buffer) + this.position++);
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): i32 {
    if (this.position >= this.limit && !this.fill()) return -1;
    return load<u8>(changetype<usize>(this.buffer) + this.position);
  }

  /** Up to `length` bytes to an address; 0 at the end. */
  chunk(target: usize, length: i32): i32 {
    if (this.position >= this.limit) {
      if (this.ended) return 0;
      if (length >= CAPACITY) {
        const count = this.take(target, length);
        if (count == 0) this.ended = true;
        return count;
      }
      if (!this.fill()) return 0;
    }
    const count = min(length, this.limit - this.position);
    memory.copy(target, changetype<usize>(this.buffer) + this.position, count);
    this.position += count;
    return count;
  }

  /** `length` bytes to an address, fewer only at the end. */
  exactly(target: usize, length: i32): i32 {
    let done = 0;
    while (done < length) {
      const count = this.chunk(target + done, length - done);
      if (count == 0) break;
      done += count;
    }
    return done;
  }

  /** The next line without its delimiter; null at the end. */
  line(delimiter: i32 = 10): string | null {
    let long: Text | null = null;
    this.terminated = false;
    while (true) {
      if (this.position >= this.limit && !this.fill()) return long == null ? null : long.toString();
      const base = changetype<usize>(this.buffer);
      let end = this.position;
      const limit = this.limit;
      while (end < limit && load<u8>(base + end) != <u8>delimiter) end++;
      const from = base + this.position;
      const count = end - this.position;
      if (end < limit) {
        this.position = end + 1;
        this.terminated = true;
        if (long == null) return fromBytes(from, count);
        long.block(from, count);
        return long.toString();
      }
      this.position = end;
      if (long == null) long = new Text(count * 2 + 64);
      long.block(from, count);
    }
  }

  /** Everything that is left. */
  rest(): Text {
    const all = new Text(this.limit - this.position + 64);
    while (true) {
      const target = all.room(16384);
      const count = this.chunk(target, all.bytes.length - all.length);
      if (count == 0) return all;
      all.length += count;
    }
  }

  all(): string {
    return this.rest().toString();
  }

  /** Is there a NUL in what is buffered? Tells text from other files. */
  holdsZero(): bool {
    if (this.position >= this.limit && !this.fill()) return false;
    const base = changetype<usize>(this.buffer);
    for (let i = this.position; i < this.limit; i++) if (load<u8>(base + i) == 0) return true;
    return false;
  }

  /** Bytes that were taken from the source and not yet from here. */
  unread(): i32 {
    return this.limit - this.position;
  }

  /** Forgets what is unread: whoever calls has put it back where it came from. */
  drop(): void {
    this.position = this.limit;
  }

  /** Takes no more from it. */
  close(): void {
    this.drop();
    this.ended = true;
  }
}

export class FdReader extends Reader {
  constructor(descriptor: i32) {
    super();
    this.descriptor = descriptor;
  }

  protected source(target: usize, length: i32): i32 {
    return readFile(this.descriptor, target, length);
  }

  close(): void {
    super.close();
    if (this.descriptor > 2) closeFile(this.descriptor);
    this.descriptor = -1;
  }
}

export class TextReader extends Reader {
  constructor(text: string) {
    super();
    this.give(toBytes(text), text.length);
  }

  /** Reads the first `length` bytes of an array, which has to stay as it is. */
  give(bytes: StaticArray<u8>, length: i32): void {
    this.buffer = bytes;
    this.position = 0;
    this.limit = length;
    this.ended = true;
  }
}

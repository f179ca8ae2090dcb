/**
 * Buffered output: a descriptor, memory, or what a subclass does with it. The first error is remembered and whatever comes later is dropped, so
 * that a program writes without looking and the end tells what happened.
 */
import { closeFile, writeFile } from '../wasi/files';
import { Text } from './text';

const CAPACITY: i32 = 16384;

export class Writer {
  /** The errno of the first write that failed, positive. */
  error: i32 = 0;
  /** -1 where there is none. */
  descriptor: i32 = -1;
  protected pending: Text = new Text(256);
  /** What is pending goes to the sink when it is as long as this. */
  protected capacity: i32 = CAPACITY;

  /** Takes all bytes: 0, or a negative errno. */
  protected sink(_from: usize, _length: i32): i32 {
    return 0;
  }

  private give(from: usize, length: i32): bool {
    this.error = -this.sink(from, length);
    return this.error == 0;
  }

  write(text: string): void {
    if (this.error != 0) return;
    this.pending.text(text);
    if (this.pending.length >= this.capacity) this.flush();
  }

  byte(value: i32): void {
    if (this.error != 0) return;
    this.pending.byte(value);
    if (this.pending.length >= this.capacity) this.flush();
  }

  line(text: string): void {
    this.write(text);
    this.byte(10);
  }

  bytes(from: usize, length: i32): void {
    if (this.error != 0) return;
    if (length >= this.capacity) {
      if (this.flush()) this.give(from, length);
      return;
    }
    this.pending.block(from, length);
    if (this.pending.length >= this.capacity) this.flush();
  }

  /** Hands on what is pending; false once a write has failed. */
  flush(): bool {
    if (this.error != 0) return false;
    if (this.pending.length == 0) return true;
    const fine = this.give(changetype<usize>(this.pending.bytes), this.pending.length);
    this.pending.clear();
    return fine;
  }

  /** Flushes, and takes no more. */
  close(): bool {
    return this.flush();
  }
}

export class FdWriter extends Writer {
  constructor(descriptor: i32) {
    super();
    this.descriptor = descriptor;
  }

  protected sink(from: usize, length: i32): i32 {
    let done = 0;
    while (done < length) {
      const count = writeFile(this.descriptor, from + done, length - done);
      if (count < 0) return count;
      done += count;
    }
    return 0;
  }

  close(): bool {
    const fine = this.flush();
    if (this.descriptor <= 2) return fine;
    const errno = closeFile(this.descriptor);
    if (errno < 0 && this.error == 0) this.error = -errno;
    this.descriptor = -1;
    return this.error == 0;
  }
}

/** Collects what is written. */
export class TextWriter extends Writer {
  constructor() {
    super();
    this.capacity = i32.MAX_VALUE;
  }

  flush(): bool {
    return true;
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.pending.toString();
    this.pending.clear();
    return text;
  }

  /** The bytes themselves, not a copy. */
  content(): Text {
    return this.pending;
  }
}

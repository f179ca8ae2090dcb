/**
 * Streams of a trial: the beginning of an input that may go on, and what a program writes before it has asked for more.
 * Whatever it wrote up to then it would have written in any case.
 */
import { Reader } from '../../io/reader';
import { Text } from '../../io/text';
import { Writer } from '../../io/writer';
import { readFile, SEEK_SET, seekFile } from '../../wasi/files';

export class PrefixReader extends Reader {
  /** More was asked for than is here. */
  isStarved: bool = false;
  /** Of the program that reads: what it has written by then counts. */
  writer: PrefixWriter | null = null;
  private offset: i64 = 0;

  /** `file`: or in `bytes`, -1. `isOpen`: there may be more of it. */
  constructor(
    private file: i32,
    bytes: StaticArray<u8>,
    length: i32,
    private isOpen: bool,
  ) {
    super();
    if (file < 0) {
      this.buffer = bytes;
      this.limit = length;
    }
  }

  protected fill(): bool {
    // the bytes are the pipe's own: what would be read over them goes elsewhere
    if (this.file < 0) return this.end();
    return super.fill();
  }

  protected source(target: usize, length: i32): i32 {
    if (this.file >= 0) {
      seekFile(this.file, this.offset, SEEK_SET);
      const count = readFile(this.file, target, length);
      if (count > 0) {
        this.offset += count;
        return count;
      }
    }
    this.end();
    return 0;
  }

  private end(): bool {
    if (this.isOpen && !this.isStarved) {
      const writer = this.writer;
      if (writer !== null) {
        writer.flush();
        writer.isClosed = true;
      }
      this.isStarved = true;
    }
    this.ended = true;
    return false;
  }
}

export class PrefixWriter extends Writer {
  kept: Text = new Text(256);
  /** What comes now would not have come, had there been more to read. */
  isClosed: bool = false;

  protected sink(from: usize, length: i32): i32 {
    if (!this.isClosed) this.kept.block(from, length);
    return 0;
  }
}

/** What one part of a pipeline writes and the next will read: in memory, then in a file without a name. */
import { TextReader } from '../../io/reader';
import { Text } from '../../io/text';
import { Writer } from '../../io/writer';
import { ENOSPC, EPIPE } from '../../wasi/errno';
import { closeFile, SEEK_SET, seekFile, writeFile } from '../../wasi/files';
import { OpenFile } from '../state/open-files';
import { Rest } from './rest';
import { temporaryFile } from './start';

/** What is kept in memory. */
const MEMORY_BYTES: i32 = 1 << 20;

export class PipeBuffer extends Writer {
  private kept: Text = new Text(1024);
  /** Where it goes on beyond memory; -1: it does not. */
  private file: i32 = -1;
  /** All bytes so far. */
  total: i64 = 0;

  constructor(
    /** Is asked about what becomes too much. */
    private rest: Rest | null,
  ) {
    super();
  }

  /** What is in memory: all of it, while there is no file. */
  get text(): Text {
    return this.kept;
  }

  protected sink(from: usize, length: i32): i32 {
    const rest = this.rest;
    if (rest !== null && rest.takes) return rest.write(from, length);
    this.total += length;
    if (this.file >= 0) return this.toFile(from, length);
    this.kept.block(from, length);
    if (rest !== null && this.total >= rest.threshold) {
      const error = rest.overflow(this);
      if (error < 0) return error;
      if (rest.takes) return 0;
    }
    if (this.kept.length < MEMORY_BYTES) return 0;
    this.file = temporaryFile();
    if (this.file < 0) return -ENOSPC;
    return this.toFile(changetype<usize>(this.kept.bytes), this.kept.length);
  }

  private toFile(from: usize, length: i32): i32 {
    let done = 0;
    while (done < length) {
      const count = writeFile(this.file, from + done, length - done);
      if (count < 0) return count;
      done += count;
    }
    return 0;
  }

  /** Everything so far, to be read. */
  toInput(): OpenFile {
    if (this.file >= 0) {
      seekFile(this.file, 0, SEEK_SET);
      return new OpenFile(this.file, null, null);
    }
    const reader = new TextReader('');
    reader.give(this.kept.bytes, this.kept.length);
    return new OpenFile(-1, reader, null);
  }

  /** Nobody will read it. */
  discard(): i32 {
    if (this.file >= 0) closeFile(this.file);
    this.file = -1;
    return -EPIPE;
  }
}

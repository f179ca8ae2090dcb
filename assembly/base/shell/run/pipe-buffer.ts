/** What one part of a pipeline writes and the next will read: in memory, then in a file without a name. */
import { Reader, TextReader } from '../../io/reader';
import { Text } from '../../io/text';
import { Writer } from '../../io/writer';
import { closeFile, readFile, SEEK_END, SEEK_SET, seekFile, writeFile } from '../../wasi/files';
import { OpenFile } from '../state/open-files';
import { PrefixReader } from './prefix';
import { Rest } from './rest';
import { temporaryFile } from './start';

/** What is kept in memory. */
const MEMORY_BYTES: i32 = 1 << 20;
const BLOCK_BYTES: i32 = 16384;

export class PipeBuffer extends Writer {
  private kept: Text = new Text(1024);
  /** Where it all is beyond memory; -1: it is not. */
  private file: i32 = -1;
  /** Bytes so far. */
  total: i64 = 0;

  constructor(
    /** Is told about what becomes too much. */
    private rest: Rest | null,
  ) {
    super();
  }

  protected sink(from: usize, length: i32): i32 {
    const rest = this.rest;
    if (rest !== null && rest.takes) return rest.write(from, length);
    this.total += length;
    const error = this.keep(from, length);
    if (error < 0) return error;
    return rest !== null && rest.isDue(this.total) ? rest.overflow(this) : 0;
  }

  private keep(from: usize, length: i32): i32 {
    if (this.file >= 0) return writeAll(this.file, from, length);
    this.kept.block(from, length);
    if (this.kept.length < MEMORY_BYTES) return 0;
    const file = temporaryFile();
    if (file < 0) return file;
    this.file = file;
    return writeAll(file, changetype<usize>(this.kept.bytes), this.kept.length);
  }

  /** Hands what there is to those who take the rest, too. */
  pourInto(rest: Rest): i32 {
    if (this.file < 0) return rest.write(changetype<usize>(this.kept.bytes), this.kept.length);
    seekFile(this.file, 0, SEEK_SET);
    const block = heap.alloc(BLOCK_BYTES);
    let error = 0;
    while (error == 0) {
      const count = readFile(this.file, block, BLOCK_BYTES);
      if (count <= 0) break;
      error = rest.write(block, count);
    }
    heap.free(block);
    this.discard();
    return error;
  }

  /** Everything, to be read: nothing more comes. */
  toInput(): OpenFile {
    if (this.file >= 0) {
      seekFile(this.file, 0, SEEK_SET);
      return new OpenFile(this.file, null, null);
    }
    const reader = new TextReader('');
    reader.give(this.kept.bytes, this.kept.length);
    return new OpenFile(-1, reader, null);
  }

  /** What there is so far, to be tried on. */
  toPrefix(): PrefixReader {
    if (this.file >= 0) return new PrefixReader(this.file, this.kept.bytes, 0, true);
    return new PrefixReader(-1, this.kept.bytes, this.kept.length, true);
  }

  /** Where writing goes on after somebody has read. */
  rewind(): void {
    if (this.file >= 0) seekFile(this.file, 0, SEEK_END);
  }

  /** Nobody will read it. */
  discard(): void {
    if (this.file >= 0) closeFile(this.file);
    this.file = -1;
    this.kept = new Text(16);
  }
}

function writeAll(file: i32, from: usize, length: i32): i32 {
  let done = 0;
  while (done < length) {
    const count = writeFile(file, from + done, length - done);
    if (count < 0) return count;
    done += count;
  }
  return 0;
}

/** Where there is nothing to read. */
export function nothing(): Reader {
  return new TextReader('');
}

/** The shell's descriptors: numbers that lead to open files, which several of them, and several commands, may share. */
import { FdReader, Reader } from '../../io/reader';
import { FdWriter, Writer } from '../../io/writer';
import { closeFile, SEEK_CUR, seekFile } from '../../wasi/files';

/**
 * Of what cannot be gone back in, as a pipe: `read`, and a script that comes that way, leave what they do not use for the
 * programs that read after them.
 */
export class SharedReader extends FdReader {
  /** -1: not known. */
  private seeks: i32 = -1;
  private sparing: bool = false;

  /** Takes a byte at a time until it is told otherwise, where more could not be put back. */
  spare(isOn: bool): void {
    if (isOn && this.seeks < 0) this.seeks = seekFile(this.descriptor, 0, SEEK_CUR) >= 0 ? 1 : 0;
    this.sparing = isOn && this.seeks == 0;
  }

  protected source(target: usize, length: i32): i32 {
    return super.source(target, this.sparing ? 1 : length);
  }
}

/** Has a reader take no more than is asked of it, or as much as it likes. */
export function spare(reader: Reader, isOn: bool): void {
  if (reader instanceof SharedReader) (reader as SharedReader).spare(isOn);
}

export class OpenFile {
  private uses: i32 = 0;

  constructor(
    /** The process' own descriptor; -1 for what is in memory only. */
    public descriptor: i32,
    public reader: Reader | null,
    public writer: Writer | null,
  ) {}

  /** What commands read it with, all of them. */
  input(): Reader {
    let reader = this.reader;
    if (reader === null) {
      reader = new SharedReader(this.descriptor);
      this.reader = reader;
    }
    return reader;
  }

  output(): Writer {
    let writer = this.writer;
    if (writer === null) {
      writer = new FdWriter(this.descriptor);
      this.writer = writer;
    }
    return writer;
  }

  use(): OpenFile {
    this.uses++;
    return this;
  }

  release(): void {
    if (--this.uses > 0) return;
    const writer = this.writer;
    if (writer !== null) writer.flush();
    if (this.descriptor > 2) closeFile(this.descriptor);
  }

  /** Makes the process' descriptor stand where the commands so far have read and written to. */
  settle(): void {
    const writer = this.writer;
    if (writer !== null) writer.flush();
    const reader = this.reader;
    if (reader === null || this.descriptor < 0) return;
    const unread = reader.unread();
    if (unread > 0 && seekFile(this.descriptor, -(<i64>unread), SEEK_CUR) >= 0) reader.drop();
  }
}

export class FileTable {
  private files: Array<OpenFile | null> = [] as (OpenFile | null)[];

  /** 0, 1 and 2 of the process. */
  static standard(): FileTable {
    const table = new FileTable();
    for (let fd = 0; fd < 3; fd++) table.set(fd, new OpenFile(fd, null, null));
    return table;
  }

  get length(): i32 {
    return this.files.length;
  }

  get(fd: i32): OpenFile | null {
    return fd >= 0 && fd < this.files.length ? this.files[fd] : null;
  }

  /** Null closes it. */
  set(fd: i32, file: OpenFile | null): void {
    while (this.files.length <= fd) this.files.push(null);
    const before = this.files[fd];
    this.files[fd] = file === null ? null : file.use();
    if (before !== null) before.release();
  }

  copy(): FileTable {
    const copy = new FileTable();
    for (let fd = 0; fd < this.files.length; fd++) copy.set(fd, this.files[fd]);
    return copy;
  }

  closeAll(): void {
    for (let fd = 0; fd < this.files.length; fd++) this.set(fd, null);
  }

  flush(): void {
    for (let fd = 0; fd < this.files.length; fd++) {
      const file = this.files[fd];
      if (file === null) continue;
      const writer = file.writer;
      if (writer !== null) writer.flush();
    }
  }
}

/** Output that is collected, not written anywhere. */
export function memoryFile(writer: Writer): OpenFile {
  return new OpenFile(-1, null, writer);
}

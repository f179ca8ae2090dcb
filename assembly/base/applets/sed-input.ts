/** The lines sed reads: of all files as one, or of each by itself; and what it writes. */
import { Context } from '../applet';
import { cannot, complain, complainOf } from '../io/messages';
import { closeInput, openError, openInput, openOutput } from '../io/open';
import { absolute, baseName, dirName, join } from '../io/paths';
import { Reader } from '../io/reader';
import { statOf } from '../io/walk';
import { FdWriter, Writer } from '../io/writer';
import { EISDIR, errorText } from '../wasi/errno';
import {
  CREATE,
  changeMode,
  changeOwner,
  EXCLUSIVE,
  openFile,
  removeFile,
  renameFile,
  TRUNCATE,
  WRITE,
} from '../wasi/files';

/** An output and whether the line that came last to it lacks its end, as the last of a file may. */
export class Output {
  missing: bool = false;

  constructor(
    public writer: Writer,
    private delimiter: i32,
  ) {}

  private complete(): void {
    if (this.missing) this.writer.byte(this.delimiter);
    this.missing = false;
  }

  line(text: string, terminated: bool): void {
    this.complete();
    this.writer.write(text);
    if (terminated) this.writer.byte(this.delimiter);
    else this.missing = true;
  }

  raw(text: string): void {
    if (text.length == 0) return;
    this.complete();
    this.writer.write(text);
  }
}

export class Input {
  /** Of the current line. */
  number: i64 = 0;
  terminated: bool = true;
  status: i32 = 0;
  output: Output;
  private index: i32 = 0;
  private reader: Reader | null = null;
  private path: string = '-';
  private temporary: string = '';
  private fileDone: bool = false;

  constructor(
    private context: Context,
    private name: string,
    private files: Array<string>,
    private separate: bool,
    /** null: not in place. */
    private suffix: string | null,
    private delimiter: i32,
  ) {
    this.output = new Output(context.stdout, delimiter);
  }

  get inPlace(): bool {
    return this.suffix != null;
  }

  get fileName(): string {
    return this.path;
  }

  /** Opens the next file that there is. */
  private open(): bool {
    while (this.reader == null && this.index < this.files.length) {
      const path = this.files[this.index++];
      if (this.suffix != null) {
        const stat = statOf(this.context, path, true);
        if (stat != null && !stat.isFile) {
          complain(this.context, this.name, `couldn't edit ${path}: not a regular file`);
          this.status = 4;
          continue;
        }
      }
      const reader = openInput(this.context, path);
      if (reader == null) {
        complain(this.context, this.name, `can't read ${path}: ${errorText(openError())}`);
        this.status = 2;
        continue;
      }
      this.path = path;
      if (this.suffix != null && !this.begin(path)) {
        this.status = 4;
        reader.close();
        continue;
      }
      this.reader = reader;
    }
    return this.reader != null;
  }

  private begin(path: string): bool {
    const directory = dirName(path);
    for (let i = 0; i < 1000; i++) {
      this.temporary = absolute(this.context, join(directory, `.${baseName(path)}.sed${i}`));
      const fd = openFile(this.temporary, WRITE | CREATE | EXCLUSIVE);
      if (fd == -20) continue;
      if (fd < 0) {
        complain(this.context, this.name, `couldn't open temporary file ${this.temporary}: ${errorText(fd)}`);
        return false;
      }
      this.output = new Output(new FdWriter(fd), this.delimiter);
      return true;
    }
    return false;
  }

  /** Ends the current file; with -i the new one takes its place. */
  close(): void {
    const reader = this.reader;
    if (reader == null) return;
    this.reader = null;
    if (reader.error == EISDIR) {
      complain(this.context, this.name, `read error on ${this.path}: Is a directory`);
      reader.error = 0;
      this.status = 2;
    }
    if (!closeInput(this.context, this.name, this.path, reader)) this.status = 2;
    const suffix = this.suffix;
    if (suffix == null) return;
    const full = absolute(this.context, this.path);
    const stat = statOf(this.context, this.path, true);
    if (!this.output.writer.close()) {
      complainOf(this.context, this.name, this.path, this.output.writer.error);
      removeFile(this.temporary);
      this.status = 4;
      return;
    }
    if (stat != null) {
      changeOwner(this.temporary, true, stat.uid, stat.gid);
      changeMode(this.temporary, true, stat.mode & 0o7777);
    }
    if (suffix.length > 0) {
      const backup = suffix.includes('*') ? suffix.split('*').join(baseName(this.path)) : baseName(this.path) + suffix;
      renameFile(full, absolute(this.context, backup.includes('/') ? backup : join(dirName(this.path), backup)));
    }
    const errno = renameFile(this.temporary, full);
    if (errno < 0) {
      cannot(this.context, this.name, 'rename', this.temporary, errno);
      this.status = 4;
    }
    this.output = new Output(this.context.stdout, this.delimiter);
  }

  /** The next line; null at the end of everything. */
  next(): string | null {
    while (this.open()) {
      const reader = this.reader!;
      if (this.separate && this.fileDone) {
        this.number = 0;
        this.fileDone = false;
      }
      const line = reader.line(this.delimiter);
      if (line != null) {
        this.number++;
        this.terminated = reader.terminated;
        return line;
      }
      this.close();
      this.fileDone = true;
    }
    return null;
  }

  /** Is there no line behind the current one? Of this file, where each is by itself. */
  get isLast(): bool {
    const reader = this.reader;
    if (reader != null) {
      if (reader.peek() >= 0) return false;
      if (this.separate) return true;
      this.close();
    }
    while (this.open()) {
      if (this.reader!.peek() >= 0) return false;
      this.close();
    }
    return true;
  }
}

/** The files of w, W and the flag w, each opened once. */
export class Files {
  private known: Map<string, Output> = new Map();

  constructor(
    private context: Context,
    private name: string,
    private delimiter: i32,
  ) {}

  /** null: it could not be opened, which was told. */
  output(path: string): Output | null {
    if (this.known.has(path)) return this.known.get(path);
    const writer = openOutput(this.context, path, WRITE | CREATE | TRUNCATE);
    if (writer == null) {
      complain(this.context, this.name, `couldn't open file ${path}: ${errorText(openError())}`);
      return null;
    }
    const output = new Output(writer, this.delimiter);
    this.known.set(path, output);
    return output;
  }

  close(): bool {
    let fine = true;
    const outputs = this.known.values();
    for (let i = 0; i < outputs.length; i++) {
      const writer = outputs[i].writer;
      if (writer === this.context.stdout || writer === this.context.stderr) writer.flush();
      else fine = writer.close() && fine;
    }
    return fine;
  }
}

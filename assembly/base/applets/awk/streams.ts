/** What an awk program reads and writes besides its main input: files and commands, open until they are closed. */
import { Context } from '../../applet';
import { complain } from '../../io/messages';
import { closeInput, openError, openInput, openOutput } from '../../io/open';
import { Reader, TextReader } from '../../io/reader';
import { TextWriter, Writer } from '../../io/writer';
import { errorText } from '../../wasi/errno';
import { APPEND, CREATE, TRUNCATE, WRITE } from '../../wasi/files';
import { runCommand } from '../run-command';

export class Streams {
  private readers: Map<string, Reader> = new Map();
  private statuses: Map<string, i32> = new Map();
  private writers: Map<string, Writer> = new Map();
  /** What goes to a command is kept until it is closed. */
  private pipes: Map<string, TextWriter> = new Map();

  constructor(
    private context: Context,
    private name: string,
  ) {}

  private shell(command: string, stdin: Reader, stdout: Writer): i32 {
    const context = this.context;
    const inner = new Context(stdin, stdout, context.stderr, context.cwd, context.env);
    const status = runCommand(inner, ['sh', '-c', command]);
    stdout.flush();
    return status;
  }

  /** The status of a command that ran to its end. */
  system(command: string): i32 {
    this.flush();
    return this.shell(command, this.context.stdin, this.context.stdout);
  }

  /** null: it cannot be opened. */
  file(path: string): Reader | null {
    if (this.readers.has(path)) return this.readers.get(path);
    const reader = openInput(this.context, path);
    if (reader != null) this.readers.set(path, reader);
    return reader;
  }

  command(command: string): Reader {
    if (this.readers.has(command)) return this.readers.get(command);
    this.flush();
    const output = new TextWriter();
    this.statuses.set(command, this.shell(command, this.context.stdin, output));
    const reader = new TextReader('');
    reader.give(output.content().bytes, output.content().length);
    this.readers.set(command, reader);
    return reader;
  }

  /** `kind` as in the tree: `>`, a for >>, `|`; null: it cannot be opened, which is told. */
  output(kind: i32, path: string): Writer | null {
    if (kind == 124) {
      if (!this.pipes.has(path)) this.pipes.set(path, new TextWriter());
      return this.pipes.get(path);
    }
    if (path == '-') return this.context.stdout;
    if (this.writers.has(path)) return this.writers.get(path);
    const writer = openOutput(this.context, path, WRITE | CREATE | (kind == 97 ? APPEND : TRUNCATE));
    if (writer == null) {
      complain(this.context, this.name, `cannot open "${path}" for output: ${errorText(openError())}`);
      return null;
    }
    this.writers.set(path, writer);
    return writer;
  }

  flush(): void {
    this.context.stdout.flush();
    const writers = this.writers.values();
    for (let i = 0; i < writers.length; i++) writers[i].flush();
  }

  /** -1 where nothing of that name is open. */
  close(name: string): i32 {
    let result = -1;
    if (this.readers.has(name)) {
      const reader = this.readers.get(name);
      closeInput(this.context, this.name, name, reader);
      this.readers.delete(name);
      result = this.statuses.has(name) ? this.statuses.get(name) : 0;
      this.statuses.delete(name);
    }
    if (this.writers.has(name)) {
      const writer = this.writers.get(name);
      this.writers.delete(name);
      result = this.end(writer) ? 0 : -1;
    }
    if (this.pipes.has(name)) {
      const pipe = this.pipes.get(name);
      this.pipes.delete(name);
      this.flush();
      result = this.shell(name, new TextReader(pipe.take()), this.context.stdout);
    }
    return result;
  }

  private end(writer: Writer): bool {
    if (writer === this.context.stdout || writer === this.context.stderr) return writer.flush();
    return writer.close();
  }

  closeAll(): bool {
    let fine = true;
    const pipes = this.pipes.keys();
    for (let i = 0; i < pipes.length; i++) this.close(pipes[i]);
    const writers = this.writers.keys();
    for (let i = 0; i < writers.length; i++) {
      const writer = this.writers.get(writers[i]);
      if (this.end(writer)) continue;
      complain(this.context, this.name, `${writers[i]}: ${errorText(writer.error)}`);
      fine = false;
    }
    const readers = this.readers.keys();
    for (let i = 0; i < readers.length; i++) this.close(readers[i]);
    return fine;
  }
}

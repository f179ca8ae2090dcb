/** Everything a shell knows while it runs. A subshell works on a copy of it (XCU 2.12). */
import { Context } from '../../applet';
import { Reader, TextReader } from '../../io/reader';
import { Writer } from '../../io/writer';
import { EBADF } from '../../wasi/errno';
import { FunctionDefinition } from '../syntax/ast';
import { FileTable } from './open-files';
import { ALL_EXPORT, INTERACTIVE, optionLetters } from './options';
import { Variables } from './variables';

/** Why commands are being left: kinds of `unwind`. */
export const RUNNING: i32 = 0;
export const BREAKING: i32 = 1;
export const CONTINUING: i32 = 2;
export const RETURNING: i32 = 3;
export const EXITING: i32 = 4;

export class Shell {
  variables: Variables = new Variables();
  functions: Map<string, FunctionDefinition> = new Map<string, FunctionDefinition>();
  files: FileTable = new FileTable();
  options: i32 = 0;
  positional: Array<string> = [] as string[];
  /** `$0`. */
  name: string = 'sh';
  /** Absolute; `/` or without a slash at its end. */
  cwd: string = '/';
  /** `$$`: of the shell, also in its subshells. */
  pid: i32 = 1;
  /** Of the process that this is. */
  ownPid: i32 = 1;
  /** It is what the process was started as: signals are for it. */
  isOwner: bool = false;
  ppid: i32 = 0;
  /** `$!`; 0: none yet. */
  lastJob: i32 = 0;
  /** Pids of what runs in the background. */
  jobs: Array<i32> = [] as i32[];
  /** What to do on EXIT (0) and signals, by their number; empty: ignore. */
  traps: Map<i32, string> = new Map<i32, string>();
  /** Where commands were found, by name. */
  paths: Map<string, string> = new Map<string, string>();
  /** `$?`. */
  status: i32 = 0;
  /** Of the last command substitution, where a command has no name; -1: there was none. */
  substitutionStatus: i32 = -1;
  line: i32 = 0;
  /** What messages begin with, when it is not `$0`: a file that is read in. */
  script: string = '';

  unwind: i32 = RUNNING;
  /** How many loops to leave, or to leave but one. */
  unwindCount: i32 = 0;
  /** How many loops are around. */
  loops: i32 = 0;
  /** How many functions and files read in are around: what `return` can leave. */
  calls: i32 = 0;
  /** Above 0 where a failure is no reason to exit, for all that `set -e` says. */
  tested: i32 = 0;
  isSubshell: bool = false;
  umask: i32 = 0o022;
  /** `exit` was run: what ends a shell that somebody types at, too. */
  wantsExit: bool = false;
  /** Of the traps: one that runs is not run again. */
  inExitTrap: bool = false;
  /** Where `getopts` is within an argument that holds several options. */
  optionOffset: i32 = 0;
  /** How many functions, subshells and files read in lie within each other. */
  depth: i32 = 0;

  get interactive(): bool {
    return (this.options & INTERACTIVE) != 0;
  }

  has(option: i32): bool {
    return (this.options & option) != 0;
  }

  /** What a subshell begins with. */
  copy(): Shell {
    const copy = new Shell();
    copy.variables = this.variables.copy();
    const names = this.functions.keys();
    for (let i = 0; i < names.length; i++) copy.functions.set(names[i], this.functions.get(names[i]));
    copy.files = this.files.copy();
    copy.options = this.options & ~INTERACTIVE;
    copy.positional = this.positional;
    copy.name = this.name;
    copy.cwd = this.cwd;
    copy.pid = this.pid;
    copy.ppid = this.ppid;
    copy.ownPid = this.ownPid;
    copy.lastJob = this.lastJob;
    copy.paths = this.paths;
    copy.status = this.status;
    copy.line = this.line;
    copy.script = this.script;
    copy.loops = this.loops;
    copy.calls = this.calls;
    copy.tested = this.tested;
    copy.optionOffset = this.optionOffset;
    copy.umask = this.umask;
    copy.depth = this.depth + 1;
    copy.isSubshell = true;
    // what is ignored stays so, what is caught is not
    const signals = this.traps.keys();
    for (let i = 0; i < signals.length; i++) {
      const signal = signals[i];
      if (signal != 0 && this.traps.get(signal).length == 0) copy.traps.set(signal, '');
    }
    return copy;
  }

  /** The letters of `$-`. */
  get letters(): string {
    return optionLetters(this.options);
  }

  /** Sets a variable; false where it is readonly, which has been said and ends a shell that nobody types at. */
  assign(name: string, value: string, exports: bool = false): bool {
    if (this.variables.isReadonly(name)) {
      this.fail(`${name}: is read only`);
      return false;
    }
    this.variables.set(name, value, exports || this.has(ALL_EXPORT));
    if (name == 'PATH') this.paths.clear();
    else if (name == 'OPTIND') this.optionOffset = 0;
    return true;
  }

  stdin(): Reader {
    const file = this.files.get(0);
    return file === null ? closedReader() : file.input();
  }

  stdout(): Writer {
    return this.writer(1);
  }

  stderr(): Writer {
    return this.writer(2);
  }

  private writer(fd: i32): Writer {
    const file = this.files.get(fd);
    return file === null ? new ClosedWriter() : file.output();
  }

  context(): Context {
    return new Context(this.stdin(), this.stdout(), this.stderr(), this.cwd, this.variables.exports());
  }

  /** One line to standard error: `sh: message`; with the line's number in a script. */
  complain(message: string): void {
    const name = this.script.length > 0 ? this.script : this.name;
    const place = this.script.length > 0 ? `${name}: line ${this.line}` : name;
    this.stdout().flush();
    const stderr = this.stderr();
    stderr.line(`${place}: ${message}`);
    stderr.flush();
  }

  /** The errors that end a shell which is not interactive (XCU 2.8.1), with status 2. */
  fail(message: string): void {
    this.complain(message);
    this.exit(2);
  }

  /** Leaves everything; a shell that somebody types at goes on with the next line unless it `wantsExit`. */
  exit(status: i32): void {
    this.status = status;
    this.unwind = EXITING;
  }

  absolute(path: string): string {
    if (path.length == 0 || path.charCodeAt(0) == 0x2f) return path;
    return this.cwd == '/' ? `/${path}` : `${this.cwd}/${path}`;
  }
}

/** Of a descriptor that is closed: what reads it finds the end, with an error. */
function closedReader(): Reader {
  const reader = new TextReader('');
  reader.error = EBADF;
  return reader;
}

class ClosedWriter extends Writer {
  protected sink(_from: usize, _length: i32): i32 {
    return -EBADF;
  }
}

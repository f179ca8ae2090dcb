/** Redirections (XCU 2.7): made for a command, and taken back after it. */
import { TextReader } from '../../io/reader';
import { errorText } from '../../wasi/errno';
import { CREATE, EXCLUSIVE, APPEND as O_APPEND, openFile, READ, TRUNCATE, WRITE } from '../../wasi/files';
import { Stat, statPath } from '../../wasi/stat';
import { Expander } from '../expand/expander';
import { OpenFile } from '../state/open-files';
import { NO_CLOBBER } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import { APPEND, DUPLICATE_INPUT, DUPLICATE_OUTPUT, HERE, INPUT, OUTPUT, READ_WRITE, Redirect } from '../syntax/ast';

const MAX_FD: i32 = 255;

/** What descriptors led to before. */
export class Redirected {
  private fds: Array<i32> = [] as i32[];
  private files: Array<OpenFile | null> = [] as (OpenFile | null)[];

  constructor(private shell: Shell) {}

  remember(fd: i32): void {
    const file = this.shell.files.get(fd);
    this.fds.push(fd);
    this.files.push(file === null ? null : file.use());
  }

  /** Puts back what was there. */
  undo(): void {
    const table = this.shell.files;
    for (let i = this.fds.length - 1; i >= 0; i--) {
      const file = this.files[i];
      table.set(this.fds[i], file);
      if (file !== null) file.release();
    }
  }

  /** The redirections stay. */
  keep(): void {
    for (let i = 0; i < this.files.length; i++) {
      const file = this.files[i];
      if (file !== null) file.release();
    }
  }
}

/** Null, and nothing changed, where one of them fails: that has been said. */
export function redirect(shell: Shell, redirects: Array<Redirect>): Redirected | null {
  const done = new Redirected(shell);
  for (let i = 0; i < redirects.length; i++) {
    if (apply(shell, redirects[i], done)) continue;
    done.undo();
    return null;
  }
  return done;
}

function apply(shell: Shell, redirect: Redirect, done: Redirected): bool {
  const fd = redirect.fd;
  if (fd > MAX_FD) {
    shell.complain(`${fd}: Bad file descriptor`);
    return false;
  }
  const expander = new Expander(shell);
  if (redirect.kind == HERE) {
    const text = expander.text(redirect.body!);
    if (shell.unwind != RUNNING) return false;
    done.remember(fd);
    shell.files.set(fd, new OpenFile(-1, new TextReader(text), null));
    return true;
  }
  const target = expander.text(redirect.target);
  if (shell.unwind != RUNNING) return false;
  if (redirect.kind == DUPLICATE_INPUT || redirect.kind == DUPLICATE_OUTPUT)
    return duplicate(shell, redirect, target, done);
  const standard = standardFile(shell, target);
  if (standard !== null) {
    done.remember(fd);
    shell.files.set(fd, standard);
    return true;
  }
  const opened = open(shell, redirect.kind, target);
  if (opened < 0) {
    const what = redirect.kind == INPUT ? 'cannot open' : 'cannot create';
    shell.complain(`${what} ${target}: ${errorText(opened)}`);
    return false;
  }
  done.remember(fd);
  shell.files.set(fd, new OpenFile(opened, null, null));
  return true;
}

function duplicate(shell: Shell, redirect: Redirect, target: string, done: Redirected): bool {
  if (target == '-') {
    done.remember(redirect.fd);
    shell.files.set(redirect.fd, null);
    return true;
  }
  let from = 0;
  let isNumber = target.length > 0 && target.length < 5;
  for (let i = 0; i < target.length; i++) {
    const digit = target.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) isNumber = false;
    from = from * 10 + digit;
  }
  const file = isNumber ? shell.files.get(from) : null;
  if (file === null) {
    shell.complain(`${target}: Bad file descriptor`);
    return false;
  }
  done.remember(redirect.fd);
  shell.files.set(redirect.fd, file);
  return true;
}

/** /dev/stdin and so on are the shell's own, whatever they lead to. */
function standardFile(shell: Shell, path: string): OpenFile | null {
  if (!path.startsWith('/dev/')) return null;
  if (path == '/dev/stdin' || path == '/dev/fd/0') return shell.files.get(0);
  if (path == '/dev/stdout' || path == '/dev/fd/1') return shell.files.get(1);
  if (path == '/dev/stderr' || path == '/dev/fd/2') return shell.files.get(2);
  return null;
}

function open(shell: Shell, kind: i32, target: string): i32 {
  const path = shell.absolute(target);
  // what was written so far is to be found in the file
  shell.files.flush();
  switch (kind) {
    case INPUT:
      return openFile(path, READ);
    case READ_WRITE:
      return openFile(path, READ | WRITE | CREATE);
    case APPEND:
      return openFile(path, WRITE | CREATE | O_APPEND);
    case OUTPUT:
      if (shell.has(NO_CLOBBER)) {
        // a file that is there is kept; a device or pipe is written to
        const stat = new Stat();
        if (statPath(path, true, stat) == 0 && !stat.isFile) return openFile(path, WRITE);
        return openFile(path, WRITE | CREATE | EXCLUSIVE);
      }
      return openFile(path, WRITE | CREATE | TRUNCATE);
  }
  return openFile(path, WRITE | CREATE | TRUNCATE);
}

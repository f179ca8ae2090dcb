/** Commands that are neither functions nor built in: applets and scripts in this process, Wasm programs in their own. */
import { Context } from '../../applet';
import { runApplet } from '../../applets/table';
import { runBox } from '../../box';
import { baseName } from '../../io/paths';
import { EACCES, EINTR, ENOEXEC, ENOSYS, EPIPE, errorText } from '../../wasi/errno';
import { closeFile, openFile, READ, readFile } from '../../wasi/files';
import { unpack } from '../../wasi/memory';
import { waitProcess, waitStatus } from '../../wasi/process';
import { RUNNING, Shell } from '../state/shell';
import { runScript, runShell } from './invocation';
import { BOX, DENIED, Found, lookUp, NOT_FOUND } from './lookup';
import { runPendingTraps } from './signals';
import { Started, startProgram } from './start';

/** What a script's interpreter may be a script of, and so on. */
const MAX_INTERPRETERS: i32 = 4;
const HEAD_BYTES: i32 = 256;
const HEAD: usize = memory.data(256, 16);

/** Finds `args[0]` and runs it. `path`: where to look, in place of PATH. */
export function runProgram(shell: Shell, args: Array<string>, path: string | null = null): i32 {
  const name = args[0];
  const found = lookUp(shell, name, path);
  if (found.kind == NOT_FOUND) {
    const isPath = name.indexOf('/') >= 0;
    shell.complain(`${name}: ${isPath ? errorText(44) : 'not found'}`);
    return 127;
  }
  if (found.kind == DENIED) {
    shell.complain(`${name}: ${errorText(EACCES)}`);
    return 126;
  }
  return runFound(shell, found, args, 0);
}

/** Runs what was found; a script by its interpreter. */
export function runFound(shell: Shell, found: Found, args: Array<string>, level: i32): i32 {
  if (found.isShell) return runShell(shell, args);
  if (found.kind == BOX) return runOwnApplet(shell, baseName(found.path), args);
  const path = shell.absolute(found.path);
  const head = readHead(path);
  if (!head.startsWith('\0asm')) return runText(shell, path, head, args, level);
  const started = startProgram(shell, path, args);
  if (started.pid < 0) return refuse(shell, args[0], started.pid);
  return waitFor(shell, started);
}

/** Says why a program did not start: its status. */
export function refuse(shell: Shell, name: string, error: i32): i32 {
  if (error == -ENOSYS) shell.complain(`${name}: this host cannot start programs`);
  else shell.complain(`${name}: ${errorText(error)}`);
  return 126;
}

function runOwnApplet(shell: Shell, name: string, args: Array<string>): i32 {
  const context = shell.context();
  // as who calls it by a path sees in its messages: its name
  const own = args.slice(0);
  own[0] = name;
  const status = name == 'box' ? runBox(context, own) : runApplet(context, own);
  return afterApplet(shell, context, status);
}

/** The streams are everybody's: an error is forgotten, unless nobody reads any more. */
function afterApplet(shell: Shell, context: Context, status: i32): i32 {
  context.stdout.flush();
  if (context.stdout.error != 0) {
    if (context.stdout.error != EPIPE) context.stdout.error = 0;
    else if (shell.isSubshell && shell.unwind == RUNNING) shell.exit(status);
  }
  context.stderr.flush();
  context.stderr.error = 0;
  runPendingTraps(shell);
  return status;
}

/** Waits for a program that was started: its status. */
export function waitFor(shell: Shell, started: Started): i32 {
  if (!started.spooled) started.drain();
  while (true) {
    const pid = waitProcess(started.pid, true);
    if (pid == -EINTR) {
      runPendingTraps(shell);
      if (shell.unwind != RUNNING) return shell.status;
      continue;
    }
    const status = pid < 0 ? 127 : waitStatus;
    started.drain();
    runPendingTraps(shell);
    return status;
  }
}

export function readHead(path: string): string {
  const fd = openFile(path, READ);
  if (fd < 0) return '';
  const length = readFile(fd, HEAD, HEAD_BYTES);
  closeFile(fd);
  return length <= 0 ? '' : unpack(HEAD, length);
}

/** A file that is no module: a script, if it looks like one. */
function runText(shell: Shell, path: string, head: string, args: Array<string>, level: i32): i32 {
  if (head.startsWith('#!')) {
    let end = head.indexOf('\n');
    if (end < 0) end = head.length;
    const line = head.substring(2, end).trim();
    const space = firstBlank(line);
    const interpreter = line.substring(0, space);
    const found = interpreter.length == 0 ? new Found(NOT_FOUND, '') : lookUp(shell, interpreter);
    if (found.kind <= DENIED || level >= MAX_INTERPRETERS || interpreter.indexOf('/') < 0) {
      shell.complain(`${args[0]}: bad interpreter: ${interpreter}`);
      return 126;
    }
    const own: Array<string> = [interpreter];
    const option = line.substring(space).trim();
    if (option.length > 0) own.push(option);
    own.push(path);
    for (let i = 1; i < args.length; i++) own.push(args[i]);
    return runFound(shell, found, own, level + 1);
  }
  const firstLine = head.indexOf('\n') < 0 ? head : head.substring(0, head.indexOf('\n'));
  if (firstLine.indexOf('\0') >= 0) {
    shell.complain(`${args[0]}: ${errorText(ENOEXEC)}`);
    return 126;
  }
  return runScript(shell, path, args);
}

function firstBlank(text: string): i32 {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x20 || unit == 0x09) return i;
  }
  return text.length;
}

/** `sh [options] [-c command [name [argument ...]] | -s [argument ...] | file [argument ...]]` (XCU sh). */
import { Context } from '../../applet';
import { FdReader } from '../../io/reader';
import { EACCES, ENOEXEC, errorText } from '../../wasi/errno';
import { isTerminal, openFile, READ } from '../../wasi/files';
import { Ids, processIds } from '../../wasi/process';
import { Stat, statPath } from '../../wasi/stat';
import { OpenFile } from '../state/open-files';
import { INTERACTIVE, optionOfLetter, optionOfName, STDIN } from '../state/options';
import { Shell } from '../state/shell';
import { isName } from '../syntax/characters';
import { Source } from '../syntax/source';
import { evaluate, evaluateSource } from './evaluate';
import { MAX_CALLS } from './executor';
import { interact } from './interactive';
import { StreamSource } from './stream-source';
import { finish } from './subshell';

/** A program's shell: the process' own, or one that is run as an applet with streams that somebody gives it. */
export function shellApplet(context: Context, args: Array<string>): i32 {
  const shell = new Shell();
  // nobody has read of a process' own input yet
  shell.files.set(
    0,
    new OpenFile(context.stdin.descriptor, isFirst && context.stdin.descriptor == 0 ? null : context.stdin, null),
  );
  shell.files.set(1, new OpenFile(context.stdout.descriptor, null, context.stdout));
  shell.files.set(2, new OpenFile(context.stderr.descriptor, null, context.stderr));
  begin(shell, context.env, context.cwd);
  shell.isOwner = isFirst;
  isFirst = false;
  return start(shell, args);
}

/** No shell has run in this process yet. */
let isFirst: bool = true;

/** `sh` as a command of a shell: nothing is handed on but the environment and the files. */
export function runShell(parent: Shell, args: Array<string>): i32 {
  const shell = child(parent);
  return shell === null ? parent.status : start(shell, args);
}

/** A file without `#!` that is no program either. */
export function runScript(parent: Shell, path: string, args: Array<string>): i32 {
  const shell = child(parent);
  if (shell === null) return parent.status;
  shell.name = args[0];
  shell.positional = args.slice(1);
  runFile(shell, path, args[0]);
  return finish(shell);
}

/** Null where shells lie too deeply within each other: that has been said. */
function child(parent: Shell): Shell | null {
  if (parent.depth >= MAX_CALLS) {
    parent.fail('shells nested too deeply');
    return null;
  }
  const shell = new Shell();
  shell.files = parent.files.copy();
  shell.depth = parent.depth + 1;
  begin(shell, parent.variables.exports(), parent.cwd);
  shell.pid = parent.pid;
  shell.ppid = parent.ppid;
  return shell;
}

/** What a shell starts with. */
function begin(shell: Shell, env: Map<string, string>, cwd: string): void {
  const names = env.keys();
  for (let i = 0; i < names.length; i++) if (isName(names[i])) shell.variables.set(names[i], env.get(names[i]), true);
  shell.cwd = cwd.length == 0 ? '/' : cwd;
  shell.variables.set('PWD', shell.cwd, true);
  shell.variables.set('OPTIND', '1');
  shell.variables.unset('IFS');
  shell.variables.set('IFS', ' \t\n');
  shell.variables.set('PS1', '$ ');
  shell.variables.set('PS2', '> ');
  shell.variables.set('PS4', '+ ');
  const ids: Ids = processIds();
  shell.pid = ids.pid;
  shell.ownPid = ids.pid;
  shell.ppid = ids.ppid;
  shell.umask = ids.umask;
  if (shell.variables.get('PS1') == '$ ' && ids.uid == 0) shell.variables.set('PS1', '# ');
  shell.variables.set('PPID', shell.ppid.toString());
}

function start(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let command: string | null = null;
  let takesCommand = false;
  for (; at < args.length; at++) {
    const word = args[at];
    const sign = word.length > 1 ? word.charCodeAt(0) : 0;
    if (word == '-' || word == '--') {
      at++;
      break;
    }
    if (sign != 0x2d && sign != 0x2b) break;
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      let option = 0;
      if (letter == 'c') {
        takesCommand = true;
        continue;
      }
      // a login shell reads no files here
      if (letter == 'l') continue;
      if (letter == 'o' && at + 1 < args.length) option = optionOfName(args[++at]);
      else option = optionOfLetter(letter);
      if (option == 0) {
        shell.complain(`illegal option ${letter == 'o' ? `-o ${args[at]}` : `-${letter}`}`);
        shell.status = 2;
        return finish(shell);
      }
      if (sign == 0x2d) shell.options |= option;
      else shell.options &= ~option;
    }
  }
  if (takesCommand) {
    if (at >= args.length) {
      shell.complain('-c requires an argument');
      shell.status = 2;
      return finish(shell);
    }
    command = args[at++];
    if (at < args.length) shell.name = args[at++];
    shell.positional = args.slice(at);
    evaluate(shell, command);
    return finish(shell);
  }
  if (at < args.length && !shell.has(STDIN)) {
    const file = args[at++];
    shell.name = file;
    shell.positional = args.slice(at);
    runFile(shell, shell.absolute(file), file);
    return finish(shell);
  }
  shell.options |= STDIN;
  shell.positional = args.slice(at);
  const descriptor = shell.stdin().descriptor;
  if (at >= args.length && descriptor >= 0 && isTerminal(descriptor) && isTerminal(2)) shell.options |= INTERACTIVE;
  if (shell.interactive) interact(shell);
  else evaluateSource(shell, new StreamSource(shell));
  return finish(shell);
}

function runFile(shell: Shell, path: string, shown: string): void {
  const fd = openFile(path, READ);
  const stat = new Stat();
  const isDirectory = fd >= 0 && statPath(path, true, stat) == 0 && stat.isDirectory;
  if (fd < 0 || isDirectory) {
    shell.complain(`cannot open ${shown}: ${errorText(isDirectory ? 31 : fd)}`);
    shell.status = fd == -EACCES ? 126 : isDirectory ? 126 : 127;
    return;
  }
  const reader = new FdReader(fd);
  const text = reader.all();
  reader.close();
  if (text.startsWith('\0asm')) {
    shell.complain(`${shown}: ${errorText(ENOEXEC)}`);
    shell.status = 126;
    return;
  }
  shell.script = shown;
  evaluateSource(shell, new Source(text, 1));
}

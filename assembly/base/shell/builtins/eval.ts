/** eval and `.`. */
import { FdReader } from '../../io/reader';
import { ENOENT, errorText } from '../../wasi/errno';
import { openFile, READ } from '../../wasi/files';
import { Stat, statPath } from '../../wasi/stat';
import { evaluate } from '../run/evaluate';
import { MAX_CALLS } from '../run/executor';
import { RETURNING, RUNNING, Shell } from '../state/shell';

export function evaluateArguments(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  if (at < args.length && args[at] == '--') at++;
  const text = args.slice(at).join(' ');
  if (text.length == 0) return 0;
  if (shell.depth >= MAX_CALLS) {
    shell.fail('eval: nested too deeply');
    return 2;
  }
  const line = shell.line;
  shell.depth++;
  const status = evaluate(shell, text);
  shell.depth--;
  shell.line = line;
  return status;
}

export function dot(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  if (at < args.length && args[at] == '--') at++;
  if (at >= args.length) {
    shell.fail('.: file name needed');
    return 2;
  }
  const name = args[at];
  const path = find(shell, name);
  const fd = path.length == 0 ? -ENOENT : openFile(path, READ);
  if (fd < 0) {
    shell.fail(`.: cannot open ${name}: ${errorText(fd)}`);
    return 2;
  }
  if (shell.depth >= MAX_CALLS) {
    shell.fail('.: nested too deeply');
    return 2;
  }
  const reader = new FdReader(fd);
  const text = reader.all();
  reader.close();
  const line = shell.line;
  const script = shell.script;
  const positional = shell.positional;
  if (args.length > at + 1) shell.positional = args.slice(at + 1);
  shell.script = name;
  shell.calls++;
  shell.depth++;
  let status = evaluate(shell, text);
  if (shell.unwind == RETURNING) {
    shell.unwind = RUNNING;
    status = shell.status;
  }
  shell.depth--;
  shell.calls--;
  shell.script = script;
  shell.line = line;
  if (args.length > at + 1) shell.positional = positional;
  return status;
}

/** A name without a slash is looked for in PATH. Empty: it is nowhere. */
function find(shell: Shell, name: string): string {
  if (name.indexOf('/') >= 0) return shell.absolute(name);
  const directories = shell.variables.text('PATH').split(':');
  const stat = new Stat();
  for (let i = 0; i < directories.length; i++) {
    const directory = directories[i].length == 0 ? '.' : directories[i];
    const path = shell.absolute(`${directory}/${name}`);
    if (statPath(path, true, stat) == 0 && stat.isFile) return path;
  }
  return '';
}

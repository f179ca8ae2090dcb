/** Runs commands for applets that do so: xargs, find -exec, env. */
import { Context } from '../../applet';
import { OpenFile } from '../state/open-files';
import { Shell } from '../state/shell';
import { runProgram } from './programs';

/** Looks `args[0]` up in the PATH of the context, and waits: the status, 127 not found, 126 not to be run. */
export function runForApplet(context: Context, args: Array<string>): i32 {
  const shell = new Shell();
  shell.files.set(0, new OpenFile(context.stdin.descriptor, context.stdin, null));
  shell.files.set(1, new OpenFile(context.stdout.descriptor, null, context.stdout));
  shell.files.set(2, new OpenFile(context.stderr.descriptor, null, context.stderr));
  const names = context.env.keys();
  for (let i = 0; i < names.length; i++) shell.variables.set(names[i], context.env.get(names[i]), true);
  shell.cwd = context.cwd.length == 0 ? '/' : context.cwd;
  shell.isSubshell = true;
  return runProgram(shell, args);
}

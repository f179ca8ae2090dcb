/** How a program runs another one: the shell knows, where there is one; else what is here and in PATH is an applet. */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { baseName } from '../io/paths';
import { find } from './table';

export type Runner = (context: Context, args: Array<string>) => i32;

let runner: Runner | null = null;

/** `run` looks `args[0]` up, runs it with the context's streams and waits: its status, 127 not found, 126 no program. */
export function setRunner(run: Runner): void {
  runner = run;
}

export function runCommand(context: Context, args: Array<string>): i32 {
  const run = runner;
  if (run != null) return run(context, args);
  const applet = find(baseName(args[0]));
  if (applet == null) {
    complain(context, args[0], 'command not found');
    return 127;
  }
  return applet(context, args);
}

/** What the box does by the name it is called by. */
import { Context } from './applet';
import { find, names, runApplet } from './applets/table';
import { baseName } from './io/paths';
import { shellApplet } from './shell/run/invocation';
import { isShellName } from './shell/run/lookup';

/** `box ls -l` is `ls -l`, whatever its own name. */
export function runBox(context: Context, args: Array<string>): i32 {
  for (let first = 0; first < args.length && first < 2; first++) {
    const name = baseName(args[first]);
    if (isShellName(name)) return shellApplet(context, args.slice(first));
    if (find(name) !== null) return runApplet(context, args.slice(first));
  }
  if (args.length > 1 && args[1] != '--names') {
    context.stderr.line(`box: ${args[1]}: there is no such program in here`);
    return 127;
  }
  if (args.length <= 1) context.stdout.line('usage: box PROGRAM [ARGUMENT...]; the programs are:');
  context.stdout.line('sh');
  const all = names();
  for (let i = 0; i < all.length; i++) context.stdout.line(all[i]);
  return 0;
}

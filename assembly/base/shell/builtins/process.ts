/** hash, times, ulimit. */
import { processTime } from '../../wasi/clock';
import { compareBytes } from '../expand/paths';
import { BOX, lookUp } from '../run/lookup';
import { Shell } from '../state/shell';

export function hash(shell: Shell, args: Array<string>): i32 {
  if (args.length == 1) {
    const names = shell.paths.keys();
    names.sort(compareBytes);
    for (let i = 0; i < names.length; i++) shell.stdout().line(shell.paths.get(names[i]));
    return 0;
  }
  if (args[1] == '-r') {
    shell.paths.clear();
    return 0;
  }
  let status = 0;
  for (let i = 1; i < args.length; i++) {
    if (lookUp(shell, args[i]).kind >= BOX) continue;
    shell.complain(`hash: ${args[i]}: not found`);
    status = 1;
  }
  return status;
}

/** The time of the shell, and of its children, of which no host tells. */
export function times(shell: Shell, _args: Array<string>): i32 {
  const milliseconds = processTime() / 1000000;
  const seconds = milliseconds / 1000;
  const fraction = (milliseconds % 1000).toString().padStart(3, '0');
  const out = shell.stdout();
  out.line(`${seconds / 60}m${seconds % 60}.${fraction}s 0m0.000s`);
  out.line('0m0.000s 0m0.000s');
  return 0;
}

export function ulimit(shell: Shell, _args: Array<string>): i32 {
  shell.complain('ulimit: limits are set where the container is started: wctr run --memory, --pids-limit, --cpus');
  return 1;
}

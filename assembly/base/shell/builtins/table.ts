/** The commands a shell runs itself (XCU 1.7, 2.14). */
import { runApplet } from '../../applets/table';
import { Shell } from '../state/shell';
import { cd, pwd } from './cd';
import { command, type } from './command';
import { becomeSubshell, breakLoop, colon, continueLoop, exit, returnFrom } from './control';
import { dot, evaluateArguments } from './eval';
import { getopts } from './getopts';
import { jobs, kill, wait } from './jobs';
import { hash, times, ulimit } from './process';
import { read } from './read';
import { set, shift } from './set';
import { trap } from './trap';
import { umask } from './umask';
import { exportVariables, local, readonlyVariables, unset } from './variables';

export type Builtin = (shell: Shell, args: Array<string>) => i32;

/** A name that no script has. */
export const SUBSHELL: string = ' subshell';

let table: Map<string, Builtin> | null = null;

function builtins(): Map<string, Builtin> {
  const known = table;
  if (known !== null) return known;
  const all = new Map<string, Builtin>();
  table = all;
  all.set(':', colon);
  all.set('.', dot);
  all.set('break', breakLoop);
  all.set('cd', cd);
  all.set('command', command);
  all.set('continue', continueLoop);
  all.set('eval', evaluateArguments);
  all.set('exit', exit);
  all.set('export', exportVariables);
  all.set('getopts', getopts);
  all.set('hash', hash);
  all.set('jobs', jobs);
  all.set('kill', kill);
  all.set('local', local);
  all.set('pwd', pwd);
  all.set('read', read);
  all.set('readonly', readonlyVariables);
  all.set('return', returnFrom);
  all.set('set', set);
  all.set('shift', shift);
  all.set('times', times);
  all.set('trap', trap);
  all.set('type', type);
  all.set('ulimit', ulimit);
  all.set('umask', umask);
  all.set('unset', unset);
  all.set('wait', wait);
  // exec is run by simple commands themselves, which know its redirections
  all.set('exec', colon);
  all.set(SUBSHELL, becomeSubshell);
  // applets that every shell has without PATH
  const own: StaticArray<string> = ['[', 'echo', 'false', 'printf', 'test', 'true'];
  for (let i = 0; i < own.length; i++) all.set(own[i], applet);
  return all;
}

function applet(shell: Shell, args: Array<string>): i32 {
  return runApplet(shell.context(), args);
}

export function builtinOf(name: string): Builtin | null {
  const all = builtins();
  return all.has(name) ? all.get(name) : null;
}

export function isSpecial(name: string): bool {
  switch (name.length) {
    case 1:
      return name == ':' || name == '.';
    case 3:
      return name == 'set';
    case 4:
      return name == 'eval' || name == 'exec' || name == 'exit' || name == 'trap';
    case 5:
      return name == 'break' || name == 'shift' || name == 'times' || name == 'unset';
    case 6:
      return name == 'export' || name == 'return';
    case 8:
      return name == 'continue' || name == 'readonly';
  }
  return false;
}

/** Words after it that look like assignments are expanded as such (XCU 2.9.1.1). */
export function isDeclaration(name: string): bool {
  return name == 'export' || name == 'readonly' || name == 'local';
}

/** Subshells (XCU 2.12): commands that run on a copy of the shell, in the same process. */
import { setUmask } from '../../wasi/process';
import { umaskChanges } from '../builtins/umask';
import { EXITING, RETURNING, RUNNING, Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { MAX_CALLS, run } from './executor';
import { runExitTrap } from './traps';

/** Runs in a copy of the shell; its status. */
export function runInSubshell(shell: Shell, body: Node): i32 {
  return runCopy(shell, shell.copy(), body);
}

/** Runs in a copy made before, which is done with then. */
export function runCopy(shell: Shell, copy: Shell, body: Node): i32 {
  if (copy.depth > MAX_CALLS) {
    shell.fail('subshells nested too deeply');
    copy.files.closeAll();
    return shell.status;
  }
  const changes = umaskChanges;
  run(copy, body);
  const status = finish(copy);
  // the one thing that is the process' and not the shell's
  if (umaskChanges != changes) setUmask(shell.umask);
  return status;
}

/** Ends a shell: the EXIT trap, and its files. Its status. */
export function finish(shell: Shell): i32 {
  if (shell.unwind == RETURNING) shell.unwind = RUNNING;
  runExitTrap(shell);
  if (shell.unwind == EXITING) shell.unwind = RUNNING;
  shell.files.flush();
  shell.files.closeAll();
  return shell.status & 0xff;
}

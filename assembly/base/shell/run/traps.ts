/** What `trap` was told to do. */
import { EXITING, RUNNING, Shell } from '../state/shell';
import { evaluate } from './evaluate';

/** Runs the action of EXIT, once. `exit` in it decides the status, else it stays what it was. */
export function runExitTrap(shell: Shell): void {
  if (shell.inExitTrap || !shell.traps.has(0)) return;
  const action = shell.traps.get(0);
  shell.traps.delete(0);
  if (action.length == 0) return;
  shell.inExitTrap = true;
  const status = shell.status;
  shell.unwind = RUNNING;
  shell.loops = 0;
  evaluate(shell, action);
  if (shell.unwind != EXITING) shell.status = status;
}

/** Runs the action of a signal; false where there is none and the signal does what it does. */
export function runSignalTrap(shell: Shell, signal: i32): bool {
  if (!shell.traps.has(signal)) return false;
  const action = shell.traps.get(signal);
  if (action.length == 0) return true;
  const status = shell.status;
  evaluate(shell, action);
  if (shell.unwind == RUNNING) shell.status = status;
  return true;
}

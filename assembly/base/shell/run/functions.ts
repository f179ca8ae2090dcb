/** Calls of functions (XCU 2.9.5). */
import { RETURNING, RUNNING, Shell } from '../state/shell';
import { FunctionDefinition } from '../syntax/ast';
import { MAX_CALLS, run } from './executor';

export function callFunction(shell: Shell, definition: FunctionDefinition, args: Array<string>): i32 {
  if (shell.depth >= MAX_CALLS) {
    shell.fail(`${definition.name}: functions nested too deeply`);
    return shell.status;
  }
  const positional = shell.positional;
  const loops = shell.loops;
  const line = shell.line;
  shell.positional = args.slice(1);
  shell.loops = 0;
  shell.calls++;
  shell.depth++;
  shell.variables.enterFunction();
  let status = run(shell, definition.body);
  if (shell.unwind == RETURNING) {
    shell.unwind = RUNNING;
    status = shell.status;
  }
  shell.variables.leaveFunction();
  shell.depth--;
  shell.calls--;
  shell.loops = loops;
  shell.positional = positional;
  shell.line = line;
  return status;
}

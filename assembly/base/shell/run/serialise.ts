/** A shell's state as a script that makes it anew, for a process that goes on as its subshell. */
import { SUBSHELL } from '../builtins/table';
import { describeOptions } from '../state/options';
import { Shell } from '../state/shell';
import { signalName } from '../state/signals';
import { printNode } from '../syntax/print';
import { alwaysQuoted } from '../syntax/quote';

export function shellState(shell: Shell): string {
  let text = '';
  const functions = shell.functions.keys();
  for (let i = 0; i < functions.length; i++) text += printNode(shell.functions.get(functions[i]));
  const names = shell.variables.sortedNames();
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const variable = shell.variables.find(name);
    if (variable === null) continue;
    const value = variable.value;
    // what is exported comes by the environment
    if (value !== null && !variable.exported) text += `${name}=${alwaysQuoted(value)}\n`;
    else if (value === null && variable.exported) text += `export ${name}\n`;
    if (variable.readonly) text += `readonly ${name}\n`;
  }
  const signals = shell.traps.keys();
  for (let i = 0; i < signals.length; i++) {
    const action = shell.traps.get(signals[i]);
    if (signals[i] != 0 && action.length == 0) text += `trap '' ${signalName(signals[i])}\n`;
  }
  text += describeOptions(shell.options, true);
  const numbers = `${shell.pid} ${shell.ppid} ${shell.lastJob} ${shell.status}`;
  // as a condition, that the status may be what it is
  return `${text}'${SUBSHELL}' ${numbers} && :\n`;
}

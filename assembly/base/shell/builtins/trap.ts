/** trap: what to do at the end, and when a signal comes. */
import { catchSignal } from '../run/signals';
import { Shell } from '../state/shell';
import { SIGNAL_COUNT, signalName, signalNumber } from '../state/signals';
import { alwaysQuoted } from '../syntax/quote';

export function trap(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  if (at < args.length && args[at] == '--') at++;
  if (at >= args.length || (args[at] == '-p' && at + 1 >= args.length)) return list(shell);
  if (args[at] == '-p') {
    for (let i = at + 1; i < args.length; i++) {
      const signal = signalNumber(args[i]);
      if (signal >= 0) show(shell, signal);
    }
    return 0;
  }
  // without an action, or with a number for one: back to what it was
  const resets = at + 1 == args.length || signalOfDigits(args[at]) >= 0;
  const action = resets ? '-' : args[at++];
  let status = 0;
  for (; at < args.length; at++) {
    const signal = signalNumber(args[at]);
    if (signal < 0) {
      shell.complain(`trap: ${args[at]}: bad trap`);
      status = 1;
      continue;
    }
    if (action == '-') shell.traps.delete(signal);
    else shell.traps.set(signal, action);
    if (signal != 0 && shell.isOwner) catchSignal(signal, action != '-');
  }
  return status;
}

function signalOfDigits(text: string): i32 {
  const first = text.length > 0 ? text.charCodeAt(0) : 0;
  return first >= 0x30 && first <= 0x39 ? signalNumber(text) : -1;
}

function list(shell: Shell): i32 {
  for (let signal = 0; signal < SIGNAL_COUNT; signal++) show(shell, signal);
  return 0;
}

function show(shell: Shell, signal: i32): void {
  if (!shell.traps.has(signal)) return;
  shell.stdout().line(`trap -- ${alwaysQuoted(shell.traps.get(signal))} ${signalName(signal)}`);
}

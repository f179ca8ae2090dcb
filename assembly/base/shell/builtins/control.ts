/** : break continue exit return */
import { BREAKING, CONTINUING, RETURNING, Shell } from '../state/shell';

export function colon(_shell: Shell, _args: Array<string>): i32 {
  return 0;
}

/** A count of at least `least`; -1 where it is none, which has been said and ends the shell. */
export function countOf(shell: Shell, args: Array<string>, least: i32, standard: i32): i32 {
  let at = 1;
  if (at < args.length && args[at] == '--') at++;
  if (at >= args.length) return standard;
  const text = args[at];
  let value = 0;
  let isGood = text.length > 0 && text.length < 10;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) isGood = false;
    value = value * 10 + digit;
  }
  if (isGood && value >= least) return value;
  shell.fail(`${args[0]}: Illegal number: ${text}`);
  return -1;
}

/**
 * What a shell in a process of its own begins with (run/serialise.ts): of which shell it is a subshell.
 * Arguments: $$, PPID, $!, the status.
 */
export function becomeSubshell(shell: Shell, args: Array<string>): i32 {
  if (args.length < 5) return 2;
  shell.pid = I32.parseInt(args[1]);
  shell.ppid = I32.parseInt(args[2]);
  shell.lastJob = I32.parseInt(args[3]);
  return I32.parseInt(args[4]);
}

export function breakLoop(shell: Shell, args: Array<string>): i32 {
  return leave(shell, args, BREAKING);
}

export function continueLoop(shell: Shell, args: Array<string>): i32 {
  return leave(shell, args, CONTINUING);
}

function leave(shell: Shell, args: Array<string>, how: i32): i32 {
  const count = countOf(shell, args, 1, 1);
  if (count < 0) return 2;
  // outside of a loop there is nothing to leave
  if (shell.loops == 0) return 0;
  shell.status = 0;
  shell.unwind = how;
  shell.unwindCount = min(count, shell.loops);
  return 0;
}

export function returnFrom(shell: Shell, args: Array<string>): i32 {
  const status = countOf(shell, args, 0, shell.status);
  if (status < 0) return 2;
  shell.status = status & 0xff;
  shell.unwind = RETURNING;
  return shell.status;
}

export function exit(shell: Shell, args: Array<string>): i32 {
  const status = countOf(shell, args, 0, shell.status);
  if (status < 0) return 2;
  shell.wantsExit = true;
  shell.exit(status & 0xff);
  return shell.status;
}

/** jobs, kill, wait: programs in the background. */
import { ECHILD, EINTR, errorText } from '../../wasi/errno';
import { exitProcess, killProcess, waitProcess, waitStatus } from '../../wasi/process';
import { holdSignal, runPendingTraps } from '../run/signals';
import { runSignalTrap } from '../run/traps';
import { RUNNING, Shell } from '../state/shell';
import { SIGNAL_COUNT, signalName, signalNumber } from '../state/signals';

const TERM: i32 = 15;

/** Lists the pids of what was started with `&` and not waited for; jobs have no other names here. */
export function jobs(shell: Shell, _args: Array<string>): i32 {
  for (let i = 0; i < shell.jobs.length; i++) shell.stdout().line(shell.jobs[i].toString());
  return 0;
}

export function wait(shell: Shell, args: Array<string>): i32 {
  if (args.length == 1) {
    while (shell.jobs.length > 0) {
      waitForJob(shell, shell.jobs[0]);
      if (shell.unwind != RUNNING) return shell.status;
    }
    return 0;
  }
  let status = 0;
  for (let i = 1; i < args.length; i++) {
    const pid = pidOf(args[i]);
    if (pid <= 0) {
      shell.complain(`wait: ${args[i]}: not a pid`);
      return 2;
    }
    status = shell.jobs.includes(pid) ? waitForJob(shell, pid) : 127;
    if (shell.unwind != RUNNING) return shell.status;
  }
  return status;
}

function waitForJob(shell: Shell, pid: i32): i32 {
  while (true) {
    const ended = waitProcess(pid, true);
    runPendingTraps(shell);
    if (ended == -EINTR && shell.unwind == RUNNING) continue;
    const at = shell.jobs.indexOf(pid);
    if (at >= 0) shell.jobs.splice(at, 1);
    return ended < 0 ? 127 : waitStatus;
  }
}

export function kill(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let signal = TERM;
  if (at < args.length && args[at] == '-l') return list(shell, args);
  if (at < args.length && args[at].length > 1 && args[at].charCodeAt(0) == 0x2d && args[at] != '--') {
    let name = args[at].substring(1);
    if (name == 's' || name == 'n') {
      at++;
      name = at < args.length ? args[at] : '';
    }
    signal = signalNumber(name);
    if (signal < 0) {
      shell.complain(`kill: invalid signal number or name: ${name}`);
      return 2;
    }
    at++;
  }
  if (at < args.length && args[at] == '--') at++;
  if (at >= args.length) {
    shell.complain('kill: usage: kill [-s signal | -signal] pid ... or kill -l');
    return 2;
  }
  let status = 0;
  for (; at < args.length; at++) {
    const pid = pidOf(args[at]);
    if (pid <= 0) {
      shell.complain(`kill: illegal pid: ${args[at]}`);
      status = 2;
      continue;
    }
    if (pid == shell.ownPid) {
      raise(shell, signal);
      if (shell.unwind != RUNNING) return shell.status;
      continue;
    }
    const error = killProcess(pid, signal);
    if (error == 0) continue;
    shell.complain(`kill: (${args[at]}): ${errorText(error == -ECHILD ? 71 : error)}`);
    status = 1;
  }
  return status;
}

/** To the process this is: a trap, or its end. A subshell in here shares the process, which is the shell's. */
function raise(shell: Shell, signal: i32): void {
  if (signal == 0 || (!shell.isSubshell && runSignalTrap(shell, signal)) || holdSignal(signal)) return;
  if (signal == 17 || signal == 18 || signal == 23 || signal == 28) return;
  shell.files.flush();
  if (!shell.isOwner && !shell.isSubshell) {
    // a shell that another one runs: its end is not the process'
    shell.traps.delete(0);
    shell.wantsExit = true;
    shell.exit(128 + signal);
    return;
  }
  killProcess(shell.ownPid, signal);
  exitProcess(128 + signal);
}

function list(shell: Shell, args: Array<string>): i32 {
  const out = shell.stdout();
  if (args.length == 2) {
    for (let i = 1; i < SIGNAL_COUNT; i++) out.line(signalName(i));
    return 0;
  }
  for (let i = 2; i < args.length; i++) {
    const status = pidOf(args[i]);
    const signal = status > 128 ? status - 128 : status;
    if (signal < 1 || signal >= SIGNAL_COUNT) {
      shell.complain(`kill: invalid signal number or name: ${args[i]}`);
      return 2;
    }
    out.line(signalName(signal));
  }
  return 0;
}

/** -1: no number. */
function pidOf(text: string): i32 {
  if (text.length == 0 || text.length > 9) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

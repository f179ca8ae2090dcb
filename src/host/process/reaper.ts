/**
 * Ends container processes whose parent died without doing so (kill -9, a crash). A child cannot see that itself while
 * its guest computes, so a shell waits on a pipe that only the parent holds: end of input means the parent is gone.
 * One shell serves all children of a parent. Windows needs none: libuv puts children into a job that ends with us.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

const SCRIPT = `trap '' INT TERM HUP QUIT
all=' '
while read -r what pid; do
  case $what in
  +) all="$all$pid " ;;
  -) all="\${all%%" $pid "*} \${all#*" $pid "}" ;;
  esac
done
for pid in $all; do kill -9 "$pid"; done 2>/dev/null`;

export class Reaper {
  #shell: ChildProcess | undefined;

  watch(pid: number): void {
    if (process.platform === 'win32') return;
    this.#shell ??= startShell();
    this.#shell.stdin?.write(`+ ${pid}\n`);
  }

  /** After the child was waited for: its pid may be another's soon. */
  forget(pid: number): void {
    this.#shell?.stdin?.write(`- ${pid}\n`);
  }
}

function startShell(): ChildProcess {
  // Its own session: a Ctrl-C at the terminal must not end it before its work is done.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], env: {}, detached: true });
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return shell;
}

import type { Terminal } from './terminal.ts';

/** The process's own terminal. Writing to a closed pipe ends the process quietly, as it does for any Unix filter. */
export function nodeTerminal(): Terminal {
  const quitOnClosedPipe = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(141);
    throw error;
  };
  process.stdout.on('error', quitOnClosedPipe);
  process.stderr.on('error', quitOnClosedPipe);
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    flush: async () => {
      await Promise.all([drained(process.stdout), drained(process.stderr)]);
    },
    stdinIsTTY: process.stdin.isTTY === true,
    stdoutIsTTY: process.stdout.isTTY === true,
    stderrIsTTY: process.stderr.isTTY === true,
    get columns() {
      return process.stderr.columns ?? 80;
    },
    env: process.env,
    cwd: process.cwd(),
  };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

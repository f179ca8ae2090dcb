import type { Terminal } from './terminal.ts';

/**
 * The process's own terminal. Node makes its streams on first use, which takes milliseconds, so nothing here touches
 * one before it is needed. Writing to a closed pipe ends the process quietly, as it does for any Unix filter.
 */
export function nodeTerminal(): Terminal {
  const guarded = new Set<NodeJS.WriteStream>();
  const write = (stream: NodeJS.WriteStream, text: string) => {
    if (!guarded.has(stream)) stream.on('error', quitOnClosedPipe);
    guarded.add(stream);
    stream.write(text);
  };
  return {
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    flush: async () => {
      await Promise.all([...guarded].map(drained));
    },
    get stdinIsTTY() {
      return process.stdin.isTTY === true;
    },
    get stdoutIsTTY() {
      return process.stdout.isTTY === true;
    },
    get stderrIsTTY() {
      return process.stderr.isTTY === true;
    },
    get columns() {
      return process.stderr.columns ?? 80;
    },
    env: process.env,
    cwd: process.cwd(),
  };
}

function quitOnClosedPipe(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(141);
  throw error;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

import { writeSync } from 'node:fs';
import type { Terminal } from './terminal.ts';

/**
 * The process's own terminal. Node makes its streams on first use, which takes milliseconds, so nothing here touches
 * one before it is needed. Writing to a closed pipe ends the process quietly, as it does for any Unix filter;
 * output that goes nowhere for another reason, a full disk, ends it with a message.
 */
export function nodeTerminal(): Terminal {
  const write = (stream: NodeJS.WriteStream, text: string) => guard(stream).write(text);
  return {
    out: (text) => void write(process.stdout, text),
    err: (text) => void write(process.stderr, text),
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
    size() {
      const { rows: height, columns: width } = process.stdout;
      return process.stdout.isTTY === true && width > 0 && height > 0 ? { height, width } : undefined;
    },
    onResize(listener) {
      process.stdout.on('resize', listener);
      return () => void process.stdout.off('resize', listener);
    },
    raw: enterRawMode,
    env: process.env,
    cwd: process.cwd(),
  };
}

function enterRawMode(): () => void {
  const { stdin } = process;
  if (stdin.isTTY !== true) return () => {};
  const leave = () => {
    process.off('exit', leave);
    stdin.setRawMode(false);
  };
  stdin.setRawMode(true);
  // A terminal left raw is unusable, whatever ends this process.
  process.on('exit', leave);
  return leave;
}

const guarded = new Set<NodeJS.WriteStream>();

/** The stream, with what happens to its errors settled. */
export function guard(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (!guarded.has(stream)) stream.on('error', quit);
  guarded.add(stream);
  return stream;
}

function quit(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(141);
  const reason = error.code === 'ENOSPC' ? 'no space left on device' : error.message;
  try {
    writeSync(2, `wctr: cannot write the output: ${reason}\n`);
  } catch {
    // Standard error is what cannot be written.
  }
  process.exit(1);
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  // Also with nothing left to write: a file's errors are told in a later turn than the write.
  return new Promise((resolve) => stream.write('', () => resolve()));
}

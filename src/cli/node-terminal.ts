import { fstatSync, writeSync } from 'node:fs';
import type { Terminal } from './terminal.ts';

/**
 * The process's own terminal. Node makes its streams on first use, which takes a fifth of a short command's time, so
 * nothing here touches one before it is needed: text goes straight to the descriptor as long as there is no stream. Writing to a closed pipe ends the process quietly, as it does for any Unix filter;
 * output that goes nowhere for another reason, a full disk, ends it with a message.
 */
export function nodeTerminal(): Terminal {
  return {
    out: (text) => write(1, text),
    err: (text) => write(2, text),
    flush: async () => {
      await Promise.all([...guarded].map(drained));
    },
    get stdinIsTTY() {
      return mayBeTerminal(0) && process.stdin.isTTY === true;
    },
    get stdoutIsTTY() {
      return mayBeTerminal(1) && process.stdout.isTTY === true;
    },
    get stderrIsTTY() {
      return mayBeTerminal(2) && process.stderr.isTTY === true;
    },
    get columns() {
      return process.stderr.columns ?? 80;
    },
    get rows() {
      return process.stderr.rows ?? 24;
    },
    size() {
      if (!mayBeTerminal(1)) return undefined;
      const { rows: height, columns: width } = process.stdout;
      return process.stdout.isTTY === true && width > 0 && height > 0 ? { height, width } : undefined;
    },
    onResize(listener) {
      const streams = process.stdout.isTTY === true ? [process.stdout] : [process.stderr];
      for (const stream of streams) stream.on('resize', listener);
      return () => {
        for (const stream of streams) stream.off('resize', listener);
      };
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

/** Where it is known without loading what asks the terminal itself. */
function mayBeTerminal(fd: 0 | 1 | 2): boolean {
  try {
    return process.platform === 'win32' || fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}

type OwnStream = NodeJS.WriteStream & { readonly fd: number };

const guarded = new Set<OwnStream>();

/** In the order of the calls, whichever way a text takes. Windows' console needs the stream to know what UTF-8 is. */
function write(fd: 1 | 2, text: string): void {
  const isStreamed = process.platform === 'win32' || [...guarded].some((stream) => stream.fd === fd);
  const rest = isStreamed ? Buffer.from(text) : writeDirectly(fd, Buffer.from(text));
  if (rest.length > 0) guard(fd === 1 ? process.stdout : process.stderr).write(rest);
}

/** What is left when nobody takes more at the moment from a pipe that somebody has set not to wait. */
function writeDirectly(fd: 1 | 2, bytes: Buffer): Buffer {
  let at = 0;
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAGAIN') quit(error as NodeJS.ErrnoException);
  }
  return bytes.subarray(at);
}

/** The stream, with what happens to its errors settled. */
export function guard(stream: OwnStream): OwnStream {
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

/** CliHost over Node's own modules (Deno and Bun run it through theirs). */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { WctrError } from '../errors.ts';
import { builtin } from '../host/node/builtin.ts';
import { pathKind } from '../host/node/engine-host.ts';
import type { CliHost } from './command.ts';
import { guard } from './node-terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

export function nodeCliHost(): CliHost {
  return {
    readFile: (path) => named(path, () => builtin.fs.readFile(path)),
    writeFile: (path, data, options) =>
      named(path, () => builtin.fs.writeFile(path, data, { flag: options?.exclusive === true ? 'wx' : 'w' })),
    removeFile: (path) => named(path, () => builtin.fs.rm(path, { force: true })),
    kind: pathKind,
    stdin: () => process.stdin,
    readStream: readChunks,
    writeStdout: (chunk) => writeTo(process.stdout, chunk),
    writeStderr: (chunk) => writeTo(process.stderr, chunk),
    writeStream: writeWhole,
    onSignal: (listener) => {
      const handlers = SIGNALS.map((name) => [name, () => listener(name)] as const);
      for (const [name, handler] of handlers) process.on(name, handler);
      return () => {
        for (const [name, handler] of handlers) process.off(name, handler);
      };
    },
    resolvePath: (path) => resolve(path),
    realPath: (path) => named(path, () => builtin.fs.realpath(path)),
    localTree: async () => (await import('./local-tree.ts')).createLocalTree(builtin.fs),
    confirm: async (question) => {
      // Not by import(), which throws in a bundle loaded with its compiled code.
      const { createInterface } = process.getBuiltinModule('node:readline/promises');
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await prompt.question(question)).trim());
      } finally {
        prompt.close();
      }
    },
  };
}

async function writeTo(stream: Parameters<typeof guard>[0], chunk: Uint8Array): Promise<void> {
  if (!guard(stream).write(chunk)) await new Promise<void>((done) => stream.once('drain', () => done()));
}

/** Writes beside the target and renames, so that a failed save leaves the old file or none. */
async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const target = await builtin.fs.stat(path).catch(() => undefined);
  if (target !== undefined && !target.isFile()) {
    const what = target.isDirectory() ? 'a directory' : 'a device or pipe';
    throw new WctrError('invalid-argument', `cannot write to ${path}: it is ${what}`, { hint: 'name a regular file' });
  }
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = await named(path, () => builtin.fs.open(partial, 'wx'));
    try {
      // writeFile goes on where a full disk took only a part; write says so in its result alone.
      for await (const chunk of chunks) await named(path, () => file.writeFile(chunk));
      await named(path, () => file.sync());
    } finally {
      await file.close();
    }
    await named(path, () => builtin.fs.rename(partial, path));
  } catch (error) {
    await builtin.fs.rm(partial, { force: true });
    throw error;
  }
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const chunks = createReadStream(path, { highWaterMark: 1 << 20 })[Symbol.asyncIterator]();
  for (;;) {
    const next = await named(path, () => chunks.next());
    if (next.done === true) return;
    yield next.value as Uint8Array;
  }
}

/** File errors in the CLI's words. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new WctrError('not-found', `no such file or directory: ${path}`, { cause });
    if (code === 'EEXIST')
      throw new WctrError('conflict', `file exists: ${path}`, { cause, hint: 'remove it or name another' });
    if (code === 'EACCES' || code === 'EPERM')
      throw new WctrError('forbidden', `permission denied: ${path}`, { cause });
    if (code === 'ENOSPC') throw new WctrError('no-space', `no space left on device: ${path}`, { cause });
    if (code === 'EROFS') throw new WctrError('forbidden', `read-only file system: ${path}`, { cause });
    if (code === 'ENOTDIR') throw new WctrError('not-found', `not a directory: ${path}`, { cause });
    if (code === 'EISDIR') throw new WctrError('invalid-argument', `is a directory: ${path}`, { cause });
    throw cause;
  }
}

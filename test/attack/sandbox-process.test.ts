/** The container process and the world around it: a parent that dies, a reader that leaves, a terminal's Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createProcessSandbox } from '../../src/host/node/sandboxes.ts';
import { guestPath } from '../support/guests.ts';
import { guestSpec, outcome, type SpecChanges } from '../support/sandbox-suite.ts';

const PARENT = fileURLToPath(new URL('../support/sandbox-parent.mjs', import.meta.url));
const DIST = new URL('../../dist/', import.meta.url).href;
const STDIO = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

let started: ChildProcess | undefined;

afterEach(() => {
  started?.kill('SIGKILL');
});

function startParent(args: readonly string[], changes: SpecChanges = {}, detached = false): ChildProcess {
  guestPath('busybox');
  const spec = JSON.stringify(guestSpec(args, { stdio: STDIO, ...changes }));
  started = spawn(process.execPath, [PARENT, DIST, spec], {
    stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'],
    env: { SECRET_OF_THE_HOST: 'secret' },
    detached,
  });
  return started;
}

function firstBytes(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}

async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (!existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe('a container process with its caller’s own stdio', () => {
  it('reads and writes them itself, and its exit code comes through', async () => {
    const parent = startParent(['cat']);
    const out = firstBytes(parent.stdout!);
    parent.stdin!.end('through');
    expect(await out).toBe('through');
    expect(await ended(parent)).toEqual({ code: 0, signal: null });
    expect(await ended(startParent(['exit', '7']))).toEqual({ code: 7, signal: null });
  });

  it('ends without a word when nobody reads any more', async () => {
    const parent = startParent(['flood', '1e9']);
    let errors = '';
    parent.stderr!.on('data', (chunk) => {
      errors += chunk;
    });
    await firstBytes(parent.stdout!);
    parent.stdout!.destroy();
    expect(await ended(parent)).toEqual({ code: 141, signal: null });
    expect(errors).toBe('');
  });

  it('is given nothing of its caller’s environment', async () => {
    const parent = startParent(['loop']);
    const pid = Number(await firstBytes(parent.stdio[4] as NodeJS.ReadableStream));
    if (process.platform === 'linux') {
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain('secret');
    }
    process.kill(pid, 'SIGKILL');
    expect((await ended(parent)).code).toBe(137);
  });
});

describe.skipIf(process.platform === 'win32')('signals', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s from outside ends a computing guest at once',
    async (signal) => {
      const parent = startParent(['loop']);
      const pid = Number(await firstBytes(parent.stdio[4] as NodeJS.ReadableStream));
      await firstBytes(parent.stdout!);
      process.kill(pid, signal);
      const { code } = await ended(parent);
      expect(code).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    },
  );

  it('a killed parent takes its containers with it', async () => {
    const parent = startParent(['loop']);
    const pid = Number(await firstBytes(parent.stdio[4] as NodeJS.ReadableStream));
    await firstBytes(parent.stdout!);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    expect(await isGone(pid)).toBe(true);
  });

  it('a killed process group too, however it was killed', async () => {
    const parent = startParent(['sleep', '60000'], {}, true);
    const pid = Number(await firstBytes(parent.stdio[4] as NodeJS.ReadableStream));
    process.kill(-parent.pid!, 'SIGTERM');
    expect(await isGone(pid)).toBe(true);
  });
});

describe('processes kept ready', () => {
  it('serve the next starts, and end when they are no longer wanted', async () => {
    const sandbox = createProcessSandbox({ warm: 2 });
    const pids = new Set<number | undefined>();
    for (let i = 0; i < 4; i++) {
      const handle = await sandbox.start(guestSpec(['hello']));
      pids.add(handle.pid);
      expect((await outcome(handle)).out).toBe('Hello from the guest\n');
    }
    expect(pids.size).toBe(4);
    sandbox.close();
  });

  it('are never used twice', async () => {
    const sandbox = createProcessSandbox({ warm: 1 });
    const first = await sandbox.start(guestSpec(['write', '/left', 'behind']));
    expect((await outcome(first)).exitCode).toBe(0);
    const second = await sandbox.start(guestSpec(['read', '/left']));
    expect((await outcome(second)).err).toBe('errno 44\n');
    sandbox.close();
  });
});

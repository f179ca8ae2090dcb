/** Programs that start programs: test/support/guests/posix.c in a container whose root has it as /p. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GuestProcess, HostContainer, ProcessSpec } from '../../../../src/host/container/container.ts';
import { createContainerHost } from '../../../../src/host/node/container-host.ts';
import { compileGuest, hasCompiler } from '../../../support/c-guest.ts';
import { guestPath } from '../../../support/guests.ts';
import { guestSpec, type SpecChanges, text } from '../../../support/sandbox-suite.ts';

const host = createContainerHost();
const opened: HostContainer[] = [];
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wctr-spawn-'));
  if (hasCompiler()) writeFileSync(join(directory, 'p'), compileGuest('posix'));
});

afterAll(() => rmSync(directory, { recursive: true }));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.close()));
});

function program(args: readonly string[], changes: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    args: ['p', ...args],
    env: ['KIND=first'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: false,
    program: { module: { path: join(directory, 'p') } },
    stdin: false,
    ...changes,
  };
}

async function open(changes: SpecChanges = {}): Promise<HostContainer> {
  const mounts = [
    { type: 'bind', source: directory, destination: '/host' },
    { type: 'tmpfs', destination: '/tmp' },
    ...(changes.mounts ?? []),
  ] as const;
  const container = await host.open(guestSpec([], { ...changes, mounts }), {});
  opened.push(container);
  expect(await run(container, ['cp', '/host/p', '/p'])).toMatchObject({ err: '', exitCode: 0 });
  return container;
}

async function outcome(guest: GuestProcess) {
  const [out, err, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.wait()]);
  return { out, err, ...exit };
}

async function run(container: HostContainer, args: readonly string[], changes: Partial<ProcessSpec> = {}) {
  return outcome(await container.start(program(args, changes)));
}

/** What it wrote up to that; it is read on from there. */
async function until({ stdout }: GuestProcess, wanted: string): Promise<string> {
  const reader = stdout.getReader();
  let shown = '';
  while (!shown.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended after ${JSON.stringify(shown)}`);
    shown += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return shown;
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`).join('');

describe.skipIf(!hasCompiler())('a program that starts another one', () => {
  it('gives it arguments, environment, directory, user and mask, and learns how it ended', async () => {
    const container = await open();
    await run(container, ['cp', '/p', '/tmp/here']);
    const user = { uid: 1000, gid: 100, additionalGids: [] };
    expect(await run(container, ['run', 'who', 'an argument'], { user })).toMatchObject({
      out: 'uid 1000 gid 100 pid 4 ppid 3 umask 27 args 3 [an argument] KIND=child here=yes\n',
      err: '',
      exitCode: 0,
    });
    expect(await run(container, ['raw'])).toMatchObject({ err: '', exitCode: 0 });
    expect(await run(container, ['run', 'exit', '42'])).toMatchObject({ exitCode: 42 });
    expect(await run(container, ['run', 'run', 'run', 'exit', '7'])).toMatchObject({ exitCode: 7 });
    expect(await run(container, ['run', 'abort'])).toMatchObject({ exitCode: 134 });
    expect(await run(container, ['wait-any'])).toMatchObject({ out: 'sum 6 seen 7 then 12\n' });
    expect(await run(container, ['no-hang'])).toMatchObject({ err: '', exitCode: 0 });
    expect(await run(container, ['no-streams'])).toMatchObject({ err: '', exitCode: 0 });
    expect(container.processes).toEqual([]);
  }, 30_000);

  it('shares its standard streams with it', async () => {
    const container = await open();
    const guest = await container.start(program(['run', 'run', 'cat'], { stdin: true }));
    const writer = guest.stdin!.getWriter();
    const sent = lines(50_000);
    void writer.write(new TextEncoder().encode(sent)).then(() => writer.close());
    const { out, exitCode } = await outcome(guest);
    expect([out === sent, exitCode]).toEqual([true, 0]);
  }, 30_000);

  it('shares them with several at once: nothing is lost, and everything is read once', async () => {
    const container = await open();
    const poured = await run(container, ['together', '4', 'fill', '700000']);
    expect([poured.out.length, poured.exitCode]).toEqual([2_800_000, 0]);
    const guest = await container.start(program(['together', '3', 'cat'], { stdin: true }));
    const writer = guest.stdin!.getWriter();
    const sent = lines(100_000);
    void writer.write(new TextEncoder().encode(sent)).then(() => writer.close());
    const { out, exitCode } = await outcome(guest);
    const counted = (text: string) => {
      const counts = new Uint32Array(128);
      for (let i = 0; i < text.length; i++) counts[text.charCodeAt(i)]!++;
      return counts;
    };
    expect([counted(out), exitCode]).toEqual([counted(sent), 0]);
  }, 30_000);

  it('and with it a terminal, whose Ctrl-C ends all of them', async () => {
    const container = await open();
    const size = { height: 24, width: 80 };
    const guest = await container.start(program(['run', 'cat'], { stdin: true, terminal: true, consoleSize: size }));
    const writer = guest.stdin!.getWriter();
    await writer.write(new TextEncoder().encode('typed\r'));
    await until(guest, 'typed\r\ntyped\r\n');
    expect(container.processes.map(({ parentPid }) => parentPid)).toEqual([0, guest.pid]);
    await writer.write(Uint8Array.of(3));
    expect(await guest.wait()).toMatchObject({ exitCode: 130, signal: 'SIGINT' });
    await expect.poll(() => container.processes).toEqual([]);
  }, 30_000);

  it('and lives on when it handles that itself', async () => {
    const container = await open();
    writeFileSync(join(directory, 'leader'), compileGuest('leader'));
    const guest = await container.start(
      program(['loop'], { stdin: true, terminal: true, program: { module: { path: join(directory, 'leader') } } }),
    );
    const writer = guest.stdin!.getWriter();
    let shown = await until(guest, 'looping\r\n');
    await writer.write(Uint8Array.of(3));
    shown += await until(guest, 'child');
    expect(container.processes).toHaveLength(1);
    await writer.write(new TextEncoder().encode('ok\r'));
    expect(await guest.wait()).toMatchObject({ exitCode: 5 });
    expect((shown + (await text(guest.stdout))).split('\r\n')).toEqual([
      'kill 0 signal 10',
      'write -1 signal 13',
      'looping',
      '^Cchild 130 signal 2',
      'ok',
      'read 3',
      '',
    ]);
  }, 30_000);

  it('connects two by a pipe, with all that passes through it', async () => {
    const container = await open();
    expect(await run(container, ['pipeline', 'echo', 'through', '--', 'cat'])).toMatchObject({
      out: 'through\n',
      err: 'first 0\n',
      exitCode: 0,
    });
    const poured = await run(container, ['pipeline', 'fill', '3000000', '--', 'cat']);
    expect([poured.out.length, poured.exitCode]).toEqual([3_000_000, 0]);
    // The end of the reader is the end of the writer.
    expect(await run(container, ['pipeline', 'yes', '--', 'head', '10'])).toMatchObject({
      out: 'y\ny\ny\ny\ny\n',
      err: 'first 77\n',
      exitCode: 0,
    });
    expect(await run(container, ['pipeline', 'exit', '3', '--', 'exit', '4'])).toMatchObject({
      err: 'first 3\n',
      exitCode: 4,
    });
  }, 30_000);

  it('ends it by a signal', async () => {
    const container = await open();
    for (const [signal, status] of [
      [15, 143],
      [9, 137],
      [2, 130],
    ]) {
      expect(await run(container, ['kill', String(signal), 'loop'])).toMatchObject({
        out: `status ${status}, then errno 71\n`,
        err: '',
      });
    }
    // Signals that are ignored end nothing.
    expect(await run(container, ['kill', '17', 'echo', 'x'])).toMatchObject({ out: 'status 0, then errno 71\n' });
    expect(await run(container, ['raise', '15'])).toMatchObject({ out: '', exitCode: 143 });
    expect(await run(container, ['raise', '17'])).toMatchObject({ out: 'still here\n', exitCode: 0 });
  }, 30_000);

  it('cannot end the first program of the container by a signal that one does not handle', async () => {
    const container = await host.open(guestSpec([], {}), {});
    opened.push(container);
    const first = await container.start(program(['sleep', '1000']));
    expect(first.pid).toBe(1);
    for (const signal of ['9', '15']) expect((await run(container, ['send', '1', signal])).exitCode).toBe(0);
    expect(await run(container, ['send', '1', '19'])).toMatchObject({ exitCode: 58 });
    expect(container.processes.map(({ pid }) => pid)).toEqual([1]);
    first.signal('SIGTERM');
    expect(await first.wait()).toMatchObject({ exitCode: 143 });
  }, 30_000);

  it("cannot reach another user's, unless it is root", async () => {
    const container = await open();
    const guest = await container.start(program(['sleep', '1000']));
    const user = { uid: 1000, gid: 100, additionalGids: [] };
    expect(await run(container, ['send', String(guest.pid), '9'], { user })).toMatchObject({ exitCode: 63 });
    expect(await run(container, ['send', String(guest.pid), '9'])).toMatchObject({ exitCode: 0 });
    expect(await guest.wait()).toMatchObject({ exitCode: 137 });
  }, 30_000);

  it('may end before it: nobody waits for that one then', async () => {
    const container = await open();
    expect(await run(container, ['orphan', 'say-later', 'too late'])).toMatchObject({ out: '', exitCode: 0 });
    expect(container.processes.map(({ parentPid }) => parentPid)).toEqual([0]);
    // It writes to nobody, and hears so.
    await expect(container.processes[0]!.wait()).resolves.toMatchObject({ exitCode: 78 });
    expect(container.processes).toEqual([]);
  }, 30_000);

  it('is told what it asked wrongly', async () => {
    const container = await open();
    const { out, err } = await run(container, ['bad']);
    expect(err).toBe('');
    // FAULT 21, INVAL 28, 2BIG 1, BADF 8, SRCH 71; then NOENT 44, ACCES 2, NOEXEC 45, NOTDIR 54, CHILD 12.
    expect(out).toBe('21 21 21 21 21 21 28 1 28 8 21 28 21 28 71\n44 2 45 44 54 12\n');
  }, 30_000);

  it('runs what the file holds, not what it held when it was compiled', async () => {
    const container = await open();
    await run(container, ['cp', '/p', '/tmp/program']);
    expect(await run(container, ['run', '/tmp/program', 'exit', '3'])).toMatchObject({ exitCode: 3 });
    expect(await run(container, ['swap'])).toMatchObject({ out: '3 45\n' });
  }, 30_000);

  it('has modes, owners and copies of descriptors, mounts of the host included', async () => {
    const container = await open({ resources: { memoryBytes: 256 * 1024 * 1024 } });
    writeFileSync(join(directory, 'file'), '', { mode: 0o644 });
    expect(await run(container, ['run', 'chmod', '600', 'host/file'])).toMatchObject({ exitCode: 0 });
    expect(statSync(join(directory, 'file')).mode & 0o777).toBe(0o600);
    const { uid } = statSync(join(directory, 'file'));
    expect(await run(container, ['chown', String(uid + 1), 'host/file'])).toMatchObject({ exitCode: 63 });
    expect(await run(container, ['chmod', '4711', 'p'])).toMatchObject({ exitCode: 0 });
    expect(await run(container, ['chown', '5', 'p'])).toMatchObject({ exitCode: 0 });
    expect(await run(container, ['stat', 'p'])).toMatchObject({ out: '100711 5\n' });
    expect(await run(container, ['dup'])).toMatchObject({ out: 'copied\n', exitCode: 0 });
  }, 30_000);

  it('can do so again and again, also where memory is limited', async () => {
    const container = await open({ resources: { memoryBytes: 64 * 1024 * 1024 } });
    const { out, exitCode } = await run(container, ['many', '200']);
    expect([exitCode, /^p50 [\d.]+ p90 [\d.]+\n$/.test(out)]).toEqual([0, true]);
    expect(container.processes).toEqual([]);
  }, 30_000);

  it('ends with the container', async () => {
    const container = await open();
    const guest = await container.start(program(['run', 'run', 'run', 'loop']));
    await guest.stdout.getReader().read();
    expect(container.processes).toHaveLength(4);
    await container.close();
    expect(container.processes).toEqual([]);
    expect(await guest.wait()).toMatchObject({ exitCode: 137 });
  }, 30_000);

  it('does not write a plain program a pipe that nobody reads', async () => {
    const container = await open({ mounts: [{ type: 'bind', source: guestPath('busybox'), destination: '/busybox' }] });
    expect(await run(container, ['pipeline', '/busybox', 'flood', '1000000', '--', 'head', '1'])).toMatchObject({
      err: 'first 141\n',
      exitCode: 0,
    });
    // Nor on a standard stream whose reader has gone.
    const guest = await container.start(program(['orphan', '/busybox', 'flood', '1e15']));
    await guest.wait();
    await expect(container.processes[0]!.wait()).resolves.toMatchObject({ exitCode: 141 });
  }, 30_000);
});

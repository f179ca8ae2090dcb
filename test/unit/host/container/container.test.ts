import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { GuestProcess, HostContainer, ProcessSpec } from '../../../../src/host/container/container.ts';
import { createContainerHost } from '../../../../src/host/node/container-host.ts';
import { guestPath } from '../../../support/guests.ts';
import { removeTree } from '../../../support/remove-tree.ts';
import { guestSpec, type SpecChanges, text } from '../../../support/sandbox-suite.ts';

const host = createContainerHost();
const opened: HostContainer[] = [];

async function open(changes: SpecChanges = {}): Promise<HostContainer> {
  const container = await host.open(guestSpec([], changes), {});
  opened.push(container);
  return container;
}

function program(args: readonly string[], changes: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    args: ['busybox', ...args],
    env: ['PATH=/bin'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: false,
    program: { module: { path: guestPath('busybox') } },
    stdin: false,
    ...changes,
  };
}

async function outcome(guest: GuestProcess) {
  const [out, err, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.wait()]);
  return { out, err, ...exit };
}

async function run(container: HostContainer, args: readonly string[], changes: Partial<ProcessSpec> = {}) {
  return outcome(await container.start(program(args, changes)));
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.close()));
});

describe('a container of several processes', () => {
  it('runs one and tells its end', async () => {
    const container = await open();
    const guest = await container.start(program(['hello']));
    expect(guest.pid).toBe(1);
    expect(await outcome(guest)).toMatchObject({ out: 'Hello from the guest\n', err: '', exitCode: 0 });
    expect(container.processes).toEqual([]);
    expect(await run(container, ['exit', '3'])).toMatchObject({ exitCode: 3 });
    expect(await run(container, ['trap'])).toMatchObject({ exitCode: 134 });
  });

  it('feeds standard input, with back-pressure both ways', async () => {
    const container = await open();
    const guest = await container.start(program(['cat'], { stdin: true }));
    const sent = new Uint8Array(1_000_000).map((_, i) => i % 251);
    const writer = guest.stdin!.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    const received = new Uint8Array(await new Response(guest.stdout).arrayBuffer());
    await writing;
    expect(Buffer.compare(received, sent)).toBe(0);
    expect(await guest.wait()).toMatchObject({ exitCode: 0 });
  });

  it('shows a second process what the first one wrote, and back', async () => {
    const container = await open();
    const first = await container.start(program(['cat'], { stdin: true }));
    expect(await run(container, ['write', '/etc/motd', 'written by the second'])).toMatchObject({ exitCode: 0 });
    expect(await run(container, ['read', '/etc/motd'])).toMatchObject({ out: 'written by the second' });
    await first.stdin!.close();
    expect(await outcome(first)).toMatchObject({ exitCode: 0 });
  });

  it('kills a process that never ends; its neighbour goes on', async () => {
    const container = await open();
    const neighbour = await container.start(program(['cat'], { stdin: true }));
    const busy = await container.start(program(['loop']));
    const { value } = await busy.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe('looping\n');
    busy.signal('SIGKILL');
    expect(await busy.wait()).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
    const writer = neighbour.stdin!.getWriter();
    await writer.write(new TextEncoder().encode('still here'));
    await writer.close();
    expect(await outcome(neighbour)).toMatchObject({ out: 'still here', exitCode: 0 });
  });

  it('shares a directory of the host between its processes', async () => {
    const source = mkdtempSync(join(tmpdir(), 'wctr-container-'));
    try {
      writeFileSync(join(source, 'given'), 'from the host');
      const container = await open({ mounts: [{ type: 'bind', source, destination: '/data' }] });
      const reader = await container.start(program(['cat'], { stdin: true, cwd: '/data' }));
      for (let i = 0; i < 3; i++) {
        expect(await run(container, ['read', '/data/given'])).toMatchObject({ out: 'from the host' });
        expect(await run(container, ['mkdir', `/data/dir${i}`])).toMatchObject({ exitCode: 0, err: '' });
        expect(await run(container, ['write', `/data/dir${i}/file`, `number ${i}`])).toMatchObject({ exitCode: 0 });
      }
      expect(readFileSync(join(source, 'dir2', 'file'), 'utf8')).toBe('number 2');
      expect(await run(container, ['ls', '/data'])).toMatchObject({ exitCode: 0, err: '' });
      const looping = await container.start(program(['loop'], { cwd: '/data/dir1' }));
      await looping.stdout.getReader().read();
      looping.signal('KILL');
      await looping.wait();
      expect(await run(container, ['read', '/data/dir1/file'])).toMatchObject({ out: 'number 1' });
      await reader.stdin!.close();
      expect(await reader.wait()).toMatchObject({ exitCode: 0 });
    } finally {
      rmSync(source, { recursive: true });
    }
  });

  it.skipIf(process.platform !== 'linux')('keeps no descriptor of the journal for guests that are gone', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wctr-journal-'));
    const path = join(directory, 'upper.journal');
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      }).length;
    try {
      const container = await host.open(guestSpec([]), { journal: { path } });
      for (const name of ['/a', '/b', '/c']) {
        expect(await run(container, ['keep', name, 'x'])).toMatchObject({ exitCode: 0, err: '' });
      }
      expect(open()).toBe(1);
      await container.close();
      expect(open()).toBe(0);
    } finally {
      removeTree(directory);
    }
  });

  it('writes the journal anew when a guest that goes on has made it long', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wctr-journal-'));
    const path = join(directory, 'upper.journal');
    try {
      const container = await createContainerHost({ compactEveryMs: 50 }).open(guestSpec([]), { journal: { path } });
      // 2 MiB each time.
      const guest = await container.start(program(['rewrite', '/file', '12']));
      await guest.stdout.getReader().read();
      const deadline = Date.now() + 10_000;
      while (statSync(path).size > 16 << 20 && Date.now() < deadline) await new Promise((go) => setTimeout(go, 20));
      expect(statSync(path).size).toBeLessThan(16 << 20);
      expect(await run(container, ['keep', '/other', 'written after it'])).toMatchObject({ exitCode: 0 });
      const kept = join(directory, 'as-after-a-kill');
      copyFileSync(path, kept);
      await container.close();
      const again = await host.open(guestSpec([]), { journal: { path: kept } });
      opened.push(again);
      expect((await run(again, ['read', '/file'])).out).toBe('l'.repeat(2 << 20));
      expect(await run(again, ['read', '/other'])).toMatchObject({ out: 'written after it' });
    } finally {
      removeTree(directory);
    }
  });

  it('finds again what the last one wrote, when it has a journal', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wctr-journal-'));
    try {
      const journal = { path: join(directory, 'upper.journal') };
      const first = await host.open(guestSpec([]), { journal });
      await run(first, ['mkdir', '/kept']);
      await run(first, ['write', '/kept/file', 'kept over the end']);
      expect(first.usage().storageBytes).toBeGreaterThan(0);
      await first.close();
      const second = await host.open(guestSpec([]), { journal });
      opened.push(second);
      expect(await run(second, ['read', '/kept/file'])).toMatchObject({ out: 'kept over the end' });
      await run(second, ['rm', '/kept/file']);
      await second.sync();
      const third = await host.open(guestSpec([]), { journal: { path: journal.path } });
      opened.push(third);
      expect(await run(third, ['ls', '/kept'])).toMatchObject({ out: '.\n..\n', exitCode: 0 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('gives a process a terminal', async () => {
    const container = await open();
    const guest = await container.start(program(['cat'], { terminal: true, stdin: true }));
    expect(guest.stderr).toBeUndefined();
    const writer = guest.stdin!.getWriter();
    await writer.write(new TextEncoder().encode('helo\x7flo\r'));
    await writer.write(new TextEncoder().encode('\x04'));
    expect(await outcome(guest)).toMatchObject({ out: 'helo\b \blo\r\nhello\r\n', exitCode: 0 });
    const sized = program(['env'], { terminal: true, consoleSize: { height: 24, width: 80 } });
    const env = await outcome(await container.start(sized));
    expect(env.out).toBe('PATH=/bin\r\nCOLUMNS=80\r\nLINES=24\r\n');
    const looping = await container.start(program(['loop'], { terminal: true, stdin: true }));
    await looping.stdin!.getWriter().write(Uint8Array.of(3));
    expect(await outcome(looping)).toMatchObject({ exitCode: 130, signal: 'SIGINT' });
  });

  it('lets a program handle its signals, when it can', async () => {
    const container = await open();
    const handling = { program: { module: { path: guestPath('signals') } } };
    const guest = await container.start(program([], handling));
    const reader = guest.stdout.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe('waiting\n');
    for (const [name, number] of [
      ['SIGTERM', 15],
      ['HUP', 1],
      ['28', 28],
    ] as const) {
      guest.signal(name);
      expect(await next()).toBe(`signal ${number}\n`);
    }
    expect(await guest.wait()).toMatchObject({ exitCode: 3 });
    const blocked = await container.start(program(['read'], { ...handling, stdin: true }));
    const output = blocked.stdout.getReader();
    expect(new TextDecoder().decode((await output.read()).value)).toBe('waiting\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    blocked.signal('SIGINT');
    expect(new TextDecoder().decode((await output.read()).value)).toContain('signal 2\n');
    expect(await blocked.wait()).toMatchObject({ exitCode: 0 });
  });

  it('tells a program on a terminal that its size changed', async () => {
    const container = await open();
    const onTerminal = { program: { module: { path: guestPath('signals') } }, terminal: true, stdin: true };
    const guest = await container.start(program(['read'], onTerminal));
    const reader = guest.stdout.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe('waiting\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    guest.resize({ height: 50, width: 132 });
    expect(await next()).toContain('signal 28\r\n');
    expect(await guest.wait()).toMatchObject({ exitCode: 0 });
    // To one that does not listen it means nothing.
    const deaf = await container.start(program(['cat'], { terminal: true, stdin: true }));
    deaf.resize({ height: 50, width: 132 });
    deaf.signal('SIGKILL');
    expect(await deaf.wait()).toMatchObject({ exitCode: 137 });
  });

  describe('limits', () => {
    const MIB = 1024 * 1024;
    /** A program that takes more memory when told, a step at a time. */
    async function swelling(container: HostContainer, mib: number) {
      const guest = await container.start(program(['swell', String(mib)], { stdin: true }));
      const reader = guest.stdout.getReader();
      const writer = guest.stdin!.getWriter();
      const next = async () => new TextDecoder().decode((await reader.read()).value);
      expect(await next()).toBe('ready\n');
      const grow = async () => {
        await writer.write(Uint8Array.of(1));
        return next();
      };
      return { guest, grow, end: () => writer.close() };
    }

    it('of memory are for all processes: one that comes later has what is left', async () => {
      const container = await open({ resources: { memoryBytes: 64 * MIB } });
      const first = await swelling(container, 40);
      expect(await first.grow()).toBe('grew\n');
      const second = await swelling(container, 20);
      expect(container.usage().memoryBytes).toBeGreaterThan(40 * MIB);
      expect(await second.grow()).toBe('grew\n');
      expect(await second.grow()).toBe('full\n');
      // The next call of the guest shows what it has.
      expect(container.usage().memoryBytes).toBeGreaterThan(60 * MIB);
      expect(container.usage().memoryBytes).toBeLessThanOrEqual(64 * MIB);
      const none = await run(container, ['grow', 'abort']);
      expect(none).toMatchObject({ exitCode: 137, oomKilled: true });
      await second.end();
      await second.guest.wait();
      const third = await swelling(container, 20);
      expect(await third.grow()).toBe('grew\n');
      await first.end();
      await third.end();
    });

    it('of memory end the largest when all of them grow', async () => {
      const container = await open({ resources: { memoryBytes: 64 * MIB } });
      const [large, small] = [await swelling(container, 30), await swelling(container, 20)];
      expect(await large.grow()).toBe('grew\n');
      expect(await small.grow()).toBe('grew\n');
      expect(await large.grow()).toBe('grew\n');
      expect(await large.guest.wait()).toEqual({
        exitCode: 137,
        signal: 'SIGKILL',
        oomKilled: true,
        reason: 'out of memory: the container held more than 64 MiB',
      });
      expect(await small.grow()).toMatch(/grew|full/);
      await small.end();
      expect(await small.guest.wait()).toMatchObject({ exitCode: 0 });
    });

    it('change while it runs', async () => {
      const container = await open({ resources: { memoryBytes: 64 * MIB, cpus: 1, pids: 1 } });
      const one = await swelling(container, 40);
      await expect(container.start(program(['hello']))).rejects.toMatchObject({ code: 'limit-exceeded' });
      expect(container.update({ pids: 5000 })).toEqual([]);
      expect(await run(container, ['hello'])).toMatchObject({ exitCode: 0 });
      expect(container.update({ memoryBytes: 128 * MIB })).toEqual(['memoryBytes']);
      expect(await one.grow()).toBe('grew\n');
      const two = await swelling(container, 70);
      expect(await two.grow()).toBe('grew\n');
      expect(container.update({ memoryBytes: 90 * MIB })).toEqual([]);
      expect(await two.guest.wait()).toMatchObject({ exitCode: 137, oomKilled: true });
      await one.end();
      expect(await one.guest.wait()).toMatchObject({ exitCode: 0 });
    });

    it.skipIf(process.platform !== 'linux')('of CPUs count from the moment they are told', async () => {
      const container = await open({ resources: { cpus: 1 } });
      const busy = await container.start(program(['loop']));
      await busy.stdout.getReader().read();
      const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      const used = async () => {
        const before = busy.cpuMs();
        const start = performance.now();
        await pause(1000);
        return (busy.cpuMs() - before) / (performance.now() - start);
      };
      expect(container.update({ cpus: 0.1 })).toEqual([]);
      await pause(300);
      expect(await used()).toBeLessThan(0.25);
      expect(container.update({ cpus: 0.02 })).toEqual([]);
      await pause(300);
      expect(await used()).toBeLessThan(0.1);
      busy.signal('SIGKILL');
      await busy.wait();
      const free = await open();
      const running = await swelling(free, 1);
      expect(free.update({ cpus: 0.5 })).toEqual(['cpus']);
      await running.end();
    });
  });

  it('refuses a program that is not there, as docker does', async () => {
    const container = await open();
    const missing = program([], { args: ['/bin/nothing'], program: { path: '/bin/nothing' } });
    await expect(container.start(missing)).rejects.toMatchObject({ code: 'entrypoint-not-found' });
    expect(container.processes).toEqual([]);
    expect(await run(container, ['hello'])).toMatchObject({ exitCode: 0 });
  });
});

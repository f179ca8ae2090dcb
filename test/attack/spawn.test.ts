/** THREATS.md, "Guest makes the host allocate" and "Killed workers leak": programs that start programs without end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isWctrError } from '../../src/errors.ts';
import type { GuestProcess, HostContainer, ProcessSpec } from '../../src/host/container/container.ts';
import type { FilesAccess } from '../../src/host/container/files-access.ts';
import { createContainerHost } from '../../src/host/node/container-host.ts';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { guestSpec, type SpecChanges, text } from '../support/sandbox-suite.ts';

let access: FilesAccess | undefined;
const host = createContainerHost({
  files: (given) => {
    access = given;
    return {} as HostContainer['files'];
  },
});
const opened: HostContainer[] = [];
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wctr-bomb-'));
  if (hasCompiler()) writeFileSync(join(directory, 'p'), compileGuest('posix'));
});

afterAll(() => rmSync(directory, { recursive: true }));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.close()));
});

function program(args: readonly string[], changes: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    args: ['p', ...args],
    env: [],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: false,
    program: { module: { path: join(directory, 'p') } },
    stdin: false,
    ...changes,
  };
}

async function open(resources: SpecChanges['resources'] = {}) {
  const mounts = [
    { type: 'bind', source: directory, destination: '/host' },
    { type: 'tmpfs', destination: '/tmp' },
  ] as const;
  const container = await host.open(guestSpec([], { resources, mounts }), {});
  opened.push(container);
  expect(container.files).toBeDefined();
  expect(await run(container, ['cp', '/host/p', '/p'])).toMatchObject({ exitCode: 0 });
  return { container, kernel: access! };
}

async function outcome(guest: GuestProcess) {
  const [out, err, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.wait()]);
  return { out, err, ...exit };
}

async function run(container: HostContainer, args: readonly string[]) {
  return outcome(await container.start(program(args)));
}

/** It may be ending already. */
function kill(guest: GuestProcess | undefined): void {
  try {
    guest?.signal('SIGKILL');
  } catch (error) {
    if (!isWctrError(error, 'conflict')) throw error;
  }
}

/** Programs the kernel knows, zombies included. */
function programsOf({ kernel, memory, createTask, endTask }: FilesAccess): number {
  const task = createTask();
  let count = 0;
  for (let pid = kernel.process_next!(task, 0); pid > 0 && pid < 0x40000000; pid = kernel.process_next!(task, pid)) {
    count++;
  }
  endTask(task);
  expect(memory.buffer.byteLength).toBeGreaterThan(0);
  return count;
}

/** `(memory (export "memory") 1) (func (export "_start") unreachable)` */
function falseModule(): Uint8Array {
  const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 19, 2, 6];
  const names = [...'memory'].map((c) => c.charCodeAt(0));
  const start = [...'_start'].map((c) => c.charCodeAt(0));
  return Uint8Array.from([...code, ...names, 2, 0, 6, ...start, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
}

describe.skipIf(!hasCompiler())('a program that starts others without end', () => {
  it('is stopped by the limit of processes, and so are those; nothing is left', async () => {
    const { container, kernel } = await open({ pids: 12 });
    const bomb = await container.start(program(['bomb']));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, container.processes.length);
    }, 1);
    await expect.poll(() => most, { timeout: 10_000 }).toBe(12);
    bomb.signal('SIGKILL');
    clearInterval(watch);
    // Those it started go on among themselves: what their container ends with ends them.
    for (let round = 0; round < 200 && container.processes.length > 0; round++) {
      for (const guest of container.processes) kill(guest);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(most).toBe(12);
    expect(container.processes).toEqual([]);
    expect(programsOf(kernel)).toBe(0);
    expect(kernel.kernel.kernel_check!()).toBe(0);
    expect(await run(container, ['run', 'exit', '5'])).toMatchObject({ exitCode: 5 });
  }, 60_000);

  it('is refused more than the limit says, and told so; a limit that is lowered counts at once', async () => {
    const { container, kernel } = await open({ pids: 8 });
    const hoard = await container.start(program(['hoard']));
    const { value } = await hoard.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe('7 errno 6\n');
    await container.close();
    expect(container.processes).toEqual([]);
    const second = await open({ pids: 8 });
    second.container.update({ pids: 3 });
    const small = await second.container.start(program(['hoard']));
    expect(new TextDecoder().decode((await small.stdout.getReader().read()).value)).toBe('2 errno 6\n');
    expect(kernel).not.toBe(second.kernel);
  }, 60_000);

  it('cannot leave its dead behind either: they count until they are waited for', async () => {
    const { container, kernel } = await open({ pids: 6 });
    expect(await run(container, ['zombies'])).toMatchObject({ out: '5 errno 6\n', err: '', exitCode: 0 });
    await expect.poll(() => programsOf(kernel)).toBe(0);
  }, 30_000);

  it('leaves nothing when it is killed while it starts them', async () => {
    const { container, kernel } = await open({ pids: 40 });
    for (let round = 0; round < 20; round++) {
      const guest = await container.start(program(['many', '100000']));
      await new Promise((resolve) => setTimeout(resolve, (round * 13) % 37));
      guest.signal('SIGKILL');
      expect(await guest.wait()).toMatchObject({ exitCode: 137 });
      await expect.poll(() => container.processes.length, { timeout: 5000 }).toBe(0);
      expect([programsOf(kernel), kernel.kernel.kernel_check!()]).toEqual([0, 0]);
    }
  }, 60_000);

  it('leaves nothing when it is killed while it waits, and its child goes on', async () => {
    const { container, kernel } = await open();
    const guest = await container.start(program(['run', 'loop']));
    await guest.stdout.getReader().read();
    guest.signal('SIGKILL');
    await guest.wait();
    const [child] = container.processes;
    expect(child?.parentPid).toBe(0);
    child!.signal('SIGKILL');
    expect(await child!.wait()).toMatchObject({ exitCode: 137 });
    expect(programsOf(kernel)).toBe(0);
  }, 30_000);

  it('fills pipes that nobody reads until it is ended', async () => {
    const { container, kernel } = await open();
    const guest = await container.start(program(['pipeline', 'yes', '--', 'sleep', '1000']));
    await expect.poll(() => container.processes.length, { timeout: 5000 }).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const one of container.processes) if (one !== guest) one.signal('SIGKILL');
    expect(await outcome(guest)).toMatchObject({ err: 'first 137\n', exitCode: 137 });
    expect([programsOf(kernel), kernel.kernel.kernel_check!()]).toEqual([0, 0]);
  }, 30_000);

  it('leaves nothing when any of a pipeline is killed at any moment', async () => {
    const { container, kernel } = await open({ pids: 60 });
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 10; round++) {
      const guests = await Promise.all(
        ['yes', 'cat'].map((first) =>
          container.start(program(['pipeline', 'pipeline', first, '--', 'cat', '--', 'sleep', '1'])),
        ),
      );
      const ends = guests.map((guest) => outcome(guest));
      for (let kills = 0; kills < 4; kills++) {
        await new Promise((resolve) => setTimeout(resolve, random(12)));
        const { processes } = container;
        kill(processes[random(Math.max(1, processes.length))]);
      }
      for (const guest of guests) kill(guest);
      await Promise.all(ends);
      while (container.processes.length > 0) {
        for (const guest of container.processes) kill(guest);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect([programsOf(kernel), kernel.kernel.kernel_check!()]).toEqual([0, 0]);
    }
    expect(await run(container, ['pipeline', 'echo', 'works', '--', 'cat'])).toMatchObject({ out: 'works\n' });
  }, 60_000);

  it('cannot have another program taken for the one whose name it swaps', async () => {
    writeFileSync(join(directory, 'false'), falseModule());
    const { container } = await open();
    expect(await run(container, ['cp', '/host/false', '/tmp/false'])).toMatchObject({ exitCode: 0 });
    expect(await run(container, ['swapped', '60', '/tmp/false'])).toMatchObject({
      err: '',
      out: 'both\n',
      exitCode: 0,
    });
  }, 60_000);

  it('does not cost its neighbour more than the turn', async () => {
    const { container } = await open({ pids: 20 });
    const neighbour = await container.start(program(['cat'], { stdin: true }));
    const writer = neighbour.stdin!.getWriter();
    const reader = neighbour.stdout.getReader();
    const many = await container.start(program(['many', '100000']));
    for (let round = 0; round < 20; round++) {
      await writer.write(Uint8Array.of(round));
      expect([...(await reader.read()).value!]).toEqual([round]);
    }
    many.signal('SIGKILL');
    await many.wait();
  }, 30_000);
});

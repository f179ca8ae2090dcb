/** What one process of a container can do to the others: end, at most, by its own limits. */
import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import type { HostContainer, ProcessSpec } from '../../src/host/container/container.ts';
import type { FilesAccess } from '../../src/host/container/files-access.ts';
import { createContainerHost } from '../../src/host/node/container-host.ts';
import { guestPath } from '../support/guests.ts';
import { guestSpec, type SpecChanges, text } from '../support/sandbox-suite.ts';

let access: FilesAccess | undefined;
const host = createContainerHost({
  files: (given) => {
    access = given;
    return {} as HostContainer['files'];
  },
});
const opened: HostContainer[] = [];

async function open(changes: SpecChanges = {}) {
  const container = await host.open(guestSpec([], changes), {});
  opened.push(container);
  expect(container.files).toBeDefined();
  return { container, kernel: access! };
}

function program(args: readonly string[], changes: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    args: ['busybox', ...args],
    env: [],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: false,
    program: { module: { path: guestPath('busybox') } },
    stdin: false,
    ...changes,
  };
}

async function run(container: HostContainer, args: readonly string[]) {
  const guest = await container.start(program(args));
  const [out, err, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.wait()]);
  return { out, err, ...exit };
}

const check = ({ kernel }: FilesAccess) => kernel.kernel_check!();

afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.close()));
});

describe('a process of a container', () => {
  it('can be killed while it works in the kernel, as often as one likes', async () => {
    const { container, kernel } = await open();
    const neighbour = await container.start(program(['cat'], { stdin: true }));
    const writer = neighbour.stdin!.getWriter();
    const reader = neighbour.stdout.getReader();
    await run(container, ['mkdir', '/work']);
    for (let round = 0; round < 10; round++) {
      const doomed = await Promise.all([1, 2].map(() => container.start(program(['churn', '/work']))));
      await Promise.all(doomed.map((guest) => guest.stdout.getReader().read()));
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 11));
      for (const guest of doomed) guest.signal('SIGKILL');
      for (const exit of await Promise.all(doomed.map((guest) => guest.wait()))) expect(exit.exitCode).toBe(137);
      expect(check(kernel)).toBe(0);
      await writer.write(Uint8Array.of(round));
      expect([...(await reader.read()).value!]).toEqual([round]);
    }
    expect(container.processes).toHaveLength(1);
  }, 60_000);

  it('does not stop the kernel for others when its stack runs out in a call', async () => {
    const { container, kernel } = await open();
    for (const dir of ['/', '/etc', '/dev']) {
      const end = await run(container, ['deep', dir]);
      expect(end.exitCode).not.toBe(0);
      expect(end.reason).toMatch(/stack overflow|unreachable|trap/);
      expect(check(kernel)).toBe(0);
      expect(await run(container, ['hello'])).toMatchObject({ exitCode: 0 });
    }
  }, 60_000);

  it('gives its end of a pipe back when it is killed, also while it waits', async () => {
    const { container, kernel } = await open();
    const fifo = new TextEncoder().encode('/fifo');
    const task = kernel.createTask();
    new Uint8Array(kernel.memory.buffer).set(fifo, task + abi.TASK_PATH_A);
    expect(kernel.kernel.mknodat!(task, abi.AT_FDCWD, fifo.length, abi.S_IFIFO | 0o666, 0, 0)).toBe(0);
    kernel.endTask(task);
    // Two processes of one container talk through it.
    const reading = await container.start(program(['read', '/fifo']));
    const pouring = await container.start(program(['pour', '/fifo'], { stdin: true }));
    const poured = pouring.stdin!.getWriter();
    await poured.write(new TextEncoder().encode('through the pipe'));
    const reader = reading.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('through the pipe');
    // The reader waits for more; the writer is killed while it waits, too. That is the end for the reader.
    pouring.signal('SIGKILL');
    expect(await reader.read()).toMatchObject({ done: true });
    expect(await reading.wait()).toMatchObject({ exitCode: 0 });
    expect(check(kernel)).toBe(0);
    // A reader killed while it waits is none any more: the writer is told so.
    const stuck = await container.start(program(['read', '/fifo']));
    const writing = await container.start(program(['pour', '/fifo'], { stdin: true }));
    await writing.stdout.getReader().read();
    stuck.signal('SIGKILL');
    await stuck.wait();
    await writing.stdin!.getWriter().write(new TextEncoder().encode('nobody reads'));
    // SIGPIPE: it knows of no pipes.
    expect(await writing.wait()).toMatchObject({ exitCode: 141, signal: 'SIGPIPE' });
    expect(check(kernel)).toBe(0);
  }, 30_000);

  it('shares the CPU limit with the others', async () => {
    const { container } = await open({ resources: { cpus: 0.4 } });
    const guests = await Promise.all([1, 2].map(() => container.start(program(['loop']))));
    const used = () => guests.reduce((sum, guest) => sum + guest.cpuMs(), 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [before, from] = [used(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const share = (used() - before) / (performance.now() - from);
    if (process.platform === 'linux') expect(share).toBeGreaterThan(0.02);
    // Each by itself would make 0.8.
    expect(share).toBeLessThan(0.6);
  }, 30_000);

  it('ends with all others when one died inside the kernel', async () => {
    let kernel: FilesAccess | undefined;
    const impatient = createContainerHost({
      patienceMs: 200,
      files: (given) => {
        kernel = given;
        return {} as HostContainer['files'];
      },
    });
    const container = await impatient.open(guestSpec([]), {});
    expect(container.files).toBeDefined();
    const guests = [];
    for (let i = 0; i < 2; i++) guests.push(await container.start(program(['loop'])));
    const words = new Int32Array(kernel!.memory.buffer);
    const lock = kernel!.kernel.event_word!() / 4 - 1;
    // As a thread leaves it that is gone in the middle of a call; another may hold it at this moment.
    while (Atomics.compareExchange(words, lock, 0, 1) !== 0);
    guests[0]!.signal('SIGKILL');
    expect(await guests[0]!.wait()).toMatchObject({ exitCode: 137 });
    expect(await guests[1]!.wait()).toMatchObject({ exitCode: 137, errorCode: 'sandbox-failed' });
    await expect(container.start(program(['hello']))).rejects.toMatchObject({ code: 'sandbox-failed' });
    expect(container.usage()).toEqual({ memoryBytes: 0, storageBytes: 0 });
    await container.close();
  }, 30_000);

  it('is refused beyond the limit of processes', async () => {
    const { container } = await open({ resources: { pids: 2 } });
    const guests = [await container.start(program(['cat'], { stdin: true }))];
    guests.push(await container.start(program(['cat'], { stdin: true })));
    await expect(container.start(program(['hello']))).rejects.toMatchObject({ code: 'limit-exceeded' });
    await guests[0]!.stdin!.close();
    await guests[0]!.wait();
    expect(await run(container, ['hello'])).toMatchObject({ exitCode: 0 });
  });
});

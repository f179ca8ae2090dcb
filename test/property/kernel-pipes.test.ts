/** A pipe between two processes on threads of their own: what comes out, who waits for whom, how either's end shows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok } from '../support/guest.ts';
import { startJob } from '../support/kernel-threads.ts';

/** A child with these descriptors of the guest's, by number. */
function spawn(guest: Guest, fds: readonly number[]): number {
  for (const [i, fd] of fds.entries()) guest.view.setInt32(guest.t + abi.TASK_IO + 4 * i, fd, true);
  return guest.call('process_spawn', fds.length);
}

const pidOf = (guest: Guest, task: number) => guest.view.getUint32(guest.view.getUint32(task, true), true);

async function through(poured: number, drained: number, seed: number) {
  const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
  ok(guest.call('pipe', 0));
  const [reader, writer] = [guest.r(0), guest.r(1)];
  const [to, from] = [ok(spawn(guest, [writer])), ok(spawn(guest, [reader]))];
  const pids = [pidOf(guest, to), pidOf(guest, from)];
  guest.close(reader);
  guest.close(writer);
  const jobs = await Promise.all([
    startJob(guest.kernel, { job: 'pour', rounds: poured, seed: seed + 1, task: to, fd: 0 }),
    startJob(guest.kernel, { job: 'drain', rounds: drained, seed: seed + 2, task: from, fd: 0 }),
  ]);
  const [pour, drain] = await Promise.all(jobs.map(({ result }) => result));
  const statuses = new Map<number, number>();
  for (let i = 0; i < 2; i++) statuses.set(ok(guest.call('process_wait', -1, 0)), guest.r(0));
  expect(guest.call('process_wait', -1, 0)).toBe(-abi.ECHILD);
  expect(guest.check()).toBe(0);
  return { pour, drain, statuses: pids.map((pid) => statuses.get(pid)) };
}

describe('a pipe between two threads', () => {
  it('carries every byte once and in order, and ends with its writer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2_000_000 }), fc.nat(1e6), async (bytes, seed) => {
        const { pour, drain, statuses } = await through(bytes, 1e9, seed);
        expect(pour).toMatchObject({ written: bytes });
        expect(drain).toEqual({ read: bytes, wrong: 0, last: 0 });
        expect(statuses).toEqual([0, 0]);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  it('breaks with its reader, who loses nothing of what it asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 500_000 }), fc.nat(1e6), async (bytes, seed) => {
        const { pour, drain, statuses } = await through(1e9, bytes, seed);
        expect(drain).toMatchObject({ read: bytes, wrong: 0 });
        expect(pour!.last).toBe(-abi.EPIPE);
        // What was in the ring when the reader went is lost, no more.
        expect(pour!.written).toBeGreaterThanOrEqual(bytes);
        expect(pour!.written! - bytes).toBeLessThanOrEqual(2 * abi.PIPE_BYTES);
        expect(statuses).toEqual([32, 0]);
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

describe('a child', () => {
  it('gets the descriptors it is to have, and no others', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048, nofile: 2000 });
    const file = guest.open('/file', abi.O_RDWR | abi.O_CREAT);
    guest.write(file, 'seen by both');
    const task = ok(spawn(guest, [file, -1, file, -1, file]));
    const { calls } = guest.kernel;
    expect([0, 1, 2, 3, 4, 5].map((fd) => calls.fstat!(task, fd))).toEqual([0, -9, 0, -9, 0, -9]);
    expect(calls.dup!(task, 0, 0)).toBe(1);
    // One open file for all: the offset is shared.
    expect(calls.lseek!(task, 4, 5, 0, abi.SEEK_SET)).toBe(0);
    expect(guest.read(file, 3)).toEqual(new TextEncoder().encode('by '));
    for (const [fds, errno] of [
      [[file, 77], abi.EBADF],
      [[-2], abi.EBADF],
    ] as const) {
      expect(spawn(guest, fds)).toBe(-errno);
    }
    expect(guest.call('process_spawn', abi.SPAWN_FDS + 1)).toBe(-abi.EINVAL);
    calls.process_exit!(task, 3);
    expect(guest.call('process_wait', -1, 0)).toBeGreaterThan(0);
    expect(guest.r(0)).toBe(3);
    expect(guest.check()).toBe(0);
  });

  it('counts against the limit until it was waited for; the host has processes beside it', async () => {
    const guest = await bootGuest({ pidQuota: 100 });
    const { calls } = guest.kernel;
    calls.process_limit!(3);
    const [one, two] = [ok(guest.call('process_spawn', 0)), ok(guest.call('process_spawn', 0))];
    expect(guest.call('process_spawn', 0)).toBe(-abi.EAGAIN);
    calls.process_exit!(one, 0);
    expect(guest.call('process_spawn', 0)).toBe(-abi.EAGAIN);
    const own = ok(calls.process_create!(0, 0, 0, abi.PROCESS_HOST));
    expect(pidOf(guest, own)).toBe(abi.PROCESS_HOST_PIDS);
    expect(pidOf(guest, ok(calls.process_create!(0, 0, 0, abi.PROCESS_HOST)))).toBe(abi.PROCESS_HOST_PIDS + 1);
    expect(guest.call('process_wait', -1, 0)).toBeGreaterThan(0);
    const three = ok(guest.call('process_spawn', 0));
    // The host's own take no number of theirs.
    expect(pidOf(guest, three)).toBe(pidOf(guest, two) + 1);
    calls.process_limit!(0);
    ok(guest.call('process_spawn', 0));
  });
});

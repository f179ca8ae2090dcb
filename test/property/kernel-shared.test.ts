import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { bootGuest, Guest, ok } from '../support/guest.ts';
import { startJob } from '../support/kernel-threads.ts';
import { bootKept, MemoryJournal, treeOf } from '../support/upper.ts';

describe('two threads over one kernel', () => {
  it('create, write, rename and remove the same names without breaking an invariant', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.mkdir('/shared');
    const jobs = await Promise.all(
      [1, 7].map((seed) => startJob(guest.kernel, { job: 'hammer', rounds: 40_000, seed })),
    );
    const results = await Promise.all(jobs.map(({ result }) => result));
    for (const { worked } of results) expect(worked).toBeGreaterThan(5_000);
    expect(guest.check()).toBe(0);
    // Each file holds runs of one thread's byte: nobody wrote into another's pages.
    for (const name of guest.list('/shared') as string[]) {
      if (name.endsWith('-dir')) expect(ok(guest.rmdir(`/shared/${name}`))).toBe(0);
      else expect(ok(guest.unlink(`/shared/${name}`))).toBe(0);
    }
    expect(guest.kernel.calls.kernel_data_bytes!()).toBe(0);
    expect(guest.check()).toBe(0);
  });

  it('pass records through a pipe, blocking, none torn', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    expect(guest.call('pipe', 0)).toBe(0);
    const [reader, writer] = [guest.r(0), guest.r(1)];
    const rounds = 30_000;
    const jobs = await Promise.all(
      [0, 100].map(async (seed) => {
        const child = ok(guest.call('process_fork'));
        const running = await startJob(guest.kernel, { job: 'write', rounds, seed, task: child, fd: writer });
        return { child, running };
      }),
    );
    guest.close(writer);
    let bytes = 0;
    for (;;) {
      const part = guest.read(reader, 64 * 100);
      if (typeof part === 'number') throw new Error(`read: ${part}`);
      if (part.length === 0) break;
      expect(part.length % 64).toBe(0);
      for (let at = 0; at < part.length; at += 64) {
        if (part[at] === 0 || part.subarray(at, at + 64).some((byte) => byte !== part[at]))
          throw new Error('torn record');
      }
      bytes += part.length;
      // The children's copies of the write end go with them; the last one ends the stream.
      if (bytes === 2 * rounds * 64) for (const { child } of jobs) guest.kernel.calls.process_exit!(child, 0);
    }
    expect(bytes).toBe(2 * rounds * 64);
    await Promise.all(jobs.map(({ running }) => running.result));
    expect(guest.check()).toBe(0);
  });

  it('wakes a blocked read with a signal', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.call('pipe', 0);
    const child = new Guest(guest.kernel, ok(guest.call('process_fork')));
    const pid = guest.view.getUint32(guest.view.getUint32(child.t, true), true);
    const { result } = await startJob(guest.kernel, { job: 'block', task: child.t, fd: guest.r(0) });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(guest.kernel.calls.process_kill!(pid, 15)).toBe(0);
    expect(await result).toEqual({ result: -abi.EINTR });
    expect(guest.kernel.calls.signals_take!(child.t)).toBe(1 << 14);
  });

  it('survive a thread killed while it works, frozen outside the kernel first', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.mkdir('/shared');
    for (let seed = 1; seed <= 4; seed++) {
      const child = ok(guest.call('process_fork'));
      const { worker } = await startJob(guest.kernel, { job: 'hammer', rounds: 1e9, seed, task: child });
      await new Promise<void>((resolve) => worker.once('online', resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
      guest.kernel.calls.kernel_freeze!();
      await worker.terminate();
      guest.kernel.calls.kernel_thaw!();
      expect(guest.kernel.calls.process_exit!(child, 137)).toBe(0);
      expect(guest.call('process_wait', -1, abi.WNOHANG)).toBeGreaterThan(0);
      expect(guest.check()).toBe(0);
    }
    expect((guest.list('/shared') as string[]).length).toBeGreaterThan(0);
  });

  it('journal what they do while another thread syncs', async () => {
    const store = new MemoryJournal();
    const config = { flags: abi.CONFIG_SHARED, maxPages: 2048 };
    const { guest, journal } = await bootKept(store, config, []);
    guest.mkdir('/shared');
    const jobs = await Promise.all(
      [3, 5].map((seed) => startJob(guest.kernel, { job: 'hammer', rounds: 20_000, seed })),
    );
    let running = true;
    const results = Promise.all(jobs.map(({ result }) => result)).finally(() => {
      running = false;
    });
    let syncs = 0;
    while (running) {
      expect(journal.trySync(guest.t)).toBe(0);
      if (++syncs % 10 === 0) journal.compact(guest.t, true);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await results;
    expect(guest.check()).toBe(0);
    journal.sync(guest.t);
    const again = await bootKept(store, { maxPages: 2048 }, []);
    expect(treeOf(again.guest)).toEqual(treeOf(guest));
    expect(again.guest.check()).toBe(0);
  });

  it('leave no end of a pipe open when one is ended while it waits', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.call('pipe', 0);
    const [reader, writer] = [guest.r(0), guest.r(1)];
    const child = ok(guest.call('process_fork'));
    const { worker } = await startJob(guest.kernel, { job: 'block', task: child, fd: reader });
    worker.removeAllListeners('error');
    await new Promise((resolve) => setTimeout(resolve, 300));
    guest.close(reader);
    guest.kernel.calls.kernel_freeze!();
    await worker.terminate();
    guest.kernel.calls.process_exit!(child, 0);
    guest.kernel.calls.kernel_thaw!();
    expect(guest.write(writer, 'x')).toBe(-abi.EPIPE);
    expect(guest.check()).toBe(0);
  });
});

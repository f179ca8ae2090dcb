import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { bootGuest, ok } from '../support/guest.ts';
import { startJob } from '../support/kernel-threads.ts';

describe('links swapped while paths are walked', () => {
  it('never leads outside of the directory the walk was confined to', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.mkdir('/outside');
    guest.writeFile('/outside/secret', 'secret');
    guest.mkdir('/jail');
    guest.mkdir('/jail/door');
    guest.writeFile('/jail/door/secret', 'inside!');
    guest.symlink('../outside', '/jail/link-aside');
    const jail = ok(guest.open('/jail', abi.O_DIRECTORY));
    const done = new SharedArrayBuffer(4);
    const { result } = await startJob(guest.kernel, { job: 'swap', done });
    const counts = { inside: 0, refused: 0, missing: 0 };
    const length = guest.path('door/secret');
    const { openat, close, fstat } = guest.kernel.calls;
    const view = guest.view;
    const size = guest.t + abi.TASK_STAT + abi.STAT_SIZE;
    const deadline = Date.now() + 12_000;
    let opens = 0;
    for (; opens < 1_000_000 && (opens % 1000 !== 0 || Date.now() < deadline); opens++) {
      const fd = openat!(guest.t, jail, length, abi.O_RDONLY, 0, abi.WALK_BENEATH);
      if (fd >= 0) {
        fstat!(guest.t, fd);
        if (view.getUint32(size, true) !== 7) throw new Error('escaped');
        close!(guest.t, fd);
        counts.inside++;
      } else if (fd === -abi.ENOTCAPABLE) {
        counts.refused++;
      } else if (fd === -abi.ENOENT) {
        counts.missing++;
      } else {
        throw new Error(`errno ${-fd}`);
      }
    }
    Atomics.store(new Int32Array(done), 0, 1);
    const { swaps } = await result;
    // The race was a race: all three states were met.
    expect(swaps).toBeGreaterThan(100);
    expect(opens).toBeGreaterThan(50_000);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(guest.check()).toBe(0);
  });
});

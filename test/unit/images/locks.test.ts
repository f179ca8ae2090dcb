import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WebLocks } from '../../../src/host/browser/locks.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { FileLocks } from '../../../src/host/node/locks.ts';
import type { Locks } from '../../../src/host/ports.ts';
import { removeTree } from '../../support/remove-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-locks-'));
afterAll(() => removeTree(dir));

/** One suite for every adapter. A second `open` is another holder of the same locks. */
function suite(open: () => [Locks, Locks]): void {
  const tick = () => new Promise((resolve) => setTimeout(resolve, 15));

  it('excludes, and hands on in the order of asking', async () => {
    const [a, b] = open();
    const order: number[] = [];
    const first = await a.acquire('x');
    const second = b.acquire('x').then(async (lock) => {
      order.push(2);
      await lock.release();
    });
    await tick();
    const third = b.acquire('x').then(async (lock) => {
      order.push(3);
      await lock.release();
    });
    await tick();
    order.push(1);
    await first.release();
    await Promise.all([second, third]);
    expect(order).toEqual([1, 2, 3]);
  });

  it('lets shared holders in together, and nobody beside an exclusive one', async () => {
    const [a, b] = open();
    const one = await a.acquire('x', { shared: true });
    const two = await b.acquire('x', { shared: true });
    let isExclusive = false;
    const exclusive = b.acquire('x').then((lock) => {
      isExclusive = true;
      return lock;
    });
    await tick();
    await one.release();
    await tick();
    expect(isExclusive).toBe(false);
    await two.release();
    const lock = await exclusive;
    let isShared = false;
    const late = a.acquire('x', { shared: true }).then((third) => {
      isShared = true;
      return third;
    });
    await tick();
    expect(isShared).toBe(false);
    await lock.release();
    await (await late).release();
  });

  it('keeps names apart', async () => {
    const [a, b] = open();
    const one = await a.acquire('..');
    const two = await b.acquire('a');
    await Promise.all([one.release(), two.release()]);
  });

  it('gives up when asked to, and leaves the queue', async () => {
    const [a, b] = open();
    const held = await a.acquire('x');
    await expect(b.acquire('x', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(a.acquire('x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    const next = b.acquire('x');
    await held.release();
    await held.release();
    await (await next).release();
  });

  it('holds under load', async () => {
    const both = open();
    let inside = 0;
    let count = 0;
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const lock = await (both[i % 2] as Locks).acquire('x', { shared: i % 5 === 0 });
        if (i % 5 !== 0) {
          inside += 1;
          expect(inside).toBe(1);
          await Promise.resolve();
          inside -= 1;
        }
        count += 1;
        await lock.release();
      }),
    );
    expect(count).toBe(60);
  });
}

describe('locks in memory', () => {
  suite(() => {
    const locks = new MemoryLocks();
    return [locks, locks];
  });
});

let stores = 0;
describe('locks in files', () => {
  suite(() => {
    const root = join(dir, String(++stores));
    return [new FileLocks(root), new FileLocks(root)];
  });

  it('leave no file behind', async () => {
    const root = join(dir, 'clean');
    const locks = new FileLocks(root);
    const held = await locks.acquire('x');
    await expect(new FileLocks(root).acquire('x', { signal: AbortSignal.timeout(10) })).rejects.toThrow();
    expect(readdirSync(root)).toHaveLength(1);
    await held.release();
    expect(readdirSync(root)).toEqual([]);
  });

  it('take over what the dead left: by pid, by reused pid, by age in another pid namespace', async () => {
    const root = join(dir, 'stale');
    const namespace = (await nameOf(root)).split('-')[2] as string;
    const plant = (owner: string, ageSeconds = 0) => {
      mkdirSync(root, { recursive: true });
      for (const file of [`x@c.${owner}`, `x@t.000000000001.x.${owner}`]) {
        writeFileSync(join(root, file), '');
        const when = Date.now() / 1000 - ageSeconds;
        utimesSync(join(root, file), when, when);
      }
    };
    const locks = new FileLocks(root);
    plant(`4194303-12345-${namespace}-a.1`);
    await (await locks.acquire('x', { signal: AbortSignal.timeout(500) })).release();
    plant(`1-12345-${namespace}-a.1`);
    await (await locks.acquire('x', { signal: AbortSignal.timeout(500) })).release();
    plant('1-1-elsewhere-a.1', 60);
    await (await locks.acquire('x', { signal: AbortSignal.timeout(500) })).release();
    plant('1-1-elsewhere-a.1', 5);
    await expect(locks.acquire('x', { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ code: 'cancelled' });
  });

  async function nameOf(root: string): Promise<string> {
    const lock = await new FileLocks(root).acquire('probe');
    const [file] = readdirSync(root);
    await lock.release();
    return (file as string).split('.').slice(3).join('.');
  }
});

describe('locks of the browser', () => {
  /** Web Locks as its specification says, as far as a page uses them: enough to check the adapter's side. */
  function fakeManager(): LockManager {
    const inner = new MemoryLocks();
    return {
      request: async (name: string, options: LockOptions, callback: (lock: Lock | null) => Promise<unknown>) => {
        const lock = await inner.acquire(name, {
          shared: options.mode === 'shared',
          ...(options.signal ? { signal: options.signal } : {}),
        });
        try {
          return await callback({ name, mode: options.mode ?? 'exclusive' });
        } finally {
          await lock.release();
        }
      },
    } as unknown as LockManager;
  }
  suite(() => {
    const manager = fakeManager();
    return [new WebLocks(manager, 'store'), new WebLocks(manager, 'store')];
  });
});

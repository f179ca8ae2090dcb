import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok } from '../support/guest.ts';
import { buildRootfs, type Tree } from '../support/rootfs-builder.ts';

/** Calls until one fails; its errno and how many went well. */
function until(call: (i: number) => number, most = 2_000_000): { errno: number; done: number } {
  for (let done = 0; done < most; done++) {
    const result = call(done);
    if (result < 0) return { errno: -result, done };
  }
  return { errno: 0, done: most };
}

async function stillWorks(guest: Guest): Promise<void> {
  expect(guest.check()).toBe(0);
  expect(guest.readFile('/keep')).toBe('kept');
}

describe('a guest that wants more than its share', () => {
  it('of bytes gets ENOSPC, keeps what was written, and room again after a delete', async () => {
    const guest = await bootGuest({ byteQuota: 1 << 20 });
    guest.writeFile('/keep', 'kept');
    const fd = ok(guest.open('/big', abi.O_RDWR | abi.O_CREAT));
    const { errno } = until(() => guest.write(fd, new Uint8Array(10_000)));
    expect(errno).toBe(abi.ENOSPC);
    expect(guest.kernel.calls.kernel_data_bytes!()).toBeLessThanOrEqual(1 << 20);
    expect(guest.fstat(fd)).toMatchObject({ size: expect.any(Number) });
    expect(guest.call('ftruncate', fd, 0, 0)).toBe(0);
    expect(guest.write(fd, new Uint8Array(500_000))).toBe(500_000);
    await stillWorks(guest);
  });

  it('of bytes in tiny files is charged what they take', async () => {
    const guest = await bootGuest({ byteQuota: 100_000 });
    guest.writeFile('/keep', 'kept');
    const { errno, done } = until((i) => guest.writeFile(`/f${i}`, 'x'));
    expect(errno).toBe(abi.ENOSPC);
    expect(done).toBeLessThan(100_000 / 32);
    await stillWorks(guest);
  });

  it('of inodes and of names gets ENOSPC', async () => {
    for (const config of [{ inodeQuota: 50 }, { dentryQuota: 50 }]) {
      const guest = await bootGuest(config);
      guest.writeFile('/keep', 'kept');
      expect(until((i) => guest.mkdir(`/d${i}`))).toEqual({ errno: abi.ENOSPC, done: expect.any(Number) });
      expect(guest.symlink('x', '/s')).toBe(-abi.ENOSPC);
      expect(guest.call('mknodat', abi.AT_FDCWD, guest.path('/fifo'), abi.S_IFIFO, 0, 0)).toBe(-abi.ENOSPC);
      expect(guest.rmdir('/d0')).toBe(0);
      expect(guest.mkdir('/again')).toBe(0);
      await stillWorks(guest);
    }
    const guest = await bootGuest({ dentryQuota: 50 });
    guest.writeFile('/keep', 'kept');
    expect(until((i) => guest.link('/keep', `/l${i}`))).toEqual({ errno: abi.ENOSPC, done: 49 });
  });

  it('of memory by any means meets its limit and can clean up', async () => {
    const hogs: [string, (guest: Guest, i: number) => number][] = [
      ['long names', (guest, i) => guest.writeFile(`/${String(i).padStart(255, 'n')}`, '')],
      ['long links', (guest, i) => guest.symlink('t'.repeat(4000), `/s${i}`)],
      ['deep directories', (guest) => (guest.mkdir('d') < 0 ? -1 : guest.call('chdir', guest.path('d')))],
      ['data', (guest, i) => guest.writeFile(`/f${i}`, new Uint8Array(60_000))],
      ['tasks', (guest) => Math.min(0, guest.call('task_create') >= 0 ? 0 : -abi.ENOMEM)],
      ['pipes', (guest) => (guest.call('pipe', 0) < 0 ? -abi.ENFILE : guest.write(guest.r(1), new Uint8Array(9000)))],
      [
        'sparse extents',
        (guest, i) => {
          const fd = i === 0 ? guest.open('/sparse', abi.O_RDWR | abi.O_CREAT) : 0;
          return fd < 0 ? fd : guest.write(fd, 'x', i * 20_000);
        },
      ],
    ];
    for (const [name, hog] of hogs) {
      const guest = await bootGuest({ maxPages: 160, nofile: 1 << 20 });
      guest.writeFile('/keep', 'kept');
      const { errno, done } = until((i) => hog(guest, i));
      expect(errno, name).not.toBe(0);
      expect(done, name).toBeGreaterThan(5);
      expect(guest.kernel.memory.buffer.byteLength).toBeLessThanOrEqual(160 * 65536);
      await stillWorks(guest);
      expect(guest.kernel.calls.kernel_reset!()).toBe(0);
      expect(guest.kernel.calls.kernel_check!()).toBe(0);
    }
  });

  it('of cached names by walking a large image does not get them', async () => {
    const tree: Tree = Object.fromEntries(
      Array.from({ length: 100 }, (_, d) => [
        `dir-${d}`,
        { dir: Object.fromEntries(Array.from({ length: 100 }, (_, f) => [`file-${f}`, { file: 'x' }])) },
      ]),
    );
    const { index, layer } = buildRootfs(tree);
    const guest = await bootGuest({ index, cacheEntries: 500 }, [layer]);
    const walk = () => {
      for (let d = 0; d < 100; d++) for (let f = 0; f < 100; f++) ok(guest.stat(`/dir-${d}/file-${f}`) as number);
    };
    walk();
    const used = guest.kernel.calls.kernel_used_bytes!();
    walk();
    expect(guest.kernel.calls.kernel_used_bytes!()).toBeLessThanOrEqual(used + 65536);
    expect(used).toBeLessThan(index.length + 2_000_000);
    expect(guest.check()).toBe(0);
  });

  it('of the stack, by a long chain of removed directories held at its end, does not get it', async () => {
    const guest = await bootGuest();
    guest.writeFile('/keep', 'kept');
    const depth = 30_000;
    for (let i = 0; i < depth; i++) {
      ok(guest.mkdir('d'));
      ok(guest.call('chdir', guest.path('d')));
    }
    const fd = ok(guest.open('.', abi.O_DIRECTORY));
    const inodes = guest.kernel.calls.kernel_used_bytes!();
    for (let i = 0; i < depth; i++) {
      ok(guest.call('chdir', guest.path('..')));
      ok(guest.rmdir('d'));
    }
    expect(guest.kernel.calls.kernel_used_bytes!()).toBeGreaterThan(inodes / 2);
    expect(guest.close(fd)).toBe(0);
    expect(guest.kernel.calls.kernel_used_bytes!()).toBeLessThan(inodes / 20);
    await stillWorks(guest);
  });

  it('of huge counts and offsets gets errors, not memory', async () => {
    const guest = await bootGuest({ maxPages: 160 });
    guest.writeFile('/keep', 'kept');
    const fd = ok(guest.open('/f', abi.O_RDWR | abi.O_CREAT));
    expect(guest.call('ftruncate', fd, 0, 1 << 11)).toBe(0);
    expect(guest.call('ftruncate', fd, 0, 1 << 13)).toBe(-abi.EFBIG);
    expect(guest.call('ftruncate', fd, 0, 1 << 31)).toBe(-abi.EINVAL);
    expect(guest.call('pread_begin', fd, 0xffffffff, 0, 0)).toBe(0x7ffff000);
    expect(guest.call('pwrite_begin', fd, 10, 0, 0x7fffffff)).toBe(-abi.EFBIG);
    expect(guest.call('pwrite_begin', fd, 10, 0, 0xffffffff)).toBe(-abi.EINVAL);
    const most = guest.call('pwrite_begin', fd, 0xffffffff, 0, 0);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(160 * 65536);
    expect(guest.call('fallocate', fd, 0, 0, 0xffffffff, 0x7fffffff)).toBe(-abi.EFBIG);
    for (const bad of [-1, 0x7fffffff, -2147483648]) {
      expect(guest.call('close', bad)).toBe(-abi.EBADF);
      expect(guest.call('dup2', 0, bad)).toBe(-abi.EBADF);
      expect(guest.open('x', 0, 0, bad)).toBe(-abi.EBADF);
    }
    await stillWorks(guest);
  });
});

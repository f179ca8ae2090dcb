import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok, type Stat } from '../../support/guest.ts';
import { BUILT_MTIME, buildRootfs } from '../../support/rootfs-builder.ts';

const RDWR = abi.O_RDWR | abi.O_CREAT;
const size = (guest: Guest, fd: number) => (guest.fstat(fd) as Stat).size;
const text = (data: Uint8Array | number) => (typeof data === 'number' ? data : Buffer.from(data).toString('latin1'));

describe('file data', () => {
  it('reads zeros where nothing was written', async () => {
    const guest = await bootGuest();
    const fd = ok(guest.open('/f', RDWR));
    expect(guest.write(fd, 'end', 1_000_000)).toBe(3);
    expect(size(guest, fd)).toBe(1_000_003);
    expect((guest.fstat(fd) as Stat).blocks).toBeLessThan(64);
    expect(guest.read(fd, 10, 500_000)).toEqual(new Uint8Array(10));
    expect(text(guest.read(fd, 10, 999_999))).toBe('\0end');
    expect(guest.read(fd, 10, 1_000_003)).toEqual(new Uint8Array());
  });

  it('never shows what was cut off again', async () => {
    const guest = await bootGuest();
    for (const length of [100, 3000, 50_000]) {
      const fd = ok(guest.open('/f', RDWR));
      guest.write(fd, new Uint8Array(length).fill(0x78), 0);
      expect(guest.call('ftruncate', fd, 10, 0)).toBe(0);
      expect(guest.call('ftruncate', fd, length, 0)).toBe(0);
      const data = guest.read(fd, length, 0) as Uint8Array;
      expect(text(data.subarray(0, 10))).toBe('xxxxxxxxxx');
      expect(data.subarray(10).every((byte) => byte === 0)).toBe(true);
      guest.close(fd);
      guest.unlink('/f');
    }
    expect(guest.kernel.calls.kernel_data_bytes!()).toBe(0);
  });

  it('appends where the end is, whoever moved it', async () => {
    const guest = await bootGuest();
    const a = ok(guest.open('/log', RDWR | abi.O_APPEND));
    const b = ok(guest.open('/log', RDWR));
    guest.write(a, 'one');
    guest.write(b, 'ONE+two', 0);
    guest.write(a, '!');
    expect(guest.readFile('/log')).toBe('ONE+two!');
    expect(guest.call('fd_set_status', a, 0)).toBe(0);
    guest.call('lseek', a, 0, 0, abi.SEEK_SET);
    guest.write(a, 'x');
    expect(guest.readFile('/log')).toBe('xNE+two!');
  });

  it('shares an offset over dup and not over open', async () => {
    const guest = await bootGuest();
    guest.writeFile('/f', 'abcdef');
    const fd = ok(guest.open('/f'));
    const copy = ok(guest.call('dup', fd, 0));
    expect(text(guest.read(fd, 2))).toBe('ab');
    expect(text(guest.read(copy, 2))).toBe('cd');
    expect(text(guest.read(ok(guest.open('/f')), 2))).toBe('ab');
    expect(guest.call('lseek', fd, -1, -1, abi.SEEK_CUR)).toBe(0);
    expect(guest.r(0)).toBe(3);
    expect(guest.call('lseek', fd, -9, -1, abi.SEEK_CUR)).toBe(-abi.EINVAL);
    expect(guest.call('lseek', fd, -1, -1, abi.SEEK_END)).toBe(0);
    expect(guest.r(0)).toBe(5);
  });

  it('lives on when its name is gone', async () => {
    const guest = await bootGuest();
    const fd = ok(guest.open('/f', RDWR));
    guest.write(fd, 'still here');
    expect(guest.unlink('/f')).toBe(0);
    expect(guest.stat('/f')).toBe(-abi.ENOENT);
    expect(guest.fstat(fd)).toMatchObject({ nlink: 0, size: 10 });
    expect(text(guest.read(fd, 20, 0))).toBe('still here');
    guest.close(fd);
    expect(guest.kernel.calls.kernel_data_bytes!()).toBe(0);
  });

  it('copies an image file up page by page as it is written', async () => {
    const { index, layer } = buildRootfs({ big: { file: 'abcdefgh'.repeat(10_000) }, small: { file: 'tiny' } });
    const guest = await bootGuest({ index }, [layer]);
    const fd = ok(guest.open('/big', abi.O_RDWR));
    guest.write(fd, 'X', 40_001);
    expect(guest.kernel.calls.kernel_data_bytes!()).toBe(4096);
    expect(text(guest.read(fd, 8, 40_000))).toBe('aXcdefgh');
    expect(text(guest.read(fd, 8, 36_856))).toBe('abcdefgh');
    expect(size(guest, fd)).toBe(80_000);
    expect(guest.stat('/big')).toMatchObject({ size: 80_000, mtimeNs: expect.any(BigInt) });
    guest.write(ok(guest.open('/small', abi.O_WRONLY | abi.O_APPEND)), '!');
    expect(guest.readFile('/small')).toBe('tiny!');
  });

  it('hands out the plain tar for an image file, so that nothing is copied', async () => {
    const { index, layer } = buildRootfs({ f: { file: 'from the layer' } });
    const guest = await bootGuest({ index }, [layer]);
    const fd = ok(guest.open('/f'));
    expect(guest.call('read_begin', fd, 100)).toBe(14);
    expect(guest.segments()).toEqual([{ kind: abi.SEGMENT_LAYER, value: 0, length: 14, offset: 0 }]);
  });

  it('reports a layer that cannot be read, with the file unchanged', async () => {
    const { index } = buildRootfs({ f: { file: 'x'.repeat(9000) } });
    const guest = await bootGuest({ index }, []);
    const fd = ok(guest.open('/f', abi.O_RDWR));
    expect(guest.write(fd, 'y', 10)).toBe(-abi.EIO);
    expect(guest.kernel.calls.kernel_data_bytes!()).toBe(0);
    expect(guest.check()).toBe(0);
  });

  it('allocates ahead without shrinking or losing anything', async () => {
    const guest = await bootGuest({ byteQuota: 1 << 20 });
    const fd = ok(guest.open('/f', RDWR));
    guest.write(fd, 'head');
    expect(guest.call('fallocate', fd, 0, 0, 100_000, 0)).toBe(0);
    expect(size(guest, fd)).toBe(100_000);
    expect(guest.kernel.calls.kernel_data_bytes!()).toBeGreaterThanOrEqual(100_000);
    expect(text(guest.read(fd, 6, 0))).toBe('head\0\0');
    expect(guest.call('fallocate', fd, 0, 0, 10, 0)).toBe(0);
    expect(size(guest, fd)).toBe(100_000);
    expect(guest.call('fallocate', fd, 0, 0, 1 << 24, 0)).toBe(-abi.ENOSPC);
    expect(guest.call('fallocate', fd, 0, 0, 0, 0)).toBe(-abi.EINVAL);
  });

  it('keeps times as POSIX says', async () => {
    const { index, layer } = buildRootfs({ f: { file: 'old' } });
    const guest = await bootGuest({ index }, [layer]);
    const born = guest.stat('/f') as Stat;
    expect(born.mtimeNs).toBe(BigInt(BUILT_MTIME) * 1_000_000_000n);
    guest.readFile('/f');
    expect((guest.stat('/f') as Stat).atimeNs).toBe(born.atimeNs);
    guest.call('fchmodat', abi.AT_FDCWD, guest.path('/f'), 0o600, 0);
    const changed = guest.stat('/f') as Stat;
    expect(changed).toMatchObject({ mtimeNs: born.mtimeNs, mode: abi.S_IFREG | 0o600, ino: born.ino });
    expect(changed.ctimeNs).toBeGreaterThan(born.ctimeNs);
    guest.write(ok(guest.open('/f', abi.O_WRONLY)), 'new');
    const written = guest.stat('/f') as Stat;
    expect(written.mtimeNs).toBeGreaterThan(changed.mtimeNs);
    const set = (which: number) => guest.call('utimensat', abi.AT_FDCWD, guest.path('/f'), which, 5, 0, 7, 1, 0);
    expect(set(abi.TIME_ATIME | abi.TIME_MTIME)).toBe(0);
    expect(guest.stat('/f')).toMatchObject({ atimeNs: 5n, mtimeNs: (1n << 32n) + 7n });
    expect(set(abi.TIME_MTIME_NOW)).toBe(0);
    expect((guest.stat('/f') as Stat).mtimeNs).toBeGreaterThan(written.mtimeNs);
    expect(set(abi.TIME_ATIME | abi.TIME_ATIME_NOW)).toBe(-abi.EINVAL);
  });

  it('refuses what an fd was not opened for', async () => {
    const guest = await bootGuest();
    guest.writeFile('/f', 'x');
    const reader = ok(guest.open('/f', abi.O_RDONLY));
    const writer = ok(guest.open('/f', abi.O_WRONLY));
    const dir = ok(guest.open('/', abi.O_DIRECTORY));
    expect(guest.write(reader, 'y')).toBe(-abi.EBADF);
    expect(guest.read(writer, 1)).toBe(-abi.EBADF);
    expect(guest.read(dir, 1)).toBe(-abi.EISDIR);
    expect(guest.write(dir, 'y')).toBe(-abi.EBADF);
    expect(guest.call('ftruncate', reader, 0, 0)).toBe(-abi.EINVAL);
    expect(guest.read(99, 1)).toBe(-abi.EBADF);
    expect(guest.read(-1, 1)).toBe(-abi.EBADF);
    expect(guest.write(writer, 'y', 2 ** 44)).toBe(-abi.EFBIG);
  });

  it('serves many small files and long writes from the same memory without growing', async () => {
    const guest = await bootGuest();
    const used = () => guest.kernel.calls.kernel_used_bytes!();
    const round = (i: number) => {
      guest.writeFile('/loop', new Uint8Array((i * 977) % 30_000));
      guest.rename('/loop', `/loop-${i % 3}`);
      guest.mkdir('/loop-dir');
      guest.symlink('a'.repeat(1 + (i % 200)), '/loop-dir/link');
      guest.unlink('/loop-dir/link');
      guest.rmdir('/loop-dir');
    };
    for (let i = 0; i < 5_000; i++) round(i);
    for (const name of [0, 1, 2]) guest.unlink(`/loop-${name}`);
    const before = used();
    const pages = guest.kernel.memory.buffer.byteLength;
    for (let i = 0; i < 20_000; i++) round(i);
    for (const name of [0, 1, 2]) guest.unlink(`/loop-${name}`);
    expect(used()).toBe(before);
    expect(guest.kernel.memory.buffer.byteLength).toBe(pages);
    expect(guest.check()).toBe(0);
  });
});

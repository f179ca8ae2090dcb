import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok } from '../../support/guest.ts';

const tables = (guest: Guest) => guest.view.getUint32(guest.t + abi.TASK_PROCESS, true);
const entry = (guest: Guest, fd: number) =>
  guest.view.getUint32(tables(guest) + abi.PROCESS_FDS, true) + fd * abi.FD_BYTES;

describe('fd tables', () => {
  it('give the lowest free number', async () => {
    const guest = await bootGuest();
    const fds = Array.from({ length: 40 }, () => ok(guest.open('/', abi.O_DIRECTORY)));
    expect(fds).toEqual([...Array(40).keys()]);
    for (const fd of [30, 3, 17]) expect(guest.close(fd)).toBe(0);
    expect([0, 0, 0, 0].map(() => guest.open('/'))).toEqual([3, 17, 30, 40]);
    expect(guest.close(7)).toBe(0);
    expect(guest.close(7)).toBe(-abi.EBADF);
    expect(guest.call('dup', 0, 20)).toBe(41);
    expect(guest.call('dup', 0, 0)).toBe(7);
    expect(guest.check()).toBe(0);
  });

  it('end at RLIMIT_NOFILE, before anything is created', async () => {
    const guest = await bootGuest({ nofile: 10 });
    for (let i = 0; i < 10; i++) ok(guest.open('/'));
    expect(guest.open('/new', abi.O_CREAT | abi.O_WRONLY)).toBe(-abi.EMFILE);
    expect(guest.stat('/new')).toBe(-abi.ENOENT);
    expect(guest.call('dup', 0, 0)).toBe(-abi.EMFILE);
    expect(guest.call('dup', 0, 10)).toBe(-abi.EINVAL);
    expect(guest.call('dup2', 0, 10)).toBe(-abi.EBADF);
    expect(guest.call('pipe', 0)).toBe(-abi.EMFILE);
    guest.close(4);
    expect(guest.call('pipe', 0)).toBe(-abi.EMFILE);
    expect(guest.open('/')).toBe(4);
    expect(guest.check()).toBe(0);
  });

  it('bound open files over all processes', async () => {
    const guest = await bootGuest({ fileQuota: 5 });
    for (let i = 0; i < 5; i++) ok(guest.open('/'));
    expect(guest.open('/')).toBe(-abi.ENFILE);
    expect(guest.call('dup', 0, 0)).toBe(5);
  });

  it('move numbers as renumber says and replace as dup2 says', async () => {
    const guest = await bootGuest();
    guest.writeFile('/a', 'aaa');
    guest.writeFile('/b', 'bb');
    const [a, b] = [ok(guest.open('/a')), ok(guest.open('/b'))];
    expect(guest.call('fd_set_rights', a, 1, 2, 3, 4)).toBe(0);
    expect(guest.call('renumber', a, 9)).toBe(-abi.EBADF);
    expect(guest.call('renumber', a, b)).toBe(0);
    expect(guest.fstat(a)).toBe(-abi.EBADF);
    expect(guest.fstat(b)).toMatchObject({ size: 3 });
    expect(guest.view.getBigUint64(entry(guest, b) + abi.FD_RIGHTS, true)).toBe((2n << 32n) | 1n);
    expect(guest.view.getBigUint64(entry(guest, b) + abi.FD_INHERITING, true)).toBe((4n << 32n) | 3n);
    expect(guest.call('renumber', b, b)).toBe(0);
    expect(guest.call('dup2', b, 100)).toBe(100);
    expect(guest.fstat(100)).toMatchObject({ size: 3 });
    expect(guest.call('dup2', b, b)).toBe(b);
    expect(guest.check()).toBe(0);
  });

  it('close what is marked when a program is executed', async () => {
    const guest = await bootGuest();
    const kept = ok(guest.open('/'));
    const marked = ok(guest.open('/', abi.O_CLOEXEC));
    const late = ok(guest.open('/'));
    guest.call('fd_set_flags', late, abi.FD_CLOEXEC);
    expect(guest.call('fd_close_on_exec')).toBe(0);
    expect(guest.fstat(kept)).toMatchObject({ nlink: expect.any(Number) });
    expect(guest.fstat(marked)).toBe(-abi.EBADF);
    expect(guest.fstat(late)).toBe(-abi.EBADF);
  });

  it('hand host streams to the personality', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_DEV });
    const out = ok(guest.call('fd_open_host', 77, abi.S_IFCHR, abi.O_WRONLY));
    expect(guest.write(out, 'x')).toBe(-abi.EHOSTIO);
    expect(guest.r(0)).toBe(77);
    expect(guest.call('poll_query', out, abi.POLLOUT)).toBe(-abi.EHOSTIO);
    expect(guest.read(out, 1)).toBe(-abi.EBADF);
    expect(guest.fstat(out)).toMatchObject({ mode: abi.S_IFCHR | 0o600 });
    expect(guest.call('lseek', out, 0, 0, abi.SEEK_SET)).toBe(-abi.ESPIPE);
    const tty = ok(guest.open('/dev/tty', abi.O_RDWR));
    expect(guest.read(tty, 1)).toBe(-abi.EHOSTIO);
    expect(guest.r(0)).toBe(abi.HOST_TTY);
    expect(guest.write(ok(guest.open('/dev/stdin')), 'x')).toBe(-abi.EHOSTIO);
    expect(guest.open('/dev/stderr')).toBeGreaterThan(0);
    expect(guest.call('fchmod', out, 0o600)).toBe(-abi.EINVAL);
  });
});

describe('devices', () => {
  it('answer as their names promise', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_DEV });
    const device = (name: string) => ok(guest.open(`/dev/${name}`, abi.O_RDWR));
    expect(guest.read(device('null'), 10)).toEqual(new Uint8Array());
    expect(guest.write(device('null'), 'gone')).toBe(4);
    expect(guest.read(device('zero'), 10)).toEqual(new Uint8Array(10));
    expect(guest.write(device('full'), 'x')).toBe(-abi.ENOSPC);
    expect(guest.read(device('urandom'), 10)).toEqual(new Uint8Array(10).fill(0x5a));
    expect(guest.call('read_begin', device('random'), 2 ** 31 - 1)).toBe(4096);
    expect(guest.stat('/dev/null')).toMatchObject({ mode: abi.S_IFCHR | 0o666, rdev: (1 << 20) | 3 });
  });

  it('of an image reach nothing, and nobody makes new ones', async () => {
    const { buildRootfs } = await import('../../support/rootfs-builder.ts');
    const { index } = buildRootfs({ zero: { device: (1 << 20) | 5 } });
    const guest = await bootGuest({ index });
    expect(guest.stat('/zero')).toMatchObject({ rdev: (1 << 20) | 5 });
    expect(guest.open('/zero')).toBe(-abi.ENXIO);
    const mknod = (mode: number) => guest.call('mknodat', abi.AT_FDCWD, guest.path('/made'), mode, (1 << 20) | 5, 0);
    expect(mknod(abi.S_IFCHR | 0o666)).toBe(-abi.EPERM);
    expect(mknod(abi.S_IFBLK | 0o666)).toBe(-abi.EPERM);
    expect(mknod(abi.S_IFDIR | 0o666)).toBe(-abi.EINVAL);
    expect(mknod(abi.S_IFIFO | 0o666)).toBe(0);
  });
});

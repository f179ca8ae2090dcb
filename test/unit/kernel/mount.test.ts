import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { Kernel } from '../../../src/core/kernel.ts';
import { FakeHostfs } from '../../support/fake-hostfs.ts';
import { bootGuest, Guest, kernelModule, ok, type Stat, testHost } from '../../support/guest.ts';

describe('tmpfs', () => {
  it('covers a directory, with its own quota and device number', async () => {
    const guest = await bootGuest();
    guest.mkdir('/tmp');
    guest.writeFile('/tmp/below', 'hidden');
    expect(guest.call('mount_tmpfs', guest.path('/tmp'), 10_000, 0o1777, 0)).toBeGreaterThan(0);
    expect(guest.list('/tmp')).toEqual([]);
    expect((guest.stat('/tmp') as Stat).mode).toBe(abi.S_IFDIR | 0o1777);
    expect((guest.stat('/tmp') as Stat).dev).not.toBe((guest.stat('/') as Stat).dev);
    expect(guest.writeFile('/tmp/a', new Uint8Array(8000))).toBe(8000);
    expect(guest.writeFile('/tmp/b', new Uint8Array(8000))).toBe(-abi.ENOSPC);
    expect(guest.stat('/tmp/..')).toMatchObject({ ino: (guest.stat('/') as Stat).ino });
    expect(guest.rename('/tmp/a', '/a')).toBe(-abi.EXDEV);
    expect(guest.link('/tmp/a', '/a')).toBe(-abi.EXDEV);
    expect(guest.rmdir('/tmp')).toBe(-abi.EBUSY);
    expect(guest.rename('/tmp', '/t')).toBe(-abi.EBUSY);
    expect(guest.call('mount_tmpfs', guest.path('/'), 0, 0o755, 0)).toBe(-abi.EBUSY);
    expect(guest.call('mount_tmpfs', guest.path('/tmp/a'), 0, 0o755, 0)).toBe(-abi.ENOTDIR);
    expect(guest.call('statfsat', abi.AT_FDCWD, guest.path('/tmp'), 0)).toBe(0);
    expect(Number(guest.view.getBigUint64(guest.t + abi.TASK_IO + 8, true))).toBe(2);
  });

  it('stacks, and can be read-only', async () => {
    const guest = await bootGuest();
    guest.mkdir('/m');
    ok(guest.call('mount_tmpfs', guest.path('/m'), 0, 0o755, 0));
    guest.writeFile('/m/first', '1');
    ok(guest.call('mount_tmpfs', guest.path('/m'), 0, 0o755, abi.MOUNT_READONLY));
    expect(guest.list('/m')).toEqual([]);
    expect(guest.writeFile('/m/x', 'x')).toBe(-abi.EROFS);
    expect(guest.stat('/m/..')).toMatchObject({ ino: (guest.stat('/') as Stat).ino });
    expect(guest.check()).toBe(0);
  });
});

describe('hostfs', () => {
  let host: FakeHostfs;
  let guest: Guest;
  beforeEach(async () => {
    host = new FakeHostfs();
    const kernel = Kernel.boot(await kernelModule(), { ...testHost(), hostfs: host.calls });
    host.memory = kernel.memory;
    guest = Guest.create(kernel);
    const sub = host.add(abi.S_IFDIR | 0o755, host.root, 'sub');
    host.add(abi.S_IFREG | 0o644, sub, 'file', 'host data');
    host.add(abi.S_IFLNK | 0o777, sub, 'out', '/etc/passwd');
    host.add(abi.S_IFLNK | 0o777, sub, 'in', '../sub/file');
    guest.mkdir('/mnt');
    guest.mkdir('/etc');
    guest.writeFile('/etc/passwd', "the container's");
    ok(guest.call('mount_hostfs', guest.path('/mnt'), 5, host.root.id, 0));
  });

  it('resolves names on the host and links in the container', () => {
    expect(guest.list('/mnt')).toEqual(['sub']);
    expect(guest.list('/mnt/sub')).toEqual(['file', 'in', 'out']);
    expect((guest.stat('/mnt/sub/file') as Stat).size).toBe(9);
    expect((guest.stat('/mnt/sub/in') as Stat).size).toBe(9);
    expect(guest.readFile('/mnt/sub/out')).toBe("the container's");
    expect(guest.readlink('/mnt/sub/out')).toBe('/etc/passwd');
    expect(guest.stat('/mnt/sub/../..')).toMatchObject({ ino: (guest.stat('/') as Stat).ino });
    expect(guest.stat('/mnt/nothing')).toBe(-abi.ENOENT);
    expect(host.held).toBe(0);
  });

  it('lets the host move the bytes and learns how many', () => {
    const fd = ok(guest.open('/mnt/sub/file', abi.O_RDWR));
    expect(guest.call('read_begin', fd, 100)).toBe(100);
    expect(guest.segments()[0]).toMatchObject({ kind: abi.SEGMENT_HOSTFS, length: 100, offset: 0 });
    expect(guest.view.getUint32(guest.t + abi.TASK_SEGMENTS + abi.SEGMENT_MOUNT, true)).toBe(5);
    expect(guest.call('io_end', 9)).toBe(0);
    guest.call('lseek', fd, 0, 0, abi.SEEK_CUR);
    expect(guest.r(0)).toBe(9);
    expect(guest.call('pread_begin', fd, 4, 2, 0)).toBe(4);
    expect(guest.call('io_end', 4)).toBe(0);
    guest.call('lseek', fd, 0, 0, abi.SEEK_CUR);
    expect(guest.r(0)).toBe(9);
    expect(guest.call('io_end', 4)).toBe(-abi.EINVAL);
    expect(guest.call('ftruncate', fd, 4, 0)).toBe(0);
    expect((guest.fstat(fd) as Stat).size).toBe(4);
    expect(host.handles.size).toBe(1);
    guest.close(fd);
    expect(host.handles.size).toBe(0);
    expect(host.held).toBe(0);
  });

  it('creates, renames and removes there', () => {
    const fd = ok(guest.open('/mnt/new', abi.O_RDWR | abi.O_CREAT | abi.O_EXCL, 0o600));
    guest.close(fd);
    expect(guest.mkdir('/mnt/dir')).toBe(0);
    expect(guest.rename('/mnt/new', '/mnt/dir/moved')).toBe(0);
    expect(guest.symlink('moved', '/mnt/dir/link')).toBe(0);
    expect(guest.list('/mnt/dir')).toEqual(['link', 'moved']);
    expect(guest.rename('/mnt/dir', '/mnt/dir/inside')).toBe(-abi.EINVAL);
    expect(guest.rename('/mnt/dir/moved', '/etc/moved')).toBe(-abi.EXDEV);
    expect(guest.unlink('/mnt/dir/moved')).toBe(0);
    expect(guest.unlink('/mnt/dir/link')).toBe(0);
    expect(guest.rmdir('/mnt/dir')).toBe(0);
    expect(guest.rmdir('/mnt')).toBe(-abi.EBUSY);
    expect(host.held).toBe(0);
  });

  it('asks the host again for what a walk did not look up', () => {
    const before = (guest.stat('/mnt') as Stat).mode;
    host.root.mode = abi.S_IFDIR | 0o700;
    expect((guest.stat('/mnt') as Stat).mode).not.toBe(before);
    guest.call('chdir', guest.path('/mnt/sub'));
    host.root.entries.get('sub')!.mode = abi.S_IFDIR | 0o711;
    expect((guest.stat('.') as Stat).mode).toBe(abi.S_IFDIR | 0o711);
  });

  it('keeps a working directory and its parents', () => {
    expect(guest.call('chdir', guest.path('/mnt/sub'))).toBe(0);
    expect(guest.stat('file')).toMatchObject({ size: 9 });
    expect((guest.stat('../sub/file') as Stat).size).toBe(9);
    expect(host.held).toBeGreaterThan(0);
    guest.call('chdir', guest.path('/'));
    expect(host.held).toBe(0);
  });

  it('is read-only when mounted so', () => {
    guest.mkdir('/ro');
    ok(guest.call('mount_hostfs', guest.path('/ro'), 5, host.root.id, abi.MOUNT_READONLY));
    expect(guest.open('/ro/sub/file', abi.O_WRONLY)).toBe(-abi.EROFS);
    expect(guest.open('/ro/sub/file', abi.O_RDONLY | abi.O_TRUNC)).toBe(-abi.EROFS);
    expect(guest.mkdir('/ro/x')).toBe(-abi.EROFS);
    expect(guest.unlink('/ro/sub/file')).toBe(-abi.EROFS);
    expect(guest.call('fchmodat', abi.AT_FDCWD, guest.path('/ro/sub/file'), 0, 0)).toBe(-abi.EROFS);
    expect(guest.open('/ro/sub/file')).toBeGreaterThanOrEqual(0);
  });

  it('mounts a file over a file and nothing over another kind', () => {
    const file = host.root.entries.get('sub')!.entries.get('file')!;
    ok(guest.call('mount_hostfs', guest.path('/etc/passwd'), 5, file.id, 0));
    expect((guest.stat('/etc/passwd') as Stat).size).toBe(9);
    expect(guest.unlink('/etc/passwd')).toBe(-abi.EBUSY);
    expect(guest.call('mount_hostfs', guest.path('/etc'), 5, file.id, 0)).toBe(-abi.EINVAL);
    expect(guest.list('/etc')).toEqual(['passwd']);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest, Guest, ok } from '../../support/guest.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';

const { index, layer } = buildRootfs({
  dir: { dir: { file: { file: 'in dir' }, sub: { dir: { deep: { file: 'deep' } } } } },
  file: { file: 'hello' },
  link: { symlink: 'file' },
  dirlink: { symlink: 'dir/' },
  up: { symlink: '../file' },
  root: { symlink: '/' },
  absolute: { symlink: '/dir/file' },
  loop: { symlink: 'loop' },
  dangling: { symlink: 'nowhere' },
});

let guest: Guest;
beforeEach(async () => {
  guest = await bootGuest({ index }, [layer]);
});

const size = (path: string, walk = 0) => {
  const stat = guest.stat(path, walk);
  return typeof stat === 'number' ? stat : stat.size;
};

describe('path walks', () => {
  it.each([
    ['/file', 5],
    ['file', 5],
    ['//dir///file', 6],
    ['/dir/./sub/../file', 6],
    ['/../../file', 5],
    ['/link', 5],
    ['/up', 5],
    ['/absolute', 6],
    ['/dirlink/file', 6],
    ['/root/root/dir/file', 6],
    ['/root', 4096],
    ['/dir/', 4096],
    ['/dirlink/', 4096],
    ['/', 4096],
    ['', -abi.ENOENT],
    ['/file/', -abi.ENOTDIR],
    ['/file/x', -abi.ENOTDIR],
    ['/link/', -abi.ENOTDIR],
    ['/file/..', -abi.ENOTDIR],
    ['/nothing', -abi.ENOENT],
    ['/nothing/x', -abi.ENOENT],
    ['/loop', -abi.ELOOP],
    ['/loop/x', -abi.ELOOP],
    ['/dangling', -abi.ENOENT],
    [`/${'n'.repeat(255)}`, -abi.ENOENT],
    [`/${'n'.repeat(256)}`, -abi.ENAMETOOLONG],
    [`${'/'.repeat(4090)}file`, 5],
    [`${'/'.repeat(4092)}file`, -abi.ENAMETOOLONG],
    ['/fi\0le', -abi.EINVAL],
  ])('stat %j gives %i', (path, expected) => {
    expect(size(path)).toBe(expected);
  });

  it('keeps or follows a link in the last place as asked', () => {
    expect(guest.lstat('/link')).toMatchObject({ mode: abi.S_IFLNK | 0o777, size: 4 });
    expect(guest.lstat('/dirlink/')).toMatchObject({ mode: abi.S_IFDIR | 0o755 });
    expect(guest.readlink('/link')).toBe('file');
    expect(guest.readlink('/file')).toBe(-abi.EINVAL);
  });

  it('allows forty links and not one more', () => {
    guest.symlink('file', '/s0');
    for (let i = 1; i <= 40; i++) guest.symlink(`s${i - 1}`, `/s${i}`);
    expect(size('/s39')).toBe(5);
    expect(size('/s40')).toBe(-abi.ELOOP);
  });

  it('refuses a link that makes the path too long', () => {
    guest.symlink(`${'./'.repeat(2000)}dir`, '/long');
    expect(size('/long')).toBe(4096);
    expect(size(`/long/${'./'.repeat(60)}file`)).toBe(-abi.ENAMETOOLONG);
  });

  it.each([
    ['file', 6],
    ['sub/../file', 6],
    ['sub/..', 4096],
    ['.', 4096],
    ['..', -abi.ENOTCAPABLE],
    ['../file', -abi.ENOTCAPABLE],
    ['sub/../../file', -abi.ENOTCAPABLE],
    ['/file', -abi.ENOTCAPABLE],
    ['abs', -abi.ENOTCAPABLE],
    ['rel', -abi.ENOTCAPABLE],
    ['rel-in', 4],
    ['sub/dotdot/file', 6],
    ['sub/dotdot/..', -abi.ENOTCAPABLE],
  ])('beneath /dir, %j gives %i', (path, expected) => {
    guest.symlink('/dir/file', '/dir/abs');
    guest.symlink('../file', '/dir/rel');
    guest.symlink('sub/deep', '/dir/rel-in');
    guest.symlink('..', '/dir/sub/dotdot');
    const fd = ok(guest.open('/dir', abi.O_DIRECTORY));
    const stat = guest.stat(path, abi.WALK_BENEATH, fd);
    expect(typeof stat === 'number' ? stat : stat.size).toBe(expected);
  });

  it.each([
    ['absolute', 6],
    ['up', 5],
    ['root/dir/file', 6],
    ['dir/climb', 5],
    ['/file', -abi.ENOTCAPABLE],
    ['../file', -abi.ENOTCAPABLE],
    ['dir/../../file', -abi.ENOTCAPABLE],
  ])('beneath the root itself, %j gives %i', (path, expected) => {
    guest.symlink('../../../../file', '/dir/climb');
    const stat = guest.stat(path, abi.WALK_BENEATH, ok(guest.open('/', abi.O_DIRECTORY)));
    expect(typeof stat === 'number' ? stat : stat.size).toBe(expected);
  });

  it('stays in a chroot', () => {
    ok(guest.call('chroot', guest.path('/dir')));
    expect(size('/file')).toBe(6);
    expect(size('/../../file')).toBe(6);
    guest.symlink('/../../../file', '/escape');
    expect(size('/escape')).toBe(6);
  });

  it('knows its working directory, also when it moves or goes', () => {
    expect(guest.call('chdir', guest.path('dir/sub'))).toBe(0);
    const cwd = () => {
      const length = guest.call('getcwd');
      return length < 0 ? length : guest.text(abi.TASK_IO, length);
    };
    expect(cwd()).toBe('/dir/sub');
    expect(size('deep')).toBe(4);
    guest.rename('/dir', '/moved');
    expect(cwd()).toBe('/moved/sub');
    guest.unlink('deep');
    expect(guest.rmdir('/moved/sub')).toBe(0);
    expect(cwd()).toBe(-abi.ENOENT);
    expect(guest.open('new', abi.O_CREAT | abi.O_WRONLY)).toBe(-abi.ENOENT);
    expect(size('../file')).toBe(6);
    expect(guest.call('chdir', guest.path('/file'))).toBe(-abi.ENOTDIR);
    expect(guest.check()).toBe(0);
  });

  it.each([
    ['/file', abi.O_RDONLY | abi.O_DIRECTORY, -abi.ENOTDIR],
    ['/dir', abi.O_WRONLY, -abi.EISDIR],
    ['/dir', abi.O_RDONLY | abi.O_CREAT, -abi.EISDIR],
    ['/link', abi.O_RDONLY | abi.O_NOFOLLOW, -abi.ELOOP],
    ['/file', abi.O_RDWR | abi.O_CREAT | abi.O_EXCL, -abi.EEXIST],
    ['/dangling', abi.O_RDWR | abi.O_CREAT | abi.O_EXCL, -abi.EEXIST],
    ['/new/', abi.O_RDWR | abi.O_CREAT, -abi.EISDIR],
    ['/new', abi.O_RDWR | abi.O_CREAT | abi.O_DIRECTORY, -abi.EINVAL],
    ['/new', abi.O_RDWR, -abi.ENOENT],
    ['/dangling', abi.O_RDWR | abi.O_CREAT, 0],
    ['/link', abi.O_PATH | abi.O_NOFOLLOW, 0],
  ])('open %s with flags %i gives %i', (path, flags, expected) => {
    expect(guest.open(path, flags)).toBe(expected);
  });

  it('creates through a dangling link', () => {
    guest.writeFile('/dangling', 'made');
    expect(guest.readFile('/nowhere')).toBe('made');
  });

  it('leaves a read-only root alone', async () => {
    const fixed = await bootGuest({ index, flags: abi.CONFIG_READONLY_ROOT }, [layer]);
    expect(fixed.open('/file', abi.O_WRONLY)).toBe(-abi.EROFS);
    expect(fixed.open('/new', abi.O_WRONLY | abi.O_CREAT)).toBe(-abi.EROFS);
    for (const result of [
      fixed.mkdir('/d'),
      fixed.unlink('/file'),
      fixed.rename('/file', '/x'),
      fixed.link('/file', '/y'),
    ]) {
      expect(result).toBe(-abi.EROFS);
    }
    expect(fixed.call('fchmodat', abi.AT_FDCWD, fixed.path('/file'), 0o600, 0)).toBe(-abi.EROFS);
    expect(fixed.readFile('/file')).toBe('hello');
  });
});

describe('permissions, when asked for', () => {
  it('follow owner, group, other and the sticky bit', async () => {
    const root = await bootGuest({ flags: abi.CONFIG_PERMISSIONS });
    root.mkdir('/open', 0o777);
    root.call('fchmodat', abi.AT_FDCWD, root.path('/open'), 0o1777, 0);
    root.writeFile('/open/mine', 'root');
    root.mkdir('/closed', 0o700);
    root.writeFile('/closed/x', 'x');
    const user = Guest.create(root.kernel, [], 1000, 1000);
    expect(user.writeFile('/new', 'x')).toBe(-abi.EACCES);
    expect(user.readFile('/open/mine')).toBe('root');
    expect(user.open('/open/mine', abi.O_WRONLY)).toBe(-abi.EACCES);
    expect(user.unlink('/open/mine')).toBe(-abi.EACCES);
    expect(user.readFile('/closed/x')).toBe(-abi.EACCES);
    expect(user.writeFile('/open/own', 'u')).toBe(1);
    expect(user.stat('/open/own')).toMatchObject({ uid: 1000, gid: 1000 });
    expect(user.call('fchmodat', abi.AT_FDCWD, user.path('/open/mine'), 0o777, 0)).toBe(-abi.EPERM);
    expect(user.call('fchownat', abi.AT_FDCWD, user.path('/open/own'), 0, -1, 0)).toBe(-abi.EPERM);
    expect(user.call('accessat', abi.AT_FDCWD, user.path('/open/mine'), 2, 0)).toBe(-abi.EACCES);
    root.call('fchownat', abi.AT_FDCWD, root.path('/closed'), 0, 50, 0);
    root.call('fchmodat', abi.AT_FDCWD, root.path('/closed'), 0o750, 0);
    expect(user.readFile('/closed/x')).toBe(-abi.EACCES);
    user.view.setUint32(user.t + abi.TASK_IO, 50, true);
    user.call('set_groups', 1);
    expect(user.readFile('/closed/x')).toBe('x');
  });
});

/** Modes and owners through module wctr_posix_v1: who may change them, what shows them, which rules paths follow. */
import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import type { WasiProcessOptions } from '../../../src/host/wasi/run.ts';
import * as w from '../../../src/spec/wasi-preview1.ts';
import * as p from '../../../src/spec/wctr-posix.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';
import { TestGuest, type WasiCall } from '../../support/wasi-guest.ts';
import { TestKernel, type TestTree } from '../../support/wasi-kernel.ts';

const ROOT = 3;
const FOLLOW = p.LOOKUP_FOLLOW;

class PosixGuest extends TestGuest {
  readonly posix = this.process.imports[p.MODULE_POSIX] as unknown as Record<string, WasiCall>;

  chmod(path: string, mode: number, { fd = ROOT, flags = FOLLOW } = {}): number {
    return this.posix.path_chmod!(fd, flags, ...this.put(path), mode);
  }

  chown(path: string, uid: number, gid: number, { fd = ROOT, flags = FOLLOW } = {}): number {
    return this.posix.path_chown!(fd, flags, ...this.put(path), uid, gid);
  }

  stat(path: string, { fd = ROOT, flags = FOLLOW } = {}) {
    const at = this.room(p.STAT_BYTES);
    const errno = this.posix.path_stat!(fd, flags, ...this.put(path), at);
    return errno === 0 ? this.#read(at) : errno;
  }

  fdStat(fd: number) {
    const at = this.room(p.STAT_BYTES);
    const errno = this.posix.fd_stat!(fd, at);
    return errno === 0 ? this.#read(at) : errno;
  }

  ids() {
    const at = this.room(p.IDS_BYTES);
    expect(this.posix.proc_ids!(at)).toBe(0);
    const word = (offset: number) => this.view.getUint32(at + offset, true);
    return {
      uid: word(p.IDS_UID),
      gid: word(p.IDS_GID),
      pid: word(p.IDS_PID),
      ppid: word(p.IDS_PPID),
      umask: word(p.IDS_UMASK),
    };
  }

  dup(fd: number): number {
    const at = this.room(4);
    const errno = this.posix.fd_dup!(fd, at);
    return errno === 0 ? this.view.getUint32(at, true) : -errno;
  }

  umask(mask: number): number {
    const at = this.room(4);
    expect(this.posix.proc_umask!(mask, at)).toBe(0);
    return this.view.getUint32(at, true);
  }

  #read(at: number) {
    const { view } = this;
    return {
      dev: view.getBigUint64(at + p.STAT_DEV, true),
      ino: view.getBigUint64(at + p.STAT_INO, true),
      mode: view.getUint32(at + p.STAT_MODE, true),
      nlink: view.getUint32(at + p.STAT_NLINK, true),
      uid: view.getUint32(at + p.STAT_UID, true),
      gid: view.getUint32(at + p.STAT_GID, true),
      rdev: view.getBigUint64(at + p.STAT_RDEV, true),
      size: view.getBigUint64(at + p.STAT_SIZE, true),
      atime: view.getBigUint64(at + p.STAT_ATIME, true),
      mtime: view.getBigUint64(at + p.STAT_MTIME, true),
      ctime: view.getBigUint64(at + p.STAT_CTIME, true),
    };
  }
}

function guests(tree: TestTree, options: Partial<WasiProcessOptions> = {}) {
  const kernel = new TestKernel();
  kernel.write(tree);
  const root = new PosixGuest(kernel, options);
  const user = new PosixGuest(kernel, { ...options, user: { uid: 1000, gid: 100 } });
  return { kernel, root, user };
}

const modeOf = (stat: ReturnType<PosixGuest['stat']>) => (typeof stat === 'number' ? -stat : stat.mode);

describe('path_stat and fd_stat', () => {
  it('show what the kernel knows, the same by path and by descriptor', () => {
    const { root } = guests({ 'dir/file': 'content', link: { link: 'dir/file' } });
    const stat = root.stat('dir/file');
    expect(stat).toMatchObject({ mode: abi.S_IFREG | 0o644, nlink: 1, uid: 0, gid: 0, size: 7n, rdev: 0n });
    expect(root.stat('link')).toEqual(stat);
    expect(root.stat('link', { flags: 0 })).toMatchObject({ mode: abi.S_IFLNK | 0o777, size: 8n });
    expect(root.stat('dir')).toMatchObject({ mode: abi.S_IFDIR | 0o755 });
    expect(root.fdStat(root.open(ROOT, 'dir/file', { rights: w.RIGHT_FD_FILESTAT_GET }))).toEqual(stat);
    expect(root.fdStat(1)).toMatchObject({ mode: abi.S_IFIFO | 0o600 });
    expect(root.stat('none')).toBe(w.ERRNO_NOENT);
    expect(root.stat('dir', { flags: 2 })).toBe(w.ERRNO_INVAL);
    expect(root.fdStat(99)).toBe(w.ERRNO_BADF);
  });

  it('find what is given with the working directory there, else from the root', () => {
    const { root } = guests({ 'work/here': 'x', 'there/file': 'y' }, { cwd: '/work' });
    expect(root.stat('here', { fd: 4 })).toMatchObject({ size: 1n });
    expect(root.stat('there/file', { fd: 4 })).toMatchObject({ size: 1n });
    expect(root.chmod('there/file', 0o600, { fd: 4 })).toBe(0);
    expect(modeOf(root.stat('there/file'))).toBe(abi.S_IFREG | 0o600);
  });
});

describe('path_chmod', () => {
  it('is for the owner and for root', () => {
    const { root, user } = guests({ file: 'x', dir: null });
    expect(root.chmod('dir', 0o1777)).toBe(0);
    expect(modeOf(root.stat('dir'))).toBe(abi.S_IFDIR | 0o1777);
    expect(user.chmod('file', 0o777)).toBe(w.ERRNO_PERM);
    expect(modeOf(root.stat('file'))).toBe(abi.S_IFREG | 0o644);
    user.open(ROOT, 'dir/mine', { oflags: w.OFLAG_CREAT });
    expect(user.chmod('dir/mine', 0o4755)).toBe(0);
    expect(user.stat('dir/mine')).toMatchObject({ mode: abi.S_IFREG | 0o4755, uid: 1000, gid: 100 });
    expect(root.chmod('dir/mine', 0)).toBe(0);
  });

  it('takes the set-group-id bit from those who are not in the group', () => {
    const { root, user } = guests({ file: 'x' });
    expect(root.chown('file', 1000, 0)).toBe(0);
    expect(user.chmod('file', 0o6755)).toBe(0);
    expect(modeOf(root.stat('file'))).toBe(abi.S_IFREG | 0o4755);
  });

  it('follows links when told to, and has nothing to change at a link itself', () => {
    const { root } = guests({ file: 'x', link: { link: 'file' }, out: { link: '/../../file' } });
    expect(root.chmod('link', 0o600)).toBe(0);
    expect(modeOf(root.stat('file'))).toBe(abi.S_IFREG | 0o600);
    expect(root.chmod('link', 0o640, { flags: 0 })).toBe(w.ERRNO_NOTSUP);
    expect(root.chmod('out', 0o640)).toBe(0);
    expect(modeOf(root.stat('file'))).toBe(abi.S_IFREG | 0o640);
  });

  it('refuses bits that are no mode', () => {
    const { root } = guests({ file: 'x' });
    for (const mode of [0o10000, abi.S_IFREG | 0o644, -1]) expect(root.chmod('file', mode)).toBe(w.ERRNO_INVAL);
  });

  it('copies a file of the image up, and leaves the image as it is', () => {
    const { index, layer } = buildRootfs({ etc: { dir: { passwd: { file: 'root:x:0:0\n' } } } });
    const image = { index, layers: [layer] };
    const guest = new PosixGuest(new TestKernel(image));
    const before = guest.stat('etc/passwd');
    expect(guest.chmod('etc/passwd', 0o600)).toBe(0);
    expect(guest.chown('etc/passwd', 7, 8)).toBe(0);
    expect(guest.stat('etc/passwd')).toMatchObject({ mode: abi.S_IFREG | 0o600, uid: 7, gid: 8, size: 11n });
    const fd = guest.open(ROOT, 'etc/passwd');
    expect(guest.read(fd)).toBe('root:x:0:0\n');
    const other = new PosixGuest(new TestKernel(image));
    expect(other.stat('etc/passwd')).toEqual(before);
  });
});

describe('path_chown', () => {
  it('is for root; an owner may give a file to a group of his', () => {
    const { root, user } = guests({ file: 'x', link: { link: 'file' } });
    expect(user.chown('file', 1000, 100)).toBe(w.ERRNO_PERM);
    expect(root.chown('file', 1000, 1000)).toBe(0);
    expect(root.stat('file')).toMatchObject({ uid: 1000, gid: 1000 });
    expect(user.chown('file', p.ID_UNCHANGED, 100)).toBe(0);
    expect(user.chown('file', 1000, p.ID_UNCHANGED)).toBe(0);
    expect(user.chown('file', p.ID_UNCHANGED, 5)).toBe(w.ERRNO_PERM);
    expect(user.chown('file', 0, p.ID_UNCHANGED)).toBe(w.ERRNO_PERM);
    expect(root.stat('file')).toMatchObject({ uid: 1000, gid: 100 });
    expect(root.chown('link', 5, 6, { flags: 0 })).toBe(0);
    expect(root.stat('link', { flags: 0 })).toMatchObject({ uid: 5, gid: 6 });
    expect(root.stat('link')).toMatchObject({ uid: 1000, gid: 100 });
  });

  it('takes the set-id bits of a program, not of a directory', () => {
    const { root } = guests({ program: 'x', dir: null });
    expect(root.chmod('program', 0o6755)).toBe(0);
    expect(root.chmod('dir', 0o2755)).toBe(0);
    expect(root.chown('program', 1, 1)).toBe(0);
    expect(root.chown('dir', 1, 1)).toBe(0);
    expect(modeOf(root.stat('program'))).toBe(abi.S_IFREG | 0o755);
    expect(modeOf(root.stat('dir'))).toBe(abi.S_IFDIR | 0o2755);
  });
});

describe('descriptors that are fences', () => {
  it('keep these calls in, too', () => {
    const { root } = guests(
      { 'in/file': 'x', secret: 's', 'in/up': { link: '../secret' }, 'in/abs': { link: '/secret' } },
      { preopens: [{ name: '/in', path: '/in' }] },
    );
    for (const path of ['../secret', 'up', 'abs', '/secret', 'file/../../secret']) {
      for (const errno of [root.chmod(path, 0o777), root.chown(path, 1, 1), root.stat(path)]) {
        expect([w.ERRNO_NOTCAPABLE, w.ERRNO_NOTDIR], path).toContain(errno);
      }
    }
    expect(root.chmod('file', 0o600)).toBe(0);
  });

  it('need the rights that preview 1 has for the like', () => {
    const { root } = guests({ 'dir/file': 'x' });
    const blind = root.open(ROOT, 'dir', { oflags: w.OFLAG_DIRECTORY, rights: w.RIGHT_FD_READDIR });
    expect(root.chmod('file', 0o600, { fd: blind })).toBe(w.ERRNO_NOTCAPABLE);
    expect(root.chown('file', 0, 0, { fd: blind })).toBe(w.ERRNO_NOTCAPABLE);
    expect(root.stat('file', { fd: blind })).toBe(w.ERRNO_NOTCAPABLE);
  });
});

describe('a read-only root', () => {
  it('keeps its modes and owners', () => {
    const { kernel, root, user } = guests({ file: 'x' });
    kernel.exports.mount_root_flags!(abi.MOUNT_READONLY);
    expect(root.chmod('file', 0o600)).toBe(w.ERRNO_ROFS);
    expect(root.chown('file', 1, 1)).toBe(w.ERRNO_ROFS);
    expect(user.chmod('file', 0o600)).toBe(w.ERRNO_ROFS);
  });
});

describe('who a program is', () => {
  it('is told: user, group, pid and mask', () => {
    const { root, user } = guests({});
    expect(root.ids()).toEqual({ uid: 0, gid: 0, pid: 2, ppid: 0, umask: 0o022 });
    expect(user.ids()).toEqual({ uid: 1000, gid: 100, pid: 3, ppid: 0, umask: 0o022 });
  });

  it('can choose the mask of what it makes', () => {
    const { root } = guests({});
    expect(root.umask(0o77777)).toBe(0o022);
    expect(root.umask(0o027)).toBe(0o777);
    expect(root.ids().umask).toBe(0o027);
    root.open(ROOT, 'file', { oflags: w.OFLAG_CREAT });
    root.calls.path_create_directory!(ROOT, ...root.put('dir'));
    expect(modeOf(root.stat('file'))).toBe(abi.S_IFREG | 0o640);
    expect(modeOf(root.stat('dir'))).toBe(abi.S_IFDIR | 0o750);
  });
});

describe('fd_dup', () => {
  it('gives the least free descriptor, with one offset for both and the same rights', () => {
    const { root } = guests({ file: 'content' });
    const fd = root.open(ROOT, 'file');
    const copy = root.dup(fd);
    expect(copy).toBe(fd + 1);
    expect(root.rights(copy)).toEqual(root.rights(fd));
    expect(root.read(fd, 3)).toBe('con');
    expect(root.read(copy, 4)).toBe('tent');
    expect(root.calls.fd_close!(fd)).toBe(0);
    expect(root.dup(copy)).toBe(fd);
    expect(root.dup(77)).toBe(-w.ERRNO_BADF);
  });

  it('keeps a stream of the host open until its last descriptor is closed', () => {
    let text = '';
    let closed = 0;
    const stream = {
      write: (source: Uint8Array) => {
        text += new TextDecoder().decode(source);
        return source.length;
      },
      close: () => closed++,
    };
    const { root } = guests({}, { stdout: { stream } });
    const copy = root.dup(1);
    expect(root.calls.fd_close!(1)).toBe(0);
    expect([root.write(copy, 'kept'), text, closed]).toEqual([0, 'kept', 0]);
    expect(root.calls.fd_close!(copy)).toBe(0);
    expect(closed).toBe(1);
  });
});

describe('pointers', () => {
  it('out of bounds are EFAULT, before anything is done', () => {
    const { root } = guests({ file: 'x' });
    const end = root.memory.buffer.byteLength;
    const path = root.put('file');
    for (const at of [end - 3, end, 0xfffffff0 | 0, -1]) {
      expect(root.posix.path_stat!(ROOT, FOLLOW, ...path, at)).toBe(w.ERRNO_FAULT);
      expect(root.posix.fd_stat!(1, at)).toBe(w.ERRNO_FAULT);
      expect(root.posix.fd_dup!(1, at)).toBe(w.ERRNO_FAULT);
      expect(root.posix.proc_ids!(at)).toBe(w.ERRNO_FAULT);
      expect(root.posix.proc_umask!(0, at)).toBe(w.ERRNO_FAULT);
      expect(root.posix.path_chmod!(ROOT, FOLLOW, at, 4, 0)).toBe(w.ERRNO_FAULT);
      expect(root.posix.path_chown!(ROOT, FOLLOW, at, 4, 1, 1)).toBe(w.ERRNO_FAULT);
    }
    expect(root.posix.path_chmod!(ROOT, FOLLOW, path[0], 0x7fffffff, 0)).toBe(w.ERRNO_FAULT);
    expect(root.posix.path_chmod!(ROOT, FOLLOW, ...root.put(new Uint8Array(4096).fill(0x61)), 0)).toBe(
      w.ERRNO_NAMETOOLONG,
    );
    expect(root.umask(0o022)).toBe(0o022);
    expect(root.dup(0)).toBe(4);
  });
});

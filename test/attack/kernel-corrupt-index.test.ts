import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { ROOTFS_NODE_BYTES } from '../../src/core/abi/rootfs-index.ts';
import { isWctrError } from '../../src/errors.ts';
import { bootGuest, type Guest } from '../support/guest.ts';
import { buildRootfs, type Tree } from '../support/rootfs-builder.ts';

const TREE: Tree = {
  bin: {
    dir: { tool: { file: 'x'.repeat(6000), xattrs: { 'user.note': 'hello' } }, tool2: { hardlink: '/bin/tool' } },
  },
  etc: { dir: { conf: { file: 'a=b' }, link: { symlink: '../bin/tool' }, deep: { dir: { er: { dir: {} } } } } },
  sparse: {
    sparse: [
      [10, 'one'],
      [9000, 'two'],
    ],
    size: 12_000,
  },
  null: { device: (1 << 20) | 3 },
};
const { index, layer } = buildRootfs(TREE);
const PATHS = [
  '/bin/tool',
  '/bin/tool2',
  '/etc/conf',
  '/etc/link',
  '/etc/deep/er',
  '/etc/deep/er/..',
  '/sparse',
  '/null',
];
/** Linux's highest errno; the kernel's private ones, and results that are no errno at all, lie beyond. */
const LAST_ERRNO = 133;

/** Uses everything; each answer is a success or an errno. An access out of range would throw. */
function exercise(guest: Guest): void {
  const results: number[] = [];
  for (const path of PATHS) {
    const stat = guest.stat(path);
    results.push(typeof stat === 'number' ? stat : 0);
    const fd = guest.open(path, abi.O_RDWR);
    results.push(fd);
    if (fd >= 0) {
      results.push(guest.call('read_begin', fd, 100_000));
      results.push(guest.call('pread_begin', fd, 5000, 9001, 0));
      results.push(guest.call('pwrite_begin', fd, 10, 5000, 0));
      results.push(guest.call('ftruncate', fd, 4097, 0));
      guest.close(fd);
    }
    guest.path('user.note', abi.TASK_PATH_B);
    results.push(guest.call('getxattr', abi.AT_FDCWD, guest.path(path), 9, 0));
    results.push(guest.call('listxattr', abi.AT_FDCWD, guest.path(path), 0));
    results.push(guest.call('readlinkat', abi.AT_FDCWD, guest.path(path), 0));
  }
  for (const path of ['/', '/bin', '/etc', '/etc/deep']) {
    const names = guest.list(path);
    results.push(typeof names === 'number' ? names : 0);
  }
  results.push(guest.rename('/etc/deep', '/bin/deep'), guest.unlink('/bin/tool'), guest.unlink('/bin/tool2'));
  results.push(guest.rmdir('/bin/deep/er'), guest.rmdir('/bin/deep'), guest.writeFile('/bin/tool', 'new'));
  results.push(guest.mkdir('/etc/deep'), guest.unlink('/sparse'));
  for (const result of results) {
    if (result < -LAST_ERRNO) throw new Error(`errno ${-result}`);
  }
}

async function survive(bytes: Uint8Array): Promise<void> {
  let guest: Guest;
  try {
    guest = await bootGuest({ index: bytes, maxPages: 512 }, [layer]);
  } catch (error) {
    // The one answer to an index that is not sound.
    if (isWctrError(error) && ['store-corrupt', 'no-memory'].includes(error.code)) return;
    throw error;
  }
  exercise(guest);
  const broken = guest.check();
  // The index may lie about link counts; everything else holds.
  if (broken !== 17 && broken !== 16) expect(broken).toBe(0);
}

describe('a corrupt rootfs index', () => {
  it('is sound to begin with', async () => {
    const guest = await bootGuest({ index }, [layer]);
    exercise(guest);
    expect(guest.check()).toBe(0);
  });

  it('gives errors, never an access out of range, whatever bytes are changed', async () => {
    const edit = fc.tuple(
      fc.nat(index.length - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
      fc.constantFrom(1, 1, 4),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const bytes = index.slice();
        for (const [at, value, width] of edits) bytes.fill(value, at, at + width);
        await survive(bytes);
      }),
      { numRuns: 1500 },
    );
  });

  it('survives every node field set to extremes', async () => {
    const nodesAt = new DataView(index.buffer).getUint32(20, true);
    const count = new DataView(index.buffer).getUint32(16, true);
    for (let at = nodesAt; at < nodesAt + count * ROOTFS_NODE_BYTES; at += 4) {
      for (const value of [0, 1, 0x7fffffff, 0xffffffff]) {
        const bytes = index.slice();
        new DataView(bytes.buffer).setUint32(at, value, true);
        await survive(bytes);
      }
    }
  });

  it('survives every dirent and bucket pointing elsewhere', async () => {
    const view = new DataView(index.buffer);
    const [from, to] = [view.getUint32(28, true), view.getUint32(40, true)];
    for (let at = from; at < to; at += 4) {
      for (const value of [0, 1, 2, 5, 0xffff, 0xffffffff]) {
        const bytes = index.slice();
        new DataView(bytes.buffer).setUint32(at, value, true);
        await survive(bytes);
      }
    }
  });

  it('is refused when it is cut short or not an index', async () => {
    for (const bytes of [index.slice(0, 95), index.slice(0, -8), new Uint8Array(200), index.slice(0, 1)]) {
      await expect(bootGuest({ index: bytes })).rejects.toMatchObject({ code: 'store-corrupt' });
    }
  });
});

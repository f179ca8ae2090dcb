import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { readChanges } from '../../../src/core/upper-changes.ts';
import { NodeJournal } from '../../../src/host/node/journal-file.ts';
import { bootGuest, Guest, ok } from '../../support/guest.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';
import { bootKept, MemoryJournal, treeOf } from '../../support/upper.ts';

const { index, layer } = buildRootfs({
  etc: { dir: { hosts: { file: 'image' }, passwd: { file: 'root' } } },
  usr: { dir: { lib: { dir: { a: { file: 'aaaa' }, b: { file: 'bbbb' }, deep: { dir: { c: { file: 'c' } } } } } } },
  one: { file: 'x'.repeat(10_000) },
  two: { hardlink: '/one' },
});
const config = { index };
const layers = [layer];

function changesOf(guest: Guest): string[] {
  const flags = (change: { opaque: boolean }) => (change.opaque ? ' opaque' : '');
  return readChanges(guest.kernel, guest.t).map((change) => `${change.kind} ${change.path}${flags(change)}`);
}

function setUp(guest: Guest): void {
  ok(guest.writeFile('/etc/hosts', 'ours'));
  ok(guest.writeFile('/etc/hostname', 'name'));
  for (const path of ['/work', '/work/sub']) expect([0, -abi.EEXIST]).toContain(guest.mkdir(path));
}

describe('the writable layer', () => {
  it('does not count what was there before the guest', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers, setUp);
    expect(changesOf(guest)).toEqual([]);
    const empty = store.bytes.length;
    journal.sync(guest.t);
    expect(store.bytes.length).toBe(empty);
    ok(guest.writeFile('/etc/hosts', 'guest'));
    journal.sync(guest.t);
    expect(changesOf(guest)).toEqual([]);
    ok(guest.writeFile('/work/sub/file', 'kept'));
    journal.sync(guest.t);
    expect(changesOf(guest)).toEqual(['A /work', 'A /work/sub', 'A /work/sub/file']);
    const again = await bootKept(store, config, layers, setUp);
    expect(again.guest.readFile('/work/sub/file')).toBe('kept');
    expect(again.guest.readFile('/etc/hosts')).toBe('ours');
    expect(changesOf(again.guest)).toEqual(['A /work', 'A /work/sub', 'A /work/sub/file']);
    expect(again.guest.check()).toBe(0);
  });

  it('lists changes as docker diff does, before and after a restart', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers);
    ok(guest.writeFile('/usr/lib/new', 'new'));
    ok(guest.unlink('/usr/lib/a'));
    ok(guest.call('fchmodat', abi.AT_FDCWD, guest.path('/etc/passwd'), 0o600, 0));
    ok(guest.rename('/usr/lib/deep', '/moved'));
    ok(guest.mkdir('/usr/lib/deep'));
    ok(guest.unlink('/two'));
    ok(guest.symlink('one', '/two'));
    const expected = [
      'C /etc',
      'C /etc/passwd',
      'A /moved',
      'A /moved/c',
      'C /one',
      'C /two',
      'C /usr',
      'C /usr/lib',
      'D /usr/lib/a',
      'C /usr/lib/deep opaque',
      'A /usr/lib/new',
    ];
    // The other name of a file that lost one is not its change.
    const seen = () => changesOf(guest).filter((line) => line !== 'C /one');
    const without = expected.filter((line) => line !== 'C /one');
    expect(seen()).toEqual(without);
    journal.sync(guest.t);
    const again = await bootKept(store, config, layers);
    expect(changesOf(again.guest).filter((line) => line !== 'C /one')).toEqual(without);
    journal.compact(guest.t, true);
    const third = await bootKept(store, config, layers);
    expect(changesOf(third.guest).filter((line) => line !== 'C /one')).toEqual(without);
  });

  it('writes only what changed of a large file', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers);
    ok(guest.writeFile('/big', new Uint8Array(1 << 20).fill(1)));
    journal.sync(guest.t);
    const before = store.bytes.length;
    const fd = ok(guest.open('/big', abi.O_WRONLY));
    ok(guest.write(fd, 'end', 1 << 20));
    ok(guest.write(fd, 'start', 0));
    journal.sync(guest.t);
    expect(store.bytes.length - before).toBeLessThan(500);
    const again = await bootKept(store, config, layers);
    expect(treeOf(again.guest)).toEqual(treeOf(guest));
  });

  it('adds one name to a directory of many without writing the others', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, {}, []);
    ok(guest.mkdir('/d'));
    for (let i = 0; i < 2000; i++) ok(guest.writeFile(`/d/${i}`, ''));
    journal.sync(guest.t);
    const before = store.bytes.length;
    ok(guest.writeFile('/d/more', ''));
    journal.sync(guest.t);
    expect(store.bytes.length - before).toBeLessThan(500);
  });

  it('forgets nothing when the disk is full for a while', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers);
    ok(guest.writeFile('/a', 'one'));
    journal.sync(guest.t);
    ok(guest.unlink('/a'));
    ok(guest.writeFile('/b', 'two'));
    store.failing = true;
    expect(journal.trySync(guest.t)).toBe(-abi.ENOSPC);
    expect(() => journal.compact(guest.t, true)).toThrow(expect.objectContaining({ code: 'no-space' }));
    store.failing = false;
    journal.sync(guest.t);
    const again = await bootKept(store, config, layers);
    expect(treeOf(again.guest)).toEqual(treeOf(guest));
  });

  it('keeps temporary files that came and went out of the journal', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers);
    for (let i = 0; i < 500; i++) {
      ok(guest.writeFile('/tmp-file', 'x'.repeat(100)));
      ok(guest.unlink('/tmp-file'));
    }
    journal.sync(guest.t);
    expect(store.bytes.length).toBeLessThan(600);
  });

  it('is not there without CONFIG_JOURNAL', async () => {
    const guest = await bootGuest(config, layers);
    expect(guest.kernel.calls.upper_baseline!()).toBe(-abi.EINVAL);
    expect(guest.call('upper_sync')).toBe(-abi.EINVAL);
    expect(guest.call('upper_changes', 0, 0)).toBe(-abi.EINVAL);
  });

  it('refuses a journal of another image or another format', async () => {
    const store = new MemoryJournal();
    await bootKept(store, config, layers);
    const other = store.bytes.slice();
    other[8] = 9;
    await expect(bootKept(new MemoryJournal(other), config, layers)).rejects.toMatchObject({ code: 'store-corrupt' });
    const foreign = store.bytes.slice();
    foreign[0] = 0;
    await expect(bootKept(new MemoryJournal(foreign), config, layers)).rejects.toMatchObject({ code: 'store-corrupt' });
  });

  it('leaves tmpfs mounts alone', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, config, layers, (first) => {
      ok(first.mkdir('/run'));
      ok(first.call('mount_tmpfs', first.path('/run'), 0, 0o755, 0));
    });
    ok(guest.writeFile('/run/pid', '1'));
    expect(changesOf(guest)).toEqual([]);
    const before = store.bytes.length;
    journal.sync(guest.t);
    expect(store.bytes.length).toBe(before);
  });

  it('is kept in a file that is replaced when it has grown', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wctr-journal-'));
    try {
      const path = join(directory, 'upper.journal');
      const { guest, journal } = await bootKept(new NodeJournal(path), { flags: abi.CONFIG_SHARED, index }, layers);
      // A second thread's journal goes on in the file that took the place of the one it had open.
      const worker = new NodeJournal(path);
      for (let i = 0; i < 300; i++) {
        ok(guest.writeFile('/file', new Uint8Array(65536).fill(i)));
        journal.sync(guest.t);
      }
      expect(readFileSync(path).length).toBeGreaterThan(16 << 20);
      expect(journal.compact(guest.t)).toBe(true);
      expect(readFileSync(path).length).toBeLessThan(70_000);
      expect(journal.compact(guest.t)).toBe(false);
      ok(guest.writeFile('/file2', 'after'));
      journal.sync(guest.t);
      journal.close();
      const torn = readFileSync(path);
      writeFileSync(path, torn.subarray(0, torn.length - 1));
      const again = await bootKept(worker, config, layers);
      expect(again.replayed).toMatchObject({ transactions: 1 });
      expect(again.guest.readFile('/file2')).toBe(-abi.ENOENT);
      expect(again.guest.lstat('/file')).toMatchObject({ size: 65536 });
      again.journal.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('survives threads that write and sync over one shared memory', async () => {
    const store = new MemoryJournal();
    const { guest, journal } = await bootKept(store, { flags: abi.CONFIG_SHARED, index }, layers);
    const second = Guest.create(guest.kernel, layers);
    const fd = ok(guest.open('/log', abi.O_WRONLY | abi.O_CREAT | abi.O_APPEND));
    const other = ok(second.open('/log', abi.O_WRONLY | abi.O_APPEND));
    for (let i = 0; i < 50; i++) {
      ok(guest.write(fd, 'a'));
      journal.sync(second.t);
      ok(second.write(other, 'b'));
    }
    journal.sync(guest.t);
    const again = await bootKept(store, config, layers);
    expect(again.guest.readFile('/log')).toBe('ab'.repeat(50));
  });
});

describe('process_next', () => {
  it('lists processes by pid', async () => {
    const guest = await bootGuest();
    const child = Guest.create(guest.kernel, [], 7, 8);
    const forked = ok(child.call('process_fork'));
    const pids: number[][] = [];
    for (let pid = ok(guest.call('process_next', 0)); pid > 0; pid = guest.call('process_next', pid)) {
      pids.push([pid, guest.r(0), guest.r(1), guest.r(2), guest.r(3)]);
    }
    expect(pids).toEqual([
      [1, 0, 0, 0, 0],
      [2, 0, 7, 8, 0],
      [3, 2, 7, 8, 0],
    ]);
    guest.kernel.calls.process_exit!(forked, 3);
    ok(guest.call('process_next', 2));
    expect(guest.r(3)).toBe(1);
  });
});

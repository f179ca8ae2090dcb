import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok, type Stat } from '../../support/guest.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';

const image = () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`lower-${i}`, { file: 'x' }]));
  return buildRootfs({ d: { dir: files } });
};

async function directory(): Promise<{ guest: Guest; fd: number }> {
  const { index, layer } = image();
  const guest = await bootGuest({ index }, [layer]);
  for (let i = 0; i < 20; i++) guest.writeFile(`/d/upper-${i}`, 'x');
  return { guest, fd: ok(guest.open('/d', abi.O_DIRECTORY)) };
}

/** Reads on from a cookie, a few entries at a time; `between` runs after each. */
function iterate(guest: Guest, fd: number, between: (round: number) => void = () => {}): string[] {
  const names: string[] = [];
  let cookie = 0n;
  for (let round = 0; ; round++) {
    const part = guest.entries(fd, cookie, 100);
    if (typeof part === 'number') throw new Error(`errno ${-part}`);
    if (part.length === 0) return names;
    names.push(...part.map(({ name }) => name));
    cookie = part.at(-1)!.next;
    between(round);
  }
}

const all = [...Array(20).keys()].flatMap((i) => [`lower-${i}`, `upper-${i}`]);

describe('readdir', () => {
  it('gives every name once, dots first, with inode and type', async () => {
    const { guest, fd } = await directory();
    const names = iterate(guest, fd);
    expect(names.slice(0, 2)).toEqual(['.', '..']);
    expect(names.slice(2).sort()).toEqual([...all].sort());
    const [dot, , first] = guest.entries(fd) as { ino: number; type: number; name: string }[];
    expect(dot).toMatchObject({ ino: (guest.stat('/d') as Stat).ino, type: 4 });
    expect(first).toMatchObject({ ino: (guest.stat(`/d/${first!.name}`) as Stat).ino, type: 8 });
  });

  it('neither loses nor repeats others while entries are removed', async () => {
    const { guest, fd } = await directory();
    const removed = new Set<string>();
    const names = iterate(guest, fd, (round) => {
      for (const name of [`lower-${round}`, `upper-${19 - round}`])
        if (guest.unlink(`/d/${name}`) === 0) removed.add(name);
    });
    expect(new Set(names).size).toBe(names.length);
    for (const name of all) if (!removed.has(name)) expect(names).toContain(name);
  });

  it('neither loses nor repeats others while entries are added and renamed', async () => {
    const { guest, fd } = await directory();
    const names = iterate(guest, fd, (round) => {
      if (round < 30) guest.writeFile(`/d/new-${round}`, '');
      if (round < 10) guest.rename(`/d/new-${round}`, `/d/renamed-${round}`);
    });
    const old = names.filter((name) => all.includes(name));
    expect(old.sort()).toEqual([...all].sort());
  });

  it('shows a replaced name of the image at its old place, once', async () => {
    const { guest, fd } = await directory();
    const before = iterate(guest, fd);
    guest.unlink('/d/lower-3');
    guest.mkdir('/d/lower-3');
    guest.rename('/d/upper-1', '/d/lower-4');
    const after = iterate(guest, fd);
    expect(after).toEqual(before.filter((name) => name !== 'upper-1'));
    const entry = (guest.entries(fd) as { name: string; type: number }[]).find(({ name }) => name === 'lower-3');
    expect(entry?.type).toBe(4);
  });

  it('does not show the image through a directory made anew', async () => {
    const { guest, fd } = await directory();
    guest.close(fd);
    for (const name of all) expect(guest.unlink(`/d/${name}`)).toBe(0);
    expect(guest.list('/d')).toEqual([]);
    expect(guest.rmdir('/d')).toBe(0);
    expect(guest.mkdir('/d')).toBe(0);
    expect(guest.list('/d')).toEqual([]);
    expect(guest.stat('/d/lower-1')).toBe(-abi.ENOENT);
    expect(guest.check()).toBe(0);
  });

  it('says when not even one record fits, and refuses what is no directory', async () => {
    const { guest, fd } = await directory();
    expect(guest.entries(fd, 0n, 16)).toBe(-abi.EINVAL);
    expect(guest.entries(ok(guest.open('/d/lower-1')))).toBe(-abi.ENOTDIR);
    expect(guest.entries(99)).toBe(-abi.EBADF);
  });

  it('takes any cookie', async () => {
    const { guest, fd } = await directory();
    for (const cookie of [41n, 42n, 1000n, 1n << 32n, (1n << 63n) + 5n, (1n << 64n) - 1n]) {
      const part = guest.entries(fd, cookie);
      expect(Array.isArray(part) ? part.length : part).toBeLessThan(3);
    }
  });

  it('moves a directory of the image with all it holds', async () => {
    const { guest } = await directory();
    const before = guest.list('/d');
    guest.mkdir('/other');
    expect(guest.rename('/d', '/other/e')).toBe(0);
    expect(guest.list('/other/e')).toEqual(before);
    expect(guest.readFile('/other/e/lower-7')).toBe('x');
    expect(guest.stat('/d')).toBe(-abi.ENOENT);
    expect(guest.mkdir('/d')).toBe(0);
    expect(guest.list('/d')).toEqual([]);
    expect((guest.stat('/other') as Stat).nlink).toBe(3);
    expect(guest.check()).toBe(0);
  });
});

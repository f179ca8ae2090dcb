/**
 * THREATS.md, "WASI path walk" and "Guest makes the host allocate": what a hostile guest does with its imports. Path
 * escapes as single calls are in test/conformance/cases/path-escape.c.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { WasiProcess } from '../../src/host/wasi/run.ts';
import * as w from '../../src/spec/wasi-preview1.ts';
import { TestGuest } from '../support/wasi-guest.ts';
import { TestKernel } from '../support/wasi-kernel.ts';

const READ_DIRECTORY = w.RIGHT_PATH_OPEN | w.RIGHT_FD_READDIR;

describe('random calls', () => {
  const NUMBERS = fc.oneof(
    fc.integer({ min: -2, max: 12 }),
    fc.integer(),
    fc.constantFrom(0x7fffffff, -0x80000000, 65535, 262143, 262144, 1024, 1023),
  );

  it('answer an errno, whatever the arguments, and never throw into the guest', () => {
    const kernel = new TestKernel({ config: { [abi.CONFIG_BYTE_QUOTA]: 4 << 20, [abi.CONFIG_NOFILE]: 64 } });
    kernel.write({ 'dir/file': 'content', link: { link: 'dir' } });
    const guest = new TestGuest(kernel, { deterministic: true });
    guest.put('dir/file\0link\0../x\0');
    const names = Object.keys(guest.calls).filter((name) => !name.startsWith('proc_'));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(NUMBERS, { minLength: 9, maxLength: 9 }), (name, values) => {
        const errno = call(guest, name, values);
        expect(Number.isInteger(errno) && errno >= 0 && errno <= w.ERRNO_NOTCAPABLE, `${name}: ${errno}`).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(kernel.exports.kernel_check!()).toBe(0);
  });

  /** Functions with 64-bit parameters want BigInts in their place. */
  function call(guest: TestGuest, name: string, values: number[]): number {
    const wide: Record<string, number[]> = {
      clock_time_get: [1],
      fd_advise: [1, 2],
      fd_allocate: [1, 2],
      fd_fdstat_set_rights: [1, 2],
      fd_filestat_set_size: [1],
      fd_filestat_set_times: [1, 2],
      fd_pread: [3],
      fd_pwrite: [3],
      fd_readdir: [3],
      fd_seek: [1],
      path_filestat_set_times: [4, 5],
      path_open: [5, 6],
    };
    const places = wide[name] ?? [];
    return guest.calls[name]!(...values.map((value, i) => (places.includes(i) ? BigInt(value) : value)));
  }
});

describe('floods', () => {
  it('of buffers: the count is capped, overlapping ones cost the host nothing', () => {
    const kernel = new TestKernel({ config: { [abi.CONFIG_BYTE_QUOTA]: 1 << 20 } });
    let largest = 0;
    let total = 0;
    const stdout = {
      write(source: Uint8Array) {
        largest = Math.max(largest, source.length);
        total += source.length;
        return source.length;
      },
    };
    const guest = new TestGuest(kernel, { stdout: { stream: stdout }, stdin: { stream: { read: (t) => t.length } } });
    const whole: [number, number] = [0, guest.memory.buffer.byteLength];
    const result = guest.room(4);
    const all = guest.vector(...Array.from({ length: 1024 }, () => whole));
    for (const count of [1025, 0x7fffffff, 0xffffffff | 0]) {
      expect(guest.calls.fd_write!(1, all[0], count, result)).toBe(w.ERRNO_INVAL);
      expect(guest.calls.fd_read!(0, all[0], count, result)).toBe(w.ERRNO_INVAL);
    }
    expect(guest.calls.fd_write!(1, ...all, result)).toBe(0);
    expect(largest).toBe(whole[1]);
    expect(total).toBe(guest.view.getUint32(result, true));
    const fd = guest.open(3, 'f', { oflags: w.OFLAG_CREAT, rights: w.RIGHT_FD_WRITE });
    expect(guest.calls.fd_write!(fd, ...all, result)).toBe(0);
    expect(guest.view.getUint32(result, true)).toBeLessThanOrEqual(1 << 20);
    expect(guest.write(fd, 'more'.repeat(100))).toBe(w.ERRNO_NOSPC);
    expect(kernel.exports.kernel_data_bytes!()).toBeLessThanOrEqual(1 << 20);
    // Read last, as it overwrites the guest.
    expect(guest.calls.fd_read!(0, ...all, result)).toBe(0);
  });

  it('of random bytes: no more than the guest can hold, in bounded pieces', () => {
    let largest = 0;
    const random = {
      fill(target: Uint8Array) {
        largest = Math.max(largest, target.length);
      },
    };
    const guest = new TestGuest(new TestKernel(), { random });
    expect(guest.calls.random_get!(0, guest.memory.buffer.byteLength)).toBe(0);
    expect(guest.calls.random_get!(0, 0x7fffffff)).toBe(w.ERRNO_FAULT);
    expect(guest.calls.random_get!(1, guest.memory.buffer.byteLength)).toBe(w.ERRNO_FAULT);
    expect(largest).toBe(65536);
  });

  it('of subscriptions: capped', () => {
    const guest = new TestGuest(new TestKernel(), { deterministic: true });
    guest.memory.grow(8);
    const result = guest.room(4);
    expect(guest.calls.poll_oneoff!(65536, 65536, 4097, result)).toBe(w.ERRNO_INVAL);
    expect(guest.calls.poll_oneoff!(65536, 65536, 0xffffffff | 0, result)).toBe(w.ERRNO_INVAL);
    // In and out overlap: 4096 clocks, all due.
    expect(guest.calls.poll_oneoff!(65536, 65536, 4096, result)).toBe(0);
    expect(guest.view.getUint32(result, true)).toBe(4096);
  });

  it('of descriptors: EMFILE, the rest goes on', () => {
    const kernel = new TestKernel({ config: { [abi.CONFIG_NOFILE]: 100 } });
    kernel.write({ file: 'x' });
    const guest = new TestGuest(kernel);
    const neighbour = new TestGuest(kernel);
    const opened: number[] = [];
    let last = 0;
    for (let i = 0; i < 1000 && last >= 0; i++) {
      last = guest.open(3, 'file');
      if (last >= 0) opened.push(last);
    }
    expect(last).toBe(-w.ERRNO_MFILE);
    expect(opened.length).toBe(96);
    expect(neighbour.read(neighbour.open(3, 'file'))).toBe('x');
    expect(guest.calls.fd_close!(opened[7]!)).toBe(0);
    expect(guest.open(3, 'file')).toBe(opened[7]);
  });

  it('of names, directories and links: quotas and lengths hold', () => {
    const kernel = new TestKernel({ config: { [abi.CONFIG_INODE_QUOTA]: 500 } });
    const guest = new TestGuest(kernel);
    const mkdir = (path: string) => guest.calls.path_create_directory!(3, ...guest.put(path));
    expect(mkdir('n'.repeat(256))).toBe(w.ERRNO_NAMETOOLONG);
    expect(mkdir('n/'.repeat(4000))).toBe(w.ERRNO_NAMETOOLONG);
    let made = 0;
    let errno = 0;
    while (errno === 0 && made < 2000) {
      errno = mkdir(`d${made}`);
      if (errno === 0) made++;
    }
    expect([errno, made < 501]).toEqual([w.ERRNO_NOSPC, true]);
    expect(guest.open(3, 'd0', { rights: READ_DIRECTORY })).toBeGreaterThan(3);
  });

  it('of links: a chain of 41 is one too many', () => {
    const kernel = new TestKernel();
    kernel.write({ file: 'end' });
    const guest = new TestGuest(kernel);
    let before = 'file';
    for (let i = 1; i <= 41; i++) {
      expect(guest.calls.path_symlink!(...guest.put(before), 3, ...guest.put(`l${i}`))).toBe(0);
      before = `l${i}`;
    }
    expect(guest.read(guest.open(3, 'l40'))).toBe('end');
    expect(guest.open(3, 'l41')).toBe(-w.ERRNO_LOOP);
  });
});

describe('rights', () => {
  it('are never wider than what they came from', () => {
    const kernel = new TestKernel();
    kernel.write({ 'a/b/file': 'x', 'a/file': 'y' });
    const step = fc.record({
      from: fc.nat(20),
      path: fc.constantFrom('.', 'a', 'b', 'a/b', 'file', 'b/file', 'a/b/file'),
      base: fc.nat(w.RIGHTS_ALL),
      inheriting: fc.nat(w.RIGHTS_ALL),
      narrow: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const guest = new TestGuest(kernel);
        const held = [3];
        for (const { from, path, base, inheriting, narrow } of steps) {
          const fd = held[from % held.length]!;
          const [ownBase, ownInheriting] = guest.rights(fd);
          if (narrow) {
            const errno = guest.calls.fd_fdstat_set_rights!(fd, BigInt(base), BigInt(inheriting));
            const wider = (base & ~ownBase) | (inheriting & ~ownInheriting);
            expect(errno).toBe(wider === 0 ? 0 : w.ERRNO_NOTCAPABLE);
            continue;
          }
          const opened = guest.open(fd, path, { rights: base, inheriting });
          if (opened < 0) continue;
          held.push(opened);
          const [newBase, newInheriting] = guest.rights(opened);
          expect(newBase & ~ownInheriting).toBe(0);
          expect(newInheriting & ~ownInheriting).toBe(0);
          expect(newBase & ~base).toBe(0);
        }
        guest.process.close(0);
      }),
      { numRuns: 300 },
    );
  });

  it('of a directory do not pass when both ends of a call are not held', () => {
    const kernel = new TestKernel();
    kernel.write({ 'a/file': 'x', 'b/': null });
    const guest = new TestGuest(kernel);
    const source = guest.open(3, 'a', { rights: w.RIGHT_PATH_RENAME_SOURCE | w.RIGHT_PATH_LINK_SOURCE });
    const target = guest.open(3, 'b', { rights: w.RIGHT_PATH_RENAME_TARGET | w.RIGHT_PATH_LINK_TARGET });
    const file = () => guest.put('file');
    expect(guest.calls.path_rename!(target, ...file(), source, ...file())).toBe(w.ERRNO_NOTCAPABLE);
    expect(guest.calls.path_link!(target, 0, ...file(), source, ...file())).toBe(w.ERRNO_NOTCAPABLE);
    expect(guest.calls.path_link!(source, 0, ...file(), target, ...file())).toBe(0);
    expect(guest.calls.path_rename!(source, ...file(), target, ...file())).toBe(0);
  });
});

describe('a caught exit', () => {
  it('is still the end', () => {
    const process = new WasiProcess(new TestKernel());
    process.open({ args: [] });
    const { proc_exit } = process.imports.wasi_snapshot_preview1 as Record<string, (code: number) => void>;
    const end = process.run(undefined, () => {
      for (let i = 5; i < 100; i++) {
        try {
          proc_exit!(i);
        } catch {}
      }
    });
    expect(end).toEqual({ kind: 'exit', exitCode: 5 });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { bootGuest, type Guest, ok } from '../support/guest.ts';

const FILES = 12;

/** One step on file `f`: write at a place, cut, or remove. Sizes span chunks, single pages and long extents. */
const step = fc.record({
  f: fc.nat(FILES - 1),
  kind: fc.constantFrom('write', 'write', 'write', 'cut', 'remove'),
  at: fc.oneof(fc.nat(3000), fc.nat(300_000)),
  length: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 200_000 })),
});

function apply(guest: Guest, { f, kind, at, length }: { f: number; kind: string; at: number; length: number }): void {
  const path = `/file-${f}`;
  if (kind === 'remove') {
    guest.unlink(path);
    return;
  }
  const fd = ok(guest.open(path, abi.O_RDWR | abi.O_CREAT));
  if (kind === 'cut') ok(guest.call('ftruncate', fd, at, 0));
  else expect(guest.write(fd, new Uint8Array(length).fill(f + 1), at)).toBe(length);
  guest.close(fd);
}

describe('memory of the kernel', () => {
  it('all comes back, in whatever order pieces were taken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }), async (steps) => {
        const guest = await bootGuest({ maxPages: 1024 });
        for (const each of steps) {
          apply(guest, each);
          expect(guest.check()).toBe(0);
        }
        // Files hold their own byte or zeros, so no page belongs to two of them.
        for (let f = 0; f < FILES; f++) {
          const fd = guest.open(`/file-${f}`);
          if (fd < 0) continue;
          for (let part = guest.read(fd, 65536); (part as Uint8Array).length > 0; part = guest.read(fd, 65536)) {
            expect((part as Uint8Array).every((byte) => byte === 0 || byte === f + 1)).toBe(true);
          }
          guest.close(fd);
        }
        for (let f = 0; f < FILES; f++) guest.unlink(`/file-${f}`);
        expect(guest.kernel.calls.kernel_data_bytes!()).toBe(0);
        expect(guest.kernel.calls.kernel_used_bytes!()).toBeLessThan(40 * 4096);
        expect(guest.check()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('is flat over 100,000 rounds of create, write and remove', async () => {
    const guest = await bootGuest({ maxPages: 256 });
    const { openat, close, write_begin: write, unlinkat } = guest.kernel.calls;
    const length = guest.path('round');
    const round = (i: number) => {
      const fd = openat!(guest.t, abi.AT_FDCWD, length, abi.O_WRONLY | abi.O_CREAT, 0o644, 0);
      write!(guest.t, fd, 1 + ((i * 7919) % 20_000));
      close!(guest.t, fd);
      unlinkat!(guest.t, abi.AT_FDCWD, length, 0);
    };
    for (let i = 0; i < 5000; i++) round(i);
    const used = guest.kernel.calls.kernel_used_bytes!();
    const size = guest.kernel.memory.buffer.byteLength;
    for (let i = 0; i < 100_000; i++) round(i);
    expect(guest.kernel.calls.kernel_used_bytes!()).toBe(used);
    expect(guest.kernel.memory.buffer.byteLength).toBe(size);
    expect(guest.check()).toBe(0);
  });
});

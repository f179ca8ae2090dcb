/** Journals whose checksums are right and whose contents are not: an error, never a trap, a hang or a broken kernel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import type { Kernel } from '../../src/core/kernel.ts';
import { LOWER, onKernel, op } from '../support/fs-operations.ts';
import { bootGuest, type Guest } from '../support/guest.ts';
import { buildRootfs } from '../support/rootfs-builder.ts';
import { bootKept, MemoryJournal } from '../support/upper.ts';

const { index, layer } = buildRootfs(LOWER);
const FRAME = abi.JOURNAL_HEADER_BYTES;

/** Gives metadata and data to a fresh kernel as replay does; the kernel and the first error. */
async function feed(metadata: Uint8Array, data: Uint8Array): Promise<{ guest: Guest; result: number }> {
  const guest = await bootGuest({ index, maxPages: 256 }, [layer]);
  const { calls, memory } = guest.kernel as Kernel;
  const buffer = calls.upper_buffer!(metadata.length) >>> 0;
  new Uint8Array(memory.buffer).set(metadata, buffer);
  const first = calls.upper_apply!(metadata.length);
  if (first < 0) return { guest, result: first };
  new Uint8Array(memory.buffer).set(data, buffer + Math.ceil(metadata.length / 16) * 16);
  const second = data.length === 0 ? 0 : calls.upper_data!(guest.t, data.length);
  if (second < 0) return { guest, result: second };
  return { guest, result: calls.upper_end!() };
}

async function sample(seed: number): Promise<{ metadata: Uint8Array; data: Uint8Array }> {
  const store = new MemoryJournal();
  const { guest, journal } = await bootKept(store, { index }, [layer]);
  const small = op.filter((one) => !('length' in one && one.length > 2000) && !('size' in one && one.size > 5000));
  for (const one of fc.sample(small, { numRuns: 60, seed })) onKernel(guest, one);
  journal.sync(guest.t);
  const length = new DataView(store.bytes.buffer).getUint32(FRAME + 8, true);
  const at = FRAME + abi.TRANSACTION_BYTES;
  return { metadata: store.bytes.slice(at, at + length), data: store.bytes.slice(at + length) };
}

/** No reading: a file may say that it is huge. */
const quiet = op.filter((one) => one.op !== 'read');

/** Walks all there is; how many names. */
function look(guest: Guest, path = ''): number {
  const names = guest.list(path === '' ? '/' : path);
  if (typeof names === 'number') return 0;
  let count = names.length;
  for (const name of names) {
    const at = `${path}/${name}`;
    const stat = guest.lstat(at);
    if (typeof stat === 'number') continue;
    if ((stat.mode & abi.S_IFMT) === abi.S_IFDIR) count += look(guest, at);
    if ((stat.mode & abi.S_IFMT) === abi.S_IFLNK) guest.readlink(at);
  }
  return count;
}

/** Where numbers that matter lie: every 8 bytes of the records. */
const edit = fc.record({
  at: fc.nat(),
  value: fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0o40755, 0o100644, 0o120777, 0o10644),
    fc.integer({ min: 0, max: 40 }),
    fc.nat(0xffffffff),
  ),
  width: fc.constantFrom(1, 2, 4),
});

describe('a hostile journal', () => {
  it('changes at some places gives an error or a sound kernel', async () => {
    const samples = await Promise.all([1, 2, 3, 4].map(sample));
    let refused = 0;
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.array(edit, { minLength: 1, maxLength: 4 }), async (which, edits) => {
        const { metadata, data } = samples[which]!;
        const bytes = metadata.slice();
        const view = new DataView(bytes.buffer);
        for (const { at, value, width } of edits) {
          const place = (at % (bytes.length - 4)) & ~(width - 1);
          if (width === 1) view.setUint8(place, value & 0xff);
          else if (width === 2) view.setUint16(place, value & 0xffff, true);
          else view.setUint32(place, value, true);
        }
        const { guest, result } = await feed(bytes, data.subarray(0, abi.UPPER_PIECE_BYTES));
        if (result < 0) {
          refused++;
          return;
        }
        taken++;
        look(guest);
        for (const one of fc.sample(quiet, { numRuns: 20, seed: which })) onKernel(guest, one);
      }),
      { numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(50);
    expect(taken).toBeGreaterThan(50);
  });

  it('of other numbers for inodes never makes a loop of directories', async () => {
    const { metadata, data } = await sample(5);
    const view = new DataView(metadata.buffer, metadata.byteOffset);
    const numbers: { at: number; value: bigint }[] = [];
    for (let at = 0; at < metadata.length; ) {
      const type = view.getUint16(at, true);
      const name = view.getUint16(at + 2, true);
      if (type === abi.RECORD_NAME)
        numbers.push(...[8, 16].map((i) => ({ at: at + i, value: view.getBigUint64(at + i, true) })));
      if (type === abi.RECORD_INODE) numbers.push({ at: at + 8, value: view.getBigUint64(at + 8, true) });
      if (type === abi.RECORD_NAME) at += abi.RECORD_NAME_BYTES + name;
      else if (type === abi.RECORD_INODE) at += abi.RECORD_INODE_BYTES + name + view.getUint32(at + 88, true);
      else at += 16;
    }
    const pick = fc.tuple(fc.nat(numbers.length - 1), fc.nat(numbers.length - 1));
    await fc.assert(
      fc.asyncProperty(fc.array(pick, { minLength: 1, maxLength: 6 }), async (swaps) => {
        const bytes = metadata.slice();
        const copy = new DataView(bytes.buffer);
        for (const [to, from] of swaps) copy.setBigUint64(numbers[to]!.at, numbers[from]!.value, true);
        const { guest, result } = await feed(bytes, data.subarray(0, abi.UPPER_PIECE_BYTES));
        if (result < 0) return;
        look(guest);
        for (const one of fc.sample(quiet, { numRuns: 10, seed: 1 })) onKernel(guest, one);
      }),
      { numRuns: 400 },
    );
  });

  it('of random bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const { result } = await feed(bytes, new Uint8Array());
        expect(result).toBeLessThan(0);
      }),
      { numRuns: 100 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { WctrError } from '../../src/errors.ts';
import { LOWER, type Op, onKernel, op } from '../support/fs-operations.ts';
import type { Guest } from '../support/guest.ts';
import { buildRootfs, type Tree } from '../support/rootfs-builder.ts';
import { bootKept, MemoryJournal, treeOf } from '../support/upper.ts';

type Step =
  | Op
  | { op: 'sync' }
  | { op: 'snapshot' }
  | { op: 'chmod'; path: string; mode: number }
  | { op: 'utimes'; path: string; time: number }
  | { op: 'mkfifo'; path: string };

const path = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: op as fc.Arbitrary<Step> },
  { weight: 2, arbitrary: fc.constant<Step>({ op: 'sync' }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('chmod' as const), path, mode: fc.integer({ min: 0, max: 0o777 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('utimes' as const), path, time: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('mkfifo' as const), path }) },
);

function apply(guest: Guest, one: Step): void {
  const at = abi.AT_FDCWD;
  if (one.op === 'chmod') guest.call('fchmodat', at, guest.path(one.path), one.mode, 0);
  else if (one.op === 'utimes') guest.call('utimensat', at, guest.path(one.path), 3, one.time, 1, one.time, 2, 0);
  else if (one.op === 'mkfifo') guest.call('mknodat', at, guest.path(one.path), abi.S_IFIFO | 0o600, 0, 0);
  else onKernel(guest, one as Op);
}

async function survives(tree: Tree, steps: readonly Step[], cacheEntries: number): Promise<void> {
  const { index, layer } = buildRootfs(tree);
  const config = { ...(Object.keys(tree).length > 0 && { index }), cacheEntries };
  const store = new MemoryJournal();
  let { guest, journal } = await bootKept(store, config, [layer]);
  for (const one of steps) {
    if (one.op === 'sync') {
      journal.sync(guest.t);
      expect(guest.check()).toBe(0);
    } else if (one.op === 'snapshot') {
      journal.compact(guest.t, true);
      expect(guest.check()).toBe(0);
    } else {
      apply(guest, one);
    }
  }
  journal.sync(guest.t);
  const before = treeOf(guest);
  const again = await bootKept(new MemoryJournal(store.bytes.slice()), config, [layer]);
  expect(again.guest.check()).toBe(0);
  expect(treeOf(again.guest)).toEqual(before);
  expect(again.guest.check()).toBe(0);
  // And through a snapshot of the replayed one.
  ({ guest, journal } = again);
  const second = new MemoryJournal(store.bytes.slice());
  ({ guest, journal } = await bootKept(second, config, [layer]));
  journal.compact(guest.t, true);
  const third = await bootKept(new MemoryJournal(second.bytes.slice()), config, [layer]);
  expect(third.guest.check()).toBe(0);
  expect(treeOf(third.guest)).toEqual(before);
}

describe('the writable layer comes back from its journal', () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 50, size: 'max' });
  const withSnapshots = fc.array(
    fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: fc.constant<Step>({ op: 'snapshot' }) }),
    { minLength: 1, maxLength: 50, size: 'max' },
  );

  it('over an image', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => survives(LOWER, list, 0)),
      { numRuns: 120 },
    );
  });

  it('over an image whose names are dropped from the cache all the time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => survives(LOWER, list, 1)),
      { numRuns: 80 },
    );
  });

  it('over nothing', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => survives({}, list, 0)),
      { numRuns: 60 },
    );
  });

  it('with snapshots in between', async () => {
    await fc.assert(
      fc.asyncProperty(withSnapshots, (list) => survives(LOWER, list, 0)),
      { numRuns: 80 },
    );
  });
});

/** A journal of several syncs, the tree at each of them and where each one ends. */
async function written(steps: readonly Step[]) {
  const { index, layer } = buildRootfs(LOWER);
  const store = new MemoryJournal();
  const { guest, journal } = await bootKept(store, { index }, [layer]);
  const states = [{ end: store.bytes.length, tree: treeOf(guest) }];
  for (const [i, one] of steps.entries()) {
    if (one.op !== 'sync') apply(guest, one);
    if (i % 6 !== 5) continue;
    journal.sync(guest.t);
    states.push({ end: store.bytes.length, tree: treeOf(guest) });
  }
  return { bytes: store.bytes, states, index, layer };
}

const small = step.filter((one) => !('length' in one && one.length > 400) && !('offset' in one && one.offset > 400));
const someSteps = fc.array(small, { minLength: 12, maxLength: 24, size: 'max' });

describe('a damaged journal', () => {
  it('cut anywhere gives the state of the last whole sync', async () => {
    const [steps] = fc.sample(someSteps, { numRuns: 1, seed: 7 });
    const { bytes, states, index, layer } = await written(steps!);
    expect(states.length).toBeGreaterThan(2);
    for (let length = abi.JOURNAL_HEADER_BYTES; length <= bytes.length; length++) {
      const store = new MemoryJournal(bytes.slice(0, length));
      const { guest, replayed } = await bootKept(store, { index, maxPages: 64 }, [layer]);
      const expected = states.findLast((state) => state.end <= length)!;
      expect(replayed.bytes).toBe(expected.end);
      expect(store.bytes.length).toBe(expected.end);
      if (length % 17 === 0 || length === expected.end) expect(treeOf(guest)).toEqual(expected.tree);
    }
  });

  it('with any byte changed is dropped from there on or refused', async () => {
    const [steps] = fc.sample(someSteps, { numRuns: 1, seed: 11 });
    const { bytes, states, index, layer } = await written(steps!);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = bytes.slice();
        damaged[at]! ^= change;
        const booted = await bootKept(new MemoryJournal(damaged), { index, maxPages: 64 }, [layer]).catch((e) => e);
        if (booted instanceof WctrError) expect(booted.code).toBe('store-corrupt');
        else if (at >= abi.JOURNAL_HEADER_BYTES)
          expect(states.map((state) => state.end)).toContain(booted.replayed.bytes);
      }),
      { numRuns: 150 },
    );
  });
});

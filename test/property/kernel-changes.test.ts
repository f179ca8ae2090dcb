import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { readChanges } from '../../src/core/upper-changes.ts';
import { LOWER, onKernel, op } from '../support/fs-operations.ts';
import type { Guest } from '../support/guest.ts';
import { buildRootfs } from '../support/rootfs-builder.ts';
import { bootKept, MemoryJournal, treeOf } from '../support/upper.ts';

const { index, layer } = buildRootfs(LOWER);

interface Seen {
  ino: number;
  mode: number;
  /** All there is to know, children left out. */
  whole: string;
}

/** Every path with what is there. */
function flat(guest: Guest): Map<string, Seen> {
  const found = new Map<string, Seen>();
  const add = (tree: Record<string, unknown>, path: string) => {
    for (const [name, node] of Object.entries(tree)) {
      const { entries, ...own } = node as { entries?: Record<string, unknown>; ino: number; mode: number };
      const whole = JSON.stringify(own, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
      found.set(`${path}/${name}`, { ino: own.ino, mode: own.mode, whole });
      if (entries !== undefined) add(entries, `${path}/${name}`);
    }
  };
  add(treeOf(guest), '');
  return found;
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
const isDirectory = (seen: Seen | undefined) => seen !== undefined && (seen.mode & abi.S_IFMT) === abi.S_IFDIR;

function compare(guest: Guest, image: Map<string, Seen>): void {
  const now = flat(guest);
  const changes = new Map(readChanges(guest.kernel, guest.t).map((change) => [change.path, change]));
  const added = [...now.keys()].filter((path) => !image.has(path)).sort();
  expect([...changes.values()].filter((one) => one.kind === 'A').map((one) => one.path)).toEqual(added);
  // A name is deleted where its directory is still the image's; elsewhere the directory hides it or is gone.
  const deleted = [...image.keys()].filter((path) => {
    const parent = parentOf(path);
    return !now.has(path) && (parent === '' || now.get(parent)?.ino === image.get(parent)?.ino);
  });
  expect([...changes.values()].filter((one) => one.kind === 'D').map((one) => one.path)).toEqual(deleted.sort());
  for (const [path, seen] of now) {
    const before = image.get(path);
    if (before !== undefined && before.whole !== seen.whole) expect(changes.get(path)?.kind, path).toBe('C');
    const replaced = isDirectory(before) && isDirectory(seen) && before?.ino !== seen.ino;
    expect(changes.get(path)?.opaque ?? false, path).toBe(replaced);
  }
  for (const path of changes.keys()) {
    const parent = parentOf(path);
    if (parent !== '') expect(changes.has(parent), `${parent} above ${path}`).toBe(true);
  }
}

describe('changes over the image', () => {
  it('are what two listings say, before and after a restart', async () => {
    const image = flat((await bootKept(new MemoryJournal(), { index }, [layer])).guest);
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        const store = new MemoryJournal();
        const { guest, journal } = await bootKept(store, { index }, [layer]);
        for (const step of steps) onKernel(guest, step);
        compare(guest, image);
        journal.sync(guest.t);
        compare((await bootKept(store, { index }, [layer])).guest, image);
      }),
      { numRuns: 120 },
    );
  });
});

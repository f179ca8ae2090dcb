import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { LOWER, type Op, onKernel, onModel, op } from '../support/fs-operations.ts';
import { bootGuest, type Guest } from '../support/guest.ts';
import { ModelFs } from '../support/model-fs.ts';
import { buildRootfs, type Tree } from '../support/rootfs-builder.ts';
import { contentsOf } from '../support/upper.ts';

function snapshot(guest: Guest, path: string): Record<string, unknown> {
  const names = guest.list(path === '' ? '/' : path) as string[];
  return Object.fromEntries(
    names.map((entry) => {
      const at = `${path}/${entry}`;
      const stat = guest.lstat(at);
      if (typeof stat === 'number') return [entry, stat];
      const kind = stat.mode & abi.S_IFMT;
      if (kind === abi.S_IFDIR) return [entry, { nlink: stat.nlink, entries: snapshot(guest, at) }];
      if (kind === abi.S_IFLNK) return [entry, { nlink: stat.nlink, target: guest.readlink(at) }];
      return [entry, { nlink: stat.nlink, data: contentsOf(guest, at) }];
    }),
  );
}

async function compare(tree: Tree, steps: readonly Op[], cacheEntries: number): Promise<void> {
  const { index, layer } = buildRootfs(tree);
  const guest = await bootGuest({ index, cacheEntries }, [layer]);
  const model = new ModelFs(tree);
  for (const [i, step] of steps.entries()) {
    const expected = onModel(model, step);
    const actual = onKernel(guest, step);
    expect(actual, `step ${i}: ${JSON.stringify(step)}`).toEqual(expected);
    expect(guest.check(), `invariants after step ${i}: ${JSON.stringify(step)}`).toBe(0);
  }
  expect(snapshot(guest, '')).toEqual(model.snapshot());
}

describe('the overlay behaves like a plain file system', () => {
  const steps = fc.array(op, { minLength: 1, maxLength: 60, size: 'max' });

  it('over an image', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => compare(LOWER, list, 0)),
      { numRuns: 150 },
    );
  });

  it('over an image whose names are dropped from the cache all the time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => compare(LOWER, list, 1)),
      { numRuns: 100 },
    );
  });

  it('over nothing', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (list) => compare({}, list, 0)),
      { numRuns: 80 },
    );
  });
});

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerRecords } from '../../../src/containers/records.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { nodeFileSystem as fs } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { RecordFiles } from '../../../src/images/store/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wctr-records-'));
  mkdirSync(join(root, 'tmp'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('container records', () => {
  it('of an earlier release are in nobody’s way, and are told from damaged ones', async () => {
    const key = 'a'.repeat(64);
    const written = { fs, dir: join(root, 'containers'), tempDir: join(root, 'tmp'), createHasher: nodeHasher };
    await new RecordFiles({ ...written, what: 'container record' }).put({ key });
    const records = new ContainerRecords({
      fs,
      root,
      createHasher: nodeHasher,
      locks: new MemoryLocks(),
    });
    expect(await records.list()).toEqual([]);
    await expect(records.get(key)).rejects.toMatchObject({
      code: 'store-corrupt',
      message: expect.stringMatching(/was written by another version of wctr$/),
    });
  });
});

import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerRecord } from '../../../src/containers/record.ts';
import { ContainerRecords } from '../../../src/containers/records.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { nodeFileSystem as fs } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { RecordFiles } from '../../../src/images/store/records.ts';
import { removeTree } from '../../support/remove-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wctr-records-'));
  mkdirSync(join(root, 'tmp'));
});
afterEach(() => removeTree(root));

function open(isAlive: (pid: number) => boolean = () => true): ContainerRecords {
  return new ContainerRecords({ fs, root, createHasher: nodeHasher, locks: new MemoryLocks(), isAlive });
}

function record(key: string, changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    key,
    name: `name-${key.slice(0, 4)}`,
    createdAt: '2026-01-01T00:00:00.000Z',
    image: 'app',
    imageId: '',
    platform: 'wasi/wasm',
    diffIds: [],
    config: { Labels: {} } as ContainerRecord['config'],
    hostConfig: {},
    args: ['/app.wasm'],
    unknownImports: 'deny',
    deterministic: false,
    mounts: [],
    networks: {},
    ports: {},
    isolation: 'process',
    managed: true,
    restartCount: 0,
    stoppedByUser: false,
    state: { status: 'created' },
    ...changes,
  };
}

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('container records', () => {
  it('say of a foreground run, whose one record is written before it runs, whether it runs', async () => {
    const state = { status: 'created', pid: 7 } as const;
    const foreground = record(A, { managed: false, hostConfig: { AutoRemove: true }, state });
    await open().put(foreground);
    expect((await open().find(A)).state).toMatchObject({ status: 'running', startedAt: foreground.createdAt });
    expect(await open().list()).toMatchObject([{ state: { status: 'running' } }]);
    const afterKill = open(() => false);
    await expect(afterKill.find(A)).rejects.toMatchObject({ code: 'no-such-container' });
    expect(await afterKill.list()).toEqual([]);
    expect(await open().get(A)).toBeUndefined();
  });

  it('free a name whose claim was forgotten, for one of those who want it', async () => {
    await open().claimName('web', A);
    await expect(open().claimName('web', B)).rejects.toMatchObject({ code: 'conflict' });
    const claims = join(root, 'containers/names');
    const long = new Date(Date.now() - 60_000);
    for (const name of readdirSync(claims)) utimesSync(join(claims, name), long, long);
    const records = open();
    const wanted = await Promise.allSettled([records.claimName('web', B), records.claimName('web', 'c'.repeat(64))]);
    expect(wanted.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('sweep what is left of removals and creations that were killed, and nothing else', async () => {
    const records = open();
    await records.claimName('name-aaaa', A);
    await records.put(record(A));
    await records.claimName('forgotten', B);
    for (const id of [A, B]) {
      mkdirSync(join(records.directory(id), 'log'), { recursive: true });
      writeFileSync(join(records.directory(id), 'log/container.log'), '');
    }
    await records.sweep();
    expect(readdirSync(join(root, 'containers')).filter((name) => name.endsWith('.d'))).toEqual([`${A}.d`]);
    const claims = join(root, 'containers/names');
    expect(readdirSync(claims)).toHaveLength(2);
    const long = new Date(Date.now() - 60_000);
    for (const name of readdirSync(claims)) utimesSync(join(claims, name), long, long);
    await records.sweep();
    expect(readdirSync(claims)).toHaveLength(1);
    expect(await records.find('name-aaaa')).toMatchObject({ key: A });
  });

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

import { existsSync, mkdirSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerRecord } from '../../../src/containers/record.ts';
import { ContainerRecords, controlSocketName } from '../../../src/containers/records.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { isAlive, listeners } from '../../../src/host/node/engine-host.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { removeTree } from '../../support/remove-tree.ts';

let root: string;
let reads: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wctr-listing-'));
  for (const directory of ['tmp', 'containers']) mkdirSync(join(root, directory));
  reads = 0;
});
afterEach(() => removeTree(root));

function open(): ContainerRecords {
  const fs = {
    ...nodeFileSystem,
    readFile: (path: string) => {
      if (path.endsWith('.json')) reads++;
      return nodeFileSystem.readFile(path);
    },
  };
  return new ContainerRecords({ fs, root, createHasher: nodeHasher, locks: new MemoryLocks(), keepsListing: true });
}

function record(digit: string, status: ContainerRecord['state']['status'] = 'created'): ContainerRecord {
  const config = { Labels: { digit }, Env: ['A=1'], Cmd: ['a'] } as unknown as ContainerRecord['config'];
  return {
    key: digit.repeat(64),
    name: `c${digit}`,
    createdAt: '2026-01-02T03:04:05.000Z',
    image: 'hello',
    imageId: `sha256:${'1'.repeat(64)}`,
    platform: 'wasip1/wasm',
    diffIds: [],
    config,
    hostConfig: { NetworkMode: 'bridge', Binds: ['/a:/b'] } as unknown as ContainerRecord['hostConfig'],
    args: ['/hello.wasm'],
    unknownImports: 'deny',
    deterministic: false,
    mounts: [],
    networks: {},
    ports: {},
    isolation: 'process',
    managed: true,
    restartCount: 0,
    stoppedByUser: false,
    state: { status },
  };
}

/** As if the last change had been long ago. */
function age(seconds = 60): void {
  const then = Date.now() / 1000 - seconds;
  utimesSync(join(root, 'containers'), then, then);
}

const statuses = async (records: ContainerRecords) =>
  (await records.listed()).map(({ name, state }) => `${name} ${state.status}`).sort();

describe('the listing of containers', () => {
  it('reads no record twice as long as none has changed', async () => {
    const records = open();
    await records.put(record('a'));
    await records.put(record('b', 'exited'));
    age();
    const first = await records.listed();
    expect(reads).toBe(2);
    expect(await records.listed()).toEqual(first);
    expect(reads).toBe(2);
    expect(first.find(({ name }) => name === 'ca')?.config).toEqual({ Labels: { digit: 'a' } });
  });

  it.each<[what: string, change: (records: ContainerRecords) => Promise<unknown>, expected: string[]]>([
    ['is changed', (records) => records.put(record('a', 'exited')), ['ca exited', 'cb created']],
    ['is added', (records) => records.put(record('c')), ['ca created', 'cb created', 'cc created']],
    ['is removed', (records) => records.remove(record('b')), ['ca created']],
  ])('is made anew when a record %s', async (_, change, expected) => {
    const records = open();
    await records.put(record('a'));
    await records.put(record('b'));
    age();
    await records.listed();
    await change(records);
    expect(await statuses(records)).toEqual(expected);
    // Not kept either: another change could still have the same time.
    await records.put(record('d'));
    expect(await statuses(records)).toEqual([...expected, 'cd created'].sort());
  });

  it('is not kept while the last change is so young that another may have its time', async () => {
    const records = open();
    await records.put(record('a'));
    await records.listed();
    expect(existsSync(join(root, 'containers.list'))).toBe(false);
    age(-60);
    await records.listed();
    expect(existsSync(join(root, 'containers.list'))).toBe(false);
  });

  it.each(['', 'null', '{', '{"version":99,"mtimeMs":0,"containers":[]}'])(
    'is made anew where it is %j',
    async (text) => {
      const records = open();
      await records.put(record('a'));
      age();
      await records.listed();
      const kept = readFileSync(join(root, 'containers.list'), 'utf8');
      writeFileSync(join(root, 'containers.list'), text);
      expect(await statuses(records)).toEqual(['ca created']);
      expect(readFileSync(join(root, 'containers.list'), 'utf8')).toBe(kept);
    },
  );
});

describe('container processes', () => {
  it.runIf(process.platform === 'linux')('run while their control sockets are listened on', async () => {
    const running = { ...record('a', 'running'), state: { status: 'running', pid: 2 ** 22 + 1 } } as ContainerRecord;
    const locks = new MemoryLocks();
    const records = new ContainerRecords({
      fs: nodeFileSystem,
      root,
      createHasher: nodeHasher,
      locks,
      isAlive,
      listeners,
    });
    expect(records.processes().runs(running)).toBe(false);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, controlSocketName(running.key)), resolve));
    expect(records.processes().runs(running)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(records.processes().runs(running)).toBe(false);
  });
});

/** Full disk, read-only store, power cut: at every single operation of a whole import, tag and removal. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import { isWctrError } from '../../src/errors.ts';
import { MemoryLocks } from '../../src/host/memory-locks.ts';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import { collectGarbage } from '../../src/images/gc.ts';
import { importImage } from '../../src/images/import.ts';
import { parseReference } from '../../src/images/reference.ts';
import { type Fault, FaultyFileSystem } from '../support/faulty-file-system.ts';
import {
  chunks,
  diskStore,
  openImages,
  openTestStore,
  sha256,
  type TestImages,
  tarOf,
  tempDir,
} from '../support/image-store.ts';

const OLD = { a: 'old content' };
const NEW = { a: 'new content', b: randomBytes(3000) };

function open(fs: FileSystem): TestImages {
  return openImages(openTestStore(fs, '/store', new MemoryLocks(), 'bytes'));
}

/** A store with `app:old`, on a fresh in-memory disk. */
async function prepared(): Promise<FileSystem> {
  const fs = memfs().fs.promises as unknown as FileSystem;
  await importImage(open(fs), chunks(await tarOf(OLD)), { reference: parseReference('app:old') });
  return fs;
}

async function work(store: TestImages, acknowledged: string[]): Promise<void> {
  await importImage(store, chunks(await tarOf(NEW), 3000), { reference: parseReference('app:new') });
  acknowledged.push('app:new');
  await store.images.tag('app:new', 'app:second');
  acknowledged.push('app:second');
  const going = await store.images.resolve('app:new');
  // from here on it may be there or not
  acknowledged.splice(acknowledged.indexOf('app:new'), 1);
  await store.images.forget([going]);
  await collectGarbage(store.collector);
}

async function assertSound(disk: FileSystem, acknowledged: readonly string[]): Promise<void> {
  const store = open(disk);
  expect(await store.content.verifyAll()).toEqual([]);
  for (const record of await store.images.records()) {
    await store.images.openRecord(record);
    for (const digest of record.blobs) expect(await store.content.has(digest)).toBe(true);
  }
  for (const name of ['app:old', ...acknowledged]) await store.images.open(name);
}

async function operations(): Promise<number> {
  const counting = new FaultyFileSystem(await prepared(), { at: Number.POSITIVE_INFINITY, kind: 'fail', code: 'EIO' });
  await work(open(counting), []);
  return counting.count;
}

async function eachFault(
  fault: Omit<Fault, 'at'>,
  check: (run: { disk: FileSystem; faulty: FaultyFileSystem; error: unknown; acknowledged: string[] }) => Promise<void>,
) {
  const total = await operations();
  expect(total).toBeGreaterThan(25);
  for (let at = 1; at <= total; at += 1) {
    const disk = await prepared();
    const faulty = new FaultyFileSystem(disk, { ...fault, at });
    const acknowledged: string[] = [];
    const error = await work(open(faulty), acknowledged).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await check({ disk, faulty, error, acknowledged });
  }
}

describe('at every operation', () => {
  it.each(['fail', 'fail-for-good'] as const)(
    'a full disk (%s) is a clear error, and nothing is half done',
    async (kind) => {
      await eachFault({ kind, code: 'ENOSPC' }, async ({ disk, error, acknowledged }) => {
        if (error !== undefined) {
          expect(isWctrError(error, 'no-space'), String(error)).toBe(true);
          expect((error as Error).message).toMatch(/^cannot [^\n]+: no space left in \/store[^\n]*$/);
          expect(error).toHaveProperty('hint', 'free some space, for example with wctr image prune, and try again');
        }
        expect((await disk.readdir('/store/tmp')).filter((name) => !name.startsWith('ingest-'))).toEqual([]);
        await assertSound(disk, acknowledged);
      });
    },
  );

  it('a power cut leaves the old state or the new', async () => {
    await eachFault({ kind: 'crash', code: 'EIO' }, async ({ disk, faulty, acknowledged }) => {
      expect(faulty.dead).toBe(true);
      await faulty.losePower();
      await assertSound(disk, acknowledged);
      // and the work can be done again on what was left
      const again = open(disk);
      await importImage(again, chunks(await tarOf(NEW), 3000), { reference: parseReference('app:new') });
      await collectGarbage(again.collector);
      await assertSound(disk, ['app:new']);
    });
  });

  it('a failed transfer to a full disk leaves no temp file', async () => {
    const bytes = randomBytes(4096);
    const descriptor = { mediaType: 'text/plain', digest: sha256(bytes), size: bytes.length };
    for (let at = 1; at < 12; at += 1) {
      const disk = await prepared();
      const faulty = new FaultyFileSystem(disk, { at, kind: 'fail', code: 'ENOSPC' });
      const error = await open(faulty)
        .content.ingest(descriptor, () => chunks(bytes, 1024))
        .catch((thrown: unknown) => thrown);
      if (error === undefined) continue;
      expect(error).toMatchObject({
        code: 'no-space',
        message: `cannot store blob ${descriptor.digest}: no space left in /store`,
      });
      const left = (await disk.readdir('/store/tmp')).filter((name) => name.startsWith('ingest-'));
      // only a complete and verified file may stay, for the rename to be tried again
      for (const name of left) expect(sha256(await disk.readFile(`/store/tmp/${name}`))).toBe(descriptor.digest);
    }
  });
});

describe('a store that cannot be written', () => {
  it.each([
    ['EROFS', 'a read-only file system'],
    ['EACCES', 'not writable by this user'],
    ['EPERM', 'not writable by this user'],
  ])('%s says so, and reading still works', async (code, why) => {
    const disk = await prepared();
    const store = open(new FaultyFileSystem(disk, { at: 1, kind: 'fail-for-good', code }));
    const bytes = randomBytes(10);
    const descriptor = { mediaType: 'text/plain', digest: sha256(bytes), size: 10 };
    await expect(store.content.ingest(descriptor, () => chunks(bytes))).rejects.toMatchObject({
      code: 'store-read-only',
      message: `cannot store blob ${descriptor.digest}: /store is ${why}`,
      hint: 'use another store with WCTR_DATA_ROOT, or make this one writable',
    });
    await expect(store.images.tag('app:old', 'x')).rejects.toMatchObject({
      code: 'store-read-only',
      message: `cannot write the image record: /store/images is ${why}`,
    });
    await expect(store.images.open('app:old')).resolves.toMatchObject({ diffIds: [sha256(await tarOf(OLD))] });
  });

  it('says the same on a real disk, before anything is asked of the origin', async () => {
    using dir = tempDir();
    chmodSync(dir.path, 0o755);
    const root = join(dir.path, 'store');
    mkdirSync(root, { mode: 0o555 });
    const store = diskStore(root);
    // root may write anywhere, so it steps down for this
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      const origin = () => {
        throw new Error('must not be asked');
      };
      const descriptor = { mediaType: 'text/plain', digest: sha256('x'), size: 1 };
      await expect(store.content.ingest(descriptor, origin)).rejects.toMatchObject({
        code: 'store-read-only',
        message: `cannot lock the store: ${root}/locks is not writable by this user`,
        hint: 'use another store with WCTR_DATA_ROOT, or make this one writable',
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});

it('finds every flipped bit of every blob when it is read', async () => {
  using dir = tempDir();
  const store = openImages(diskStore(dir.path));
  const record = await importImage(store, chunks(await tarOf(OLD)), { reference: parseReference('app') });
  for (const digest of record.blobs) {
    const path = store.layout.blob(digest);
    const good = await nodeFileSystem.readFile(path);
    for (let bit = 0; bit < good.length * 8; bit += 97) {
      const bad = Uint8Array.from(good);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      await nodeFileSystem.writeFile(path, bad);
      await expect(store.content.read(digest)).rejects.toMatchObject({ code: 'store-corrupt' });
    }
    await nodeFileSystem.writeFile(path, good.subarray(0, good.length - 1));
    await expect(store.content.read(digest)).rejects.toMatchObject({ code: 'store-corrupt' });
    await nodeFileSystem.writeFile(path, good);
  }
  expect(await store.content.verifyAll()).toEqual([]);
});

it('loses nothing acknowledged when prune runs during pulls', async () => {
  using dir = tempDir();
  const store = openImages(diskStore(dir.path));
  let collections = 0;
  let isOver = false;
  const collecting = (async () => {
    while (!isOver) {
      await collectGarbage(store.collector);
      collections += 1;
    }
  })();
  const slow = async function* (bytes: Uint8Array) {
    for await (const chunk of chunks(bytes, 2000)) {
      yield chunk;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const names = Array.from({ length: 12 }, (_, i) => `app:${i}`);
  await Promise.all(
    names.map(async (name, i) =>
      // shared and own content
      importImage(store, slow(await tarOf({ a: i % 3 === 0 ? 'shared' : name, b: new Uint8Array(10_000) })), {
        reference: parseReference(name),
      }),
    ),
  );
  isOver = true;
  await collecting;
  await collectGarbage(store.collector);
  expect(collections).toBeGreaterThan(1);
  for (const name of names) {
    const { record } = await store.images.open(name);
    for (const digest of record.blobs) expect(await store.content.has(digest)).toBe(true);
  }
  expect(await store.content.verifyAll()).toEqual([]);
}, 60_000);

/** kill -9 at any instant: what was acknowledged is there and whole, what was not leaves nothing visible. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Digest } from '../../src/images/contracts.ts';
import { collectGarbage } from '../../src/images/gc.ts';
import { type CompiledProgram, compileProgram } from '../support/compiled.ts';
import { diskStore, openImages, tempDir } from '../support/image-store.ts';

/** More with WCTR_TEST_KILLS; each costs a process. */
const KILLS = Number(process.env.WCTR_TEST_KILLS ?? 5);

let program: CompiledProgram;
beforeAll(() => {
  program = compileProgram('store-child');
});
afterAll(() => program?.remove());

interface Child {
  readonly process: ChildProcess;
  lines(): string[];
  readonly ended: Promise<void>;
}

function start(root: string, seed: number, mode: string): Child {
  const child = spawn(process.execPath, [program.path, root, String(seed), mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return {
    process: child,
    // a line cut by the kill was not acknowledged
    lines: () => out.split('\n').slice(0, -1),
    ended: new Promise((resolve, reject) => {
      child.on('close', (code, signal) => {
        if (signal === 'SIGKILL' || code === 0) resolve();
        else reject(new Error(`child ended with ${code}: ${errors}`));
      });
    }),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

it('leaves only whole blobs, whenever the process dies', async () => {
  using dir = tempDir();
  const acknowledged = new Map<Digest, number>();
  for (let round = 0; round < KILLS; round += 1) {
    const child = start(dir.path, round * 5, 'ingest');
    await until(() => child.lines().length > 0);
    await sleep(Math.random() * 60);
    child.process.kill('SIGKILL');
    await child.ended;
    for (const line of child.lines()) acknowledged.set(line as Digest, round);
    const { content } = diskStore(dir.path);
    expect(await content.verifyAll()).toEqual([]);
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(Math.min(KILLS, 5));
  // partials of killed owners are taken up or swept, their locks taken over
  const store = openImages(diskStore(dir.path));
  await collectGarbage(store.collector);
  const left = (await store.fs.readdir(store.layout.tmp)).filter((name) => name.startsWith('ingest-'));
  expect(left).toEqual([]);
}, 600_000);

it('keeps every acknowledged name, and its content, while images are replaced and collected', async () => {
  using dir = tempDir();
  for (let round = 0; round < KILLS; round += 1) {
    const child = start(dir.path, round * 100, 'images');
    await until(() => child.lines().length >= 5);
    await sleep(Math.random() * 80);
    child.process.kill('SIGKILL');
    await child.ended;
    const last = new Map(child.lines().map((line) => line.split(' ') as [string, string]));
    const { images, content } = openImages(diskStore(dir.path));
    expect(await content.verifyAll()).toEqual([]);
    const records = await images.records();
    for (const record of records) {
      for (const digest of record.blobs) expect(await content.has(digest), `${record.key} needs ${digest}`).toBe(true);
      await images.openRecord(record);
    }
    // the kill may have come between the record and its line, so a name may be one step ahead of what was said
    const ids = new Set(records.map(({ id }) => id as string));
    for (const [tag, id] of last) {
      expect(records.some(({ reference }) => reference === `docker.io/library/app:${tag}`)).toBe(true);
      expect(ids.has(id), `app:${tag} was ${id}`).toBe(true);
    }
  }
}, 600_000);

it('brings a blob in once when two processes want it', async () => {
  using dir = tempDir();
  const children = [start(dir.path, 0, 'once'), start(dir.path, 0, 'once'), start(dir.path, 0, 'once')];
  await Promise.all(children.map(({ ended }) => ended));
  const lines = children.flatMap((child) => child.lines());
  expect(lines.map((line) => Number(line.split(' ')[1])).sort()).toEqual([0, 0, 1]);
  expect(new Set(lines.map((line) => line.split(' ')[2])).size).toBe(1);
});

it('excludes processes from each other, and takes over the lock of a killed one', async () => {
  using dir = tempDir();
  const holder = start(dir.path, 0, 'hold');
  await until(() => holder.lines().includes('held'));
  const { locks } = diskStore(dir.path);
  await expect(locks.acquire('name', { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
    code: 'cancelled',
  });
  holder.process.kill('SIGKILL');
  await holder.ended;
  await (await locks.acquire('name', { signal: AbortSignal.timeout(2000) })).release();

  writeFileSync(join(dir.path, 'count'), '0');
  const counters = [1, 2].map((seed) => start(dir.path, seed, 'count'));
  await sleep(100);
  const victim = start(dir.path, 4, 'hold');
  await until(() => victim.lines().includes('held'));
  victim.process.kill('SIGKILL');
  await Promise.all([victim, ...counters].map(({ ended }) => ended));
  expect(readFileSync(join(dir.path, 'count'), 'utf8')).toBe('200');
}, 600_000);

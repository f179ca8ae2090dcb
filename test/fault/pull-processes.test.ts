/** Pulls in processes of their own: killed at any moment, and side by side on one store. */
import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CompiledProgram, compileProgram } from '../support/compiled.ts';
import { tempDir } from '../support/image-store.ts';
import { buildImage, noise, serve } from '../support/registry-images.ts';
import { openPullStore, type PullStore } from '../support/registry-pull.ts';
import { type FakeRegistry, startFakeRegistry, throttle } from '../support/registry-server.ts';

const IMAGE = buildImage({
  layers: [{ a: noise(700_000, 1) }, { b: noise(700_000, 2) }, { c: noise(700_000, 3) }, { d: 'small' }],
});

let registry: FakeRegistry;
let dir: ReturnType<typeof tempDir>;
let store: PullStore;
let name: string;
beforeEach(async () => {
  registry = await startFakeRegistry();
  serve(registry, 'app', '1', IMAGE);
  dir = tempDir();
  store = openPullStore(dir.path);
  name = `${registry.host}/app:1`;
});
afterEach(async () => {
  await registry.close();
  dir[Symbol.dispose]();
});

function layerBytes(index: number): Uint8Array {
  return IMAGE.blobs.get(IMAGE.layers[index]!.digest)!.bytes;
}

const requestsFor = (index: number) => registry.requests(new RegExp(`blobs/${IMAGE.layers[index]!.digest}`));
const planFor = (index: number) => new RegExp(`blobs/${IMAGE.layers[index]!.digest}`);

/** Whole, readable, and every blob what its name says. */
async function expectWhole(): Promise<void> {
  const { record } = await store.images.open(name);
  for (const digest of record.blobs) expect(await store.content.has(digest)).toBe(true);
  for (const diffId of record.diffIds) expect(await store.images.layers.get(diffId)).toBeDefined();
  expect(await store.content.verifyAll()).toEqual([]);
}

describe('in processes of their own', () => {
  let program: CompiledProgram;
  beforeAll(() => {
    program = compileProgram('registry-pull-child');
  });
  afterAll(() => program.remove());

  function start(): { readonly exited: Promise<{ code: number | null; output: string }>; kill(): void } {
    const child = spawn(process.execPath, [program.path, dir.path, name], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    child.stderr.on('data', (text) => {
      output += text;
    });
    const exited = new Promise<{ code: number | null; output: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, output })),
    );
    return { exited, kill: () => child.kill('SIGKILL') };
  }

  it('a kill at any moment loses nothing that was acknowledged, and shows nothing half done', async () => {
    for (const index of [0, 1, 2]) registry.plan(planFor(index), throttle(layerBytes(index), 20_000, 8));
    let kills = 0;
    for (let finished = false; !finished; ) {
      const child = start();
      const seen = registry.log.length;
      // Counted from its first request, since starting Node takes its time; later with each try, so that it ends.
      while (registry.log.length === seen) await new Promise((resolve) => setTimeout(resolve, 2));
      const timer = setTimeout(child.kill, 20 * 1.8 ** kills);
      const { code, output } = await child.exited;
      clearTimeout(timer);
      const records = await store.images.records();
      expect(await store.content.verifyAll()).toEqual([]);
      finished = code === 0;
      // The last kill may have come between the record and the word.
      if (finished) expect(output).toMatch(/^(downloaded|up to date)\n$/);
      else {
        expect([code, output]).toEqual([null, '']);
        kills++;
      }
      for (const { blobs } of records) for (const digest of blobs) expect(await store.content.has(digest)).toBe(true);
    }
    expect(kills).toBeGreaterThan(3);
    expect(registry.log.some(({ headers }) => headers.range !== undefined)).toBe(true);
    await expectWhole();
  });

  it('three pulls of one image are one download', async () => {
    for (const index of [0, 1, 2]) registry.plan(planFor(index), throttle(layerBytes(index), 50_000, 10));
    const outcomes = await Promise.all([start(), start(), start()].map(({ exited }) => exited));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect([0, 1, 2, 3].map((index) => requestsFor(index).length)).toEqual([1, 1, 1, 1]);
    await expectWhole();
  });
});

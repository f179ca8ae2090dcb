/** What goes wrong during a pull, and that neither bytes nor names suffer from it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import { tempDir } from '../support/image-store.ts';
import { buildImage, noise, serve } from '../support/registry-images.ts';
import { openPullStore, type PullStore } from '../support/registry-pull.ts';
import {
  body,
  type FakeRegistry,
  resetAfter,
  stall,
  startFakeRegistry,
  status,
  throttle,
} from '../support/registry-server.ts';

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

/** A Range that does not start over. */
const SOMEWHERE = expect.stringMatching(/^bytes=[1-9]\d*-$/);

const requestsFor = (index: number) => registry.requests(new RegExp(`blobs/${IMAGE.layers[index]!.digest}`));
const planFor = (index: number) => new RegExp(`blobs/${IMAGE.layers[index]!.digest}`);

/** Whole, readable, and every blob what its name says. */
async function expectWhole(): Promise<void> {
  const { record } = await store.images.open(name);
  for (const digest of record.blobs) expect(await store.content.has(digest)).toBe(true);
  for (const diffId of record.diffIds) expect(await store.images.layers.get(diffId)).toBeDefined();
  expect(await store.content.verifyAll()).toEqual([]);
}

describe('one download', () => {
  it('serves 20 pulls at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.pull(name)));
    expect(new Set(outcomes.map(({ record }) => record.target.digest))).toEqual(new Set([IMAGE.target.digest]));
    expect(requestsFor(0)).toHaveLength(1);
    expect(registry.requests(/GET .*blobs/)).toHaveLength(IMAGE.layers.length + 1);
    await expectWhole();
  });

  it('is not lost when one of two gives up', async () => {
    registry.plan(planFor(0), throttle(layerBytes(0), 10_000, 10));
    const controller = new AbortController();
    const first = store.pull(name, { signal: controller.signal });
    let isSharing = false;
    const second = store.pull(name, {
      onEvent: ({ status }) => {
        isSharing ||= status === 'Pulling fs layer';
      },
    });
    await expect.poll(() => isSharing && requestsFor(0).length === 1, { timeout: 10_000 }).toBe(true);
    // It asks for its layers right after it has said so.
    await new Promise((resolve) => setTimeout(resolve, 100));
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await second;
    // Whoever goes on asks for the rest only: no byte comes twice.
    for (const { headers } of requestsFor(0).slice(1)) expect(headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    await expectWhole();
  });
});

describe('a flaky registry', () => {
  it('is borne with', async () => {
    registry.plan(/HEAD/, status(503), 2);
    registry.plan(/GET .*manifests/, status(429, { 'retry-after': '0' }), 2);
    registry.plan(/GET .*manifests/, resetAfter(new Uint8Array(200), 20), 1);
    registry.plan(planFor(0), status(500), 2);
    registry.plan(planFor(0), resetAfter(layerBytes(0), 300_000), 2);
    registry.plan(planFor(1), stall(layerBytes(1).subarray(0, 50_000), layerBytes(1).length), 1);
    registry.plan(planFor(2), resetAfter(layerBytes(2), 0), 1);
    expect((await store.pull(name)).changed).toBe(true);
    await expectWhole();
    expect(requestsFor(0).map(({ headers }) => headers.range)).toEqual([
      undefined,
      undefined,
      undefined,
      SOMEWHERE,
      SOMEWHERE,
    ]);
  });
});

describe('a pull that broke off', () => {
  it('is taken up where it was by the next', async () => {
    registry.plan(planFor(0), resetAfter(layerBytes(0), 100_000), 1);
    registry.plan(planFor(0), status(400));
    await expect(store.pull(name)).rejects.toMatchObject({ code: 'registry-error' });
    expect(await store.images.records()).toEqual([]);
    registry.clearPlans();
    const before = requestsFor(0).length;
    await store.pull(name);
    expect(
      requestsFor(0)
        .slice(before)
        .map(({ headers }) => headers.range),
    ).toEqual([SOMEWHERE]);
    await expectWhole();
  });

  it('starts over when what it left was wrong', async () => {
    const wrong = noise(layerBytes(0).length, 99);
    registry.plan(planFor(0), resetAfter(wrong, 100_000), 1);
    registry.plan(planFor(0), status(400));
    await expect(store.pull(name)).rejects.toMatchObject({ code: 'registry-error' });
    registry.clearPlans();
    const before = requestsFor(0).length;
    await store.pull(name);
    expect(
      requestsFor(0)
        .slice(before)
        .map(({ headers }) => headers.range),
    ).toEqual([SOMEWHERE, undefined]);
    await expectWhole();
  });

  it('because it was cancelled leaves the rest for later', async () => {
    registry.plan(planFor(0), stall(layerBytes(0).subarray(0, 120_000), layerBytes(0).length), 1);
    const controller = new AbortController();
    const pulling = store.pull(name, {
      signal: controller.signal,
      onEvent: ({ currentBytes = 0, totalBytes }) =>
        totalBytes === IMAGE.layers[0]!.size && currentBytes === 120_000 && controller.abort(),
    });
    await expect(pulling).rejects.toMatchObject({ code: 'cancelled' });
    await store.pull(name);
    expect(requestsFor(0).map(({ headers }) => headers.range)).toEqual([undefined, SOMEWHERE]);
    await expectWhole();
  });

  it('because the wrong bytes came keeps none of them', async () => {
    registry.plan(planFor(2), body(noise(layerBytes(2).length, 7)));
    await expect(store.pull(name)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(store.files('tmp').filter((file) => file.includes(IMAGE.layers[2]!.digest.slice(7)))).toEqual([]);
    expect(await store.images.records()).toEqual([]);
    registry.clearPlans();
    await store.pull(name);
    await expectWhole();
  });

  it('because the disk was full leaves nothing half done', async () => {
    using full = tempDir();
    const disk = { roomBytes: 900_000 };
    const limited = openPullStore(full.path, diskWith(disk));
    await expect(limited.pull(name)).rejects.toMatchObject({ code: 'no-space' });
    disk.roomBytes = Number.POSITIVE_INFINITY;
    expect(await limited.images.records()).toEqual([]);
    expect(await limited.content.verifyAll()).toEqual([]);
    expect((await limited.pull(name)).changed).toBe(true);
    expect(await limited.content.verifyAll()).toEqual([]);
  });
});

describe('prune during a pull', () => {
  it('takes nothing the pull has or will need', async () => {
    for (const index of [0, 1, 2]) registry.plan(planFor(index), throttle(layerBytes(index), 70_000, 10));
    let done = false;
    const pulling = store.pull(name).finally(() => {
      done = true;
    });
    let collections = 0;
    while (!done) {
      const { blobs, layers } = await store.gc();
      expect([...blobs, ...layers]).toEqual([]);
      collections++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await pulling).changed).toBe(true);
    expect(collections).toBeGreaterThan(3);
    expect(requestsFor(0)).toHaveLength(1);
    await expectWhole();
    expect((await store.gc()).blobs).toEqual([]);
    await expectWhole();
  });

  it('takes what a pull left that was given up', async () => {
    registry.plan(planFor(1), status(404));
    await expect(store.pull(name)).rejects.toMatchObject({ code: 'not-found' });
    expect(store.files('blobs').length).toBeGreaterThan(0);
    await store.gc();
    expect([...store.files('blobs'), ...store.files('tmp'), ...store.files('layers')]).toEqual([]);
  });
});

/** Node's files on a disk with so much room. */
function diskWith(disk: { roomBytes: number }): FileSystem {
  const noSpace = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
  return {
    ...nodeFileSystem,
    async open(path, flags, mode) {
      const handle = await nodeFileSystem.open(path, flags, mode);
      return {
        read: handle.read.bind(handle),
        truncate: handle.truncate.bind(handle),
        sync: handle.sync.bind(handle),
        stat: handle.stat.bind(handle),
        close: handle.close.bind(handle),
        write(buffer, offset, length, position) {
          disk.roomBytes -= length;
          return disk.roomBytes < 0 ? noSpace() : handle.write(buffer, offset, length, position);
        },
      };
    },
  };
}

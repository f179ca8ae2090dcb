/** Pushes over connections that break and by processes that are killed, to both registries. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WCTR } from '../support/cli.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { tempDir } from '../support/image-store.ts';
import { REGISTRIES } from '../support/registry-cli.ts';
import { buildImage, noise, writeLayout } from '../support/registry-images.ts';
import { openPullStore, type PullStore } from '../support/registry-pull.ts';

const MIB = 1024 * 1024;

/** The same sequence for the same seed, from 0 to below 1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.each(REGISTRIES)('%s', (_name, start) => {
  let registry: { host: string; stop(): Promise<void> };
  let dir: ReturnType<typeof tempDir>;
  let store: PullStore;
  beforeAll(async () => {
    registry = await start();
  });
  afterAll(() => registry?.stop());
  beforeEach(() => {
    dir = tempDir();
    store = openPullStore(join(dir.path, 'store'));
  });
  afterEach(() => dir[Symbol.dispose]());

  it.each([1, 2])('is pushed to through a connection that breaks (%i)', async (seed) => {
    // The first connections carry less than the large blob, so some of them are cut.
    const limits = [300_000, 5 * MIB, 100_000, 9 * MIB, 2 * MIB, MIB];
    let next = seed;
    const proxy = await startCuttingProxy(registry.host, () => {
      return next < seed + 12 ? limits[next++ % limits.length] : undefined;
    });
    try {
      const image = buildImage({
        layers: [{ big: noise(10 * MIB, seed) }, { small: noise(MIB, seed + 10) }, { tiny: noise(1000, seed + 20) }],
      });
      const name = `${proxy.host}/broken-${seed}:1`;
      writeLayout(join(dir.path, 'layout'), name, image);
      await store.load(join(dir.path, 'layout'));
      for (let tries = 0; ; tries++) {
        try {
          await store.push(name);
          break;
        } catch (error) {
          // Progress below a chunk is no progress at a registry that loses what was not acknowledged.
          expect(error).toMatchObject({ code: 'registry-unreachable' });
          expect(tries).toBeLessThan(5);
        }
      }
      expect(proxy.cuts()).toBeGreaterThan(0);
      const other = openPullStore(join(dir.path, 'other'));
      const { record } = await other.pull(`${registry.host}/broken-${seed}:1`);
      expect(record.target.digest).toBe(image.target.digest);
      expect(await other.content.verifyAll()).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it('is left with the whole of it or without the tag by a push that is killed', async () => {
    const dice = random(7);
    const image = buildImage({ layers: [{ a: noise(6 * MIB, 41) }, { b: noise(MIB, 42) }] });
    const name = `${registry.host}/killed:1`;
    writeLayout(join(dir.path, 'layout'), name, image);
    const env = { PATH: process.env.PATH, HOME: dir.path, WCTR_DATA_ROOT: join(dir.path, 'store') };
    await store.load(join(dir.path, 'layout'));
    const push = (killAfterMs?: number) =>
      new Promise<number | null>((resolve) => {
        const child = spawn(process.execPath, [WCTR, 'push', '-q', name], { env, stdio: 'ignore' });
        const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
        child.on('exit', (code) => {
          clearTimeout(timer);
          resolve(code);
        });
      });
    let killed = 0;
    for (let i = 0; i < 5; i++) {
      if ((await push(50 + dice() * 500)) === null) killed++;
      const other = openPullStore(join(dir.path, `other-${i}`));
      await other.pull(name).then(
        async ({ record }) => {
          expect(record.target.digest).toBe(image.target.digest);
          expect(await other.content.verifyAll()).toEqual([]);
        },
        (error) => expect(error).toMatchObject({ code: 'no-such-image' }),
      );
    }
    expect(killed).toBeGreaterThan(0);
    expect(await push()).toBe(0);
    expect((await openPullStore(join(dir.path, 'last')).pull(name)).record.target.digest).toBe(image.target.digest);
  });
});

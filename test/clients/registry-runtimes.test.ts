/** The same pull and push under Deno and Bun: their fetch breaks, redirects and reports in its own ways. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { cutAfter, startPushRegistry } from '../support/push-registry.ts';
import { buildImage, noise, serve, writeLayout } from '../support/registry-images.ts';
import { openPullStore } from '../support/registry-pull.ts';
import { body, type FakeRegistry, resetAfter, stall, startFakeRegistry, status } from '../support/registry-server.ts';

const PUSH_PROGRAM = new URL('../support/registry-push-child.ts', import.meta.url).pathname;
const PROGRAM = new URL('../support/registry-pull-child.ts', import.meta.url).pathname;
const IMAGE = buildImage({ layers: [{ a: noise(700_000, 1) }, { b: noise(700_000, 2) }] });
const [FIRST, SECOND] = IMAGE.layers as [(typeof IMAGE.layers)[0], (typeof IMAGE.layers)[0]];

describe.each([
  ['deno', ['run', '--allow-all', '--quiet']],
  ['bun', ['run']],
])('%s', (runtime, flags) => {
  const program = peer(runtime);
  let registry: FakeRegistry;
  let honeypot: FakeRegistry;
  let dir: ReturnType<typeof tempDir>;
  beforeEach(async () => {
    [registry, honeypot] = await Promise.all([startFakeRegistry(), startFakeRegistry()]);
    serve(registry, 'app', '1', IMAGE);
    dir = tempDir();
  });
  afterEach(async () => {
    await Promise.all([registry.close(), honeypot.close()]);
    dir[Symbol.dispose]();
  });

  const pull = (name: string) =>
    promisify(execFile)(program!, [...flags, PROGRAM, dir.path, name], { env: { ...process.env, NO_COLOR: '1' } });

  it.skipIf(!program)('pulls through trouble, and shows its token to the registry alone', async () => {
    registry.login = { kind: 'bearer' };
    const first = IMAGE.blobs.get(FIRST.digest)!.bytes;
    registry.plan(new RegExp(FIRST.digest), resetAfter(first, 300_000), 1);
    registry.plan(new RegExp(FIRST.digest), status(503), 1);
    registry.plan(new RegExp(SECOND.digest), stall(new Uint8Array(), SECOND.size), 1);
    honeypot.addBlob(IMAGE.blobs.get(SECOND.digest)!.bytes);
    const elsewhere = `${honeypot.origin}/v2/app/blobs/${SECOND.digest}`;
    registry.plan(new RegExp(SECOND.digest), body(new Uint8Array(), { location: elsewhere }, 307), 1);
    const name = `${registry.host}/app:1`;
    expect((await pull(name)).stdout).toBe('downloaded\n');
    expect(registry.requests(new RegExp(FIRST.digest)).map(({ headers }) => headers.range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
    expect(honeypot.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(await openPullStore(dir.path).content.verifyAll()).toEqual([]);
    expect((await pull(name)).stdout).toBe('up to date\n');
  });

  it.skipIf(!program)('says when a registry is down', async () => {
    const { host } = honeypot;
    await honeypot.close();
    await expect(pull(`${host}/app:1`)).rejects.toMatchObject({
      stderr: expect.stringContaining(`cannot reach ${host}: connection refused`),
    });
  });

  it.skipIf(!program)('pushes through trouble, with what it has said to be its length', async () => {
    const target = await startPushRegistry();
    try {
      const image = buildImage({ layers: [{ a: noise(6_000_000, 1) }, { b: noise(700_000, 2) }] });
      const name = `${target.host}/app:1`;
      writeLayout(join(dir.path, 'layout'), name, image);
      await openPullStore(join(dir.path, 'store')).load(join(dir.path, 'layout'));
      target.plan(/PUT .*uploads/, cutAfter(target, 300_000, true), 2);
      const { stdout } = await promisify(execFile)(program!, [...flags, PUSH_PROGRAM, join(dir.path, 'store'), name], {
        env: { ...process.env, NO_COLOR: '1' },
      });
      expect(stdout.trim()).toBe(image.target.digest);
      for (const { digest } of image.layers) expect(target.blobs.has(digest)).toBe(true);
      const bodies = target.requests(/PUT|PATCH/).filter(({ bytes }) => bytes > 0);
      for (const { headers, bytes } of bodies) expect(headers['content-length']).toBe(String(bytes));
    } finally {
      await target.close();
    }
  });
});

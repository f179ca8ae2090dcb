import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DistributionClient, describes, digestOf, image, index, pushImage } from '../../support/distribution-client.ts';
import type { StartedRegistry, StartOptions } from '../../support/wctr-registry.ts';
import { startRegistry } from '../../support/wctr-registry.ts';

const encoder = new TextEncoder();

describe.each(['disk', 'memory'] as const)('the collector of a registry, on %s', (storage) => {
  const HOUR = 60 * 60_000;
  let nowMs = Date.now();
  let registry: StartedRegistry;
  let client: DistributionClient;
  beforeAll(async () => {
    registry = await startRegistry({ storage, now: () => nowMs } as StartOptions);
    client = new DistributionClient(registry.url);
  });
  afterAll(() => registry.stop());
  const has = async (path: string) => (await client.send('HEAD', `/v2/${path}`)).status === 200;

  it('keeps a blob for an hour after it was pushed, and after it was asked for', async () => {
    const [asked, forgotten] = [await client.pushBlob('grace', 'asked'), await client.pushBlob('grace', 'forgotten')];
    nowMs += HOUR - 1000;
    expect((await registry.registry.collect()).links).toBe(0);
    expect(await has(`grace/blobs/${asked}`)).toBe(true);
    nowMs += 2000;
    expect((await registry.registry.collect()).links).toBe(1);
    expect(await has(`grace/blobs/${forgotten}`)).toBe(false);
    expect(await has(`grace/blobs/${asked}`)).toBe(true);
  });

  it('keeps everything an image needs, for as long as it is there', async () => {
    const parts = image({ layers: 2 });
    await pushImage(client, 'kept', parts, 'v1');
    const list = index([describes(parts.manifest)]);
    await client.pushManifest('kept', 'all', list);
    await client.send('DELETE', '/v2/kept/manifests/v1');
    nowMs += 48 * HOUR;
    await registry.registry.collect({ untagged: true });
    expect(await has(`kept/manifests/${parts.digest}`), 'by its index').toBe(true);
    for (const { bytes } of [parts.config, ...parts.layers]) {
      expect(await has(`kept/blobs/${digestOf(bytes)}`)).toBe(true);
    }
    await client.send('DELETE', `/v2/kept/manifests/${digestOf(list.bytes)}`);
    await registry.registry.collect();
    expect(await has(`kept/manifests/${parts.digest}`), 'untagged manifests stay').toBe(true);
    // It was just asked whether they are there, as before a push.
    nowMs += 2 * HOUR;
    const garbage = await registry.registry.collect({ untagged: true });
    expect(garbage).toMatchObject({ manifests: 1, links: 3, blobs: 4 });
    expect(await has(`kept/manifests/${parts.digest}`)).toBe(false);
  });

  it('keeps what refers to an image, and what a type nobody knows seems to need', async () => {
    const target = image();
    await pushImage(client, 'refs', target, 'v1');
    const signature = image({ fields: { subject: describes(target.manifest) } });
    await pushImage(client, 'refs', signature);
    const digest = await client.pushBlob('refs', 'of another kind');
    const odd = {
      mediaType: 'application/x-odd+json',
      bytes: encoder.encode(JSON.stringify({ deep: [{ it: digest }] })),
    };
    expect((await client.pushManifest('refs', 'odd', odd)).status).toBe(201);
    nowMs += 48 * HOUR;
    await registry.registry.collect({ untagged: true });
    expect(await has(`refs/manifests/${signature.digest}`)).toBe(true);
    expect(await has(`refs/blobs/${digest}`)).toBe(true);
  });

  it('gives up uploads nobody goes on with', async () => {
    const location = await client.start('uploads');
    await client.send('PATCH', location, {}, 'some bytes');
    const sinceMs = nowMs - Date.now();
    expect((await registry.registry.collect({ uploadGraceMs: sinceMs + HOUR })).uploads).toBe(0);
    const { uploads } = await registry.registry.collect({ uploadGraceMs: sinceMs - HOUR });
    expect(uploads).toBeGreaterThan(0);
    expect((await client.send('GET', location)).status).toBe(404);
  });

  it('runs while pushes go on, and takes nothing they rely on', async () => {
    let isDone = false;
    const collecting = (async () => {
      let runs = 0;
      while (!isDone) {
        await registry.registry.collect({ graceMs: HOUR, uploadGraceMs: nowMs - Date.now() + HOUR });
        runs += 1;
        // In memory it waits for nothing, and nobody else would have a turn.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return runs;
    })();
    const pushed = await Promise.all(
      Array.from({ length: 4 }, async (_, worker) => {
        const mine: { repository: string; parts: ReturnType<typeof image> }[] = [];
        for (let i = 0; i < 10; i++) {
          const parts = image();
          const repository = `busy/w${worker}`;
          const answer = await pushImage(client, repository, parts, `t${i}`);
          expect(answer.status).toBe(201);
          mine.push({ repository, parts });
        }
        return mine;
      }),
    );
    isDone = true;
    expect(await collecting).toBeGreaterThan(1);
    for (const { repository, parts } of pushed.flat()) {
      expect(await has(`${repository}/manifests/${parts.digest}`)).toBe(true);
      for (const { bytes } of [parts.config, ...parts.layers]) {
        expect(await has(`${repository}/blobs/${digestOf(bytes)}`)).toBe(true);
      }
    }
    expect(registry.internalErrors).toEqual([]);
  });
});

describe('a store of images and of a registry', () => {
  it('is served by one process at a time', async () => {
    const root = mkdtempSync(join(tmpdir(), 'wctr-one-'));
    const first = await startRegistry({ root });
    await expect(startRegistry({ root })).rejects.toMatchObject({ code: 'conflict' });
    await first.stop();
    await (await startRegistry({ root })).stop();
    rmSync(root, { recursive: true });
  });

  it('goes on with an upload after a restart', async () => {
    const root = mkdtempSync(join(tmpdir(), 'wctr-restart-'));
    const first = await startRegistry({ root });
    const location = await new DistributionClient(first.url).start('a');
    await new DistributionClient(first.url).send('PATCH', location, {}, 'half of it, ');
    await first.stop();
    const second = await startRegistry({ root });
    const client = new DistributionClient(second.url);
    expect((await client.send('GET', location)).headers.get('range')).toBe('0-11');
    expect((await client.put(location, digestOf('half of it, and half'), 'and half')).status).toBe(201);
    await second.stop();
    rmSync(root, { recursive: true });
  });

  it('loses none of the registry to the collector of images', async () => {
    const registry = await startRegistry();
    const client = new DistributionClient(registry.url);
    const parts = image();
    await pushImage(client, 'shared', parts, 'v1');
    const lonely = await client.pushBlob('shared', 'not in any image yet');
    const { openEngine } = await import('../../../src/node.ts');
    const engine = await openEngine({ dataRoot: registry.root! });
    await engine.images.prune({ all: true });
    await engine.close();
    for (const digest of [lonely, digestOf(parts.config.bytes), parts.digest]) {
      expect(existsSync(join(registry.root!, 'blobs/sha256', digest.slice(7)))).toBe(true);
    }
    await registry.stop();
  });
});

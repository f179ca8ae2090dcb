import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DistributionClient, describes, digestOf, image, index, pushImage } from '../../support/distribution-client.ts';
import { createTestClient } from '../../support/registry-client.ts';
import { basic, type FakeRegistry, startFakeRegistry, status } from '../../support/registry-server.ts';
import { type StartedRegistry, startRegistry } from '../../support/wctr-registry.ts';

describe('a pull-through cache', () => {
  let upstream: StartedRegistry;
  let cache: StartedRegistry;
  let there: DistributionClient;
  let here: DistributionClient;
  beforeAll(async () => {
    upstream = await startRegistry({ storage: 'memory' });
    cache = await startRegistry({ pullThrough: { client: createTestClient(), domain: upstream.host } });
    there = new DistributionClient(upstream.url);
    here = new DistributionClient(cache.url);
  });
  afterAll(async () => {
    await cache.stop();
    await upstream.stop();
  });
  const get = async (path: string) => {
    const answer = await here.send('GET', `/v2/${path}`);
    return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) };
  };

  it('brings an index, its image and its blobs, digests and all', async () => {
    const parts = image({ layers: 2 });
    await pushImage(there, 'app', parts);
    const list = index([{ ...describes(parts.manifest), platform: { os: 'wasip1', architecture: 'wasm' } }]);
    await there.pushManifest('app', 'v1', list);
    const found = await get('app/manifests/v1');
    expect(found.bytes).toEqual(list.bytes);
    expect(found.answer.headers.get('docker-content-digest')).toBe(digestOf(list.bytes));
    expect((await get(`app/manifests/${parts.digest}`)).bytes).toEqual(parts.manifest.bytes);
    for (const { bytes } of [parts.config, ...parts.layers]) {
      expect((await get(`app/blobs/${digestOf(bytes)}`)).bytes).toEqual(bytes);
    }
  });

  it('follows a tag that moves', async () => {
    const [first, second] = [image(), image()];
    await pushImage(there, 'moving', first, 'v');
    expect((await get('moving/manifests/v')).bytes).toEqual(first.manifest.bytes);
    await pushImage(there, 'moving', second, 'v');
    expect((await get('moving/manifests/v')).bytes).toEqual(second.manifest.bytes);
    expect((await get(`moving/manifests/${first.digest}`)).answer.status).toBe(200);
  });

  it.each(['manifests/none', `manifests/sha256:${'0'.repeat(64)}`, `blobs/sha256:${'0'.repeat(64)}`])(
    'has no %s where there is none',
    async (path) => expect((await get(`app/${path}`)).answer.status).toBe(404),
  );

  it('takes no pushes', async () => {
    expect((await here.send('POST', '/v2/app/blobs/uploads/')).status).toBe(405);
    expect((await here.send('DELETE', '/v2/app/manifests/v1')).status).toBe(405);
  });

  it('asks for a blob that no manifest names nowhere', async () => {
    const digest = await there.pushBlob('app', 'private to the upstream');
    expect((await get(`app/blobs/${digest}`)).answer.status).toBe(404);
  });
});

describe('a pull-through cache of a registry that misbehaves', () => {
  const parts = image({ layers: 1 });
  const layer = parts.layers[0]!.bytes;
  let upstream: FakeRegistry;
  let cache: StartedRegistry;
  let here: DistributionClient;
  const open = async (credentials?: { username: string; password: string }) => {
    upstream = await startFakeRegistry();
    for (const { bytes } of [parts.config, ...parts.layers]) upstream.addBlob(bytes);
    upstream.addManifest('app', 'v1', parts.manifest.bytes, parts.manifest.mediaType);
    const client = createTestClient(credentials === undefined ? {} : { credentials: async () => credentials });
    cache = await startRegistry({ pullThrough: { client, domain: upstream.host } });
    here = new DistributionClient(cache.url);
  };
  const close = async () => {
    await cache.stop();
    await upstream.close();
  };

  it('serves what it has when the other is gone, and says so', async () => {
    await open();
    await here.send('GET', '/v2/app/manifests/v1');
    await here.send('GET', `/v2/app/blobs/${digestOf(layer)}`);
    await upstream.close();
    const answer = await here.send('GET', '/v2/app/manifests/v1');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('warning')).toMatch(/^299 - "the upstream/);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(parts.manifest.bytes);
    expect((await here.send('GET', `/v2/app/blobs/${digestOf(layer)}`)).status).toBe(200);
    expect((await here.send('GET', '/v2/app/manifests/other')).status).toBe(502);
    await close();
  });

  it('asks once for what many want at once', async () => {
    await open();
    await here.send('GET', '/v2/app/manifests/v1');
    const blobs = Array.from({ length: 12 }, () => here.send('GET', `/v2/app/blobs/${digestOf(layer)}`));
    for (const answer of await Promise.all(blobs)) {
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(layer);
    }
    expect(upstream.requests(/GET .*\/blobs\//)).toHaveLength(1);
    await close();
  });

  it('keeps nothing that has another digest than it should', async () => {
    await open();
    await here.send('GET', '/v2/app/manifests/v1');
    upstream.putBlob(digestOf(layer), new Uint8Array(layer.length).fill(1));
    expect((await here.send('GET', `/v2/app/blobs/${digestOf(layer)}`)).status).toBe(502);
    upstream.putBlob(digestOf(layer), layer);
    expect((await here.send('GET', `/v2/app/blobs/${digestOf(layer)}`)).status).toBe(200);
    await close();
  });

  it("shows the other its own login, and never the client's", async () => {
    await open({ username: 'cache', password: 'secret' });
    upstream.login = { kind: 'basic', username: 'cache', password: 'secret' };
    const headers = { authorization: basic('client', 'hunter2') };
    const answer = await here.send('GET', '/v2/app/manifests/v1', headers);
    expect(answer.status).toBe(200);
    expect([...answer.headers.values()].join()).not.toContain('secret');
    const shown = upstream.log.map((request) => request.headers.authorization);
    expect(shown).toContain(basic('cache', 'secret'));
    expect(shown).not.toContain(basic('client', 'hunter2'));
    await close();
  });

  it('answers 404 where it may not pull, so that nobody is asked for its login', async () => {
    await open();
    upstream.login = { kind: 'basic', username: 'x', password: 'y' };
    const answer = await here.send('GET', '/v2/app/manifests/v1');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    await close();
  });

  it('goes on after an error', async () => {
    await open();
    upstream.plan(/GET .*manifests/, status(500), 20);
    expect((await here.send('GET', '/v2/app/manifests/v1')).status).toBeGreaterThanOrEqual(500);
    upstream.clearPlans();
    expect((await here.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    await close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Driver } from '../../../src/registry/storage/s3-driver.ts';
import { DISTRIBUTION_CASES } from '../../conformance/distribution-cases.ts';
import { DistributionClient, digestOf, image, OCTETS, pushImage } from '../../support/distribution-client.ts';
import { peer } from '../../support/peers.ts';
import { type S3Server, startS3 } from '../../support/s3-server.ts';
import { type StartedRegistry, startRegistry } from '../../support/wctr-registry.ts';

describe.skipIf(!peer('s3rver'))('two registries on one bucket', () => {
  let s3: S3Server;
  let first: StartedRegistry;
  let second: StartedRegistry;
  let one: DistributionClient;
  let two: DistributionClient;
  const open = () => startRegistry({ driver: s3Driver({ ...s3, prefix: 'some/where' }), storage: 'memory' });
  beforeAll(async () => {
    s3 = await startS3();
    [first, second] = [await open(), await open()];
    [one, two] = [new DistributionClient(first.url), new DistributionClient(second.url)];
  });
  afterAll(async () => {
    await first?.stop();
    await second?.stop();
    await s3?.stop();
  });

  // The whole table takes a minute over this server; each chapter is there.
  const some = DISTRIBUTION_CASES.filter((_, i) => i % 4 === 0);
  some.forEach(({ chapter, says, run }, i) => {
    it(`${chapter}: ${says}`, () => run(one, `conformance/case-${i}`));
  });

  it('show each other at once what was pushed, moved and deleted', async () => {
    const [before, after] = [image(), image()];
    await pushImage(one, 'app', before, 'v1');
    const seen = async () => (await two.send('HEAD', '/v2/app/manifests/v1')).headers.get('docker-content-digest');
    expect(await seen()).toBe(before.digest);
    await pushImage(one, 'app', after, 'v1');
    expect(await seen()).toBe(after.digest);
    await one.send('DELETE', `/v2/app/manifests/${after.digest}`);
    expect((await two.send('GET', '/v2/app/manifests/v1')).status).toBe(404);
  });

  it("go on with each other's uploads, in parts and in less than one", async () => {
    const bytes = new Uint8Array(20 << 20).map((_, i) => (i * 13 + (i >> 12)) & 0xff);
    const chunk = (client: DistributionClient, location: string, from: number, to: number) =>
      client.send('PATCH', location, { ...OCTETS, 'content-range': `${from}-${to - 1}` }, bytes.subarray(from, to));
    let location = await one.start('app');
    const cuts = [0, 3 << 20, 12 << 20, (12 << 20) + 5, 20 << 20];
    for (let i = 0; i + 1 < cuts.length; i++) {
      const client = i % 2 === 0 ? one : two;
      const answer = await chunk(client, location, cuts[i]!, cuts[i + 1]!);
      expect(answer.status).toBe(202);
      location = answer.headers.get('location')!;
    }
    expect((await two.put(location, digestOf(bytes), '')).status).toBe(201);
    const found = await one.send('GET', `/v2/app/blobs/${digestOf(bytes)}`);
    expect(digestOf(new Uint8Array(await found.arrayBuffer()))).toBe(digestOf(bytes));
    const part = await one.send('GET', `/v2/app/blobs/${digestOf(bytes)}`, { range: 'bytes=9000000-9000009' });
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.subarray(9_000_000, 9_000_010));
  });

  it('collect what nothing needs, and only what is old enough', async () => {
    const kept = image();
    await pushImage(one, 'gc', kept, 'v1');
    const lonely = await two.pushBlob('gc', 'nobody needs it');
    expect((await first.registry.collect({ graceMs: 60_000, uploadGraceMs: 60_000 })).blobs).toBe(0);
    const { blobs } = await first.registry.collect({ graceMs: -60_000, uploadGraceMs: -60_000 });
    expect(blobs).toBeGreaterThan(0);
    expect((await two.send('HEAD', `/v2/gc/blobs/${lonely}`)).status).toBe(404);
    expect((await two.send('GET', `/v2/gc/blobs/${digestOf(kept.config.bytes)}`)).status).toBe(200);
    expect(first.internalErrors).toEqual([]);
    expect(second.internalErrors).toEqual([]);
  });

  it('say at once that the key is wrong', async () => {
    const driver = s3Driver({ ...s3, accessKeyId: 'nobody' });
    await expect(driver.documents.list('repositories')).rejects.toMatchObject({ code: 'store-read-only' });
  });
});

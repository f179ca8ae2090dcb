/**
 * What distribution-spec 1.1 asks of a registry, sentence by sentence: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 * Each case makes the content it needs, in a repository of its own.
 */
import { expect } from 'vitest';
import { type Digest, MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import {
  type DistributionClient,
  describes,
  digestOf,
  document,
  image,
  index,
  OCTETS,
  pushImage,
  withQuery,
} from '../support/distribution-client.ts';

export interface DistributionCase {
  readonly chapter: 'pull' | 'push' | 'discovery' | 'management' | 'sha512' | 'chunks' | 'referrers' | 'errors';
  readonly says: string;
  run(client: DistributionClient, repository: string): Promise<void>;
}

const NOWHERE: Digest = `sha256:${'0'.repeat(63)}1`;
const bytesOf = (length: number) => new Uint8Array(length).map((_, i) => (i * 31 + length) & 0xff);
const chapterOf =
  (chapter: DistributionCase['chapter']) =>
  (says: string, run: DistributionCase['run']): DistributionCase => ({ chapter, says, run });

async function errorCode(answer: Response): Promise<string> {
  return ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code;
}

async function expectBlob(client: DistributionClient, repository: string, digest: string, bytes: Uint8Array) {
  const answer = await client.send('GET', `/v2/${repository}/blobs/${digest}`);
  expect(answer.status).toBe(200);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
}

const pull = chapterOf('pull');
const PULL: DistributionCase[] = [
  pull('/v2/ says that this is a registry', async (client) => {
    expect((await client.send('GET', '/v2/')).status).toBe(200);
  }),
  pull('a manifest comes by its tag, as it was pushed', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts, 'v1');
    const accept = { accept: MEDIA_TYPE.ociManifest };
    const answer = await client.send('GET', `/v2/${repository}/manifests/v1`, accept);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(MEDIA_TYPE.ociManifest);
    expect(answer.headers.get('docker-content-digest')).toBe(parts.digest);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(parts.manifest.bytes);
  }),
  pull('a manifest comes by its digest', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    const answer = await client.send('GET', `/v2/${repository}/manifests/${parts.digest}`, {
      accept: MEDIA_TYPE.ociManifest,
    });
    expect(answer.status).toBe(200);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(parts.manifest.bytes);
  }),
  pull('HEAD tells size and digest of a manifest, without it', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts, 'v1');
    for (const reference of ['v1', parts.digest]) {
      const answer = await client.send('HEAD', `/v2/${repository}/manifests/${reference}`, {
        accept: MEDIA_TYPE.ociManifest,
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-length')).toBe(`${parts.manifest.bytes.length}`);
      expect(answer.headers.get('docker-content-digest')).toBe(parts.digest);
      expect((await answer.arrayBuffer()).byteLength).toBe(0);
    }
  }),
  pull('a blob comes by its digest', async (client, repository) => {
    const bytes = bytesOf(70_000);
    const digest = await client.pushBlob(repository, bytes);
    const answer = await client.send('GET', `/v2/${repository}/blobs/${digest}`);
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    expect(answer.headers.get('content-length')).toBe('70000');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  }),
  pull('HEAD tells size and digest of a blob, without it', async (client, repository) => {
    const digest = await client.pushBlob(repository, bytesOf(1234));
    const answer = await client.send('HEAD', `/v2/${repository}/blobs/${digest}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe('1234');
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
  }),
  ...[
    { range: 'bytes=0-99', from: 0, to: 100 },
    { range: 'bytes=100-199', from: 100, to: 200 },
    { range: 'bytes=900-', from: 900, to: 1000 },
    { range: 'bytes=-100', from: 900, to: 1000 },
    { range: 'bytes=900-5000', from: 900, to: 1000 },
    { range: 'bytes=0-0', from: 0, to: 1 },
  ].map(({ range, from, to }) =>
    pull(`the range ${range} of a blob`, async (client, repository) => {
      const bytes = bytesOf(1000);
      const digest = await client.pushBlob(repository, bytes);
      const answer = await client.send('GET', `/v2/${repository}/blobs/${digest}`, { range });
      expect(answer.status).toBe(206);
      expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000`);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes.subarray(from, to));
    }),
  ),
  pull('a range beyond the end is refused', async (client, repository) => {
    const digest = await client.pushBlob(repository, bytesOf(10));
    expect((await client.send('GET', `/v2/${repository}/blobs/${digest}`, { range: 'bytes=10-20' })).status).toBe(416);
  }),
  ...['GET', 'HEAD'].flatMap((method) => [
    pull(`${method} of a manifest that is not there is 404`, async (client, repository) => {
      await pushImage(client, repository, image(), 'v1');
      expect((await client.send(method, `/v2/${repository}/manifests/v2`)).status).toBe(404);
      expect((await client.send(method, `/v2/${repository}/manifests/${NOWHERE}`)).status).toBe(404);
    }),
    pull(`${method} of a blob that is not there is 404`, async (client, repository) => {
      await client.pushBlob(repository, bytesOf(11));
      expect((await client.send(method, `/v2/${repository}/blobs/${NOWHERE}`)).status).toBe(404);
    }),
    pull(`${method} of a repository that is not there is 404`, async (client, repository) => {
      expect((await client.send(method, `/v2/${repository}/manifests/v1`)).status).toBe(404);
    }),
  ]),
];

const push = chapterOf('push');
const PUSH: DistributionCase[] = [
  push('POST then PUT', async (client, repository) => {
    const bytes = bytesOf(5000);
    const answer = await client.put(await client.start(repository), digestOf(bytes), bytes);
    expect(answer.status).toBe(201);
    const location = answer.headers.get('location')!;
    const blob = await client.send('GET', location);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
  }),
  push('a single POST, or the offer of an upload', async (client, repository) => {
    const bytes = bytesOf(5001);
    const digest = digestOf(bytes);
    const answer = await client.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, OCTETS, bytes);
    expect([201, 202]).toContain(answer.status);
    const location = answer.headers.get('location')!;
    if (answer.status === 202) expect((await client.put(location, digest, bytes)).status).toBe(201);
    await expectBlob(client, repository, digest, bytes);
  }),
  push('one stream in a PATCH', async (client, repository) => {
    const bytes = bytesOf(200_000);
    const patched = await client.send('PATCH', await client.start(repository), OCTETS, bytes);
    expect(patched.status).toBe(202);
    expect(patched.headers.get('range')).toBe('0-199999');
    const answer = await client.put(patched.headers.get('location')!, digestOf(bytes), '');
    expect(answer.status).toBe(201);
    await expectBlob(client, repository, digestOf(bytes), bytes);
  }),
  push('a blob of no bytes', async (client, repository) => {
    const digest = await client.pushBlob(repository, '');
    await expectBlob(client, repository, digest, new Uint8Array(0));
  }),
  push('the same blob twice', async (client, repository) => {
    const bytes = bytesOf(500);
    await client.pushBlob(repository, bytes);
    const digest = await client.pushBlob(repository, bytes);
    await expectBlob(client, repository, digest, bytes);
  }),
  push('a blob under a wrong digest is refused and not kept', async (client, repository) => {
    const bytes = bytesOf(600);
    const wrong = digestOf(bytesOf(601));
    const answer = await client.put(await client.start(repository), wrong, bytes);
    expect(answer.status).toBe(400);
    expect(await errorCode(answer)).toBe('DIGEST_INVALID');
    for (const digest of [wrong, digestOf(bytes)]) {
      expect((await client.send('HEAD', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
    }
  }),
  ...['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'nonsense', `sha256:${'G'.repeat(64)}`].map((digest) =>
    push(`the digest ${digest.slice(0, 20)} is refused`, async (client, repository) => {
      const answer = await client.put(await client.start(repository), digest, bytesOf(8));
      expect(answer.status).toBe(400);
    }),
  ),
  push('a mount from another repository', async (client, repository) => {
    const bytes = bytesOf(700);
    const digest = await client.pushBlob(`${repository}/from`, bytes);
    const path = `/v2/${repository}/to/blobs/uploads/?mount=${digest}&from=${repository}/from`;
    const answer = await client.send('POST', path);
    expect(answer.status).toBe(201);
    expect((await client.send('GET', answer.headers.get('location')!)).status).toBe(200);
    await expectBlob(client, `${repository}/to`, digest, bytes);
  }),
  push('a mount of what is not there is the offer of an upload', async (client, repository) => {
    await client.pushBlob(`${repository}/from`, bytesOf(9));
    const path = `/v2/${repository}/to/blobs/uploads/?mount=${NOWHERE}&from=${repository}/from`;
    const answer = await client.send('POST', path);
    expect(answer.status).toBe(202);
    const bytes = bytesOf(701);
    expect((await client.put(answer.headers.get('location')!, digestOf(bytes), bytes)).status).toBe(201);
  }),
  push('a mount from anywhere, or the offer of an upload', async (client, repository) => {
    const bytes = bytesOf(702);
    const digest = await client.pushBlob(`${repository}/from`, bytes);
    const answer = await client.send('POST', `/v2/${repository}/to/blobs/uploads/?mount=${digest}`);
    expect([201, 202]).toContain(answer.status);
    if (answer.status === 201) await expectBlob(client, `${repository}/to`, digest, bytes);
  }),
  push('a manifest is answered with where it can be pulled', async (client, repository) => {
    const parts = image();
    const answer = await pushImage(client, repository, parts, 'v1');
    expect(answer.status).toBe(201);
    expect(answer.headers.get('docker-content-digest')).toBe(parts.digest);
    const found = await client.send('GET', answer.headers.get('location')!, { accept: MEDIA_TYPE.ociManifest });
    expect(found.status).toBe(200);
  }),
  push('a manifest under another digest than its own is refused', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    const answer = await client.pushManifest(repository, NOWHERE, parts.manifest);
    expect(answer.status).toBe(400);
  }),
  push('a manifest without its blobs is refused', async (client, repository) => {
    const answer = await client.pushManifest(repository, 'v1', image().manifest);
    expect([400, 404]).toContain(answer.status);
    expect(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN']).toContain(await errorCode(answer));
    expect((await client.send('GET', `/v2/${repository}/manifests/v1`)).status).toBe(404);
  }),
  push('an index without its manifests is refused', async (client, repository) => {
    const answer = await client.pushManifest(repository, 'v1', index([describes(image().manifest)]));
    expect([400, 404]).toContain(answer.status);
  }),
  push('a manifest keeps its bytes, unknown fields and spaces included', async (client, repository) => {
    const parts = image({ fields: { 'org.example.unknown': [1, { a: null }], annotations: { 'a.b': '☃' } } });
    const bytes = new TextEncoder().encode(
      `${JSON.stringify(JSON.parse(new TextDecoder().decode(parts.manifest.bytes)), null, 3)}\n\n`,
    );
    await pushImage(client, repository, parts);
    const odd = { mediaType: MEDIA_TYPE.ociManifest, bytes };
    expect((await client.pushManifest(repository, 'odd', odd)).status).toBe(201);
    const found = await client.send('GET', `/v2/${repository}/manifests/odd`, { accept: MEDIA_TYPE.ociManifest });
    expect(new Uint8Array(await found.arrayBuffer())).toEqual(bytes);
  }),
  push('a tag can be moved', async (client, repository) => {
    const [first, second] = [image(), image()];
    await pushImage(client, repository, first, 'v1');
    await pushImage(client, repository, second, 'v1');
    const found = await client.send('HEAD', `/v2/${repository}/manifests/v1`, { accept: MEDIA_TYPE.ociManifest });
    expect(found.headers.get('docker-content-digest')).toBe(second.digest);
    const old = await client.send('GET', `/v2/${repository}/manifests/${first.digest}`, {
      accept: MEDIA_TYPE.ociManifest,
    });
    expect(old.status).toBe(200);
  }),
  push('an image without layers', async (client, repository) => {
    expect((await pushImage(client, repository, image({ layers: 0 }), 'v1')).status).toBe(201);
  }),
  push('an artifact with a type nobody knows', async (client, repository) => {
    const parts = image({ configType: 'application/vnd.example.whatever.v7+json', fields: { artifactType: 'a/b' } });
    expect((await pushImage(client, repository, parts, 'v1')).status).toBe(201);
  }),
  push('layers that live elsewhere need not be here', async (client, repository) => {
    const elsewhere = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: NOWHERE,
      size: 5,
      urls: ['https://example.com/layer'],
    };
    const parts = image({ layers: 0, fields: { layers: [elsewhere] } });
    expect((await pushImage(client, repository, parts, 'v1')).status).toBe(201);
  }),
  push("docker's manifests and lists", async (client, repository) => {
    const parts = image({ fields: { mediaType: MEDIA_TYPE.dockerManifest }, configType: MEDIA_TYPE.dockerConfig });
    for (const blob of [parts.config, ...parts.layers]) await client.pushBlob(repository, blob.bytes);
    const manifest = { mediaType: MEDIA_TYPE.dockerManifest, bytes: parts.manifest.bytes };
    expect((await client.pushManifest(repository, parts.digest, manifest)).status).toBe(201);
    const platform = { os: 'linux', architecture: 'amd64' };
    const list = document(MEDIA_TYPE.dockerList, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.dockerList,
      manifests: [{ ...describes(manifest), platform }],
    });
    expect((await client.pushManifest(repository, 'all', list)).status).toBe(201);
    const found = await client.send('GET', `/v2/${repository}/manifests/all`, { accept: MEDIA_TYPE.dockerList });
    expect(found.headers.get('content-type')).toBe(MEDIA_TYPE.dockerList);
    expect(new Uint8Array(await found.arrayBuffer())).toEqual(list.bytes);
  }),
  push('an index, and an index of it', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    const platform = { os: 'wasip1', architecture: 'wasm' };
    const inner = index([{ ...describes(parts.manifest), platform }]);
    expect((await client.pushManifest(repository, digestOf(inner.bytes), inner)).status).toBe(201);
    expect((await client.pushManifest(repository, 'outer', index([describes(inner)]))).status).toBe(201);
  }),
  push('tags as parameters of a push by digest', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    const answer = await client.pushManifest(repository, parts.digest, parts.manifest, '?tag=a&tag=b.1&tag=c');
    expect(answer.status).toBe(201);
    expect(answer.headers.get('oci-tag')?.split(/, */)).toEqual(['a', 'b.1', 'c']);
    for (const tag of ['a', 'b.1', 'c']) {
      const found = await client.send('HEAD', `/v2/${repository}/manifests/${tag}`);
      expect(found.headers.get('docker-content-digest')).toBe(parts.digest);
    }
  }),
  push('a manifest of nearly 4 megabytes', async (client, repository) => {
    const parts = image({ fields: { annotations: { big: 'x'.repeat(4_000_000) } } });
    expect((await pushImage(client, repository, parts, 'big')).status).toBe(201);
  }),
  push('a manifest of 5 megabytes is refused with 413', async (client, repository) => {
    const parts = image({ fields: { annotations: { big: 'x'.repeat(5 << 20) } } });
    expect((await pushImage(client, repository, parts, 'big')).status).toBe(413);
  }),
];

const chunks = chapterOf('chunks');
const patch = (client: DistributionClient, location: string, from: number, bytes: Uint8Array) =>
  client.send('PATCH', location, { ...OCTETS, 'content-range': `${from}-${from + bytes.length - 1}` }, bytes);
const CHUNKS: DistributionCase[] = [
  chunks('in order, closed by a PUT without bytes', async (client, repository) => {
    const bytes = bytesOf(3000);
    let location = await client.start(repository);
    for (const from of [0, 1000, 2000]) {
      const answer = await patch(client, location, from, bytes.subarray(from, from + 1000));
      expect(answer.status).toBe(202);
      expect(answer.headers.get('range')).toBe(`0-${from + 999}`);
      location = answer.headers.get('location')!;
    }
    expect((await client.put(location, digestOf(bytes), '')).status).toBe(201);
    await expectBlob(client, repository, digestOf(bytes), bytes);
  }),
  chunks('the last one in the closing PUT', async (client, repository) => {
    const bytes = bytesOf(2001);
    const first = await patch(client, await client.start(repository), 0, bytes.subarray(0, 1000));
    const answer = await client.put(first.headers.get('location')!, digestOf(bytes), bytes.subarray(1000), {
      'content-range': '1000-2000',
    });
    expect(answer.status).toBe(201);
    await expectBlob(client, repository, digestOf(bytes), bytes);
  }),
  chunks('the status says how far an upload is', async (client, repository) => {
    const first = await patch(client, await client.start(repository), 0, bytesOf(1500));
    const status = await client.send('GET', first.headers.get('location')!);
    expect(status.status).toBe(204);
    expect(status.headers.get('range')).toBe('0-1499');
    expect(status.headers.get('location')).not.toBeNull();
  }),
  ...[
    ['that leaves a gap', 1500],
    ['that came already', 0],
    ['that overlaps', 500],
  ].map(([what, at]) =>
    chunks(`one ${what} is refused with 416, and the upload goes on`, async (client, repository) => {
      const bytes = bytesOf(2000);
      const first = await patch(client, await client.start(repository), 0, bytes.subarray(0, 1000));
      const location = first.headers.get('location')!;
      const refused = await patch(client, location, Number(at), bytes.subarray(Number(at), Number(at) + 500));
      expect(refused.status).toBe(416);
      const status = await client.send('GET', location);
      expect(status.headers.get('range')).toBe('0-999');
      const rest = await patch(client, status.headers.get('location')!, 1000, bytes.subarray(1000));
      expect(rest.status).toBe(202);
      expect((await client.put(rest.headers.get('location')!, digestOf(bytes), '')).status).toBe(201);
      await expectBlob(client, repository, digestOf(bytes), bytes);
    }),
  ),
  chunks('a first one that does not begin at 0 is refused', async (client, repository) => {
    expect((await patch(client, await client.start(repository), 100, bytesOf(100))).status).toBe(416);
  }),
  chunks('a last one out of order in the PUT is refused', async (client, repository) => {
    const bytes = bytesOf(2002);
    const first = await patch(client, await client.start(repository), 0, bytes.subarray(0, 1000));
    const answer = await client.put(first.headers.get('location')!, digestOf(bytes), bytes.subarray(1000), {
      'content-range': '1500-2501',
    });
    expect(answer.status).toBe(416);
  }),
  chunks('a cancelled upload is gone', async (client, repository) => {
    const location = await client.start(repository);
    expect((await client.send('DELETE', location)).status).toBe(204);
    expect((await client.send('GET', location)).status).toBe(404);
    expect((await client.send('PATCH', location, OCTETS, bytesOf(5))).status).toBe(404);
  }),
  chunks('an upload nobody began is unknown', async (client, repository) => {
    const location = await client.start(repository);
    const made = location.replace(/[0-9a-f]{8}-[0-9a-f]{4}/, '00000000-0000');
    expect((await client.send('PATCH', made, OCTETS, bytesOf(5))).status).toBe(404);
  }),
];

const sha512 = chapterOf('sha512');
const SHA512: DistributionCase[] = [
  sha512('blobs', async (client, repository) => {
    const bytes = bytesOf(4000);
    const digest = await client.pushBlob(repository, bytes, 'sha512');
    await expectBlob(client, repository, digest, bytes);
  }),
  sha512('blobs announced by their algorithm', async (client, repository) => {
    const bytes = bytesOf(4001);
    const first = await patch(client, await client.start(repository, '?digest-algorithm=sha512'), 0, bytes);
    const answer = await client.put(first.headers.get('location')!, digestOf(bytes, 'sha512'), '');
    expect(answer.status).toBe(201);
    await expectBlob(client, repository, digestOf(bytes, 'sha512'), bytes);
  }),
  sha512('a wrong one is refused', async (client, repository) => {
    const wrong = digestOf(bytesOf(1), 'sha512');
    expect((await client.put(await client.start(repository), wrong, bytesOf(2))).status).toBe(400);
  }),
  sha512('images', async (client, repository) => {
    const parts = image({ algorithm: 'sha512' });
    const answer = await pushImage(client, repository, parts, undefined, 'sha512');
    expect(answer.status).toBe(201);
    expect(answer.headers.get('docker-content-digest')).toBe(parts.digest);
    const found = await client.send('GET', `/v2/${repository}/manifests/${parts.digest}`);
    expect(new Uint8Array(await found.arrayBuffer())).toEqual(parts.manifest.bytes);
  }),
];

const discovery = chapterOf('discovery');
async function tagsOf(client: DistributionClient, repository: string, query = '') {
  const answer = await client.send('GET', `/v2/${repository}/tags/list${query}`);
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { name: string; tags: string[] };
  expect(body.name).toBe(repository);
  return { tags: body.tags, link: answer.headers.get('link') };
}
async function pushTags(client: DistributionClient, repository: string, tags: readonly string[]) {
  const parts = image();
  await pushImage(client, repository, parts);
  for (const tag of tags) {
    expect((await client.pushManifest(repository, tag, parts.manifest)).status).toBe(201);
  }
}
const TAGS = ['a', 'b', 'c.1', 'c.10', 'd_x'];
const DISCOVERY: DistributionCase[] = [
  discovery('all tags in order', async (client, repository) => {
    await pushTags(client, repository, [...TAGS].reverse());
    expect((await tagsOf(client, repository)).tags).toEqual(TAGS);
  }),
  discovery('so many tags', async (client, repository) => {
    await pushTags(client, repository, TAGS);
    expect((await tagsOf(client, repository, '?n=2')).tags).toEqual(['a', 'b']);
    expect((await tagsOf(client, repository, '?n=100')).tags).toEqual(TAGS);
  }),
  discovery('no tags, without a link', async (client, repository) => {
    await pushTags(client, repository, TAGS);
    const { tags, link } = await tagsOf(client, repository, '?n=0');
    expect(tags ?? []).toEqual([]);
    expect(link).toBeNull();
  }),
  discovery('tags after another', async (client, repository) => {
    await pushTags(client, repository, TAGS);
    expect((await tagsOf(client, repository, '?last=b')).tags).toEqual(['c.1', 'c.10', 'd_x']);
    expect((await tagsOf(client, repository, '?n=1&last=b')).tags).toEqual(['c.1']);
    expect((await tagsOf(client, repository, '?n=1&last=bb')).tags).toEqual(['c.1']);
  }),
  discovery('page by page by the link', async (client, repository) => {
    await pushTags(client, repository, TAGS);
    const seen: string[] = [];
    for (let query: string | undefined = '?n=2'; query !== undefined; ) {
      const { tags, link }: { tags: string[]; link: string | null } = await tagsOf(client, repository, query);
      seen.push(...tags);
      query = /^<[^>]*(\?[^>]*)>; *rel="next"$/.exec(link ?? '')?.[1];
    }
    expect(seen).toEqual(TAGS);
  }),
  discovery('a repository that is not there is 404', async (client, repository) => {
    expect((await client.send('GET', `/v2/${repository}/tags/list`)).status).toBe(404);
  }),
  ...['-1', 'x', '2147483648', '99999999999999999999'].map((n) =>
    discovery(`n=${n} is refused cleanly`, async (client, repository) => {
      await pushTags(client, repository, ['a']);
      const { status } = await client.send('GET', `/v2/${repository}/tags/list?n=${n}`);
      expect(status === 200 || status === 400, `${status}`).toBe(true);
    }),
  ),
];

const referrers = chapterOf('referrers');
async function referrersOf(client: DistributionClient, repository: string, digest: string, query = '') {
  const answer = await client.send('GET', `/v2/${repository}/referrers/${digest}${query}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe(MEDIA_TYPE.ociIndex);
  const body = (await answer.json()) as { schemaVersion: number; mediaType: string; manifests: { digest: string }[] };
  expect(body).toMatchObject({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex });
  return { manifests: body.manifests, applied: answer.headers.get('oci-filters-applied') };
}
const subjectOf = (parts: ReturnType<typeof image>) => describes(parts.manifest);
const REFERRERS: DistributionCase[] = [
  referrers('none of what is there, and of what is not', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    expect((await referrersOf(client, repository, parts.digest)).manifests).toEqual([]);
    expect((await referrersOf(client, repository, NOWHERE)).manifests).toEqual([]);
  }),
  referrers('what refers to an image, with its type and annotations', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const fields = {
      subject: subjectOf(target),
      artifactType: 'application/vnd.example.sbom',
      annotations: { 'org.example': 'yes' },
    };
    const sbom = image({ fields });
    const answer = await pushImage(client, repository, sbom);
    expect(answer.headers.get('oci-subject')).toBe(target.digest);
    expect((await referrersOf(client, repository, target.digest)).manifests).toEqual([
      { ...describes(sbom.manifest), artifactType: fields.artifactType, annotations: fields.annotations },
    ]);
  }),
  referrers("the config's type where there is no other", async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const referrer = image({ fields: { subject: subjectOf(target) }, configType: 'application/vnd.example.config' });
    await pushImage(client, repository, referrer);
    const { manifests } = await referrersOf(client, repository, target.digest);
    expect(manifests).toMatchObject([{ artifactType: 'application/vnd.example.config' }]);
  }),
  referrers('an index that refers, without a type of its own', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const referrer = index([], { subject: subjectOf(target) });
    const answer = await client.pushManifest(repository, digestOf(referrer.bytes), referrer);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('oci-subject')).toBe(target.digest);
    const { manifests } = await referrersOf(client, repository, target.digest);
    expect(manifests).toEqual([describes(referrer)]);
  }),
  referrers('pushed before what they refer to', async (client, repository) => {
    const target = image();
    const referrer = image({ fields: { subject: subjectOf(target), artifactType: 'a/early' } });
    const answer = await pushImage(client, repository, referrer);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('oci-subject')).toBe(target.digest);
    await pushImage(client, repository, target);
    const { manifests } = await referrersOf(client, repository, target.digest);
    expect(manifests.map(({ digest }) => digest)).toEqual([referrer.digest]);
  }),
  referrers('filtered by type', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const made = ['a/one', 'a/two', 'a/two'].map((artifactType) =>
      image({ fields: { subject: subjectOf(target), artifactType } }),
    );
    for (const parts of made) await pushImage(client, repository, parts);
    const { manifests, applied } = await referrersOf(client, repository, target.digest, '?artifactType=a%2Ftwo');
    expect(applied).toBe('artifactType');
    expect(manifests.map(({ digest }) => digest).sort()).toEqual([made[1]!.digest, made[2]!.digest].sort());
    const none = await referrersOf(client, repository, target.digest, '?artifactType=a%2Fthree');
    expect(none.manifests).toEqual([]);
    expect((await referrersOf(client, repository, target.digest)).manifests).toHaveLength(3);
  }),
  referrers('of sha512, and of a subject by sha512', async (client, repository) => {
    const target = image({ algorithm: 'sha512' });
    await pushImage(client, repository, target, undefined, 'sha512');
    const referrer = image({ fields: { subject: describes(target.manifest, 'sha512') } });
    await pushImage(client, repository, referrer);
    const { manifests } = await referrersOf(client, repository, target.digest);
    expect(manifests.map(({ digest }) => digest)).toEqual([referrer.digest]);
  }),
  referrers('are gone with their manifest', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const referrer = image({ fields: { subject: subjectOf(target) } });
    await pushImage(client, repository, referrer);
    await client.send('DELETE', `/v2/${repository}/manifests/${referrer.digest}`);
    expect((await referrersOf(client, repository, target.digest)).manifests).toEqual([]);
  }),
  referrers('stay when what they refer to goes', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const referrer = image({ fields: { subject: subjectOf(target) } });
    await pushImage(client, repository, referrer);
    await client.send('DELETE', `/v2/${repository}/manifests/${target.digest}`);
    expect((await referrersOf(client, repository, target.digest)).manifests).toHaveLength(1);
  }),
  referrers('of what is no digest are refused', async (client, repository) => {
    await pushImage(client, repository, image());
    for (const digest of ['nonsense', 'sha256:abc']) {
      expect((await client.send('GET', `/v2/${repository}/referrers/${digest}`)).status).toBe(400);
    }
  }),
  referrers('the fallback tag is a tag like others', async (client, repository) => {
    const target = image();
    await pushImage(client, repository, target);
    const list = index([describes(target.manifest)]);
    const tag = target.digest.replace(':', '-');
    expect((await client.pushManifest(repository, tag, list)).status).toBe(201);
    const accept = { accept: MEDIA_TYPE.ociIndex };
    expect((await client.send('GET', `/v2/${repository}/manifests/${tag}`, accept)).status).toBe(200);
  }),
];

const management = chapterOf('management');
const MANAGEMENT: DistributionCase[] = [
  management('a deleted manifest is gone, with its tags', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts, 'v1');
    expect((await client.send('DELETE', `/v2/${repository}/manifests/${parts.digest}`)).status).toBe(202);
    for (const reference of [parts.digest, 'v1']) {
      expect((await client.send('GET', `/v2/${repository}/manifests/${reference}`)).status).toBe(404);
    }
  }),
  management('a deleted tag is gone, its manifest is not', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts, 'v1');
    await client.pushManifest(repository, 'v2', parts.manifest);
    expect((await client.send('DELETE', `/v2/${repository}/manifests/v1`)).status).toBe(202);
    expect((await client.send('GET', `/v2/${repository}/manifests/v1`)).status).toBe(404);
    const accept = { accept: MEDIA_TYPE.ociManifest };
    expect((await client.send('GET', `/v2/${repository}/manifests/v2`, accept)).status).toBe(200);
    expect((await client.send('GET', `/v2/${repository}/manifests/${parts.digest}`, accept)).status).toBe(200);
    expect((await tagsOf(client, repository)).tags).toEqual(['v2']);
  }),
  management('a deleted blob is gone', async (client, repository) => {
    const digest = await client.pushBlob(repository, bytesOf(99));
    expect((await client.send('DELETE', `/v2/${repository}/blobs/${digest}`)).status).toBe(202);
    expect((await client.send('GET', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  }),
  management('a blob deleted here stays elsewhere', async (client, repository) => {
    const bytes = bytesOf(98);
    const digest = await client.pushBlob(`${repository}/a`, bytes);
    await client.pushBlob(`${repository}/b`, bytes);
    await client.send('DELETE', `/v2/${repository}/a/blobs/${digest}`);
    await expectBlob(client, `${repository}/b`, digest, bytes);
  }),
  management('what is deleted can be pushed again', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts, 'v1');
    await client.send('DELETE', `/v2/${repository}/manifests/${parts.digest}`);
    expect((await pushImage(client, repository, parts, 'v1')).status).toBe(201);
    const accept = { accept: MEDIA_TYPE.ociManifest };
    expect((await client.send('GET', `/v2/${repository}/manifests/v1`, accept)).status).toBe(200);
  }),
  ...[`manifests/${NOWHERE}`, 'manifests/v9', `blobs/${NOWHERE}`].map((path) =>
    management(`to delete ${path.slice(0, 17)} that is not there is 404`, async (client, repository) => {
      await pushImage(client, repository, image(), 'v1');
      expect((await client.send('DELETE', `/v2/${repository}/${path}`)).status).toBe(404);
    }),
  ),
];

const errors = chapterOf('errors');
const ERRORS: DistributionCase[] = [
  ...[
    ['GET', `manifests/${NOWHERE}`, 404, ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN']],
    ['GET', `blobs/${NOWHERE}`, 404, ['BLOB_UNKNOWN', 'NAME_UNKNOWN']],
    ['GET', 'tags/list', 404, ['NAME_UNKNOWN']],
    ['PUT', 'manifests/v1', 400, ['MANIFEST_INVALID']],
  ].map(([method, path, status, codes]) =>
    errors(`${method} ${String(path).slice(0, 20)} in a repository that is not there`, async (client, repository) => {
      const answer = await client.send(
        String(method),
        `/v2/${repository}/${path}`,
        { 'content-type': MEDIA_TYPE.ociManifest },
        method === 'PUT' ? '{"not": json' : undefined,
      );
      expect(answer.status).toBe(status);
      expect(codes).toContain(await errorCode(answer));
    }),
  ),
  ...['{}x', '[]', '"a"', '', `{"schemaVersion":2,"mediaType":"${MEDIA_TYPE.ociManifest}","layers":{}}`].map((body) =>
    errors(`the manifest ${body.slice(0, 20)} is refused`, async (client, repository) => {
      const manifest = { mediaType: MEDIA_TYPE.ociManifest, bytes: new TextEncoder().encode(body) };
      expect((await client.pushManifest(repository, 'v1', manifest)).status).toBe(400);
    }),
  ),
  errors('a manifest sent under another type than its own is refused', async (client, repository) => {
    const parts = image();
    await pushImage(client, repository, parts);
    const lie = { mediaType: MEDIA_TYPE.ociIndex, bytes: parts.manifest.bytes };
    expect((await client.pushManifest(repository, 'v1', lie)).status).toBe(400);
  }),
  errors('names in capitals are refused', async (client) => {
    const { status } = await client.send('POST', '/v2/UPPER/Case/blobs/uploads/');
    expect([400, 404]).toContain(status);
  }),
  errors('an upload of one repository is none of another', async (client, repository) => {
    await client.pushBlob(`${repository}/b`, bytesOf(3));
    const location = new URL(await client.start(`${repository}/a`), client.url).pathname;
    const moved = location.replace(`${repository}/a/`, `${repository}/b/`);
    expect((await client.send('PATCH', withQuery(moved, 'x=1'), OCTETS, bytesOf(3))).status).toBe(404);
  }),
];

export const DISTRIBUTION_CASES: readonly DistributionCase[] = [
  ...PULL,
  ...PUSH,
  ...CHUNKS,
  ...SHA512,
  ...DISCOVERY,
  ...REFERRERS,
  ...MANAGEMENT,
  ...ERRORS,
];

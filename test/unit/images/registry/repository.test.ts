import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../../../../src/spec/image-spec.ts';
import { createTestClient, FakeFetch } from '../../../support/registry-client.ts';
import {
  body,
  type FakeRegistry,
  resetAfter,
  sha256,
  stall,
  startFakeRegistry,
  status,
} from '../../../support/registry-server.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCUMENT = { schemaVersion: 2 };
/** Large enough to come in several chunks. */
const BYTES = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const BLOB: Descriptor = { mediaType: 'application/octet-stream', digest: sha256(BYTES), size: BYTES.length };

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
  registry.addManifest('a/b', 'latest', DOCUMENT, MANIFEST);
  registry.addBlob(BYTES);
});
afterEach(() => registry.close());

const repository = () => createTestClient().repository({ domain: registry.host, path: 'a/b' });
const shown = () => `${registry.host}/a/b`;

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('manifests', () => {
  const expected = (): Descriptor => {
    const bytes = new TextEncoder().encode(JSON.stringify(DOCUMENT));
    return { mediaType: MANIFEST, digest: sha256(bytes), size: bytes.length };
  };

  it('come by tag and by digest, with every type we read in Accept', async () => {
    const byTag = await repository().manifest('latest');
    expect(byTag.descriptor).toEqual(expected());
    expect(await repository().manifest(byTag.descriptor.digest)).toEqual(byTag);
    expect(registry.requests(/manifests/)[0]?.headers.accept).toBe(
      [
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.oci.image.manifest.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
        'application/vnd.docker.distribution.manifest.v2+json',
      ].join(', '),
    );
  });

  it('are described by HEAD, when it says all of it', async () => {
    expect(await repository().head('latest')).toEqual(expected());
    registry.plan(/^HEAD/, body(new Uint8Array(), { 'content-type': MANIFEST }), 1);
    expect(await repository().head('latest')).toBeUndefined();
    expect(await repository().head('nope')).toBeUndefined();
  });

  it('survive trouble that passes', async () => {
    registry.plan(/manifests/, status(503), 2);
    registry.plan(/manifests/, status(429, { 'retry-after': '0' }), 1);
    registry.plan(/manifests/, resetAfter(new Uint8Array(100), 10), 1);
    registry.plan(/manifests/, stall(new Uint8Array(1), 100), 1);
    expect((await repository().manifest('latest')).descriptor).toEqual(expected());
  });

  it.each([
    ['another tag', 'nope', 'no-such-image', () => `manifest for ${shown()}:nope not found`],
    [
      'a digest',
      `sha256:${'0'.repeat(64)}`,
      'no-such-image',
      () => `manifest for ${shown()}@sha256:${'0'.repeat(64)} not found`,
    ],
  ])('are missed by name: %s', async (_case, reference, code, message) => {
    await expect(repository().manifest(reference)).rejects.toMatchObject({ code, message: message() });
  });

  it('of a repository that is not there are missed as that', async () => {
    const other = createTestClient().repository({ domain: registry.host, path: 'other' });
    await expect(other.manifest('latest')).rejects.toMatchObject({
      code: 'no-such-image',
      message: `repository ${registry.host}/other not found on ${registry.host}`,
    });
  });

  it.each([
    [
      403,
      '{"errors":[{"code":"DENIED"}]}',
      'unauthorized',
      'pull access denied for @: it does not exist or requires a login',
    ],
    [
      404,
      '{"errors":[{"code":"DENIED"}]}',
      'unauthorized',
      'pull access denied for @: it does not exist or requires a login',
    ],
    [404, '<html>', 'no-such-image', 'manifest for @:latest not found'],
    [
      400,
      '{"errors":[{"code":"X","message":"bad \\u001b[31m thing"}]}',
      'registry-error',
      'HOST answered 400 for manifest for @:latest: "bad \\u{1b}[31m thing"',
    ],
    [500, '', 'registry-error', 'HOST answered 500 for manifest for @:latest'],
  ])('%i %s is %s', async (code, text, expectedCode, message) => {
    registry.plan(/manifests/, status(code, {}, text));
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: expectedCode,
      message: message.replace('@', shown()).replace('HOST', registry.host),
    });
  });

  it.each([
    ['text/html; charset=utf-8', () => `${registry.host} sent the manifest for ${shown()}:latest as "text/html"`],
    ['', () => `${registry.host} sent the manifest for ${shown()}:latest without a media type`],
    [
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      () => `${shown()}:latest is an image of Docker's old schema 1`,
    ],
  ])('are not taken as %s', async (type, message) => {
    registry.plan(/manifests/, body(new TextEncoder().encode('{}'), type === '' ? {} : { 'content-type': type }));
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: 'unsupported-media-type',
      message: message(),
    });
  });

  it('are checked against the digest asked for and the one announced', async () => {
    const { digest } = (await repository().manifest('latest')).descriptor;
    const wrong = new TextEncoder().encode('{"schemaVersion":2,"x":1}');
    registry.plan(/manifests/, body(wrong, { 'content-type': MANIFEST, 'docker-content-digest': digest }));
    const message = (name: string) => `manifest for ${name}: expected ${digest}, got ${sha256(wrong)}`;
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: message(`${shown()}:latest`),
    });
    await expect(repository().manifest(digest)).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: message(`${shown()}@${digest}`),
    });
  });

  it('of more than 4 MiB are not read', async () => {
    registry.plan(/manifests/, body(new Uint8Array(5 * 1024 * 1024), { 'content-type': MANIFEST }));
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: `manifest for ${shown()}:latest is larger than 4194304 bytes`,
    });
  });
});

describe('a registry that cannot be reached', () => {
  const manifestAt = (domain: string) => createTestClient().repository({ domain, path: 'a' }).manifest('latest');

  it('is down', async () => {
    const port = await unusedPort();
    await expect(manifestAt(`127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: `cannot reach 127.0.0.1:${port}: connection refused`,
    });
  });

  it('has no address', async () => {
    const failing = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ENOTFOUND' }) });
    };
    const client = createTestClient({ fetch: failing });
    await expect(client.repository({ domain: 'no.example', path: 'a' }).manifest('x')).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: 'cannot reach no.example: no such host',
    });
  });

  it('has a certificate nobody vouches for: http is not tried in its place', async () => {
    const failing = new FakeFetch((url) => {
      if (url.protocol === 'http:') return new Response('{}');
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      });
    });
    const client = createTestClient({ fetch: failing.fetch });
    await expect(client.repository({ domain: 'localhost:5000', path: 'a' }).manifest('x')).rejects.toMatchObject({
      message: 'cannot reach localhost:5000: its TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    });
    expect(failing.requests.every(({ url }) => url.startsWith('https:'))).toBe(true);
  });

  it('has no TLS where it is asked for, and says what to do', async () => {
    const failing = async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error(), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
      });
    };
    const client = createTestClient({ fetch: failing });
    await expect(client.repository({ domain: 'reg.lan:5000', path: 'a' }).manifest('x')).rejects.toMatchObject({
      message: 'cannot reach reg.lan:5000: it does not speak TLS',
      hint: 'to use plain http with it, list it under insecure-registries in registries.json',
    });
  });

  it('is not asked over http unless it is on this machine', async () => {
    const failing = new FakeFetch(() => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
    });
    const client = createTestClient({ fetch: failing.fetch });
    await client
      .repository({ domain: 'reg.example', path: 'a' })
      .manifest('x')
      .catch(() => {});
    expect(failing.requests.map(({ url }) => url)).toEqual(['https://reg.example/v2/a/manifests/x']);
  });
});

describe('mirrors', () => {
  it('stand in for docker.io, and are passed over when they cannot', async () => {
    const up = new FakeFetch((url) => {
      if (url.host === 'empty.example') return new Response('', { status: 404 });
      if (url.pathname.includes('/blobs/')) return new Response(BYTES);
      return new Response(JSON.stringify(DOCUMENT), { headers: { 'content-type': MANIFEST } });
    });
    const registries = { mirrors: ['https://empty.example', 'https://full.example/hub'], insecure: [] };
    const repo = createTestClient({ fetch: up.fetch, registries }).repository({
      domain: 'docker.io',
      path: 'library/a',
    });
    await repo.manifest('latest');
    await collect(repo.blob(BLOB)(0));
    expect(up.requests.map(({ url }) => url)).toEqual([
      'https://empty.example/v2/library/a/manifests/latest',
      'https://full.example/hub/v2/library/a/manifests/latest',
      `https://full.example/hub/v2/library/a/blobs/${BLOB.digest}`,
    ]);
  });

  it('leave the error to docker.io', async () => {
    const down = new FakeFetch((url) => new Response('', { status: url.host === 'mirror.example' ? 400 : 404 }));
    const registries = { mirrors: ['https://mirror.example'], insecure: [] };
    const repo = createTestClient({ fetch: down.fetch, registries }).repository({
      domain: 'docker.io',
      path: 'library/a',
    });
    await expect(repo.manifest('latest')).rejects.toMatchObject({ message: 'manifest for a:latest not found' });
  });
});

describe('blobs', () => {
  /** A Range that does not start over. */
  const SOMEWHERE = expect.stringMatching(/^bytes=[1-9]\d*-$/);
  const ranges = () => registry.requests(/blobs/).map(({ headers }) => headers.range);

  it.each([0, 1, 65_536, 699_999, 700_000])('come from byte %i on', async (offset) => {
    expect((await collect(repository().blob(BLOB)(offset))).equals(BYTES.subarray(offset))).toBe(true);
  });

  it('go on by Range after a broken connection', async () => {
    registry.plan(/blobs/, resetAfter(BYTES, 300_000), 1);
    registry.plan(/blobs/, resetAfter(BYTES, 100_000), 1);
    expect((await collect(repository().blob(BLOB)(0))).equals(BYTES)).toBe(true);
    expect(ranges()).toEqual([undefined, SOMEWHERE, SOMEWHERE]);
  });

  it('go on after silence', async () => {
    registry.plan(/blobs/, stall(BYTES.subarray(0, 1000), BYTES.length), 1);
    expect((await collect(repository().blob(BLOB)(0))).equals(BYTES)).toBe(true);
    expect(ranges()).toEqual([undefined, SOMEWHERE]);
  });

  it('have their known part skipped when a server ignores Range', async () => {
    registry.ignoresRange = true;
    registry.plan(/blobs/, resetAfter(BYTES, 300_000), 1);
    expect((await collect(repository().blob(BLOB)(0))).equals(BYTES)).toBe(true);
    expect((await collect(repository().blob(BLOB)(123_456))).equals(BYTES.subarray(123_456))).toBe(true);
  });

  it('are given up when nothing more comes', async () => {
    registry.plan(/blobs/, resetAfter(BYTES, 10));
    await expect(collect(repository().blob(BLOB)(0))).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: expect.stringMatching(
        /^127\.0\.0\.1:\d+: blob sha256:\w+ of \S+ broke off after \d+ of 700000 bytes: connection reset$/,
      ),
      hint: 'what was received is kept: pull again to go on from there',
    });
    expect(ranges()).toHaveLength(5);
  });

  const size = (why: string) => `blob ${BLOB.digest} of @ should have 700000 bytes, but HOST ${why}`;
  it.each<[string, () => void, string, string]>([
    [
      'too short, and says so',
      () => registry.plan(/blobs/, body(BYTES.subarray(1), { 'content-length': 699_999 })),
      'size-mismatch',
      size('announces 699999'),
    ],
    [
      'too long, and says so',
      () => registry.plan(/blobs/, body(Buffer.concat([BYTES, BYTES]), { 'content-length': 1_400_000 })),
      'size-mismatch',
      size('announces 1400000'),
    ],
    [
      'too long without a word',
      () => registry.plan(/blobs/, body(Buffer.concat([BYTES, BYTES]))),
      'size-mismatch',
      size('sends more'),
    ],
    [
      'too short without a word',
      () => {
        registry.ignoresRange = true;
        registry.plan(/blobs/, body(BYTES.subarray(0, 500_000), { 'transfer-encoding': 'chunked' }));
      },
      'size-mismatch',
      `blob ${BLOB.digest} of @ broke off after 500000 of 700000 bytes`,
    ],
    [
      'shorter than what is here',
      () => registry.plan(/blobs/, status(416)),
      'size-mismatch',
      size('has no byte 100 of it'),
    ],
    [
      'another part',
      () => registry.plan(/blobs/, body(BYTES.subarray(200), { 'content-range': 'bytes 200-699999/700000' }, 206)),
      'registry-error',
      `HOST sent another part of blob ${BLOB.digest} than asked`,
    ],
    [
      'a part of something larger',
      () => registry.plan(/blobs/, body(BYTES.subarray(100), { 'content-range': 'bytes 100-699999/900000' }, 206)),
      'registry-error',
      `HOST sent another part of blob ${BLOB.digest} than asked`,
    ],
    [
      'a part without saying which',
      () => registry.plan(/blobs/, body(BYTES.subarray(100), {}, 206)),
      'registry-error',
      `HOST sent another part of blob ${BLOB.digest} than asked`,
    ],
    ['not there', () => registry.removeBlob(BLOB.digest), 'not-found', `blob ${BLOB.digest} of @ not found`],
    [
      'forbidden',
      () => registry.plan(/blobs/, status(403)),
      'unauthorized',
      'pull access denied for @: it does not exist or requires a login',
    ],
  ])('are refused when they are %s', async (_case, arrange, code, message) => {
    arrange();
    await expect(collect(repository().blob(BLOB)(100))).rejects.toMatchObject({
      code,
      message: message.replace('@', shown()).replace('HOST', registry.host),
    });
  });

  it('stop when cancelled', async () => {
    registry.plan(/blobs/, stall(BYTES.subarray(0, 1000), BYTES.length));
    const controller = new AbortController();
    const reading = collect(repository().blob(BLOB)(0, controller.signal));
    setTimeout(() => controller.abort(), 50);
    await expect(reading).rejects.toMatchObject({
      code: 'cancelled',
      message: `the request to ${registry.host} was cancelled`,
    });
  });

  it('go on in a browser, which hides Content-Range of another origin', async () => {
    const answer = (type: string) => async () => {
      const response = new Response(BYTES.slice(100), { status: 206 });
      return Object.defineProperty(response, 'type', { value: type });
    };
    const blobBy = (type: string) =>
      createTestClient({ fetch: answer(type) })
        .repository({ domain: 'reg.example', path: 'a' })
        .blob(BLOB);
    expect((await collect(blobBy('cors')(100))).equals(BYTES.subarray(100))).toBe(true);
    await expect(collect(blobBy('basic')(100))).rejects.toMatchObject({ code: 'registry-error' });
  });

  it('let go of the connection when nobody reads on', async () => {
    for await (const chunk of repository().blob(BLOB)(0)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(ranges()).toEqual([undefined]);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

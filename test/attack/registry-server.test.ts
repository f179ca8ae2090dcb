/** Requests no client makes. THREATS: "Registry server". A clean 4xx for each, whatever it is, and the registry goes on. */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import {
  DistributionClient,
  describes,
  digestOf,
  image,
  index,
  OCTETS,
  pushImage,
} from '../support/distribution-client.ts';
import { type StartedRegistry, startRegistry } from '../support/wctr-registry.ts';

const REQUESTS = 10_000;
const AT_ONCE = 40;

let registry: StartedRegistry;
let client: DistributionClient;
const good = image();
beforeAll(async () => {
  registry = await startRegistry();
  client = new DistributionClient(registry.url);
  await pushImage(client, 'good/image', good, 'v1');
});
afterAll(() => registry.stop());

/** The same numbers for the same seed, so that what failed can be tried again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NAMES = [
  'good/image',
  'a',
  'A',
  '..',
  '.',
  '%2e%2e',
  '%00',
  'a%2fb',
  'a//b',
  '-',
  '_x',
  'x'.repeat(300),
  '%c3%a9',
  '%ff',
  'a%20b',
  '~',
  '*',
  '%',
  'blobs',
  'uploads',
  'manifests',
  'v2',
  '__proto__',
];
const REFERENCES = [
  'v1',
  good.digest,
  'latest',
  '..',
  '%2e%2e%2f%2e%2e',
  'sha256:',
  `sha256:${'0'.repeat(64)}`,
  `sha256:${'g'.repeat(64)}`,
  `sha512:${'0'.repeat(127)}`,
  `sha256:${'A'.repeat(64)}`,
  'sha1:abc',
  ':',
  '::',
  'x'.repeat(200),
  '%00',
  'a%00b',
  '.hidden',
  '-x',
  'v1%2f..',
  '%',
  '%zz',
  `${'sha256:'.repeat(40)}`,
  '00000000-0000-4000-8000-000000000000',
  '',
  '?',
  'constructor',
];
const KINDS = [
  'blobs',
  'manifests',
  'referrers',
  'blobs/uploads',
  'tags/list',
  'tags',
  'uploads',
  '',
  'blobs/uploads/',
  '_catalog',
  '..',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
const QUERIES = [
  '',
  '?n=2147483648',
  '?n=-1',
  '?n=1e9',
  '?n=%00',
  '?last=%ff',
  '?digest=x',
  `?digest=${good.digest}`,
  '?mount=..&from=..',
  `?mount=${good.digest}&from=${'a/'.repeat(99)}a`,
  '?digest-algorithm=md5',
  '?tag=..',
  `?${'tag=x&'.repeat(200)}`,
  '?artifactType=%00',
  '?n=1&n=2',
  '?%',
  `?mount=sha256:${'0'.repeat(64)}`,
];
const RANGES = [
  'bytes=0-',
  'bytes=-0',
  'bytes=5-1',
  'bytes=99999999999999999999-',
  'bytes=a-b',
  'bytes=0-1,3-4',
  'lines=1-2',
  'bytes=',
  '-',
  `bytes=${'1'.repeat(500)}`,
];
const CHUNKS = ['0-0', '1-0', '-1-5', '0-99999999999999999999', 'x', '5-10', 'bytes 0-5/6', '0-'];
const TYPES = [
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.dockerSchema1,
  'text/html',
  '',
  'x',
  'a/b; charset=utf-8',
  `a/${'b'.repeat(300)}`,
  '/',
  '*/*',
];
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '{"schemaVersion":2',
  '\u0000\u0001\u0002',
  '{"mediaType":5}',
  `{"layers":[{"digest":"sha256:${'0'.repeat(64)}","size":-1}]}`,
  `{"config":{"digest":"x","size":1},"layers":[]}`,
  '{"manifests":[1,2,3]}',
  '{"manifests":[],"layers":[]}',
  '{"subject":"x"}',
  '{"subject":{"digest":"../../../etc/passwd","size":1}}',
  '{"__proto__":{"polluted":true}}',
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  `{"a":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
  `{"annotations":{"a":1}}`,
  'x'.repeat(100_000),
];

interface Odd {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

function odd(below: (n: number) => number): Odd {
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const odd = Array.from({ length: 1 + below(3) }, () => one(NAMES)).join('/');
  const name = below(4) === 0 ? 'good/image' : odd;
  const method = one(METHODS);
  const path = `/v2/${below(10) === 0 ? '' : `${name}/`}${one(KINDS)}/${below(3) === 0 ? '' : one(REFERENCES)}${one(QUERIES)}`;
  const headers: Record<string, string> = {};
  if (below(3) === 0) headers.range = one(RANGES);
  if (below(3) === 0) headers['content-range'] = one(CHUNKS);
  if (below(2) === 0) headers['content-type'] = one(TYPES);
  if (below(8) === 0) headers.authorization = one(['Basic', 'Bearer x.y.z', 'Basic %%%', `Bearer ${'x'.repeat(5000)}`]);
  if (below(8) === 0) headers.origin = one(['null', 'https://evil.example', '', 'x']);
  if (below(8) === 0) headers['if-none-match'] = one(['*', '"x"', '']);
  const body = method === 'GET' || method === 'HEAD' ? undefined : one(BODIES);
  return { method, path, headers, body };
}

/** As it is: fetch would tidy the path. */
function raw(agent: Agent, { method, path, headers, body }: Odd): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(registry.url);
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const length = bytes === undefined ? {} : { 'content-length': String(bytes.length) };
    const sent = request({ agent, hostname, port, method, path, headers: { ...headers, ...length } }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(bytes);
  });
}

describe('a registry given nonsense', () => {
  it(`answers ${REQUESTS} malformed requests without one 5xx`, async () => {
    const below = numbers(20_261_121);
    const bad: unknown[] = [];
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const statuses = new Map<number, number>();
    for (let at = 0; at < REQUESTS; at += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, () => odd(below));
      await Promise.all(
        some.map(async ({ method, path, headers, body }) => {
          try {
            const status = await raw(agent, { method, path, headers, body });
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (status >= 500) bad.push({ method, path, headers, status });
          } catch (error) {
            bad.push({ method, path, headers, error: String(error) });
          }
        }),
      );
    }
    agent.destroy();
    expect(bad).toEqual([]);
    expect(registry.internalErrors).toEqual([]);
    // They reach more than the front door.
    expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200, 202, 400, 404, 405]));
    // Some of them were good enough to delete the image.
    expect((await pushImage(client, 'good/image', good, 'v1')).status).toBe(201);
    expect((await client.send('GET', '/v2/good/image/manifests/v1')).status).toBe(200);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('writes nothing outside its own directories', () => {
    const known = ['blobs', 'locks', 'registry', 'tmp'];
    expect(readdirSync(registry.root!).filter((name) => !known.includes(name))).toEqual([]);
    expect(readdirSync(join(registry.root!, 'registry')).sort()).toEqual(['repositories', 'uploads']);
    expect(existsSync(join(registry.root!, '..', 'passwd'))).toBe(false);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a header too long', `GET /v2/ HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
    [
      'two lengths',
      'PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      /^HTTP\/1\.1 400/,
    ],
    [
      'a length and chunks',
      'PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400/,
    ],
    ['a path that is none', 'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 40/],
    ['a method nobody knows', 'BREW /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
  ])('refuses %s', async (_, bytes, expected) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(registry.url).port) });
    socket.write(bytes);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += String(chunk);
    });
    socket.on('error', () => {});
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    socket.destroy();
    expect(heard).toMatch(expected);
  });

  it('keeps what came of an upload whose client has gone, and nothing of it can be seen', async () => {
    const location = await client.start('good/image');
    const bytes = new Uint8Array(300_000).fill(7);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(registry.url).port) });
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: ${registry.host}\r\nContent-Length: 1000000\r\n\r\n`);
    socket.write(bytes, () => setTimeout(() => socket.destroy(), 50));
    await once(socket, 'close');
    const status = await client.send('GET', location);
    expect(status.status).toBe(204);
    expect((await client.send('HEAD', `/v2/good/image/blobs/${digestOf(bytes)}`)).status).toBe(404);
    const have = Number(status.headers.get('range')!.slice(2)) + 1;
    const rest = { ...OCTETS, 'content-range': `${have}-299999` };
    if (have < 300_000) {
      expect((await client.send('PATCH', location, rest, bytes.subarray(have))).status).toBe(202);
    }
    expect((await client.put(location, digestOf(bytes), '')).status).toBe(201);
    expect(registry.internalErrors).toEqual([]);
  });
});

describe('content that lies', () => {
  it('a manifest is no page, whatever its type', async () => {
    const html = { mediaType: 'text/html', bytes: new TextEncoder().encode('{"a":"<script>alert(1)</script>"}') };
    expect((await client.pushManifest('good/image', 'page', html)).status).toBe(201);
    const answer = await client.send('GET', '/v2/good/image/manifests/page');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
  });

  it.each([
    ['manifests and layers', { manifests: [], layers: [], config: {} }, MEDIA_TYPE.ociManifest],
    ['manifests and config', { manifests: [], config: {} }, MEDIA_TYPE.ociIndex],
    ['another type than its header', { mediaType: MEDIA_TYPE.ociIndex, manifests: [] }, MEDIA_TYPE.ociManifest],
  ])('a document with %s is refused (CVE-2021-41190)', async (_, fields, mediaType) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, ...fields }));
    const answer = await client.pushManifest('good/image', 'x', { mediaType, bytes });
    expect(answer.status).toBe(400);
  });

  it('an image of this machine cannot be mounted by its digest alone', async () => {
    const bytes = new TextEncoder().encode('private layer of an image that was only pulled');
    const { writeFileSync } = await import('node:fs');
    const digest = digestOf(bytes);
    writeFileSync(join(registry.root!, 'blobs/sha256', digest.slice(7)), bytes);
    for (const path of [`blobs/uploads/?mount=${digest}`, `blobs/uploads/?mount=${digest}&from=good/image`]) {
      const answer = await client.send('POST', `/v2/thief/${path}`);
      expect(answer.status).toBe(202);
    }
    expect((await client.send('HEAD', `/v2/good/image/blobs/${digest}`)).status).toBe(404);
    const manifest = image({ layers: 0, fields: { layers: [{ mediaType: 'a/b', digest, size: bytes.length }] } });
    await client.pushBlob('thief', manifest.config.bytes);
    expect((await client.pushManifest('thief', 'x', manifest.manifest)).status).toBe(404);
  });

  it('a manifest of one repository is none of another', async () => {
    expect((await client.send('GET', `/v2/thief/manifests/${good.digest}`)).status).toBe(404);
    expect((await client.pushManifest('thief', 'x', index([describes(good.manifest)]))).status).toBe(404);
  });
});

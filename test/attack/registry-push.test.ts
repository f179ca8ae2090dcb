/** A registry that wants more of who pushes to it than the push: credentials for others, requests into private places. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PushTarget } from '../../src/images/registry/push-target.ts';
import { MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import { answer, type PushRegistry, startPushRegistry } from '../support/push-registry.ts';
import { createTestClient, FakeFetch } from '../support/registry-client.ts';
import { noise } from '../support/registry-images.ts';
import { sha256 } from '../support/registry-server.ts';

const BYTES = noise(2000);
const BLOB = { mediaType: 'application/octet-stream', digest: sha256(BYTES), size: BYTES.length };
const CREDENTIALS = async () => ({ username: 'me', password: 'secret' });

async function* origin(offset: number) {
  yield BYTES.slice(offset);
}

describe('a registry on loopback', () => {
  let registry: PushRegistry;
  let other: PushRegistry;
  let target: PushTarget;
  beforeEach(async () => {
    [registry, other] = await Promise.all([startPushRegistry(), startPushRegistry()]);
    registry.login = { kind: 'basic', username: 'me', password: 'secret' };
    target = createTestClient({ credentials: CREDENTIALS }).target({ domain: registry.host, path: 'app' });
  });
  afterEach(async () => {
    await Promise.all([registry.close(), other.close()]);
  });

  it('that sends the upload to another host sends no password there', async () => {
    other.uploads.set('1', { repository: 'app', parts: [] });
    registry.locate = (path) => `http://user:name@${other.host}${path.replace(/uploads\/\d+/, 'uploads/1')}`;
    await target.upload(BLOB, origin);
    expect(other.blobs.has(BLOB.digest)).toBe(true);
    expect(other.seen.length).toBeGreaterThan(0);
    for (const { headers } of other.seen) expect(headers.authorization).toBeUndefined();
  });

  it('that redirects the upload to another host sends no password there', async () => {
    other.uploads.set('1', { repository: 'app', parts: [] });
    registry.plan(
      /PUT/,
      answer(307, { location: `http://${other.host}/v2/app/blobs/uploads/1?digest=${BLOB.digest}` }),
    );
    await target.upload(BLOB, origin);
    expect(other.blobs.has(BLOB.digest)).toBe(true);
    for (const { headers } of other.seen) expect(headers.authorization).toBeUndefined();
  });

  it('that asks for the login at the other host gets none', async () => {
    other.login = { kind: 'basic', username: 'me', password: 'secret' };
    registry.locate = (path) => `http://${other.host}${path}`;
    await expect(target.upload(BLOB, origin)).rejects.toMatchObject({ code: 'unauthorized' });
    for (const { headers } of other.seen) expect(headers.authorization).toBeUndefined();
  });

  it.each([301, 302, 303])('that answers a write with %i is not followed', async (code) => {
    registry.plan(/PUT/, answer(code, { location: `http://${other.host}/` }));
    await expect(target.upload(BLOB, origin)).rejects.toMatchObject({ code: 'registry-error' });
    expect(other.seen).toEqual([]);
  });

  it('that redirects in circles is left', async () => {
    registry.plan(/PUT/, (request, response) => {
      request.resume();
      response.writeHead(307, { location: request.url! }).end();
      return true;
    });
    await expect(target.upload(BLOB, origin)).rejects.toMatchObject({
      message: expect.stringContaining('without end'),
    });
    expect(registry.requests(/PUT/).length).toBeLessThan(12);
  });

  it('that moves the upload on and on without taking anything is left', async () => {
    registry.plan(/PATCH/, (request, response) => {
      request.resume();
      response
        .writeHead(202, { location: `${request.url!.replace(/\?.*/, '')}?n=${Math.random()}`, range: '0-0' })
        .end();
      return true;
    });
    const options = { canStream: false, chunkBytes: 1_000_000 };
    const large = noise(5_000_000);
    await expect(
      target.upload(
        { ...BLOB, digest: sha256(large), size: large.length },
        async function* (offset) {
          yield large.slice(offset);
        },
        options,
      ),
    ).rejects.toMatchObject({ code: 'registry-unreachable' });
    expect(registry.requests(/PATCH/).length).toBeLessThan(30);
  });

  it.each([
    'http://169.254.169.254/latest/',
    'http://metadata.google.internal/',
    'http://10.0.0.1/',
    'file:///etc/passwd',
    'javascript:1',
    '//',
  ])('does not lead to %s', async (location) => {
    registry.locate = () => location;
    await expect(target.upload(BLOB, origin)).rejects.toMatchObject({ code: 'registry-error' });
  });

  it('that says another digest than that of the manifest is not believed', async () => {
    registry.plan(/PUT .*manifests/, answer(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }));
    const bytes = new TextEncoder().encode('{}');
    const manifest = { mediaType: MEDIA_TYPE.ociManifest, digest: sha256(bytes), size: bytes.length };
    await expect(target.putManifest('1', manifest, bytes)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('that claims to have a blob of another size has none', async () => {
    registry.plan(/HEAD/, answer(200, { 'content-length': '5' }));
    expect(await target.hasBlob(BLOB)).toBe(false);
  });

  it('with escape sequences in its error moves no cursor', async () => {
    const evil = '\u001b[2J\u001b]0;owned\u0007\r\nok: pushed';
    registry.plan(/PUT/, answer(400, {}, JSON.stringify({ errors: [{ code: 'X', message: evil }] })));
    const error = await target.upload(BLOB, origin).catch((cause: Error) => cause);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect((error as Error).message).not.toMatch(/[\x00-\x1f\x7f]/);
    expect((error as Error).message).toContain('answered 400');
  });

  it('with an error as long as it likes is cut short', async () => {
    registry.plan(/PUT/, (request, response) => {
      request.resume();
      response.writeHead(400);
      const more = () => {
        while (response.write('x'.repeat(65536)));
      };
      response.on('drain', more);
      more();
      return true;
    });
    await expect(target.upload(BLOB, origin)).rejects.toMatchObject({ code: 'registry-error' });
  });

  it('that drips its error is not waited for', async () => {
    registry.plan(/PUT/, (request, response) => {
      request.resume();
      response.writeHead(400);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
      return true;
    });
    const client = createTestClient({ timing: { documentTimeoutMs: 300, backoffMs: 1 } });
    registry.login = undefined;
    const slow = client.target({ domain: registry.host, path: 'app' });
    const began = Date.now();
    await expect(slow.upload(BLOB, origin)).rejects.toMatchObject({ code: 'registry-error' });
    expect(Date.now() - began).toBeLessThan(5000);
  });
});

describe('a registry with TLS', () => {
  const start = (location: string) =>
    new FakeFetch((url, headers) => {
      if (headers.get('authorization') === null && url.host === 'reg.example') {
        return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
      }
      return new Response(null, { status: 202, headers: { location } });
    });
  const push = (fetch: FakeFetch) =>
    createTestClient({ fetch: fetch.fetch, credentials: CREDENTIALS })
      .target({ domain: 'reg.example', path: 'app' })
      .upload(BLOB, origin);

  it('cannot send the upload to plain http', async () => {
    const fetch = start('http://reg.example/upload');
    await expect(push(fetch)).rejects.toMatchObject({
      code: 'registry-error',
      message: 'reg.example sends the upload to reg.example: that is plain http',
    });
    expect(fetch.requests.every(({ url }) => url.startsWith('https:'))).toBe(true);
  });

  it.each([
    'https://127.0.0.1/upload',
    'https://[::1]/upload',
    'https://192.168.0.1/upload',
    'https://localhost/upload',
  ])('cannot send the upload to %s', async (location) => {
    const fetch = start(location);
    await expect(push(fetch)).rejects.toMatchObject({ message: expect.stringContaining('private network') });
    expect(fetch.requests.filter(({ url }) => new URL(url).host !== 'reg.example')).toEqual([]);
  });

  it('cannot have its token fetched over plain http, or from here', async () => {
    for (const realm of ['http://auth.example/token', 'https://127.0.0.1/token', 'https://169.254.169.254/token']) {
      const fetch = new FakeFetch(
        () => new Response(null, { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}"` } }),
      );
      await expect(push(fetch)).rejects.toMatchObject({ code: 'registry-error' });
      expect(fetch.requests.filter(({ url }) => new URL(url).host !== 'reg.example')).toEqual([]);
    }
  });
});

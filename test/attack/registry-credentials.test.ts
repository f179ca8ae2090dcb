/**
 * A hostile registry tries to have a credential shown to someone else, or to have us knock where only we can
 * (CVE-2020-15157, CVE-2026-12566). Each row names the trick; a honeypot says what it saw.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WctrError } from '../../src/errors.ts';
import { Transport } from '../../src/images/registry/transport.ts';
import { createTestClient, FAST, FakeFetch, redirect } from '../support/registry-client.ts';
import { body, type FakeRegistry, sha256, startFakeRegistry } from '../support/registry-server.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const credentials = async () => ({ username: 'victim', password: 'secret' });
const bytes = new TextEncoder().encode('a blob');
const blob = { mediaType: 'application/octet-stream', digest: sha256(bytes), size: bytes.length };

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of source) text += Buffer.from(chunk).toString();
  return text;
}

describe('credentials and redirects', () => {
  let registry: FakeRegistry;
  let honeypot: FakeRegistry;
  beforeEach(async () => {
    [registry, honeypot] = await Promise.all([startFakeRegistry(), startFakeRegistry()]);
    registry.login = { kind: 'basic', username: 'victim', password: 'secret' };
    registry.addManifest('a', 'latest', { schemaVersion: 2 }, MANIFEST);
  });
  afterEach(() => Promise.all([registry.close(), honeypot.close()]));

  const repository = () => createTestClient({ credentials }).repository({ domain: registry.host, path: 'a' });
  const sendTo = (target: string, status = 307) => body(new Uint8Array(), { location: target }, status);

  it.each([301, 302, 303, 307, 308])('a %i to another host leaves Authorization behind', async (status) => {
    honeypot.addBlob(bytes);
    await repository().manifest('latest');
    registry.plan(/blobs/, sendTo(`${honeypot.origin}/v2/a/blobs/${blob.digest}`, status));
    expect(await collect(repository().blob(blob)(0))).toBe('a blob');
    expect(honeypot.log).toHaveLength(1);
    expect(honeypot.log[0]?.headers.authorization).toBeUndefined();
    expect(JSON.stringify(honeypot.log)).not.toContain('secret');
  });

  it('another port is another host', async () => {
    const manifest = honeypot.addManifest('a', 'latest', { schemaVersion: 2 }, MANIFEST);
    registry.plan(/GET .*manifests/, sendTo(`${honeypot.origin}/v2/a/manifests/latest`));
    expect((await repository().manifest('latest')).descriptor).toEqual(manifest);
    expect(honeypot.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('a redirect that comes back to the registry gets Authorization there only', async () => {
    registry.addBlob(bytes);
    honeypot.plan(/./, sendTo(`${registry.origin}/v2/a/blobs/${blob.digest}`));
    const repo = repository();
    await repo.manifest('latest');
    registry.plan(/blobs/, sendTo(`${honeypot.origin}/x`), 1);
    expect(await collect(repo.blob(blob)(0))).toBe('a blob');
    expect(honeypot.log[0]?.headers.authorization).toBeUndefined();
  });

  it('a login asked for by the place redirected to is not answered', async () => {
    honeypot.login = { kind: 'basic', username: 'victim', password: 'secret' };
    const repo = repository();
    await repo.manifest('latest');
    registry.plan(/blobs/, sendTo(`${honeypot.origin}/v2/a/blobs/${blob.digest}`));
    await expect(collect(repo.blob(blob)(0))).rejects.toMatchObject({ code: 'unauthorized' });
    expect(honeypot.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('credentials inside a redirect are dropped', async () => {
    honeypot.addBlob(bytes);
    registry.addBlob(bytes);
    registry.plan(/blobs/, sendTo(`http://u:p@${honeypot.host}/v2/a/blobs/${blob.digest}`));
    await repository().manifest('latest');
    expect(await collect(repository().blob(blob)(0))).toBe('a blob');
    expect(honeypot.log[0]?.headers.authorization).toBeUndefined();
  });

  it('foreign layer URLs see no credentials, and only http(s) ones are asked', async () => {
    honeypot.addBlob(bytes);
    const urls = [
      'file:///etc/passwd',
      'ftp://x/y',
      'http://u:p@127.0.0.1/',
      `${honeypot.origin}/v2/a/blobs/${blob.digest}`,
    ];
    const repo = repository();
    await repo.manifest('latest');
    expect(await collect(repo.blob({ ...blob, urls })(0))).toBe('a blob');
    expect(honeypot.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('a redirect to a place that is not http(s) is refused', async () => {
    registry.plan(/blobs/, sendTo('file:///etc/passwd'));
    await expect(collect(repository().blob(blob)(0))).rejects.toMatchObject({
      code: 'registry-error',
      message: `${registry.host} redirects to an address that is not http(s)`,
    });
  });
});

describe('https is not left', () => {
  const downgrade = new FakeFetch((url) =>
    url.protocol === 'https:' ? redirect('http://reg.example/x') : new Response('x'),
  );
  const transport = new Transport({ fetch: downgrade.fetch, timing: FAST });
  const request = { url: new URL('https://reg.example/v2/'), authorization: 'Basic secret' };

  it('for what no digest vouches for', async () => {
    await expect(transport.send(request)).rejects.toMatchObject({
      message: 'reg.example redirects from https to http, to reg.example',
    });
  });

  it('with a credential', async () => {
    await transport.send({ ...request, verified: true });
    const last = downgrade.requests.at(-1)!;
    expect([last.url, last.headers.get('authorization')]).toEqual(['http://reg.example/x', null]);
  });
});

it('the path of a mirror does not become a host', async () => {
  const asked = new FakeFetch(() => new Response('', { status: 404 }));
  const registries = { mirrors: ['https://mirror.example//thief.example'], insecure: [] };
  const client = createTestClient({ fetch: asked.fetch, credentials, registries });
  await client
    .repository({ domain: 'docker.io', path: 'library/a' })
    .manifest('x')
    .catch(() => {});
  expect(asked.requests[0]?.url).toBe('https://mirror.example//thief.example/v2/library/a/manifests/x');
  expect(asked.shown('thief.example')).toEqual([]);
});

/** Registry, realm or redirect target, and whether it may be asked. */
const PLACES: [string, string, boolean][] = [
  ['reg.example', 'https://auth.example/token', true],
  ['reg.example', 'http://auth.example/token', false],
  ['reg.example', 'http://127.0.0.1:8080/token', false],
  ['reg.example', 'https://127.0.0.1/token', false],
  ['reg.example', 'https://localhost/token', false],
  ['reg.example', 'https://0x7f000001/token', false],
  ['reg.example', 'https://[::1]/token', false],
  ['reg.example', 'https://[::ffff:7f00:1]/token', false],
  ['reg.example', 'https://169.254.169.254/latest/meta-data/', false],
  ['reg.example', 'http://169.254.169.254/latest/meta-data/', false],
  ['reg.example', 'https://[fd00:ec2::254]/token', false],
  ['reg.example', 'https://metadata.google.internal/token', false],
  ['reg.example', 'https://10.0.0.1/token', false],
  ['reg.example', 'https://192.168.0.1/token', false],
  ['reg.example', 'https://inside.example/token', false],
  ['reg.example', 'file:///etc/passwd', false],
  ['reg.example', 'data:application/json,{"token":"x"}', false],
  ['reg.example', 'https://u:p@auth.example/token', false],
  ['reg.example', '/token', false],
  ['reg.example', '', false],
  ['10.0.0.5', 'https://10.0.0.6/token', true],
  ['10.0.0.5', 'https://127.0.0.1/token', false],
  ['127.0.0.1:443', 'https://localhost:8443/token', true],
  ['127.0.0.1:443', 'https://169.254.169.254/token', false],
  ['127.0.0.1:80', 'http://127.0.0.1:81/token', true],
  ['127.0.0.1:80', 'http://reg.example/token', false],
];

describe('the realm of a token server', () => {
  it.each(PLACES)('%s names %s: %s', async (domain, realm, allowed) => {
    const asked = new FakeFetch((url, headers) => {
      if (!url.pathname.startsWith('/v2/')) return Response.json({ token: 'given' });
      if (headers.get('authorization') === 'Bearer given') {
        return new Response('{"schemaVersion":2}', { headers: { 'content-type': MANIFEST } });
      }
      return new Response('', { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="s"` } });
    });
    // What a resolver of the host would say of names.
    const lookup = async (name: string) => [name === 'inside.example' ? '10.1.1.1' : '93.184.216.34'];
    const client = createTestClient({ fetch: asked.fetch, credentials, lookup });
    const outcome = await client
      .repository({ domain, path: 'a' })
      .manifest('latest')
      .catch((error: WctrError) => error.code);
    const elsewhere = asked.requests.filter(({ url }) => !new URL(url).pathname.startsWith('/v2/'));
    if (allowed) {
      expect(outcome).toMatchObject({ descriptor: { mediaType: MANIFEST } });
      expect(elsewhere).toHaveLength(1);
    } else {
      expect(outcome).toBe('registry-error');
      expect(elsewhere).toEqual([]);
    }
  });

  it('may not redirect the password away either', async () => {
    const asked = new FakeFetch((url) => {
      if (url.host === 'auth.example') return redirect('https://thief.example/token');
      if (url.host === 'thief.example') return Response.json({ token: 'x' });
      return new Response('', {
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="https://auth.example/token"' },
      });
    });
    const client = createTestClient({ fetch: asked.fetch, credentials });
    await client
      .repository({ domain: 'reg.example', path: 'a' })
      .manifest('latest')
      .catch(() => {});
    expect(asked.shown('auth.example')[0]).toMatch(/^Basic /);
    expect(asked.shown('thief.example')).toEqual([null]);
  });

  it('cannot widen the scope we ask for', async () => {
    const challenge =
      'Bearer realm="https://auth.example/token",service="s",scope="repository:victim/private:pull,push"';
    const asked = new FakeFetch((url) =>
      url.host === 'auth.example'
        ? Response.json({ token: 'x' })
        : new Response('', { status: 401, headers: { 'www-authenticate': challenge } }),
    );
    const client = createTestClient({ fetch: asked.fetch, credentials });
    await client
      .repository({ domain: 'reg.example', path: 'a' })
      .manifest('latest')
      .catch(() => {});
    const token = asked.requests.find(({ url }) => url.startsWith('https://auth.example/'));
    expect(new URL(token!.url).searchParams.getAll('scope')).toEqual(['repository:a:pull']);
  });
});

describe('redirects into private networks', () => {
  it.each(['http://169.254.169.254/latest', 'https://localhost/x', 'https://10.0.0.1/', 'https://inside.example/'])(
    'to %s are not followed',
    async (target) => {
      const asked = new FakeFetch(() => redirect(target));
      const lookup = async (name: string) => [name === 'inside.example' ? '10.1.1.1' : '93.184.216.34'];
      const transport = new Transport({ fetch: asked.fetch, lookup, timing: FAST });
      const sending = transport.send({ url: new URL('https://reg.example/v2/'), verified: true });
      await expect(sending).rejects.toMatchObject({
        code: 'registry-error',
        message: `reg.example redirects into a private network, to ${new URL(target).hostname}`,
      });
      expect(asked.requests).toHaveLength(1);
    },
  );
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WctrError } from '../../../../src/errors.ts';
import { createTestClient, FakeFetch } from '../../../support/registry-client.ts';
import { basic, type FakeRegistry, startFakeRegistry } from '../../../support/registry-server.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
  registry.addManifest('a/b', 'latest', { schemaVersion: 2 }, MANIFEST);
  registry.addManifest('c', 'latest', { schemaVersion: 2 }, MANIFEST);
});
afterEach(() => registry.close());

const name = (path = 'a/b') => ({ domain: registry.host, path });

describe('a registry that asks for a token', () => {
  it('gives one to everyone, scoped to the pull', async () => {
    registry.login = { kind: 'bearer' };
    const client = createTestClient();
    await client.repository(name()).manifest('latest');
    const [asked] = registry.requests(/ \/token/);
    expect(new URL(asked!.url, registry.origin).searchParams.toString()).toBe(
      'service=fake&scope=repository%3Aa%2Fb%3Apull',
    );
    expect(asked?.headers.authorization).toBeUndefined();
    expect(registry.requests(/manifests/).map(({ headers }) => headers.authorization)).toEqual(['Bearer token-0']);
  });

  it('is asked once by requests of one scope, once more for another', async () => {
    registry.login = { kind: 'bearer', expiresInS: 300 };
    const client = createTestClient();
    await Promise.all(Array.from({ length: 20 }, () => client.repository(name()).manifest('latest')));
    expect(registry.requests(/ \/token/)).toHaveLength(1);
    await client.repository(name('c')).manifest('latest');
    expect(registry.requests(/ \/token/)).toHaveLength(2);
  });

  it('is asked again when the token was revoked before its time', async () => {
    registry.login = { kind: 'bearer', expiresInS: 300 };
    const client = createTestClient();
    await client.repository(name()).manifest('latest');
    registry.revokeTokens();
    await Promise.all(Array.from({ length: 20 }, () => client.repository(name()).manifest('latest')));
    expect(registry.requests(/ \/token/)).toHaveLength(2);
  });

  it('is shown username and password', async () => {
    registry.login = { kind: 'bearer', username: 'u', password: 'p' };
    const client = createTestClient({ credentials: async () => ({ username: 'u', password: 'p' }) });
    await client.repository(name()).manifest('latest');
    expect(registry.requests(/ \/token/)[0]?.headers.authorization).toBe(basic('u', 'p'));
    expect(registry.requests(/ \/v2\//).every(({ headers }) => !headers.authorization?.startsWith('Basic'))).toBe(true);
  });

  it('swaps an identity token by POST', async () => {
    registry.login = { kind: 'bearer', refreshToken: 'refresh' };
    const client = createTestClient({ credentials: async () => ({ identityToken: 'refresh' }) });
    await client.repository(name()).manifest('latest');
    const [asked] = registry.requests(/^POST \/token/);
    expect(Object.fromEntries(new URLSearchParams(asked!.body))).toEqual({
      service: 'fake',
      scope: 'repository:a/b:pull',
      grant_type: 'refresh_token',
      client_id: 'wctr',
      refresh_token: 'refresh',
    });
  });

  it('is shown a registry token as it is', async () => {
    registry.login = { kind: 'bearer' };
    const client = createTestClient({ credentials: async () => ({ registryToken: 'mine' }) });
    await expect(client.repository(name()).manifest('latest')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(registry.requests(/ \/token/)).toHaveLength(0);
    expect(registry.requests(/manifests/)[0]?.headers.authorization).toBe('Bearer mine');
  });

  it('gives none to a stranger', async () => {
    registry.login = { kind: 'bearer', username: 'u', password: 'p' };
    await expect(createTestClient().repository(name()).manifest('latest')).rejects.toMatchObject({
      code: 'unauthorized',
      message: `pull access denied for ${registry.host}/a/b: it does not exist or requires a login`,
    });
  });

  it('refuses a wrong password by name', async () => {
    registry.login = { kind: 'bearer', username: 'u', password: 'p' };
    const client = createTestClient({ credentials: async () => ({ username: 'u', password: 'wrong' }) });
    await expect(client.repository(name()).manifest('latest')).rejects.toMatchObject({
      code: 'unauthorized',
      message: `${registry.host} refused the password of user "u" for ${registry.host}`,
    });
  });

  it.each([
    ['', 'nothing'],
    ['{}', 'no token'],
    ['{"token": 1}', 'no string'],
    ['{"token": "a\\nb: c"}', 'a header in it'],
    [`{"token": "${'x'.repeat(70_000)}"}`, 'far too much'],
  ])('gives no usable token: %.20s (%s)', async (text) => {
    registry.login = { kind: 'bearer' };
    registry.plan(/ \/token/, (_request, response) => {
      response.writeHead(200).end(text);
      return true;
    });
    await expect(createTestClient().repository(name()).manifest('latest')).rejects.toMatchObject({
      code: 'registry-error',
      message: `the token server ${registry.host} gave no usable token`,
    });
  });

  it('lets one caller give up while another waits for the same token', async () => {
    registry.login = { kind: 'bearer' };
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    registry.plan(/ \/token/, () => gate.then(() => false));
    const client = createTestClient();
    const controller = new AbortController();
    const first = client.repository(name()).manifest('latest', controller.signal);
    const second = client.repository(name()).manifest('latest');
    await expect.poll(() => registry.requests(/ \/token/).length).toBe(1);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    open();
    await expect(second).resolves.toBeDefined();
    expect(registry.requests(/ \/token/)).toHaveLength(1);
  });
});

describe('a registry that asks for a password', () => {
  it('gets it on loopback', async () => {
    registry.login = { kind: 'basic', username: 'u', password: 'p' };
    const client = createTestClient({ credentials: async () => ({ username: 'u', password: 'p' }) });
    await client.repository(name()).manifest('latest');
    expect(registry.requests(/manifests/)).toHaveLength(1);
  });

  it('is told apart from one that is not there', async () => {
    registry.login = { kind: 'basic', username: 'u', password: 'p' };
    await expect(createTestClient().repository(name()).manifest('latest')).rejects.toMatchObject({
      code: 'unauthorized',
      message: `pull access denied for ${registry.host}/a/b: it does not exist or requires a login`,
      hint: `check the name, or log in: wctr login ${registry.host}`,
    });
  });

  it('names a credential helper that failed', async () => {
    registry.login = { kind: 'basic', username: 'u', password: 'p' };
    const credentials = () => Promise.reject(new WctrError('unauthorized', 'credential helper x: locked'));
    await expect(createTestClient({ credentials }).repository(name()).manifest('latest')).rejects.toMatchObject({
      code: 'unauthorized',
      hint: 'credential helper x: locked',
    });
  });

  it('does not get it over plain http elsewhere, unless it is listed as insecure', async () => {
    const asking = new FakeFetch(
      () => new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
    );
    const credentials = async () => ({ username: 'u', password: 'p' });
    const mirror = { mirrors: ['http://mirror.example'], insecure: [] as string[] };
    const client = createTestClient({ fetch: asking.fetch, credentials, registries: mirror });
    await client
      .repository({ domain: 'docker.io', path: 'library/x' })
      .manifest('latest')
      .catch(() => {});
    expect(asking.shown('mirror.example')).toEqual([null]);

    const trusting = { ...mirror, insecure: ['mirror.example'] };
    const other = createTestClient({ fetch: asking.fetch, credentials, registries: trusting });
    await other
      .repository({ domain: 'docker.io', path: 'library/x' })
      .manifest('latest')
      .catch(() => {});
    expect(asking.shown('mirror.example')).toEqual([null, null, basic('u', 'p')]);
  });
});

describe('ping', () => {
  it('says whether a registry lets us in', async () => {
    await createTestClient().ping(registry.host);
    registry.login = { kind: 'basic', username: 'u', password: 'p' };
    await expect(createTestClient().ping(registry.host)).rejects.toMatchObject({
      code: 'unauthorized',
      message: `${registry.host} answered 401 to a ping`,
    });
  });
});

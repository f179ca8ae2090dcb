import { hashSync } from 'bcryptjs';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { basicCredentials } from '../../../src/registry/access/access.ts';
import { basicLogins } from '../../../src/registry/access/basic.ts';
import { parsePasswords } from '../../../src/registry/access/passwords.ts';
import { foreignTokens, ownTokens } from '../../../src/registry/access/tokens.ts';
import { createRegistry, type LogEntry, type RegistryOptions } from '../../../src/registry/registry.ts';
import { memoryDriver } from '../../../src/registry/storage/memory-driver.ts';

const FILE = `# users\nada:${hashSync('lovelace', 4)}\n\nbob:${hashSync('b:ob', 4).replace('$2b$', '$2y$')}\n`;
const ADA = `Basic ${btoa('ada:lovelace')}`;

function open(options: Partial<RegistryOptions> = {}) {
  const registry = createRegistry({ driver: memoryDriver(), createHasher: nodeHasher, ...options });
  return (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    registry.fetch(
      new Request(`http://127.0.0.1:5000${path}`, {
        method,
        headers: { host: '127.0.0.1:5000', ...headers },
        ...(body === undefined ? {} : { body }),
      }),
    );
}

describe('logins by password', () => {
  const passwords = parsePasswords(FILE);

  it.each([
    ['ada', 'lovelace', true],
    ['bob', 'b:ob', true],
    ['ada', 'Lovelace', false],
    ['ada', '', false],
    ['eve', 'lovelace', false],
    ['__proto__', 'lovelace', false],
  ])('%s with %s: %s', async (user, password, isRight) => {
    expect(await passwords.check(user, password)).toBe(isRight);
    expect(await passwords.check(user, password), 'the second time').toBe(isRight);
  });

  it.each(['ada', 'ada:plain', 'ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'ada:$apr1$x$y', ':$2b$10$'])(
    'refuses the line %s',
    (line) => {
      expect(() => parsePasswords(line)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    },
  );

  it.each([
    [undefined, undefined],
    ['Bearer x', undefined],
    ['Basic !', undefined],
    [`Basic ${btoa('nocolon')}`, undefined],
    [`Basic ${btoa('a:b:c')}`, { user: 'a', password: 'b:c' }],
    [`basic ${btoa('a:')}`, { user: 'a', password: '' }],
  ])('reads %s', (header, expected) => expect(basicCredentials(header)).toEqual(expected));

  it('asks for them, and lets nobody in without', async () => {
    const ask = open({ logins: basicLogins({ passwords, anonymousPull: false }) });
    for (const path of ['/v2/', '/v2/_catalog', '/v2/a/tags/list', '/v2/a/manifests/x']) {
      const refused = await ask('GET', path);
      expect(refused.status, path).toBe(401);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
      expect((await refused.json()).errors[0].code).toBe('UNAUTHORIZED');
    }
    expect((await ask('GET', '/v2/', { authorization: ADA })).status).toBe(200);
    expect((await ask('GET', '/v2/', { authorization: `Basic ${btoa('ada:x')}` })).status).toBe(401);
    expect((await ask('POST', '/v2/a/blobs/uploads/', { authorization: ADA })).status).toBe(202);
    expect((await ask('POST', '/v2/a/blobs/uploads/')).status).toBe(401);
  });

  it('lets everybody pull where that is allowed, and no more', async () => {
    const ask = open({ logins: basicLogins({ passwords, anonymousPull: true }) });
    expect((await ask('GET', '/v2/a/manifests/x')).status).toBe(404);
    expect((await ask('GET', '/v2/')).status).toBe(401);
    for (const [method, path] of [
      ['POST', '/v2/a/blobs/uploads/'],
      ['PUT', '/v2/a/manifests/x'],
      ['DELETE', '/v2/a/manifests/x'],
      ['GET', `/v2/a/blobs/uploads/${crypto.randomUUID()}`],
    ] as const) {
      expect((await ask(method, path)).status, `${method} ${path}`).toBe(401);
    }
  });
});

describe('tokens of its own', () => {
  const secret = new Uint8Array(32).fill(7);
  const logins = ownTokens({ passwords: parsePasswords(FILE), anonymousPull: true, secret, isSecure: false });
  const ask = open({ logins });
  const tokenFor = async (scope: string, authorization?: string) => {
    const query = `service=wctr-registry&scope=${encodeURIComponent(scope)}`;
    const answer = await ask('GET', `/token?${query}`, authorization === undefined ? {} : { authorization });
    return answer.ok ? `Bearer ${(await answer.json()).token}` : `${answer.status}`;
  };

  it('are asked for where the challenge says', async () => {
    const refused = await ask('POST', '/v2/a/b/blobs/uploads/');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="http://127.0.0.1:5000/token",service="wctr-registry",scope="repository:a/b:pull,push"',
    );
  });

  it.each([
    ['repository:a/b:pull,push', ADA, { a: 404, push: 202, other: 401 }],
    ['repository:a/b:pull', ADA, { a: 404, push: 401, other: 401 }],
    ['repository:a/b:pull,push', undefined, { a: 404, push: 401, other: 401 }],
    ['repository:a/b:*', ADA, { a: 404, push: 202, other: 401 }],
    ['registry:catalog:*', ADA, { a: 401, push: 401, other: 401 }],
    ['repository:a/b,c:pull', ADA, { a: 401, push: 401, other: 401 }],
  ])('for %s as %s', async (scope, login, expected) => {
    const authorization = await tokenFor(scope, login);
    expect((await ask('GET', '/v2/', { authorization })).status).toBe(200);
    expect((await ask('GET', '/v2/a/b/manifests/x', { authorization })).status).toBe(expected.a);
    expect((await ask('POST', '/v2/a/b/blobs/uploads/', { authorization })).status).toBe(expected.push);
    expect((await ask('GET', '/v2/other/manifests/x', { authorization })).status).toBe(expected.other);
  });

  it('are not given for a wrong password', async () => {
    expect(await tokenFor('repository:a/b:pull', `Basic ${btoa('ada:wrong')}`)).toBe('401');
    const form = 'grant_type=password&username=ada&password=wrong&scope=repository:a:pull';
    expect((await ask('POST', '/token', {}, form)).status).toBe(401);
  });

  it('are given for a form', async () => {
    const form = 'grant_type=password&username=ada&password=lovelace&scope=repository:a:push';
    const answer = await ask('POST', '/token', {}, form);
    const { access_token: token } = await answer.json();
    expect((await ask('POST', '/v2/a/blobs/uploads/', { authorization: `Bearer ${token}` })).status).toBe(202);
  });

  it.each([
    ['another key', new Uint8Array(32).fill(8), 'wctr registry', 'wctr-registry', '5m'],
    ['another issuer', secret, 'evil', 'wctr-registry', '5m'],
    ['another service', secret, 'wctr registry', 'evil', '5m'],
    ['yesterday', secret, 'wctr registry', 'wctr-registry', '-1d'],
  ])('are not believed with %s', async (_, key, issuer, audience, expiry) => {
    const token = await new SignJWT({ access: [{ type: 'repository', name: 'a', actions: ['*'] }] })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(expiry)
      .sign(key);
    const answer = await ask('GET', '/v2/a/manifests/x', { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('are not believed unsigned', async () => {
    const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, '');
    const claims = { iss: 'wctr registry', aud: 'wctr-registry', exp: 9e9, access: [] };
    const authorization = `Bearer ${part({ alg: 'none' })}.${part(claims)}.`;
    expect((await ask('GET', '/v2/', { authorization })).status).toBe(401);
  });

  it('name a host that cannot end its quotes', async () => {
    const answer = await ask('GET', '/v2/', { host: 'x",service="evil' }).catch(() => undefined);
    if (answer !== undefined) expect(answer.headers.get('www-authenticate')).toContain('http://localhost/token');
  });
});

describe('tokens of another server', () => {
  it('are believed by its public key', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const logins = await foreignTokens({
      realm: 'https://auth.example/token',
      service: 'images',
      issuer: 'auth',
      publicKey: await exportSPKI(publicKey),
      algorithm: 'ES256',
    });
    const ask = open({ logins });
    const sign = (access: unknown, key = privateKey) =>
      new SignJWT({ access } as Record<string, unknown>)
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('auth')
        .setAudience('images')
        .setSubject('ada')
        .setExpirationTime('5m')
        .sign(key);
    const token = await sign([{ type: 'repository', name: 'a', actions: ['pull'] }]);
    expect((await ask('GET', '/v2/a/manifests/x', { authorization: `Bearer ${token}` })).status).toBe(404);
    expect((await ask('PUT', '/v2/a/manifests/x', { authorization: `Bearer ${token}` })).status).toBe(401);
    const other = await generateKeyPair('ES256');
    const forged = await sign([{ type: 'repository', name: 'a', actions: ['pull'] }], other.privateKey);
    expect((await ask('GET', '/v2/a/manifests/x', { authorization: `Bearer ${forged}` })).status).toBe(401);
    expect((await ask('GET', '/v2/')).headers.get('www-authenticate')).toBe(
      'Bearer realm="https://auth.example/token",service="images"',
    );
    for (const access of ['x', [null], [{ type: 'repository', name: 'a' }], { length: 1 }]) {
      const odd = `Bearer ${await sign(access)}`;
      expect((await ask('GET', '/v2/a/manifests/x', { authorization: odd })).status).toBe(401);
    }
  });
});

describe('pages', () => {
  const origins = { origins: ['https://page.example'], names: ['registry.local'] };
  const logins = basicLogins({ passwords: parsePasswords(FILE), anonymousPull: false });
  const preflight = { 'access-control-request-method': 'PUT' };

  it('of an allowed origin ask without a login first', async () => {
    const ask = open({ origins, logins });
    const answer = await ask('OPTIONS', '/v2/a/manifests/x', { origin: 'https://page.example', ...preflight });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://page.example');
    expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
    const refused = await ask('GET', '/v2/', { origin: 'https://page.example' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });

  it('of another origin change nothing, and read no answer', async () => {
    const ask = open({ origins });
    const origin = 'https://evil.example';
    expect((await ask('OPTIONS', '/v2/a/manifests/x', { origin, ...preflight })).status).toBe(403);
    expect((await ask('POST', '/v2/a/blobs/uploads/', { origin })).status).toBe(403);
    expect((await ask('GET', '/v2/', { origin })).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('POST', '/v2/a/blobs/uploads/', { origin: 'http://127.0.0.1:5000' })).status).toBe(202);
  });

  it.each([
    ['localhost:5000', 200],
    ['127.0.0.1', 200],
    ['[::1]:5000', 200],
    ['Registry.Local:5000', 200],
    ['evil.example:5000', 403],
    ['127.0.0.1.evil.example', 403],
    ['', 403],
  ])('that call it %s get %i', async (host, status) => {
    expect((await open({ origins })('GET', '/v2/', { host })).status).toBe(status);
  });
});

describe('limits', () => {
  it('slow a client down, and say for how long', async () => {
    let ms = 0;
    const ask = open({ rateLimit: 2, now: () => ms });
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await ask('GET', '/v2/')).status);
    expect(statuses).toEqual([...Array(10).fill(200), 429, 429]);
    const refused = await ask('GET', '/v2/');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await refused.json()).errors[0].code).toBe('TOOMANYREQUESTS');
    ms = 500;
    expect((await ask('GET', '/v2/')).status).toBe(200);
    expect((await ask('GET', '/v2/')).status).toBe(429);
  });

  it('leave nothing to change in a read-only registry', async () => {
    const ask = open({ readOnly: true });
    for (const [method, path] of [
      ['POST', '/v2/a/blobs/uploads/'],
      ['PUT', '/v2/a/manifests/x'],
      ['DELETE', '/v2/a/manifests/x'],
      ['DELETE', `/v2/a/blobs/sha256:${'0'.repeat(64)}`],
    ] as const) {
      expect((await ask(method, path)).status, path).toBe(405);
    }
    expect((await ask('GET', '/v2/a/manifests/x')).status).toBe(404);
  });
});

describe('what can be seen of it', () => {
  it('is counted, without names a client makes up', async () => {
    const ask = open({ metrics: true });
    await ask('GET', '/v2/');
    await ask('GET', '/v2/made/up/manifests/x');
    await ask('GET', '/nowhere');
    const text = await (await ask('GET', '/metrics')).text();
    expect(text).toContain('wctr_registry_requests_total{method="GET",route="ping",code="200"} 1');
    expect(text).toContain('wctr_registry_requests_total{method="GET",route="manifest",code="404"} 1');
    expect(text).toContain('wctr_registry_requests_total{method="GET",route="other",code="404"} 1');
    expect(text).toMatch(/wctr_registry_request_duration_seconds_bucket\{route="ping",le="\+Inf"\} 1/);
    expect(text).not.toContain('made');
    expect((await open()('GET', '/metrics')).status).toBe(404);
  });

  it('is logged, without what is secret', async () => {
    const log: LogEntry[] = [];
    const logins = basicLogins({ passwords: parsePasswords(FILE), anonymousPull: false });
    const ask = open({ logins, onRequest: (entry) => log.push(entry) });
    await ask('GET', '/v2/a/tags/list?n=secret', { authorization: ADA });
    expect(log).toMatchObject([{ method: 'GET', path: '/v2/a/tags/list', status: 404, user: 'ada' }]);
    expect(JSON.stringify(log)).not.toMatch(/secret|lovelace/);
  });
});

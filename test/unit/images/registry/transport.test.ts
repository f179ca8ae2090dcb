import { describe, expect, it } from 'vitest';
import { describeNetworkError } from '../../../../src/images/registry/network-error.ts';
import { Transport } from '../../../../src/images/registry/transport.ts';
import { FAST, FakeFetch, redirect } from '../../../support/registry-client.ts';

const at = (text: string) => ({ url: new URL(text) });

function answers(...list: (Response | Error)[]): FakeFetch {
  const queue = [...list];
  return new FakeFetch(() => {
    const next = queue.length > 1 ? queue.shift()! : queue[0]!;
    if (next instanceof Error) throw next;
    return next.clone();
  });
}

function transport(fake: FakeFetch, timing = {}): Transport {
  return new Transport({ fetch: fake.fetch, userAgent: 'wctr/test', timing: { ...FAST, ...timing } });
}

const reset = () => new TypeError('fetch failed', { cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }) });
const refused = () =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });

describe('retries', () => {
  it.each([429, 500, 502, 503, 504])('takes %i for a passing trouble', async (status) => {
    const fake = answers(new Response('', { status }), new Response('fine'));
    expect((await transport(fake).send(at('https://reg.example/v2/'))).status).toBe(200);
    expect(fake.requests).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 405, 501])('does not repeat a %i', async (status) => {
    const fake = answers(new Response('', { status }), new Response('fine'));
    expect((await transport(fake).send(at('https://reg.example/v2/'))).status).toBe(status);
    expect(fake.requests).toHaveLength(1);
  });

  it('comes to an end', async () => {
    const failing = answers(new Response('', { status: 503 }));
    expect((await transport(failing).send(at('https://reg.example/v2/'))).status).toBe(503);
    expect(failing.requests).toHaveLength(5);
    const cut = answers(reset());
    await expect(transport(cut).send(at('https://reg.example/v2/'))).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: 'cannot reach reg.example: connection reset',
    });
    expect(cut.requests).toHaveLength(5);
  });

  it('does not knock again at a closed door', async () => {
    const fake = answers(refused());
    await expect(transport(fake).send(at('https://reg.example:5000/v2/'))).rejects.toMatchObject({
      message: 'cannot reach reg.example:5000: connection refused',
    });
    expect(fake.requests).toHaveLength(1);
  });

  it('waits as long as Retry-After says, but not for ever', async () => {
    const soon = answers(new Response('', { status: 429, headers: { 'retry-after': '1' } }), new Response('fine'));
    const start = performance.now();
    await transport(soon).send(at('https://reg.example/v2/'));
    expect(performance.now() - start).toBeGreaterThan(950);
    const never = answers(new Response('', { status: 429, headers: { 'retry-after': '3600' } }));
    await expect(transport(never).send(at('https://reg.example/v2/'))).rejects.toMatchObject({
      code: 'too-many-requests',
      message: 'reg.example takes no more requests for now',
      hint: 'try again in 3600 s, or log in for a higher limit',
    });
    expect(never.requests).toHaveLength(1);
  });

  it('does not wait an hour for a server that is down for that long', async () => {
    const fake = answers(new Response('', { status: 503, headers: { 'retry-after': '3600' } }));
    expect((await transport(fake).send(at('https://reg.example/v2/'))).status).toBe(503);
    expect(fake.requests).toHaveLength(1);
  });

  it('reads a Retry-After that is a date', async () => {
    const date = new Date(Date.now() + 600_000).toUTCString();
    const fake = answers(new Response('', { status: 429, headers: { 'retry-after': date } }));
    await expect(transport(fake).send(at('https://reg.example/v2/'))).rejects.toMatchObject({
      code: 'too-many-requests',
      hint: expect.stringMatching(/^try again in (599|600) s/),
    });
  });

  it('stops waiting when cancelled', async () => {
    const controller = new AbortController();
    const fake = answers(new Response('', { status: 503, headers: { 'retry-after': '30' } }));
    const sending = transport(fake).send({ ...at('https://reg.example/v2/'), signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(sending).rejects.toMatchObject({
      code: 'cancelled',
      message: 'the request to reg.example was cancelled',
    });
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const silent = async (_url: string, init: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const slow = new Transport({ fetch: silent, timing: { ...FAST, headersTimeoutMs: 20, attempts: 2 } });
    await expect(slow.send(at('https://reg.example/v2/'))).rejects.toMatchObject({
      message: 'cannot reach reg.example: timed out',
    });
  });

  it('gives up on a body that falls silent', async () => {
    const stalling = async (_url: string, init: RequestInit) => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(3));
          init.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
      });
      return new Response(body);
    };
    const slow = new Transport({ fetch: stalling, timing: { ...FAST, idleTimeoutMs: 20 } });
    const answer = await slow.send(at('https://reg.example/v2/'));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const chunk of answer.chunks()) seen.push(chunk.length);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(seen).toEqual([3]);
  });
});

describe('bodies', () => {
  it('are capped', async () => {
    const fake = answers(new Response('x'.repeat(100)));
    const sending = transport(fake).sendForBytes(at('https://reg.example/'), 99, 'the answer');
    await expect(sending).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: 'the answer is larger than 99 bytes',
    });
    expect((await transport(fake).sendForBytes(at('https://reg.example/'), 100, 'x')).body).toHaveLength(100);
  });

  it('announce nothing when they are encoded', async () => {
    const fake = answers(new Response('abc', { headers: { 'content-length': '9', 'content-encoding': 'x-test' } }));
    expect((await transport(fake).send(at('https://reg.example/'))).announcedBytes).toBeUndefined();
    expect(fake.requests[0]?.headers.get('accept-encoding')).toBe('identity');
    expect(fake.requests[0]?.headers.get('user-agent')).toBe('wctr/test');
  });
});

describe('redirects', () => {
  it('end somewhere', async () => {
    const fake = new FakeFetch((url) => redirect(`https://reg.example/${Number(url.pathname.slice(1)) + 1}`));
    await expect(transport(fake).send(at('https://reg.example/0'))).rejects.toMatchObject({
      code: 'registry-error',
      message: 'reg.example redirects without end',
    });
    expect(fake.requests).toHaveLength(9);
  });

  it('are not followed by a POST, whose body may hold a secret', async () => {
    const fake = answers(redirect('https://elsewhere.example/'));
    const answer = await transport(fake).send({ ...at('https://reg.example/token'), method: 'POST', body: 'secret' });
    expect(answer.status).toBe(307);
    expect(fake.requests).toHaveLength(1);
  });

  it('say where the answer came from', async () => {
    const fake = new FakeFetch((url) => (url.pathname === '/a' ? redirect('/b?c') : new Response('fine')));
    expect((await transport(fake).send(at('https://reg.example/a'))).url.href).toBe('https://reg.example/b?c');
  });

  it('are left to a browser, which hides them', async () => {
    const opaque = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' });
    const seen: (string | undefined)[] = [];
    const browser = async (_url: string, init: RequestInit) => {
      seen.push(init.redirect);
      return init.redirect === 'manual' ? opaque : new Response('fine');
    };
    const answer = await new Transport({ fetch: browser }).send(at('https://reg.example/a'));
    expect([answer.status, ...seen]).toEqual([200, 'manual', 'follow']);
  });
});

const failure = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('describeNetworkError', () => {
  it.each([
    ['Node, refused', new TypeError('fetch failed', { cause: failure('ECONNREFUSED') }), 'connection refused'],
    [
      'Node, several addresses refused',
      new TypeError('fetch failed', { cause: new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]) }),
      'connection refused',
    ],
    ['Node, DNS', new TypeError('fetch failed', { cause: failure('ENOTFOUND') }), 'no such host'],
    [
      'Node, certificate',
      new TypeError('fetch failed', { cause: failure('DEPTH_ZERO_SELF_SIGNED_CERT') }),
      'its TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    ],
    [
      'Node, wrong name',
      new TypeError('fetch failed', { cause: failure('ERR_TLS_CERT_ALTNAME_INVALID') }),
      'its TLS certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    [
      'Node, no TLS',
      new TypeError('fetch failed', { cause: failure('ERR_SSL_WRONG_VERSION_NUMBER') }),
      'it does not speak TLS',
    ],
    [
      'Node, cut',
      new TypeError('terminated', { cause: failure('UND_ERR_SOCKET', 'other side closed') }),
      'connection reset',
    ],
    [
      'Deno, refused',
      new TypeError('error sending request: tcp connect error: Connection refused (os error 111)'),
      'connection refused',
    ],
    [
      'Deno, DNS',
      new TypeError('error sending request: dns error: failed to lookup address information'),
      'no such host',
    ],
    [
      'Deno, certificate',
      new TypeError('error sending request: invalid peer certificate: UnknownIssuer'),
      'its TLS certificate is not trusted',
    ],
    ['Bun, refused', failure('ConnectionRefused', 'Unable to connect.'), 'connection refused'],
    ['browser', new TypeError('Failed to fetch'), 'Failed to fetch'],
    [
      'Node, a handshake that fails',
      new TypeError('fetch failed', { cause: failure('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION') }),
      'the TLS handshake failed (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)',
    ],
    [
      'Node, a port of another protocol',
      new TypeError('fetch failed', { cause: new Error('bad port') }),
      'its port is one that fetch does not connect to',
    ],
    ['Node, something new', new TypeError('fetch failed', { cause: new Error('the new thing') }), 'the new thing'],
    ['nothing at all', undefined, 'network error'],
  ])('%s', (_name, error, reason) => {
    expect(describeNetworkError(error).reason).toBe(reason);
  });

  it('survives a cause that is its own cause', () => {
    const loop = new Error('loop') as Error & { cause: unknown };
    loop.cause = loop;
    expect(describeNetworkError(loop).reason).toBe('loop');
  });
});

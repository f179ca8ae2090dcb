/** Daemon reached from a web page, malformed Host, fuzzed headers; who may use its sockets (THREATS: CVE-2025-9074). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import * as https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon } from '../../src/daemon/daemon.ts';
import { daemonHost } from '../../src/host/node/daemon-host.ts';
import { createMemoryEngine, type MemoryEngine } from '../support/memory-engine.ts';
import { peer } from '../support/peers.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-da-'));
const socket = join(dir, 'd.sock');
let engine: MemoryEngine;
let port: number;
let close: (graceMs: number) => Promise<void>;

beforeAll(async () => {
  engine = createMemoryEngine();
  const service = createDaemon(engine, { version: '0.0.0' });
  const listening = await daemonHost.listen(service, [{ path: socket }, { host: '127.0.0.1', port: 0 }], {});
  close = listening.close;
  port = Number(listening.urls[1]!.split(':').at(-1));
});
afterAll(async () => {
  await close(100);
  rmSync(dir, { recursive: true });
});

/** Raw bytes to a listener, and all that comes back until it closes or `ms` have passed. */
function raw(to: { path: string } | { port: number }, bytes: string | Uint8Array, ms = 2_000): Promise<string> {
  return new Promise((resolve) => {
    const client = 'path' in to ? connect(to.path) : connect(to.port, '127.0.0.1');
    let text = '';
    const done = () => {
      client.destroy();
      resolve(text);
    };
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    client.once('close', done);
    client.once('error', done);
    client.end(bytes);
    setTimeout(done, ms).unref();
  });
}

function head(lines: readonly string[]): string {
  return `${[...lines, 'Connection: close', '', ''].join('\r\n')}`;
}

describe('over TCP', () => {
  it.each([
    ['the address itself', () => `127.0.0.1:${port}`, 200],
    ['localhost', () => `localhost:${port}`, 200],
    ['a name that resolves to loopback', () => `evil.example:${port}`, 403],
    ['a name that begins like ours', () => `127.0.0.1.evil.example:${port}`, 403],
    ['a name with credentials', () => `localhost@evil.example`, 403],
    ['nothing', () => '', 403],
    ['a list', () => 'localhost, evil.example', 403],
  ])('Host %s', async (_name, host, status) => {
    const answer = await raw({ port }, head(['GET /_ping HTTP/1.1', `Host: ${host()}`]));
    expect(answer).toContain(`HTTP/1.1 ${status} `);
  });

  it('no Host at all is malformed', async () => {
    expect(await raw({ port }, head(['GET /_ping HTTP/1.1']))).toContain('HTTP/1.1 400 ');
  });
});

describe.each([
  ['tcp', () => ({ port })],
  ['unix', () => ({ path: socket })],
])('a web page over %s', (_kind, to) => {
  it.each([
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Origin: http://localhost'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
  ])('%s is refused, also as an upgrade', async (header) => {
    const body = '{"Image":"hello","Cmd":["sleep"]}';
    const lines = [
      'POST /v1.51/containers/create HTTP/1.1',
      'Host: localhost',
      header,
      `Content-Length: ${body.length}`,
    ];
    expect(await raw(to(), `${head([...lines])}${body}`)).toContain('HTTP/1.1 403 ');
    const upgrade = ['POST /v1.51/containers/x/attach HTTP/1.1', 'Host: localhost', header, 'Upgrade: tcp'];
    expect(await raw(to(), [...upgrade, 'Connection: Upgrade', '', ''].join('\r\n'))).toContain('HTTP/1.1 403 ');
    expect(await engine.containers.list({ all: true })).toEqual([]);
  });
});

describe('what is no request', () => {
  const ping = () => raw({ path: socket }, head(['GET /_ping HTTP/1.1', 'Host: x']));

  it.each([
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(20_000)}`],
    ['one long header', `GET / HTTP/1.1\r\nHost: x\r\nX-Registry-Auth: ${'A'.repeat(200_000)}\r\n\r\n`],
    ['a long path', `GET /${'a'.repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['two lengths', 'POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nx'],
    [
      'length and chunks',
      'POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a method of its own', 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a bad escape', head(['GET /v1.51/containers/%zz/json HTTP/1.1', 'Host: x'])],
    [
      'an upgrade with an endless body',
      'POST /v1.51/exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 99999999\r\n\r\n',
    ],
    [
      'an upgrade to another protocol',
      'GET /v1.51/info HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    [
      'a header injected into the answer',
      'POST /v1.51/containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\u000bX: y\r\n\r\n',
    ],
  ])('%s: no 5xx, and the next one is served', async (_name, bytes) => {
    const answer = await raw({ path: socket }, bytes, 1_500);
    expect(answer).not.toMatch(/^HTTP\/1\.1 5/m);
    expect(await ping()).toContain('200 OK');
  });

  it('noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        expect(await raw({ path: socket }, bytes, 300)).not.toMatch(/^HTTP\/1\.1 5/m);
      }),
      { numRuns: 40 },
    );
    expect(await ping()).toContain('200 OK');
  });

  it('a JSON body larger than any', async () => {
    const body = `{"Image":"${'a'.repeat(5 << 20)}"}`;
    const lines = ['POST /v1.51/containers/create HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`];
    expect(await raw({ path: socket }, `${head(lines)}${body}`, 5_000)).toContain('HTTP/1.1 413 ');
  });

  it.each([
    ['[]'],
    ['{"Image":1}'],
    ['{"Image":"hello","Env":"A=b"}'],
    ['{"Image":"hello","HostConfig":{"PortBindings":{"x":[]}}}'],
    ['{"Image":"hello","HostConfig":{"RestartPolicy":{"Name":"sometimes"}}}'],
    ['{"__proto__":{"Image":"hello"}}'],
    ['nonsense'],
    [''],
  ])('create with %j is 400', async (body) => {
    const lines = ['POST /v1.51/containers/create HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`];
    expect(await raw({ path: socket }, `${head(lines)}${body}`)).toContain('HTTP/1.1 400 ');
  });
});

describe('who may connect', () => {
  it('the socket is its owner’s alone', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it('a second daemon does not take it over', async () => {
    const service = createDaemon(engine, { version: '0.0.0' });
    await expect(daemonHost.listen(service, [{ path: socket }], {})).rejects.toMatchObject({ code: 'conflict' });
  });

  it('a file that is no socket stays', async () => {
    const service = createDaemon(engine, { version: '0.0.0' });
    await expect(daemonHost.listen(service, [{ path: import.meta.filename }], {})).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it.skipIf(peer('openssl') === undefined)('TLS asks for a certificate of its authority', async () => {
    const at = (name: string) => join(dir, name);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
    for (const ca of ['ca', 'other']) {
      openssl('req', '-x509', ...key, '-keyout', `${ca}.key`, '-out', `${ca}.pem`, '-subj', `/CN=${ca}`);
      openssl('req', ...key, '-keyout', `${ca}-c.key`, '-out', `${ca}.csr`, '-subj', '/CN=localhost');
      const sign = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-days', '2', '-out', `${ca}-c.pem`];
      openssl('x509', '-req', '-in', `${ca}.csr`, ...sign);
    }
    const tls = { ca: at('ca.pem'), cert: at('ca-c.pem'), key: at('ca-c.key') };
    const listening = await daemonHost.listen(
      createDaemon(engine, { version: '0.0.0' }),
      [{ host: '127.0.0.1', port: 0 }],
      { tls },
    );
    const get = (client: string | undefined, headers: Record<string, string> = {}) =>
      new Promise<number | string>((resolve) => {
        const credentials =
          client === undefined
            ? {}
            : { cert: readFileSync(at(`${client}-c.pem`)), key: readFileSync(at(`${client}-c.key`)) };
        const request = https.get(
          {
            host: '127.0.0.1',
            port: Number(listening.urls[0]!.split(':').at(-1)),
            path: '/_ping',
            ca: readFileSync(at('ca.pem')),
            servername: 'localhost',
            headers: { host: 'localhost', ...headers },
            agent: false,
            ...credentials,
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        request.once('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? 'error'));
      });
    try {
      expect(await get('ca')).toBe(200);
      expect(await get('ca', { host: 'evil.example' })).toBe(403);
      expect(await get('ca', { origin: 'https://evil.example' })).toBe(403);
      expect(await get(undefined)).not.toBe(200);
      expect(await get('other')).not.toBe(200);
    } finally {
      await listening.close(100);
    }
  });
});

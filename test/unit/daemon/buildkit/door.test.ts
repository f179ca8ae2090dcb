/** BuildKit's door as a client sees it, with an engine whose builds the test makes. */
import * as http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Of } from '../../../../src/daemon/buildkit/proto/codec.ts';
import { NOTHING } from '../../../../src/daemon/buildkit/proto/common.ts';
import {
  DISK_USAGE_REQUEST,
  DISK_USAGE_RESPONSE,
  INFO_RESPONSE,
  LIST_WORKERS_RESPONSE,
  PRUNE_REQUEST,
  SOLVE_REQUEST,
  STATUS_REQUEST,
  STATUS_RESPONSE,
  USAGE_RECORD,
} from '../../../../src/daemon/buildkit/proto/control.ts';
import {
  BRIDGE_SOLVE_REQUEST,
  BRIDGE_SOLVE_RESPONSE,
  PONG,
  RETURN_REQUEST,
} from '../../../../src/daemon/buildkit/proto/gateway.ts';
import {
  BYTES,
  CREDENTIALS_REQUEST,
  CREDENTIALS_RESPONSE,
  SECRET_REQUEST,
  SECRET_RESPONSE,
} from '../../../../src/daemon/buildkit/proto/session.ts';
import { createDaemon } from '../../../../src/daemon/daemon.ts';
import type { BuildOutcome, BuildRequest, BuildUseCases } from '../../../../src/engine/builds.ts';
import { WctrError } from '../../../../src/errors.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import { type BuildkitClient, openTestDoor, serveFiles, type TestDoor } from '../../../support/buildkit-client.ts';
import { fakeEngine } from '../../../support/fake-engine.ts';

const CONTROL = '/moby.buildkit.v1.Control';
const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge';
const OUTCOME: BuildOutcome = { imageId: 'sha256:c', digest: 'sha256:d', references: ['hello:latest'] };

let door: TestDoor | undefined;

afterEach(async () => {
  expect(door?.internalErrors ?? []).toEqual([]);
  await door?.close();
  door = undefined;
});

/** A door, one client, and what the engine was asked for. */
async function opened(
  build: (request: BuildRequest) => Promise<BuildOutcome>,
  more: Partial<BuildUseCases> = {},
): Promise<BuildkitClient> {
  door = await openTestDoor({ build, ...more });
  return door.connect();
}

async function text(request: BuildRequest, path: string): Promise<string | undefined> {
  if (!('tree' in request.context)) throw new Error('the context is no tree');
  const entry = await request.context.tree.lstat(path);
  return entry?.read === undefined ? undefined : Buffer.from(await collect(entry.read())).toString();
}

const exporter = (Type: string, attrs: Readonly<Record<string, string>> = {}) => ({
  Type,
  Attrs: new Map(Object.entries(attrs)),
});

describe('a build asked for at once', () => {
  it('gets its Dockerfile, its context and its options', async () => {
    let seen: BuildRequest | undefined;
    const read: (string | undefined)[] = [];
    const client = await opened(async (request) => {
      seen = request;
      read.push(await text(request, 'deep/file'), await text(request, 'nothing'));
      return OUTCOME;
    });
    const { methods, asked, headers } = serveFiles({
      dockerfile: { Dockerfile: 'FROM scratch\n', other: 'not read' },
      context: { '.dockerignore': 'a*\n!b\n', 'deep/file': 'in the context', unread: 'x' },
    });
    await client.openSession('s1', methods);
    const attributes = {
      target: 'two',
      'build-arg:A': 'b',
      'label:l': 'm',
      'no-cache': '',
      platform: 'wasi/wasm,wasi/other',
      'image-resolve-mode': 'pull',
      'force-network-mode': 'none',
      'add-hosts': 'one=1.2.3.4,two=::1',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r/c"}}]',
      'attest:provenance': 'mode=max',
    };
    const { status, messages } = await client.solve('r1', 's1', attributes, {
      Exporters: [exporter('moby', { name: 'hello,hello:two', 'annotation.a': 'b', 'annotation-index.c': 'd' })],
      Cache: {
        Exports: [
          {
            Type: 'registry',
            Attrs: new Map([
              ['ref', 'r/c'],
              ['mode', 'max'],
            ]),
          },
        ],
      },
    });
    expect(status).toBe(0);
    expect(Object.fromEntries(messages[0]!.ExporterResponse)).toEqual({
      'containerimage.digest': 'sha256:d',
      'containerimage.config.digest': 'sha256:c',
      'image.name': 'hello:latest',
    });
    expect(seen).toMatchObject({
      dockerfile: { name: 'Dockerfile', text: 'FROM scratch\n' },
      ignore: 'a*\n!b\n',
      target: 'two',
      buildArgs: { A: 'b' },
      labels: { l: 'm' },
      noCache: true,
      platforms: ['wasi/wasm', 'wasi/other'],
      pull: true,
      network: 'none',
      extraHosts: ['one:1.2.3.4', 'two:::1'],
      cacheFrom: [{ type: 'registry', reference: 'r/c' }],
      cacheTo: [{ type: 'registry', reference: 'r/c', mode: 'max' }],
      provenance: 'max',
      tags: ['hello', 'hello:two'],
      outputs: [{ type: 'image', push: false }],
      annotations: { a: 'b', 'index:c': 'd' },
    });
    expect(read).toEqual(['in the context', undefined]);
    expect(headers.at(-1)).toMatchObject({ 'dir-name': 'context', 'exclude-patterns': 'a*, !b' });
    expect(asked).toContain('deep/file');
    expect(asked).not.toContain('other');
  });

  it('makes nothing but its cache without an exporter, and no attestation that only the client wanted', async () => {
    let seen: BuildRequest | undefined;
    const client = await opened(async (request) => {
      seen = request;
      return OUTCOME;
    });
    await client.openSession('s1', serveFiles({ dockerfile: { Dockerfile: 'FROM scratch' } }).methods);
    await client.solve('r1', 's1', { 'attest:provenance': 'mode=min,inline-only=true', 'no-cache': 'a,b' });
    expect(seen).toMatchObject({ outputs: [{ type: 'none' }], noCache: ['a', 'b'] });
    expect(seen?.provenance).toBeUndefined();
  });

  it('prefers the ignore file of its Dockerfile, and finds a dockerfile in lower case', async () => {
    const seen: BuildRequest[] = [];
    const client = await opened(async (request) => {
      seen.push(request);
      return OUTCOME;
    });
    const { methods } = serveFiles({
      dockerfile: { 'x.Dockerfile': 'FROM a', 'x.Dockerfile.dockerignore': 'own', dockerfile: 'FROM b' },
      context: { '.dockerignore': 'of the context' },
    });
    await client.openSession('s1', methods);
    await client.solve('r1', 's1', { filename: 'x.Dockerfile' });
    await client.solve('r2', 's1');
    expect(seen.map(({ dockerfile, ignore }) => [dockerfile, ignore])).toEqual([
      [{ name: 'x.Dockerfile', text: 'FROM a' }, 'own'],
      [{ name: 'Dockerfile', text: 'FROM b' }, 'of the context'],
    ]);
  });

  it('takes contexts by name, by address and through an upload', async () => {
    const seen: BuildRequest[] = [];
    let uploaded = '';
    const client = await opened(async (request) => {
      seen.push(request);
      if ('tar' in request.context) uploaded = Buffer.from(await collect(request.context.tar)).toString();
      return OUTCOME;
    });
    const { methods } = serveFiles({ dockerfile: { Dockerfile: 'FROM x' }, aside: { f: 'g' } });
    await client.openSession('s1', {
      ...methods,
      '/moby.upload.v1.Upload/Pull': (call) => {
        expect(call.headers.urlpath).toBe('/the-id');
        call.send(BYTES, { data: Buffer.from('a ') });
        call.send(BYTES, { data: Buffer.from('tar') });
        call.end();
      },
    });
    await client.solve('r1', 's1', { 'context:a': 'docker-image://img:1', 'context:b::wasi/wasm': 'local:aside' });
    expect(seen[0]!.contexts).toMatchObject({ a: { image: 'img:1' } });
    const aside = seen[0]!.contexts!.b as Extract<BuildRequest['context'], { tree: unknown }>;
    expect(aside.tree.what).toContain('"b"');
    await client.solve('r2', 's1', { context: 'https://example.com/repo.git#main' });
    expect(seen[1]).toMatchObject({
      context: { address: 'https://example.com/repo.git#main' },
      dockerfile: { path: 'Dockerfile' },
    });
    await client.solve('r3', 's1', { context: 'http://buildkit-session/the-id' });
    expect(uploaded).toBe('a tar');
  });

  it('is shown what the client logs in with, and its secrets', async () => {
    const found: unknown[] = [];
    const client = await opened(async ({ credentials, secret }) => {
      for (const host of ['with.password', 'with.token', 'without.any']) found.push(await credentials!(host));
      found.push(Buffer.from((await secret!('token'))!).toString(), await secret!('other'));
      return OUTCOME;
    });
    await client.openSession('s1', {
      ...serveFiles({ dockerfile: { Dockerfile: 'FROM x' } }).methods,
      '/moby.filesync.v1.Auth/Credentials': async (call) => {
        for await (const { Host } of call.requests(CREDENTIALS_REQUEST)) {
          const answer = {
            'with.password': { Username: 'me', Secret: 'pass' },
            'with.token': { Secret: 'identity' },
          }[Host];
          call.send(CREDENTIALS_RESPONSE, answer ?? {});
        }
        call.end();
      },
      '/moby.buildkit.secrets.v1.Secrets/GetSecret': async (call) => {
        for await (const { ID } of call.requests(SECRET_REQUEST)) {
          if (ID !== 'token') return call.end(5, 'not found');
          call.send(SECRET_RESPONSE, { data: Buffer.from('hush') });
        }
        call.end();
      },
    });
    expect(await client.solve('r1', 's1')).toMatchObject({ status: 0 });
    expect(found).toEqual([
      { username: 'me', password: 'pass' },
      { identityToken: 'identity' },
      undefined,
      'hush',
      undefined,
    ]);
  });

  it('tells its steps to who asks, before and after', async () => {
    const client = await opened(async ({ onStatus }) => {
      const vertex = { digest: 'sha256:1', name: '[1/1] RUN x', started: '2026-01-02T03:04:05.000000006Z' };
      onStatus!({ vertexes: [vertex] });
      onStatus!({
        logs: [{ vertex: 'sha256:1', stream: 2, data: Buffer.from('oops'), timestamp: '2026-01-02T04:04:05.5+01:00' }],
      });
      onStatus!({ vertexes: [{ digest: 'sha256:9', name: '[internal] load build definition from Dockerfile' }] });
      onStatus!({ warnings: [{ vertex: 'sha256:9', short: 'a rule', detail: ['why'], url: 'u' }] });
      return OUTCOME;
    });
    await client.openSession('s1', serveFiles({ dockerfile: { Dockerfile: 'FROM x' } }).methods);
    const early = client.call(`${CONTROL}/Status`, STATUS_REQUEST, STATUS_RESPONSE, { Ref: 'r1' });
    await client.solve('r1', 's1');
    const { messages, status } = await early;
    expect(status).toBe(0);
    const vertexes = messages.flatMap((message) => message.vertexes);
    const named = (name: string) => vertexes.filter((vertex) => vertex.name === name);
    expect(named('[1/1] RUN x')).toMatchObject([{ started: { seconds: 1_767_323_045, nanos: 6 } }]);
    const [definition, ...rest] = named('[internal] load build definition from Dockerfile');
    // The builder's own step of that name is this one.
    expect(new Set(rest.map(({ digest }) => digest))).toEqual(new Set([definition!.digest]));
    expect(rest.at(-1)?.completed?.seconds).toBeGreaterThan(0);
    const logs = messages.flatMap((message) => message.logs);
    expect(logs).toMatchObject([{ stream: 2, timestamp: { seconds: 1_767_323_045, nanos: 500_000_000 } }]);
    expect(Buffer.from(logs[0]!.msg!).toString()).toBe('oops');
    const [warning] = messages.flatMap((message) => message.warnings);
    expect(warning!.vertex).toBe(definition!.digest);
    expect(Buffer.from(warning!.short!).toString()).toBe('a rule');
    const late = await client.call(`${CONTROL}/Status`, STATUS_REQUEST, STATUS_RESPONSE, { Ref: 'r1' });
    expect(late.messages).toEqual(messages);
  });

  it('fails with the place in the Dockerfile', async () => {
    const client = await opened(async () => {
      const data = { file: 'Dockerfile', line: 2, offset: 12, length: 5 };
      throw new WctrError('invalid-dockerfile', 'no such thing', { hint: 'try another', data });
    });
    await client.openSession('s1', serveFiles({ dockerfile: { Dockerfile: 'FROM scratch\nRUNN x\n' } }).methods);
    const { status, message, details } = await client.solve('r1', 's1');
    expect({ status, message }).toEqual({ status: 2, message: 'no such thing (try another)' });
    const decoded = Buffer.from(details!, 'base64').toString();
    expect(decoded).toContain('github.com/moby/buildkit/errdefs.Source+json');
    const source = JSON.parse(decoded.slice(decoded.indexOf('{'), decoded.lastIndexOf('}') + 1));
    expect(source.ranges).toEqual([{ start: { line: 2 }, end: { line: 2 } }]);
    expect(Buffer.from(source.info.data, 'base64').toString()).toBe('FROM scratch\nRUNN x\n');
  });

  it('is cancelled when the client goes, or its session', async () => {
    let begun: () => void = () => {};
    const reasons: unknown[] = [];
    const client = await opened(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => {
            reasons.push(signal!.aborted);
            reject(new WctrError('cancelled', 'given up'));
          });
          begun();
        }),
    );
    const end = await client.openSession('s1', serveFiles({ dockerfile: { Dockerfile: 'FROM x' } }).methods);
    const underWay = () =>
      new Promise<void>((resolve) => {
        begun = resolve;
      });
    let waiting = underWay();
    const given = client.begin(`${CONTROL}/Solve`, SOLVE_REQUEST, {
      Ref: 'r1',
      Session: 's1',
      Frontend: 'dockerfile.v0',
    });
    await waiting;
    given.close(8);
    await expect.poll(() => reasons.length).toBe(1);
    waiting = underWay();
    const solved = client.solve('r2', 's1');
    await waiting;
    end();
    expect(await solved).toMatchObject({ status: 1 });
    expect(reasons.length).toBe(2);
  });

  it.each<[string, Record<string, string>, Partial<Of<typeof SOLVE_REQUEST>>, RegExp]>([
    ['another frontend', {}, { Frontend: 'other.v0' }, /no frontend other.v0/],
    ['a frontend of somebody', { source: 'me/mine' }, { Frontend: 'gateway.v0' }, /no frontend gateway.v0 me\/mine/],
    ['LLB', {}, { Definition: new Uint8Array([1]) }, /LLB/],
    ['a source policy', {}, { SourcePolicy: new Uint8Array([1]) }, /polic/],
    ['an SBOM', { 'attest:sbom': 'generator=x' }, {}, /SBOM/],
    ['a cache at the client', {}, { Cache: { Exports: [exporter('local', { dest: 'x' })] } }, /"local"/],
    ['an unknown output', {}, { Exporters: [exporter('odd')] }, /"odd"/],
    ['a layout as a directory', {}, { Exporters: [exporter('oci', { tar: 'false' })] }, /tar only/],
    ['another compression', {}, { Exporters: [exporter('oci', { compression: 'zstd' })] }, /"zstd"/],
    ['a context of another kind', { 'context:x': 'oci-layout://x' }, {}, /oci-layout/],
    ['a bad network', { 'force-network-mode': 'odd' }, {}, /"odd"/],
    ['a Dockerfile that is not there', { filename: 'none' }, {}, /open none: no such file/],
    ['a session that is not there', {}, { Session: 'nobody' }, /no active session/],
    ['a ref that is none', {}, { Ref: '../../x' }, /ref/],
  ])('is refused: %s', { timeout: 15_000 }, async (_, attributes, request, expected) => {
    const client = await opened(async () => OUTCOME);
    await client.openSession('s1', serveFiles({ dockerfile: { Dockerfile: 'FROM x' } }).methods);
    const { status, message } = await client.solve('r1', 's1', attributes, request);
    expect(status).not.toBe(0);
    expect(message).toMatch(expected);
  });
});

describe('a build through the bridge', () => {
  async function bridged(build: (request: BuildRequest) => Promise<BuildOutcome>) {
    const client = await opened(build);
    const { methods } = serveFiles({ dockerfile: { Dockerfile: 'FROM scratch as Base\nENV a b\n' } });
    await client.openSession('s1', methods);
    const solved = client.solve('r1', 's1', {}, { Frontend: '' });
    const headers = { 'buildkit-controlapi-buildid': 'r1' };
    const ask = (attributes: Readonly<Record<string, string>>, more: Partial<Of<typeof BRIDGE_SOLVE_REQUEST>> = {}) => {
      const FrontendOpt = new Map(Object.entries(attributes));
      const request = { Frontend: 'dockerfile.v0', FrontendOpt, ...more };
      return client.call(`${BRIDGE}/Solve`, BRIDGE_SOLVE_REQUEST, BRIDGE_SOLVE_RESPONSE, request, headers);
    };
    const leave = (value: Partial<Of<typeof RETURN_REQUEST>>) =>
      client.call(`${BRIDGE}/Return`, RETURN_REQUEST, NOTHING, value, headers);
    return { client, solved, ask, leave };
  }

  it('begins when its result is returned', async () => {
    const seen: BuildRequest[] = [];
    const { solved, ask, leave } = await bridged(async (request) => {
      seen.push(request);
      return OUTCOME;
    });
    await ask({ target: 'not this one' });
    const { messages } = await ask({ target: 'this one' }, { CacheImports: [exporter('registry', { ref: 'c' })] });
    expect(seen).toEqual([]);
    await leave({ result: messages[0]!.result! });
    expect(await solved).toMatchObject({ status: 0 });
    expect(seen).toMatchObject([{ target: 'this one', cacheFrom: [{ type: 'registry', reference: 'c' }] }]);
  });

  it('ends with the error that is returned', async () => {
    const { solved, leave } = await bridged(async () => OUTCOME);
    await leave({ error: { code: 9, message: 'changed my mind' } });
    expect(await solved).toMatchObject({ status: 9, message: 'changed my mind' });
  });

  it('answers questions about the Dockerfile without building', async () => {
    const { solved, ask, leave } = await bridged(async () => {
      throw new Error('nothing is to be built');
    });
    const { messages } = await ask({ requestid: 'frontend.lint' });
    const { metadata } = messages[0]!.result!;
    const found = (name: string) => Buffer.from(metadata!.get(name)!).toString();
    const document = JSON.parse(found('result.json'));
    expect(document.warnings.map(({ ruleName }: { ruleName: string }) => ruleName)).toEqual([
      'StageNameCasing',
      'FromAsCasing',
      'LegacyKeyValueFormat',
    ]);
    expect(document.warnings[2].location.ranges).toEqual([{ start: { line: 2 }, end: { line: 2 } }]);
    expect(found('result.statuscode')).toBe('1');
    const targets = await ask({ requestid: 'frontend.targets' });
    expect(Buffer.from(targets.messages[0]!.result!.metadata!.get('result.txt')!).toString()).toContain('(default)');
    expect(await ask({ requestid: 'frontend.other' })).toMatchObject({ status: 12 });
    await leave({ result: {} });
    expect(await solved).toMatchObject({ status: 0 });
  });
});

describe('a session through a call', () => {
  it('serves the build as one of its own connection does', async () => {
    let read: string | undefined;
    const client = await opened(async (request) => {
      read = await text(request, 'file');
      return OUTCOME;
    });
    const { methods } = serveFiles({ dockerfile: { Dockerfile: 'FROM x' }, context: { file: 'y'.repeat(200_000) } });
    const end = await client.tunnelSession('t1', methods);
    expect(await client.solve('r1', 't1')).toMatchObject({ status: 0 });
    expect(read).toHaveLength(200_000);
    end();
    await expect
      .poll(async () => (await client.solve(`r${Math.random()}`.slice(0, 9), 't1')).message, { timeout: 20_000 })
      .toMatch(/no active session/);
  }, 30_000);
});

describe("a build of docker's own client, without buildx", () => {
  it('gets all through its session, and is told in lines of JSON', async () => {
    let seen: BuildRequest | undefined;
    const client = await opened(async (request) => {
      seen = request;
      request.onStatus!({ vertexes: [{ digest: 'sha256:1', name: 'a step' }] });
      return OUTCOME;
    });
    await client.openSession('s1', serveFiles({ dockerfile: { 'sub/D': 'FROM scratch' } }).methods);
    const query = new URLSearchParams({
      version: '2',
      session: 's1',
      buildid: 'b1',
      remote: 'client-session',
      dockerfile: 'sub/D',
      buildargs: '{"A":"b"}',
      labels: '{"l":"m"}',
      target: 'two',
      nocache: '1',
      pull: '1',
      networkmode: 'default',
      extrahosts: 'one:1.2.3.4',
      cachefrom: '["r/c"]',
      shmsize: '0',
    });
    query.append('t', 'one');
    query.append('t', 'two:2');
    const { status, lines } = await post(door!.path, `/v1.41/build?${query}`);
    expect(status).toBe(200);
    expect(seen).toMatchObject({
      dockerfile: { name: 'sub/D', text: 'FROM scratch' },
      tags: ['one', 'two:2'],
      buildArgs: { A: 'b' },
      labels: { l: 'm' },
      target: 'two',
      noCache: true,
      pull: true,
      extraHosts: ['one:1.2.3.4'],
      cacheFrom: [{ type: 'registry', reference: 'r/c' }],
      outputs: [{ type: 'image', push: false }],
    });
    expect(lines.at(-1)).toEqual({ id: 'moby.image.id', aux: { ID: 'sha256:c' } });
    const steps = lines
      .filter(({ id }) => id === 'moby.buildkit.trace')
      .flatMap(({ aux }) => STATUS_RESPONSE.decode(Buffer.from(String(aux), 'base64')).vertexes);
    expect(steps.map(({ name }) => name)).toContain('a step');
  });

  it('is refused without its session, and with a context that is piped', async () => {
    await opened(async () => OUTCOME);
    expect(await post(door!.path, '/build?version=2')).toMatchObject({ status: 400 });
    const piped = await post(door!.path, '/build?version=2&session=s1&remote=upload-request');
    expect(piped.lines).toMatchObject([{ message: expect.stringContaining('standard input') }]);
    const gone = await post(door!.path, '/build?version=2&session=nobody');
    expect(gone.lines).toMatchObject([{ message: expect.stringContaining('no active session') }]);
  });
});

function post(socketPath: string, path: string): Promise<{ status: number; lines: Record<string, unknown>[] }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, method: 'POST' }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => {
        const lines = body.split('\n').filter((line) => line.trim() !== '');
        resolve({ status: response.statusCode!, lines: lines.map((line) => JSON.parse(line)) });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

describe('what the door says of itself', () => {
  it('is in every ping, where it is there', async () => {
    await opened(async () => OUTCOME);
    const ping = new Promise<http.IncomingMessage>((resolve) => {
      http.get({ socketPath: door!.path, path: '/_ping' }, (response) => resolve(response.resume()));
    });
    expect((await ping).headers['builder-version']).toBe('2');
    const without = createDaemon(fakeEngine({}).engine, { version: '0.0.0' });
    expect((await without.fetch(new Request('http://d/_ping'))).headers.get('builder-version')).toBe('1');
    const asked = new Request('http://d/grpc', { method: 'POST', headers: { upgrade: 'h2c' } });
    expect(await without.upgrade(asked)).toMatchObject({ status: 501 });
  });

  it('is one worker for wasi/wasm', async () => {
    const client = await opened(async () => OUTCOME);
    const { messages } = await client.call(`${CONTROL}/ListWorkers`, NOTHING, LIST_WORKERS_RESPONSE, {});
    expect(messages[0]!.record).toMatchObject([{ platforms: [{ OS: 'wasi', Architecture: 'wasm' }] }]);
    expect((await client.call(`${CONTROL}/Info`, NOTHING, INFO_RESPONSE, {})).messages[0]).toMatchObject({
      buildkitVersion: { package: 'wctr', revision: '0.0.0' },
    });
    const pong = (await client.call(`${BRIDGE}/Ping`, NOTHING, PONG, {})).messages[0]!;
    expect(pong.LLBCaps.map(({ ID }) => ID)).toContain('exporter.multiple');
    expect(await client.call(`${CONTROL}/ListenBuildHistory`, NOTHING, NOTHING, {})).toMatchObject({
      status: 0,
      messages: [],
    });
    expect(await client.call('/other.Service/Method', NOTHING, NOTHING, {})).toMatchObject({ status: 12 });
  });

  it('is what the cache holds, and lets go', async () => {
    const record = {
      ID: 'one',
      Parents: ['zero'],
      Type: 'regular',
      Description: 'a step',
      InUse: false,
      Shared: true,
      Size: 12,
      CreatedAt: '2026-01-02T03:04:05Z',
      LastUsedAt: null,
      UsageCount: 3,
    };
    const asked: unknown[] = [];
    const client = await opened(async () => OUTCOME, {
      usage: async (filters) => {
        asked.push(filters);
        return [record];
      },
      prune: async (options) => {
        asked.push(options);
        return { CachesDeleted: ['one', 'unheard of'], SpaceReclaimed: 12 };
      },
    });
    const usage = await client.call(`${CONTROL}/DiskUsage`, DISK_USAGE_REQUEST, DISK_USAGE_RESPONSE, {
      filter: ['type==regular,id~=o', ''],
    });
    expect(usage.messages[0]!.record).toMatchObject([{ ID: 'one', Size: 12, RecordType: 'regular', Shared: true }]);
    const pruned = await client.call(`${CONTROL}/Prune`, PRUNE_REQUEST, USAGE_RECORD, {
      all: true,
      keepDuration: 60e9,
      maxUsedSpace: 100,
    });
    expect(pruned.messages.map(({ ID }) => ID)).toEqual(['one']);
    expect(asked).toEqual([
      { type: ['regular'], id: ['o'] },
      undefined,
      { all: true, keepBytes: 100, filters: { until: ['60s'] } },
    ]);
  });
});

/** A build by a daemon: what is sent, what its lines are taken for, and what cannot be sent. */
import { describe, expect, it } from 'vitest';
import { FilesTree } from '../../../src/build/tree/files-tree.ts';
import { toText } from '../../../src/containers/files/names.ts';
import { readTar } from '../../../src/containers/files/tar-reader.ts';
import type { BuildRequest } from '../../../src/engine/builds.ts';
import { RemoteEngine } from '../../../src/engine/remote/remote-engine.ts';
import type { HttpClient, HttpClientRequest } from '../../../src/host/http.ts';
import type { SolveStatus } from '../../../src/spec/build-progress.ts';

const ID = `sha256:${'0123456789ab'.repeat(6).slice(0, 64)}`;
const BUILT = ['{"aux":{"ID":"%"}}', '{"stream":"Successfully built 0123456789ab\\n"}'].map((line) =>
  line.replace('%', ID),
);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/** A daemon that answers with these lines, and what it was sent. */
function daemon(lines: readonly string[] = BUILT, answers: Readonly<Record<string, string>> = {}) {
  const sent: Sent[] = [];
  const fetch = async (request: HttpClientRequest): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.path, 'http://d');
    const path = pathname.replace(/^\/v[\d.]+/, '');
    if (path === '/_ping') return new Response('OK', { headers: { 'api-version': '1.51' } });
    const { method, headers = {} } = request;
    sent.push({ method, path, query: searchParams, headers, files: await filesOf(request.body) });
    if (path !== '/build') return new Response(answers[path] ?? '', { status: 200 });
    return new Response(lines.map((line) => `${line}\r\n`).join(''));
  };
  const http: HttpClient = {
    fetch,
    hijack: async () => expect.unreachable(),
    close: async () => {},
  };
  const logins = async (domain: string) => (domain === 'r.example' ? { username: 'u', password: 'p' } : undefined);
  return { engine: new RemoteEngine(http, 'unix:///d', logins), sent };
}

async function filesOf(body: HttpClientRequest['body']): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return files;
  for await (const entry of readTar(body)) {
    let text = '';
    for await (const chunk of entry.data) text += new TextDecoder().decode(chunk);
    files[toText(entry.name)] = text;
  }
  return files;
}

function tree(files: Readonly<Record<string, string>>): BuildRequest['context'] {
  const made = Object.entries(files).map(
    ([path, text]) => [path, { content: new TextEncoder().encode(text), mode: 0o644 }] as const,
  );
  return { tree: new FilesTree('the build context', new Map(made)) };
}

const CONTEXT = tree({
  Dockerfile: 'FROM r.example/base\n',
  a: '1',
  'b/c': '2',
  'b/d': '3',
  '.dockerignore': 'b/d\nDockerfile\n',
});

describe('what is sent', () => {
  it('is the context without what is ignored, and the files that say how to build', async () => {
    const { engine, sent } = daemon();
    expect(await engine.builds.build({ context: CONTEXT })).toEqual({ imageId: ID, references: [] });
    expect(sent[0]?.files).toEqual({
      '.dockerignore': 'b/d\nDockerfile\n',
      Dockerfile: 'FROM r.example/base\n',
      a: '1',
      'b/': '',
      'b/c': '2',
    });
    expect(sent[0]?.query.get('dockerfile')).toBe('Dockerfile');
  });

  it('has a Dockerfile from elsewhere in it, and ignores that', async () => {
    const { engine, sent } = daemon();
    await engine.builds.build({ context: CONTEXT, dockerfile: { text: 'FROM x\n', name: 'Other' }, ignore: 'a' });
    const name = sent[0]?.query.get('dockerfile') ?? '';
    expect(sent[0]?.files).toEqual({
      '.dockerignore': `a\n.dockerignore\n${name}\n`,
      [name]: 'FROM x\n',
      Dockerfile: 'FROM r.example/base\n',
      'b/': '',
      'b/c': '2',
      'b/d': '3',
    });
  });

  it('is a tar as it came, with the Dockerfile in front', async () => {
    const { engine, sent } = daemon();
    const empty = async function* () {
      yield new Uint8Array(1024);
    };
    await engine.builds.build({ context: { tar: empty() }, dockerfile: { text: 'FROM x\n', name: 'Dockerfile' } });
    expect(sent[0]?.files).toEqual({ [sent[0]?.query.get('dockerfile') ?? '']: 'FROM x\n' });
    const zipped = async function* () {
      yield Uint8Array.of(0x1f, 0x8b, 8);
    };
    await expect(
      engine.builds.build({ context: { tar: zipped() }, dockerfile: { text: 'FROM x\n', name: 'Dockerfile' } }),
    ).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('is what was asked for, in docker words', async () => {
    const { engine, sent } = daemon();
    await engine.builds.build({
      context: { address: 'https://e.org/a.git' },
      tags: ['a', 'b:1'],
      buildArgs: { A: '1', B: null },
      labels: { l: 'v' },
      target: 't',
      noCache: true,
      pull: true,
      platforms: ['wasi/wasm'],
      network: 'none',
      extraHosts: ['h:1.2.3.4'],
      memoryBytes: 65_536,
      cacheFrom: [{ type: 'registry', reference: 'c' }],
    });
    const query = [...(sent[0]?.query ?? [])].map(([name, value]) => `${name}=${value}`);
    expect(query.sort()).toEqual([
      'buildargs={"A":"1","B":null}',
      'cachefrom=["c"]',
      'extrahosts=h:1.2.3.4',
      'labels={"l":"v"}',
      'memory=65536',
      'networkmode=none',
      'nocache=1',
      'platform=wasi/wasm',
      'pull=1',
      'remote=https://e.org/a.git',
      'rm=1',
      't=a',
      't=b:1',
      'target=t',
      'version=1',
    ]);
  });

  it('has the logins of the registries that are named, and no others', async () => {
    const { engine, sent } = daemon();
    await engine.builds.build({ context: CONTEXT });
    const header = (at: number) => Buffer.from(sent[at]?.headers['x-registry-config'] ?? '', 'base64url').toString();
    expect(JSON.parse(header(0))).toEqual({ 'r.example': { username: 'u', password: 'p' } });
    await engine.builds.build({ context: tree({ Dockerfile: 'FROM other.example/x\n' }) });
    expect(header(1)).toBe('{}');
  });
});

describe('what cannot be sent', () => {
  const bad: readonly (readonly [what: string, request: Partial<BuildRequest>])[] = [
    ['a secret', { secret: async () => undefined }],
    ['annotations', { annotations: { a: 'b' } }],
    ['further contexts', { contexts: { a: { image: 'b' } } }],
    ['a stage without cache', { noCache: ['a'] }],
    ['more than one platform', { platforms: ['a/b', 'c/d'] }],
    ['a cache to write', { cacheTo: [{ type: 'registry', reference: 'a' }] }],
    ['a cache in a directory', { cacheFrom: [{ type: 'local', directory: '/a' }] }],
    ['an attestation', { provenance: 'min' }],
    ['a fixed clock', { reproducible: true }],
    ['compression', { compression: 'gzip' }],
    ['edge', { outputs: [{ type: 'edge', write: async () => {} }] }],
    ['cacheonly', { outputs: [{ type: 'none' }] }],
  ];
  for (const [what, request] of bad) {
    it(what, async () => {
      const { engine, sent } = daemon();
      await expect(engine.builds.build({ context: CONTEXT, ...request })).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining(what),
      });
      expect(sent).toEqual([]);
    });
  }

  it('a directory where there are none', async () => {
    await expect(daemon().engine.builds.build({ context: { directory: '/x' } })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  it('a Dockerfile that is not there', async () => {
    await expect(daemon().engine.builds.build({ context: tree({ a: '' }) })).rejects.toMatchObject({
      code: 'not-found',
      message: 'failed to read dockerfile: open Dockerfile: no such file or directory',
    });
  });
});

describe('what is told', () => {
  it('are steps, whose output is theirs', async () => {
    const told: SolveStatus[] = [];
    const line = (stream: string) => JSON.stringify({ stream });
    const { engine } = daemon([
      line('Step 1/3 : FROM base\n'),
      '{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abababababab"}',
      '{"status":"Pull complete","progressDetail":{},"id":"abababababab"}',
      line(' ---> 0123456789ab\n'),
      line('Step 2/3 : RUN a\n'),
      line(' ---> Running in 0123456789ab\n'),
      line('output\n'),
      line(' ---> Removed intermediate container 0123456789ab\n'),
      line(' ---> 0123456789ab\n'),
      line('Step 3/3 : COPY b /\n'),
      line(' ---> Using cache\n'),
      line(' ---> 0123456789ab\n'),
      ...BUILT,
      line('Successfully tagged t:latest\n'),
    ]);
    const outcome = await engine.builds.build({ context: CONTEXT, onStatus: (status) => told.push(status) });
    expect(outcome).toEqual({ imageId: ID, references: ['t:latest'] });
    const vertexes = told.flatMap((status) => status.vertexes ?? []);
    expect(vertexes.map(({ name, completed, cached }) => [name, completed !== undefined, cached])).toEqual([
      ['[1/3] FROM base', false, undefined],
      ['[1/3] FROM base', true, undefined],
      ['[2/3] RUN a', false, undefined],
      ['[2/3] RUN a', true, undefined],
      ['[3/3] COPY b /', false, undefined],
      ['[3/3] COPY b /', true, true],
    ]);
    const logs = told.flatMap((status) => status.logs ?? []);
    expect(logs.map(({ vertex, data }) => [vertex, new TextDecoder().decode(data)])).toEqual([
      [vertexes[2]?.digest, 'output\n'],
    ]);
    expect(told.flatMap((status) => status.statuses ?? [])).toMatchObject([
      { id: 'abababababab', current: 5, total: 10 },
      { id: 'abababababab', completed: expect.any(String) },
    ]);
  });

  it.each([
    [
      "docker's daemon",
      '{"errorDetail":{"code":3,"message":"The command x returned a non-zero code: 3"},"error":"The command x returned a non-zero code: 3"}',
      { code: 'build-failed', message: 'The command x returned a non-zero code: 3', data: { exitCode: 3 } },
    ],
    [
      'ours',
      '{"errorDetail":{"message":"m"},"error":"m","wctr":{"code":"no-such-image","message":"n","hint":"h","frame":"1 | F"}}',
      { code: 'no-such-image', message: 'n', hint: 'h', data: { frame: '1 | F' } },
    ],
  ])('is how it failed, by %s', async (_, line, expected) => {
    const told: SolveStatus[] = [];
    const { engine } = daemon(['{"stream":"Step 1/1 : RUN x\\n"}', line]);
    const building = engine.builds.build({ context: CONTEXT, onStatus: (status) => told.push(status) });
    await expect(building).rejects.toMatchObject(expected);
    expect(told.at(-1)?.vertexes?.[0]).toMatchObject({ name: '[1/1] RUN x', error: expected.message });
  });
});

describe('a connection that ends', () => {
  function ending(signal?: AbortSignal) {
    const told: SolveStatus[] = [];
    let fail = (_: Error) => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('{"stream":"Step 1/1 : RUN x\\n"}\r\n'));
        fail = (error) => controller.error(error);
      },
    });
    const http: HttpClient = {
      fetch: async ({ path }) => new Response(path === '/_ping' ? 'OK' : body),
      hijack: async () => expect.unreachable(),
      close: async () => {},
    };
    const building = new RemoteEngine(http, 'unix:///d').builds.build({
      context: CONTEXT,
      onStatus: (status) => {
        told.push(status);
        fail(new Error('aborted'));
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const error = () => told.at(-1)?.vertexes?.[0]?.error;
    return { building, error };
  }

  it('was cut by this side', async () => {
    const { building, error } = ending(AbortSignal.abort());
    await expect(building).rejects.toMatchObject({ code: 'cancelled' });
    expect(error()).toBe('context canceled');
  });

  it('was cut by the other side', async () => {
    const { building, error } = ending();
    await expect(building).rejects.toMatchObject({ code: 'daemon-unreachable' });
    expect(error()).toContain('ended the connection');
  });
});

it('says of what is no answer that it is none', async () => {
  const building = daemon(['<html>']).engine.builds.build({ context: CONTEXT });
  await expect(building).rejects.toMatchObject({
    code: 'daemon-unreachable',
    message: expect.stringContaining('no JSON: <html>'),
  });
});

describe('what is made of the image', () => {
  it('is saved, exported and pushed by the daemon', async () => {
    const answers = {
      '/images/get': 'the archive',
      '/containers/create': '{"Id":"c1"}',
      '/containers/c1/export': 'the files',
      '/images/t/push': '{"progressDetail":{},"aux":{"Tag":"latest","Digest":"sha256:d","Size":1}}',
    };
    const { engine, sent } = daemon([...BUILT, '{"stream":"Successfully tagged t:latest\\n"}'], answers);
    const written: string[] = [];
    const write = async (tar: AsyncIterable<Uint8Array>) => {
      for await (const chunk of tar) written.push(new TextDecoder().decode(chunk));
    };
    await engine.builds.build({
      context: CONTEXT,
      outputs: [
        { type: 'oci', write },
        { type: 'files', write },
        { type: 'image', push: true },
      ],
    });
    expect(written).toEqual(['the archive', 'the files']);
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /build',
      'GET /images/get',
      'POST /containers/create',
      'GET /containers/c1/export',
      'DELETE /containers/c1',
      'POST /images/t/push',
    ]);
  });
});

describe('the cache', () => {
  it('is listed and pruned there', async () => {
    const record = { ID: 'a', Type: 'regular', Description: 'RUN x', InUse: false, Shared: false, Size: 1 };
    const other = { ...record, ID: 'b', Type: 'exec.cachemount' };
    const { engine, sent } = daemon([], {
      '/system/df': JSON.stringify({ BuildCache: [record, other] }),
      '/build/prune': '{"CachesDeleted":["a"],"SpaceReclaimed":1}',
    });
    expect(await engine.builds.usage({ type: ['exec.cachemount'] })).toEqual([other]);
    await expect(engine.builds.usage({ nosuch: ['x'] })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await engine.builds.prune({ all: true, keepBytes: 7, filters: { until: ['1h'] } })).toEqual({
      CachesDeleted: ['a'],
      SpaceReclaimed: 1,
    });
    expect(Object.fromEntries(sent.at(-1)?.query ?? [])).toEqual({
      all: '1',
      'keep-storage': '7',
      filters: '{"until":["1h"]}',
    });
  });
});

/** `POST /build`: what a client asks the engine for, and the classic builder's words it is answered in. */
import { describe, expect, it } from 'vitest';
import { type BuildLine, ClassicBuild } from '../../../src/daemon/classic-build.ts';
import { createDaemon } from '../../../src/daemon/daemon.ts';
import type { BuildRequest, BuildStep } from '../../../src/engine/builds.ts';
import { WctrError } from '../../../src/errors.ts';
import { fakeEngine } from '../../support/fake-engine.ts';

const ID = `sha256:${'0123456789ab'.repeat(6).slice(0, 64)}`;
const STEPS: readonly BuildStep[] = [
  { kind: 'from', text: 'FROM wctr/base', vertex: 'sha256:from' },
  { kind: 'env', text: 'ENV A=b' },
  { kind: 'run', text: 'RUN make', vertex: 'sha256:run' },
  { kind: 'copy', text: 'COPY a /a', vertex: 'sha256:copy' },
];
const time = '2026-01-01T00:00:00Z';
const log = (vertex: string, text: string) => ({
  vertex,
  stream: 1 as const,
  data: new TextEncoder().encode(text),
  timestamp: time,
});
const done = (digest: string, more: object = {}) => ({ digest, name: 'x', started: time, completed: time, ...more });

/** Ids that are made up as `<id>`. */
const settled = (text: string) => text.replace(/(---> |Running in |container )[0-9a-f]{12}$/gm, '$1<id>');

describe('the classic words', () => {
  function classic() {
    const lines: BuildLine[] = [];
    const shown = new ClassicBuild((line) => lines.push(line));
    return { shown, lines, text: () => settled(lines.map(({ stream = '' }) => stream).join('')) };
  }

  it('are those of docker, whatever is told of the build', () => {
    const { shown, lines, text } = classic();
    shown.plan(STEPS);
    expect(text()).toBe('Step 1/4 : FROM wctr/base\n');
    // The last step is done first.
    shown.update({ vertexes: [done('sha256:copy', { cached: true })] });
    shown.update({ vertexes: [done('sha256:from')] });
    expect(text()).toBe('Step 1/4 : FROM wctr/base\n ---> <id>\nStep 2/4 : ENV A=b\n ---> <id>\nStep 3/4 : RUN make\n');
    shown.update({ vertexes: [{ digest: 'sha256:run', name: 'x', started: time }] });
    shown.update({ logs: [log('sha256:run', 'made\n')] });
    shown.update({ vertexes: [done('sha256:run')] });
    shown.finish({ imageId: ID, references: ['a:latest', 'b:1'] });
    expect(text().split('\n').slice(4)).toEqual([
      'Step 3/4 : RUN make',
      ' ---> Running in <id>',
      'made',
      ' ---> Removed intermediate container <id>',
      ' ---> <id>',
      'Step 4/4 : COPY a /a',
      ' ---> Using cache',
      ' ---> <id>',
      'Successfully built 0123456789ab',
      'Successfully tagged a:latest',
      'Successfully tagged b:1',
      '',
    ]);
    expect(lines.find(({ aux }) => aux !== undefined)).toEqual({ aux: { ID } });
    // The last id is the image's.
    expect(lines.at(-5)).toEqual({ stream: ' ---> 0123456789ab\n' });
  });

  it('say of a cached RUN that it did not run', () => {
    const { shown, text } = classic();
    shown.plan([STEPS[2]!]);
    shown.update({ vertexes: [done('sha256:run', { cached: true })] });
    shown.finish({ imageId: ID, references: [] });
    expect(text()).toBe('Step 1/1 : RUN make\n ---> Using cache\n ---> <id>\nSuccessfully built 0123456789ab\n');
  });

  it('have nothing below scratch', () => {
    const { shown, text } = classic();
    shown.plan([{ kind: 'from', text: 'FROM scratch AS x' }, STEPS[1]!]);
    shown.finish({ imageId: ID, references: [] });
    expect(text()).toMatch(/^Step 1\/2 : FROM scratch AS x\n ---> \nStep 2\/2 : ENV A=b\n ---> <id>\n/);
  });

  it('stop where a step failed', () => {
    const { shown, text } = classic();
    shown.plan(STEPS.slice(2));
    shown.update({ logs: [log('sha256:run', 'no rule\n')] });
    shown.update({ vertexes: [done('sha256:run', { error: 'exit code: 2' })] });
    expect(text()).toBe('Step 1/2 : RUN make\n ---> Running in <id>\nno rule\n');
  });

  it('tell what is pulled', () => {
    const { shown, lines } = classic();
    shown.plan(STEPS);
    const status = { id: `sha256:${'ab'.repeat(32)}`, vertex: 'sha256:from', current: 5, timestamp: time };
    shown.update({ statuses: [{ ...status, total: 10 }] });
    shown.update({ statuses: [{ ...status, total: 10, completed: time }] });
    expect(lines.slice(1)).toEqual([
      { status: 'Downloading', progressDetail: { current: 5, total: 10 }, id: 'abababababab' },
      { status: 'Pull complete', progressDetail: {}, id: 'abababababab' },
    ]);
  });
});

type Build = (request: BuildRequest) => Promise<unknown>;

async function post(query: string, build: Build, init: RequestInit = {}) {
  const daemon = createDaemon(fakeEngine({ builds: { build } }).engine, { version: '0' });
  const url = `http://d/v1.50/build${query === '' ? '' : `?${query}`}`;
  return daemon.fetch(new Request(url, { method: 'POST', ...init }));
}

async function linesOf(response: Response): Promise<unknown[]> {
  return (await response.text())
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** What the docker CLI 28 and docker-py send. */
const ASKED: readonly (readonly [query: string, expected: Partial<BuildRequest>])[] = [
  [
    'buildargs=%7B%7D&cachefrom=%5B%5D&cgroupparent=&cpuperiod=0&cpuquota=0&cpusetcpus=&cpusetmems=&cpushares=0' +
      '&dockerfile=Dockerfile&labels=%7B%7D&memory=0&memswap=0&networkmode=default&rm=1&shmsize=0&t=a&t=b%3A1' +
      '&target=&ulimits=%5B%5D&version=1',
    { tags: ['a', 'b:1'], dockerfile: { path: 'Dockerfile' }, buildArgs: {}, labels: {}, noCache: false },
  ],
  ['t=x&q=False&nocache=False&rm=True&forcerm=False&pull=False&dockerfile=D', { noCache: false, pull: false }],
  ['buildargs={"A":"1","B":null}', { buildArgs: { A: '1', B: null } }],
  ['labels={"a":"b"}&target=t&pull=1&nocache=1', { labels: { a: 'b' }, target: 't', pull: true, noCache: true }],
  [
    'platform=wasi/wasm&networkmode=none&memory=67108864',
    { platforms: ['wasi/wasm'], network: 'none', memoryBytes: 67108864 },
  ],
  ['extrahosts=a:1.2.3.4&extrahosts=b:5.6.7.8,c:::1', { extraHosts: ['a:1.2.3.4', 'b:5.6.7.8', 'c:::1'] }],
  ['cachefrom=["x/y"]', { cacheFrom: [{ type: 'registry', reference: 'x/y' }] }],
  ['cachefrom=null&labels=null&ulimits=null', { cacheFrom: [], labels: {} }],
  ['remote=https://e.org/a.git', { context: { address: 'https://e.org/a.git' } }],
];

describe('what a client asks for', () => {
  it.each(ASKED)('%s', async (query, expected) => {
    let asked: BuildRequest | undefined;
    const answer = await post(query, async (request) => {
      asked = request;
      return { imageId: ID, references: [] };
    });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(asked).toMatchObject(expected);
    for (const name of ['network', 'memoryBytes', 'target', 'platforms', 'credentials']) {
      if (!(name in expected)) expect(asked).not.toHaveProperty(name);
    }
  });

  it('reads the context from the body and logins from the header', async () => {
    const header = Buffer.from('{"r.example":{"username":"u","password":"p"}}').toString('base64url');
    let read = '';
    const answer = await post(
      '',
      async ({ context, credentials }) => {
        for await (const chunk of (context as { tar: AsyncIterable<Uint8Array> }).tar) {
          read += new TextDecoder().decode(chunk);
        }
        read += ` ${(await credentials?.('r.example'))?.username} ${await credentials?.('other.example')}`;
        return { imageId: ID, references: [] };
      },
      { body: 'a tar', headers: { 'x-registry-config': header } },
    );
    await answer.text();
    expect(read).toBe('a tar u undefined');
  });
});

describe('what it cannot do', () => {
  it.each([
    ['squash=1', 501, 'a build takes no squash'],
    ['cpuquota=100', 501, 'a build takes no cpuquota'],
    ['ulimits=[{"Name":"nofile","Soft":1}]', 501, 'a build takes no ulimits'],
    ['networkmode=mine', 501, 'network mode "mine" is not supported by a build'],
    ['version=2&session=x', 501, 'POST /build is the classic builder: BuildKit is served at /grpc'],
    ['buildargs=[1]', 400, 'invalid buildargs: expected an object of texts'],
    ['buildargs={', 400, expect.stringContaining('invalid buildargs')],
    ['cachefrom={}', 400, 'invalid cachefrom: expected a list of names'],
    ['memory=much', 400, 'invalid value "much" for "memory": expected a whole number'],
  ])('%s', async (query, status, message) => {
    const answer = await post(query, async () => expect.unreachable());
    expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({ status, message });
  });

  it('answers with a status while nothing was said', async () => {
    const answer = await post('', async () => {
      throw new WctrError('invalid-dockerfile', 'dockerfile parse error on line 2: bad', {
        data: { frame: '2 | BAD' },
      });
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      message: 'dockerfile parse error on line 2: bad',
      code: 'invalid-dockerfile',
      frame: '2 | BAD',
    });
  });

  it('ends with the number of a RUN that failed', async () => {
    const answer = await post('', async ({ onPlan }) => {
      onPlan?.(STEPS.slice(2));
      throw new WctrError('build-failed', 'process "/bin/sh -c make" did not complete successfully: exit code: 3', {
        data: { exitCode: 3, command: ['/bin/sh', '-c', 'make'] },
      });
    });
    expect(answer.status).toBe(200);
    const message = "The command '/bin/sh -c make' returned a non-zero code: 3";
    expect((await linesOf(answer)).at(-1)).toMatchObject({ errorDetail: { code: 3, message }, error: message });
  });

  it('says the id alone when it is to be quiet', async () => {
    const answer = await post('q=1', async ({ onPlan }) => {
      onPlan?.(STEPS);
      return { imageId: ID, references: ['a:latest'] };
    });
    expect(await linesOf(answer)).toEqual([{ stream: `${ID}\n` }]);
  });
});

describe('a client that goes', () => {
  const untilAborted: Build = ({ onPlan, signal }) => {
    onPlan?.(STEPS);
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new WctrError('cancelled', 'the build was cancelled')));
    });
  };

  it('cancels the build by leaving', async () => {
    let aborted = false;
    const answer = await post('', async (request) => {
      request.signal?.addEventListener('abort', () => {
        aborted = true;
      });
      return untilAborted(request);
    });
    const reader = answer.body!.getReader();
    await reader.read();
    await reader.cancel();
    await expect.poll(() => aborted).toBe(true);
  });

  it('cancels it by its name', async () => {
    const daemon = createDaemon(fakeEngine({ builds: { build: untilAborted } }).engine, { version: '0' });
    const call = (path: string) => daemon.fetch(new Request(`http://d/v1.50${path}`, { method: 'POST' }));
    const answer = await call('/build?buildid=one');
    expect((await call('/build/cancel?id=other')).status).toBe(204);
    expect((await call('/build/cancel?id=one')).status).toBe(204);
    expect((await linesOf(answer)).at(-1)).toMatchObject({ error: 'the build was cancelled' });
  });
});

describe('the cache', () => {
  it('is pruned', async () => {
    const { engine, calls } = fakeEngine({
      builds: { prune: async () => ({ CachesDeleted: ['a'], SpaceReclaimed: 5 }) },
    });
    const daemon = createDaemon(engine, { version: '0' });
    const url = 'http://d/v1.50/build/prune?all=1&keep-storage=7&filters=%7B%22until%22%3A%7B%2224h%22%3Atrue%7D%7D';
    const answer = await daemon.fetch(new Request(url, { method: 'POST' }));
    expect(await answer.json()).toEqual({ CachesDeleted: ['a'], SpaceReclaimed: 5 });
    expect(calls).toEqual([{ name: 'builds.prune', args: [{ all: true, keepBytes: 7, filters: { until: ['24h'] } }] }]);
  });
});

/** The remote engine against the daemon's router over a real socket: what goes in comes out on the other side. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon } from '../../../src/daemon/daemon.ts';
import { RemoteEngine } from '../../../src/engine/remote/remote-engine.ts';
import { nodeHttpClient } from '../../../src/host/node/http-client.ts';
import { type HttpListener, listen } from '../../../src/host/node/http-server.ts';
import { createMemoryEngine, type MemoryEngine } from '../../support/memory-engine.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-remote-'));
const socketPath = join(dir, 'd.sock');
let fake: MemoryEngine;
let listener: HttpListener;
let engine: RemoteEngine;

beforeAll(async () => {
  fake = createMemoryEngine();
  listener = await listen(createDaemon(fake, { version: '0.0.0' }), { path: socketPath }, {});
  engine = new RemoteEngine(nodeHttpClient({ socketPath }), `unix://${socketPath}`);
});
afterAll(async () => {
  await engine.close();
  await listener.close(100);
  rmSync(dir, { recursive: true });
});

async function text(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  return stream === undefined ? '' : new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('run', () => {
  it('gives both outputs and the exit code', async () => {
    const running = await engine.containers.run({ image: 'hello', args: ['both'], autoRemove: true });
    const [out, err, exit] = await Promise.all([
      text(running.sandbox.stdout),
      text(running.sandbox.stderr),
      running.wait(),
    ]);
    expect({ out, err, exit }).toEqual({ out: 'out\n', err: 'err\n', exit: { exitCode: 0, oomKilled: false } });
  });

  it('carries input to its end, and gigabytes of nothing are not kept', async () => {
    const running = await engine.containers.run({
      image: 'hello',
      args: ['cat'],
      autoRemove: true,
      stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
    });
    const block = new Uint8Array(1 << 16).fill(120);
    const writer = running.sandbox.stdin!.getWriter();
    const writing = (async () => {
      for (let i = 0; i < 64; i++) await writer.write(block);
      await writer.close();
    })();
    expect((await text(running.sandbox.stdout)).length).toBe(64 << 16);
    await writing;
    expect((await running.wait()).exitCode).toBe(0);
  });

  it('kills, and says by what it ended', async () => {
    const running = await engine.containers.run({ image: 'hello', args: ['sleep'], name: 'sleeper' });
    await running.kill('SIGTERM');
    expect(await running.wait()).toEqual({ exitCode: 143, oomKilled: false, signal: 'SIGTERM' });
    await engine.containers.remove('sleeper');
  });

  it('rejects with the code of the engine there, and its hint', async () => {
    await expect(engine.containers.run({ image: 'hello', args: ['missing'], autoRemove: true })).rejects.toMatchObject({
      code: 'entrypoint-not-found',
      hint: 'look at the image',
    });
    await expect(engine.containers.run({ image: 'nope', pull: 'never' })).rejects.toMatchObject({
      code: 'no-such-image',
    });
  });

  it('pulls what is missing', async () => {
    const running = await engine.containers.run({ image: 'new', args: ['exit', '7'], autoRemove: true });
    expect((await running.wait()).exitCode).toBe(7);
    expect(fake.calls).toContain('pull new:latest -');
  });
});

describe('containers', () => {
  it.each([
    ['inspect', () => engine.containers.inspect('ghost')],
    ['start', () => engine.containers.start('ghost')],
    ['wait', () => engine.containers.wait('ghost')],
    ['logs', () => collect(engine.containers.logs('ghost'))],
    ['attach', () => engine.containers.attach('ghost', {})],
    ['remove', () => engine.containers.remove('ghost')],
  ])('%s of nothing is no-such-container', async (_name, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'no-such-container', message: 'No such container: ghost' });
  });

  it('tells logs apart', async () => {
    const { Id } = await engine.containers.create({ Image: 'hello', Cmd: ['both'] });
    await engine.containers.start(Id);
    expect(await engine.containers.wait(Id)).toEqual({ StatusCode: 0 });
    const lines = (await collect(engine.containers.logs(Id))).map(({ stream, bytes }) => [
      stream,
      new TextDecoder().decode(bytes),
    ]);
    expect(lines).toEqual([
      ['stdout', 'out\n'],
      ['stderr', 'err\n'],
    ]);
    expect(await collect(engine.containers.logs(Id, { stderr: false }))).toHaveLength(1);
    await engine.containers.remove(Id);
  });

  it('gives a terminal one stream', async () => {
    const { Id } = await engine.containers.create({ Image: 'hello', Cmd: ['both'], Tty: true });
    const streams = await engine.containers.attach(Id, { stdout: true, stderr: true });
    expect(streams.tty).toBe(true);
    expect(streams.stderr).toBeUndefined();
    await engine.containers.start(Id);
    expect(await text(streams.stdout)).toContain('out\n');
    await engine.containers.remove(Id, { force: true });
  });

  it('stops waiting when told to', async () => {
    const { Id } = await engine.containers.create({ Image: 'hello', Cmd: ['sleep'] });
    await engine.containers.start(Id);
    const leave = new AbortController();
    const waiting = engine.containers.wait(Id, 'next-exit', leave.signal);
    leave.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await engine.containers.remove(Id, { force: true });
  });

  it('carries archives both ways', async () => {
    const { tar, stat } = await engine.containers.getArchive('x', '/größe');
    expect(stat.name).toBe('/größe');
    expect(Buffer.concat(await collect(tar)).toString()).toBe('tar');
    await engine.containers.putArchive(
      'x',
      '/to',
      (async function* () {
        yield new Uint8Array(3);
        yield new Uint8Array(4);
      })(),
    );
    expect(fake.calls).toContain('put /to 7');
    expect((await engine.containers.statPath('x', '/a')).mode).toBe(0o644);
    expect(await engine.containers.changes('x')).toEqual([{ Path: '/new', Kind: 1 }]);
  });

  it('runs a second program', async () => {
    const { Id } = await engine.containers.create({ Image: 'hello', Cmd: ['sleep'], HostConfig: { AutoRemove: true } });
    await engine.containers.start(Id);
    const exec = await engine.exec.create(Id, { Cmd: ['exit', '4'], AttachStdout: true });
    expect(await text((await engine.exec.start(exec.Id, { tty: false })).stdout)).toBe('');
    expect((await engine.exec.inspect(exec.Id)).ExitCode).toBe(4);
    await engine.containers.remove(Id, { force: true });
  });
});

describe('an upgrade whose body after the upgrade comes later', () => {
  it('is waited for', async () => {
    const { Id } = await engine.containers.create({ Image: 'hello', Cmd: ['sleep'], HostConfig: { AutoRemove: true } });
    await engine.containers.start(Id);
    const exec = await engine.exec.create(Id, { Cmd: ['echo', 'late'], AttachStdout: true });
    const body = '{"Detach":false,"Tty":false}';
    const answer = await new Promise<string>((resolve) => {
      const client = connect(socketPath);
      let said = '';
      client.on('data', (chunk) => {
        said += chunk.toString('latin1');
      });
      client.once('close', () => resolve(said));
      const head = [`POST /v1.51/exec/${exec.Id}/start HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: tcp'];
      client.write([...head, `Content-Length: ${body.length}`, '', ''].join('\r\n'));
      setTimeout(() => client.end(body), 50);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    expect(answer).toContain('late\n');
    await engine.containers.remove(Id, { force: true });
  });
});

describe('images', () => {
  it('has the same summaries', async () => {
    expect(await engine.images.list()).toEqual(
      (await fake.images.list()).map((summary) => ({ ...summary, created: '2026-01-01T00:00:00.000Z' })),
    );
  });

  it('pulls with progress and a login', async () => {
    const statuses: string[] = [];
    const outcome = await engine.images.pull('localhost:5000/a/b:1', {
      credentials: { username: 'ü', password: 'p' },
      onEvent: ({ status }) => statuses.push(status),
    });
    expect(outcome.changed).toBe(true);
    expect(statuses).toContain('Downloading');
    expect(fake.calls).toContain('pull localhost:5000/a/b:1 ü');
  });

  it('tells a pull that breaks on the way from one that never began', async () => {
    await expect(engine.images.pull('missing')).rejects.toMatchObject({ code: 'not-found' });
    await expect(engine.images.pull('broken')).rejects.toMatchObject({ message: 'layer abc is damaged' });
  });

  it('loads and saves', async () => {
    const loaded = await engine.images.load({
      tar: (async function* () {
        yield new Uint8Array(10);
      })(),
    });
    expect(loaded).toEqual([{ id: `sha256:${'b'.repeat(64)}`, references: ['hello:latest'] }]);
    expect(Buffer.concat(await collect(engine.images.save(['a', 'b']))).toString()).toBe('a,b');
  });

  it('keeps registry, repository, tag and digest apart', async () => {
    await engine.images.tag('hello', 'localhost:5000/a/b');
    await engine.images.tag('hello', 'localhost:5000/a/b:c');
    expect(fake.calls).toContain('tag hello localhost:5000/a/b');
    expect(fake.calls).toContain('tag hello localhost:5000/a/b:c');
  });
});

describe('the rest', () => {
  it('volumes', async () => {
    await engine.volumes.create({ Name: 'v1', Labels: { a: 'b' } });
    expect((await engine.volumes.list()).Volumes.map(({ Name }) => Name)).toEqual(['v1']);
    expect(await engine.volumes.inspect('v1')).toMatchObject({ Labels: { a: 'b' } });
    await expect(engine.volumes.inspect('v2')).rejects.toMatchObject({ code: 'not-found' });
    await engine.volumes.remove('v1', { force: true });
  });

  it('networks', async () => {
    const { Id } = await engine.networks.create({ Name: 'n1' });
    expect(await engine.networks.inspect('n1')).toMatchObject({ Id });
    await engine.networks.connect('n1', 'c1', { Aliases: ['a'] });
    await engine.networks.disconnect('n1', 'c1', { force: true });
    expect(fake.calls).toEqual(expect.arrayContaining(['connect n1 c1', 'disconnect n1 c1']));
    await engine.networks.remove('n1');
    expect(await engine.networks.list()).toEqual([]);
  });

  it('system', async () => {
    expect(await engine.system.info()).toMatchObject({ Name: 'fake' });
    expect(await engine.system.diskUsage()).toEqual(await fake.system.diskUsage());
    const leave = new AbortController();
    for await (const event of engine.system.events({ signal: leave.signal })) {
      expect(event).toMatchObject({ Action: 'start' });
      leave.abort();
    }
  });

  it('says where nobody answers', async () => {
    const nobody = new RemoteEngine(nodeHttpClient({ socketPath: join(dir, 'none') }), 'unix:///none');
    await expect(nobody.system.info()).rejects.toMatchObject({ code: 'daemon-unreachable' });
  });
});

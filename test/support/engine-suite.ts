/** What every implementation of the Engine port must do with containers; its test is a call of this. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttachedStreams, Engine, LogChunk } from '../../src/engine/engine.ts';
import type { ContainerCreateRequest, EventMessage } from '../../src/spec/engine-api.ts';
import { buildCases } from './engine-builds.ts';
import { registryCases } from './engine-registries.ts';

export interface OpenedEngine {
  readonly engine: Engine;
  /** An image whose entrypoint is the guest `busybox` of test/support/guests, with a file /etc/motd. */
  readonly image: string;
  close(): Promise<void>;
}

const LONG = '600000';

export function engineSuite(name: string, open: () => Promise<OpenedEngine>): void {
  describe(name, () => {
    let opened: OpenedEngine;
    let engine: Engine;
    const made: string[] = [];

    beforeAll(async () => {
      opened = await open();
      engine = opened.engine;
    });

    afterAll(async () => {
      for (const id of made) await engine.containers.remove(id, { force: true, volumes: true }).catch(() => {});
      await opened.close();
    });

    async function create(args: readonly string[], request: Partial<ContainerCreateRequest> = {}, as?: string) {
      const { Id } = await engine.containers.create(
        { Image: opened.image, Cmd: args, ...request, HostConfig: { NetworkMode: 'none', ...request.HostConfig } },
        as === undefined ? {} : { name: as },
      );
      made.push(Id);
      return Id;
    }

    async function running(args: readonly string[], request: Partial<ContainerCreateRequest> = {}, as?: string) {
      const id = await create(args, request, as);
      await engine.containers.start(id);
      return id;
    }

    async function logOf(id: string): Promise<string> {
      return textOf(engine.containers.logs(id, { stdout: true, stderr: true }));
    }

    describe('create', () => {
      it('merges what the image and the request say', async () => {
        const id = await create(['args'], { Env: ['A=1'], Labels: { role: 'test' }, WorkingDir: '/etc' }, 'merged');
        const document = await engine.containers.inspect('merged');
        expect(document).toMatchObject({
          Id: id,
          Name: '/merged',
          Path: '/bin/busybox',
          Args: ['args'],
          State: { Status: 'created', Running: false, Pid: 0, ExitCode: 0 },
          Config: { Env: ['A=1'], Labels: { role: 'test' }, WorkingDir: '/etc', Hostname: id.slice(0, 12) },
          HostConfig: { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, AutoRemove: false },
        });
      });

      it('never pulls', async () => {
        await expect(engine.containers.create({ Image: 'no/such:image' })).rejects.toMatchObject({
          code: 'no-such-image',
        });
      });

      it('keeps names apart', async () => {
        await create(['hello'], {}, 'taken');
        await expect(create(['hello'], {}, 'taken')).rejects.toMatchObject({ code: 'conflict' });
      });

      it.each([
        ['a name', { name: 'not a name' }, {}],
        ['a policy', {}, { RestartPolicy: { Name: 'sometimes' as 'no', MaximumRetryCount: 0 } }],
        ['too little memory', {}, { Memory: 1024 }],
        ['a log driver', {}, { LogConfig: { Type: 'syslogd', Config: {} } }],
      ])('refuses %s', async (_what, options, HostConfig) => {
        const request = { Image: opened.image, HostConfig };
        await expect(engine.containers.create(request, options)).rejects.toMatchObject({ code: 'invalid-argument' });
      });
    });

    describe('a run', () => {
      it('starts, ends, and tells how', async () => {
        const id = await create(['exit', '7']);
        const end = engine.containers.wait(id, 'next-exit');
        await engine.containers.start(id);
        expect(await end).toMatchObject({ StatusCode: 7 });
        const { State } = await engine.containers.inspect(id);
        expect(State).toMatchObject({ Status: 'exited', ExitCode: 7, Running: false });
        expect(Date.parse(State.FinishedAt)).toBeGreaterThanOrEqual(Date.parse(State.StartedAt));
        await engine.containers.start(id);
        expect(await engine.containers.wait(id)).toMatchObject({ StatusCode: 7 });
      });

      it('says that a program is not there', async () => {
        const id = await create([], { Entrypoint: ['/no/such'] });
        await expect(engine.containers.start(id)).rejects.toMatchObject({ code: 'entrypoint-not-found' });
        expect((await engine.containers.inspect(id)).State).toMatchObject({ Status: 'created', ExitCode: 127 });
      });

      it('keeps what was written', async () => {
        const id = await running(['hello']);
        await engine.containers.wait(id);
        expect(await logOf(id)).toBe('Hello from the guest\n');
      });

      it('gives its streams to who attached before', async () => {
        const id = await create(['cat'], { OpenStdin: true, StdinOnce: true, AttachStdin: true });
        const streams = await engine.containers.attach(id, { stdin: true, stdout: true, stderr: true });
        await engine.containers.start(id);
        const output = readAll(streams.stdout);
        await write(streams, 'to and fro\n');
        expect(await output).toBe('to and fro\n');
        expect(await engine.containers.wait(id)).toMatchObject({ StatusCode: 0 });
      });

      it('is removed at its end when asked for, and its exit code is not lost', async () => {
        const id = await create(['exit', '3'], { HostConfig: { AutoRemove: true } });
        const end = engine.containers.wait(id, 'removed');
        await engine.containers.start(id);
        expect(await end).toMatchObject({ StatusCode: 3 });
        await expect(engine.containers.inspect(id)).rejects.toMatchObject({ code: 'no-such-container' });
      });

      it('is begun again by its policy', async () => {
        const id = await running(['exit', '1'], {
          HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
        });
        await until(async () => {
          const { State, RestartCount } = await engine.containers.inspect(id);
          return RestartCount === 2 && State.Status === 'exited';
        });
      });
    });

    describe('one that stays', () => {
      it('is stopped, and started again', async () => {
        const id = await running(['sleep', LONG], {}, 'stays');
        await engine.containers.start('stays');
        expect((await engine.containers.inspect(id)).State).toMatchObject({ Running: true, ExitCode: 0 });
        await engine.containers.stop('stays', { timeoutSeconds: 0 });
        expect((await engine.containers.inspect(id)).State).toMatchObject({ Status: 'exited', Pid: 0 });
        await engine.containers.restart(id, { timeoutSeconds: 0 });
        expect((await engine.containers.inspect(id)).State.Running).toBe(true);
        await engine.containers.kill(id);
        expect((await engine.containers.inspect(id)).State).toMatchObject({ Status: 'exited', ExitCode: 137 });
        await expect(engine.containers.kill(id)).rejects.toMatchObject({ code: 'conflict' });
      });

      it('is held, and goes on', async () => {
        const id = await running(['sleep', LONG]);
        await engine.containers.pause(id);
        expect((await engine.containers.inspect(id)).State).toMatchObject({ Status: 'paused', Paused: true });
        await expect(engine.exec.create(id, { Cmd: ['/bin/busybox'] })).rejects.toMatchObject({ code: 'conflict' });
        await engine.containers.unpause(id);
        expect((await engine.containers.inspect(id)).State.Status).toBe('running');
        await engine.containers.pause(id);
        await engine.containers.remove(id, { force: true });
      });

      it('is not removed without force', async () => {
        const id = await running(['sleep', LONG]);
        await expect(engine.containers.remove(id)).rejects.toMatchObject({ code: 'conflict' });
        await engine.containers.remove(id, { force: true });
        await expect(engine.containers.inspect(id)).rejects.toMatchObject({ code: 'no-such-container' });
      });

      it('takes a new name and new limits', async () => {
        const id = await running(['sleep', LONG], {}, 'before');
        await engine.containers.rename('before', 'after');
        await engine.containers.update('after', { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
        const { Name, HostConfig } = await engine.containers.inspect('after');
        expect([Name, HostConfig.RestartPolicy?.Name]).toEqual(['/after', 'always']);
        await expect(engine.containers.inspect('before')).rejects.toMatchObject({ code: 'no-such-container' });
        await engine.containers.remove(id, { force: true });
      });

      it('runs more programs, which see its files', async () => {
        const id = await running(['sleep', LONG]);
        const exec = async (...words: string[]) => {
          const Cmd = ['/bin/busybox', ...words];
          const { Id } = await engine.exec.create(id, { Cmd, AttachStdout: true, AttachStderr: true });
          const { stdout } = await engine.exec.start(Id, { tty: false });
          return { Id, output: await readAll(stdout) };
        };
        await exec('write', '/etc/note', 'kept');
        expect((await exec('read', '/etc/note')).output).toBe('kept');
        const { Id } = await exec('exit', '4');
        await until(async () => !(await engine.exec.inspect(Id)).Running);
        expect(await engine.exec.inspect(Id)).toMatchObject({ ExitCode: 4, ContainerID: id });
      });

      it('shows its processes and what they cost', async () => {
        const id = await running(['sleep', LONG]);
        const top = await engine.containers.top(id);
        expect(top.Processes).toHaveLength(1);
        expect(top.Processes[0]?.[top.Titles.indexOf('CMD')]).toContain('busybox sleep');
        for await (const stats of engine.containers.stats(id, { stream: false, oneShot: true })) {
          expect(stats.memory_stats.usage).toBeGreaterThan(1e6);
          expect(stats.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(0);
          expect(stats.pids_stats.current).toBe(1);
        }
      });
    });

    describe('the list', () => {
      it('is filtered', async () => {
        const id = await running(['sleep', LONG], { Labels: { suite: 'list' } }, 'listed-one');
        const other = await create(['hello'], { Labels: { suite: 'list', second: 'yes' } }, 'listed-two');
        const list = async (filters: Record<string, string[]>, all = true) =>
          (await engine.containers.list({ all, filters })).map(({ Id }) => Id);
        expect(await list({ label: ['suite=list'] })).toEqual([other, id]);
        expect(await list({ label: ['suite=list'] }, false)).toEqual([id]);
        expect(await list({ label: ['suite=list', 'second'] })).toEqual([other]);
        expect(await list({ name: ['listed-o'] })).toEqual([id]);
        expect(await list({ status: ['created'], label: ['suite'] })).toEqual([other]);
        expect(await list({ id: [id.slice(0, 12)] })).toEqual([id]);
        expect(await list({ since: ['listed-one'], label: ['suite'] })).toEqual([other]);
        expect(await list({ before: ['listed-two'], label: ['suite'] })).toEqual([id]);
        expect(await list({ ancestor: [opened.image], label: ['second'] })).toEqual([other]);
        await expect(list({ colour: ['red'] })).rejects.toMatchObject({ code: 'invalid-argument' });
        const [line] = await engine.containers.list({ filters: { id: [id] } });
        expect(line).toMatchObject({ Names: ['/listed-one'], State: 'running', Command: `/bin/busybox sleep ${LONG}` });
        expect(line?.Status).toMatch(/^Up /);
      });

      it('forgets what is pruned', async () => {
        const id = await create(['hello'], { Labels: { prune: 'me' } });
        const { ContainersDeleted } = await engine.containers.prune({ label: ['prune=me'] });
        expect(ContainersDeleted).toEqual([id]);
      });
    });

    it('tells what happens', async () => {
      const leave = new AbortController();
      const since = String(Date.now() / 1000);
      const id = await create(['exit', '5'], { Labels: { told: 'yes' } }, 'told');
      await engine.containers.start(id);
      await engine.containers.wait(id);
      await engine.containers.remove(id);
      const seen: EventMessage[] = [];
      for await (const event of engine.system.events({
        since,
        filters: { label: ['told=yes'] },
        signal: leave.signal,
      })) {
        seen.push(event);
        if (event.Action === 'destroy') break;
      }
      expect(seen.map(({ Action }) => Action)).toEqual(['create', 'start', 'die', 'destroy']);
      expect(seen[2]?.Actor).toMatchObject({
        ID: id,
        Attributes: { exitCode: '5', name: 'told', image: opened.image },
      });
    });

    registryCases(() => opened);
    buildCases(() => opened);

    it('answers for what is not there', async () => {
      const nothing = { code: 'no-such-container' };
      await expect(engine.containers.inspect('nobody')).rejects.toMatchObject(nothing);
      await expect(engine.containers.start('nobody')).rejects.toMatchObject(nothing);
      await expect(engine.containers.stop('nobody')).rejects.toMatchObject(nothing);
      await expect(engine.containers.remove('nobody')).rejects.toMatchObject(nothing);
      await expect(engine.exec.inspect('0'.repeat(64))).rejects.toMatchObject({ code: 'not-found' });
    });
  });
}

async function textOf(chunks: AsyncIterable<LogChunk>): Promise<string> {
  let text = '';
  for await (const { bytes } of chunks) text += new TextDecoder().decode(bytes);
  return text;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as unknown as BodyInit).text();
}

async function write({ stdin }: AttachedStreams, text: string): Promise<void> {
  const writer = stdin!.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 10_000, interval: 50 }).toBe(true);
}

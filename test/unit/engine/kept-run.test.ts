/** `run` of the library that keeps its container: a container like any other. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Wctr } from '../../../src/node.ts';
import { busyboxLayout } from '../../support/cli.ts';
import { guestPath } from '../../support/guests.ts';
import { removeTree } from '../../support/remove-tree.ts';

let dataRoot: string;
let wctr: Wctr;
const open = () => Wctr.open({ dataRoot, env: { HOME: dataRoot } });
beforeAll(async () => {
  dataRoot = mkdtempSync(join(tmpdir(), 'wctr-kept-'));
  wctr = await open();
  await wctr.engine.images.load({ directory: await busyboxLayout(dataRoot) });
});
afterAll(async () => {
  await wctr.close();
  removeTree(dataRoot);
});

it('stays after its end, with its log and what it wrote, for another program too', async () => {
  const container = await wctr.run('busybox:test', { args: ['keep', '/file', 'kept'], keep: true, name: 'once' });
  expect(container.name).toBe('once');
  expect(await container.output()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  const other = await open();
  const { containers } = other.engine;
  expect(await containers.list({ all: true })).toMatchObject([{ Id: container.id, State: 'exited' }]);
  expect(await containers.changes('once')).toEqual([{ Path: '/file', Kind: 1 }]);
  await containers.remove('once');
  await other.close();
});

it('has input, an id to be reached by while it runs, and signals', async () => {
  const container = await wctr.run('busybox:test', { args: ['cat'], stdin: true, keep: true });
  expect(container.pid).toBeGreaterThan(1);
  const { exec } = wctr.engine;
  const { Id } = await exec.create(container.id, { Cmd: ['/busybox.wasm', 'exit', '3'] });
  await exec.startDetached(Id, {});
  await expect.poll(async () => (await exec.inspect(Id)).ExitCode).toBe(3);
  const writer = container.stdin!.getWriter();
  await writer.write(new TextEncoder().encode('through'));
  await writer.close();
  expect(await container.output()).toMatchObject({ exitCode: 0, stdout: 'through' });

  const loop = await wctr.run('busybox:test', { args: ['loop'], keep: true });
  await loop.kill('SIGTERM');
  expect(await loop.wait()).toMatchObject({ exitCode: 143, signal: 'SIGTERM' });
  for (const { id } of [container, loop]) await wctr.engine.containers.remove(id);
});

it('says why it cannot be started, and takes a file of the host for its program', async () => {
  await expect(wctr.run('busybox:test', { entrypoint: ['/nope'], keep: true, name: 'wrong' })).rejects.toMatchObject({
    code: 'entrypoint-not-found',
  });
  await wctr.engine.containers.remove('wrong');
  const container = await wctr.run(guestPath('busybox'), { args: ['hello'], keep: true });
  expect(await container.output()).toMatchObject({ stdout: 'Hello from the guest\n' });
  await wctr.engine.containers.remove(container.id);
});

it('is only a record where something else than a process was chosen', async () => {
  const container = await wctr.run('busybox:test', { args: ['exit', '4'], isolation: 'worker', keep: true });
  expect(await container.output()).toMatchObject({ exitCode: 4 });
  expect((await wctr.engine.containers.inspect(container.id)).State).toMatchObject({ Status: 'exited', ExitCode: 4 });
  await wctr.engine.containers.remove(container.id);
});

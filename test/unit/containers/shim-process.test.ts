/** The real thing: dist/bin/shim.cjs, a process for each container, with real guests in it. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { LaunchDocument } from '../../../src/containers/launch.ts';
import { readLogs } from '../../../src/containers/logs/reader.ts';
import { ShimProcess } from '../../../src/containers/node/shim-launcher.ts';
import { createContainerProcesses } from '../../../src/containers/node/shim-processes.ts';
import type { ContainerRecord } from '../../../src/containers/record.ts';
import { ContainerRecords } from '../../../src/containers/records.ts';
import { isAlive, processStart } from '../../../src/host/node/engine-host.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { FileLocks } from '../../../src/host/node/locks.ts';
import { guestSpec, text } from '../../support/sandbox-suite.ts';

const root = mkdtempSync(join(tmpdir(), 'wctr-shim-'));
const fs = nodeFileSystem;
const records = new ContainerRecords({
  fs,
  root,
  createHasher: nodeHasher,
  locks: new FileLocks(`${root}/locks`),
  isAlive,
});
const processes = createContainerProcesses({ codeRoot: `${root}/code` });
const pids: number[] = [];
afterAll(() => {
  processes.close();
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
});

let last = 0;

async function container(args: readonly string[], changes: Partial<LaunchDocument> = {}) {
  last += 1;
  const id = String(last).padStart(64, '0');
  const directory = records.directory(id);
  const document: LaunchDocument = {
    id,
    name: `box${last}`,
    root,
    spec: { ...guestSpec(args), id },
    journal: `${directory}/upper.journal`,
    controlSocket: `${root}/run/${last}.sock`,
    openStdin: false,
    stdinOnce: false,
    log: { Type: 'json-file', Config: {}, path: `${directory}/log/container.log` },
    restartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    autoRemove: false,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 1000,
    network: {
      mode: 'none',
      hostname: 'box',
      owner: 'box',
      networks: [],
      publish: {},
      listen: [],
      extraHosts: [],
      directory: root,
    },
    ...changes,
  };
  await records.put({
    key: id,
    name: document.name,
    image: 'busybox',
    config: { Labels: {} },
    hostConfig: { AutoRemove: document.autoRemove, RestartPolicy: document.restartPolicy },
    mounts: [],
    ports: {},
    restartCount: 0,
    stoppedByUser: false,
    managed: true,
    state: { status: 'created' },
  } as unknown as ContainerRecord);
  return document;
}

async function launch(document: LaunchDocument) {
  const launched = await processes.launch(document);
  pids.push(launched.pid);
  return launched;
}

async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 500 && isAlive(pid); i += 1) await pause(10);
  expect(isAlive(pid)).toBe(false);
}

describe('a container process', () => {
  it('runs a program, hands out its output, and leaves nothing but the record and the log', async () => {
    const document = await container(['hello']);
    const { pid, go } = await launch(document);
    expect(existsSync(document.controlSocket)).toBe(true);
    const session = await processes.connect(document.controlSocket, {
      op: 'attach',
      stdin: false,
      stdout: true,
      stderr: true,
    });
    const out = text(session.stdout);
    await go();
    expect(await out).toBe('Hello from the guest\n');
    expect(await session.end).toMatchObject({ exitCode: 0 });
    expect((await records.get(document.id))?.state).toMatchObject({ status: 'exited', exit: { exitCode: 0 } });
    expect(readFileSync(document.log.path, 'utf8')).toMatch(
      /^\{"log":"Hello from the guest\\n","stream":"stdout","time":"[^"]+Z"\}\n$/,
    );
    await gone(pid);
    expect(existsSync(document.controlSocket)).toBe(false);
  });

  it('records who it is while it runs, and stops when it is told to', async () => {
    const document = await container(['sleep', '100000']);
    const { pid, go } = await launch(document);
    await go();
    expect((await records.get(document.id))?.state).toMatchObject({
      status: 'running',
      pid,
      pidStartedAt: processStart(pid),
    });
    const stop = await processes.connect(document.controlSocket, { op: 'stop', signal: 'SIGTERM', timeoutMs: 5000 });
    expect(await stop.end).toMatchObject({ exitCode: 143 });
    await gone(pid);
  });

  it('says why a program cannot run', async () => {
    const document = await container(['x']);
    const { pid, go } = await launch({ ...document, spec: { ...document.spec, program: { path: '/missing' } } });
    await expect(go()).rejects.toMatchObject({ code: 'entrypoint-not-found' });
    expect((await records.get(document.id))?.state).toMatchObject({ status: 'created', exit: { exitCode: 127 } });
    await gone(pid);
  });

  it('ends when its launcher goes away before go', async () => {
    const document = await container(['hello']);
    const { pid, abandon } = await launch(document);
    abandon();
    await gone(pid);
    expect((await records.get(document.id))?.state).toEqual({ status: 'created' });
    expect(existsSync(document.controlSocket)).toBe(false);
  });

  it('takes what is left out of the way of the next start', async () => {
    const document = await container(['sleep', '100000']);
    const first = await launch(document);
    await first.go();
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    expect(existsSync(document.controlSocket)).toBe(true);
    const second = await launch(document);
    await second.go();
    const stats = await processes.connect(document.controlSocket, { op: 'stats' });
    expect(stats.result).toMatchObject({ pids: 1 });
    await (await processes.connect(document.controlSocket, { op: 'signal', signal: 'SIGKILL' })).close();
    await gone(second.pid);
  });

  it('starts again by itself after a failure', async () => {
    const restartPolicy = { Name: 'on-failure', MaximumRetryCount: 1 } as const;
    const document = await container(['exit', '3'], { restartPolicy });
    const { pid, go } = await launch(document);
    await go();
    await gone(pid);
    expect(await records.get(document.id)).toMatchObject({
      restartCount: 1,
      state: { status: 'exited', exit: { exitCode: 3 } },
    });
  });

  it('removes itself', async () => {
    const document = await container(['hello'], { autoRemove: true });
    const { pid, go } = await launch(document);
    const wait = await processes.connect(document.controlSocket, { op: 'wait' });
    await go();
    await wait.end;
    expect(await records.get(document.id)).toBeUndefined();
    expect(existsSync(records.directory(document.id))).toBe(false);
    await gone(pid);
  });

  it('logs a flood without holding it', async () => {
    const bytes = 256 * 1024 * 1024;
    const log = { Type: 'local', Config: { 'max-size': '4m', 'max-file': '2' } };
    const document = await container(['flood', String(bytes)]);
    const { pid, go } = await launch({ ...document, log: { ...document.log, ...log } });
    await go();
    let most = 0;
    while (isAlive(pid)) {
      const [, pages = '0'] = (() => {
        try {
          return readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
        } catch {
          return [];
        }
      })();
      most = Math.max(most, Number(pages) * 4096);
      await pause(20);
    }
    expect(most).toBeLessThan(250 * 1024 * 1024);
    let read = 0;
    for await (const chunk of readLogs({ fs, path: document.log.path, log })) read += chunk.bytes.length;
    expect(read).toBeGreaterThan(4 * 1024 * 1024);
    expect(read).toBeLessThan(9 * 1024 * 1024);
  });

  it('waits idle for work, and ends with whoever keeps it', async () => {
    const idle = new ShimProcess(`${root}/code`);
    const document = await container(['hello']);
    await pause(100);
    const launched = await idle.launch(document);
    await launched.go();
    await gone(launched.pid);
    expect((await records.get(document.id))?.state.status).toBe('exited');
    const unused = new ShimProcess(`${root}/code`);
    unused.end();
    for (let i = 0; i < 200 && !unused.isGone; i += 1) await pause(10);
    expect(unused.isGone).toBe(true);
  });
});

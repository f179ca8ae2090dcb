import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/containers/control/client.ts';
import type { ControlRequest } from '../../../src/containers/control/protocol.ts';
import type { LaunchDocument, LaunchReport } from '../../../src/containers/launch.ts';
import { readLogs } from '../../../src/containers/logs/reader.ts';
import type { ContainerRecord } from '../../../src/containers/record.ts';
import { ContainerShim } from '../../../src/containers/shim/shim.ts';
import { WctrError } from '../../../src/errors.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { nodeLocalSockets } from '../../../src/host/node/local-sockets.ts';
import type { RestartPolicy } from '../../../src/spec/engine-api.ts';
import { FakeContainerHost, type Script, type ScriptedGuest } from '../../support/fake-container-host.ts';

const ID = '0123456789abcdef'.repeat(4);
const EXEC = `${ID.slice(0, 32)}${'1'.repeat(32)}`;
const untilKilled: Script = () => new Promise(() => {});
const NO: RestartPolicy = { Name: 'no', MaximumRetryCount: 0 };

interface Setup {
  script?: Script;
  execs?: Record<string, Script>;
  document?: Partial<LaunchDocument>;
  tty?: boolean;
  autoRemove?: boolean;
  restartPolicy?: RestartPolicy;
  failure?: Error;
  residentBytes?: () => number;
  memoryBytes?: number;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const end of open.splice(0)) end();
});

function start(setup: Setup = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-shim-'));
  const { script = untilKilled, execs = {} } = setup;
  const guests = new FakeContainerHost(({ args }) => execs[args[0]!] ?? script);
  guests.failure = setup.failure;
  const process = {
    args: ['/main'],
    env: ['A=1'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: setup.tty ?? false,
  };
  const document: LaunchDocument = {
    id: ID,
    name: 'box',
    root: dir,
    spec: {
      id: ID,
      hostname: 'box',
      process,
      root: { readonly: false, layers: [] },
      program: { path: '/main' },
      mounts: [],
      resources: setup.memoryBytes === undefined ? {} : { memoryBytes: setup.memoryBytes },
      stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
    },
    journal: `${dir}/upper.journal`,
    controlSocket: `${dir}/run/c.sock`,
    openStdin: false,
    stdinOnce: false,
    log: { Type: 'json-file', Config: {}, path: `${dir}/log/container.log` },
    restartPolicy: setup.restartPolicy ?? NO,
    autoRemove: setup.autoRemove ?? false,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    network: {
      mode: 'none',
      hostname: 'box',
      owner: 'box',
      networks: [],
      publish: {},
      listen: [],
      extraHosts: [],
      directory: dir,
    },
    ...setup.document,
  };
  let record: ContainerRecord | undefined = {
    key: ID,
    name: 'box',
    image: 'hello',
    config: { Labels: { a: 'b' } },
    hostConfig: { AutoRemove: setup.autoRemove ?? false, RestartPolicy: setup.restartPolicy ?? NO },
    mounts: [],
    ports: {},
    restartCount: 0,
    stoppedByUser: false,
    managed: true,
    state: { status: 'created' },
  } as unknown as ContainerRecord;
  const events: string[] = [];
  const reports: LaunchReport[] = [];
  const statuses: string[] = [];
  const told = waiter();
  const shim = new ContainerShim(document, {
    guests,
    sockets: nodeLocalSockets,
    fs: nodeFileSystem,
    records: {
      get: async () => record,
      change: async (_id, change) => {
        const changed = record === undefined ? undefined : change(record);
        if (changed !== undefined) {
          record = changed;
          statuses.push(changed.state.status);
        }
        told.wake();
        return record;
      },
      remove: async () => {
        record = undefined;
        told.wake();
      },
    },
    events: {
      container: async (_record, action, attributes = {}) => {
        events.push([action, ...Object.entries(attributes).flat()].join(' '));
        told.wake();
      },
    },
    pid: 4711,
    pidStartedAt: '99',
    residentBytes: setup.residentBytes ?? (() => 1),
    now: () => BigInt(Date.now()) * 1_000_000n,
    report: (report) => {
      reports.push(report);
      told.wake();
    },
  });
  const life = shim.live();
  const ask = (request: ControlRequest) => openSession(nodeLocalSockets, document.controlSocket, request);
  const result = async (request: ControlRequest) => (await ask(request)).result;
  const ended = async (request: ControlRequest) => (await ask(request)).end;
  const until = told.until;
  const go = async () => {
    await until(() => reports.length > 0);
    shim.go();
    await until(() => reports.length > 1);
  };
  open.push(() => {
    shim.abandon();
    void shim.stop('SIGKILL', 0);
  });
  return {
    document,
    events,
    reports,
    statuses,
    guests,
    shim,
    life,
    ask,
    result,
    ended,
    until,
    go,
    record: () => record,
    logs: async () => {
      let text = '';
      const source = { fs: nodeFileSystem, path: document.log.path, log: document.log };
      for await (const { bytes } of readLogs(source)) text += new TextDecoder().decode(bytes);
      return text;
    },
  };
}

function waiter() {
  let waiting: (() => void)[] = [];
  return {
    wake: () => {
      for (const wake of waiting.splice(0)) wake();
    },
    async until(test: () => boolean): Promise<void> {
      while (!test()) {
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
      }
    },
  };
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

const hello: Script = async (guest) => {
  await guest.print('out\n');
  await guest.print('err\n', 'stderr');
  return 7;
};

describe('a life', () => {
  it('runs once, logs, records and is gone', async () => {
    const box = start({ script: hello });
    await box.go();
    await box.life;
    expect(box.reports).toEqual([{ report: 'ready', pid: 4711 }, { report: 'started' }]);
    expect(box.statuses).toEqual(['running', 'exited']);
    expect(box.record()?.state).toMatchObject({ status: 'exited', exit: { exitCode: 7 } });
    expect(box.record()?.state.pid).toBeUndefined();
    expect(box.events).toEqual(['start', 'die exitCode 7 execDuration 0']);
    expect((await box.logs()).split('\n').sort().join(' ').trim()).toBe('err out');
    expect(box.guests.closed).toBe(1);
    await expect(box.ask({ op: 'ping' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('says why it could not start', async () => {
    const box = start({ failure: new WctrError('entrypoint-not-found', 'no /main', { hint: 'look' }) });
    await box.go();
    await box.life;
    expect(box.reports[1]).toEqual({
      report: 'failed',
      error: { code: 'entrypoint-not-found', message: 'no /main', hint: 'look' },
    });
    expect(box.record()?.state).toMatchObject({ status: 'created', error: 'no /main', exit: { exitCode: 127 } });
    expect(box.events).toEqual([]);
  });

  it('leaves without a trace when nobody says go', async () => {
    const box = start();
    await box.until(() => box.reports.length > 0);
    box.shim.abandon();
    await box.life;
    expect(box.guests.opened).toBe(0);
    expect(box.statuses).toEqual([]);
  });

  it('removes itself with AutoRemove before it answers', async () => {
    const box = start({ script: hello, autoRemove: true });
    await box.until(() => box.reports.length > 0);
    const wait = await box.ask({ op: 'wait' });
    const removed = wait.end.then(() => box.record() === undefined);
    box.shim.go();
    expect(await wait.end).toMatchObject({ exitCode: 7 });
    expect(await removed).toBe(true);
    await box.life;
    expect(box.events.map((event) => event.split(' ')[0])).toEqual(['start', 'die', 'destroy']);
  });

  it('ends guests that hold too much memory', async () => {
    let bytes = 1;
    const box = start({ residentBytes: () => bytes, memoryBytes: 1024 * 1024 });
    await box.go();
    bytes = 2 ** 31;
    await box.life;
    expect(box.record()?.state.exit).toMatchObject({ exitCode: 137, oomKilled: true });
    expect(box.events.map((event) => event.split(' ')[0])).toEqual(['start', 'oom', 'die']);
  });
});

describe('restart policies', () => {
  it('restarts on failure as often as it may', async () => {
    let runs = 0;
    const script: Script = async () => {
      runs += 1;
      return 3;
    };
    const box = start({ script, restartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
    await box.go();
    await box.life;
    expect(runs).toBe(3);
    expect(box.statuses).toEqual(['running', 'restarting', 'running', 'restarting', 'running', 'exited']);
    expect(box.record()).toMatchObject({ restartCount: 2, state: { exit: { exitCode: 3 } } });
    expect(box.guests.closed).toBe(3);
  });

  it('does not restart what a user stopped', async () => {
    const box = start({ restartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    await box.go();
    expect(await box.ended({ op: 'stop', signal: 'SIGTERM', timeoutMs: 1000 })).toMatchObject({ exitCode: 143 });
    await box.life;
    expect(box.statuses).toEqual(['running', 'exited']);
  });

  it('can be stopped between two runs', async () => {
    const box = start({ script: async () => 1, restartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    await box.go();
    await box.until(() => box.statuses.filter((status) => status === 'restarting').length === 2);
    await box.ended({ op: 'stop', signal: 'SIGTERM', timeoutMs: 1000 });
    await box.life;
    expect(box.record()?.state.status).toBe('exited');
  });
});

describe('stop and signal', () => {
  it('kills what ignores the stop signal', async () => {
    const script: Script = (guest) => {
      guest.ignores = ['SIGTERM'];
      return new Promise(() => {});
    };
    const box = start({ script });
    await box.go();
    expect(await box.ended({ op: 'stop', signal: 'SIGTERM', timeoutMs: 30 })).toMatchObject({ exitCode: 137 });
    expect(box.guests.guests[0]!.signals.slice(0, 2)).toEqual(['SIGTERM', 'SIGKILL']);
    await box.life;
  });

  it('passes signals on', async () => {
    const script: Script = async (guest) => {
      guest.ignores = ['SIGHUP'];
      await guest.until(() => guest.signals.includes('SIGHUP'));
      return 9;
    };
    const box = start({ script });
    await box.go();
    const wait = await box.ask({ op: 'wait' });
    await box.result({ op: 'signal', signal: 'SIGHUP' });
    expect(await wait.end).toMatchObject({ exitCode: 9 });
    await box.life;
  });
});

describe('attach', () => {
  it('misses nothing when it comes before the start', async () => {
    const box = start({ script: hello });
    await box.until(() => box.reports.length > 0);
    const session = await box.ask({ op: 'attach', stdin: false, stdout: true, stderr: true });
    const [out, err] = [textOf(session.stdout), textOf(session.stderr)];
    box.shim.go();
    expect([await out, await err]).toEqual(['out\n', 'err\n']);
    expect(await session.end).toMatchObject({ exitCode: 7 });
    await box.life;
  });

  const echo: Script = async (guest: ScriptedGuest) => {
    await guest.until(() => guest.inputClosed);
    await guest.print(guest.input.join(''));
    return 0;
  };

  it('feeds standard input, which ends with the first one attached', async () => {
    const box = start({ script: echo, document: { openStdin: true, stdinOnce: true } });
    await box.go();
    const session = await box.ask({ op: 'attach', stdin: true, stdout: true, stderr: true });
    const out = textOf(session.stdout);
    const writer = session.stdin.getWriter();
    await writer.write(new TextEncoder().encode('hello '));
    await writer.write(new TextEncoder().encode('x'.repeat(200_000)));
    await writer.close();
    expect(await out).toBe(`hello ${'x'.repeat(200_000)}`);
    await box.life;
  });

  it('keeps standard input open for the next one', async () => {
    const box = start({ script: echo, document: { openStdin: true } });
    await box.go();
    for (let i = 0; i < 2; i += 1) {
      const session = await box.ask({ op: 'attach', stdin: true, stdout: false, stderr: false });
      const writer = session.stdin.getWriter();
      await writer.write(new TextEncoder().encode(`${i}`));
      await box.guests.guests[0]!.until(() => box.guests.guests[0]!.input.length > i);
      session.close();
    }
    expect(box.guests.guests[0]!.inputClosed).toBe(false);
    expect(box.guests.guests[0]!.input).toEqual(['0', '1']);
  });

  it('slows the guest for a slow reader, and forgets one that is gone', async () => {
    let written = 0;
    const script: Script = async (guest) => {
      for (; written < 2000; written += 1) await guest.print(new Uint8Array(16 * 1024));
      return 0;
    };
    const box = start({ script, document: { log: { Type: 'none', Config: {}, path: '' } } });
    await box.until(() => box.reports.length > 0);
    const slow = await box.ask({ op: 'attach', stdin: false, stdout: true, stderr: true });
    box.shim.go();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(500);
    slow.close();
    await box.life;
    expect(written).toBe(2000);
  });

  it('outlives callers that talk nonsense', async () => {
    const box = start();
    await box.go();
    for (const bytes of [
      [1],
      [255, 255, 255, 255, 16],
      [2, 0, 0, 0, 16, 123, 123],
      [4, 0, 0, 0, 16, 110, 117, 108, 108],
      [0, 0, 0, 0, 18],
    ]) {
      const channel = await nodeLocalSockets.connect(box.document.controlSocket);
      await channel.write(new Uint8Array(bytes));
      if (bytes.length === 1) channel.destroy();
      else while ((await channel.read()) !== undefined);
    }
    await expect(box.ask({ op: 'nonsense' } as unknown as ControlRequest)).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(box.ask({ op: 'checkpoint', path: '/nowhere', leaveRunning: false })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(await box.result({ op: 'stats' })).toMatchObject({ pids: 1, storageBytes: 10 });
  });
});

describe('exec', () => {
  const execs = {
    cat: async (guest: ScriptedGuest) => {
      await guest.until(() => guest.inputClosed);
      await guest.print(`${guest.spec.env.join()}:${guest.input.join('')}`);
      return 5;
    },
  };

  it('runs beside the main program', async () => {
    const box = start({ execs });
    await box.go();
    const config = { Cmd: ['cat'], AttachStdin: true, AttachStdout: true, AttachStderr: true, Env: ['B=2'] };
    await box.result({ op: 'exec.create', id: EXEC, config });
    const session = await box.ask({ op: 'exec.start', id: EXEC, detach: false, tty: false });
    const out = textOf(session.stdout);
    expect(await box.result({ op: 'exec.inspect', id: EXEC })).toMatchObject({ Running: true, ExitCode: null, Pid: 2 });
    expect(await box.result({ op: 'top' })).toMatchObject([{ pid: 1 }, { pid: 2, args: ['cat'] }]);
    const writer = session.stdin.getWriter();
    await writer.write(new TextEncoder().encode('in'));
    await writer.close();
    expect(await out).toBe('A=1,B=2:in');
    expect(await session.end).toMatchObject({ exitCode: 5 });
    expect(await box.result({ op: 'exec.inspect', id: EXEC })).toMatchObject({ Running: false, ExitCode: 5 });
    await expect(box.ask({ op: 'exec.start', id: EXEC, detach: false, tty: false })).rejects.toMatchObject({
      code: 'conflict',
    });
    await box.until(() => box.events.includes(`exec_die execID ${EXEC} exitCode 5`));
  });

  it('is refused without a container', async () => {
    const box = start();
    await box.until(() => box.reports.length > 0);
    const config = { Cmd: ['cat'] };
    await expect(box.ask({ op: 'exec.create', id: EXEC, config })).rejects.toMatchObject({ code: 'conflict' });
    await expect(box.ask({ op: 'exec.inspect', id: EXEC })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('files', () => {
  it('passes archives both ways', async () => {
    const box = start();
    await box.go();
    const got = await box.ask({ op: 'files.get', path: '/a' });
    expect(await textOf(got.stdout)).toBe('tar of /a');
    for (const [content, fails] of [
      ['good', false],
      ['bad', true],
    ] as const) {
      const put = await box.ask({ op: 'files.put', path: '/a', noOverwriteDirNonDir: false, copyUidGid: false });
      const writer = put.stdin.getWriter();
      await writer.write(new TextEncoder().encode(content));
      await writer.close();
      if (fails) await expect(put.end).rejects.toMatchObject({ message: 'cannot extract into /a' });
      else expect(await put.end).toBeUndefined();
    }
    expect(await box.result({ op: 'files.changes' })).toEqual([{ Path: '/a', Kind: 1 }]);
  });
});

describe('health', () => {
  it('runs the check in the container and publishes what comes out', async () => {
    let probes = 0;
    const execs = {
      '/bin/sh': async (guest: ScriptedGuest) => {
        probes += 1;
        await guest.print(guest.spec.args.join(' '));
        return probes <= 2 ? 1 : 0;
      },
    };
    const health = { Test: ['CMD-SHELL', 'check it'], Interval: 20e6, Timeout: 1e9, Retries: 2 };
    const box = start({ execs, document: { health } });
    await box.go();
    expect(box.record()?.state.health).toMatchObject({ Status: 'starting' });
    await box.until(() => box.events.includes('health_status: unhealthy'));
    expect(box.record()?.state.health).toMatchObject({ Status: 'unhealthy', FailingStreak: 2 });
    await box.until(() => box.events.includes('health_status: healthy'));
    const log = box.record()!.state.health!.Log;
    expect(log.length).toBe(3);
    expect(log[0]).toMatchObject({ ExitCode: 1, Output: '/bin/sh -c check it' });
  });
});

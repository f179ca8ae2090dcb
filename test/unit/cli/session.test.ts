/** run, start, attach and exec on an engine that is the test's: order of the calls, streams, keys, signals, exit codes. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/app.ts';
import { DetachFilter, parseDetachKeys } from '../../../src/cli/detach-keys.ts';
import { WctrError } from '../../../src/errors.ts';
import { testContext } from '../../support/cli-context.ts';
import { type FakeStreams, fakeEngine, fakeStreams } from '../../support/fake-engine.ts';

const ID = 'c'.repeat(64);

/** Gives what it is told to, and stays open until `close`. */
function typist() {
  const queue: Uint8Array[] = [];
  let wake = () => {};
  let closed = false;
  return {
    type: (text: string) => {
      queue.push(new TextEncoder().encode(text));
      wake();
    },
    close: () => {
      closed = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function container(streams: FakeStreams, more: Record<string, (...args: never[]) => unknown> = {}) {
  const exit = deferred<{ StatusCode: number }>();
  const { engine, calls } = fakeEngine({
    containers: {
      create: async () => ({ Id: ID, Warnings: ['no swap here'] }),
      attach: async () => streams,
      wait: () => exit.promise,
      start: async () => {},
      resize: async () => {},
      kill: async () => {},
      inspect: async () => ({
        Id: ID,
        Config: { Tty: streams.tty, OpenStdin: streams.stdin !== undefined, Image: 'app' },
        HostConfig: { AutoRemove: false },
        State: { Running: true, Paused: false, Restarting: false, OOMKilled: false, Error: '' },
      }),
      ...more,
    },
  });
  return { engine, calls, exit: (StatusCode: number) => exit.resolve({ StatusCode }) };
}

const settled = async () => {
  for (let i = 0; i < 20; i++) await setImmediate();
};

describe('wctr run, of a container with a process of its own', () => {
  it('creates, attaches, waits and starts, in that order, and ends as the container', async () => {
    const streams = fakeStreams();
    const { engine, calls, exit } = container(streams);
    const context = testContext({ engine });
    const running = runCli(['run', '--name', 'web', 'app', 'arg'], context, '0');
    await settled();
    streams.say('out\n');
    streams.say('err\n', 'stderr');
    streams.end();
    exit(7);
    expect(await running).toBe(7);
    expect(calls.map(({ name }) => name.replace('containers.', ''))).toEqual([
      'create',
      'attach',
      'wait',
      'start',
      'inspect',
    ]);
    expect(calls[1]!.args).toEqual([ID, { stdin: false, stdout: true, stderr: true, stream: true }]);
    expect(calls[2]!.args).toEqual([ID, 'next-exit']);
    expect(context.stdout()).toBe('out\n');
    expect(context.stderr()).toBe('WARNING: no swap here\nerr\n');
  });

  it('waits for the removal with --rm', async () => {
    const streams = fakeStreams();
    const { engine, calls, exit } = container(streams);
    const running = runCli(['run', '--rm', '--name', 'x', 'app'], testContext({ engine }), '0');
    streams.end();
    exit(3);
    expect(await running).toBe(3);
    expect(calls.find(({ name }) => name === 'containers.wait')!.args).toEqual([ID, 'removed']);
  });

  it('prints the id with -d, and nothing else happens', async () => {
    const { engine, calls } = container(fakeStreams());
    const context = testContext({ engine });
    expect(await runCli(['run', '-d', 'app'], context, '0')).toBe(0);
    expect(context.stdout()).toBe(`${ID}\n`);
    expect(calls.map(({ name }) => name)).toEqual(['containers.create', 'containers.start']);
  });

  it.each([
    ['entrypoint-not-found', 127],
    ['entrypoint-denied', 126],
    ['sandbox-failed', 125],
  ] as const)('ends with the code of a start that failed: %s', async (code, expected) => {
    const streams = fakeStreams();
    const { engine } = container(streams, {
      start: async () => {
        throw new WctrError(code, 'cannot start it');
      },
    });
    for (const line of [
      ['run', '-it'],
      ['run', '-d'],
      ['container', 'run'],
    ]) {
      const context = testContext({ engine, terminal: { height: 24, width: 80 } });
      expect(await runCli([...line, 'app'], context, '0')).toBe(expected);
      expect(context.stderr()).toContain('wctr: cannot start it');
      expect(context.modes.filter((mode) => mode === 'raw')).toHaveLength(
        context.modes.filter((mode) => mode === 'cooked').length,
      );
    }
  });

  it('pulls an image that is not here, once, and creates again', async () => {
    let tries = 0;
    const streams = fakeStreams();
    const { engine, calls } = fakeEngine({
      images: { pull: async () => ({}) },
      containers: {
        create: async () => {
          tries += 1;
          if (tries === 1) throw new WctrError('no-such-image', 'no such image: app');
          return { Id: ID, Warnings: [] };
        },
        start: async () => {},
        attach: async () => streams,
      },
    });
    const context = testContext({ engine });
    expect(await runCli(['run', '-d', '-q', 'app'], context, '0')).toBe(0);
    expect(calls.map(({ name }) => name)).toEqual([
      'containers.create',
      'images.pull',
      'containers.create',
      'containers.start',
    ]);
    expect(context.stderr()).toBe("Unable to find image 'app' locally\n");
    tries = 0;
    expect(await runCli(['run', '-d', '--pull', 'never', 'app'], testContext({ engine }), '0')).toBe(125);
  });

  it('passes standard input on, and its end', async () => {
    const streams = fakeStreams({ stdin: true });
    const { engine, exit } = container(streams);
    const stdin = typist();
    const running = runCli(['run', '-i', 'app'], testContext({ engine, stdin }), '0');
    stdin.type('one\n');
    stdin.type('two\n');
    stdin.close();
    await streams.inputClosed;
    expect(streams.typed()).toBe('one\ntwo\n');
    streams.end();
    exit(0);
    expect(await running).toBe(0);
  });

  it('passes signals on without a terminal, and not with --sig-proxy=false', async () => {
    for (const [flags, expected] of [
      [[], [[ID, 'SIGTERM']]],
      [['--sig-proxy=false'], []],
    ] as const) {
      const streams = fakeStreams();
      const { engine, calls, exit } = container(streams);
      const context = testContext({ engine });
      const running = runCli(['run', ...flags, 'app'], context, '0');
      await settled();
      context.send('SIGTERM');
      streams.end();
      exit(143);
      expect(await running).toBe(143);
      expect(calls.filter(({ name }) => name === 'containers.kill').map(({ args }) => args)).toEqual(expected);
    }
  });

  it('takes the terminal raw, tells its size, and gives it back', async () => {
    const streams = fakeStreams({ tty: true, stdin: true });
    const { engine, calls, exit } = container(streams);
    const stdin = typist();
    const context = testContext({ engine, stdin, terminal: { height: 30, width: 90 } });
    const running = runCli(['run', '-it', 'app'], context, '0');
    await settled();
    expect(context.modes).toEqual(['raw']);
    context.resizeTo(40, 100);
    stdin.type('\u0003');
    await settled();
    expect(streams.typed()).toBe('\u0003');
    streams.say('\u001b[31mred\r\n');
    streams.end();
    exit(0);
    expect(await running).toBe(0);
    expect(context.modes).toEqual(['raw', 'cooked']);
    expect(context.stdout()).toBe('\u001b[31mred\r\n');
    expect(calls.filter(({ name }) => name === 'containers.resize').map(({ args }) => args[1])).toEqual([
      { height: 30, width: 90 },
      { height: 40, width: 100 },
    ]);
  });

  it('leaves by ctrl-p ctrl-q, and by keys of the user', async () => {
    for (const [flags, keys] of [
      [[], '\u0010\u0011'],
      [['--detach-keys', 'ctrl-a,d'], '\u0001d'],
    ] as const) {
      const streams = fakeStreams({ tty: true, stdin: true });
      const { engine } = container(streams);
      const stdin = typist();
      const context = testContext({ engine, stdin, terminal: { height: 30, width: 90 } });
      const running = runCli(['run', '-it', ...flags, 'app'], context, '0');
      stdin.type(`ls${keys[0]}`);
      await settled();
      stdin.type(`${keys[1]}rest`);
      expect(await running).toBe(0);
      expect(streams.typed()).toBe('ls');
      expect(streams.detached()).toBe(true);
      expect(context.modes).toEqual(['raw', 'cooked']);
      expect(context.stderr()).toContain('read escape sequence');
    }
  });

  it('wants a terminal for -it', async () => {
    const context = testContext({});
    expect(await runCli(['run', '-it', 'app'], context, '0')).toBe(125);
    expect(context.stderr()).toContain('the input device is not a TTY');
  });
});

describe('wctr start and attach', () => {
  it('start -a ends as the container does, start prints names', async () => {
    const streams = fakeStreams();
    const { engine, exit } = container(streams);
    const running = runCli(['start', '-a', 'web'], testContext({ engine }), '0');
    streams.end();
    exit(9);
    expect(await running).toBe(9);
    const context = testContext({ engine });
    expect(await runCli(['start', 'a', 'b'], context, '0')).toBe(0);
    expect(context.stdout()).toBe('a\nb\n');
    expect(await runCli(['start', '-a', 'a', 'b'], testContext({ engine }), '0')).toBe(125);
  });

  it('attach refuses what is not running', async () => {
    for (const [state, why] of [
      [{ Running: false }, 'stopped container, start it first'],
      [{ Running: true, Paused: true }, 'paused container, unpause it first'],
    ] as const) {
      const { engine } = container(fakeStreams(), { inspect: async () => ({ Id: ID, Config: {}, State: state }) });
      const context = testContext({ engine });
      expect(await runCli(['attach', 'web'], context, '0')).toBe(1);
      expect(context.stderr()).toContain(why);
    }
  });
});

describe('wctr exec', () => {
  const exec = (more = {}) => {
    const streams = fakeStreams();
    return {
      streams,
      ...fakeEngine({
        exec: {
          create: async () => ({ Id: 'e1' }),
          start: async () => streams,
          startDetached: async () => {},
          inspect: async () => ({ ExitCode: 5 }),
          ...more,
        },
      }),
    };
  };

  it('asks as docker does, and ends as the program', async () => {
    const { engine, calls, streams } = exec();
    streams.say('listing\n');
    streams.end();
    const context = testContext({ engine });
    const line = ['exec', '-e', 'A=b', '-w', '/x', '-u', '1', 'web', 'ls', '-l'];
    expect(await runCli(line, context, '0')).toBe(5);
    expect(context.stdout()).toBe('listing\n');
    expect(calls[0]).toEqual({
      name: 'exec.create',
      args: [
        'web',
        {
          User: '1',
          Privileged: false,
          Tty: false,
          AttachStdin: false,
          AttachStdout: true,
          AttachStderr: true,
          DetachKeys: '',
          Env: ['A=b'],
          WorkingDir: '/x',
          Cmd: ['ls', '-l'],
        },
      ],
    });
  });

  it('runs in the background with -d', async () => {
    const { engine, calls } = exec();
    const context = testContext({ engine });
    expect(await runCli(['exec', '-d', 'web', 'job'], context, '0')).toBe(0);
    expect(calls[1]).toEqual({ name: 'exec.startDetached', args: ['e1', { tty: false }] });
    expect(context.stdout()).toBe('');
  });

  it.each([
    ['entrypoint-not-found', 127],
    ['entrypoint-denied', 126],
    ['conflict', 1],
    ['no-such-container', 1],
  ] as const)('ends with docker code for %s', async (code, expected) => {
    const { engine } = exec({
      create: async () => {
        throw new WctrError(code, 'no');
      },
    });
    expect(await runCli(['exec', 'web', 'ls'], testContext({ engine }), '0')).toBe(expected);
  });
});

describe('detach keys', () => {
  it.each([
    ['ctrl-p,ctrl-q', [16, 17]],
    ['a', [97]],
    ['ctrl-@,ctrl-[,ctrl-_', [0, 27, 31]],
    ['ctrl-A,b', [1, 98]],
  ])('%s', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes);
  });

  it.each(['', 'ctrl-', 'ctrl-ab', 'ctrl-1', 'ab', 'a,,b'])('refuses "%s"', (text) => {
    expect(() => parseDetachKeys(text)).toThrow('invalid detach keys');
  });

  it('lets everything else through, whole and in order', () => {
    const filter = new DetachFilter(Uint8Array.of(16, 17));
    const passed = [...[1, 16, 16, 2, 16].map((byte) => [...filter.push(Uint8Array.of(byte)).bytes])];
    expect(passed).toEqual([[1], [], [16], [16, 2], []]);
    expect(filter.push(Uint8Array.of(17, 3))).toEqual({ bytes: new Uint8Array(), detached: true });
  });
});

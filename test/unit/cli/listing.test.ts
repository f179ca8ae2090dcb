/** What the listing commands print, to the byte, from answers of the engine. */
import { describe, expect, it } from 'vitest';
import { displayPorts } from '../../../src/cli/format/ports.ts';
import { readTime } from '../../../src/cli/format/time.ts';
import type { ContainerStats, ContainerSummary, EventMessage } from '../../../src/spec/engine-api.ts';
import { runLine } from '../../support/cli-context.ts';
import { fakeEngine } from '../../support/fake-engine.ts';

const ID = 'c0ffee'.padEnd(64, '0');

const web: ContainerSummary = {
  Id: ID,
  Names: ['/web', '/db/alias'],
  Image: 'app:1',
  ImageID: `sha256:${'1'.repeat(64)}`,
  Command: '/app.wasm --listen 0.0.0.0:80',
  Created: Math.floor(Date.now() / 1000) - 3600 * 5,
  Ports: [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 90, Type: 'udp' },
  ],
  SizeRw: 1500,
  SizeRootFs: 2_500_000,
  Labels: { 'com.x.role-name': 'front', b: 'c' },
  State: 'running',
  Status: 'Up 5 hours (healthy)',
  HostConfig: { NetworkMode: 'default' },
  NetworkSettings: { Networks: { bridge: {} } },
  Mounts: [],
};
const evil: ContainerSummary = {
  ...web,
  Id: 'e'.repeat(64),
  Names: ['/evil'],
  Command: '\u001b]0;owned\u0007sh',
  Ports: [],
  Labels: {},
  Status: 'Exited (0)',
  State: 'exited',
};

const ps = (args: string[], found = [web, evil]) => {
  const { engine, calls } = fakeEngine({ containers: { list: async () => found } });
  return runLine(['ps', ...args], { engine }).then((result) => ({ ...result, asked: calls[0]?.args[0] }));
};

describe('wctr ps', () => {
  it('prints docker table, with what images wrote made harmless', async () => {
    const { stdout, asked } = await ps([]);
    expect(asked).toEqual({ all: false, filters: {} });
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'CONTAINER ID   IMAGE     COMMAND                  CREATED       STATUS                 PORTS                          NAMES',
      'c0ffee000000   app:1     "/app.wasm --listen …"   5 hours ago   Up 5 hours (healthy)   0.0.0.0:8080->80/tcp, 90/udp   web'.replace(
        '0.0.0.0:8080->80/tcp, 90/udp',
        '90/udp, 0.0.0.0:8080->80/tcp',
      ),
      'eeeeeeeeeeee   app:1     "\\u001b]0;owned\\u000…"   5 hours ago   Exited (0)                                            evil',
      '',
    ]);
  });

  it('prints the head alone when there is nothing', async () => {
    expect((await ps([], [])).stdout).toBe('CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n');
  });

  it.each([
    [['-q'], 'c0ffee000000\neeeeeeeeeeee\n'],
    [['-q', '--no-trunc'], `${ID}\n${'e'.repeat(64)}\n`],
    [['--format', '{{.Names}}: {{.Label "b"}} {{.State}}'], 'web: c running\nevil:  exited\n'],
    [['--format', 'table {{.Names}}\\t{{.Label "com.x.role-name"}}'], 'NAMES     role name\nweb       front\nevil\n'],
    [
      ['--format', '{{.Size}} {{.Mounts}}|{{.Networks}}'],
      '1.5kB (virtual 2.5MB) |bridge\n1.5kB (virtual 2.5MB) |bridge\n',
    ],
  ])('%j', async (args, expected) => {
    expect((await ps(args)).stdout).toBe(expected);
  });

  it('shows every field as JSON, and sizes with -s', async () => {
    const [first] = (await ps(['--format', 'json', '--no-trunc'])).stdout.split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      ID,
      Names: 'web,db/alias',
      Command: '"/app.wasm --listen 0.0.0.0:80"',
      Labels: 'com.x.role-name=front,b=c',
      LocalVolumes: '0',
    });
    expect((await ps(['-s'])).stdout).toMatch(/NAMES +SIZE\n.* 1\.5kB \(virtual 2\.5MB\)\n/);
  });

  it.each([
    [['-a'], { all: true, filters: {} }],
    [['-l'], { all: true, limit: 1, filters: {} }],
    [['-n', '3'], { all: true, limit: 3, filters: {} }],
    [['-s'], { all: false, size: true, filters: {} }],
    [
      ['-f', 'status=exited', '--filter', 'status=created', '-f', 'label=a=b'],
      { all: false, filters: { status: ['exited', 'created'], label: ['a=b'] } },
    ],
  ])('asks for %j', async (args, expected) => {
    expect((await ps(args)).asked).toEqual(expected);
  });

  it('refuses a filter that is none', async () => {
    expect(await ps(['-f', 'running'])).toMatchObject({ code: 125, stderr: expect.stringContaining('invalid filter') });
  });
});

describe('ports', () => {
  const tcp = { Type: 'tcp' } as const;
  it.each([
    [[], ''],
    [[{ ...tcp, PrivatePort: 80 }], '80/tcp'],
    [[80, 81, 82, 90].map((PrivatePort) => ({ ...tcp, PrivatePort })), '80-82/tcp, 90/tcp'],
    [
      [8000, 8001].map((port) => ({ ...tcp, IP: '0.0.0.0', PrivatePort: port, PublicPort: port })),
      '0.0.0.0:8000-8001->8000-8001/tcp',
    ],
    [[{ ...tcp, IP: '::', PrivatePort: 80, PublicPort: 8080 }], '[::]:8080->80/tcp'],
  ])('%j', (ports, expected) => {
    expect(displayPorts(ports)).toBe(expected);
  });
});

describe('wctr stats', () => {
  const cpu = (total: number, system: number) => ({
    cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    system_cpu_usage: system,
    online_cpus: 2,
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  });
  const sample = {
    name: '/web',
    id: ID,
    read: '',
    preread: '',
    pids_stats: { current: 3 },
    blkio_stats: {
      io_service_bytes_recursive: [
        { major: 0, minor: 0, op: 'read', value: 1000 },
        { major: 0, minor: 0, op: 'write', value: 2000 },
      ],
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(300, 2000),
    precpu_stats: cpu(200, 1000),
    memory_stats: { usage: 1_000_000, limit: 100_000_000 },
    networks: { eth0: { rx_bytes: 1, tx_bytes: 2 } },
  } as unknown as ContainerStats;
  async function* one() {
    yield sample;
  }

  it('counts as docker does', async () => {
    const { engine, calls } = fakeEngine({
      containers: { stats: one, list: async () => [{ Id: ID }], inspect: async () => ({}) },
    });
    expect((await runLine(['stats', '--no-stream'], { engine })).stdout).toBe(
      [
        'CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT     MEM %     NET I/O   BLOCK I/O   PIDS',
        'c0ffee000000   web       20.00%    976.6KiB / 95.37MiB   1.00%     1B / 2B   1kB / 2kB   3',
        '',
      ].join('\n'),
    );
    expect(calls.at(-1)!.args).toEqual([ID, { stream: false }]);
    const named = await runLine(['stats', '--no-stream', '--format', '{{.Container}} {{.MemPerc}}', 'web'], { engine });
    expect(named.stdout).toBe('web 1.00%\n');
  });
});

describe('wctr events', () => {
  const event: EventMessage = {
    Type: 'container',
    Action: 'start',
    Actor: { ID, Attributes: { name: 'web\u001b[2J', image: 'app' } },
    scope: 'local',
    time: 1_700_000_000,
    timeNano: 1_700_000_000_123_456_800,
    status: 'start',
    id: ID,
    from: 'app',
  };
  async function* events() {
    yield event;
  }
  const { engine, calls } = fakeEngine({ system: { events } });

  it('prints a line for each, attributes in order, nothing of them obeyed', async () => {
    const { stdout } = await runLine(['events', '--since', '5', '-f', 'type=container'], { engine });
    expect(stdout).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.123457000(Z|[+-]\d\d:\d\d) container start c0ffee0+ /);
    expect(stdout).toContain('(image=app, name=web\\u001b[2J)\n');
    expect(calls[0]!.args[0]).toMatchObject({ since: '5', filters: { type: ['container'] } });
  });

  it('gives templates the names of Go, and JSON the document', async () => {
    const run = (format: string) => runLine(['system', 'events', '--format', format], { engine });
    expect((await run('{{.Type}}/{{.Action}} {{.Actor.Attributes.image}} {{.Time}} {{.Status}}')).stdout).toBe(
      'container/start app 1700000000 start\n',
    );
    expect(JSON.parse((await run('{{json .}}')).stdout)).toEqual(event);
    expect(JSON.parse((await run('json')).stdout)).toEqual(event);
  });
});

describe('wctr logs', () => {
  const asked = async (args: string[], terminal?: { height: number; width: number }) => {
    async function* logs() {
      yield { stream: 'stdout' as const, bytes: new TextEncoder().encode('caf\u001b[2J\r\n').subarray(0, 5) };
      yield { stream: 'stdout' as const, bytes: new TextEncoder().encode('caf\u001b[2J\r\n').subarray(5) };
      yield { stream: 'stderr' as const, bytes: new TextEncoder().encode('oops\n') };
    }
    const { engine, calls } = fakeEngine({ containers: { logs } });
    const result = await runLine(['logs', ...args, 'web'], { engine, ...(terminal === undefined ? {} : { terminal }) });
    return { ...result, options: calls[0]?.args[1] };
  };

  it('gives a pipe every byte, and a terminal no control characters', async () => {
    expect(await asked([])).toMatchObject({ code: 0, stdout: 'caf\u001b[2J\r\n', stderr: 'oops\n' });
    expect(await asked([], { height: 24, width: 80 })).toMatchObject({ stdout: 'caf\\u001b[2J\n', stderr: 'oops\n' });
  });

  it('asks for what the flags say', async () => {
    const { options } = await asked(['-f', '-t', '--tail', '5', '--since', '2026-01-02T03:04:05.5Z', '--details']);
    expect(options).toMatchObject({
      follow: true,
      timestamps: true,
      tail: 5,
      details: true,
      since: '1767323045.500000000',
    });
    expect((await asked(['--tail', 'all'])).options).not.toHaveProperty('tail');
    expect((await asked(['--tail', 'x'])).code).toBe(125);
  });
});

describe('times', () => {
  it.each([
    ['90', '90'],
    ['1.5', '1.5'],
    ['10m', '999400'],
    ['1h30m', '994600'],
    ['2026-01-02T03:04:05Z', '1767323045.000000000'],
    ['2026-01-02T03:04:05.000000001+01:00', '1767319445.000000001'],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(readTime(text, '--since', 1_000_000_000)).toBe(expected);
  });

  it.each(['yesterday', '2026-13-01', '5x', '-'])('refuses %s', (text) => {
    expect(() => readTime(text, '--since', 0)).toThrow('for --since');
  });
});

describe('commands on several containers', () => {
  it('print the names that worked, in order, and fail for the rest', async () => {
    const { WctrError } = await import('../../../src/errors.ts');
    const act = async (name: string) => {
      if (name === 'b') throw new WctrError('no-such-container', 'no such container: b');
    };
    const { engine } = fakeEngine({ containers: { stop: act, remove: act, kill: act } });
    expect(await runLine(['stop', 'a', 'b', 'c'], { engine })).toMatchObject({
      code: 1,
      stdout: 'a\nc\n',
      stderr: 'wctr: no such container: b\n',
    });
    expect((await runLine(['kill', 'b'], { engine })).code).toBe(1);
    expect((await runLine(['rm', 'b'], { engine })).code).toBe(1);
    expect((await runLine(['rm', '-f', 'b'], { engine })).code).toBe(0);
  });

  it('top, diff and port print as docker', async () => {
    const { engine } = fakeEngine({
      containers: {
        top: async () => ({ Titles: ['PID', 'CMD'], Processes: [['1', 'x']] }),
        changes: async () => [
          { Path: '/a', Kind: 0 },
          { Path: '/b\n', Kind: 1 },
          { Path: '/c', Kind: 2 },
        ],
        inspect: async () => ({
          NetworkSettings: {
            Ports: {
              '90/udp': null,
              '80/tcp': [
                { HostIp: '0.0.0.0', HostPort: '8080' },
                { HostIp: '::', HostPort: '8080' },
              ],
            },
          },
        }),
      },
    });
    expect((await runLine(['top', 'c1', 'aux'], { engine })).stdout).toBe(
      'PID                 CMD\n1                   x\n',
    );
    expect((await runLine(['diff', 'c1'], { engine })).stdout).toBe('C /a\nA /b\\n\nD /c\n');
    expect((await runLine(['port', 'c1'], { engine })).stdout).toBe('80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n');
    expect((await runLine(['port', 'c1', '80'], { engine })).stdout).toBe('0.0.0.0:8080\n[::]:8080\n');
    expect((await runLine(['port', 'c1', '90/udp'], { engine })).code).toBe(1);
  });

  it('update sends only what was asked for', async () => {
    const { engine, calls } = fakeEngine({ containers: { update: async () => ({ Warnings: [] }) } });
    const line = ['update', '-m', '10m', '--cpus', '1.5', '--restart', 'on-failure:2', 'c1'];
    expect(await runLine(line, { engine })).toMatchObject({ code: 0, stdout: 'c1\n' });
    expect(calls[0]!.args).toEqual([
      'c1',
      { Memory: 10_485_760, NanoCpus: 1.5e9, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
    ]);
    expect((await runLine(['update', 'c1'], { engine })).code).toBe(125);
  });
});

/** What docker's own CLI sends for a line is what ours asks the engine for: compared with the real one where it is. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CREATE_FLAGS, RUN_FLAGS } from '../../../src/cli/commands/create-flags.ts';
import { createRequest } from '../../../src/cli/commands/create-request.ts';
import { parseFlags } from '../../../src/cli/flags.ts';
import { testContext } from '../../support/cli-context.ts';
import { peer } from '../../support/peers.ts';

async function ours(words: readonly string[], setup: Parameters<typeof testContext>[0] = {}, known = CREATE_FLAGS) {
  const { flags, args } = parseFlags(words, known, false);
  return createRequest(testContext({ env: { FOO: 'bar' }, ...setup }), args, flags);
}

const SAME = [
  'hello',
  'hello a b',
  '--entrypoint= hello a',
  '--entrypoint /x hello -v',
  '-i hello',
  '-t hello',
  '-a stdout -i hello',
  '-a stderr hello',
  '-e A=b -e FOO -e NOPE -l a=b=c -l c hello',
  '-v /anon -v vol:/data:ro -v /x/y:/h -v .:/here hello',
  '--mount type=volume,src=v,dst=/t,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=o=1 hello',
  '--mount type=bind,src=/a,dst=/b,ro,bind-propagation=rslave hello',
  '--mount type=tmpfs,dst=/t2,tmpfs-size=64m,tmpfs-mode=1777 --mount dst=/x hello',
  '--tmpfs /run:size=1m --tmpfs /t hello',
  '-p 127.0.0.1:8000-8001:80-81/udp -p 9000 -p 90:90 -p 91:90 --expose 5-7 --expose 6/udp -P hello',
  '-p 1-3:80 -p [::1]:80:80 -p ::81 -p 127.0.0.1::82 hello',
  '-p published=8080,target=80,protocol=udp hello',
  '--network name=net1,alias=a1,alias=a2,ip=10.0.0.5,driver-opt=a=b --network net2 --link c1:db --ip6 2001::1 hello',
  '--network net1 --network-alias x --ip 1.2.3.4 --link c1:db --link-local-ip 169.254.1.1 hello',
  '--net host -p 80:80 hello',
  '--network none hello',
  '--network container:x hello',
  '--ip 1.2.3.4 --link c1 hello',
  '--add-host a:1.2.3.4 --add-host b=host-gateway --dns 8.8.8.8 --dns-search x --dns-option y hello',
  '--restart on-failure:3 hello',
  '--restart unless-stopped hello',
  '--health-cmd x --health-interval 5s --health-start-period 1m --health-start-interval 500ms --health-timeout 2s hello',
  '--health-retries 2 hello',
  '--no-healthcheck hello',
  '--stop-signal TERM --stop-timeout 7 --init hello',
  '--log-driver local --log-opt max-size=1m --log-opt x hello',
  '-m 64m --memory-swap -1 --memory-reservation 10m --memory-swappiness 3 --cpus 0.5 -c 2 --cpuset-cpus 0 hello',
  '--pids-limit 10 --ulimit nofile=10:20 --ulimit core=1 --shm-size 64m --blkio-weight 10 hello',
  '--cpu-period 1 --cpu-quota 2 --cpuset-mems 0 --oom-kill-disable --oom-score-adj 1 hello',
  '--read-only -u 1:2 -w /w -h h --domainname d --rm hello',
  '--privileged --cap-add sys_admin --cap-add CAP_X --cap-drop ALL --security-opt no-new-privileges hello',
  '--volumes-from a:ro --volume-driver x --isolation process --storage-opt size=1g --group-add 1 hello',
  '--runtime r --pid host --ipc host --uts host --userns host --cgroupns host --cgroup-parent p hello',
  '--annotation k=v --sysctl net.a=b hello',
];

describe.skipIf(!peer('docker'))('the create request', () => {
  let server: Server;
  let home: string;
  let body = '';
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'wctr-docker-'));
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      request.on('end', () => {
        response.setHeader('Api-Version', '1.51');
        if (!request.url!.includes('/containers/create')) return void response.end('OK');
        body = text;
        response.statusCode = 201;
        response.end('{"Id":"aa","Warnings":[]}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.close();
    rmSync(home, { recursive: true });
  });

  async function dockers(words: readonly string[]): Promise<unknown> {
    const endpoint = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise<void>((resolve, reject) => {
      const env = { PATH: process.env.PATH, HOME: home, FOO: 'bar' };
      execFile(peer('docker')!, ['-H', endpoint, 'create', ...words], { env, cwd: home }, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return sorted(JSON.parse(body.replaceAll(home, '/cwd')));
  }

  /** docker keeps some of its lists in maps, and sends them in any order. */
  // biome-ignore lint/suspicious/noExplicitAny: a JSON document
  function sorted(request: any) {
    request.Env?.sort();
    request.HostConfig.Binds?.sort();
    request.HostConfig.Ulimits.sort((a: { Name: string }, b: { Name: string }) => (a.Name < b.Name ? -1 : 1));
    return request;
  }

  it.each(SAME)('%s', async (line) => {
    const words = line.split(' ');
    expect(sorted(JSON.parse(JSON.stringify(await ours(words))))).toEqual(await dockers(words));
  });
});

describe('the create request, where docker has nothing to compare', () => {
  it('attaches nothing with -d, and gives the terminal its size with -t', async () => {
    const terminal = { height: 30, width: 90 };
    expect(await ours(['-dit', 'hello'], { terminal }, RUN_FLAGS)).toMatchObject({
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      OpenStdin: true,
      StdinOnce: false,
      HostConfig: { ConsoleSize: [0, 0] },
    });
    expect(await ours(['-it', 'hello'], { terminal }, RUN_FLAGS)).toMatchObject({
      AttachStdin: true,
      StdinOnce: true,
      HostConfig: { ConsoleSize: [30, 90] },
    });
  });

  it('reads environment and labels from files, and what the line says after them', async () => {
    const files = { '/e': '# comment\nA=1\nFOO\nNOPE\n', '/l': 'x=1\ny\n' };
    expect(
      await ours(['--env-file', '/e', '-e', 'A=2', '--label-file', '/l', '-l', 'x=2', 'hello'], { files }),
    ).toMatchObject({ Env: ['A=1', 'FOO=bar', 'A=2'], Labels: { x: '2', y: '' } });
  });

  it('sends its own flags as annotations and the isolation', async () => {
    const line = ['--timeout', '2s', '--deterministic', '--unknown-imports', 'trap', '--sandbox', 'worker', './a.wasm'];
    expect(await ours([...line, '--', '-x'])).toMatchObject({
      Image: '/cwd/a.wasm',
      Cmd: ['-x'],
      HostConfig: {
        Isolation: 'worker',
        Annotations: { 'wctr.timeout': '2000', 'wctr.deterministic': 'true', 'wctr.unknown-imports': 'trap' },
      },
    });
  });

  it.each([
    ['-p 80:99999 hello', 'port'],
    ['-p 80-81:90-95 hello', 'differ in length'],
    ['-p x hello', 'no port'],
    ['-p 80/foo hello', 'no protocol'],
    ['-p 300.1.1.1:80:80 hello', 'no address'],
    ['--restart foo hello', 'restart policy'],
    ['--restart always:3 hello', 'no retry count'],
    ['--restart on-failure:x hello', 'must be an integer'],
    ['--rm --restart always hello', '--restart and --rm'],
    ['--memory x hello', 'size'],
    ['--cpus x hello', '--cpus'],
    ['-e =x hello', 'environment variable'],
    ['--network host --network net hello', 'conflicting'],
    ['--network-alias x hello', 'user-defined'],
    ['--network name=n,alias=a --network-alias b hello', 'per-network alias'],
    ['--network alias=a hello', 'name='],
    ['--mount type=foo,dst=/x hello', 'unknown type'],
    ['--mount type=bind,dst=/x hello', 'source is required'],
    ['--mount type=tmpfs,dst=/x,volume-nocopy hello', 'no meaning'],
    ['--ulimit foo hello', 'ulimit'],
    ['--ulimit nofile=5:3 hello', 'soft limit'],
    ['--add-host x hello', 'add-host'],
    ['--link a:b:c hello', '--link'],
    ['--health-retries -1 hello', 'negative'],
    ['--no-healthcheck --health-cmd x hello', 'conflicts'],
    ['-a foo hello', 'attach'],
    ['-v rel hello', 'absolute'],
    ['-v a:b hello', 'absolute'],
    ['--device /dev/x hello', 'no devices'],
    ['--expose x hello', 'no port'],
    ['--storage-opt x hello', 'storage option'],
  ])('refuses %s', async (line, why) => {
    await expect(ours(line.split(' '))).rejects.toThrow(why);
  });
});

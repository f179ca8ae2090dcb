/** Containers that share, join and publish networks, by the `wctr` command and a C program. */
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, type CliResult, openCli } from '../support/cli.ts';
import { buildNetProgram, hasNetProgram } from '../support/net-program.ts';

describe.skipIf(!hasNetProgram)('containers on networks', () => {
  let cli: Cli;
  let net: string;
  beforeAll(async () => {
    cli = openCli();
    net = buildNetProgram(cli.dir);
    await ok('network', 'create', '--ipv6', '--subnet', '10.77.0.0/16', '--subnet', 'fd00:77::/64', 'seven');
    await ok('network', 'create', 'other');
    const flags = ['--ip', '10.77.0.9', '--ip6', 'fd00:77::0:9', '--mac-address', '02:42:11:22:33:44'];
    const ports = ['-p', '127.0.0.1::80', '-p', '[::1]::80', '-p', '127.0.0.1::81', '--expose', '99'];
    await serve('web', ['--network', 'seven', '--network-alias', 'www', ...flags, ...ports], '80', 'any6');
  });
  afterAll(async () => {
    const ids = (await cli.run(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await cli.run(['rm', '-f', ...ids]);
    cli.remove();
  });

  const run = (...args: string[]) => cli.run(['run', '--rm', ...args]);
  const ok = async (...args: string[]): Promise<string> => {
    const result = await cli.run(args);
    expect(result, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
    return result.stdout.trim();
  };
  /** Resolves when it listens. */
  const serve = async (name: string, flags: string[], ...args: string[]) => {
    await ok('run', '-d', '--name', name, ...flags, net, 'serve', ...args);
    for (let i = 0; i < 100 && !(await cli.run(['logs', name])).stdout.includes('listening'); i++);
  };
  const failure = ({ code, stderr }: CliResult) => ({ code, stderr: stderr.split('\n')[0] });
  const http = (host: string, port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, host);
      let text = '';
      socket.on('data', (bytes) => {
        text += `${bytes}`;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text.slice(text.indexOf('\r\n\r\n') + 4)));
      socket.write('GET / HTTP/1.0\r\n\r\n');
    });
  const portsOf = async (name: string, port: string) =>
    (await ok('port', name, port)).split('\n').map((line) => {
      const colon = line.lastIndexOf(':');
      return { host: line.slice(0, colon).replace(/[[\]]/g, ''), port: Number(line.slice(colon + 1)) };
    });

  it('find each other by name, alias and both addresses, and only there', async () => {
    expect((await run('--network', 'seven', net, 'resolve', 'www')).stdout).toBe('10.77.0.9\nfd00:77:0:0:0:0:0:9\n');
    expect((await run('--network', 'seven', net, 'get', 'web', '80')).stdout).toBe('hello\n');
    expect((await run('--network', 'seven', net, 'get', 'fd00:77::9', '80')).stdout).toBe('hello\n');
    expect((await run('--network', 'other', net, 'resolve', 'web')).code).toBe(1);
    expect((await run('--network', 'other', net, 'get', '10.77.0.9', '80')).stdout).toMatch(/^connect: /);
    expect((await run('--network', 'other', net, 'get', 'fd00:77::9', '80')).stdout).toMatch(/^connect: /);
  });

  it('share the network of one: its addresses, its loopback, its published ports', async () => {
    expect((await run('--network', 'container:web', net, 'get', '127.0.0.1', '80')).stdout).toBe('hello\n');
    expect((await run('--network', 'container:web', net, 'get', '::1', '80')).stdout).toBe('hello\n');
    await serve('side', ['--network', 'container:web'], '81');
    expect((await run('--network', 'seven', net, 'get', 'web', '81')).stdout).toBe('hello\n');
    expect((await run('--network', 'container:web', net, 'get', 'localhost', '81')).stdout).toBe('hello\n');
    const [published] = await portsOf('web', '81');
    expect(await http(published!.host, published!.port)).toBe('hello\n');
    const id = await ok('inspect', '-f', '{{.Id}}', 'web');
    expect(await ok('inspect', '-f', '{{.HostConfig.NetworkMode}} {{.Config.Hostname}}', 'side')).toBe(
      `container:${id} ${id.slice(0, 12)}`,
    );
    expect((await run('--network', 'container:web', net, 'serve', '80')).stdout).toBe('listen: Address in use\n');
    await ok('rm', '-f', 'side');
    expect(await http(published!.host, published!.port).catch(({ code }) => code)).toMatch(/^$|^ECONNRESET$/);
  });

  it('publish on the addresses that were named, of both families', async () => {
    const published = await portsOf('web', '80');
    expect(published.map(({ host }) => host)).toEqual(['127.0.0.1', '::1']);
    for (const { host, port } of published) expect(await http(host, port)).toBe('hello\n');
    await ok('run', '-d', '--name', 'all', '-P', '--expose', '90-92', net, 'serve', '91');
    const ports = await ok('port', 'all');
    expect(ports.split('\n').map((line) => line.replace(/\d+$/, 'N'))).toEqual(
      [90, 91, 92].flatMap((port) => [`${port}/tcp -> 0.0.0.0:N`, `${port}/tcp -> [::]:N`]),
    );
    expect(await http('127.0.0.1', (await portsOf('all', '91'))[0]!.port)).toBe('hello\n');
    await ok('rm', '-f', 'all');
  });

  it('keep what was asked for across starts', async () => {
    const format =
      '{{with .NetworkSettings.Networks.seven}}{{.MacAddress}} {{.IPAddress}} {{.GlobalIPv6Address}}{{end}}';
    const before = await ok('inspect', '-f', format, 'web');
    expect(before).toBe('02:42:11:22:33:44 10.77.0.9 fd00:77::9');
    await ok('restart', '-t', '0', 'web');
    expect(await ok('inspect', '-f', format, 'web')).toBe(before);
  });

  it('are told apart in /etc/hosts', async () => {
    await ok('run', '-d', '--name', 'db', net, 'serve', '1');
    const flags = ['--link', 'db:data', '-h', 'front', '--add-host', 'box:192.0.2.9', '--dns-search', 'example.test'];
    await ok('run', '-d', '--name', 'linked', ...flags, net, 'serve', '1');
    const file = async (path: string) => {
      const tar = await ok('cp', `linked:${path}`, '-');
      return tar.slice(512).replace(/\0/g, '').trim().split('\n');
    };
    const address = (name: string) => ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', name);
    const id = await ok('inspect', '-f', '{{.Id}}', 'db');
    expect((await file('/etc/hosts')).slice(6)).toEqual([
      '192.0.2.9\tbox',
      `${await address('db')}\tdata ${id.slice(0, 12)} db`,
      `${await address('linked')}\tfront`,
    ]);
    expect(await file('/etc/hostname')).toEqual(['front']);
    expect(await file('/etc/resolv.conf')).toEqual(['nameserver 127.0.0.11', 'search example.test', 'options ndots:0']);
    await ok('stop', '-t', '0', 'db');
    expect(failure(await run('--link', 'db:data', '--name', 'third', net, 'serve', '1'))).toEqual({
      code: 125,
      stderr: 'wctr: Cannot link to a non running container: /db AS /third/data',
    });
    await ok('rm', '-f', 'linked', 'db');
  });

  it('say in words of docker what cannot be', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = (taken.address() as { port: number }).port;
    for (const [flags, message] of [
      [['-p', `127.0.0.1:${port}:80`], `Bind for 127.0.0.1:${port} failed: port is already allocated`],
      [['-p', `127.0.0.1:${port}-${port}:80`], `Bind for 127.0.0.1:${port} failed: port is already allocated`],
      [['--network', 'seven', '--ip', '10.77.0.9'], 'Address already in use'],
      [['--network', 'seven', '--ip6', 'fd00:77::9'], 'Address already in use'],
      [['--network', 'seven', '--ip', '10.78.0.9'], 'invalid endpoint settings:'],
      [['--ip', '172.17.0.9'], 'invalid config for network bridge: invalid endpoint settings:'],
      [['--network', 'container:nobody'], 'no such container: nobody'],
      [
        ['--network', 'container:web', '-p', '80'],
        'conflicting options: port publishing and the container type network mode',
      ],
      [['--network', 'container:web', '-h', 'x'], 'conflicting options: hostname and the network mode'],
      [['--network', 'container:web', '--dns', '1.1.1.1'], 'conflicting options: dns and the network mode'],
      [
        ['--network', 'container:web', '--expose', '5'],
        'conflicting options: port exposing and the container type network mode',
      ],
      [
        ['--network', 'container:web', '--add-host', 'a:1.2.3.4'],
        'conflicting options: custom host-to-IP mapping and the network mode',
      ],
    ] as const) {
      const result = failure(await run(...flags, net, 'serve', '80'));
      expect(result, flags.join(' ')).toEqual({ code: 125, stderr: `wctr: ${message}` });
    }
    taken.close();
    await ok('create', '--name', 'idle', net, 'serve', '80');
    expect(failure(await run('--network', 'container:idle', net, 'serve', '80')).stderr).toMatch(
      /^wctr: cannot join network of a non running container: [0-9a-f]{64}$/,
    );
    const host = await cli.run(['create', '--network', 'host', '-p', '80', net, 'serve', '80']);
    expect(host.stderr).toBe('WARNING: Published ports are discarded when using host network mode\n');
  });
});

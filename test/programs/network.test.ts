/** A C program with sockets in containers, by the `wctr` command. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { buildNetProgram, hasNetProgram } from '../support/net-program.ts';

describe.skipIf(!hasNetProgram)('a program with sockets', () => {
  let cli: Cli;
  let net: string;
  let server: Server;
  let port: string;
  beforeAll(async () => {
    cli = openCli();
    net = buildNetProgram(cli.dir);
    server = createServer((_, response) => response.end('from the host\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = String((server.address() as AddressInfo).port);
  });
  afterAll(async () => {
    server.close();
    await cli.run(['rm', '-f', ...(await cli.run(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '')]);
    cli.remove();
  });

  const run = (...args: string[]) => cli.run(['run', '--rm', ...args]);

  it('has its network in a plain run', async () => {
    const named = await run('--add-host', 'box:host-gateway', net, 'get', 'box', port);
    expect(named).toEqual({ code: 0, stdout: 'from the host\n', stderr: '' });
    expect(await run('--network', 'host', net, 'get', '127.0.0.1', port)).toMatchObject({ stdout: 'from the host\n' });
    expect(await run(net, 'resolve', 'localhost')).toEqual({
      code: 0,
      stdout: '127.0.0.1\n0:0:0:0:0:0:0:1\n',
      stderr: '',
    });
    expect((await cli.run(['ps', '-aq'])).stdout).toBe('');
  });

  it("does not reach the host's loopback by any address that was not named", async () => {
    for (const host of ['127.0.0.1', 'localhost', '172.17.0.1', '::1', '0.0.0.0', '::ffff:127.0.0.1']) {
      expect((await run(net, 'get', host, port)).stdout, host).toMatch(/^connect: /);
    }
  });

  it('connects to nothing without a network', async () => {
    for (const host of ['127.0.0.1', '192.0.2.1', '172.17.0.1']) {
      expect((await run('--network', 'none', net, 'get', host, port)).code).toBe(1);
    }
    expect((await run('--network', 'none', net, 'resolve', 'example.com')).code).toBe(1);
  });

  it('writes the container ID once, and keeps the flags it was given', async () => {
    const file = join(cli.dir, 'id');
    const flags = ['--cidfile', file, '-i', '-e', 'A=1', '--pull', 'never', '-m', '64m', '--read-only'];
    expect(await run(...flags, net, 'resolve', 'localhost')).toMatchObject({ code: 0, stderr: '' });
    expect((await run(...flags, net, 'resolve', 'localhost')).stderr).toContain('file exists');
  });

  it('runs where its sandbox was chosen, with calls that are not supported', async () => {
    expect(await run('--sandbox', 'worker', net, 'resolve', 'localhost')).toMatchObject({
      code: 1,
      stdout: 'resolve: Not supported\n',
    });
  });
});

/** Bundles of `wctr build --output type=edge` in workerd, which compiles no Wasm at run time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { type Cli, openCli } from '../support/cli.ts';
import { guestPath } from '../support/guests.ts';
import { peer } from '../support/peers.ts';

const workerd = peer('workerd');

describe.skipIf(!workerd || !hasCompiler())('a bundle for the edge', () => {
  let cli: Cli;
  const running: ChildProcess[] = [];
  beforeAll(() => {
    cli = openCli();
  });
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    cli.remove();
  });

  async function serve(name: string, dockerfile: string, program: string): Promise<string> {
    const context = join(cli.dir, name);
    mkdirSync(context);
    copyFileSync(program, join(context, 'program.wasm'));
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    const bundle = join(cli.dir, `${name}-bundle`);
    const built = await cli.run(['build', '--quiet', '--output', `type=edge,dest=${bundle}`, context]);
    expect({ code: built.code, stderr: built.stderr }).toEqual({ code: 0, stderr: '' });
    const port = await freePort();
    const config = join(bundle, 'config.capnp');
    writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:8080', `127.0.0.1:${port}`));
    const child = spawn(workerd!, ['serve', config], { stdio: 'ignore', cwd: bundle });
    running.push(child);
    const origin = `http://127.0.0.1:${port}`;
    for (let i = 0; i < 200; i += 1) {
      if (
        await fetch(origin).then(
          ({ body }) => body?.cancel().then(() => true),
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return origin;
  }

  it('answers with what a program prints', async () => {
    const text = 'FROM scratch\nCOPY program.wasm /hello\nENTRYPOINT ["/hello", "hello"]\n';
    const origin = await serve('plain', text, guestPath('busybox'));
    const response = await fetch(`${origin}/any`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(await response.text()).toBe('Hello from the guest\n');
  }, 60_000);

  it('speaks CGI, each call with files as new', async () => {
    const program = join(cli.dir, 'cgi.wasm');
    writeFileSync(program, compileGuest('cgi'));
    const text = 'FROM scratch\nCOPY program.wasm /cgi\nENV GREETING=somebody\nENTRYPOINT ["/cgi"]\n';
    const origin = await serve('cgi', text, program);
    for (let i = 0; i < 3; i += 1) {
      const headers = { 'x-from': 'a test' };
      const response = await fetch(`${origin}/a%20b/c?d=e`, { method: 'POST', body: 'the body', headers });
      expect([response.status, response.headers.get('content-type')]).toEqual([201, 'text/x']);
      expect(response.headers.get('x-calls')).toBe('1');
      expect(await response.text()).toBe('POST /a b/c?d=e from a test, somebody says: the body');
    }
    const failed = await fetch(`${origin}/?!`);
    expect([failed.status, await failed.text()]).toEqual([500, 'Internal Server Error\n']);
    expect((await fetch(origin)).status).toBe(201);
  }, 60_000);

  it('lets a server accept the request', async () => {
    const text = 'FROM scratch\nCOPY program.wasm /web\nEXPOSE 80\nENTRYPOINT ["/web", "from a socket"]\n';
    const origin = await serve('web', text, guestPath('web'));
    const response = await fetch(`${origin}/x`);
    expect([response.status, await response.text()]).toEqual([200, 'from a socket\n']);
    const head = await fetch(`${origin}/x`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  }, 60_000);

  it('is not made of what cannot run there', async () => {
    const context = join(cli.dir, 'nothing');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /x\nENTRYPOINT ["/x"]\n');
    const refused = await cli.run(['build', '--quiet', '--output', `type=edge,dest=${join(cli.dir, 'no')}`, context]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('cannot run at the edge');
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

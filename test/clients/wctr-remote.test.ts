/** `wctr` as a client of daemons: -H, WCTR_HOST, DOCKER_HOST, contexts; and daemons that end while containers go on. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WCTR } from '../support/cli.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;
let wctr: (line: string, env?: string, input?: string) => ReturnType<TestDaemon['shell']>;
const LOCAL = 'DOCKER_HOST= WCTR_DATA_ROOT=$HOME/elsewhere';

beforeAll(async () => {
  daemon = await startDaemon();
  // By itself it looks at another store: what it sees of `box` came through the daemon.
  wctr = (line, env = LOCAL, input = '') => daemon.shell(`${env} "${process.execPath}" "${WCTR}" ${line}`, { input });
}, 60_000);
afterAll(() => daemon?.stop(), 60_000);

describe('wctr as a client', () => {
  it('drives the daemon it is told of', { timeout: 30_000 }, async () => {
    expect((await wctr('images -q')).stdout).toBe('');
    for (const [line, env] of [
      [`-H ${daemon.url} images`, LOCAL],
      [`--host=${daemon.url} images`, LOCAL],
      ['images', `${LOCAL} WCTR_HOST=${daemon.url}`],
      ['images', `WCTR_DATA_ROOT=$HOME/elsewhere DOCKER_HOST=${daemon.url}`],
    ] as const) {
      expect((await wctr(line, env)).stdout, `${env} ${line}`).toMatch(/^box /m);
    }
    expect(existsSync(join(daemon.dir, 'elsewhere', 'containers'))).toBe(false);
  });

  it('runs there, with streams and exit code', { timeout: 30_000 }, async () => {
    const on = `-H ${daemon.url}`;
    expect(await wctr(`${on} run --rm -i box cat`, LOCAL, 'typed\n')).toMatchObject({ code: 0, stdout: 'typed\n' });
    expect(await wctr(`${on} run --rm box exit 5`)).toMatchObject({ code: 5 });
    expect(await wctr(`${on} run --rm box err oops`)).toMatchObject({ stdout: '', stderr: 'oops' });
    expect(await wctr(`${on} run --rm --entrypoint /nope box`)).toMatchObject({ code: 127 });
    expect(await wctr(`${on} ps -aq`)).toMatchObject({ code: 0, stdout: '' });
  });

  it('builds there, of files that are here', { timeout: 60_000 }, async () => {
    const on = `-H ${daemon.url}`;
    mkdirSync(join(daemon.dir, 'app'));
    const files = {
      Dockerfile: 'FROM box\nCOPY . /app\nRUN ["/busybox.wasm", "write", "/made", "made"]\n',
      Fails: 'FROM box\nRUN ["/busybox.wasm", "exit", "7"]\n',
      Wrong: 'FROM box\nRUNN x\n',
      kept: 'kept',
      ignored: 'ignored',
      '.dockerignore': 'ignored\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(daemon.dir, 'app', name), text);
    const built = await wctr(`${on} build -t made --label a=b app`);
    expect(built).toMatchObject({ code: 0, stdout: '' });
    expect(built.stderr).toMatch(/^#1 \[1\/3\] FROM box\n#1 DONE 0\.\ds\n\n#2 \[2\/3\] COPY \. \/app\n/);
    expect(await wctr(`${on} run --rm made ls /app`)).toMatchObject({ stdout: expect.not.stringContaining('ignored') });
    expect((await wctr(`${on} build app`)).stderr).toMatch(/#3 \[3\/3\] RUN .*\n#3 CACHED\n/);
    expect((await wctr(`${on} build -q -o files app`)).code).toBe(0);
    expect(readFileSync(join(daemon.dir, 'files', 'made'), 'utf8')).toBe('made');
    expect(await wctr(`${on} build -q -o type=oci,dest=made.tar app`)).toMatchObject({ code: 0 });
    expect((await wctr('load -q -i made.tar')).code).toBe(0);
    expect((await wctr('image prune -af')).code).toBe(0);
    expect(await wctr(`${on} build -f app/Fails app`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/exit code: 7\nFails:2\n[\s\S]*\| \^\^\^\n$/),
    });
    expect((await wctr(`${on} build -f app/Wrong app`)).stderr).toContain('hint: did you mean RUN?');
    expect((await wctr(`${on} build - `, LOCAL, 'FROM box\n')).code).toBe(0);
    expect(await wctr(`${on} build --secret id=x,src=app/kept app`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a secret cannot be sent to a daemon'),
    });
    expect((await wctr(`${on} builder du`)).stdout).toMatch(/^Total: +\d/m);
    expect((await wctr(`${on} builder prune -af`)).stdout).toContain('Total reclaimed space');
    expect(existsSync(join(daemon.dir, 'elsewhere', 'build'))).toBe(false);
  });

  it('says where nobody answers', async () => {
    const { code, stderr } = await wctr('-H unix:///nosuch.sock ps');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot connect to the daemon at unix:///nosuch.sock');
    expect((await wctr('-H nonsense://x ps')).stderr).toContain('cannot parse the address');
  });

  it('keeps contexts', { timeout: 30_000 }, async () => {
    expect(await wctr(`context create lab --docker host=${daemon.url} --description test`)).toMatchObject({ code: 0 });
    expect(await wctr(`context create lab --docker host=${daemon.url}`)).toMatchObject({ code: 1 });
    expect((await wctr('context ls -q')).stdout).toBe('default\nlab\n');
    expect((await wctr('-c lab images')).stdout).toMatch(/^box /m);
    expect((await wctr('images -q')).stdout).toBe('');
    expect((await wctr('context use lab')).stdout).toBe('lab\n');
    expect((await wctr('context show')).stdout).toBe('lab\n');
    expect((await wctr('images')).stdout).toMatch(/^box /m);
    expect((await wctr('context inspect lab -f "{{.Endpoints.docker.Host}}"')).stdout.trim()).toBe(daemon.url);
    expect(await wctr('context rm lab')).toMatchObject({ code: 1 });
    expect((await wctr('context use default')).stdout).toBe('default\n');
    expect((await wctr('context rm lab')).stdout).toBe('lab\n');
    expect(await wctr('--context lab ps')).toMatchObject({ code: 1 });
  });
});

describe('a daemon', () => {
  it('that ends or is killed harms no container, and the next one finds them', { timeout: 60_000 }, async () => {
    expect((await daemon.shell('docker run -d --name lives box sleep 1000000')).code).toBe(0);
    const { stdout: pid } = await daemon.shell('docker inspect lives -f "{{.State.Pid}}"');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await daemon.restart(signal);
      expect((await daemon.shell('docker inspect lives -f "{{.State.Pid}} {{.State.Status}}"')).stdout).toBe(
        `${pid.trim()} running\n`,
      );
      expect((await daemon.shell('docker exec lives /busybox.wasm args still')).stdout).toContain('still');
    }
    expect((await daemon.shell('docker rm -f lives')).code).toBe(0);
  });

  it.each([
    ['-H tcp://0.0.0.0:0', 'needs TLS'],
    ['-H tcp://127.0.0.1:0', '--insecure-loopback'],
    ['-H tcp://127.0.0.1:0 --tls', '--tlscert'],
    ['-H tcp://127.0.0.1:0 --tlscert a --tlskey b', 'client certificates'],
    ['-H ftp://x', 'cannot parse the address'],
    ['-H fd://', 'no socket was handed over'],
  ])('refuses %s', async (flags, message) => {
    const { code, stderr } = await wctr(`daemon ${flags}`);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('does not start twice on one socket or pid file', { timeout: 20_000 }, async () => {
    expect((await wctr(`daemon -H ${daemon.url}`)).stderr).toContain('another daemon listens');
    expect(statSync(daemon.socket).mode & 0o777).toBe(0o600);
    const { stderr } = await daemon.shell(
      `echo ${process.pid} > pid; ${LOCAL} "${process.execPath}" "${WCTR}" daemon -H unix://$HOME/e.sock --pidfile pid`,
    );
    expect(stderr).toContain('is running');
    expect(readFileSync(join(daemon.dir, 'pid'), 'utf8').trim()).toBe(String(process.pid));
  });

  it('takes a socket a service manager opened', { timeout: 20_000 }, async () => {
    // What systemd does: the socket on descriptor 3, LISTEN_PID of the process that is to take it.
    const program = `
      const { spawn } = require('node:child_process');
      const server = require('node:net').createServer().listen(process.env.HOME + '/act.sock', () => {
        const shell = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$1" daemon';
        const child = spawn('/bin/sh', ['-c', shell, process.execPath, ${JSON.stringify(WCTR)}], { stdio: ['ignore', 'ignore', 'pipe', server._handle.fd] });
        process.on('exit', () => child.kill());
        process.on('SIGTERM', () => process.exit(1));
        child.stderr.once('data', (text) => {
          // This process stands still meanwhile: it listens on the socket as well, and answers nobody.
          const client = 'require("node:http").get({ socketPath: process.env.HOME + "/act.sock", path: "/_ping" }, (answer) => console.log(answer.resume().statusCode))';
          const status = require('node:child_process').execFileSync(process.execPath, ['-e', client], { timeout: 10000 });
          console.log(String(text).trim(), String(status).trim());
          child.kill('SIGTERM');
          child.once('exit', () => process.exit(0));
        });
      });
      server.unref?.();
    `;
    const { stdout } = await daemon.shell(`${LOCAL} "${process.execPath}" -e '${program.replaceAll("'", `'"'"'`)}'`);
    expect(stdout).toBe('wctr daemon listens on fd://3 200\n');
  });
});

/** The stock docker CLI at a wctr daemon: push, login, search, manifest; against Debian's docker-registry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { peer } from '../support/peers.ts';

const HTPASSWD = 'user:$2b$04$IXb9iq9z1miUglehjYzJ4uf8i5OIQw08YhMDRnDuJvMNIL1SRWgqm';

describe.skipIf(!peer('docker') || !peer('docker-registry'))('docker', () => {
  let daemon: TestDaemon;
  let open: DockerRegistry;
  let closed: DockerRegistry;
  beforeAll(async () => {
    [daemon, open, closed] = await Promise.all([
      startDaemon(),
      startDockerRegistry(),
      startDockerRegistry({ htpasswd: HTPASSWD }),
    ]);
  }, 30_000);
  afterAll(async () => {
    await Promise.all([daemon?.stop(), open?.stop(), closed?.stop()]);
  });

  it('pushes one tag, and then what is missing', async () => {
    const { code, stdout } = await daemon.shell(`docker tag box ${open.host}/box:1 && docker push ${open.host}/box:1`);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(`The push refers to repository [${open.host}/box]`);
    expect(lines.filter((line) => /^[0-9a-f]{12}: Pushed$/.test(line))).toHaveLength(2);
    expect(stdout).toMatch(/^1: digest: sha256:[0-9a-f]{64} size: \d+$/m);
    const again = await daemon.shell(`docker push ${open.host}/box:1`);
    expect(again.stdout.match(/Layer already exists/g)).toHaveLength(2);
  });

  it('pushes all tags, and quietly', async () => {
    const name = `${open.host}/many`;
    const made = await daemon.shell(`docker tag box ${name}:a && docker tag web ${name}:b && docker push -a ${name}`);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^a: digest: /m);
    expect(made.stdout).toMatch(/^b: digest: /m);
    expect((await daemon.shell(`docker push -q ${name}:a`)).stdout).toBe(`${name}:a\n`);
  });

  it('runs what another store got from there', async () => {
    const name = `${open.host}/box:1`;
    expect((await daemon.shell(`docker rmi ${name} && docker run --rm --pull always ${name} hello`)).stdout).toContain(
      'Hello from the guest',
    );
  });

  it('logs in, pushes, and logs out', async () => {
    const name = `${closed.host}/box:1`;
    await daemon.shell(`docker tag box ${name}`);
    const denied = await daemon.shell(`docker push ${name}`);
    expect([denied.code, denied.stderr]).toEqual([
      1,
      `push access denied for ${closed.host}/box: it requires a login, or another one\n`,
    ]);
    const wrong = await daemon.shell(`docker login -u user --password-stdin ${closed.host}`, { input: 'wrong' });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`${closed.host} refused the login: wrong username or password`);
    const right = await daemon.shell(`docker login -u user --password-stdin ${closed.host}`, { input: 'secret' });
    expect(right.stdout).toContain('Login Succeeded');
    expect((await daemon.shell(`docker push ${name}`)).stdout).toMatch(/^1: digest: /m);
    // And wctr's own command goes by the login docker stored.
    const own = await daemon.shell(`${process.execPath} ${join(process.cwd(), 'dist/bin/wctr.cjs')} push -q ${name}`);
    expect([own.code, own.stdout]).toEqual([0, `${name}\n`]);
    await daemon.shell(`docker logout ${closed.host}`);
    expect((await daemon.shell(`docker push ${name}`)).code).toBe(1);
  });

  it('uses the login of wctr login', async () => {
    const wctr = `${process.execPath} ${join(process.cwd(), 'dist/bin/wctr.cjs')}`;
    const name = `${closed.host}/box:2`;
    const login = await daemon.shell(`${wctr} login -u user --password-stdin ${closed.host}`, { input: 'secret\n' });
    expect([login.code, login.stdout]).toEqual([0, 'Login Succeeded\n']);
    expect(JSON.parse(readFileSync(join(daemon.dir, 'docker/config.json'), 'utf8')).auths).toHaveProperty([
      closed.host,
    ]);
    expect((await daemon.shell(`docker tag box ${name} && docker push -q ${name}`)).stdout).toBe(`${name}\n`);
    expect((await daemon.shell(`${wctr} logout ${closed.host}`)).stdout).toBe(
      `Removing login credentials for ${closed.host}\n`,
    );
    expect((await daemon.shell(`docker push -q ${name}`)).code).toBe(1);
  });

  it('is told what is not to be had', async () => {
    const absent = await daemon.shell(`docker push ${open.host}/absent:1`);
    expect([absent.code, absent.stderr]).toEqual([1, `No such image: ${open.host}/absent:1\n`]);
    const search = await daemon.shell(`docker search ${open.host}/box`);
    expect(search.stderr).toContain(`${open.host} does not offer to be searched`);
  });
});

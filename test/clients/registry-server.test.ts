/** Our registry with the clients of others: skopeo and podman, over TLS and with logins, by the built command. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peer } from '../support/peers.ts';
import { type RegistryChild, startRegistryChild } from '../support/registry-child.ts';
import { removeTree } from '../support/remove-tree.ts';

const run = promisify(execFile);
const BUNDLED = fileURLToPath(new URL('../../dist/images/hello', import.meta.url));
const digestIn = (layout: string) =>
  JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0].digest as string;

let dir: string;
let HELLO: string;
let digestOfHello: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wctr-registry-clients-'));
  HELLO = join(dir, 'hello');
  if (!peer('skopeo')) return;
  // One image of the bundled index, as skopeo chooses it.
  await skopeo('copy', '--quiet', '--insecure-policy', `oci:${BUNDLED}`, `oci:${HELLO}:1`);
  digestOfHello = digestIn(HELLO);
});
afterAll(() => removeTree(dir));

async function skopeo(...args: string[]): Promise<string> {
  const { stdout } = await run(peer('skopeo')!, args, { env: { PATH: process.env.PATH, HOME: dir } });
  return stdout;
}

describe.skipIf(!peer('skopeo'))('skopeo and our registry', () => {
  let registry: RegistryChild;
  let host: string;
  beforeAll(async () => {
    registry = await startRegistryChild(join(dir, 'plain'));
    host = new URL(registry.url).host;
  });
  afterAll(async () => {
    expect(await registry.end()).toBe(0);
  });
  const copy = (from: string, to: string, ...flags: string[]) =>
    skopeo(
      'copy',
      '--quiet',
      '--insecure-policy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      ...flags,
      from,
      to,
    );

  it('push and pull with the same digest', async () => {
    await copy(`oci:${HELLO}`, `docker://${host}/a/b/hello:1`);
    const { Digest } = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${host}/a/b/hello:1`));
    expect(Digest).toBe(digestOfHello);
    await copy(`docker://${host}/a/b/hello:1`, `oci:${dir}/back:1`);
    expect(digestIn(join(dir, 'back'))).toBe(digestOfHello);
  });

  it('push from one repository to another, whole indexes and docker manifests', async () => {
    await copy(`docker://${host}/a/b/hello:1`, `docker://${host}/other/hello:2`, '--all');
    await copy(`docker://${host}/other/hello:2`, `docker://${host}/other/hello:docker`, '--format', 'v2s2');
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${host}/other/hello:docker`);
    expect(JSON.parse(raw).mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    const tags = await skopeo('list-tags', '--tls-verify=false', `docker://${host}/other/hello`);
    expect(JSON.parse(tags).Tags).toEqual(['2', 'docker']);
  });

  it('delete', async () => {
    await skopeo('delete', '--tls-verify=false', `docker://${host}/other/hello:docker`);
    const gone = skopeo('inspect', '--tls-verify=false', `docker://${host}/other/hello:docker`);
    await expect(gone).rejects.toThrow(/manifest unknown/);
  });
});

describe.skipIf(!peer('skopeo'))('skopeo and our registry with TLS and logins', () => {
  let certificates: { cert: string; key: string };
  beforeAll(async () => {
    certificates = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', certificates.key, '-out', certificates.cert],
    ]);
    writeFileSync(join(dir, 'users'), `ada:${hashSync('lovelace', 5)}\n`);
    writeFileSync(join(dir, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  });

  it.each([
    ['a password with every request', []],
    ['tokens', ['--tokens']],
  ])('log in with %s', async (_, flags) => {
    const registry = await startRegistryChild(join(dir, `tls-${flags.length}`), [
      ...['--tls-cert', certificates.cert, '--tls-key', certificates.key],
      ...['--htpasswd', join(dir, 'users'), '--anonymous-pull', ...flags],
    ]);
    const { host, protocol } = new URL(registry.url);
    expect(protocol).toBe('https:');
    const copy = (to: string, ...credentials: string[]) =>
      skopeo(
        '--policy',
        join(dir, 'policy.json'),
        'copy',
        '--quiet',
        '--dest-tls-verify=false',
        ...credentials,
        `oci:${HELLO}`,
        to,
      );
    await expect(copy(`docker://${host}/a:1`)).rejects.toThrow(/authentication required|unauthorized|denied/);
    await expect(copy(`docker://${host}/a:1`, '--dest-creds', 'ada:wrong')).rejects.toThrow();
    await copy(`docker://${host}/a:1`, '--dest-creds', 'ada:lovelace');
    const seen = await skopeo('inspect', '--no-creds', '--tls-verify=false', `docker://${host}/a:1`);
    expect(JSON.parse(seen).Digest).toBe(digestOfHello);
    await skopeo('login', '--tls-verify=false', '-u', 'ada', '-p', 'lovelace', '--authfile', join(dir, 'auth'), host);
    expect(await registry.end()).toBe(0);
  });
});

describe.skipIf(!peer('podman'))('podman and our registry', () => {
  it('pull, tag and push', async () => {
    const registry = await startRegistryChild(join(dir, 'podman-registry'));
    const { host } = new URL(registry.url);
    await skopeo(
      'copy',
      '--quiet',
      '--insecure-policy',
      '--dest-tls-verify=false',
      `oci:${HELLO}`,
      `docker://${host}/hello:1`,
    );
    const podman = (...args: string[]) =>
      run(peer('podman')!, [
        '--root',
        join(dir, 'podman'),
        '--runroot',
        join(dir, 'podman-run'),
        '--storage-driver',
        'vfs',
        ...args,
      ]);
    await podman('pull', '-q', '--tls-verify=false', '--arch', 'wasm', '--os', 'wasip1', `${host}/hello:1`);
    await podman('push', '-q', '--tls-verify=false', `${host}/hello:1`, `docker://${host}/by/podman:1`);
    const { Layers } = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${host}/by/podman:1`));
    expect(Layers).toHaveLength(1);
    expect(await registry.end()).toBe(0);
  });
});

/** `image copy` and `manifest` between registries, layouts and archives; skopeo reads what we wrote, and we what it wrote. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Platform } from '../../src/spec/image-spec.ts';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { REGISTRIES, type RegistryCli, registryCli } from '../support/registry-cli.ts';
import { buildArtifact, buildImage, buildIndex, noise, WASI, writeLayout } from '../support/registry-images.ts';

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };

let dir: ReturnType<typeof tempDir>;
let wctr: RegistryCli['run'];
let done: RegistryCli['done'];
beforeEach(() => {
  dir = tempDir();
  ({ run: wctr, done } = registryCli(dir.path));
});
afterEach(() => dir[Symbol.dispose]());

async function skopeo(...args: string[]): Promise<string> {
  return (await promisify(execFile)(peer('skopeo')!, args, { maxBuffer: 1 << 24 })).stdout;
}

describe.skipIf(!peer('skopeo')).each(REGISTRIES)('%s', (_name, start) => {
  let registry: { host: string; stop(): Promise<void> };
  beforeAll(async () => {
    registry = await start();
  });
  afterAll(() => registry?.stop());

  const raw = (name: string) => skopeo('inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/${name}`);
  const multi = buildIndex([
    [LINUX, buildImage({ layers: [{ linux: noise(30_000, 5) }], platform: LINUX })],
    [WASI, buildImage({ layers: [{ wasm: noise(30_000, 6) }] })],
  ]);
  const wasm = buildImage({ layers: [{ wasm: noise(30_000, 6) }] });
  const text = (image: typeof multi) => new TextDecoder().decode(image.blobs.get(image.target.digest)!.bytes);

  it('gets one platform, or all of them, from a layout', async () => {
    const layout = join(dir.path, 'layout');
    writeLayout(layout, 'v1', multi);
    expect(await done('image', 'copy', `oci:${layout}:v1`, `docker://${registry.host}/one:1`)).toBe(wasm.target.digest);
    expect(await raw('one:1')).toBe(text(wasm));
    const all = await done('image', 'copy', '--all', '-q', `oci:${layout}`, `docker://${registry.host}/all:1`);
    expect(all).toBe(multi.target.digest);
    expect(await raw('all:1')).toBe(text(multi));
    const linux = await done(
      'image',
      'copy',
      '--platform',
      'linux/amd64',
      `oci:${layout}:v1`,
      `docker://${registry.host}/linux:1`,
    );
    expect(JSON.parse(await raw('linux:1')).schemaVersion).toBe(2);
    expect(linux).not.toBe(wasm.target.digest);
  });

  it('gives what it has to another repository, whole, by mounting it', async () => {
    const layout = join(dir.path, 'layout');
    writeLayout(layout, 'v1', multi);
    await done('image', 'copy', '--all', `oci:${layout}:v1`, `docker://${registry.host}/from:1`);
    const { stderr, stdout } = await wctr(
      'image',
      'copy',
      '--all',
      `docker://${registry.host}/from:1`,
      `docker://${registry.host}/to:2`,
    );
    expect(stdout.trim()).toBe(multi.target.digest);
    expect(stderr).toContain('Mounted from from');
    expect(await raw('to:2')).toBe(text(multi));
  });

  it.each(['oci', 'oci-archive', 'docker-archive'])('is copied to %s and back, also by skopeo', async (kind) => {
    const layout = join(dir.path, 'layout');
    writeLayout(layout, 'v1', wasm);
    const name = `${registry.host}/app:1`;
    await done('image', 'copy', `oci:${layout}:v1`, `docker://${name}`);
    const path = join(dir.path, `copy-${kind}`);
    expect(await done('image', 'copy', `docker://${name}`, `${kind}:${path}:app:1`)).toBe(wasm.target.digest);
    expect(await done('image', 'copy', `${kind}:${path}`, `docker://${registry.host}/back-${kind}:1`)).toBe(
      wasm.target.digest,
    );
    const again = join(dir.path, 'by-skopeo');
    await skopeo('copy', '--insecure-policy', '-q', `${kind}:${path}:app:1`, `oci:${again}:x`);
    const [entry] = JSON.parse(readFileSync(join(again, 'index.json'), 'utf8')).manifests;
    // docker-archive has no manifests: skopeo makes one, and compresses.
    if (kind !== 'docker-archive') expect(entry.digest).toBe(wasm.target.digest);
    const theirs = join(dir.path, `theirs-${kind}`);
    await skopeo(
      'copy',
      '--insecure-policy',
      '-q',
      '--src-tls-verify=false',
      `docker://${name}`,
      `${kind}:${theirs}:app:1`,
    );
    const digest = await done('image', 'copy', `${kind}:${theirs}:app:1`, `docker://${registry.host}/theirs-${kind}:1`);
    if (kind !== 'docker-archive') expect(digest).toBe(wasm.target.digest);
    await skopeo(
      'inspect',
      '--tls-verify=false',
      '--override-os=wasip1',
      '--override-arch=wasm',
      `docker://${registry.host}/theirs-${kind}:1`,
    );
    expect(readdirSync(dir.path).filter((file) => file.includes('partial'))).toEqual([]);
  });

  it('gets an artifact', async () => {
    const artifact = buildArtifact(new TextEncoder().encode('\0asm\x01\0\0\0'));
    writeLayout(join(dir.path, 'layout'), 'v1', artifact);
    await done('image', 'copy', `oci:${join(dir.path, 'layout')}`, `docker://${registry.host}/artifact:1`);
    expect(await raw('artifact:1')).toBe(text(artifact));
  });

  it('gets a list put together by hand', async () => {
    const layout = join(dir.path, 'layout');
    writeLayout(layout, 'v1', multi);
    const at = (name: string) => `${registry.host}/${name}`;
    await done('image', 'copy', `oci:${layout}:v1`, `docker://${at('parts/wasm:1')}`);
    await done('image', 'copy', '--platform', 'linux/amd64', `oci:${layout}:v1`, `docker://${at('parts/linux:1')}`);
    expect(await done('manifest', 'create', at('list:1'), at('parts/wasm:1'))).toBe(
      `Created manifest list ${at('list:1')}`,
    );
    expect((await wctr('manifest', 'create', at('list:1'), at('parts/linux:1'))).stderr).toContain('already');
    await done('manifest', 'create', '-a', at('list:1'), at('parts/linux:1'));
    await done('manifest', 'annotate', '--variant', 'v2', at('list:1'), at('parts/linux:1'));
    const shown = JSON.parse(await done('manifest', 'inspect', at('list:1')));
    expect(shown.manifests.map(({ platform }: { platform: Platform }) => platform)).toEqual([
      { architecture: 'wasm', os: 'wasip1' },
      { architecture: 'amd64', os: 'linux', variant: 'v2' },
    ]);
    const digest = await done('manifest', 'push', '--purge', '-q', at('list:1'));
    expect(JSON.parse(await raw('list:1'))).toEqual(shown);
    expect(await skopeo('inspect', '--tls-verify=false', '--raw', `docker://${registry.host}/list@${digest}`)).toBe(
      await raw('list:1'),
    );
    // The list was forgotten here; this one is the registry's.
    expect(JSON.parse(await done('manifest', 'inspect', at('list:1')))).toEqual(shown);
    expect((await wctr('manifest', 'rm', at('list:1'))).stderr).toContain('no such manifest list here');
    await skopeo(
      'copy',
      '--all',
      '--insecure-policy',
      '-q',
      '--src-tls-verify=false',
      `docker://${at('list:1')}`,
      `oci:${dir.path}/whole:1`,
    );
  });
});

describe('image copy', () => {
  it.each([
    ['nothing to copy from', ['hello', 'oci:x'], `"hello" names no transport`],
    ['a transport that is another', ['dir:/x', 'oci:x'], 'copies from and to dir: are not supported'],
    ['no such file', ['oci-archive:/none/x.tar', 'oci:x'], 'no such file or directory'],
    ['no file', ['oci:', 'oci:x'], 'names no file'],
  ])('refuses %s', async (_what, places, message) => {
    const { code, stderr } = await wctr('image', 'copy', ...places);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('writes nothing of which the bytes are wrong', async () => {
    const layout = join(dir.path, 'layout');
    const image = buildImage();
    const blobs = new Map(image.blobs);
    blobs.set(image.layers[0]!.digest, { bytes: new Uint8Array(image.layers[0]!.size), mediaType: '' });
    writeLayout(layout, 'v1', { ...image, blobs });
    for (const kind of ['oci', 'oci-archive', 'docker-archive']) {
      const { code, stderr } = await wctr('image', 'copy', `oci:${layout}`, `${kind}:${dir.path}/bad-${kind}:a:1`);
      expect([code, stderr]).toEqual([1, expect.stringContaining('has the digest')]);
    }
    expect(readdirSync(dir.path).sort()).toEqual(['bad-oci', 'layout']);
    expect(readdirSync(join(dir.path, 'bad-oci'))).toEqual(['blobs']);
  });
});

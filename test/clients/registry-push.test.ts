/** Pushes to Debian's docker-registry; skopeo and podman read what arrived. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MEDIA_TYPE, type Platform } from '../../src/spec/image-spec.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { createTestClient } from '../support/registry-client.ts';
import { buildArtifact, buildImage, buildIndex, noise, WASI, writeLayout } from '../support/registry-images.ts';
import { openPullStore, type PullStore, statuses } from '../support/registry-pull.ts';

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };
const HTPASSWD = 'user:$2b$04$IXb9iq9z1miUglehjYzJ4uf8i5OIQw08YhMDRnDuJvMNIL1SRWgqm';
const missing = !peer('docker-registry') || !peer('skopeo');

let dir: ReturnType<typeof tempDir>;
let store: PullStore;
beforeEach(() => {
  dir = tempDir();
  store = openPullStore(join(dir.path, 'store'));
});
afterEach(() => dir[Symbol.dispose]());

async function skopeo(...args: string[]): Promise<string> {
  return (await promisify(execFile)(peer('skopeo')!, args, { maxBuffer: 1 << 24 })).stdout;
}

const rawManifest = (name: string) => skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);

describe.skipIf(missing)('docker-registry', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry?.stop());

  async function loaded(image: ReturnType<typeof buildImage>, name: string): Promise<string> {
    const full = `${registry.host}/${name}`;
    writeLayout(join(dir.path, name), full, image);
    await store.load(join(dir.path, name));
    return full;
  }

  it('gets the bytes as they are, and skopeo copies them with all digests kept', async () => {
    const image = buildImage({ layers: [{ a: noise(100_000) }, { b: 'text'.repeat(1000) }] });
    const name = await loaded(image, 'app:1');
    const events: string[] = [];
    const pushed = await store.push(name, { onEvent: ({ id, status }) => events.push(`${id ?? '-'} ${status}`) });
    expect(pushed).toEqual({ tag: '1', digest: image.target.digest, sizeBytes: image.target.size });
    expect(events.at(-1)).toBe(`- 1: digest: ${image.target.digest} size: ${image.target.size}`);
    expect(events.filter((line) => line.endsWith(' Pushed'))).toHaveLength(3);
    const { bytes } = image.blobs.get(image.target.digest)!;
    expect(await rawManifest(name)).toBe(new TextDecoder().decode(bytes));
    const copy = join(dir.path, 'copied');
    await skopeo('copy', '--insecure-policy', '--src-tls-verify=false', `docker://${name}`, `oci:${copy}:1`);
    const other = openPullStore(join(dir.path, 'other'));
    await other.load(copy, 'copied:1');
    expect((await other.images.resolve('copied:1')).manifest.digest).toBe(image.target.digest);
    // What it has is not sent twice.
    const again: string[] = [];
    await store.push(name, { onEvent: ({ status }) => again.push(status) });
    expect(again.filter((status) => status === 'Layer already exists')).toHaveLength(3);
  });

  it('gets a large blob as a stream, and in chunks from a host that cannot stream', async () => {
    const image = buildImage({ layers: [{ big: noise(20_000_000, 7) }] });
    const name = await loaded(image, 'big:1');
    const amounts: number[] = [];
    await store.push(name, {
      onEvent: ({ currentBytes = 0, totalBytes = 0 }) => void (totalBytes > 1e6 && amounts.push(currentBytes)),
    });
    expect(amounts).toEqual([...amounts].sort((a, b) => a - b));
    expect(amounts.at(-1)).toBeGreaterThan(19_000_000);
    const other = openPullStore(join(dir.path, 'other'));
    expect((await other.pull(name)).record.manifest.digest).toBe(image.target.digest);

    const second = buildImage({ layers: [{ big: noise(20_000_000, 8) }] });
    const chunked = await loaded(second, 'chunked:1');
    await store.push(chunked, { registry: createTestClient({ canStream: false }) });
    expect((await other.pull(chunked)).record.manifest.digest).toBe(second.target.digest);
    expect(await other.content.verifyAll()).toEqual([]);
  });

  it('mounts what another repository of it has', async () => {
    const image = buildImage({ layers: [{ shared: noise(50_000, 3) }] });
    await store.push(await loaded(image, 'first:1'));
    await store.images.tag(`${registry.host}/first:1`, `${registry.host}/second:1`);
    const events: { id?: string; status: string }[] = [];
    await store.push(`${registry.host}/second:1`, { onEvent: (event) => events.push(event) });
    expect(statuses(events).filter((line) => line.includes('Mounted from first'))).toHaveLength(2);
    expect((await openPullStore(join(dir.path, 'other')).pull(`${registry.host}/second:1`)).changed).toBe(true);
  });

  it('gets an index when all of it is here, and the manifest alone when it is not', async () => {
    const linux = buildImage({ layers: [{ f: 'linux' }], platform: LINUX });
    const wasm = buildImage({ layers: [{ f: 'wasm' }] });
    const index = buildIndex([
      [LINUX, linux],
      [WASI, wasm],
    ]);
    const name = await loaded(index, 'multi:1');
    const notes: string[] = [];
    const part = await store.push(name, { onEvent: ({ status }) => notes.push(status) });
    expect(part.digest).toBe(wasm.target.digest);
    expect(notes).toContain(
      'Note: wasip1/wasm: only the platform that is here is pushed, without the index it came in',
    );
    for (const [digest, { bytes, mediaType }] of linux.blobs) {
      await store.content.put(mediaType, bytes);
      expect(await store.content.has(digest)).toBe(true);
    }
    const whole = await store.push(name);
    expect(whole.digest).toBe(index.target.digest);
    expect(JSON.parse(await rawManifest(name)).mediaType).toBe(MEDIA_TYPE.ociIndex);
    expect((await store.push(name, { platform: WASI })).digest).toBe(wasm.target.digest);
    await expect(store.push(name, { platform: LINUX })).rejects.toMatchObject({ code: 'no-matching-platform' });
  });

  it('gets an artifact', async () => {
    const artifact = buildArtifact(new TextEncoder().encode('\0asm\x01\0\0\0'));
    const name = await loaded(artifact, 'module:1');
    expect((await store.push(name)).digest).toBe(artifact.target.digest);
  });

  it('is not asked for what is not here', async () => {
    await expect(store.push(`${registry.host}/nothing:1`)).rejects.toMatchObject({
      code: 'no-such-image',
      hint: `give an image that is here this name: wctr tag IMAGE ${registry.host}/nothing:1`,
    });
  });
});

describe.skipIf(missing)('docker-registry with a password', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: HTPASSWD });
  });
  afterAll(() => registry?.stop());

  it('takes a push from who knows it', async () => {
    const name = `${registry.host}/app:1`;
    const image = buildImage();
    writeLayout(join(dir.path, 'layout'), name, image);
    await store.load(join(dir.path, 'layout'));
    const as = (password: string) => createTestClient({ credentials: async () => ({ username: 'user', password }) });
    await expect(store.push(name)).rejects.toMatchObject({
      code: 'unauthorized',
      message: `push access denied for ${registry.host}/app: it requires a login, or another one`,
    });
    await expect(store.push(name, { registry: as('wrong') })).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await store.push(name, { registry: as('secret') })).digest).toBe(image.target.digest);
  });
});

describe.skipIf(!peer('podman') || !peer('docker-registry'))('podman', () => {
  it('pulls what we pushed, and we what it pushed', async () => {
    const registry = await startDockerRegistry();
    try {
      const image = buildImage({ layers: [{ 'hello.txt': 'for podman' }], platform: LINUX });
      const name = `${registry.host}/app:1`;
      writeLayout(join(dir.path, 'layout'), name, image);
      await store.load(join(dir.path, 'layout'));
      await store.push(name);
      const place = [
        '--root',
        join(dir.path, 'pod'),
        '--runroot',
        join(dir.path, 'pod-run'),
        '--storage-driver',
        'vfs',
      ];
      const podman = async (...line: string[]) =>
        (await promisify(execFile)(peer('podman')!, [...place, ...line])).stdout.trim();
      const quiet = ['-q', '--tls-verify=false'];
      const id = await podman('pull', ...quiet, '--os', 'linux', '--arch', 'amd64', name);
      expect(`sha256:${id}`).toBe(image.config.digest);
      await podman('push', ...quiet, name, `${registry.host}/by-podman:1`);
      const other = openPullStore(join(dir.path, 'other'));
      const { record } = await other.pull(`${registry.host}/by-podman:1`, { platforms: [LINUX] });
      expect(record.id).toBe(image.config.digest);
      expect(await other.content.verifyAll()).toEqual([]);
    } finally {
      await registry.stop();
    }
  });
});

/** Pulls from Debian's docker-registry, of images that skopeo put there. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Platform } from '../../src/spec/image-spec.ts';
import { type DockerRegistry, type PushOptions, pushLayout, startDockerRegistry } from '../support/docker-registry.ts';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { createTestClient } from '../support/registry-client.ts';
import { buildArtifact, buildImage, buildIndex, noise, WASI, writeLayout } from '../support/registry-images.ts';
import { openPullStore, type PullStore } from '../support/registry-pull.ts';

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };
/** `user:secret`, as `htpasswd -B` writes it. */
const HTPASSWD = 'user:$2b$04$IXb9iq9z1miUglehjYzJ4uf8i5OIQw08YhMDRnDuJvMNIL1SRWgqm';
const missing = !peer('docker-registry') || !peer('skopeo');

let dir: ReturnType<typeof tempDir>;
let store: PullStore;
beforeEach(() => {
  dir = tempDir();
  store = openPullStore(join(dir.path, 'store'));
});
afterEach(() => dir[Symbol.dispose]());

/** Not the same for every test: skopeo takes a layer the registry has, however that one is compressed. */
const layersOf = (salt: string) => [{ [salt]: noise(100_000) }, { 'app.txt': salt.repeat(10_000) }];

describe.skipIf(missing)('docker-registry', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry?.stop());

  it.each<[string, PushOptions, string, string]>([
    ['OCI, gzip', {}, 'application/vnd.oci.image.manifest.v1+json', 'tar+gzip'],
    ['OCI, zstd', { compress: 'zstd' }, 'application/vnd.oci.image.manifest.v1+json', 'tar+zstd'],
    ['Docker v2s2', { format: 'v2s2' }, 'application/vnd.docker.distribution.manifest.v2+json', 'diff.tar.gzip'],
  ])('has an image as %s', async (_kind, options, mediaType, layerType) => {
    const image = buildImage({ layers: layersOf(layerType) });
    const path = `app-${layerType.replace(/[.+]/g, '-')}`;
    writeLayout(join(dir.path, 'layout'), '1', image);
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, `${path}:1`, options);
    const name = `${registry.host}/${path}:1`;
    const { record, changed } = await store.pull(name);
    expect(changed).toBe(true);
    expect(record.manifest.mediaType).toBe(mediaType);
    const { layers, config } = await store.images.open(name);
    expect(layers.map(({ descriptor }) => descriptor.mediaType.endsWith(layerType))).toEqual([true, true]);
    // Whatever the compression and the manifest's dialect, the content is what was pushed.
    expect(config.diffIds).toEqual(image.diffIds);
    expect(await store.content.verifyAll()).toEqual([]);
    expect((await store.pull(name)).changed).toBe(false);
    expect((await store.pull(`${registry.host}/${path}@${record.target.digest}`)).record.id).toBe(record.id);
  });

  it('has an index, of which we take our part', async () => {
    const wasm = buildImage({ layers: [{ f: 'wasm' }] });
    const index = buildIndex([
      [LINUX, buildImage({ layers: [{ f: 'linux' }], platform: LINUX })],
      [WASI, wasm],
    ]);
    writeLayout(join(dir.path, 'layout'), '1', index);
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, 'multi:1', { all: true });
    const { record } = await store.pull(`${registry.host}/multi:1`);
    expect(record).toMatchObject({ target: index.target, manifest: wasm.target, platform: WASI });
  });

  it('has an artifact', async () => {
    const artifact = buildArtifact(new TextEncoder().encode('\0asm\x01\0\0\0'));
    writeLayout(join(dir.path, 'layout'), '1', artifact);
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, 'artifact:1');
    await store.pull(`${registry.host}/artifact:1`);
    expect((await store.images.open(`${registry.host}/artifact:1`)).form).toMatchObject({ kind: 'module' });
  });

  it('resumes a blob by Range', async () => {
    const image = buildImage({ layers: [{ big: noise(300_000) }] });
    writeLayout(join(dir.path, 'layout'), '1', image);
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, 'big:1');
    const [layer] = image.layers;
    const { bytes } = image.blobs.get(layer!.digest)!;
    const origin = createTestClient().repository({ domain: registry.host, path: 'big' }).blob(layer!);
    const chunks: Uint8Array[] = [];
    for await (const chunk of origin(123_456)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes.subarray(123_456))).toBe(true);
  });

  it('has no such image, no such tag', async () => {
    await expect(store.pull(`${registry.host}/absent:1`)).rejects.toMatchObject({
      code: 'no-such-image',
      message: `manifest for ${registry.host}/absent:1 not found`,
    });
    writeLayout(join(dir.path, 'layout'), '1', buildImage());
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, 'present:1');
    await expect(store.pull(`${registry.host}/present:2`)).rejects.toMatchObject({
      message: `manifest for ${registry.host}/present:2 not found`,
    });
  });
});

describe.skipIf(missing)('docker-registry with a password', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: HTPASSWD });
  });
  afterAll(() => registry?.stop());

  it('lets in who knows it', async () => {
    writeLayout(join(dir.path, 'layout'), '1', buildImage());
    await pushLayout(join(dir.path, 'layout'), '1', registry.host, 'app:1', { credentials: 'user:secret' });
    const name = `${registry.host}/app:1`;
    const as = (password: string) => createTestClient({ credentials: async () => ({ username: 'user', password }) });
    await expect(store.pull(name)).rejects.toMatchObject({
      code: 'unauthorized',
      message: `pull access denied for ${registry.host}/app: it does not exist or requires a login`,
    });
    await expect(store.pull(name, { registry: as('wrong') })).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await store.pull(name, { registry: as('secret') })).changed).toBe(true);
    await as('secret').ping(registry.host);
  });

  it('that went away is said to be down', async () => {
    const gone = await startDockerRegistry();
    await gone.stop();
    await expect(store.pull(`${gone.host}/app:1`)).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: `cannot reach ${gone.host}: connection refused`,
    });
  });
});

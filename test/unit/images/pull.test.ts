import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WctrError } from '../../../src/errors.ts';
import type { PullProgress } from '../../../src/images/pull.ts';
import type { Digest, Platform } from '../../../src/spec/image-spec.ts';
import { sha256, tempDir } from '../../support/image-store.ts';
import { createTestClient, FakeFetch } from '../../support/registry-client.ts';
import { buildArtifact, buildImage, buildIndex, noise, serve, WASI } from '../../support/registry-images.ts';
import { openMemoryPullStore, openPullStore, type PullStore, statuses } from '../../support/registry-pull.ts';
import { body, type FakeRegistry, stall, startFakeRegistry } from '../../support/registry-server.ts';

let registry: FakeRegistry;
let dir: ReturnType<typeof tempDir>;
let store: PullStore;
let name: string;
beforeEach(async () => {
  registry = await startFakeRegistry();
  dir = tempDir();
  store = openPullStore(dir.path);
  name = `${registry.host}/app:1`;
});
afterEach(async () => {
  await registry.close();
  dir[Symbol.dispose]();
});

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };
const short = (digest: string) => digest.slice(7, 19);

/** Nothing of a failed pull may be named, and what it left is taken by the collector. */
async function expectClean(): Promise<void> {
  expect(await store.images.records()).toEqual([]);
  expect(store.files('leases')).toEqual([]);
  await store.gc();
  expect([...store.files('blobs'), ...store.files('layers'), ...store.files('tmp')]).toEqual([]);
}

describe('pullImage', () => {
  it('brings an image in and says so in docker’s words', async () => {
    const image = buildImage({ layers: [{ a: '1' }, { b: '2' }] });
    serve(registry, 'app', '1', image);
    const events: PullProgress[] = [];
    const { record, changed } = await store.pull(name, { concurrency: 1, onEvent: (event) => events.push(event) });
    expect(changed).toBe(true);
    expect(record).toMatchObject({
      reference: name,
      repoDigest: `${registry.host}/app@${image.target.digest}`,
      id: image.config.digest,
      target: image.target,
      manifest: image.target,
      platform: WASI,
      diffIds: image.diffIds,
    });
    const [a, b] = image.layers.map(({ digest }) => short(digest));
    expect(statuses(events)).toEqual([
      '1: Pulling from app',
      `${a}: Pulling fs layer`,
      `${b}: Pulling fs layer`,
      `${a}: Verifying`,
      `${a}: Pull complete`,
      `${b}: Verifying`,
      `${b}: Pull complete`,
      `Digest: ${image.target.digest}`,
      `Status: Downloaded newer image for ${name}`,
    ]);
    expect(store.files('leases')).toEqual([]);
    expect((await store.images.open(name)).config.platform).toEqual(WASI);
  });

  it('asks by HEAD alone when all is there', async () => {
    const image = buildImage();
    serve(registry, 'app', '1', image);
    await store.pull(name);
    const before = registry.log.length;
    const events: PullProgress[] = [];
    const again = await store.pull(name, { onEvent: (event) => events.push(event) });
    expect(again.changed).toBe(false);
    const after = registry.log.slice(before).filter(({ url }) => url !== '/v2/');
    expect(after.map(({ method }) => method)).toEqual(['HEAD']);
    expect(statuses(events)).toEqual([
      '1: Pulling from app',
      `Digest: ${image.target.digest}`,
      `Status: Image is up to date for ${name}`,
    ]);
  });

  it('follows a tag that moved, and fetches only what is new', async () => {
    const shared = { base: 'base' };
    serve(registry, 'app', '1', buildImage({ layers: [shared, { v: '1' }] }));
    await store.pull(name);
    const second = buildImage({ layers: [shared, { v: '2' }] });
    serve(registry, 'app', '1', second);
    const before = registry.log.length;
    const events: PullProgress[] = [];
    const { record, changed } = await store.pull(name, { onEvent: (event) => events.push(event) });
    expect([changed, record.target.digest]).toEqual([true, second.target.digest]);
    const [base, top] = second.layers.map(({ digest }) => short(digest));
    expect(statuses(events).slice(1, 3)).toEqual([`${base}: Already exists`, `${top}: Pulling fs layer`]);
    const blobs = registry.log.slice(before).filter(({ url }) => url.includes('/blobs/'));
    expect(blobs.map(({ url }) => url.split('/').at(-1))).toEqual([second.config.digest, second.layers[1]!.digest]);
  });

  it('takes the platform that runs here, or the one asked for', async () => {
    const wasm = buildImage({ layers: [{ f: 'wasm' }] });
    const linux = buildImage({ layers: [{ f: 'linux' }], platform: LINUX });
    const index = buildIndex([
      [LINUX, linux],
      [WASI, wasm],
    ]);
    serve(registry, 'app', '1', index);
    const here = await store.pull(name);
    expect(here.record).toMatchObject({ target: index.target, manifest: wasm.target, id: wasm.config.digest });
    expect(registry.requests(new RegExp(linux.layers[0]!.digest))).toEqual([]);
    const asked = await store.pull(name, { platforms: [LINUX] });
    expect([asked.changed, asked.record.id]).toEqual([true, linux.config.digest]);
    expect((await store.pull(name, { platforms: [LINUX] })).changed).toBe(false);
  });

  it('says which platforms there are when none fits', async () => {
    const linux = buildImage({ platform: LINUX });
    serve(registry, 'app', '1', buildIndex([[LINUX, linux]]));
    await expect(store.pull(name)).rejects.toMatchObject({
      code: 'no-matching-platform',
      message: `image ${name} is for linux/amd64; none of them is wasip1/wasm, wasi/wasm, wasi/wasm32, wasip2/wasm`,
    });
    serve(registry, 'app', '1', linux);
    await expect(store.pull(name, { platforms: [WASI] })).rejects.toMatchObject({ code: 'no-matching-platform' });
    await expectClean();
    // A lone manifest may hold a Wasm program whatever it says it is for.
    expect((await store.pull(name)).record.platform).toEqual(LINUX);
  });

  it('keeps an artifact’s module as a blob', async () => {
    const artifact = buildArtifact(new TextEncoder().encode('\0asm\x01\0\0\0'));
    serve(registry, 'app', '1', artifact);
    const { record } = await store.pull(name);
    expect(record).toMatchObject({ id: artifact.target.digest, diffIds: [] });
    expect((await store.images.open(name)).form).toMatchObject({ kind: 'module', layer: artifact.layers[0] });
    expect((await store.pull(name)).changed).toBe(false);
  });

  it('pulls by digest, and then needs no registry', async () => {
    const image = buildImage();
    serve(registry, 'app', '1', image);
    const pinned = `${registry.host}/app@${image.target.digest}`;
    expect((await store.pull(pinned)).record.reference).toBe(pinned);
    await registry.close();
    expect((await store.pull(pinned)).changed).toBe(false);
  });

  it('mends what went missing from the store', async () => {
    const image = buildImage({ layers: [{ a: '1' }, { b: '2' }] });
    serve(registry, 'app', '1', image);
    await store.pull(name);
    await store.content.delete(image.layers[0]!.digest);
    const layer = `${store.layout.layers}/sha256/${image.diffIds[1]!.slice(7)}`;
    await store.fs.rm(layer, { recursive: true });
    const events: PullProgress[] = [];
    const { changed } = await store.pull(name, { onEvent: (event) => events.push(event) });
    expect(changed).toBe(true);
    expect(statuses(events)).toContain(`${short(image.layers[1]!.digest)}: Indexing`);
    expect(await store.content.has(image.layers[0]!.digest)).toBe(true);
    expect(await store.images.layers.get(image.diffIds[1]!)).toBeDefined();
  });

  it('fetches a layer that comes twice once', async () => {
    const image = buildImage({ layers: [{ a: '1' }, { a: '1' }] });
    serve(registry, 'app', '1', image);
    expect((await store.pull(name)).record.diffIds).toHaveLength(2);
    expect(registry.requests(new RegExp(`blobs/${image.layers[0]!.digest}`))).toHaveLength(1);
  });

  it('needs no disk', async () => {
    const image = buildImage({ layers: [{ a: '1' }, { b: '2' }] });
    serve(registry, 'app', '1', image);
    const memory = openMemoryPullStore();
    expect((await memory.pull(name)).changed).toBe(true);
    expect((await memory.pull(name)).changed).toBe(false);
    const { layers } = await memory.images.layers.rootfs(image.diffIds);
    expect(layers.map((location) => 'bytes' in location && sha256(location.bytes))).toEqual(image.diffIds);
  });

  it('does three layers at a time', async () => {
    const image = buildImage({ layers: Array.from({ length: 8 }, (_, i) => ({ [`f${i}`]: noise(50_000, i + 1) })) });
    serve(registry, 'app', '1', image);
    let running = 0;
    let most = 0;
    const layers = new Set<string>(image.layers.map(({ digest }) => digest));
    registry.plan(/blobs/, async (request, response) => {
      if (!layers.has(request.url!.split('/').at(-1)!)) return false;
      most = Math.max(most, ++running);
      response.on('close', () => running--);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return false;
    });
    await store.pull(name);
    expect(most).toBe(3);
  });
});

describe('a mirror', () => {
  it('that sends wrong bytes is passed over', async () => {
    const image = buildImage({ layers: [{ a: '1' }, { b: '2' }] });
    const fetched: string[] = [];
    // docker.io cannot be had here: its host is answered by the table.
    const fake = new FakeFetch((url) => {
      const [, kind, reference] = /\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
      const { bytes, mediaType } = image.blobs.get(
        (reference === 'latest' ? image.target.digest : reference) as Digest,
      )!;
      const isBad = kind === 'blobs' && url.host === 'mirror.example' && reference !== image.config.digest;
      if (kind === 'blobs') fetched.push(`${url.host} ${reference}`);
      const sent = isBad ? new Uint8Array(bytes.length) : new Uint8Array(bytes);
      return new Response(sent, { headers: { 'content-type': mediaType } });
    });
    const registries = { mirrors: ['https://mirror.example'], insecure: [] };
    const client = createTestClient({ fetch: fake.fetch, registries });
    const { record } = await store.pull('app', { registry: client, concurrency: 1 });
    expect(record.target.digest).toBe(image.target.digest);
    const [a, b] = image.layers.map(({ digest }) => digest);
    expect(fetched).toEqual([
      `mirror.example ${image.config.digest}`,
      `mirror.example ${a}`,
      `registry-1.docker.io ${a}`,
      `mirror.example ${b}`,
      `registry-1.docker.io ${b}`,
    ]);
    expect(await store.content.verifyAll()).toEqual([]);
  });
});

describe('the pull policy', () => {
  it('"missing" leaves the registry alone once the image is here', async () => {
    serve(registry, 'app', '1', buildImage());
    expect((await store.pull(name, { policy: 'missing' })).changed).toBe(true);
    const before = registry.log.length;
    expect((await store.pull(name, { policy: 'missing' })).changed).toBe(false);
    expect(registry.log).toHaveLength(before);
    await expect(store.pull(name, { policy: 'missing', platforms: [LINUX] })).rejects.toMatchObject({
      code: 'no-matching-platform',
    });
  });

  it('"never" does not even ask', async () => {
    serve(registry, 'app', '1', buildImage());
    await expect(store.pull(name, { policy: 'never' })).rejects.toMatchObject({
      code: 'no-such-image',
      message: `no such image: ${name}`,
    });
    expect(registry.log).toEqual([]);
  });
});

describe('a pull that fails leaves the store clean', () => {
  const layers = [{ a: noise(200_000, 1) }, { b: noise(200_000, 2) }, { c: noise(200_000, 3) }];

  async function failure(): Promise<WctrError> {
    const error = await store.pull(name).then(
      () => undefined,
      (reason: WctrError) => reason,
    );
    await expectClean();
    return error!;
  }

  it('when a layer has the wrong bytes', async () => {
    const image = buildImage({ layers });
    serve(registry, 'app', '1', image);
    const [, wrong] = image.layers;
    registry.plan(new RegExp(wrong!.digest), body(noise(wrong!.size, 9)));
    const error = await failure();
    expect(error.code).toBe('digest-mismatch');
    expect(error.message).toMatch(`blob ${wrong!.digest}: the bytes received are sha256:`);
  });

  it('when the config has the wrong bytes', async () => {
    const image = buildImage({ layers });
    serve(registry, 'app', '1', image);
    registry.plan(new RegExp(image.config.digest), body(noise(image.config.size, 9)));
    expect(await failure()).toMatchObject({ code: 'digest-mismatch' });
    expect(registry.requests(/blobs/)).toHaveLength(1);
  });

  it('when a layer is not there', async () => {
    const image = buildImage({ layers });
    serve(registry, 'app', '1', image);
    registry.removeBlob(image.layers[2]!.digest);
    expect(await failure()).toMatchObject({
      code: 'not-found',
      message: `blob ${image.layers[2]!.digest} of ${registry.host}/app not found`,
    });
  });

  it('when the tar in a layer is not the one the config names', async () => {
    const wrong = `sha256:${'1'.repeat(64)}`;
    serve(registry, 'app', '1', buildImage({ config: { rootfs: { type: 'layers', diff_ids: [wrong] } } }));
    expect(await failure()).toMatchObject({ code: 'digest-mismatch' });
  });

  it('when config and manifest disagree on the number of layers', async () => {
    const image = buildImage({ layers, config: { rootfs: { type: 'layers', diff_ids: [] } } });
    serve(registry, 'app', '1', image);
    expect(await failure()).toMatchObject({
      code: 'invalid-manifest',
      message: `image ${name}: 3 layers but 0 rootfs.diff_ids`,
    });
    expect(registry.requests(new RegExp(image.layers[0]!.digest))).toEqual([]);
  });

  it('when a layer is of a type nobody reads', async () => {
    const layer = { mediaType: 'application/x-odd', digest: `sha256:${'2'.repeat(64)}`, size: 3 };
    serve(registry, 'app', '1', buildImage({ manifest: { layers: [layer] } }));
    expect(await failure()).toMatchObject({
      code: 'unsupported-media-type',
      message: `image ${name}: nothing here reads a layer of type "application/x-odd"`,
    });
  });

  it('when the manifest is two things at once', async () => {
    serve(registry, 'app', '1', buildImage({ manifest: { manifests: [] } }));
    expect(await failure()).toMatchObject({ code: 'invalid-manifest' });
    expect(registry.requests(/blobs/)).toEqual([]);
  });

  it('when the registry has no such image', async () => {
    expect(await failure()).toMatchObject({
      code: 'no-such-image',
      message: `repository ${registry.host}/app not found on ${registry.host}`,
    });
  });

  it('when it is cancelled, and the others stop with it', async () => {
    const image = buildImage({ layers });
    serve(registry, 'app', '1', image);
    for (const { digest, size } of image.layers) registry.plan(new RegExp(digest), stall(new Uint8Array(10), size));
    const controller = new AbortController();
    const pulling = store.pull(name, {
      signal: controller.signal,
      onEvent: ({ status }) => status === 'Downloading' && controller.abort(),
    });
    await expect(pulling).rejects.toMatchObject({ code: 'cancelled' });
    await expectClean();
  });
});

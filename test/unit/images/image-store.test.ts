import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainId, digestOf } from '../../../src/images/digest.ts';
import { imageDiskUsage } from '../../../src/images/disk-usage.ts';
import { collectGarbage } from '../../../src/images/gc.ts';
import { pruneImages, removeImage } from '../../../src/images/image-remove.ts';
import { imageHistory, imageRows, inspectImage, listImages } from '../../../src/images/image-views.ts';
import { importImage } from '../../../src/images/import.ts';
import { parseReference } from '../../../src/images/reference.ts';
import {
  chunks,
  createNodeHasher,
  memoryStore,
  openImages,
  sha256,
  type TestImages,
  tarOf,
} from '../../support/image-store.ts';

let clock = Date.parse('2026-01-01T00:00:00Z');

function newStore(): TestImages {
  return openImages(memoryStore(), () => clock);
}

/** Each image has bytes of its own and is a minute younger than the one before. */
async function add(store: TestImages, name: string | undefined, content: string | Uint8Array = randomBytes(20)) {
  clock += 60_000;
  const options = name === undefined ? {} : { reference: parseReference(name) };
  return importImage(store, chunks(await tarOf({ 'app.wasm': content })), {
    ...options,
    changes: ['CMD ["/app.wasm"]'],
  });
}

const context = (store: TestImages, users: Record<string, boolean> = {}) => ({
  images: store.images,
  collector: store.collector,
  usersOf: async (id: string) => (id in users ? [{ container: 'c0ffee', isRunning: users[id] as boolean }] : []),
});

describe('finding an image', () => {
  it('goes by name, id, digest and the first digits of the id', async () => {
    const store = newStore();
    const { id, manifest } = await add(store, 'hello');
    for (const name of [
      'hello',
      'hello:latest',
      'docker.io/library/hello',
      id,
      id.slice(7),
      id.slice(7, 19),
      `sha256:${id.slice(7, 15)}`,
      `hello@${manifest.digest}`,
      `hello:other@${manifest.digest}`,
    ]) {
      expect((await store.images.resolve(name)).id, name).toBe(id);
    }
    for (const name of [
      'hello:2',
      'other',
      `other@${manifest.digest}`,
      `hell@${manifest.digest}`,
      'ffffffffffff',
      sha256('x'),
    ]) {
      await expect(store.images.resolve(name), name).rejects.toMatchObject({ code: 'no-such-image' });
    }
  });

  it('prefers a name to an id that starts the same', async () => {
    const store = newStore();
    const { id } = await add(store, 'one');
    const named = await add(store, id.slice(7, 13));
    expect((await store.images.resolve(id.slice(7, 13))).id).toBe(named.id);
  });

  it('says when digits fit several images', async () => {
    const store = newStore();
    for (let i = 0; i < 40; i += 1) await store.images.put(await fakeImage(store, i));
    const ids = (await store.images.records()).map(({ id }) => id.slice(7));
    const digit = [...'0123456789abcdef'].find((d) => ids.filter((id) => id.startsWith(d)).length > 1) as string;
    const two = ids.filter((id) => id.startsWith(digit)).slice(0, 2) as [string, string];
    expect(two).toHaveLength(2);
    await expect(store.images.resolve(`sha256:${digit}`)).rejects.toMatchObject({ code: 'invalid-reference' });
    const records = await store.images.records();
    const clash = records.map((record, i) => ({
      ...record,
      key: `k${i}`,
      id: `sha256:abcd${record.id.slice(11)}` as const,
    }));
    const { RecordFiles } = await import('../../../src/images/store/records.ts');
    const files = new RecordFiles<(typeof clash)[0]>({
      fs: store.fs,
      dir: store.layout.images,
      tempDir: store.layout.tmp,
      createHasher: createNodeHasher,
      what: 'image record',
    });
    for (const record of clash) await files.put(record);
    await expect(store.images.resolve('abcd')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'image id abcd is ambiguous: it fits 40 images',
    });
  });

  it('suggests near names', async () => {
    const store = newStore();
    await add(store, 'hello');
    await add(store, 'ghcr.io/me/server:2');
    await expect(store.images.resolve('helo')).rejects.toMatchObject({
      message: 'no such image: helo',
      hint: 'did you mean hello?',
    });
    await expect(store.images.resolve('ghcr.io/me/sevrer:2')).rejects.toMatchObject({
      hint: 'did you mean ghcr.io/me/server:2?',
    });
    await expect(store.images.resolve('postgres')).rejects.toMatchObject({ hint: 'pull it with wctr pull postgres' });
  });
});

async function fakeImage(store: TestImages, seed: number) {
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const config = await store.content.put(
    'application/vnd.oci.image.config.v1+json',
    encode({ os: 'wasi', architecture: 'wasm', author: `${seed}`, rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const manifest = await store.content.put(
    'application/vnd.oci.image.manifest.v1+json',
    encode({ schemaVersion: 2, config, layers: [] }),
  );
  return { target: manifest, manifest };
}

describe('naming', () => {
  it('adds names, and keeps an image that lost its own', async () => {
    const store = newStore();
    const first = await add(store, 'app:1');
    await store.images.tag('app:1', 'app:stable');
    await store.images.tag(first.id, 'ghcr.io/me/app:1');
    expect((await listImages(store.images))[0]?.repoTags).toEqual(['app:1', 'app:stable', 'ghcr.io/me/app:1']);
    const second = await add(store, 'app:1');
    expect((await store.images.resolve('app:1')).id).toBe(second.id);
    expect((await store.images.resolve('app:stable')).id).toBe(first.id);
    await store.images.tag('app:1', 'app:stable');
    await store.images.tag('app:1', 'ghcr.io/me/app:1');
    const [, dangling] = await listImages(store.images);
    expect(dangling).toMatchObject({ id: first.id, isDangling: true, repoTags: [] });
    expect(imageRows(dangling as never)).toEqual([{ repository: '<none>', tag: '<none>', id: first.id.slice(7, 19) }]);
    await store.images.tag(first.id, 'back');
    expect((await listImages(store.images)).find(({ id }) => id === first.id)).toMatchObject({
      repoTags: ['back:latest'],
    });
    expect(await store.images.records()).toHaveLength(4);
  });

  it('refuses digests as tags, and images that are not whole', async () => {
    const store = newStore();
    const image = await add(store, 'app');
    await expect(store.images.tag('app', `x@${image.id}`)).rejects.toMatchObject({ code: 'invalid-reference' });
    await store.content.delete(image.blobs.at(-1) as never);
    await expect(
      store.images.put({ reference: parseReference('b'), target: image.target, manifest: image.manifest }),
    ).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/^image docker.io\/library\/b:latest is not complete: blob sha256:/),
    });
  });

  it('keeps names apart that differ in case only', async () => {
    const store = newStore();
    const a = await add(store, 'app:V');
    const b = await add(store, 'app:v');
    expect([(await store.images.resolve('app:V')).id, (await store.images.resolve('app:v')).id]).toEqual([a.id, b.id]);
  });
});

describe('what docker shows', () => {
  it('list, history and inspect', async () => {
    const store = newStore();
    const record = await add(store, 'hello:1', 'x');
    const [summary] = await listImages(store.images);
    expect(summary).toMatchObject({
      id: record.id,
      repoTags: ['hello:1'],
      platform: { os: 'wasip1', architecture: 'wasm' },
      sizeBytes: 2048,
    });
    expect(await imageHistory(store.images, 'hello:1')).toEqual([
      {
        id: record.id,
        created: record.created,
        createdBy: '',
        comment: 'Imported from -',
        sizeBytes: 2048,
        tags: ['hello:1'],
      },
    ]);
    expect(await inspectImage(store.images, 'hello:1')).toMatchObject({
      Id: record.id,
      RepoTags: ['hello:1'],
      RepoDigests: [],
      Architecture: 'wasm',
      Os: 'wasip1',
      Size: 2048,
      Config: { Cmd: ['/app.wasm'], Entrypoint: null, Env: [] },
      RootFS: { Type: 'layers', Layers: record.diffIds },
    });
  });

  it('a damaged record is reported, not in the way', async () => {
    const store = newStore();
    await add(store, 'good');
    await add(store, 'bad');
    const [file] = await Promise.all(
      (await store.fs.readdir(store.layout.images)).map(async (name) => {
        const path = `${store.layout.images}/${name}`;
        return new TextDecoder().decode(await store.fs.readFile(path)).includes('library/bad') ? path : undefined;
      }),
    ).then((paths) => paths.filter((path) => path !== undefined));
    const bytes = await store.fs.readFile(file as string);
    bytes[200]! ^= 1;
    await store.fs.writeFile(file as string, bytes);
    const problems: Error[] = [];
    expect(await listImages(store.images, (error) => problems.push(error))).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'store-corrupt', message: `the image record ${file} is damaged` });
    await expect(collectGarbage(store.collector)).rejects.toMatchObject({ code: 'store-corrupt' });
    await add(store, 'bad');
    await expect(collectGarbage(store.collector)).resolves.toMatchObject({ blobs: expect.any(Array) });
  });
});

describe('removing', () => {
  it('takes a name away, and the content with the last one', async () => {
    const store = newStore();
    const { id } = await add(store, 'app:1');
    await store.images.tag('app:1', 'app:2');
    expect(await removeImage(context(store), 'app:1')).toEqual({ items: [{ untagged: 'app:1' }], reclaimedBytes: 0 });
    expect((await removeImage(context(store), 'app:2')).items).toEqual([{ untagged: 'app:2' }, { deleted: id }]);
    expect(await store.content.list()).toEqual([]);
  });

  it('asks for force where docker does', async () => {
    const store = newStore();
    const { id } = await add(store, 'app:1');
    await store.images.tag('app:1', 'app:2');
    await expect(removeImage(context(store), id)).rejects.toMatchObject({
      code: 'conflict',
      message: `image ${id.slice(7, 19)} has several names: app:1, app:2`,
    });
    await removeImage(context(store), 'app:2');
    await expect(removeImage(context(store, { [id]: false }), 'app:1')).rejects.toMatchObject({
      code: 'in-use',
      message: 'image app:1 is used by the stopped container c0ffee',
    });
    await expect(removeImage(context(store, { [id]: true }), 'app:1', { force: true })).rejects.toMatchObject({
      code: 'in-use',
      message: 'image app:1 is used by the running container c0ffee',
    });
    expect((await removeImage(context(store, { [id]: false }), id.slice(7, 19), { force: true })).items).toHaveLength(
      2,
    );
  });

  it('prunes what has no name, or what no container uses', async () => {
    const store = newStore();
    const nameless = await add(store, undefined);
    const used = await add(store, 'used');
    const unused = await add(store, 'unused');
    expect((await pruneImages(context(store))).items).toEqual([{ deleted: nameless.id }]);
    const pruned = await pruneImages(context(store, { [used.id]: false }), { all: true });
    expect(pruned.items).toEqual([{ untagged: 'unused:latest' }, { deleted: unused.id }]);
    expect(pruned.reclaimedBytes).toBeGreaterThan(2000);
    expect((await listImages(store.images)).map(({ id }) => id)).toEqual([used.id]);
  });
});

describe('collecting garbage', () => {
  it('keeps what names, containers and leases need, removes the rest with its layers and indexes', async () => {
    const store = newStore();
    const { fs, layout, collector, images } = store;
    const named = await add(store, 'named');
    const contained = await add(store, 'contained');
    const gone = await add(store, 'gone');
    const leased = await store.content.put('text/plain', randomBytes(10));
    const orphan = await store.content.put('text/plain', randomBytes(10));
    const chain = chainId(createNodeHasher, named.diffIds) as string;
    for (const dir of [layout.layers, layout.rootfs]) await fs.mkdir(dir, { recursive: true });
    const keep = [named, contained].map(({ diffIds }) => `${layout.layers}/${diffIds[0]?.slice(7)}.tar`);
    const drop = `${layout.layers}/${gone.diffIds[0]?.slice(7)}.tar`;
    for (const path of [...keep, drop, `${layout.rootfs}/${chain.slice(7)}`, `${layout.rootfs}/${'0'.repeat(64)}`])
      await fs.writeFile(path, 'x');
    await images.forget([contained, gone]);
    store.roots.manifests.push(contained.manifest.digest);
    store.roots.stacks.push([...contained.diffIds]);
    const lease = store.leases.open();
    await lease.pin([leased.digest]);

    const collected = await collectGarbage(collector);
    expect(new Set(collected.blobs)).toEqual(new Set([...gone.blobs, orphan.digest]));
    expect([...collected.layers].sort()).toEqual([`${'0'.repeat(64)}`, `${gone.diffIds[0]?.slice(7)}.tar`].sort());
    expect(await store.content.has(leased.digest)).toBe(true);
    await lease.release();
    expect((await collectGarbage(collector)).blobs).toEqual([leased.digest]);
    expect(await fs.readdir(layout.leases)).toEqual([]);
    expect(await store.content.verifyAll()).toEqual([]);
    expect((await images.open('named')).diffIds).toEqual(named.diffIds);
  });

  it('ends the lease of an owner that is gone after a minute', async () => {
    const store = newStore();
    const blob = await store.content.put('text/plain', randomBytes(10));
    const lease = store.leases.open();
    await lease.pin([blob.digest]);
    clock += 59_000;
    expect((await collectGarbage(store.collector)).blobs).toEqual([]);
    clock += 2_000;
    expect((await collectGarbage(store.collector)).blobs).toEqual([blob.digest]);
    await lease.release();
  });

  it('sweeps partials nobody works on, and old temp files', async () => {
    const store = newStore();
    const digest = digestOf(createNodeHasher, new Uint8Array([1]));
    await store.fs.mkdir(store.layout.tmp, { recursive: true });
    await store.fs.writeFile(store.layout.partial(digest), 'half');
    await store.fs.writeFile(`${store.layout.tmp}/write-x`, 'x');
    const lock = await store.locks.acquire(`ingest-sha256-${digest.slice(7)}`);
    clock = Date.now();
    await collectGarbage(store.collector);
    expect((await store.fs.readdir(store.layout.tmp)).sort()).toEqual([`ingest-sha256-${digest.slice(7)}`, 'write-x']);
    await lock.release();
    clock += 61 * 60_000;
    await collectGarbage(store.collector);
    expect(await store.fs.readdir(store.layout.tmp)).toEqual([]);
  });

  it('counts what images take', async () => {
    const store = newStore();
    const a = await add(store, 'a', 'same');
    const b = await importImage({ ...store, now: () => 5 }, chunks(await tarOf({ 'app.wasm': 'same' })), {
      reference: parseReference('b'),
    });
    expect(b.diffIds).toEqual(a.diffIds);
    const usage = await imageDiskUsage({ ...store.collector, images: store.images }, async (id) =>
      id === a.id ? 1 : 0,
    );
    expect(usage).toMatchObject({ imageCount: 2, activeCount: 1 });
    expect(usage.images.map(({ sharedBytes }) => sharedBytes)).toEqual([2048, 2048]);
    const blobBytes = (await store.content.list()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(usage.totalBytes).toBe(blobBytes);
    expect(usage.reclaimableBytes).toBe(usage.images.find(({ summary }) => summary.id === b.id)?.uniqueBytes);
  });
});

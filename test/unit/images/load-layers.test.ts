/** Load, import, save and collect with the true layer store: what a container would be given. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { collect } from '../../../src/images/archive/files.ts';
import { collectGarbage } from '../../../src/images/gc.ts';
import { importImage } from '../../../src/images/import.ts';
import { Layers } from '../../../src/images/layers.ts';
import { loadPath, loadStream } from '../../../src/images/load.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { saveImages } from '../../../src/images/save.ts';
import {
  chunks,
  createNodeHasher,
  diskStore,
  memoryStore,
  openImages,
  sha256,
  type TestImages,
  type TestStore,
  tarOf,
  tempDir,
} from '../../support/image-store.ts';
import { core } from '../../support/layers.ts';
import { peer } from '../../support/peers.ts';

function open(store: TestStore, locateBy: 'path' | 'bytes'): TestImages {
  const { fs, layout, locks, content } = store;
  const createHasher = createNodeHasher;
  return openImages(store, Date.now, new Layers({ fs, layout, locks, content, core, createHasher, locateBy }));
}

describe.each([
  ['on disk', (root: string) => open(diskStore(root), 'path')],
  ['in memory', () => open(memoryStore(), 'bytes')],
])('with true layers %s', (_, openStore) => {
  it.each([
    ['plain', (tar: Uint8Array) => tar],
    ['gzip', (tar: Uint8Array) => gzipSync(tar)],
  ])('imports a %s tar, saves it, loads it again, and lets go of it', async (_name, pack) => {
    using dir = tempDir();
    const store = openStore(join(dir.path, 'a'));
    const tar = await tarOf({ 'app.wasm': 'x'.repeat(10_000), 'etc/conf': 'y' });
    const record = await importImage(store, chunks(pack(tar)), { reference: parseReference('app') });
    expect(record).toMatchObject({ diffIds: [sha256(tar)], sizeBytes: tar.length });
    const saved = await collect(await saveImages(store.images, ['app']));
    const other = openStore(join(dir.path, 'b'));
    const [loaded] = await loadStream(other, chunks(saved));
    expect(loaded).toMatchObject({ id: record.id, diffIds: record.diffIds, sizeBytes: tar.length });
    const rootfs = await other.layers.rootfs(record.diffIds);
    const [layer] = rootfs.layers;
    expect(
      layer && Buffer.from('path' in layer ? readFileSync(layer.path) : layer.bytes).equals(Buffer.from(tar)),
    ).toBe(true);

    await collectGarbage(other.collector);
    expect(await other.layers.get(sha256(tar))).toMatchObject({ tarSizeBytes: tar.length });
    await other.images.forget(await other.images.records());
    const collected = await collectGarbage(other.collector);
    expect(collected.layers).toHaveLength(2);
    expect(collected.reclaimedBytes).toBeGreaterThan(tar.length);
    expect(await other.layers.get(sha256(tar))).toBeUndefined();
    expect(await other.fs.readdir(other.layout.tmp)).toEqual([]);
  });

  it('refuses a layer that is not what the config says, and keeps nothing', async () => {
    using dir = tempDir();
    const store = openStore(join(dir.path, 'a'));
    const config = JSON.stringify({
      os: 'wasi',
      architecture: 'wasm',
      rootfs: { type: 'layers', diff_ids: [sha256('other')] },
    });
    const archive = await tarOf({
      'manifest.json': JSON.stringify([{ Config: 'c.json', RepoTags: ['bad:1'], Layers: ['l.tar'] }]),
      'c.json': config,
      'l.tar': await tarOf({ a: 'b' }),
    });
    await expect(loadStream(store, chunks(archive))).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await store.images.records()).toEqual([]);
    await collectGarbage(store.collector);
    expect(await store.content.list()).toEqual([]);
  });
});

describe.skipIf(!peer('umoci'))('umoci', () => {
  it('makes images that load here and unpacks what save writes', async () => {
    using dir = tempDir();
    const umoci = (...args: string[]) => execFileSync(peer('umoci') as string, args, { stdio: 'pipe', cwd: dir.path });
    umoci('init', '--layout', 'made');
    umoci('new', '--image', 'made:v1');
    // not umoci insert: version 0.4.7 forgets the padding after the last file, which GNU tar refuses as well
    umoci('unpack', '--rootless', '--image', 'made:v1', 'empty');
    mkdirSync(join(dir.path, 'empty/rootfs/opt/sub'), { recursive: true });
    writeFileSync(join(dir.path, 'empty/rootfs/opt/sub/file'), 'content');
    umoci('repack', '--image', 'made:v1', 'empty');
    umoci(
      'config',
      '--image',
      'made:v1',
      '--config.entrypoint',
      '/opt/app.wasm',
      '--os',
      'wasip1',
      '--architecture',
      'wasm',
    );
    const store = open(diskStore(join(dir.path, 'store')), 'path');
    const [record] = await loadPath(store, nodeFileSystem, join(dir.path, 'made'), { name: parseReference('made') });
    expect(record).toMatchObject({
      reference: 'docker.io/library/made:v1',
      platform: { os: 'wasip1', architecture: 'wasm' },
    });
    expect((await store.images.open('made:v1')).config.process.Entrypoint).toEqual(['/opt/app.wasm']);

    writeFileSync(join(dir.path, 'saved.tar'), await collect(await saveImages(store.images, ['made:v1'])));
    mkdirSync(join(dir.path, 'saved'));
    execFileSync('tar', ['-xf', 'saved.tar', '-C', 'saved'], { cwd: dir.path });
    umoci('raw', 'unpack', '--rootless', '--image', 'saved:v1', 'rootfs');
    expect(readFileSync(join(dir.path, 'rootfs/opt/sub/file'), 'utf8')).toBe('content');
  });
});

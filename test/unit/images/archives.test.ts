import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWctrError } from '../../../src/errors.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { bytesReader, collect } from '../../../src/images/archive/files.ts';
import { writeMembers } from '../../../src/images/archive/oci-layout.ts';
import { openTar } from '../../../src/images/archive/tar-archive.ts';
import { importImage } from '../../../src/images/import.ts';
import { loadPath, loadStream } from '../../../src/images/load.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { layoutOf, saveImages } from '../../../src/images/save.ts';
import { MEDIA_TYPE } from '../../../src/spec/image-spec.ts';
import {
  chunks,
  diskStore,
  memoryStore,
  openImages,
  sha256,
  type TestImages,
  tarOf,
  tempDir,
} from '../../support/image-store.ts';
import { peer } from '../../support/peers.ts';

async function withImage(name = 'hello:1'): Promise<TestImages> {
  const store = openImages(memoryStore());
  await importImage({ ...store, now: () => 1e12 }, chunks(await tarOf({ 'app.wasm': '\0asm\x01\0\0\0' })), {
    reference: parseReference(name),
    changes: [
      'ENTRYPOINT ["/app.wasm"]',
      'ENV A=1 B="two words"',
      'LABEL x=y',
      'EXPOSE 80',
      'VOLUME /data',
      'WORKDIR /w',
    ],
  });
  return store;
}

describe('save and load', () => {
  it('gives the same bytes for the same image, and the same image for the bytes', async () => {
    const store = await withImage();
    const tar = await collect(await saveImages(store.images, ['hello:1']));
    expect(sha256(await collect(await saveImages(store.images, ['hello:1'])))).toBe(sha256(tar));
    const other = openImages(memoryStore());
    const [record] = await loadStream(other, chunks(tar, 1000));
    expect(record).toMatchObject({
      reference: 'docker.io/library/hello:1',
      id: (await store.images.resolve('hello:1')).id,
    });
    expect(sha256(await collect(await saveImages(other.images, ['hello:1'])))).toBe(sha256(tar));
    expect(await other.fs.readdir(other.layout.tmp)).toEqual([]);
  });

  it('loads what is gzipped', async () => {
    const store = await withImage();
    const tar = await collect(await saveImages(store.images, ['hello:1']));
    const other = openImages(memoryStore());
    await loadStream(other, chunks(gzipSync(tar)));
    expect((await other.images.open('hello:1')).config.process).toMatchObject({
      Entrypoint: ['/app.wasm'],
      Env: ['A=1', 'B=two words'],
      Labels: { x: 'y' },
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/w',
    });
  });

  it('saves several names and ids, each as it was given', async () => {
    const store = await withImage();
    await store.images.tag('hello:1', 'ghcr.io/me/hello:2');
    const { id } = await store.images.resolve('hello:1');
    const named = await loadStream(
      openImages(memoryStore()),
      await saveImages(store.images, ['hello:1', 'ghcr.io/me/hello:2']),
    );
    expect(named).toHaveLength(1);
    const other = openImages(memoryStore());
    await loadStream(other, await saveImages(store.images, ['hello:1', 'ghcr.io/me/hello:2']));
    expect((await other.images.records()).map(({ key }) => key).sort()).toEqual([
      'docker.io/library/hello:1',
      'ghcr.io/me/hello:2',
    ]);
    const nameless = openImages(memoryStore());
    const [record] = await loadStream(nameless, await saveImages(store.images, [id.slice(7, 19)]));
    expect(record).not.toHaveProperty('reference');
    expect(record?.id).toBe(id);
  });

  it('reads a layout directory', async () => {
    using dir = tempDir();
    const store = await withImage();
    await writeMembers(nodeFileSystem, join(dir.path, 'layout'), await layoutOf(store.images, ['hello:1']));
    expect(readdirSync(join(dir.path, 'layout')).sort()).toEqual([
      'blobs',
      'index.json',
      'manifest.json',
      'oci-layout',
    ]);
    const other = openImages(memoryStore());
    const [record] = await loadPath(other, nodeFileSystem, join(dir.path, 'layout'));
    expect(record?.reference).toBe('docker.io/library/hello:1');
  });

  it('reads an old docker archive: plain layers, one of them a link to another', async () => {
    using dir = tempDir();
    const layer = await tarOf({ 'a.txt': 'a' });
    const config = JSON.stringify({
      architecture: 'wasm',
      os: 'wasi',
      config: { Cmd: ['/a'] },
      rootfs: { type: 'layers', diff_ids: [sha256(layer), sha256(layer)] },
    });
    const root = join(dir.path, 'x');
    mkdirSync(join(root, 'l1'), { recursive: true });
    mkdirSync(join(root, 'l2'));
    writeFileSync(join(root, 'l1/layer.tar'), layer);
    execFileSync('ln', ['-s', '../l1/layer.tar', join(root, 'l2/layer.tar')]);
    writeFileSync(join(root, 'c.json'), config);
    writeFileSync(
      join(root, 'manifest.json'),
      JSON.stringify([{ Config: 'c.json', RepoTags: ['old:1'], Layers: ['l1/layer.tar', 'l2/layer.tar'] }]),
    );
    execFileSync('tar', ['-cf', join(dir.path, 'old.tar'), '-C', root, '.']);
    const store = openImages(memoryStore());
    const [record] = await loadPath(store, nodeFileSystem, join(dir.path, 'old.tar'));
    expect(record).toMatchObject({ id: sha256(config), diffIds: [sha256(layer), sha256(layer)] });
  });

  it.each<[string, Record<string, string>, { code: string; message: RegExp }]>([
    ['a plain tar', { x: 'y' }, { code: 'invalid-manifest', message: /neither an OCI layout nor a docker archive$/ }],
    [
      'a layout without its blobs',
      {
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'index.json': JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType: MEDIA_TYPE.ociManifest, digest: sha256('x'), size: 1 }],
        }),
      },
      { code: 'not-found', message: /does not hold blob sha256:/ },
    ],
    [
      'a manifest that is not what its digest says',
      {
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'index.json': JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType: MEDIA_TYPE.ociManifest, digest: sha256('x'), size: 1 }],
        }),
        [`blobs/sha256/${sha256('x').slice(7)}`]: 'y',
      },
      { code: 'digest-mismatch', message: /^blob sha256:/ },
    ],
    [
      'an unknown layout version',
      { 'oci-layout': '{"imageLayoutVersion":"2.0.0"}', 'index.json': '{}' },
      { code: 'invalid-manifest', message: /version "2.0.0" is not 1.x$/ },
    ],
    [
      'a docker list that is none',
      { 'manifest.json': '{}' },
      { code: 'invalid-manifest', message: /the list is not an array$/ },
    ],
  ])('refuses %s and keeps nothing', async (_, files, expected) => {
    const store = openImages(memoryStore());
    await expect(loadStream(store, chunks(await tarOf(files)))).rejects.toMatchObject({
      code: expected.code,
      message: expect.stringMatching(expected.message),
    });
    expect(await store.content.list()).toEqual([]);
    expect(await store.fs.readdir(store.layout.tmp)).toEqual([]);
  });

  it.each(['truncated', 'not a tar', 'empty'])('refuses an archive that is %s', async (how) => {
    const store = openImages(memoryStore());
    const tar = await collect(await saveImages((await withImage()).images, ['hello:1']));
    const bytes =
      how === 'truncated' ? tar.subarray(0, 2000) : how === 'empty' ? new Uint8Array() : new Uint8Array(5000).fill(65);
    await expect(loadStream(store, chunks(bytes))).rejects.toMatchObject({ code: 'invalid-layer' });
  });
});

describe('tars read in place', () => {
  it('closes what turns out to be no tar: newer Nodes end the process over a file handle left to the collector', async () => {
    let closed = 0;
    const reader = { ...bytesReader(new TextEncoder().encode('no tar')), close: async () => void closed++ };
    await expect(openTar(reader, 'it')).rejects.toMatchObject({ code: 'invalid-layer' });
    expect(closed).toBe(1);
  });

  it('agrees with GNU tar on long names, links, PAX and sizes', async () => {
    using dir = tempDir();
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`;
    mkdirSync(join(dir.path, 'in', long.slice(0, 181)), { recursive: true });
    writeFileSync(join(dir.path, 'in', long), 'long');
    writeFileSync(join(dir.path, 'in/plain'), 'plain');
    execFileSync('ln', [join(dir.path, 'in/plain'), join(dir.path, 'in/hard')]);
    execFileSync('ln', ['-s', 'plain', join(dir.path, 'in/soft')]);
    execFileSync('ln', ['-s', '../../../etc/passwd', join(dir.path, 'in/escape')]);
    execFileSync('ln', ['-s', 'loop', join(dir.path, 'in/loop')]);
    for (const format of ['gnu', 'pax']) {
      const path = join(dir.path, `${format}.tar`);
      execFileSync('tar', [`--format=${format}`, '-cf', path, '-C', join(dir.path, 'in'), '.']);
      const files = await openTar(bytesReader(readFileSync(path)), format);
      const text = async (name: string) => new TextDecoder().decode(await collect(files.stream(name)));
      expect(await text(long)).toBe('long');
      expect(await text('./plain')).toBe('plain');
      expect([await text('hard'), await text('soft')]).toEqual(['plain', 'plain']);
      expect([await files.size('escape'), await files.size('loop'), await files.size('no')]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
  });
});

it('any damage to an archive is an error of ours or does no harm', async () => {
  const tar = await collect(await saveImages((await withImage()).images, ['hello:1']));
  const mutation = fc.record({ at: fc.nat(tar.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
      const bytes = Uint8Array.from(tar);
      for (const { at, byte } of mutations) bytes[at] = byte;
      const store = openImages(memoryStore());
      await loadStream(store, chunks(bytes)).catch((error: unknown) => {
        if (!isWctrError(error)) throw error;
      });
      expect(await store.content.verifyAll()).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

describe.skipIf(!peer('skopeo'))('skopeo', () => {
  const skopeo = (...args: string[]) =>
    execFileSync(peer('skopeo') as string, ['--insecure-policy', ...args], { stdio: 'pipe', encoding: 'utf8' });
  const copy = (from: string, to: string) =>
    skopeo('copy', '--override-os', 'wasip1', '--override-arch', 'wasm', from, to);

  it('reads what save writes, as layout and as docker archive, and load reads what skopeo writes', async () => {
    using dir = tempDir();
    const store = await withImage();
    const saved = join(dir.path, 'saved.tar');
    writeFileSync(saved, await collect(await saveImages(store.images, ['hello:1'])));
    mkdirSync(join(dir.path, 'unpacked'));
    execFileSync('tar', ['-xf', saved, '-C', join(dir.path, 'unpacked')]);
    const { id } = await store.images.resolve('hello:1');

    copy(`oci:${join(dir.path, 'unpacked')}:1`, `oci:${join(dir.path, 'from-layout')}:latest`);
    copy(`oci-archive:${saved}:1`, `oci-archive:${join(dir.path, 'from-oci.tar')}:1`);
    copy(`docker-archive:${saved}:hello:1`, `docker-archive:${join(dir.path, 'from-docker.tar')}:again:3`);
    copy(`docker-archive:${saved}:hello:1`, `dir:${join(dir.path, 'plain')}`);

    const other = openImages(diskStore(join(dir.path, 'store')));
    const [layout] = await loadPath(other, nodeFileSystem, join(dir.path, 'from-layout'), {
      name: parseReference('a/b'),
    });
    expect(layout).toMatchObject({ reference: 'docker.io/a/b:latest', id });
    const [oci] = await loadPath(other, nodeFileSystem, join(dir.path, 'from-oci.tar'), { name: parseReference('c') });
    expect(oci).toMatchObject({ reference: 'docker.io/library/c:1', id });
    const [docker] = await loadPath(other, nodeFileSystem, join(dir.path, 'from-docker.tar'));
    expect(docker).toMatchObject({ reference: 'docker.io/library/again:3', id });
  });
});

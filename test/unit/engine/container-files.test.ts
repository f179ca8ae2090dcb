import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../../../src/containers/files/tar-reader.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/node.ts';
import type { HostConfig } from '../../../src/spec/engine-api.ts';
import { collect, pieces } from '../../support/container-files.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { entry, join } from '../../support/tar-builder.ts';

const END = new Uint8Array(1024);

let dataRoot: string;
let engine: Engine;

beforeAll(async () => {
  dataRoot = mkdtempSync(joinPath(tmpdir(), 'wctr-files-'));
  engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const tar = join([
    entry({ name: 'app.wasm', data: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }),
    entry({ name: 'data/', type: '5', mode: 0o750 }),
    entry({ name: 'data/seed', data: 'from the image', mode: 0o640 }),
    entry({ name: 'data/sub/', type: '5' }),
    entry({ name: 'data/sub/link', type: '2', link: '../seed' }),
    entry({ name: 'etc/', type: '5' }),
    entry({ name: 'etc/conf', data: 'old' }),
    END,
  ]);
  await engine.images.import(pieces(tar), { reference: 'files:latest', changes: ['CMD ["/app.wasm"]', 'LABEL a=b'] });
});

afterAll(async () => {
  await engine.close();
  removeTree(dataRoot);
});

async function create(HostConfig: HostConfig = {}): Promise<string> {
  return (await engine.containers.create({ Image: 'files:latest', HostConfig })).Id;
}

async function contents(tar: AsyncIterable<Uint8Array>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, data } of readTar(tar)) found[name] = new TextDecoder().decode(await collect(data));
  return found;
}

const put = (id: string, path: string, files: Record<string, string>) =>
  engine.containers.putArchive(
    id,
    path,
    pieces(join([...Object.entries(files).map(([name, data]) => entry({ name, data, mtime: 1000 })), END])),
  );

describe('files of a container that does not run', () => {
  it('are copied in and out, and stay', async () => {
    const id = await create();
    await put(id, '/etc', { conf: 'new', more: 'x' });
    const { stat, tar } = await engine.containers.getArchive(id, '/etc/conf');
    expect(stat).toMatchObject({ name: 'conf', size: 3 });
    expect(await contents(tar)).toEqual({ conf: 'new' });
    expect(await engine.containers.changes(id)).toEqual([
      { Path: '/etc', Kind: 0 },
      { Path: '/etc/conf', Kind: 0 },
      { Path: '/etc/more', Kind: 1 },
    ]);
    const exported = await contents(engine.containers.export(id));
    expect(exported).toMatchObject({ 'etc/conf': 'new', 'data/seed': 'from the image', 'dev/': '' });
    expect(Object.keys(exported).filter((name) => name.startsWith('dev/'))).toEqual(['dev/']);
    await expect(engine.containers.statPath(id, '/nope')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Could not find the file /nope in container'),
    });
    await engine.containers.remove(id);
  });

  it('unpack gzip on the way in', async () => {
    const id = await create();
    const plain = join([entry({ name: 'z', data: 'zipped' }), END]);
    const packed = new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip'));
    await engine.containers.putArchive(id, '/', packed as unknown as AsyncIterable<Uint8Array>);
    expect(await contents((await engine.containers.getArchive(id, '/z')).tar)).toEqual({ z: 'zipped' });
    await engine.containers.remove(id);
  });

  it('become an image, the same layer for the same files', async () => {
    const images: { RootFS: { Layers: string[] }; Config: Record<string, unknown>; Author: string }[] = [];
    for (const tag of ['one', 'two']) {
      const id = await create();
      await put(id, '/etc', { conf: 'committed' });
      // The directory's own time is part of the layer.
      await engine.containers.putArchive(id, '/', pieces(join([entry({ name: 'etc/', type: '5', mtime: 5 }), END])));
      const { Id } = await engine.containers.commit(id, {
        reference: `made:${tag}`,
        author: 'somebody',
        message: 'why',
        changes: ['ENV X=1', 'CMD ["/app.wasm","go"]'],
      });
      images.push((await engine.images.inspect(`made:${tag}`)) as never);
      expect(Id).toMatch(/^sha256:/);
      await engine.containers.remove(id);
    }
    const [one, two] = images;
    expect(one!.RootFS.Layers).toHaveLength(2);
    expect(one!.RootFS.Layers).toEqual(two!.RootFS.Layers);
    expect(one!.Config).toMatchObject({
      Cmd: ['/app.wasm', 'go'],
      Env: expect.arrayContaining(['X=1']),
      Labels: { a: 'b' },
    });
    expect(one!.Author).toBe('somebody');
    const [newest] = await engine.images.history('made:one');
    expect(newest).toMatchObject({ comment: 'why', createdBy: '/app.wasm' });
    const { Id } = await engine.containers.create({ Image: 'made:one' });
    expect(await contents((await engine.containers.getArchive(Id, '/etc/conf')).tar)).toEqual({ conf: 'committed' });
    expect(await engine.containers.changes(Id)).toEqual([]);
    await engine.containers.remove(Id);
  });

  it('without a change add no layer', async () => {
    const id = await create();
    await engine.containers.commit(id, { reference: 'same:1' });
    const { RootFS } = (await engine.images.inspect('same:1')) as { RootFS: { Layers: string[] } };
    expect(RootFS.Layers).toHaveLength(1);
    await expect(engine.containers.commit(id, { changes: ['RUN x'] })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await engine.containers.remove(id);
  });
});

describe('volumes of containers', () => {
  it('are made at the creation, are in use from then on, and go with rm -v when nobody named them', async () => {
    const id = await create({ Binds: ['named:/n', '/anon'] });
    const { Mounts } = await engine.containers.inspect(id);
    expect(Mounts.map(({ Type, Destination, Driver, RW }) => [Type, Destination, Driver, RW])).toEqual([
      ['volume', '/n', 'local', true],
      ['volume', '/anon', 'local', true],
    ]);
    await expect(engine.volumes.remove('named')).rejects.toMatchObject({ code: 'in-use' });
    const other = (await engine.containers.create({ Image: 'files:latest', HostConfig: { VolumesFrom: [`${id}:ro`] } }))
      .Id;
    const from = (await engine.containers.inspect(other)).Mounts;
    expect(from.map(({ Name, RW }) => [Name, RW])).toEqual(Mounts.map(({ Name }) => [Name, false]));
    await engine.containers.remove(id, { volumes: true });
    expect((await engine.volumes.list()).Volumes.map(({ Name }) => Name).sort()).toEqual(
      Mounts.map(({ Name }) => Name!).sort(),
    );
    await engine.containers.remove(other, { volumes: true });
    expect((await engine.volumes.list()).Volumes.map(({ Name }) => Name)).toEqual(['named']);
    await engine.volumes.remove('named');
  });

  it('are seen by cp, and what is written there is no change of the container', async () => {
    const [one, two] = [await create({ Binds: ['shared:/v'] }), await create({ Binds: ['shared:/w'] })];
    await put(one, '/v', { note: 'hello' });
    expect(await contents((await engine.containers.getArchive(two, '/w/note')).tar)).toEqual({ note: 'hello' });
    const { Mountpoint } = await engine.volumes.inspect('shared');
    expect(readFileSync(joinPath(Mountpoint, 'note'), 'utf8')).toBe('hello');
    expect((await engine.containers.changes(one)).map(({ Path }) => Path).filter((path) => path !== '/v')).toEqual([]);
    for (const id of [one, two]) await engine.containers.remove(id);
    await engine.volumes.remove('shared');
  });

  it('refuse what leads elsewhere before anything is made', async () => {
    for (const bind of ['../up:/x', 'vol:/../..', 'vol:rel', 'vol:/x:what']) {
      await expect(create({ Binds: [bind] })).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    expect((await engine.volumes.list()).Volumes).toEqual([]);
    expect(await engine.containers.list({ all: true })).toEqual([]);
  });
});

describe('volumes at a start', () => {
  it('are filled from the image once', async () => {
    const id = await create({ Binds: ['filled:/data'] });
    // The program is no real one: what comes before it is what is looked at.
    await engine.containers.start(id).catch(() => {});
    const { Mountpoint } = await engine.volumes.inspect('filled');
    expect(readdirSync(Mountpoint).sort()).toEqual(['seed', 'sub']);
    expect(readFileSync(joinPath(Mountpoint, 'sub', 'link'), 'utf8')).toBe('from the image');
    expect(statSync(joinPath(Mountpoint, 'seed')).mode & 0o777).toBe(0o640);
    await engine.containers.remove(id, { force: true });
  }, 30_000);
});

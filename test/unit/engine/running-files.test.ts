/** Files of containers that run: the same use cases, over the control socket of the container's own process. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../../../src/containers/files/tar-reader.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/node.ts';
import type { HostConfig } from '../../../src/spec/engine-api.ts';
import { collect, pieces } from '../../support/container-files.ts';
import { peer } from '../../support/peers.ts';
import { writeLayout } from '../../support/registry-images.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { smokeImage } from '../../support/smoke-image.ts';
import { entry, join } from '../../support/tar-builder.ts';

const END = new Uint8Array(1024);

let dataRoot: string;
let engine: Engine;
let image: string;
const made: string[] = [];

beforeAll(async () => {
  dataRoot = mkdtempSync(joinPath(tmpdir(), 'wctr-running-'));
  engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const layout = joinPath(dataRoot, 'layout');
  writeLayout(layout, 'smoke:latest', smokeImage());
  image = (await engine.images.load({ directory: layout }))[0]!.references[0]!;
}, 60_000);

afterAll(async () => {
  for (const id of made) await engine.containers.remove(id, { force: true, volumes: true }).catch(() => {});
  await engine.close();
  removeTree(dataRoot);
});

async function start(args: readonly string[], HostConfig: HostConfig = {}): Promise<string> {
  const request = { Image: image, Cmd: args, HostConfig: { NetworkMode: 'none', ...HostConfig } };
  const { Id } = await engine.containers.create(request);
  made.push(Id);
  await engine.containers.start(Id);
  return Id;
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
    pieces(join([...Object.entries(files).map(([name, data]) => entry({ name, data })), END]), 60_000),
  );

const get = async (id: string, path: string) => contents((await engine.containers.getArchive(id, path)).tar);

describe('files of a running container', () => {
  it('are copied, listed as changes and committed while it runs, and are there after a stop', async () => {
    const id = await start(['sleep', '600000']);
    const big = 'x'.repeat(3_000_000);
    await put(id, '/', { 'in/note': 'hello', 'in/big': big });
    expect(await get(id, '/in/note')).toEqual({ note: 'hello' });
    expect((await get(id, '/in'))['in/big']).toBe(big);
    expect(await engine.containers.statPath(id, '/etc/motd')).toMatchObject({ name: 'motd', size: 15 });
    await expect(engine.containers.statPath(id, '/nope')).rejects.toMatchObject({ code: 'not-found' });
    const changes = [
      { Path: '/in', Kind: 1 },
      { Path: '/in/big', Kind: 1 },
      { Path: '/in/note', Kind: 1 },
    ];
    expect(await engine.containers.changes(id)).toEqual(changes);
    await engine.containers.commit(id, { reference: 'running:1' });
    expect((await contents(engine.containers.export(id)))['in/note']).toBe('hello');
    await engine.containers.stop(id, { timeoutSeconds: 0 });
    expect(await engine.containers.changes(id)).toEqual(changes);
    await engine.containers.commit(id, { reference: 'running:2' });
    const layers = async (name: string) =>
      ((await engine.images.inspect(name)) as { RootFS: { Layers: string[] } }).RootFS.Layers;
    expect(await layers('running:2')).toEqual(await layers('running:1'));
    expect(await layers('running:1')).toHaveLength(3);
  }, 60_000);

  it('say why an archive was not taken, and go on', async () => {
    const id = await start(['sleep', '600000']);
    await expect(put(id, '/nope', { a: 'b' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(put(id, '/etc', { '../../up': 'b' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await put(id, '/etc', { fine: 'b' });
    expect(await get(id, '/etc/fine')).toEqual({ fine: 'b' });
  }, 60_000);

  it('see what another container writes to the same volume', async () => {
    const writer = await start(['write', '/v/from-guest', 'shared words'], { Binds: ['both:/v'] });
    await engine.containers.wait(writer);
    const reader = await start(['read', '/w/from-guest'], { Binds: ['both:/w:ro'] });
    await engine.containers.wait(reader);
    let log = '';
    for await (const { bytes } of engine.containers.logs(reader, { stdout: true, stderr: true })) {
      log += new TextDecoder().decode(bytes);
    }
    expect(log).toBe('shared words');
    const { Mountpoint } = await engine.volumes.inspect('both');
    expect(readFileSync(joinPath(Mountpoint, 'from-guest'), 'utf8')).toBe('shared words');
  }, 60_000);

  it.skipIf(!peer('umoci') || !peer('skopeo'))(
    'become a layer that umoci and skopeo read the same way',
    async () => {
      const id = await start(['rm', '/etc/motd']);
      await engine.containers.wait(id);
      await expect(put(id, '/', { 'bin/busybox/inner': 'x' })).rejects.toMatchObject({ code: 'conflict' });
      const replaced = join([
        entry({ name: 'bin/busybox/', type: '5', mode: 0o755 }),
        entry({ name: 'bin/busybox/inner', data: 'a directory now' }),
        entry({ name: 'new/file', data: 'added' }),
        END,
      ]);
      await engine.containers.putArchive(id, '/', pieces(replaced));
      await engine.containers.commit(id, { reference: 'umoci:1' });
      const archive = joinPath(dataRoot, 'image.tar');
      writeFileSync(archive, await collect(engine.images.save(['umoci:1'])));
      const run = (command: string, args: string[]) => execFileSync(command, args, { cwd: dataRoot, stdio: 'pipe' });
      run(peer('skopeo')!, ['copy', '-q', `oci-archive:${archive}`, 'oci:unpacked:1']);
      // Its bundles are Linux' alone; raw is the files.
      run(peer('umoci')!, ['raw', 'unpack', '--rootless', '--image', 'unpacked:1', 'raw-rootfs']);
      const found = readdirSync(joinPath(dataRoot, 'raw-rootfs'), { recursive: true }).map(String).sort();
      expect(found).toEqual(['bin', 'bin/busybox', 'bin/busybox/inner', 'etc', 'new', 'new/file']);
    },
    60_000,
  );

  it('are not reached while it is paused, and that is said at once', async () => {
    const id = await start(['sleep', '600000']);
    await engine.containers.pause(id);
    const { containers } = engine;
    for (const ask of [() => containers.changes(id), () => containers.statPath(id, '/'), () => containers.commit(id)]) {
      await expect(ask()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('paused') });
    }
    await engine.containers.unpause(id);
    expect(await engine.containers.changes(id)).toEqual([]);
  }, 60_000);
});

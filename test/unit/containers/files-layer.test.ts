import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KernelFiles } from '../../../src/containers/files/kernel-files.ts';
import { readTar } from '../../../src/containers/files/tar-reader.ts';
import * as abi from '../../../src/core/abi/kernel.ts';
import { accessOf, collect, pieces } from '../../support/container-files.ts';
import type { Guest } from '../../support/guest.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';
import { bootKept, MemoryJournal } from '../../support/upper.ts';

const temporary: string[] = [];
afterEach(() => {
  for (const path of temporary.splice(0)) removeTree(path);
});

async function boot(config = {}) {
  const { index, layer } = buildRootfs({
    bin: { dir: { tool: { file: 'tool', mode: 0o755 }, old: { file: 'old' } } },
    etc: { dir: { hosts: { file: '' }, 'a.conf': { file: 'a' }, sub: { dir: { deep: { file: 'deep' } } } } },
    var: { dir: { log: { dir: { one: { file: '1' }, two: { file: '2' } } } } },
  });
  const { guest } = await bootKept(new MemoryJournal(), { index, ...config }, [layer], (first) => {
    first.writeFile('/etc/hostname', 'c1');
    first.writeFile('/etc/hosts', 'c1');
  });
  return { guest, files: new KernelFiles(accessOf(guest.kernel, [layer])) };
}

/** A bit of everything. */
function change(guest: Guest): void {
  guest.mkdir('/new');
  guest.writeFile('/new/file', 'hello');
  guest.symlink('file', '/new/link');
  guest.writeFile('/etc/a.conf', 'changed');
  guest.unlink('/bin/old');
  guest.unlink('/etc/sub/deep');
  guest.rmdir('/etc/sub');
  guest.unlink('/var/log/one');
  guest.unlink('/var/log/two');
  guest.rmdir('/var/log');
  guest.mkdir('/var/log');
  guest.writeFile('/var/log/three', '3');
}

describe('changes of a container', () => {
  it('are none for what setting it up has written', async () => {
    const { files } = await boot();
    expect(await files.changes()).toEqual([]);
    expect((await collect(files.layer())).length).toBe(1024);
  });

  it("are docker's A, C and D", async () => {
    const { guest, files } = await boot();
    change(guest);
    const letters = (await files.changes()).map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`);
    expect(letters).toEqual([
      'C /bin',
      'D /bin/old',
      'C /etc',
      'C /etc/a.conf',
      'D /etc/sub',
      'A /new',
      'A /new/file',
      'A /new/link',
      'C /var',
      'C /var/log',
      'A /var/log/three',
    ]);
  });
});

async function members(tar: Uint8Array): Promise<string[]> {
  const names = [];
  for await (const { type, name } of readTar(pieces(tar, 10_000))) names.push(`${type} ${name}`);
  return names;
}

describe('the layer of a container', () => {
  it('has whiteouts, parents and files in order', async () => {
    const { guest, files } = await boot();
    change(guest);
    const names = await members(await collect(files.layer()));
    expect(names).toEqual([
      '5 bin/',
      '0 bin/.wh.old',
      '5 etc/',
      '0 etc/a.conf',
      '0 etc/.wh.sub',
      '5 new/',
      '0 new/file',
      '2 new/link',
      '5 var/',
      '5 var/log/',
      '0 var/log/.wh..wh..opq',
      '0 var/log/three',
    ]);
  });

  it('is the same bytes for the same tree, however it came about', async () => {
    const digest = async (act: (guest: Guest) => void) => {
      const { guest, files } = await boot();
      act(guest);
      for (const path of ['/', '/new', '/new/a', '/new/b']) stamp(guest, path);
      return createHash('sha256')
        .update(await collect(files.layer()))
        .digest('hex');
    };
    const one = await digest((guest) => {
      guest.mkdir('/new');
      guest.writeFile('/new/a', '1');
      guest.writeFile('/new/b', '2');
    });
    const other = await digest((guest) => {
      guest.mkdir('/tmp-new');
      guest.writeFile('/tmp-new/b', 'x');
      guest.writeFile('/tmp-new/gone', 'y');
      guest.unlink('/tmp-new/gone');
      guest.writeFile('/tmp-new/a', '1');
      guest.rename('/tmp-new', '/new');
      guest.writeFile('/new/b', '2');
    });
    expect(other).toBe(one);
  });

  it('leaves out names that would be read as whiteouts', async () => {
    const { guest, files } = await boot();
    guest.writeFile('/bin/.wh.tool', '');
    guest.mkdir('/.wh..wh..opq');
    guest.writeFile('/fine', '');
    expect(await members(await collect(files.layer()))).toEqual(['5 bin/', '0 fine']);
  });

  it('keeps hard links among what changed', async () => {
    const { guest, files } = await boot();
    guest.writeFile('/one', 'same');
    guest.link('/one', '/two');
    expect(await members(await collect(files.layer()))).toEqual(['0 one', '1 two']);
  });

  it('is what GNU tar unpacks, whiteouts as files of their names', async () => {
    const { guest, files } = await boot();
    change(guest);
    const dir = mkdtempSync(join(tmpdir(), 'wctr-layer-'));
    temporary.push(dir);
    writeFileSync(join(dir, 'layer.tar'), await collect(files.layer()));
    const { status, stderr } = spawnSync('tar', ['--no-same-owner', '-xf', 'layer.tar'], {
      cwd: dir,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(readFileSync(join(dir, 'new/file'), 'utf8')).toBe('hello');
    expect(lstatSync(join(dir, 'new/link')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(dir, 'bin/.wh.old'))).toBe(true);
    expect(readdirSync(join(dir, 'etc')).sort()).toEqual(['.wh.sub', 'a.conf']);
  });

  it('lets guests of a shared kernel go on afterwards, also when nobody reads to the end', async () => {
    const { guest, files } = await boot({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    change(guest);
    for await (const _ of files.layer()) break;
    guest.writeFile('/after', 'x');
    expect(await members(await collect(files.layer()))).toContain('0 after');
    expect(guest.check()).toBe(0);
  });
});

function stamp(guest: Guest, path: string): void {
  const { calls } = guest.kernel;
  calls.utimensat!(guest.t, abi.AT_FDCWD, guest.path(path), abi.TIME_MTIME | abi.TIME_ATIME, 0, 0, 0, 0, 0);
}

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { checksumSources } from '../../../../src/build/cache/source-checksum.ts';
import { openTarTree } from '../../../../src/build/context/tar-tree.ts';
import type { FileTree } from '../../../../src/build/tree/file-tree.ts';
import { resolvePath } from '../../../../src/build/tree/resolve-path.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import { chunks, createNodeHasher, memoryStore } from '../../../support/image-store.ts';
import { core } from '../../../support/layers.ts';
import { entry, pax, tar } from '../../../support/tar-builder.ts';

async function open(bytes: Uint8Array, signal?: AbortSignal) {
  const store = memoryStore();
  const opening = openTarTree(chunks(bytes, 700), {
    ...store,
    core,
    createHasher: createNodeHasher,
    ...(signal === undefined ? {} : { signal }),
  });
  const leftovers = () => store.fs.readdir(store.layout.tmp).catch(() => []);
  return { opening, leftovers };
}

/** Everything in a tree, as `name`, `name/`, `name -> target`, `name=content`. */
async function shown(tree: FileTree, path = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await tree.list(path)) {
    const below = path === '' ? name : `${path}/${name}`;
    const found = await tree.lstat(below);
    if (found?.kind === 'directory') lines.push(`${below}/`, ...(await shown(tree, below)));
    else if (found?.kind === 'symlink') lines.push(`${below} -> ${found.target}`);
    else if (found?.read !== undefined) lines.push(`${below}=${new TextDecoder().decode(await collect(found.read()))}`);
  }
  return lines;
}

const dir = (name: string) => entry({ name, type: '5', mode: 0o755 });
const link = (name: string, target: string) => entry({ name, type: '2', link: target });
const PLAIN = tar(
  dir('d/'),
  entry({ name: 'd/x', data: 'X', mode: 0o600, uid: 7 }),
  link('l', 'd/x'),
  entry({ name: 'a', data: 'A' }),
);

const LONG = 'n'.repeat(200);

describe('a tar as a context', () => {
  it.each<[string, Uint8Array]>([
    ['plain', PLAIN],
    ['gzip', new Uint8Array(gzipSync(PLAIN))],
  ])('is read when it is %s', async (_, bytes) => {
    const { opening, leftovers } = await open(bytes);
    const tree = await opening;
    expect(await shown(tree)).toEqual(['a=A', 'd/', 'd/x=X', 'l -> d/x']);
    expect(await tree.lstat('d/x')).toMatchObject({ mode: 0o600, uid: 0, gid: 0, size: 1 });
    expect(await leftovers()).toHaveLength(1);
    await tree.close();
    expect(await leftovers()).toEqual([]);
  });

  it.each<[string, Uint8Array[], string[]]>([
    [
      'names that climb',
      [entry({ name: '../../etc/passwd', data: 'P' }), entry({ name: 'd/../../b', data: 'B' })],
      ['b=B', 'etc/', 'etc/passwd=P'],
    ],
    ['absolute names', [entry({ name: '/etc/passwd', data: 'P' })], ['etc/', 'etc/passwd=P']],
    ['names with dots', [entry({ name: './a', data: 'A' }), dir('./')], ['a=A']],
    [
      'a link out, and a file through it',
      [link('d', '/etc'), entry({ name: 'd/passwd', data: 'P' })],
      ['d/', 'd/passwd=P'],
    ],
    [
      'a file with something in it',
      [entry({ name: 'd', data: 'D' }), entry({ name: 'd/a', data: 'A' })],
      ['d/', 'd/a=A'],
    ],
    ['a name twice', [entry({ name: 'a', data: '1' }), entry({ name: 'a', data: '2' })], ['a=2']],
    ['a directory that becomes a file', [dir('d/'), entry({ name: 'd/a' }), entry({ name: 'd', data: 'D' })], ['d=D']],
    [
      'devices, fifos',
      [entry({ name: 'c', type: '3', major: 1 }), entry({ name: 'b', type: '4' }), entry({ name: 'f', type: '6' })],
      [],
    ],
    [
      'hard links',
      [entry({ name: 'a', data: 'A' }), entry({ name: 'd/h', type: '1', link: 'a' })],
      ['a=A', 'd/', 'd/h=A'],
    ],
    ['hard links to nothing', [entry({ name: 'h', type: '1', link: '../../etc/passwd' })], []],
    [
      'what layers hide by',
      [entry({ name: 'd/.wh.a' }), entry({ name: 'd/.wh..wh..opq' })],
      ['d/', 'd/.wh..wh..opq=', 'd/.wh.a='],
    ],
    ['a long name', [pax([['path', `${LONG}/x`]]), entry({ data: 'X' })], [`${LONG}/`, `${LONG}/x=X`]],
  ])('keeps %s inside', async (_, entries, expected) => {
    const tree = await (await open(tar(...entries))).opening;
    expect(await shown(tree)).toEqual(expected);
    await tree.close();
  });

  it('leads nowhere by links', async () => {
    const tree = await (
      await open(tar(link('out', '../../../etc/passwd'), link('abs', '/a'), entry({ name: 'a', data: 'A' })))
    ).opening;
    expect(await resolvePath(tree, 'out')).toBe('etc/passwd');
    expect(await resolvePath(tree, 'abs')).toBe('a');
    await tree.close();
  });

  it('has the checksum of the same files elsewhere', async () => {
    const other = tar(
      entry({ name: './a', data: 'A', mtime: 5 }),
      link('l', 'd/x'),
      entry({ name: 'd/x', data: 'X', mode: 0o600 }),
      dir('d/'),
    );
    const sums = await Promise.all(
      [PLAIN, other].map(async (bytes) =>
        checksumSources(await (await open(bytes)).opening, ['.'], { createHasher: createNodeHasher }),
      ),
    );
    expect(sums[0]).toBe(sums[1]);
  });

  it.each<[string, Uint8Array, string]>([
    ['is no tar', new Uint8Array(2048).fill(9), 'invalid-layer'],
    ['ends early', PLAIN.subarray(0, 600), 'invalid-layer'],
    [
      'is damaged gzip',
      new Uint8Array(gzipSync(PLAIN)).map((byte, i) => (i === 30 ? byte ^ 0xff : byte)),
      'invalid-layer',
    ],
    ['is bzip2', new TextEncoder().encode('BZh91AY&SY'), 'unsupported'],
    ['is xz', new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]), 'unsupported'],
  ])('is refused when it %s', async (_, bytes, code) => {
    const { opening, leftovers } = await open(bytes);
    await expect(opening).rejects.toMatchObject({ code });
    expect(await leftovers()).toEqual([]);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const { opening, leftovers } = await open(PLAIN, AbortSignal.abort());
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(await leftovers()).toEqual([]);
  });

  it('refuses a name that is no UTF-8 when somebody asks for it', async () => {
    const tree = await (await open(tar(entry({ name: new Uint8Array([0x61, 0xff]) }), entry({ name: 'b' })))).opening;
    expect(await tree.lstat('b')).toBeDefined();
    const [name] = await tree.list('');
    await expect(tree.lstat(name as string)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

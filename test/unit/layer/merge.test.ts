import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../support/layers.ts';
import { pax } from '../../support/tar-builder.ts';

type Layers = Parameters<typeof mergeLayers>;

const dir = (name: string, fields = {}) => ({ name, type: '5', mode: 0o755, ...fields });
const file = (name: string, data = name, fields = {}) => ({ name, data, ...fields });
const symlink = (name: string, link: string) => ({ name, type: '2', link });
const hard = (name: string, link: string) => ({ name, type: '1', link });

/** Every path of the merged tree with what is there: '/' a directory, '-> target', or 'layer:size'. */
async function tree(...layers: Layers): Promise<Record<string, string>> {
  const index = await mergeLayers(...layers);
  return Object.fromEntries(
    [...index.walk()].map(({ path, node }) => {
      if (node.target !== undefined) return [path, `-> ${node.target}`];
      return [path, (node.mode & 0o170000) === 0o040000 ? '/' : `${node.layer}:${node.size}`];
    }),
  );
}

const CASES: [string, Layers, Record<string, string>][] = [
  ['an empty image', [[]], {}],
  ['missing parents are made', [[file('a/b/c', 'x')]], { a: '/', 'a/b': '/', 'a/b/c': '0:1' }],
  ['the upper file wins', [[file('f', 'x')], [file('f', 'yy')]], { f: '1:2' }],
  ['the last duplicate wins', [[file('f', 'x'), file('f', 'yy'), file('./f', 'zzz')]], { f: '0:3' }],
  ['a file over a directory takes its content away', [[file('d/x')], [file('d', 'f')]], { d: '1:1' }],
  ['a directory over a file', [[file('d', 'f')], [dir('d'), file('d/x', 'y')]], { d: '/', 'd/x': '1:1' }],
  ['a directory over a directory keeps its content', [[file('d/x', 'y')], [dir('d')]], { d: '/', 'd/x': '0:1' }],
  ['a directory over a symlink replaces the link', [[dir('t'), symlink('d', 't')], [dir('d')]], { d: '/', t: '/' }],
  ['a whiteout hides a file', [[file('a/x'), file('a/y', 'y')], [file('a/.wh.x', '')]], { a: '/', 'a/y': '0:1' }],
  ['a whiteout hides a directory', [[file('a/b/c')], [file('.wh.a', '')]], {}],
  ['a whiteout of nothing does nothing', [[file('.wh.a', ''), file('no/.wh.b', '')]], {}],
  [
    'a whiteout spares its own layer, before it',
    [[file('f', 'x')], [file('f', 'yy'), file('.wh.f', '')]],
    { f: '1:2' },
  ],
  ['a whiteout spares its own layer, after it', [[file('f', 'x')], [file('.wh.f', ''), file('f', 'yy')]], { f: '1:2' }],
  [
    'a whiteout of a directory that its layer brings anew',
    [[file('d/old')], [dir('d'), file('d/new', 'n'), file('.wh.d', '')]],
    { d: '/', 'd/new': '1:1' },
  ],
  [
    'a whiteout of a directory whose layer brings something in it without saying so',
    [
      [file('d/old'), file('d/s/old')],
      [file('d/s/new', 'n'), file('.wh.d', '')],
    ],
    { d: '/', 'd/s': '/', 'd/s/new': '1:1' },
  ],
  ['an upper whiteout hides what a middle layer has', [[], [file('f')], [file('.wh.f', '')]], {}],
  ['an upper layer brings back what was hidden', [[file('f')], [file('.wh.f', '')], [file('f', 'yy')]], { f: '2:2' }],
  [
    'an opaque marker after the new content',
    [
      [file('d/old'), file('d/s/old')],
      [file('d/new', 'n'), dir('d/s'), file('d/.wh..wh..opq', '')],
    ],
    { d: '/', 'd/new': '1:1', 'd/s': '/' },
  ],
  [
    'an opaque marker before the new content',
    [
      [file('d/old'), file('d/s/old')],
      [file('d/.wh..wh..opq', ''), file('d/new', 'n')],
    ],
    { d: '/', 'd/new': '1:1' },
  ],
  [
    'an opaque marker at the root',
    [
      [file('a'), file('b/c')],
      [file('.wh..wh..opq', ''), file('d', 'x')],
    ],
    { d: '1:1' },
  ],
  ['AUFS metadata is dropped', [[file('.wh..wh.plnk/1.2'), file('.wh..wh.orph', ''), file('a/.wh..wh.x', '')]], {}],
  [
    'an entry through a symlinked parent of a lower layer',
    [[dir('usr'), dir('usr/bin'), symlink('bin', 'usr/bin')], [file('bin/sh', 'x')]],
    { bin: '-> usr/bin', usr: '/', 'usr/bin': '/', 'usr/bin/sh': '1:1' },
  ],
  [
    'a symlinked parent that points out of the root stays in it',
    [
      [symlink('out', '../../../etc'), symlink('abs', '/etc')],
      [file('out/a', 'x'), file('abs/b', 'y')],
    ],
    { abs: '-> /etc', etc: '/', 'etc/a': '1:1', 'etc/b': '1:1', out: '-> ../../../etc' },
  ],
  [
    'a chain of symlinked parents',
    [[symlink('a', 'b'), symlink('b', 'c/../d'), dir('c'), dir('d')], [file('a/f', 'x')]],
    { a: '-> b', b: '-> c/../d', c: '/', d: '/', 'd/f': '1:1' },
  ],
  [
    'a whiteout through a symlinked parent',
    [[file('real/x'), symlink('l', 'real')], [file('l/.wh.x', '')]],
    { l: '-> real', real: '/' },
  ],
  [
    'a symlink itself is replaced, not followed',
    [[file('t', 'x'), symlink('l', 't')], [file('l', 'yy')]],
    { l: '1:2', t: '0:1' },
  ],
  ['.. stops at the root', [[file('../../a', 'x'), file('b/../../c', 'y')]], { a: '0:1', c: '0:1' }],
  [
    'an entry that resolves to the root is dropped unless a directory',
    [[file('..', 'x'), symlink('.', 'a'), file('a', 'x')]],
    { a: '0:1' },
  ],
  [
    'names that differ in case or Unicode form',
    [[file('Ä', '1'), file('ä', '22'), file('A\u0308', '333'), file('a', '1'), file('A', '22')]],
    { A: '0:2', 'A\u0308': '0:3', a: '0:1', Ä: '0:1', ä: '0:2' },
  ],
];

describe('merge', () => {
  it.each(CASES)('%s', async (_, layers, expected) => {
    expect(await tree(...layers)).toEqual(expected);
  });

  it('hard links share a node, also with a lower layer, and part from it when replaced', async () => {
    const index = await mergeLayers([file('a', 'x'), hard('b', 'a')], [hard('d/c', '/a'), file('a', 'yy')]);
    const node = (path: string) => index.node(index.lookup(path)!);
    expect(node('b').number).toBe(node('d/c').number);
    expect(node('b')).toMatchObject({ nlink: 2, layer: 0, size: 1 });
    expect(node('a')).toMatchObject({ nlink: 1, layer: 1, size: 2 });
  });

  it('a hard link to itself, over its own directory, and to a symlink', async () => {
    const index = await mergeLayers([
      file('a', 'x'),
      hard('a', 'a'),
      file('d/t', 'yy'),
      hard('d', 'd/t'),
      symlink('s', 'a'),
      hard('t', 's'),
    ]);
    const node = (path: string) => index.node(index.lookup(path, { followLast: false })!);
    expect([node('a').nlink, node('d').size, node('d').nlink]).toEqual([1, 2, 1]);
    expect([node('t').target, node('t').nlink]).toEqual(['a', 2]);
  });

  it.each([
    ['a hard link to nothing', [hard('a', 'b')]],
    ['a hard link to a directory', [dir('b'), hard('a', 'b')]],
    ['a hard link through a missing directory', [hard('a', 'b/c')]],
    ['an entry below a file', [file('f'), file('f/g')]],
    ['a loop of symlinks on the way', [symlink('a', 'b'), symlink('b', 'a'), file('a/x')]],
  ])('refuses %s, by its name', async (_, entries) => {
    await expect(mergeLayers(entries)).rejects.toMatchObject({
      code: 'invalid-layer',
      data: { entry: entries.at(-1)!.name },
    });
  });

  it('counts the links of directories and keeps attributes', async () => {
    const index = await mergeLayers([
      dir('.', { mode: 0o700, uid: 3, mtime: 5 }),
      dir('d', { mode: 0o1777, gid: 9 }),
      dir('d/a'),
      dir('d/b'),
      file('d/f', 'x', { mode: 0o4755 }),
      pax([['SCHILY.xattr.user.k', 'value']]),
      file('d/x', '', { mtime: 7 }),
      { name: 'd/dev', type: '3', major: 5, minor: 2 },
    ]);
    const node = (path: string) => index.node(index.lookup(path)!);
    expect(node('/')).toMatchObject({ mode: 0o040700, uid: 3, nlink: 3, mtimeNs: 5_000_000_000n });
    expect(node('d')).toMatchObject({ mode: 0o041777, gid: 9, nlink: 4 });
    expect(node('d/f').mode).toBe(0o104755);
    expect(Buffer.from(node('d/x').xattrs.get('user.k')!).toString()).toBe('value');
    expect(node('d/dev')).toMatchObject({ mode: 0o020644, device: (5 << 20) | 2, size: 0 });
  });

  it('lists in byte order and finds everything by hash', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `d${i % 7}/n${(i * 7919) % 3000}`);
    const index = await mergeLayers(names.map((name) => file(name, 'x')));
    for (const name of names) expect(index.lookup(name), name).toBeDefined();
    for (const { name, node } of index.list(0)) {
      const listed = [...index.list(node)].map((dirent) => dirent.name);
      expect(listed, name).toEqual([...listed].sort());
      expect(listed.length).toBeGreaterThan(400);
    }
    expect(index.lookup('d0/none')).toBeUndefined();
    expect(index.totalFileBytes).toBe(3000);
  });

  it('is the same bytes every time', async () => {
    const layers: Layers = [[file('a/b', 'x'), symlink('l', 'a')], [file('l/c', 'y')]];
    const [one, two] = await Promise.all([mergeLayers(...layers), mergeLayers(...layers)]);
    expect(one).toEqual(two);
  });
});

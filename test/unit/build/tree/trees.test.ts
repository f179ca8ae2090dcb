import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withTime } from '../../../../src/build/stage/retime.ts';
import type { FileTree, TreeEntry } from '../../../../src/build/tree/file-tree.ts';
import { join, parentOf, ROOT } from '../../../../src/build/tree/file-tree.ts';
import { LayersTree } from '../../../../src/build/tree/layers-tree.ts';
import { StageTree } from '../../../../src/build/tree/stage-tree.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import type { Digest } from '../../../../src/spec/image-spec.ts';
import { buildHarness, members } from '../../../support/build.ts';
import { entry, gnuLong, pax, tar } from '../../../support/tar-builder.ts';

async function* chunks(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** `644 a A`, `755 d/`, `l -> a`, of everything in a tree. */
async function listing(tree: FileTree, path = ''): Promise<string[]> {
  const found: string[] = [];
  for (const name of await tree.list(path)) {
    const at = join(path, name);
    const item = (await tree.lstat(at))!;
    const { kind, mode, target, read, size } = item;
    if (kind === 'symlink') found.push(`${at} -> ${target}`);
    else if (kind === 'directory') found.push(`${mode.toString(8)} ${at}/`, ...(await listing(tree, at)));
    else {
      const content = await collect(read!());
      expect(content.length).toBe(size);
      found.push(`${mode.toString(8)} ${at} ${new TextDecoder().decode(content)}`);
    }
  }
  return found;
}

describe('a stack of layers', () => {
  const open = async (...tars: Uint8Array[]) => {
    const { parts } = buildHarness();
    const { layers } = parts.images;
    const diffIds: Digest[] = [];
    for (const bytes of tars) diffIds.push((await layers.write(chunks(bytes), { pin: async () => {} })).digest);
    return new LayersTree('the image', { fs: parts.fs, layers }, diffIds);
  };

  it('is seen as one tree: the upper one wins, whiteouts take away, hard links are files', async () => {
    const lower = tar(
      entry({ name: 'd/', type: '5', mode: 0o700 }),
      entry({ name: 'd/a', data: 'A' }),
      entry({ name: 'd/b', data: 'B' }),
      entry({ name: 'h', type: '1', link: 'd/a' }),
      entry({ name: 'gone/x', data: 'X' }),
    );
    const upper = tar(
      entry({ name: 'd/.wh.b' }),
      entry({ name: '.wh.gone' }),
      entry({ name: 'd/c', data: 'C', mode: 0o755 }),
      entry({ name: 'l', type: '2', link: 'd/c' }),
      entry({ name: 'p', type: '6' }),
    );
    const tree = await open(lower, upper);
    expect(await listing(tree)).toEqual(['700 d/', '644 d/a A', '755 d/c C', '644 h A', 'l -> d/c']);
    expect(await tree.lstat('')).toMatchObject({ kind: 'directory' });
    for (const path of ['none', 'd/a/x', 'l/x', 'p', 'gone', 'd/b']) expect(await tree.lstat(path)).toBeUndefined();
    expect([await tree.list('none'), await tree.list('d/a')]).toEqual([[], []]);
  });

  it('without a layer is empty', async () => {
    const tree = await open();
    expect([await tree.lstat(''), await tree.lstat('x'), await tree.list('')]).toEqual([ROOT, undefined, []]);
  });

  it('has the holes of sparse files', async () => {
    const map: [string, string][] = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 's'],
      ['GNU.sparse.realsize', '2000'],
    ];
    const data = `${'1\n1000\n3\n'.padEnd(512, '\0')}abc`;
    const tree = await open(tar(pax(map), entry({ name: 'GNUSparseFile.0/s', data })));
    const content = await collect((await tree.lstat('s'))!.read!());
    expect([content.length, new TextDecoder().decode(content.subarray(999, 1004))]).toEqual([2000, '\0abc\0']);
  });
});

/** Random trees and changes, beside a map that copies everything. */
class Model {
  readonly entries = new Map<string, TreeEntry>([['', ROOT]]);

  put(path: string, item: TreeEntry): boolean {
    if (this.entries.get(parentOf(path))?.kind !== 'directory') return false;
    if (item.kind !== 'directory' || this.entries.get(path)?.kind !== 'directory') {
      for (const known of [...this.entries.keys()]) if (known.startsWith(`${path}/`)) this.entries.delete(known);
    }
    this.entries.set(path, item);
    return true;
  }

  tree(): FileTree {
    return {
      what: 'the model',
      lstat: async (path) => this.entries.get(path),
      list: async (path) =>
        [...this.entries.keys()]
          .filter((known) => known !== '' && parentOf(known) === path)
          .map((known) => known.slice(path === '' ? 0 : path.length + 1))
          .sort(),
    };
  }
}

const item = (kind: TreeEntry['kind'], content: string): TreeEntry => ({
  ...{ kind, mode: kind === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, size: kind === 'file' ? content.length : 0 },
  ...(kind === 'symlink' ? { target: content } : {}),
  ...(kind === 'file' ? { read: () => chunks(new TextEncoder().encode(content)) } : {}),
});

it('a stage is what is below it with its changes on top', async () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const put = fc.record({ path, kind: fc.constantFrom('file', 'directory', 'symlink' as const), content: name });
  await fc.assert(
    fc.asyncProperty(fc.array(put, { maxLength: 12 }), fc.array(put, { maxLength: 12 }), async (before, after) => {
      const below = new Model();
      for (const { path: at, kind, content } of before) below.put(at, item(kind as TreeEntry['kind'], content));
      const model = new Model();
      for (const [at, known] of below.entries) model.entries.set(at, known);
      const stage = new StageTree('the stage', below.tree());
      for (const { path: at, kind, content } of after) {
        const one = item(kind as TreeEntry['kind'], content);
        const isPut = model.put(at, one);
        const error = await stage.put(at, one).catch((thrown: unknown) => thrown);
        expect(error === undefined).toBe(isPut);
      }
      expect(await listing(stage)).toEqual(await listing(model.tree()));
      const changes = stage.takeChanges();
      for (const { path: at, entry: changed } of changes) expect(model.entries.get(at)).toEqual(changed);
      expect(stage.takeChanges()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

describe('a layer with one time', () => {
  const long = `${'x/'.repeat(60)}y`;
  const bytes = tar(
    entry({ name: 'd/', type: '5', mtime: 5 }),
    entry({ name: 'f', data: 'F'.repeat(600), mtime: 6 }),
    pax([
      ['mtime', '7.5'],
      ['path', 'renamed'],
      ['SCHILY.xattr.user.a', 'v'],
      ['atime', '1'],
    ]),
    entry({ name: 'short', data: 'P' }),
    pax([['mtime', '7.5']]),
    entry({ name: 'plain', data: 'Q' }),
    gnuLong('L', long),
    entry({ name: 'cut', data: 'L', mtime: 8 }),
    entry({ name: 'l', type: '2', link: 'f', mtime: 9 }),
  );

  it.each([1, 100, 512, 700, 1 << 20])('is the same but for times, in pieces of %i', async (size) => {
    const made = await collect(withTime(chunks(bytes, size), 42));
    expect(await members(chunks(made))).toEqual([
      ...['644 d/ @42', `644 f @42 ${'F'.repeat(600)}`, '644 renamed @42 P', '644 plain @42 Q', `644 ${long} @42 L`],
      '644 l -> f @42',
    ]);
    expect(new TextDecoder().decode(made)).toContain('SCHILY.xattr.user.a=v');
    expect(new TextDecoder().decode(made)).not.toContain('mtime');
    expect(await collect(withTime(chunks(made), 42))).toEqual(made);
  });

  it.each([
    ['that ends early', bytes.subarray(0, 700)],
    ['whose extended header is none', tar(pax([['a', 'b']])).fill(0x39, 512, 520)],
  ])('is refused %s', async (_, broken) => {
    await expect(collect(withTime(chunks(broken), 1))).rejects.toMatchObject({ code: 'invalid-layer' });
  });
});

import { describe, expect, it } from 'vitest';
import {
  LAYER_BLOCK,
  LAYER_CHARACTER,
  LAYER_DIRECTORY,
  LAYER_FIFO,
  LAYER_FILE,
  LAYER_HARDLINK,
  LAYER_SYMLINK,
} from '../../../src/core/abi/layer-index.ts';
import { passLayer } from '../../support/layers.ts';
import { entry, gnuLong, gnuSparse, join, octal, pax, type TarEntry, tar } from '../../support/tar-builder.ts';

const first = async (...entries: TarEntry[]) => (await passLayer(tar(...entries))).entries[0]!;

describe('tar headers', () => {
  it.each([
    ['v7', { magic: 'v7' as const, name: 'a/b' }, 'a/b'],
    ['ustar with a prefix', { name: 'b', prefix: 'deep/er' }, 'deep/er/b'],
    ['a full 100-byte name without NUL', { name: 'x'.repeat(100) }, 'x'.repeat(100)],
    [
      'GNU: bytes where ustar has a prefix are no name',
      { magic: 'gnu' as const, name: 'b', raw: { 345: octal(1, 12) } },
      'b',
    ],
    ['leading ./ and //', { name: './/a//./b' }, 'a/b'],
    ['an absolute name', { name: '/etc/passwd' }, 'etc/passwd'],
    ['bytes that are no UTF-8 stay', { name: Uint8Array.of(0xff, 0xfe) }, '\ufffd\ufffd'],
  ])('%s', async (_, fields, path) => {
    expect((await first(fields)).path).toBe(path);
  });

  it('reads every field', async () => {
    const found = await first({ name: 'f', mode: 0o4755, uid: 1000, gid: 50, mtime: 1_700_000_000, data: 'hello' });
    expect(found).toMatchObject({
      kind: LAYER_FILE,
      mode: 0o104755,
      uid: 1000,
      gid: 50,
      mtimeNs: 1_700_000_000_000_000_000n,
      size: 5,
      dataOffset: 512,
    });
  });

  it.each([
    ['1', LAYER_HARDLINK, { link: './a/../t' }, 't'],
    ['2', LAYER_SYMLINK, { link: '../up//x/' }, '../up//x/'],
    ['3', LAYER_CHARACTER, { major: 5, minor: 1 }, ''],
    ['4', LAYER_BLOCK, { major: 8, minor: 17 }, ''],
    ['5', LAYER_DIRECTORY, {}, ''],
    ['6', LAYER_FIFO, {}, ''],
    ['7', LAYER_FILE, {}, ''],
    ['\0', LAYER_FILE, {}, ''],
  ])('type %s', async (type, kind, fields, link) => {
    const found = await first({ name: 'n', type, ...fields });
    expect([found.kind, found.link]).toEqual([kind, link]);
    if ('major' in fields) expect(found.device).toBe((fields.major << 20) | fields.minor);
  });

  it('takes a v7 name with a trailing slash for a directory', async () => {
    expect((await first({ name: 'dir/', magic: 'v7', type: '\0' })).kind).toBe(LAYER_DIRECTORY);
  });

  it('reads base-256 numbers, also negative times', async () => {
    expect(await first({ uid: 3_000_000_000, gid: 2_097_152, mtime: -1 })).toMatchObject({
      uid: 3_000_000_000,
      gid: 2_097_152,
      mtimeNs: -1_000_000_000n,
    });
  });

  it('accepts a checksum over signed bytes', async () => {
    expect((await first({ name: 'é'.repeat(20), signedChecksum: true })).path).toBe('é'.repeat(20));
  });

  it.each(['ends without end-of-archive blocks', 'ends after one zero block', 'has bytes after its end'])(
    '%s',
    async (how) => {
      const whole = tar({ name: 'a', data: 'x' }, { name: 'b' });
      const bytes = how.startsWith('has')
        ? join([whole, new Uint8Array(512).fill(7)])
        : whole.subarray(0, whole.length - (how.includes('one') ? 512 : 1024));
      expect((await passLayer(bytes)).entries.map(({ path }) => path)).toEqual(['a', 'b']);
    },
  );
});

describe('a tar that ends at its last file', () => {
  // Header, 700 bytes in two blocks, end-of-archive blocks. `umoci insert` writes neither padding nor those.
  const whole = tar({ name: 'a' }, { name: 'b', data: 'x'.repeat(700) });
  const data = 2 * 512 + 700;

  it.each([data, data + 1, data + 323])('is taken as it is after %d bytes', async (length) => {
    const { entries } = await passLayer(whole.subarray(0, length));
    expect(entries.map(({ path, size }) => [path, size])).toEqual([
      ['a', 0],
      ['b', 700],
    ]);
  });

  it.each([1, 511, 513, data - 701, data - 600, data - 1])('ends early at %d bytes', async (length) => {
    await expect(passLayer(whole.subarray(0, length))).rejects.toMatchObject({ code: 'invalid-layer' });
  });

  it('ends early in the padding of a header that belongs to the next', async () => {
    const named = tar(gnuLong('L', 'x'.repeat(200)), { name: 'short' });
    await expect(passLayer(named.subarray(0, 512 + 201))).rejects.toMatchObject({ code: 'invalid-layer' });
  });
});

describe('long names and pax', () => {
  const long = `${'d'.repeat(200)}/${'f'.repeat(200)}`;

  it('GNU long name and long link', async () => {
    const found = await first(gnuLong('L', long), gnuLong('K', `/${long}`), {
      name: 'short',
      type: '2',
      link: 'short',
    });
    expect([found.path, found.link]).toEqual([long, `/${long}`]);
  });

  it('pax path, linkpath, ids and times win over the header', async () => {
    const found = await first(
      pax([
        ['path', long],
        ['linkpath', 'target'],
        ['uid', '70000'],
        ['gid', '70001'],
        ['mtime', '1.25'],
        ['atime', '3.5'],
        ['uname', 'bob'],
        ['comment', 'x'],
      ]),
      { name: 'short', type: '2', link: 'other', uid: 1, gid: 2, mtime: 3 },
    );
    expect(found).toMatchObject({ path: long, link: 'target', uid: 70000, gid: 70001, mtimeNs: 1_250_000_000n });
  });

  it.each([
    ['-0.5', -500_000_000n],
    ['-1.000000001', -1_000_000_001n],
    ['0', 0n],
    ['1700000000.123456789', 1_700_000_000_123_456_789n],
    ['1.1234567899', 1_123_456_789n],
    ['99999999999999', 2n ** 63n - 1n],
  ])('mtime %s', async (text, ns) => {
    expect((await first(pax([['mtime', text]]), {})).mtimeNs).toBe(ns);
  });

  it('an empty pax value falls back to the header', async () => {
    expect(
      await first(
        pax([
          ['path', ''],
          ['uid', ''],
        ]),
        { name: 'kept', uid: 7 },
      ),
    ).toMatchObject({ path: 'kept', uid: 7 });
  });

  it('a pax size is what the data is skipped by', async () => {
    const { entries } = await passLayer(
      tar(pax([['size', '600']]), entry({ name: 'a', size: 0 }), new Uint8Array(1024), { name: 'b' }),
    );
    expect(entries.map(({ path, size }) => [path, size])).toEqual([
      ['a', 600],
      ['b', 0],
    ]);
  });

  it('global records hold until a local one, and for all that follow', async () => {
    const { entries } = await passLayer(
      tar(
        pax(
          [
            ['uid', '5'],
            ['mtime', '9'],
          ],
          'g',
        ),
        { name: 'a' },
        pax([['uid', '6']]),
        { name: 'b' },
        { name: 'c' },
      ),
    );
    expect(entries.map(({ uid, mtimeNs }) => [uid, mtimeNs])).toEqual([
      [5, 9_000_000_000n],
      [6, 9_000_000_000n],
      [5, 9_000_000_000n],
    ]);
  });

  it('extended attributes of both kinds, the plain one preferred', async () => {
    const value = Uint8Array.of(1, 0, 0, 2, 255);
    const { xattrs } = await first(
      pax([
        ['LIBARCHIVE.xattr.user.a%20b', 'aGk'],
        ['LIBARCHIVE.xattr.security.capability', 'AAAA'],
        ['SCHILY.xattr.security.capability', value],
        ['SCHILY.xattr.user.x', 'old'],
        ['SCHILY.xattr.user.x', 'new'],
      ]),
      {},
    );
    expect(
      Object.fromEntries([...xattrs].map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')])),
    ).toEqual({
      'user.a b': 'hi',
      'security.capability': Buffer.from(value).toString('latin1'),
      'user.x': 'new',
    });
  });
});

describe('sparse files', () => {
  const data = new Uint8Array(1536).fill(1);
  const runs: [number, number][] = [
    [0, 512],
    [4096, 512],
    [1_000_000, 512],
  ];
  const expected = (at: number) => runs.map(([offset, length], i) => ({ offset, length, dataOffset: at + 512 * i }));

  it('GNU S', async () => {
    const found = await first(gnuSparse('s', 2_000_000, runs, data));
    expect(found).toMatchObject({ sparse: true, size: 2_000_000, extents: expected(512) });
  });

  it('GNU S with extension blocks', async () => {
    const many = Array.from({ length: 60 }, (_, i): [number, number] => [i * 8192, 512]);
    const bytes = tar(gnuSparse('s', 60 * 8192, many, new Uint8Array(60 * 512)), { name: 'next' });
    for (const pieceBytes of [1, 511, 65536]) {
      const { entries } = await passLayer(bytes, { pieceBytes });
      expect(entries[0]!.extents).toEqual(
        many.map(([offset, length], i) => ({ offset, length, dataOffset: 512 * 4 + 512 * i })),
      );
      expect(entries[1]!.path).toBe('next');
    }
  });

  const head = [
    ['GNU.sparse.size', '2000000'],
    ['GNU.sparse.numblocks', '3'],
  ] as [string, string][];

  it('pax 0.0', async () => {
    const records = runs.flatMap(([offset, length]): [string, string][] => [
      ['GNU.sparse.offset', `${offset}`],
      ['GNU.sparse.numbytes', `${length}`],
    ]);
    const found = await first(pax([...head, ...records]), { name: 's', data });
    expect(found).toMatchObject({ path: 's', size: 2_000_000, extents: expected(found.dataOffset) });
  });

  it('pax 0.1', async () => {
    const found = await first(pax([...head, ['GNU.sparse.name', 'dir/s'], ['GNU.sparse.map', runs.flat().join(',')]]), {
      name: 'GNUSparseFile.1/s',
      data,
    });
    expect(found).toMatchObject({ path: 'dir/s', size: 2_000_000, extents: expected(found.dataOffset) });
  });

  it('pax 1.0', async () => {
    const map = new Uint8Array(512);
    map.set(new TextEncoder().encode(`3\n${runs.flat().join('\n')}\n`));
    const bytes = tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'dir/s'],
        ['GNU.sparse.realsize', '2000000'],
      ]),
      { name: 'GNUSparseFile.1/s', data: join([map, data]) },
      { name: 'next' },
    );
    for (const pieceBytes of [1, 700, 65536]) {
      const { entries } = await passLayer(bytes, { pieceBytes });
      expect(entries[0]).toMatchObject({ path: 'dir/s', size: 2_000_000, extents: expected(512 + 512 + 512 + 512) });
      expect(entries[1]!.path).toBe('next');
    }
  });

  it('a file that is all hole has one empty run', async () => {
    expect((await first(gnuSparse('s', 4096, [], new Uint8Array(0)))).extents).toEqual([
      { offset: 4096, length: 0, dataOffset: 512 },
    ]);
  });
});

it('reads the same entries however the stream is cut', async () => {
  const bytes = tar(
    gnuLong('L', `${'p/'.repeat(200)}f`),
    { name: 'x', data: 'one' },
    pax([
      ['path', 'q/r'],
      ['SCHILY.xattr.user.k', 'v'],
    ]),
    { data: 'y'.repeat(2000) },
    gnuSparse(
      's',
      10_000,
      [
        [512, 512],
        [4096, 100],
      ],
      new Uint8Array(612),
    ),
    { name: 'last', type: '5' },
  );
  const whole = await passLayer(bytes);
  for (const pieceBytes of [1, 3, 511, 512, 513]) {
    const cut = await passLayer(bytes, { pieceBytes });
    expect(Buffer.compare(cut.index, whole.index)).toBe(0);
    expect(cut.diffId).toBe(whole.diffId);
  }
  expect(Buffer.compare(whole.tar, bytes)).toBe(0);
});

/** THREATS on tar entries: what a hostile layer says, and that it is refused or stays inside the image's root. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mergeLayers, passLayer } from '../support/layers.ts';
import {
  type EntryFields,
  entry,
  gnuLong,
  gnuSparse,
  join,
  octal,
  pax,
  paxRecords,
  type TarEntry,
  tar,
} from '../support/tar-builder.ts';

const file = (name: string, data = 'x'): EntryFields => ({ name, data });
const symlink = (name: string, link: string): EntryFields => ({ name, type: '2', link });
const hard = (name: string, link: string): EntryFields => ({ name, type: '1', link });

async function paths(...layers: TarEntry[][]): Promise<string[]> {
  const index = await mergeLayers(...layers);
  return [...index.walk()].map(({ path }) => path);
}

describe('an entry never lands outside the root', () => {
  // The canary is etc/passwd of the image, and that every path of the tree is one of the expected.
  const base: TarEntry[] = [file('etc/passwd', 'canary')];
  const rows: [string, string, TarEntry[], string[]][] = [
    ['node-tar CVE-2021-32804', 'absolute name, doubled slash', [file('//tmp/x')], ['tmp', 'tmp/x']],
    ['zip slip', '.. at the start', [file('../../../tmp/x')], ['tmp', 'tmp/x']],
    ['zip slip', '.. behind a directory', [file('a/../../../tmp/x')], ['tmp', 'tmp/x']],
    [
      'node-tar CVE-2026-23745',
      'symlink to an absolute path, then through it',
      [symlink('l', '/tmp'), file('l/x')],
      ['l', 'tmp', 'tmp/x'],
    ],
    [
      'Python CVE-2025-4517',
      'symlink chain longer than a path may be',
      [...chain(30), file('l29/x')],
      ['deep', 'deep/x', ...names(30)],
    ],
    [
      'node-tar CVE-2026-24842',
      'relative symlink above the root',
      [symlink('l', '../../..'), file('l/tmp/x')],
      ['l', 'tmp', 'tmp/x'],
    ],
    [
      'containerd CVE-2021-32760',
      'symlink to the root, then through it',
      [symlink('l', '/'), file('l/tmp/x')],
      ['l', 'tmp', 'tmp/x'],
    ],
    [
      'tar-fs CVE-2024-12905',
      'symlink replaced by a file between',
      [symlink('l', '/tmp'), file('l'), hard('h', 'l')],
      ['h', 'l'],
    ],
  ];
  it.each(rows)('%s: %s', async (_, __, entries, expected) => {
    const index = await mergeLayers(base, entries);
    expect([...index.walk()].map(({ path }) => path).sort()).toEqual(['etc', 'etc/passwd', ...expected].sort());
    expect(index.node(index.lookup('etc/passwd')!)).toMatchObject({ layer: 0, size: 6 });
  });

  it.each([
    ['node-tar CVE-2026-26960', 'hard link to an absolute path of the host', [hard('h', '/proc/self/environ')]],
    ['node-tar CVE-2026-26960', 'hard link through a symlink', [symlink('l', '/proc/self'), hard('h', 'l/environ')]],
    ['umoci CVE-2021-29136', 'hard link above the root', [hard('h', '../../../../proc/version')]],
  ])('%s: %s', async (_, __, entries) => {
    await expect(mergeLayers(base, entries)).rejects.toMatchObject({ code: 'invalid-layer', data: { entry: 'h' } });
  });

  it('umoci CVE-2021-29136: an entry for / that is a symlink does not replace the root', async () => {
    expect(await paths(base, [symlink('/', '/tmp'), symlink('.', '/tmp'), symlink('..', '/tmp')])).toEqual([
      'etc',
      'etc/passwd',
    ]);
  });

  function names(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `l${i}`);
  }
  function chain(count: number): EntryFields[] {
    return names(count).map((name, i) => symlink(name, i === 0 ? `/${'../'.repeat(20)}deep` : `l${i - 1}/.`));
  }
});

describe('whiteouts hide siblings in lower layers and nothing else', () => {
  const lower: TarEntry[] = [file('etc/passwd'), file('d/x')];
  it.each([['.wh.'], ['.wh..'], ['.wh...'], ['d/.wh.'], ['d/.wh..'], ['d/.wh...'], ['.wh.d/x'], ['d/.wh.y/../.wh...']])(
    'containerd archive breakout: %s is refused',
    async (name) => {
      await expect(passLayer(tar(file(name)))).rejects.toMatchObject({ code: 'invalid-layer', data: { entry: name } });
    },
  );

  const rows: [string, TarEntry[], TarEntry[], string[]][] = [
    ['through a symlink to the root', [symlink('l', '/')], [file('l/.wh.d')], ['etc', 'etc/passwd', 'l']],
    ['through a symlink above the root', [symlink('l', '../..')], [file('l/etc/.wh.passwd')], ['d', 'd/x', 'etc', 'l']],
    [
      'an opaque marker through a symlink',
      [symlink('l', 'd')],
      [file('l/.wh..wh..opq')],
      ['d', 'etc', 'etc/passwd', 'l'],
    ],
    [
      'through a symlink of its own layer',
      [],
      [symlink('l', '/'), file('l/.wh.d')],
      ['d', 'd/x', 'etc', 'etc/passwd', 'l'],
    ],
    ['through a loop of symlinks', [symlink('l', 'l')], [file('l/.wh.d')], ['d', 'd/x', 'etc', 'etc/passwd', 'l']],
    ['a symlink named as a whiteout', [], [symlink('.wh.d', '/etc')], ['etc', 'etc/passwd']],
    [
      'AUFS: .wh..wh.aufs and plnk',
      [],
      [file('.wh..wh.aufs'), file('.wh..wh.plnk/d/x')],
      ['d', 'd/x', 'etc', 'etc/passwd'],
    ],
    ['a marker does not outlive its layer', [], [file('d/.wh..wh..opq')], ['d', 'etc', 'etc/passwd']],
  ];
  it.each(rows)('%s', async (_, more, entries, expected) => {
    expect(await paths([...lower, ...more], entries)).toEqual(expected);
  });
});

describe('where tar programs disagree the layer is refused', () => {
  const inner = tar(file('smuggled'));
  const rows: [string, string, TarEntry[]][] = [
    [
      'CVE-2025-62518',
      'a pax size on a hard link',
      [pax([['size', '512']]), entry(hard('h', 'a')), new Uint8Array(512)],
    ],
    ['CVE-2025-62518', 'a size on a symlink', [{ ...symlink('l', 't'), size: 1024 }, inner]],
    ['CVE-2025-62518', 'a size on a device', [{ name: 'd', type: '3', size: 1024 }, inner]],
    ['CVE-2025-62518', 'a negative size', [{ name: 'f', size: -512 }]],
    ['CVE-2025-62518', 'a pax size that is no number', [pax([['size', '1e3']]), file('f')]],
    ['CVE-2025-62518', 'a pax size that is negative', [pax([['size', '-1']]), file('f')]],
    ['golang/go#12594', 'a size with leading NULs', [{ name: 'f', raw: { 124: '\0\x00000007777' } }]],
    ['names', 'a pax path and another GNU long name', [gnuLong('L', 'one'), pax([['path', 'two']]), file('three')]],
    ['names', 'a NUL within a pax path', [pax([['path', 'a\0b']]), file('f')]],
    ['names', 'a NUL within a pax linkpath', [pax([['linkpath', 'a\0b']]), symlink('f', 'x')]],
    ['names', 'a path for everything that follows', [pax([['path', 'all']], 'g'), file('f')]],
    ['sizes', 'a size for everything that follows', [pax([['size', '512']], 'g'), file('f')]],
    ['headers', 'two local headers in a row', [pax([['path', 'a']]), pax([['path', 'b']]), file('f')]],
    [
      'headers',
      'a global header between a local one and its entry',
      [pax([['path', 'a']]), pax([['uid', '1']], 'g'), file('f')],
    ],
    ['headers', 'two long names in a row', [gnuLong('L', 'a'), gnuLong('L', 'b'), file('f')]],
    ['headers', 'a local header without an entry', [pax([['path', 'a']])]],
    ['headers', 'one zero block and then an entry', [new Uint8Array(512), file('f')]],
    ['headers', 'a bad checksum', [{ name: 'f', checksum: '000000\0 ' }]],
    ['headers', 'a type that layers do not have', [{ name: 'f', type: 'M' }]],
    ['pax', 'a record longer than the header', [entry({ name: 'p', type: 'x', data: '99 path=a\n' }), file('f')]],
    ['pax', 'a record without a newline', [entry({ name: 'p', type: 'x', data: '9 path=abc' }), file('f')]],
    ['pax', 'a record without =', [entry({ name: 'p', type: 'x', data: '8 path1\n' }), file('f')]],
    ['pax', 'a record of length zero', [entry({ name: 'p', type: 'x', data: '0 path=a\n' }), file('f')]],
    ['ids', 'a uid beyond 32 bits', [{ name: 'f', uid: 2 ** 33 }]],
    ['ids', 'a negative gid', [pax([['gid', '-2']]), file('f')]],
    ['devices', 'a major number beyond 12 bits', [{ name: 'd', type: '4', major: 4096 }]],
    ['names', 'an empty name', [{ name: '' }]],
    ['names', 'a symlink to nothing', [symlink('l', '')]],
  ];
  it.each(rows)('%s: %s', async (_, __, entries) => {
    await expect(passLayer(tar(...entries))).rejects.toMatchObject({ code: 'invalid-layer' });
  });

  it('CVE-2025-62518: data is skipped by the pax size, so an archive within a file stays data', async () => {
    const { entries } = await passLayer(
      tar(pax([['size', `${inner.length}`]]), entry({ name: 'outer.tar', size: 0 }), inner, file('after')),
    );
    expect(entries.map(({ path }) => path)).toEqual(['outer.tar', 'after']);
  });
});

describe('sparse maps', () => {
  const data = new Uint8Array(1024);
  const sparse10 = (map: string, realSize = '4096') => [
    pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 's'],
      ['GNU.sparse.realsize', realSize],
    ]),
    entry({ name: 'x', data: join([tarBlock(map), data]) }),
  ];
  const rows: [string, string, TarEntry[]][] = [
    [
      'overlap',
      'runs that overlap',
      [
        gnuSparse(
          's',
          4096,
          [
            [0, 512],
            [256, 512],
          ],
          data,
        ),
      ],
    ],
    [
      'order',
      'runs out of order',
      [
        gnuSparse(
          's',
          4096,
          [
            [2048, 512],
            [0, 512],
          ],
          data,
        ),
      ],
    ],
    ['bounds', 'a run beyond the end of the file', [gnuSparse('s', 1024, [[512, 1024]], data)]],
    ['sums', 'runs that promise more data than is stored', [gnuSparse('s', 8192, [[0, 4096]], data)]],
    ['sums', 'runs that leave data over', [gnuSparse('s', 8192, [[0, 512]], data)]],
    [
      'overflow',
      'offset + length beyond 2^63',
      [
        pax([
          ['GNU.sparse.size', '4096'],
          ['GNU.sparse.map', '999999999999999999,999999999999999999'],
        ]),
        file('s'),
      ],
    ],
    ['CVE-2025-58183', 'a pax 1.0 map larger than the data', sparse10('99999\n')],
    ['CVE-2025-58183', 'a pax 1.0 map that is no number', sparse10('2\n0\nabc\n')],
    [
      'CVE-2025-58183',
      'a pax 1.0 map without a size',
      [
        pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
        ]),
        file('s'),
      ],
    ],
    [
      'version',
      'a sparse format nobody has',
      [
        pax([
          ['GNU.sparse.major', '2'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.realsize', '1'],
        ]),
        file('s'),
      ],
    ],
    [
      'kind',
      'a sparse symlink',
      [
        pax([
          ['GNU.sparse.size', '1'],
          ['GNU.sparse.map', ''],
        ]),
        symlink('s', 't'),
      ],
    ],
    [
      'odd',
      'an offset without a length',
      [
        pax([
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.offset', '0'],
        ]),
        file('s'),
      ],
    ],
  ];
  it.each(rows)('%s: %s', async (_, __, entries) => {
    await expect(passLayer(tar(...entries))).rejects.toMatchObject({
      code: expect.stringMatching(/invalid-layer|limit-exceeded/),
    });
  });

  function tarBlock(text: string): Uint8Array {
    const block = new Uint8Array(512);
    block.set(new TextEncoder().encode(text));
    return block;
  }
});

describe('caps', () => {
  const rows: [string, string, TarEntry[], object][] = [
    [
      'CVE-2025-58183',
      'a pax 1.0 map that claims a billion runs',
      [
        pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.realsize', '1'],
        ]),
        entry({ name: 's', data: '1000000000\n'.padEnd(512, '\0') }),
      ],
      {},
    ],
    ['huge pax', 'a pax header that claims 8 GiB', [entry({ name: 'p', type: 'x', size: 2 ** 33 - 1 })], {}],
    ['huge pax', 'a pax header over 1 MiB', [entry({ name: 'p', type: 'x', data: new Uint8Array(2 ** 20 + 1) })], {}],
    [
      'huge name',
      'a GNU long name that claims 4 GiB',
      [entry({ name: 'L', type: 'L', magic: 'gnu', size: 2 ** 32 })],
      {},
    ],
    ['huge name', 'a name over 4096 bytes', [gnuLong('L', 'a/'.repeat(2100)), file('f')], {}],
    ['huge name', 'a pax path over 4096 bytes', [pax([['path', 'a/'.repeat(2100)]]), file('f')], {}],
    ['huge name', 'a component over 255 bytes', [pax([['path', 'a'.repeat(256)]]), file('f')], {}],
    [
      'xattrs',
      'more than 1024 attributes',
      [pax(Array.from({ length: 1025 }, (_, i): [string, string] => [`SCHILY.xattr.user.${i}`, ''])), file('f')],
      {},
    ],
    ['xattrs', 'a value over 64 KiB', [pax([['SCHILY.xattr.user.x', 'v'.repeat(65537)]]), file('f')], {}],
    ['entries', 'more entries than allowed', Array.from({ length: 11 }, () => file('same')), { maxEntries: 10 }],
    ['entries', 'dropped ones count too', Array.from({ length: 11 }, () => file('.wh..wh.x')), { maxEntries: 10 }],
    ['bombs', 'more plain bytes than allowed', [file('f', 'x'.repeat(5000))], { maxTarBytes: 4096 }],
    ['bombs', 'an index larger than allowed', [file('f')], { maxIndexBytes: 100 }],
    ['sizes', 'a file of more than an exabyte', [pax([['size', '999999999999999999']]), file('f')], {}],
  ];
  it.each(rows)('%s: %s', async (_, __, entries, limits) => {
    const error = passLayer(tar(...entries), { limits });
    await expect(error).rejects.toMatchObject({ code: expect.stringMatching(/limit-exceeded|invalid-layer/) });
    if (!String(__).includes('exabyte')) await expect(error).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('a gzip bomb is stopped by its ratio', async () => {
    // Hashing half a gigabyte is not what is looked at here.
    const createHasher = () => ({ update: () => {}, digestHex: () => '' });
    const zeros = gzipSync(new Uint8Array(64 * 2 ** 20), { level: 9 });
    const bomb = join([gzipSync(entry({ name: 'f', size: 2 ** 31 })), ...Array.from({ length: 32 }, () => zeros)]);
    await expect(passLayer(bomb, { pieceBytes: 2 ** 20, onTar: () => {}, createHasher })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: expect.stringContaining('unpacks to more than is allowed'),
    });
  });

  it('long-name loops cost no memory: ten thousand long names', async () => {
    const loop = join(Array.from({ length: 1000 }, () => join([gnuLong('L', 'n'), entry(file('f'))])));
    const many = join([...Array.from({ length: 10 }, () => loop), new Uint8Array(1024)]);
    const { entryCount } = await passLayer(many, { onTar: () => {}, pieceBytes: 2 ** 20 });
    expect(entryCount).toBe(10_000);
  });

  it('names made to fall on one hash are refused, not searched', async () => {
    const collided = collisions(1200);
    await expect(mergeLayers(collided.map((name) => file(name)))).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('an opaque marker repeated five thousand times over a thousand files is applied once', async () => {
    const lower = Array.from({ length: 1000 }, (_, i) => entry(file(`d/${i}`)));
    const markers = Array.from({ length: 5000 }, () => entry(file('d/.wh..wh..opq')));
    const started = performance.now();
    expect(await paths(lower, markers)).toEqual(['d']);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('setuid bits and devices are stored as they are', async () => {
    const index = await mergeLayers([
      { name: 'su', mode: 0o6755 },
      { name: 'sda', type: '4', major: 8, minor: 0, mode: 0o660 },
      { name: 'pipe', type: '6' },
    ]);
    const node = (path: string) => index.node(index.lookup(path)!);
    expect(node('su').mode).toBe(0o106755);
    expect(node('sda')).toMatchObject({ mode: 0o060660, device: 8 << 20 });
    expect(node('pipe').mode & 0o170000).toBe(0o010000);
  });

  it('CVE-2026-23950: names that a file system would fold never alias', async () => {
    const sharp = ['straße', 'strasse', 'STRASSE', 'ﬁle', 'file', 'e\u0301', '\u00e9', 'K', '\u212a'];
    const index = await mergeLayers(sharp.map((name, i) => file(name, 'x'.repeat(i + 1))));
    expect(sharp.map((name) => index.node(index.lookup(name)!).size)).toEqual(sharp.map((_, i) => i + 1));
  });
});

/** Names in the root whose merged hash falls into few buckets: found by trying, as an attacker would. */
function collisions(count: number): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const name = i.toString(36);
    if ((rootHash(name) & 0xfff) === 0) found.push(name);
  }
  return found;
}

function rootHash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0;
  return (h ^ (h >>> 13)) >>> 0;
}

it('octal and pax helpers build what they say', () => {
  expect(octal(8, 4)).toBe('010\0');
  expect(Buffer.from(paxRecords([['path', 'a']])).toString()).toBe('9 path=a\n');
});

import { describe, expect, it } from 'vitest';
import { KernelFiles } from '../../../src/containers/files/kernel-files.ts';
import { readTar, type TarEntry } from '../../../src/containers/files/tar-reader.ts';
import { collect, FilesKernel, listedByTar, pieces } from '../../support/container-files.ts';
import { buildRootfs } from '../../support/rootfs-builder.ts';
import { entry, join, paxRecords } from '../../support/tar-builder.ts';

const END = new Uint8Array(1024);
const LONG = `${'d'.repeat(120)}/${'f'.repeat(130)}`;

function image() {
  const { index, layer } = buildRootfs({
    etc: { dir: { passwd: { file: 'root:x:0:0\n', mode: 0o600, uid: 7, gid: 8 }, 'b.conf': { file: '' } } },
    bin: {
      dir: {
        tool: { file: 'tool', mode: 0o4755, xattrs: { 'user.kind': 'wasm' } },
        zool: { hardlink: '/bin/tool' },
        sh: { symlink: 'tool' },
      },
    },
    sparse: { sparse: [[70_000, 'end']], size: 70_003 },
  });
  return new FilesKernel({ index, layers: [layer] });
}

async function entriesOf(tar: Uint8Array): Promise<(Omit<TarEntry, 'data'> & { text: string })[]> {
  const found = [];
  for await (const { data, ...rest } of readTar(pieces(tar, 777))) {
    found.push({ ...rest, text: new TextDecoder().decode(await collect(data)) });
  }
  return found;
}

const names = async (tar: Uint8Array) => (await entriesOf(tar)).map(({ name, type }) => `${type} ${name}`);

describe('archives of a container', () => {
  it('names members relative to the parent, as docker does', async () => {
    const files = new KernelFiles(image().access);
    const archived = async (path: string) => names(await collect(files.archive(path)));
    expect(await archived('/etc')).toEqual(['5 etc/', '0 etc/b.conf', '0 etc/passwd']);
    expect(await archived('/etc/')).toEqual(['5 etc/', '0 etc/b.conf', '0 etc/passwd']);
    expect(await archived('etc/.')).toEqual(['5 ./', '0 ./b.conf', '0 ./passwd']);
    expect(await archived('/bin/../etc/passwd')).toEqual(['0 passwd']);
    expect(await archived('/bin/sh')).toEqual(['2 sh']);
    expect(await archived('/')).toEqual(
      ['5 /', '5 /bin/', '2 /bin/sh', '0 /bin/tool', '1 /bin/zool'].concat([
        '5 /etc/',
        '0 /etc/b.conf',
        '0 /etc/passwd',
        '0 /sparse',
      ]),
    );
    await expect(archived('/nope')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('keeps owners, modes, times, links, attributes and data', async () => {
    const found = await entriesOf(await collect(new KernelFiles(image().access).archive('/')));
    const byName = new Map(found.map((member) => [member.name, member]));
    expect(byName.get('/etc/passwd')).toMatchObject({ mode: 0o600, uid: 7, gid: 8, text: 'root:x:0:0\n' });
    expect(byName.get('/etc/passwd')!.mtimeNs).toBe(1_600_000_000_000_000_000n);
    expect(byName.get('/bin/tool')).toMatchObject({ mode: 0o4755, text: 'tool' });
    expect(byName.get('/bin/zool')).toMatchObject({ type: '1', link: '/bin/tool', size: 0 });
    expect(byName.get('/bin/sh')).toMatchObject({ link: 'tool' });
    expect(byName.get('/sparse')!.text).toBe(`${'\0'.repeat(70_000)}end`);
  });

  it('is what GNU tar reads the same way', async () => {
    const kernel = image();
    kernel.write({ [LONG]: 'long', späß: 'ü', 'dir/': null });
    const lines = listedByTar(await collect(new KernelFiles(kernel.access).export()));
    const seen = lines.map((line) => line.replace(/\s+/g, ' ').replace(/ \d{4}-\d\d-\d\d \S+/, ''));
    expect(seen).toEqual([
      'drwxr-xr-x 0/0 0 bin/',
      'lrwxrwxrwx 0/0 0 bin/sh -> tool',
      '-rwsr-xr-x 0/0 4 bin/tool',
      'hrwsr-xr-x 0/0 0 bin/zool link to bin/tool',
      `drwxr-xr-x 0/0 0 ${LONG.split('/')[0]}/`,
      `-rw-r--r-- 0/0 4 ${LONG}`,
      'drwxr-xr-x 0/0 0 dir/',
      'drwxr-xr-x 0/0 0 etc/',
      '-rw-r--r-- 0/0 0 etc/b.conf',
      '-rw------- 7/8 11 etc/passwd',
      '-rw-r--r-- 0/0 70003 sparse',
      '-rw-r--r-- 0/0 2 späß',
    ]);
  });

  it("says what a path is in docker's terms", async () => {
    const kernel = image();
    kernel.write({ 'a/b': { link: '/bin/sh' }, 'a/loop': { link: 'loop' }, 'a/out': { link: '../../../etc/x' } });
    const files = new KernelFiles(kernel.access);
    expect(await files.stat('/etc')).toMatchObject({ name: 'etc', mode: 2 ** 31 + 0o755, linkTarget: '' });
    expect(await files.stat('/bin/tool')).toEqual({
      name: 'tool',
      size: 4,
      mode: 2 ** 23 + 0o755,
      mtime: '2020-09-13T12:26:40Z',
      linkTarget: '',
    });
    expect(await files.stat('/a/b')).toMatchObject({ mode: 2 ** 27 + 0o777, linkTarget: '/bin/tool' });
    expect(await files.stat('/a/out')).toMatchObject({ linkTarget: '/etc/x' });
    expect(await files.stat('/a/loop')).toMatchObject({ name: 'loop' });
    expect(await files.stat('/')).toMatchObject({ name: '/' });
    await expect(files.stat('/etc/passwd/x')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('gives every process and descriptor back, also when nobody reads to the end', async () => {
    const kernel = image();
    const before = kernel.exports.kernel_used_bytes!();
    const files = new KernelFiles(kernel.access);
    for (let i = 0; i < 50; i++) {
      for await (const _ of files.archive('/etc')) break;
      await files.stat('/etc');
    }
    expect(kernel.exports.kernel_used_bytes!() - before).toBeLessThan(1024 * 1024);
    expect(kernel.exports.kernel_check!()).toBe(0);
  });
});

describe('archives into a container', () => {
  it('round-trips a tree', async () => {
    const tar = await collect(new KernelFiles(image().access).archive('/bin/.'));
    const kernel = image();
    kernel.write({ 'to/': null });
    const files = new KernelFiles(kernel.access);
    await files.extract('/to', pieces(tar), { copyUidGid: true });
    const back = await entriesOf(await collect(files.archive('/to/.')));
    const plain = (list: typeof back) => list.map(({ mtimeNs: _, ...rest }) => rest);
    expect(plain(back)).toEqual(plain(await entriesOf(tar)));
  });

  it("makes everything root's unless told otherwise, and keeps modes and times", async () => {
    const tar = join([
      entry({ name: 'new/deep/f', data: 'x', uid: 5, gid: 6, mode: 0o6751, mtime: 1234 }),
      entry({ name: 'new/d/', type: '5', uid: 5, gid: 6, mode: 0o1770, mtime: 99 }),
      entry({ name: 'new/d/in', data: 'y' }),
      END,
    ]);
    for (const copyUidGid of [false, true]) {
      const files = new KernelFiles(image().access);
      await files.extract('/', pieces(tar), { copyUidGid });
      const found = await entriesOf(await collect(files.archive('/new')));
      const owner = copyUidGid ? { uid: 5, gid: 6 } : { uid: 0, gid: 0 };
      expect(found.find(({ name }) => name === 'new/deep/f')).toMatchObject({
        ...owner,
        mode: 0o6751,
        mtimeNs: 1_234_000_000_000n,
        text: 'x',
      });
      expect(found.find(({ name }) => name === 'new/d/')).toMatchObject({
        ...owner,
        mode: 0o1770,
        mtimeNs: 99_000_000_000n,
      });
      expect(found.find(({ name }) => name === 'new/deep/')).toMatchObject({ mode: 0o755 });
    }
  });

  it('replaces what is there, merges directories, and refuses to mix them when asked', async () => {
    const kernel = image();
    kernel.write({ 'w/dir/keep': '1', 'w/file': 'old', 'w/link': { link: '/etc/passwd' } });
    const files = new KernelFiles(kernel.access);
    const text = async (path: string) => (await entriesOf(await collect(files.archive(path))))[0]!.text;
    await files.extract(
      '/w',
      pieces(join([entry({ name: 'dir/', type: '5' }), entry({ name: 'link', data: 'n' })])),
      {},
    );
    expect(await names(await collect(files.archive('/w')))).toEqual([
      '5 w/',
      '5 w/dir/',
      '0 w/dir/keep',
      '0 w/file',
      '0 w/link',
    ]);
    expect(await text('/etc/passwd')).toBe('root:x:0:0\n');
    const dirOverFile = join([entry({ name: 'file/', type: '5' }), END]);
    const fileOverDir = join([entry({ name: 'dir', data: 'x' }), END]);
    for (const tar of [dirOverFile, fileOverDir]) {
      await expect(files.extract('/w', pieces(tar), { noOverwriteDirNonDir: true })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('cannot overwrite'),
      });
    }
    await files.extract('/w', pieces(fileOverDir), {});
    expect(await text('/w/dir')).toBe('x');
  });

  it('reads long names, PAX records and numbers beyond octal', async () => {
    const tar = join([
      entry({
        name: 'PaxHeader',
        type: 'x',
        data: paxRecords([
          ['path', LONG],
          ['mtime', '12.5'],
          ['uid', '3000000'],
        ]),
      }),
      entry({ name: 'short', data: 'pax' }),
      entry({ name: '././@LongLink', type: 'L', data: `${'g'.repeat(200)}\0`, magic: 'gnu' }),
      entry({ name: 'short', data: 'gnu', magic: 'gnu' }),
      entry({ name: 'big', uid: 5_000_000, magic: 'gnu' }),
      END,
    ]);
    const files = new KernelFiles(image().access);
    await files.extract('/', pieces(tar, 100), { copyUidGid: true });
    const found = await entriesOf(await collect(files.archive('/')));
    expect(found.find(({ name }) => name === `/${LONG}`)).toMatchObject({ uid: 3_000_000, text: 'pax' });
    expect(found.find(({ name }) => name === `/${'g'.repeat(200)}`)).toMatchObject({ text: 'gnu' });
    expect(found.find(({ name }) => name === '/big')).toMatchObject({ uid: 5_000_000 });
  });

  it('takes whiteouts for the names they are', async () => {
    const files = new KernelFiles(image().access);
    await files.extract(
      '/etc',
      pieces(join([entry({ name: '.wh.passwd' }), entry({ name: '.wh..wh..opq' }), END])),
      {},
    );
    expect(await names(await collect(files.archive('/etc/.')))).toEqual([
      '5 ./',
      '0 ./.wh..wh..opq',
      '0 ./.wh.passwd',
      '0 ./b.conf',
      '0 ./passwd',
    ]);
  });

  it.each([
    ['no tar', new Uint8Array(512).fill(1), 'invalid-argument'],
    [
      'an archive that ends in a member',
      entry({ name: 'x', data: 'y'.repeat(600) }).subarray(0, 700),
      'invalid-argument',
    ],
    ['a name that leads out', entry({ name: 'a/../../b', data: 'x' }), 'invalid-argument'],
    ['a hard link that leads out', entry({ name: 'b', type: '1', link: '../etc/passwd' }), 'invalid-argument'],
    ['a device', entry({ name: 'null', type: '3', major: 1, minor: 3 }), 'unsupported'],
    ['a broken PAX header', entry({ name: 'p', type: 'x', data: '9 path=x\n\n' }), 'invalid-argument'],
    ['a huge PAX header', entry({ name: 'p', type: 'x', size: 2 ** 30 }), 'invalid-argument'],
    ['a sparse file', entry({ name: 'p', type: 'S' }), 'invalid-argument'],
  ])('refuses %s', async (_what, tar, code) => {
    const kernel = image();
    await expect(new KernelFiles(kernel.access).extract('/', pieces(tar), {})).rejects.toMatchObject({ code });
    expect(kernel.exports.kernel_check!()).toBe(0);
  });

  it('says what is wrong with the destination', async () => {
    const files = new KernelFiles(image().access);
    await expect(files.extract('/nope', pieces(END), {})).rejects.toMatchObject({ code: 'not-found' });
    await expect(files.extract('/etc/passwd', pieces(END), {})).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

/** Where `cp` puts things, as docker's table says, and that an archive of a container writes nowhere else. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planCopy } from '../../../src/cli/commands/copy-plan.ts';
import { createLocalTree } from '../../../src/cli/local-tree.ts';
import { fromText } from '../../../src/containers/files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../../../src/containers/files/tar-header.ts';
import { runLine } from '../../support/cli-context.ts';
import { fakeEngine } from '../../support/fake-engine.ts';

const DIRECTORY = 2 ** 31 + 0o755;

const nodeLocalTree = createLocalTree(promises);

describe('where a copy goes', () => {
  const plan = (source: string, isDirectory: boolean, target: string, kind: 'directory' | 'file' | undefined) => {
    const { directory, name } = planCopy({ path: source, isDirectory }, { path: target, kind }, (path) => path);
    return `${directory} + ${name}`;
  };
  it.each([
    ['/a/f', false, '/t', undefined, '/ + t'],
    ['/a/f', false, '/d/t', undefined, '/d + t'],
    ['/a/f', false, '/d/t', 'file', '/d + t'],
    ['/a/f', false, '/d', 'directory', '/d + f'],
    ['/a/f', false, '/d/', 'directory', '/d/ + f'],
    ['/a', true, '/d', undefined, '/ + d'],
    ['/a', true, '/d/', undefined, '/ + d'],
    ['/a', true, '/d', 'directory', '/d + a'],
    ['/a/', true, '/d', 'directory', '/d + a'],
    ['/a/.', true, '/d', 'directory', '/d + .'],
    ['/a/.', true, '/d', undefined, '/ + d'],
    ['/', true, '/d', 'directory', '/d + .'],
  ] as const)('%s (directory: %s) to %s (%s)', (source, isDirectory, target, kind, expected) => {
    expect(plan(source, isDirectory, target, kind)).toBe(expected);
  });

  it.each([
    ['/a/f', false, '/t/', undefined, 'no such directory'],
    ['/a', true, '/t', 'file', 'directory to a file'],
    ['/a/f', false, '/t/', 'file', 'not a directory'],
    ['/a/f/', false, '/t', undefined, 'not a directory'],
  ] as const)('refuses %s (directory: %s) to %s (%s)', (source, isDirectory, target, kind, why) => {
    expect(() => plan(source, isDirectory, target, kind)).toThrow(why);
  });
});

interface Member {
  name: string;
  type?: string;
  text?: string;
  link?: string;
  mode?: number;
}

async function* tarOf(members: readonly Member[]): AsyncGenerator<Uint8Array> {
  for (const { name, type = '0', text = '', link, mode = 0o644 } of members) {
    const data = new TextEncoder().encode(text);
    const target = link === undefined ? {} : { link: fromText(link) };
    yield encodeHeader({
      name: fromText(name),
      type,
      mode,
      uid: 1,
      gid: 2,
      size: data.length,
      mtime: 86_400,
      ...target,
    });
    yield data;
    yield tarPadding(data.length);
  }
  yield TAR_END;
}

describe('an archive on this machine', () => {
  let dir: string;
  let root: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wctr-cp-'));
    root = join(dir, 'root');
    writeFileSync(join(dir, 'canary'), 'alive');
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const unpack = (members: readonly Member[]) => nodeLocalTree.unpack(tarOf(members), root, { owners: false });

  it('is written with modes and times, and its top gets the name asked for', async () => {
    await unpack([
      { name: 'etc/', type: '5', mode: 0o555 },
      { name: 'etc/a', text: 'one', mode: 0o4640 },
      { name: 'etc/sub/b', text: 'two' },
      { name: 'etc/link', type: '2', link: '/anywhere' },
      { name: 'etc/hard', type: '1', link: 'etc/a' },
    ]);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('one');
    expect(statSync(join(root, 'a')).mode & 0o7777).toBe(0o640);
    expect(statSync(join(root, 'a')).mtimeMs).toBe(86_400_000);
    expect(readFileSync(join(root, 'sub/b'), 'utf8')).toBe('two');
    expect(readlinkSync(join(root, 'link'))).toBe('/anywhere');
    expect(readFileSync(join(root, 'hard'), 'utf8')).toBe('one');
    expect(statSync(root).mode & 0o777).toBe(0o555);
    chmodSync(root, 0o755);
  });

  it('merges into a directory that is there, and replaces files', async () => {
    mkdirSync(root);
    writeFileSync(join(root, 'kept'), 'kept');
    writeFileSync(join(root, 'a'), 'old');
    await unpack([
      { name: './', type: '5', mode: 0o755 },
      { name: './a', text: 'new' },
    ]);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('new');
    expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('kept');
  });

  it('comes back as it was packed', async () => {
    const source = join(dir, 'source');
    mkdirSync(join(source, 'deep'), { recursive: true });
    writeFileSync(join(source, 'deep', 'é'.repeat(80)), 'x'.repeat(300_000));
    symlinkSync('../canary', join(source, 'link'));
    await nodeLocalTree.unpack(nodeLocalTree.pack(source, 'any'), root, { owners: false });
    expect(readFileSync(join(root, 'deep', 'é'.repeat(80)), 'utf8')).toBe('x'.repeat(300_000));
    expect(readlinkSync(join(root, 'link'))).toBe('../canary');
  });

  const top = { name: 'd/', type: '5', mode: 0o755 };
  it.each<[string, Member[]]>([
    ['..', [top, { name: 'd/../canary', text: 'dead' }]],
    ['.. at the beginning', [top, { name: '../canary', text: 'dead' }]],
    ['an absolute name', [top, { name: '/canary', text: 'dead' }]],
    ['another top', [top, { name: 'e/canary', text: 'dead' }]],
    [
      'a link, then a file through it',
      [top, { name: 'd/l', type: '2', link: '..' }, { name: 'd/l/canary', text: 'dead' }],
    ],
    [
      'a link as the top',
      [
        { name: 'd', type: '2', link: '.' },
        { name: 'd/canary', text: 'dead' },
      ],
    ],
    ['a hard link out', [top, { name: 'd/h', type: '1', link: '../canary' }, { name: 'd/h', text: 'dead' }]],
    [
      'a hard link through a link',
      [top, { name: 'd/l', type: '2', link: '..' }, { name: 'd/h', type: '1', link: 'd/l/canary' }],
    ],
    [
      'a directory over a link',
      [top, { name: 'd/l', type: '2', link: '..' }, { name: 'd/l/', type: '5', mode: 0o700 }],
    ],
  ])('leaves the rest alone: %s', async (_name, members) => {
    await expect(unpack(members)).rejects.toThrow();
    expect(readFileSync(join(dir, 'canary'), 'utf8')).toBe('alive');
    expect(statSync(join(dir, 'canary')).nlink).toBe(1);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it('a file over a link of the user replaces the link, not what it leads to', async () => {
    symlinkSync(join(dir, 'canary'), root);
    await unpack([{ name: 'f', text: 'new' }]);
    expect(lstatSync(root).isFile()).toBe(true);
    expect(readFileSync(join(dir, 'canary'), 'utf8')).toBe('alive');
  });

  it('devices are left out', async () => {
    await unpack([top, { name: 'd/dev', type: '3' }, { name: 'd/pipe', type: '6' }]);
    expect(existsSync(join(root, 'dev')) || existsSync(join(root, 'pipe'))).toBe(false);
  });

  it('cp asks the engine as docker does, both ways', async () => {
    const sent: string[] = [];
    const { engine, calls } = fakeEngine({
      containers: {
        statPath: async () => ({ name: 'etc', mode: DIRECTORY, size: 0, mtime: '', linkTarget: '' }),
        getArchive: async () => ({
          stat: { name: 'etc', mode: DIRECTORY, size: 0, mtime: '', linkTarget: '' },
          tar: tarOf([
            { name: 'etc/', type: '5', mode: 0o755 },
            { name: 'etc/conf', text: 'x' },
          ]),
        }),
        putArchive: async (_c: string, _p: string, tar: AsyncIterable<Uint8Array>) => {
          for await (const chunk of tar) sent.push(new TextDecoder().decode(chunk.subarray(0, 6)));
        },
      },
    });
    const host = {
      localTree: async () => nodeLocalTree,
      resolvePath: (path: string) => (path.startsWith('/') ? path : join(dir, path)),
    };
    expect(await runLine(['cp', 'c1:/etc', 'out'], { engine, host })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
      modes: [],
    });
    expect(readFileSync(join(dir, 'out/conf'), 'utf8')).toBe('x');
    expect((await runLine(['cp', 'canary', 'c1:/etc/'], { engine, host })).code).toBe(0);
    expect(calls.slice(-2)).toEqual([
      { name: 'containers.statPath', args: ['c1', '/etc/'] },
      {
        name: 'containers.putArchive',
        args: ['c1', '/etc/', expect.anything(), { noOverwriteDirNonDir: true, copyUidGid: false }],
      },
    ]);
    expect(sent[0]).toBe('canary');
    expect((await runLine(['cp', 'c1:/a', 'c2:/b'], { engine, host })).code).toBe(1);
    expect((await runLine(['cp', './a', './b'], { engine, host })).code).toBe(1);
    expect((await runLine(['cp', 'nothere', 'c1:/b'], { engine, host })).stderr).toContain('no such file');
  });
});

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checksumSources } from '../../../../src/build/cache/source-checksum.ts';
import { type ContextFiles, DirectoryTree } from '../../../../src/build/context/directory-tree.ts';
import { KeptChecksums } from '../../../../src/build/context/kept-checksums.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../../../../src/build/ignore/ignore-matcher.ts';
import type { FileTree, TreeEntry } from '../../../../src/build/tree/file-tree.ts';
import { IgnoredTree } from '../../../../src/build/tree/ignored-tree.ts';
import { syncFileSystem } from '../../../../src/host/node/sync-file-system.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import { createNodeHasher, memoryStore } from '../../../support/image-store.ts';
import { removeTree } from '../../../support/remove-tree.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'wctr-context-'));
afterAll(() => removeTree(ROOT));
let count = 0;

/** Long ago, so that nothing of it is racy. */
const OLD = new Date('2020-01-01');

function contextOf(files: Record<string, string>): string {
  count += 1;
  const root = join(ROOT, String(count));
  mkdirSync(root);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), path);
    else if (!name.endsWith('/')) writeFileSync(path, content, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  return root;
}

/** The host's files with a count of those that were opened. */
function counted(files: ContextFiles = syncFileSystem): { files: ContextFiles; opened: string[] } {
  const opened: string[] = [];
  const openSync: ContextFiles['openSync'] = (path, flags, mode) => {
    opened.push(path);
    return files.openSync(path, flags, mode);
  };
  return { files: { ...files, openSync }, opened };
}

function readOf(entry: TreeEntry | undefined): AsyncIterable<Uint8Array> {
  if (entry?.read === undefined) throw new Error('no file');
  return entry.read();
}

const plain = (root: string) => new DirectoryTree(syncFileSystem, root);
const sum = (tree: FileTree, sources: string[] = ['.'], more: { exclude?: string[]; parents?: boolean } = {}) =>
  checksumSources(tree, sources, { createHasher: createNodeHasher, ...more });

const FILES = { a: 'A', 'd/x': 'X', 'd/e/y.md': 'Y', 'd/run.sh': 'S', 'empty/': '', link: '-> a', dlink: '-> d' };

describe('a directory as a context', () => {
  it('has files, directories and links, and owners that are root', async () => {
    const tree = plain(contextOf(FILES));
    expect(await tree.list('')).toEqual(['a', 'd', 'dlink', 'empty', 'link']);
    expect(await tree.lstat('d/run.sh')).toMatchObject({ kind: 'file', mode: 0o755, uid: 0, gid: 0, size: 1 });
    expect(await tree.lstat('dlink')).toMatchObject({ kind: 'symlink', target: 'd' });
    expect(await tree.lstat('empty')).toMatchObject({ kind: 'directory' });
    expect(await tree.lstat('none')).toBeUndefined();
    expect(await tree.lstat('none/more')).toBeUndefined();
    expect(await tree.list('a')).toEqual([]);
    const file = await tree.lstat('d/x');
    expect(file?.readNow?.()).toEqual(new Uint8Array([0x58]));
    expect(await collect(readOf(file))).toEqual(new Uint8Array([0x58]));
  });

  it('reads large files piece by piece', async () => {
    const content = 'x'.repeat((1 << 20) + 5);
    const file = await plain(contextOf({ a: content })).lstat('a');
    expect(file?.readNow).toBeUndefined();
    expect(new TextDecoder().decode(await collect(readOf(file)))).toBe(content);
  });

  it('follows no link on the way', async () => {
    const tree = plain(contextOf(FILES));
    expect(await tree.lstat('dlink/x')).toBeUndefined();
    expect(await tree.list('dlink')).toEqual([]);
  });

  it('sorts names by their bytes', async () => {
    const names = ['\u{10000}', '\uff00', 'b', 'a', 'a.b', 'Z', '\u00e9'];
    const tree = plain(contextOf(Object.fromEntries(names.map((name) => [name, '']))));
    expect(await tree.list('')).toEqual(['Z', 'a', 'a.b', 'b', '\u00e9', '\uff00', '\u{10000}']);
  });

  it('leaves out sockets, fifos and devices', async () => {
    const root = contextOf({ a: 'A' });
    execFileSync('mkfifo', [join(root, 'fifo')]);
    symlinkSync('/dev/zero', join(root, 'zero'));
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await plain(root).list('')).toEqual(['a', 'zero']);
    server.close();
  });

  it('says which name is no UTF-8, unless it is left out', async () => {
    const root = contextOf({ a: 'A' });
    execFileSync('sh', ['-c', 'touch "$(printf \'b\\377\')"'], { cwd: root });
    await expect(sum(plain(root))).rejects.toMatchObject({ code: 'invalid-argument' });
    const ignored = new IgnoredTree(plain(root), new IgnoreMatcher(parseIgnoreFile('b*')));
    expect(await ignored.list('')).toEqual(['a']);
    await sum(ignored);
  });

  it.each<[string, string]>([
    ['grew', 'printf AA > a'],
    ['was replaced', 'printf B > b && mv b a'],
    ['was touched', 'touch -d 2020-01-01 a'],
    ['went', 'rm a'],
    ['became a link', 'ln -sf /etc/passwd a'],
    ['became a fifo', 'rm a && mkfifo a'],
  ])('does not read a file that %s since it was looked at', async (_, change) => {
    const root = contextOf({ a: 'A' });
    const entry = await plain(root).lstat('a');
    execFileSync('sh', ['-c', change], { cwd: root });
    expect(() => entry?.readNow?.()).toThrow(expect.objectContaining({ code: 'conflict' }));
    await expect(collect(readOf(entry))).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the checksum of a source', () => {
  it('is that of its contents, wherever they lie and whenever they were written', async () => {
    const [one, two] = [contextOf(FILES), contextOf(FILES)];
    utimesSync(join(two, 'a'), OLD, OLD);
    expect(await sum(plain(one))).toBe(await sum(plain(two)));
    expect(await sum(plain(one))).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it.each<[string, Record<string, string>]>([
    ['a content', { ...FILES, a: 'B' }],
    ['a link', { ...FILES, link: '-> d/x' }],
    ['a name', { b: 'A', 'd/x': 'X', 'd/e/y.md': 'Y', 'd/run.sh': 'S', 'empty/': '', link: '-> a', dlink: '-> d' }],
    ['a file more', { ...FILES, 'd/e/z': '' }],
    ['a directory more', { ...FILES, 'd/f/': '' }],
    ['a directory less', { a: 'A', 'd/x': 'X', 'd/e/y.md': 'Y', 'd/run.sh': 'S', link: '-> a', dlink: '-> d' }],
    ['a file in place of a link', { ...FILES, link: 'a' }],
    ['a permission', { a: 'A', 'd/x': 'X', 'd/e/y.md': 'Y', 'd/run': 'S', 'empty/': '', link: '-> a', dlink: '-> d' }],
  ])('is another one for %s', async (_, files) => {
    expect(await sum(plain(contextOf(FILES)))).not.toBe(await sum(plain(contextOf(files))));
  });

  it('counts what is taken alone', async () => {
    const one = plain(contextOf(FILES));
    const two = plain(contextOf({ ...FILES, b: 'B', 'd/e/y.md': 'other' }));
    for (const source of ['a', 'link', 'empty', 'd/run.sh', 'd/*.sh', '/a', './d/../a', 'none']) {
      expect(await sum(one, [source]), source).toBe(await sum(two, [source]));
    }
    for (const source of ['.', 'd', 'dlink', 'd/*', '*', 'd/e/*.md']) {
      expect(await sum(one, [source]), source).not.toBe(await sum(two, [source]));
    }
    const exclude = ['b', '**/*.md'];
    expect(await sum(one, ['.'], { exclude })).toBe(await sum(two, ['.'], { exclude }));
    expect(await sum(one, ['d/*.sh'], { parents: true })).toBe(await sum(two, ['d/*.sh'], { parents: true }));
    expect(await sum(one, ['d/**/*.md'], { parents: true })).not.toBe(await sum(two, ['d/**/*.md'], { parents: true }));
  });

  it('tells sources apart that hold the same', async () => {
    const tree = plain(contextOf({ a: 'A', b: 'A', 'c/a': 'A' }));
    const sums = await Promise.all(
      [['a'], ['b'], ['c'], ['c/a', 'a'], ['a', 'b'], ['b', 'a'], ['none'], []].map((s) => sum(tree, s)),
    );
    expect(new Set(sums).size).toBe(sums.length);
  });

  it('lets others on, and ends when it is told to', async () => {
    const root = contextOf(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`d${i}/x`, 'X'])));
    const abort = new AbortController();
    const slow: ContextFiles = {
      ...syncFileSystem,
      readdirSync: (path) => {
        for (const end = Date.now() + 20; Date.now() < end; );
        return syncFileSystem.readdirSync(path);
      },
    };
    setTimeout(() => abort.abort(new Error('enough')), 60);
    const options = { createHasher: createNodeHasher, signal: abort.signal };
    await expect(checksumSources(new DirectoryTree(slow, root), ['.'], options)).rejects.toThrow('enough');
  });

  it('of an absent source waits for the copy to say so', async () => {
    expect(await sum(plain(contextOf({})), ['none'])).toMatch(/^sha256:/);
  });
});

describe('kept checksums', () => {
  function kept(now = Date.now) {
    const { fs, layout } = memoryStore();
    const store = new KeptChecksums({ fs, layout, createHasher: createNodeHasher, now });
    const build = async (root: string) => {
      const { files, opened } = counted();
      const digest = await sum(new DirectoryTree(files, root, { kept: store }));
      return { digest, opened: opened.map((path) => path.slice(root.length + 1)) };
    };
    return { fs, layout, build };
  }
  /** A minute from now, when nothing that is done here is racy any more. */
  const later = () => Date.now() + 60_000;

  it('agree with what is computed from contents', async () => {
    const { build } = kept(later);
    const root = contextOf(FILES);
    expect((await build(root)).digest).toBe(await sum(plain(root)));
    expect((await build(root)).digest).toBe(await sum(plain(root)));
  });

  it('let nothing be read that is as it was', async () => {
    const { build } = kept(later);
    const root = contextOf(FILES);
    expect((await build(root)).opened).toEqual(['a', 'd/e/y.md', 'd/run.sh', 'd/x']);
    expect((await build(root)).opened).toEqual([]);
    writeFileSync(join(root, 'd/x'), 'Z');
    expect((await build(root)).opened).toEqual(['d/x']);
    expect((await build(root)).opened).toEqual([]);
  });

  it('notice a change that keeps size and modification time', async () => {
    const { build } = kept(later);
    const root = contextOf({ a: 'A' });
    utimesSync(join(root, 'a'), OLD, OLD);
    const before = await build(root);
    writeFileSync(join(root, 'a'), 'B');
    utimesSync(join(root, 'a'), OLD, OLD);
    expect((await build(root)).digest).not.toBe(before.digest);
  });

  it('notice another file in the place of one', async () => {
    const { build } = kept(later);
    const root = contextOf({ a: 'A', 'other/a': 'B' });
    await build(root);
    rmSync(join(root, 'a'));
    linkSync(join(root, 'other/a'), join(root, 'a'));
    expect((await build(root)).opened).toContain('a');
  });

  it('are not kept of a file that was changed just now', async () => {
    const { build } = kept();
    const root = contextOf({ a: 'A' });
    await build(root);
    expect((await build(root)).opened).toEqual(['a']);
  });

  it('forget what is gone', async () => {
    const { fs, layout, build } = kept(later);
    const root = contextOf({ 'gone/with/all': 'A', 'd/gone': 'B', 'd/stays': 'C' });
    await build(root);
    rmSync(join(root, 'gone'), { recursive: true });
    renameSync(join(root, 'd/gone'), join(root, 'd/new'));
    await build(root);
    const [name] = await fs.readdir(layout.buildContexts);
    const text = new TextDecoder().decode(await fs.readFile(`${layout.buildContexts}/${name}`));
    expect(text).not.toContain('gone');
    expect(text).toContain('d/stays\0');
  });

  it.each([
    ['flipped', (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))],
    ['cut', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 9)],
    ['emptied', () => new Uint8Array()],
  ])('are computed again when they were %s', async (_, damage) => {
    const { fs, layout, build } = kept(later);
    const root = contextOf({ a: 'A' });
    const before = await build(root);
    const [name] = await fs.readdir(layout.buildContexts);
    const path = `${layout.buildContexts}/${name}`;
    await fs.writeFile(path, damage(await fs.readFile(path)));
    expect(await build(root)).toEqual(before);
  });
});

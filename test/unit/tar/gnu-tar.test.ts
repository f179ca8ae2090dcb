/** The same entries as GNU tar: archives it wrote in each of its formats, listed by it and by the layer pass. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LayerEntry } from '../../../src/core/layer-index.ts';
import { passLayer } from '../../support/layers.ts';
import { peer } from '../../support/peers.ts';
import { removeTree } from '../../support/remove-tree.ts';

const TAR = peer('tar');
const TYPES = ['?', '-', 'h', 'l', 'c', 'b', 'd', 'p'];

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wctr-tar-'));
  const tree = join(root, 'tree');
  mkdirSync(join(tree, 'dir/sub'), { recursive: true, mode: 0o750 });
  writeFileSync(join(tree, 'file'), 'hello', { mode: 0o4711 });
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(join(tree, 'dir/exactly-512'), 'x'.repeat(512));
  writeFileSync(join(tree, 'dir/sub/ümläut\u0301'), 'y'.repeat(5000));
  linkSync(join(tree, 'file'), join(tree, 'hard'));
  symlinkSync('../no/where', join(tree, 'link'));
  writeFileSync(join(tree, 'n'.repeat(97)), '1');
  lutimesSync(join(tree, 'link'), 1.5, 1_234_567_890.25);
});
afterAll(() => removeTree(root));

/** What only the formats with long names can hold. */
function addLongNames(tree: string): void {
  const deep = join(tree, 'd'.repeat(120), 'e'.repeat(200));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'f'.repeat(250)), 'deep');
  symlinkSync('t'.repeat(300), join(tree, 'long-link'));
  linkSync(join(deep, 'f'.repeat(250)), join(tree, 'long-hard'));
  lutimesSync(join(deep, 'f'.repeat(250)), -86400, -86400);
}

function addSparse(tree: string): void {
  const write = (name: string, size: number, at: number[]): void => {
    const path = join(tree, name);
    writeFileSync(path, '');
    truncateSync(path, size);
    for (const offset of at)
      execFileSync(
        'dd',
        ['if=/dev/urandom', `of=${path}`, 'bs=4096', 'count=1', 'conv=notrunc', `seek=${offset / 4096}`],
        { stdio: 'ignore' },
      );
  };
  write('sparse-hole', 1 << 20, []);
  write('sparse-few', 8 << 20, [0, 1 << 20, 4 << 20]);
  write(
    'sparse-many',
    8 << 20,
    Array.from({ length: 60 }, (_, i) => i * 131072),
  );
}

/** GNU tar's listing, one line per entry: type, permissions, owner, size, time, name and target. */
function listing(archive: string): string[] {
  const out = execFileSync(
    TAR!,
    ['-tvf', archive, '--numeric-owner', '--full-time', '--quoting-style=literal', '--utc'],
    {
      maxBuffer: 2 ** 28,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    },
  );
  return out
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

function asListing(entries: readonly LayerEntry[]): string[] {
  return entries.map((entry) => {
    const type = TYPES[entry.kind]!;
    const size = type === 'c' || type === 'b' ? `${entry.device >>> 20},${entry.device & 0xfffff}` : entry.size;
    const name = `${entry.path}${type === 'd' ? '/' : ''}`;
    const target = type === 'l' ? ` -> ${entry.link}` : type === 'h' ? ` link to ${entry.link}` : '';
    return `${type}${permissions(entry.mode)} ${entry.uid}/${entry.gid} ${size} ${time(entry.mtimeNs)} ${name}${target}`;
  });
}

function permissions(mode: number): string {
  const special = (bit: number, position: number, letter: string, text: string): string => {
    if ((mode & bit) === 0) return text;
    const executable = text[position] === 'x';
    return text.slice(0, position) + (executable ? letter : letter.toUpperCase()) + text.slice(position + 1);
  };
  let text = '';
  for (let bit = 8; bit >= 0; bit--) text += mode & (1 << bit) ? 'xwr'[bit % 3] : '-';
  text = special(0o4000, 2, 's', text);
  text = special(0o2000, 5, 's', text);
  return special(0o1000, 8, 't', text);
}

function time(ns: bigint): string {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ');
  return fraction === 0n ? seconds : `${seconds}.${fraction.toString().padStart(9, '0')}`;
}

/** 08:00:00.5 as 08:00:00.500000000, 08:00:00.000000000 as 08:00:00. */
function unifyTime(line: string): string {
  return line.replace(/( \d\d:\d\d:\d\d)\.(\d+) /, (_, clock: string, digits: string) => {
    return /^0+$/.test(digits) ? `${clock} ` : `${clock}.${digits.padEnd(9, '0')} `;
  });
}

async function expectSameEntries(archive: string): Promise<LayerEntry[]> {
  const { readFileSync } = await import('node:fs');
  const { entries } = await passLayer(readFileSync(archive), { onTar: () => {} });
  const theirs = listing(archive).map(unifyTime);
  const ours = asListing(entries);
  // GNU tar lists names as they are; the index has them clean.
  const clean = (line: string): string => line.replace(/ \.\//g, ' ').replace(/ $/, ' /');
  expect(ours.map(clean)).toEqual(theirs.map(clean));
  return entries;
}

describe.skipIf(!TAR)('GNU tar', () => {
  it.each(['v7', 'ustar', 'gnu', 'oldgnu', 'pax'])('--format=%s', async (format) => {
    const archive = join(root, `${format}.tar`);
    execFileSync(TAR!, ['-cf', archive, `--format=${format}`, '-C', join(root, 'tree'), '.']);
    expect((await expectSameEntries(archive)).length).toBe(10);
  });

  it.each(['gnu', 'pax'])('long names and links, times before 1970, --format=%s', async (format) => {
    const tree = join(root, `long-${format}`);
    cpSync(join(root, 'tree'), tree, { recursive: true, verbatimSymlinks: true });
    addLongNames(tree);
    const archive = join(root, `long-${format}.tar`);
    execFileSync(TAR!, ['-cf', archive, `--format=${format}`, '-C', tree, '.']);
    await expectSameEntries(archive);
  });

  it.each([
    ['gnu', ''],
    ['pax', '--sparse-version=0.0'],
    ['pax', '--sparse-version=0.1'],
    ['pax', '--sparse-version=1.0'],
  ])('sparse files, --format=%s %s', async (format, version) => {
    const tree = join(root, `sparse${version}-${format}`);
    mkdirSync(tree);
    addSparse(tree);
    const archive = join(root, 'sparse.tar');
    execFileSync(TAR!, [
      '-cf',
      archive,
      '--sparse',
      `--format=${format}`,
      ...(version ? [version] : []),
      '-C',
      tree,
      '.',
    ]);
    const entries = await expectSameEntries(archive);
    const { readFileSync } = await import('node:fs');
    const tarBytes = readFileSync(archive);
    for (const { path, size, extents } of entries.filter(({ kind }) => kind === 1)) {
      const content = new Uint8Array(size);
      for (const { offset, length, dataOffset } of extents)
        content.set(tarBytes.subarray(dataOffset, dataOffset + length), offset);
      expect(Buffer.compare(content, readFileSync(join(tree, path))), path).toBe(0);
    }
  });

  it('a real Debian tree', async () => {
    const archive = join(root, 'debian.tar');
    execFileSync(
      TAR!,
      [
        '-cf',
        archive,
        '--format=gnu',
        '-C',
        '/',
        'etc/alternatives',
        'usr/share/doc/bash',
        'usr/share/doc/libc6',
        'usr/lib/python3',
        'var/lib/dpkg/alternatives',
      ],
      { stdio: 'ignore' },
    );
    expect((await expectSameEntries(archive)).length).toBeGreaterThan(100);
  });
});

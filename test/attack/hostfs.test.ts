/**
 * A mounted host directory is all a guest sees of the host: through links that lie in it, through links swapped in while
 * it is read, and through special files.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memfs } from 'memfs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { PathAnchors } from '../../src/host/mounts/anchors.ts';
import { HostDirectory } from '../../src/host/mounts/host-directory.ts';
import { hostAnchors, syncFileSystem } from '../../src/host/node/sync-file-system.ts';
import type { SyncFileSystem } from '../../src/host/ports.ts';
import { peer } from '../support/peers.ts';

const SECRET = 'the secret outside';
let base: string;
let inside: string;
let canary: string;
let swapper: ChildProcess | undefined;

beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'wctr-hostfs-'));
  inside = join(base, 'inside');
  canary = join(base, 'outside', 'secret');
  fs.mkdirSync(join(base, 'outside'));
  fs.mkdirSync(inside);
  fs.writeFileSync(canary, SECRET);
});

afterEach(() => {
  swapper?.kill('SIGKILL');
  fs.rmSync(base, { recursive: true, force: true });
});

function errnoOf(call: () => unknown): number | string {
  try {
    call();
    return 'no error';
  } catch (error) {
    const { errno, code } = error as { errno?: number; code?: string };
    return code ?? errno ?? String(error);
  }
}

function read(directory: HostDirectory, node: number): string {
  const handle = directory.open(node, abi.O_RDONLY);
  const target = new Uint8Array(256);
  const length = directory.read(handle, target, 0);
  directory.release(handle);
  return new TextDecoder().decode(target.subarray(0, length));
}

const kinds: [string, () => HostDirectory][] = [
  ['pinned', () => new HostDirectory(syncFileSystem, hostAnchors(), inside)],
  ['by path', () => new HostDirectory(syncFileSystem, new PathAnchors(syncFileSystem), inside)],
];

describe.each(kinds)('a host directory, %s', (_kind, open) => {
  it('never follows a link: not to read, to list, to write or to make something behind it', () => {
    for (const [name, target] of [
      ['absolute', join(base, 'outside')],
      ['relative', '../outside'],
      ['file', canary],
      ['up', '..'],
      ['proc', '/proc/self/root'],
    ] as const) {
      fs.symlinkSync(target, join(inside, name));
    }
    const directory = open();
    for (const name of ['absolute', 'relative', 'file', 'up', 'proc']) {
      const { node, stat } = directory.lookup(directory.rootNode, name);
      expect(Number(stat.mode) & abi.S_IFMT).toBe(abi.S_IFLNK);
      expect(errnoOf(() => directory.lookup(node, 'secret'))).not.toBe('no error');
      expect(errnoOf(() => directory.open(node, abi.O_RDONLY))).not.toBe('no error');
      expect(errnoOf(() => directory.open(node, abi.O_RDWR | abi.O_TRUNC))).not.toBe('no error');
      expect(errnoOf(() => [...directory.entries(node, 0)])).not.toBe('no error');
      expect(errnoOf(() => directory.create(node, 'new', 0o644))).not.toBe('no error');
      expect(errnoOf(() => directory.change(node, { size: 0 }))).not.toBe('no error');
      expect(errnoOf(() => directory.unlink(node, 'secret'))).not.toBe('no error');
    }
    expect(fs.readFileSync(canary, 'utf8')).toBe(SECRET);
    expect(fs.readdirSync(join(base, 'outside'))).toEqual(['secret']);
    directory.close();
  });

  it.each(['..', '.', '', 'a/b', '../outside/secret', 'a\0b'])('refuses %j as a name', (name) => {
    const directory = open();
    const root = directory.rootNode;
    for (const call of [
      () => directory.lookup(root, name),
      () => directory.create(root, name, 0o644),
      () => directory.mkdir(root, name, 0o755),
      () => directory.symlink(root, name, 'x'),
      () => directory.unlink(root, name),
      () => directory.rmdir(root, name),
      () => directory.rename(root, name, root, 'b'),
      () => directory.rename(root, 'b', root, name),
    ]) {
      expect(errnoOf(call)).toBe(abi.EINVAL);
    }
    directory.close();
  });

  it('leaves special files inert', () => {
    execFileSync(peer('mkfifo')!, [join(inside, 'fifo')]);
    const directory = open();
    const { node, stat } = directory.lookup(directory.rootNode, 'fifo');
    expect(Number(stat.mode) & abi.S_IFMT).toBe(abi.S_IFIFO);
    expect(errnoOf(() => directory.open(node, abi.O_RDONLY))).toBe(abi.EACCES);
    expect(errnoOf(() => directory.open(node, abi.O_RDWR))).toBe(abi.EACCES);
    directory.close();

    const devices = new HostDirectory(syncFileSystem, hostAnchors(), '/dev');
    const nul = devices.lookup(devices.rootNode, 'null');
    expect(errnoOf(() => devices.open(nul.node, abi.O_RDWR))).toBe(abi.EACCES);
    devices.close();
  });

  it('sees a file that took the place of another as another', () => {
    fs.writeFileSync(join(inside, 'a'), 'first');
    fs.writeFileSync(join(inside, 'b'), 'second');
    const directory = open();
    const { node } = directory.lookup(directory.rootNode, 'a');
    fs.rmSync(join(inside, 'a'));
    fs.symlinkSync(canary, join(inside, 'a'));
    let seen = '';
    try {
      seen = read(directory, node);
    } catch {
      seen = 'gone';
    }
    expect(['first', 'gone']).toContain(seen);
    directory.close();
  });

  it('does not link what was swapped under the name', () => {
    fs.writeFileSync(join(inside, 'a'), 'mine');
    const directory = open();
    const { node } = directory.lookup(directory.rootNode, 'a');
    fs.rmSync(join(inside, 'a'));
    fs.writeFileSync(join(inside, 'other'), 'x');
    fs.writeFileSync(join(inside, 'a'), 'not mine');
    expect(errnoOf(() => directory.link(node, directory.rootNode, 'b'))).not.toBe('no error');
    expect(fs.existsSync(join(inside, 'b'))).toBe(false);
    directory.close();
  });

  it('writes nothing when mounted read-only', () => {
    fs.writeFileSync(join(inside, 'a'), 'kept');
    fs.mkdirSync(join(inside, 'd'));
    const anchors = _kind === 'pinned' ? hostAnchors() : new PathAnchors(syncFileSystem);
    const directory = new HostDirectory(syncFileSystem, anchors, inside, { readonly: true });
    const root = directory.rootNode;
    const { node } = directory.lookup(root, 'a');
    for (const call of [
      () => directory.open(node, abi.O_WRONLY),
      () => directory.open(node, abi.O_RDONLY | abi.O_TRUNC),
      () => directory.create(root, 'n', 0o644),
      () => directory.mkdir(root, 'n', 0o755),
      () => directory.symlink(root, 'n', 'x'),
      () => directory.link(node, root, 'n'),
      () => directory.unlink(root, 'a'),
      () => directory.rmdir(root, 'd'),
      () => directory.rename(root, 'a', root, 'n'),
      () => directory.change(node, { size: 0 }),
      () => directory.change(node, { mode: 0 }),
      () => directory.change(node, { mtimeNs: 0n }),
    ]) {
      expect(errnoOf(call)).toBe(abi.EROFS);
    }
    expect(fs.readdirSync(inside).sort()).toEqual(['a', 'd']);
    expect(fs.readFileSync(join(inside, 'a'), 'utf8')).toBe('kept');
    directory.close();
  });
});

describe.skipIf(process.platform !== 'linux')('a host directory while another program swaps links in it', () => {
  const SWAPPER = `
    const fs = require('fs');
    const [inside, outside] = process.argv.slice(1);
    process.stdout.write('ready');
    for (;;) {
      fs.renameSync(inside + '/d', inside + '/parked');
      fs.symlinkSync(outside, inside + '/d');
      fs.unlinkSync(inside + '/d');
      fs.renameSync(inside + '/parked', inside + '/d');
    }`;

  it('is never left in 100,000 opens', async () => {
    fs.mkdirSync(join(inside, 'd'));
    fs.writeFileSync(join(inside, 'd', 'secret'), 'harmless');
    swapper = spawn(process.execPath, ['-e', SWAPPER, inside, join(base, 'outside')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => swapper!.stdout!.once('data', resolve));
    const directory = new HostDirectory(syncFileSystem, hostAnchors(), inside);
    const outcomes = { harmless: 0, link: 0, failed: 0 };
    const escapes: string[] = [];
    for (let i = 0; i < 100_000; i++) {
      try {
        const dir = directory.lookup(directory.rootNode, 'd');
        try {
          const { node } = directory.lookup(dir.node, 'secret');
          try {
            const text = read(directory, node);
            if (text === 'harmless') outcomes.harmless++;
            else escapes.push(text);
          } finally {
            directory.forget(node, 1);
          }
        } catch (error) {
          if ((error as { code?: string }).code === 'ENOTDIR') outcomes.link++;
          else outcomes.failed++;
        } finally {
          directory.forget(dir.node, 1);
        }
      } catch {
        outcomes.failed++;
      }
    }
    directory.close();
    expect(escapes).toEqual([]);
    expect(outcomes.harmless).toBeGreaterThan(0);
    // The race took place: the walk met the link, and the moments when there was no `d`.
    expect(outcomes.link + outcomes.failed).toBeGreaterThan(0);
    expect(fs.readFileSync(canary, 'utf8')).toBe(SECRET);
  });
});

describe('descriptors of the host', () => {
  it.skipIf(process.platform !== 'linux')('stay bounded over thousands of nodes and come back at the end', () => {
    for (let i = 0; i < 1500; i++) fs.writeFileSync(join(inside, `f${i}`), `${i}`);
    const count = () => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    const directory = new HostDirectory(syncFileSystem, hostAnchors(), inside);
    const nodes = Array.from({ length: 1500 }, (_, i) => directory.lookup(directory.rootNode, `f${i}`).node);
    expect(count() - before).toBeLessThan(600);
    expect(read(directory, nodes[3]!)).toBe('3');
    expect(read(directory, nodes[1400]!)).toBe('1400');
    directory.close();
    expect(count()).toBe(before);
  });
});

describe('a Node-fs-shaped object', () => {
  it('is confined to the directory that was mounted', () => {
    const { fs: memory } = memfs({ '/outside/secret': SECRET, '/inside/a': 'x' });
    memory.symlinkSync('/outside', '/inside/link');
    memory.symlinkSync('../outside/secret', '/inside/file');
    const tree = memory as unknown as SyncFileSystem;
    const directory = new HostDirectory(tree, new PathAnchors(tree), '/inside');
    const link = directory.lookup(directory.rootNode, 'link');
    expect(errnoOf(() => directory.lookup(link.node, 'secret'))).not.toBe('no error');
    const file = directory.lookup(directory.rootNode, 'file');
    expect(errnoOf(() => directory.open(file.node, abi.O_RDONLY))).not.toBe('no error');
    expect(read(directory, directory.lookup(directory.rootNode, 'a').node)).toBe('x');
    expect(memory.readFileSync('/outside/secret', 'utf8')).toBe(SECRET);
  });
});

/** Mounts of threads that share nodes and handles, but no descriptors: what Deno's threads are. */
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../../src/core/abi/kernel.ts';
import { PinnedAnchors } from '../../../../src/host/mounts/anchors.ts';
import { ThreadHandles } from '../../../../src/host/mounts/handles.ts';
import { HostDirectory } from '../../../../src/host/mounts/host-directory.ts';
import { createSharedNodes, SharedNodes } from '../../../../src/host/mounts/shared-nodes.ts';
import { syncFileSystem } from '../../../../src/host/node/sync-file-system.ts';
import type { SyncFileSystem } from '../../../../src/host/ports.ts';

/** A file system that knows the descriptors it opened, and no other. */
interface Thread {
  readonly fs: SyncFileSystem;
  readonly open: ReadonlySet<number>;
  end(): void;
}

function thread(): Thread {
  const open = new Set<number>();
  const own = <Rest extends unknown[], Result>(call: (fd: number, ...rest: Rest) => Result) => {
    return (fd: number, ...rest: Rest): Result => {
      if (!open.has(fd)) throw Object.assign(new Error('EBADF'), { code: 'EBADF' });
      return call(fd, ...rest);
    };
  };
  const close = (fd: number) => {
    open.delete(fd);
    syncFileSystem.closeSync(fd);
  };
  const fs: SyncFileSystem = {
    ...syncFileSystem,
    openSync: (path, flags, mode) => {
      const fd = syncFileSystem.openSync(path, flags, mode);
      open.add(fd);
      return fd;
    },
    closeSync: own(close),
    readSync: own((fd, ...rest: [Uint8Array, number, number, number | null]) => syncFileSystem.readSync(fd, ...rest)),
    writeSync: own((fd, ...rest: [Uint8Array, number, number, number | null]) => syncFileSystem.writeSync(fd, ...rest)),
    fstatSync: own((fd, options: { bigint: true }) => syncFileSystem.fstatSync(fd, options)),
  };
  return { fs, open, end: () => [...open].forEach(close) };
}

let dir: string;
let main: Thread;
let guest: Thread;
let owner: HostDirectory;
let other: HostDirectory;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wctr-threads-'));
  writeFileSync(join(dir, 'a'), 'content of a');
  mkdirSync(join(dir, 'sub'));
  [main, guest] = [thread(), thread()];
  const shared = createSharedNodes();
  const options = ({ fs }: Thread) => {
    const nodes = new SharedNodes(shared, 1);
    return { nodes, handles: new ThreadHandles(fs, nodes.handles) };
  };
  const anchors = ({ fs }: Thread) => new PinnedAnchors(fs, { threadsOwn: true });
  owner = new HostDirectory(main.fs, anchors(main), dir, options(main));
  const { rootNode } = owner;
  other = new HostDirectory(guest.fs, anchors(guest), dir, { ...options(guest), rootNode });
});
afterEach(() => {
  guest.end();
  main.end();
  rmSync(dir, { recursive: true });
});

const text = (directory: HostDirectory, handle: number) => {
  const buffer = new Uint8Array(64);
  return new TextDecoder().decode(buffer.subarray(0, directory.read(handle, buffer, 0)));
};

describe.skipIf(process.platform !== 'linux')('threads with descriptors of their own', () => {
  it('know each other’s nodes, and give back their own descriptors', () => {
    const sub = other.lookup(owner.rootNode, 'sub').node;
    expect(Number(other.stat(owner.rootNode).mode) & abi.S_IFMT).toBe(abi.S_IFDIR);
    const made = other.create(sub, 'made', 0o644).node;
    expect(Number(owner.stat(made).size)).toBe(0);
    expect([...owner.entries(sub, 0)].map(({ name }) => name)).toEqual(['made']);
    // Given back by the thread that did not look it up.
    owner.forget(made, 1);
    expect(() => other.stat(made)).toThrow(expect.objectContaining({ errno: abi.ENOENT }));
    owner.close();
    expect([...main.open]).toEqual([]);
    guest.end();
  });

  it('do not take a node for the one that had its number before', () => {
    const { node } = other.lookup(owner.rootNode, 'a');
    other.stat(node);
    owner.forget(node, 1);
    writeFileSync(join(dir, 'b'), 'longer content of b');
    for (let i = 1; ; i++) {
      const next = owner.lookup(owner.rootNode, 'b').node;
      if (next === node) break;
      owner.forget(next, 1);
      if (i > 0x8000) throw new Error('numbers do not come again');
    }
    expect(Number(other.stat(node).size)).toBe('longer content of b'.length);
  });

  it('read, write and close files that another opened', () => {
    const { node } = other.lookup(owner.rootNode, 'a');
    const handle = other.open(node, abi.O_RDWR);
    expect(text(owner, handle)).toBe('content of a');
    expect(owner.write(handle, new TextEncoder().encode('CON'), 0)).toBe(3);
    expect(text(other, handle)).toBe('CONtent of a');
    owner.release(handle);
    owner.release(handle);
    expect(() => text(other, handle)).toThrow(expect.objectContaining({ errno: abi.EBADF }));
    // The same slot, another file.
    writeFileSync(join(dir, 'b'), 'b');
    const next = owner.open(owner.lookup(owner.rootNode, 'b').node, abi.O_RDONLY);
    expect(next).toBe(handle);
    expect(text(other, next)).toBe('b');
    other.release(next);
    owner.close();
    expect([...main.open]).toEqual([]);
  });

  it('append where another appended, and empty no file twice', () => {
    const { node } = other.lookup(owner.rootNode, 'a');
    const handle = other.open(node, abi.O_WRONLY | abi.O_APPEND | abi.O_TRUNC);
    for (const directory of [other, owner, other, owner]) directory.write(handle, new TextEncoder().encode('x'), null);
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('xxxx');
  });

  it('find out that a file is gone with the thread that opened it, whatever has its number', () => {
    const { node } = other.lookup(owner.rootNode, 'a');
    const before = new Set(guest.open);
    const handle = other.open(node, abi.O_RDONLY);
    const [descriptor] = [...guest.open].filter((fd) => !before.has(fd));
    const kept = other.open(node, abi.O_RDONLY);
    expect(text(owner, kept)).toBe('content of a');
    guest.end();
    const secret = join(dir, 'secret');
    writeFileSync(secret, 'not for it');
    const opened: number[] = [];
    while (!opened.includes(descriptor!)) opened.push(openSync(secret, 'r'));
    try {
      expect(() => text(owner, handle)).toThrow(expect.objectContaining({ errno: abi.EBADF }));
      // What a thread has read from once is its own.
      expect(text(owner, kept)).toBe('content of a');
    } finally {
      for (const fd of opened) syncFileSystem.closeSync(fd);
    }
  });

  it('close what others closed before they have too many', () => {
    const { node } = other.lookup(owner.rootNode, 'a');
    const start = guest.open.size;
    for (let i = 0; i < 1000; i++) owner.release(other.open(node, abi.O_RDONLY));
    expect(guest.open.size - start).toBeLessThan(100);
  });

  it('have room for so many files, and lose no descriptor when there is none', () => {
    const room = new ThreadHandles(main.fs, new SharedNodes(createSharedNodes(), 1).handles);
    const stat = syncFileSystem.lstatSync(join(dir, 'a'), { bigint: true });
    // Descriptors that are none: nothing opens them.
    for (let i = 1; i < 0x10000; i++) room.add(1e6 + i, stat, 0);
    const descriptor = main.fs.openSync(join(dir, 'a'), abi.O_RDONLY);
    expect(() => room.add(descriptor, stat, 0)).toThrow(expect.objectContaining({ errno: abi.ENFILE }));
    expect(main.open.has(descriptor)).toBe(false);
  });
});

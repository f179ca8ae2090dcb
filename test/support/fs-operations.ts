/** Random file system operations for fast-check, and how a model and a guest carry them out. */
import fc from 'fast-check';
import * as abi from '../../src/core/abi/kernel.ts';
import type { Guest } from './guest.ts';
import type { ModelFs } from './model-fs.ts';
import type { Tree } from './rootfs-builder.ts';
import { contentsOf } from './upper.ts';

export const LOWER: Tree = {
  a: { file: 'lower a' },
  b: { file: 'x'.repeat(9000) },
  c: {
    dir: { a: { file: 'c/a' }, d: { dir: { b: { file: 'deep' }, e: { symlink: '../a' } } }, b: { hardlink: '/a' } },
  },
  d: { dir: {} },
  e: { symlink: 'c/d' },
  f: { symlink: '/c/../b' },
  g: {
    sparse: [
      [100, 'here'],
      [5000, 'and here'],
    ],
    size: 20_000,
  },
};

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'long-name-that-does-not-fit-inline-in-a-dentry');
const component = fc.oneof({ weight: 8, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom('.', '..') });
const path = fc
  .tuple(fc.array(component, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '', '', '', '/'))
  .map(([parts, slash]) => `/${parts.join('/')}${slash}`);
const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 }));
const target = fc.oneof(
  path,
  fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
);

export type Op =
  | { op: 'write'; path: string; offset: number; length: number; fill: number }
  | { op: 'truncate'; path: string; size: number }
  | { op: 'read' | 'mkdir' | 'unlink' | 'rmdir'; path: string }
  | { op: 'rename' | 'link' | 'symlink'; from: string; path: string };

export const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constant('write' as const),
    path,
    offset: size,
    length: size,
    fill: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ op: fc.constant('truncate' as const), path, size }),
  fc.record({ op: fc.constantFrom('read' as const, 'mkdir' as const, 'unlink' as const, 'rmdir' as const), path }),
  fc.record({ op: fc.constantFrom('rename' as const, 'rename' as const, 'link' as const), from: path, path }),
  fc.record({ op: fc.constant('symlink' as const), from: target, path }),
);

export function onModel(model: ModelFs, step: Op): unknown {
  switch (step.op) {
    case 'write':
      return model.write(step.path, step.offset, new Uint8Array(step.length).fill(step.fill));
    case 'truncate':
      return model.truncate(step.path, step.size);
    case 'read': {
      const data = model.read(step.path);
      return typeof data === 'number' ? data : Buffer.from(data).toString('latin1');
    }
    case 'symlink':
      return model.symlink(step.from, step.path);
    case 'rename':
    case 'link':
      return model[step.op](step.from, step.path);
    default:
      return model[step.op](step.path);
  }
}

export function onKernel(guest: Guest, step: Op): unknown {
  switch (step.op) {
    case 'write': {
      const fd = guest.open(step.path, abi.O_WRONLY | abi.O_CREAT);
      if (fd < 0) return fd;
      const written = guest.write(fd, new Uint8Array(step.length).fill(step.fill), step.offset);
      guest.close(fd);
      return written;
    }
    case 'truncate':
      return guest.call('truncateat', abi.AT_FDCWD, guest.path(step.path), step.size, 0, 0);
    case 'read':
      return contentsOf(guest, step.path);
    case 'symlink':
      return guest.symlink(step.from, step.path);
    case 'rename':
    case 'link':
      return guest[step.op](step.from, step.path);
    default:
      return guest[step.op](step.path);
  }
}

/** ContainerFiles over a kernel of the test's own, and tars read and written without the code under test. */
import { spawnSync } from 'node:child_process';
import type { FilesAccess } from '../../src/containers/files/task.ts';
import type { Kernel } from '../../src/core/kernel.ts';
import { join } from './tar-builder.ts';
import { TestKernel, type TestKernelOptions } from './wasi-kernel.ts';

export class FilesKernel extends TestKernel {
  readonly access: FilesAccess;

  constructor(options: TestKernelOptions = {}) {
    super(options);
    this.access = {
      port: this,
      kernel: this.exports,
      memory: this.memory,
      createTask: () => this.exports.process_create!(0, 0, 0, 0),
      endTask: (task) => void this.exports.process_exit!(task, 0),
    };
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return join(parts);
}

/** In pieces of `size` bytes. */
export async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What the system's tar makes of an archive, a line per member. */
export function listedByTar(tar: Uint8Array): string[] {
  const { stdout, stderr, status } = spawnSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tvf', '-'], {
    input: tar,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Over a kernel that was booted elsewhere. */
export function accessOf(kernel: Kernel, layers: readonly Uint8Array[] = []): FilesAccess {
  const none = () => -5;
  return {
    port: {
      readLayer(layer, position, target) {
        const piece = layers[layer]!.subarray(position, position + target.length);
        target.set(piece);
        return piece.length;
      },
      hostRead: none,
      hostWrite: none,
    },
    kernel: kernel.calls,
    memory: kernel.memory,
    createTask: () => kernel.calls.process_create!(0, 0, 0, 0),
    endTask: (task) => void kernel.calls.process_exit!(task, 0),
  };
}

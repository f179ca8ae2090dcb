/** What a service over a container's files works with: the kernel as the main thread calls it. */
import type { KernelExports } from '../../core/kernel.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import type { ContainerFiles } from './container.ts';

export interface FilesAccess {
  /** Every call of kernel.wasm. */
  readonly kernel: KernelExports;
  readonly port: KernelPort;
  /** Shared where guests run: decoders and generators of the web want a copy of what they work on. */
  readonly memory: WebAssembly.Memory;
  /** A kernel process of user 0 at `/`, for one operation. Throws 'limit-exceeded'. */
  createTask(): number;
  endTask(task: number): void;
}

/** Made once for a container; its `files`. */
export type CreateFiles = (access: FilesAccess) => ContainerFiles;

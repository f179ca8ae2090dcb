/** Further threads over a shared kernel: Workers that run a job of kernel-worker.mjs. */
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../../src/core/kernel.ts';
import { kernelModule } from './guest.ts';

export interface Job {
  job: 'hammer' | 'swap' | 'write' | 'block' | 'pour' | 'drain';
  rounds?: number;
  seed?: number;
  /** Run as this task instead of a process of its own. */
  task?: number;
  fd?: number;
  done?: SharedArrayBuffer;
}

export interface Running {
  result: Promise<Record<string, number>>;
  worker: Worker;
}

export async function startJob(kernel: Kernel, job: Job): Promise<Running> {
  const module = await kernelModule(true);
  const worker = new Worker(new URL('./kernel-worker.mjs', import.meta.url), {
    workerData: { module, memory: kernel.memory, rounds: 0, seed: 1, ...job },
  });
  const result = new Promise<Record<string, number>>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { result, worker };
}

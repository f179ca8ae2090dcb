/** A thread of node:worker_threads (Node, Deno, Bun) as its owner sees it. */
import { type TransferListItem, Worker } from 'node:worker_threads';
import type { WorkerPort } from '../worker/messages.ts';

/** Guests bring their own memory; the thread's JavaScript needs little. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

export interface ThreadOptions {
  /** Descriptors that the thread opens stay open when it ends: other threads use them. */
  readonly sharesDescriptors?: boolean;
}

export function openWorkerThread<In, Out>(entry: string, options: ThreadOptions = {}): WorkerPort<In, Out> {
  const worker = new Worker(entry, {
    resourceLimits: RESOURCE_LIMITS,
    env: {},
    stdin: false,
    trackUnmanagedFds: options.sharesDescriptors !== true,
  });
  worker.unref();
  return {
    post(message, transfer) {
      worker.ref();
      worker.postMessage(message, transfer as readonly TransferListItem[] | undefined);
    },
    onMessage(listener) {
      worker.on('message', (message: Out) => listener(message));
    },
    onEnd(listener) {
      worker.on('error', listener);
      worker.on('exit', () => listener(undefined));
    },
    async terminate() {
      await worker.terminate();
    },
  };
}

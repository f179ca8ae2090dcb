/** A thread of node:worker_threads (Node, Deno, Bun) as the worker sandbox sees it. */
import { Worker } from 'node:worker_threads';
import type { StartMessage, WorkerMessage, WorkerPort } from '../worker/messages.ts';

/** Guests bring their own memory; the thread's JavaScript needs little. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

export function openWorkerThread(entry: URL): WorkerPort {
  const worker = new Worker(entry, { resourceLimits: RESOURCE_LIMITS, env: {}, stdin: false });
  worker.unref();
  return {
    post(message: StartMessage) {
      worker.ref();
      worker.postMessage(message);
    },
    onMessage(listener) {
      worker.on('message', (message: WorkerMessage) => listener(message));
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

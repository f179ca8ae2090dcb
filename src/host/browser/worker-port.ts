/** A Web Worker as the worker sandbox sees it. */
import type { StartMessage, WorkerMessage, WorkerPort } from '../worker/messages.ts';

export function openWebWorker(entry: URL): WorkerPort {
  const worker = new Worker(entry, { type: 'module' });
  return {
    post(message: StartMessage) {
      worker.postMessage(message);
    },
    onMessage(listener) {
      worker.addEventListener('message', (event: MessageEvent<WorkerMessage>) => listener(event.data));
    },
    onEnd(listener) {
      worker.addEventListener('error', (event) => listener(event.error ?? new Error(event.message)));
    },
    async terminate() {
      worker.terminate();
    },
  };
}

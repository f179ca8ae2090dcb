/** A Web Worker as its owner sees it. */
import type { WorkerPort } from '../worker/messages.ts';

export function openWebWorker<In, Out>(entry: URL): WorkerPort<In, Out> {
  const worker = new Worker(entry, { type: 'module' });
  return {
    post(message, transfer) {
      worker.postMessage(message, { transfer: [...(transfer ?? [])] as Transferable[] });
    },
    onMessage(listener) {
      worker.addEventListener('message', (event: MessageEvent<Out>) => listener(event.data));
    },
    onEnd(listener) {
      worker.addEventListener('error', (event) => listener(event.error ?? new Error(event.message)));
    },
    async terminate() {
      worker.terminate();
    },
  };
}

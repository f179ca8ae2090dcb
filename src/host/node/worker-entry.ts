/** The guest's thread under Node, Deno and Bun. */
import { parentPort } from 'node:worker_threads';
import { runInWorker } from '../worker/guest.ts';
import type { StartMessage } from '../worker/messages.ts';
import { nodeRunnerHost } from './runner-host.ts';
import { inheritedStream } from './stdio.ts';

parentPort?.once('message', (start: StartMessage) => {
  const stop = start.stop === undefined ? undefined : new Int32Array(start.stop);
  runInWorker(start, {
    post: (message, transfer) => parentPort?.postMessage(message, transfer),
    inherited: inheritedStream,
    runnerHost: ({ kernel, core }, stdio) => ({
      ...nodeRunnerHost({ kernel: () => kernel, core: () => core }, stdio),
      ...(stop === undefined ? {} : { poll: () => (Atomics.load(stop, 0) === 0 ? 'run' : 'stop') }),
    }),
  });
});

/** RUN without a process: on the calling thread, with directories as Node has them and without, and as a page's worker has it. */
import { KernelFiles } from '../../../src/containers/files/kernel-files.ts';
import { openInlineSpace } from '../../../src/host/inline/space.ts';
import { packagedWasm } from '../../../src/host/node/packaged-wasm.ts';
import { nodeRunnerHost } from '../../../src/host/node/runner-host.ts';
import type { WorkerPort } from '../../../src/host/worker/messages.ts';
import { openWorkerSpace } from '../../../src/host/worker/space-client.ts';
import type { SpaceMessage, SpaceRequest } from '../../../src/host/worker/space-messages.ts';
import { serveSpace } from '../../../src/host/worker/space-server.ts';
import { openRunWorld } from '../../support/run-executor.ts';
import { runExecutorSuite } from '../../support/run-executor-suite.ts';

const traits = { cancels: false, hasNetwork: false };
runExecutorSuite('RUN inline', () => openRunWorld({ isolation: 'inline' }), { ...traits, sharesCaches: true });
runExecutorSuite('RUN without paths', () => openRunWorld({ isolation: 'inline', hasPaths: false }), {
  ...traits,
  sharesCaches: false,
});

runExecutorSuite(
  'RUN by messages',
  () =>
    openRunWorld({
      isolation: 'inline',
      hasPaths: false,
      host: {
        openHere: (spec) => {
          const kernelModule = async () => packagedWasm.kernel();
          const coreModule = async () => packagedWasm.core();
          return openWorkerSpace(spec, { openWorker, kernelModule, coreModule });
        },
      },
    }),
  { ...traits, sharesCaches: false },
);

/** The worker's side in this very thread: messages are copied and come later. */
function openWorker(): WorkerPort<SpaceRequest, SpaceMessage> {
  const listeners: ((message: SpaceMessage) => void)[] = [];
  let isOver = false;
  const serve = serveSpace({
    post(message, transfer) {
      const copy = structuredClone(message, transfer === undefined ? {} : { transfer });
      setTimeout(() => {
        if (!isOver) for (const listener of listeners) listener(copy);
      }, 0);
    },
    open: (spec, { kernel, core }) =>
      openInlineSpace(
        spec,
        (stdio) => nodeRunnerHost({ kernel: () => kernel, core: () => core }, stdio),
        (access) => new KernelFiles(access),
      ),
  });
  return {
    post(message) {
      // Compiled modules are cloned between threads alone.
      const copy = message.type === 'open' ? message : structuredClone(message);
      setTimeout(() => {
        if (!isOver) serve(copy);
      }, 0);
    },
    onMessage: (listener) => void listeners.push(listener),
    onEnd: () => {},
    terminate: async () => {
      isOver = true;
    },
  };
}

/** The guest's thread in a page: a module worker. */
import { runInWorker } from '../worker/guest.ts';
import type { StartMessage } from '../worker/messages.ts';
import { browserRunnerHost } from './runner-host.ts';

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

scope.onmessage = ({ data: start }) => {
  runInWorker(start, {
    post: (message, transfer) => scope.postMessage(message, transfer ?? []),
    inherited() {
      throw new Error('a page has no standard streams');
    },
    runnerHost: (modules, stdio) => browserRunnerHost(modules, stdio),
  });
};

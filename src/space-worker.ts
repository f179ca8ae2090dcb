/** The worker that a program of a build runs in, in a page: a module worker (see host/browser/sandboxes.ts). */
import { KernelFiles } from './containers/files/kernel-files.ts';
import { browserRunnerHost } from './host/browser/runner-host.ts';
import { openInlineSpace } from './host/inline/space.ts';
import type { SpaceRequest } from './host/worker/space-messages.ts';
import { serveSpace } from './host/worker/space-server.ts';

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<SpaceRequest>) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

const serve = serveSpace({
  post: (message, transfer) => scope.postMessage(message, transfer ?? []),
  open: (spec, modules) =>
    openInlineSpace(
      spec,
      (stdio) => browserRunnerHost(modules, stdio),
      (access) => new KernelFiles(access),
    ),
});

scope.onmessage = ({ data }) => serve(data);

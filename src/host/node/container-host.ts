/** Containers of several processes on Node (and on Deno and Bun through node:): a thread of node:worker_threads each. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { ContainerHost } from '../container/container.ts';
import type { GuestThread } from '../container/guest.ts';
import { type ContainerHostOptions, createThreadedContainers } from '../container/host-container.ts';
import type { GuestMessage, GuestStart } from '../container/messages.ts';
import { hostClock, hostRandom } from '../wasi/defaults.ts';
import { NodeJournal } from './journal-file.ts';
import { DIST } from './package-files.ts';
import { packagedWasm } from './packaged-wasm.ts';
import { nodeRunnerHost } from './runner-host.ts';
import { emptyInput } from './stdio.ts';
import { openWorkerThread } from './worker-port.ts';

export interface NodeContainerOptions extends ContainerHostOptions {
  /** The file of the guests' threads; default: dist/host/node/worker-entry.js. */
  readonly threadEntry?: string;
}

/** Starts nothing and reads nothing before the first container is opened. */
export function createContainerHost(options: NodeContainerOptions = {}): ContainerHost {
  const entry = options.threadEntry ?? `${DIST}host/node/worker-entry.js`;
  return createThreadedContainers(
    {
      openThread: (): GuestThread => openWorkerThread<GuestStart, GuestMessage>(entry, { sharesDescriptors: true }),
      machineHost: () => ({
        ...nodeRunnerHost(packagedWasm, { stdin: emptyInput, stdout: {}, stderr: {} }),
        kernelModule: packagedWasm.sharedKernel,
        clock: hostClock,
        random: hostRandom,
      }),
      coreModule: packagedWasm.core,
      shareBlock(location) {
        // Deno's threads have descriptors of their own: there each opens the file.
        if ('bytes' in location || 'Deno' in globalThis) return location;
        const descriptor = openSync(location.path, 'r');
        return { descriptor, sizeBytes: fstatSync(descriptor).size };
      },
      closeShared(block) {
        if ('descriptor' in block) closeSync(block.descriptor);
      },
      openJournal: (path) => new NodeJournal(path),
      closeDescriptor(descriptor) {
        try {
          closeSync(descriptor);
        } catch {
          // The thread was stopped after it had closed it.
        }
      },
      cpuMs: threadCpuMs,
    },
    options,
  );
}

/** Linux: nanoseconds on a CPU, the first number of schedstat. Elsewhere 0: no thread can be asked from outside. */
function threadCpuMs(thread: string): number {
  try {
    return Number.parseInt(readFileSync(`/proc/${thread}/schedstat`, 'latin1'), 10) / 1e6;
  } catch {
    return 0;
  }
}

/** Containers of several processes on Node (and on Deno and Bun through node:): a thread of node:worker_threads each. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withMemoryKind } from '../../core/load.ts';
import type { ContainerHost } from '../container/container.ts';
import type { GuestThread } from '../container/guest.ts';
import { type ContainerHostOptions, createThreadedContainers } from '../container/host-container.ts';
import type { GuestMessage, GuestStart } from '../container/messages.ts';
import { hostClock, hostRandom } from '../wasi/defaults.ts';
import { NodeJournal } from './journal-file.ts';
import { DIST } from './package-files.ts';
import { nodeRunnerHost, wasmModules } from './runner-host.ts';
import { emptyInput } from './stdio.ts';
import { openWorkerThread } from './worker-port.ts';

export interface NodeContainerOptions extends ContainerHostOptions {
  /** The file of the guests' threads; default: dist/host/node/worker-entry.js. */
  readonly threadEntry?: URL;
}

/** Starts nothing and reads nothing before the first container is opened. */
export function createContainerHost(options: NodeContainerOptions = {}): ContainerHost {
  const directory = fileURLToPath(new URL('wasm/', DIST));
  const wasm = wasmModules(directory);
  let kernel: WebAssembly.Module | undefined;
  const sharedKernel = () => {
    kernel ??= new WebAssembly.Module(withMemoryKind(readFileSync(`${directory}kernel.wasm`), true));
    return kernel;
  };
  const entry = options.threadEntry ?? new URL('host/node/worker-entry.js', DIST);
  return createThreadedContainers(
    {
      openThread: (): GuestThread => openWorkerThread<GuestStart, GuestMessage>(entry, { sharesDescriptors: true }),
      machineHost: () => ({
        ...nodeRunnerHost(wasm, { stdin: emptyInput, stdout: {}, stderr: {} }),
        kernelModule: sharedKernel,
        clock: hostClock,
        random: hostRandom,
      }),
      coreModule: wasm.core,
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

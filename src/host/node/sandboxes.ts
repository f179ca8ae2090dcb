/** The isolations of Node (and of Deno and Bun through node:), ready to use. */
import { fileURLToPath } from 'node:url';
import { createInlineSandbox as createInline } from '../inline/sandbox.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  createWorkerSandbox as createWorker,
  type WorkerSandbox,
  type WorkerSandboxOptions,
} from '../worker/sandbox.ts';
import { DIST } from './package-files.ts';
import { nodeRunnerHost, wasmModules } from './runner-host.ts';
import { inheritedStream } from './stdio.ts';
import { openWorkerThread } from './worker-port.ts';

export { createProcessSandbox, prespawn } from '../process/sandbox.ts';

const WASM = fileURLToPath(new URL('wasm/', DIST));

export function createInlineSandbox(): Sandbox {
  const wasm = wasmModules(WASM);
  return createInline({ inherited: inheritedStream, runnerHost: (stdio) => nodeRunnerHost(wasm, stdio) });
}

export function createWorkerSandbox(options: WorkerSandboxOptions = {}): WorkerSandbox {
  const wasm = wasmModules(WASM);
  return createWorker(
    {
      openWorker: () => openWorkerThread(new URL('host/node/worker-entry.js', DIST)),
      kernelModule: async () => wasm.kernel(),
      coreModule: async () => wasm.core(),
      sharedMemory: true,
      inheritsStdio: true,
      // V8 interrupts a computing thread; JavaScriptCore does not.
      stopsByFuel: 'bun' in process.versions,
    },
    options,
  );
}

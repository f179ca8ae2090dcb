/** The isolations of Node (and of Deno and Bun through node:), ready to use. */
import { checkpoints } from '../checkpoint/resume.ts';
import type { CreateFiles } from '../container/files-access.ts';
import { createInlineSandbox as createInline } from '../inline/sandbox.ts';
import { type InlineSpace, openInlineSpace } from '../inline/space.ts';
import type { Sandbox, SandboxSpec } from '../sandbox.ts';
import {
  createWorkerSandbox as createWorker,
  type WorkerSandbox,
  type WorkerSandboxOptions,
} from '../worker/sandbox.ts';
import { DIST } from './package-files.ts';
import { packagedWasm } from './packaged-wasm.ts';
import { nodeRunnerHost } from './runner-host.ts';
import { inheritedStream } from './stdio.ts';
import { openWorkerThread } from './worker-port.ts';

export { createProcessSandbox, prespawn } from '../process/sandbox.ts';

export function createInlineSandbox(): Sandbox {
  return createInline({
    inherited: inheritedStream,
    runnerHost: (stdio) => ({ ...nodeRunnerHost(packagedWasm, stdio), checkpoints }),
  });
}

/** For the programs of builds: `createFiles` is how their files are reached. */
export function openSpace(spec: SandboxSpec, createFiles: CreateFiles): InlineSpace {
  return openInlineSpace(spec, (stdio) => nodeRunnerHost(packagedWasm, stdio), createFiles);
}

export function createWorkerSandbox(options: WorkerSandboxOptions = {}): WorkerSandbox {
  return createWorker(
    {
      openWorker: () => openWorkerThread(`${DIST}host/node/worker-entry.js`),
      kernelModule: async () => packagedWasm.kernel(),
      coreModule: async () => packagedWasm.core(),
      sharedMemory: true,
      inheritsStdio: true,
      // V8 interrupts a computing thread; JavaScriptCore does not.
      stopsByFuel: 'bun' in process.versions,
    },
    options,
  );
}

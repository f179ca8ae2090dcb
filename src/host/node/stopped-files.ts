/** Boots a container's files without a guest, in this process: image below, writable layer as its journal has it, mounts. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { UpperJournal } from '../../core/upper.ts';
import type { ContainerFiles } from '../container/container.ts';
import type { CreateFiles } from '../container/files-access.ts';
import { Machine } from '../runner/machine.ts';
import type { SandboxSpec } from '../sandbox.ts';
import { hostClock, hostRandom } from '../wasi/defaults.ts';
import { NodeJournal } from './journal-file.ts';
import { packagedWasm } from './packaged-wasm.ts';
import { nodeRunnerHost } from './runner-host.ts';
import { emptyInput } from './stdio.ts';

export interface StoppedFiles {
  readonly files: ContainerFiles;
  /** What was written is on disk. Throws 'no-space'. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `journal`: absolute path, made when it is not there; absent: what is written goes with `close`. */
export function openStoppedFiles(
  spec: SandboxSpec,
  { journal }: { readonly journal?: string },
  createFiles: CreateFiles,
): StoppedFiles {
  if (journal !== undefined) mkdirSync(dirname(journal), { recursive: true, mode: 0o700 });
  const machine = new Machine(
    spec,
    {
      ...nodeRunnerHost(packagedWasm, { stdin: emptyInput, stdout: {}, stderr: {} }),
      clock: hostClock,
      random: hostRandom,
    },
    {
      tracksChanges: true,
      ...(journal === undefined ? {} : { journal: (link) => new UpperJournal(new NodeJournal(journal), link) }),
    },
  );
  machine.finish();
  return {
    files: createFiles(machine.access()),
    sync: async () => machine.sync(),
    close: async () => machine.close(),
  };
}

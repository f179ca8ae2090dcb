/** Files of a container that does not run, opened in the engine's own process. */
import type { ContainerFiles } from '../../host/container/container.ts';
import type { SandboxSpec } from '../../host/sandbox.ts';

export interface OpenedFiles {
  readonly files: ContainerFiles;
  /** What was written is on disk. Throws 'no-space'. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenFilesOptions {
  /** The writable layer's journal; made when it is not there. Absent: what is written goes with `close`. */
  readonly journal?: string;
}

/** Throws as the sandbox does for the same spec: 'store-corrupt', 'not-found', 'invalid-argument', 'no-memory'. */
export type OpenFiles = (spec: SandboxSpec, options: OpenFilesOptions) => Promise<OpenedFiles>;

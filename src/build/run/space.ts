/** Where the program of a RUN lives: the port an executor opens, fills, runs and reads. */
import type { ContainerFiles } from '../../host/container/container.ts';
import type { SandboxExit, SandboxSpec } from '../../host/sandbox.ts';

export interface RunSpaces {
  /** Rejects as a sandbox does that cannot be booted. Nothing runs yet. Ended by `signal` at any time. */
  open(request: RunSpaceRequest): Promise<RunSpace>;
}

export interface RunSpaceRequest {
  /** Without `names`: those are the network's. */
  readonly spec: SandboxSpec;
  readonly network: 'default' | 'none';
  /** `host:address`. */
  readonly extraHosts: readonly string[];
  readonly expectsMore?: boolean;
  readonly signal?: AbortSignal;
}

export interface RunSpace {
  readonly files: Pick<ContainerFiles, 'extract' | 'write' | 'seal' | 'archive' | 'layer'>;
  /** Once. Rejects where the program cannot be started. */
  run(onOutput: (stream: 1 | 2, data: Uint8Array) => void): Promise<SandboxExit>;
  /** Ends the program; nothing is left when this resolves. Never rejects. */
  close(): Promise<void>;
}

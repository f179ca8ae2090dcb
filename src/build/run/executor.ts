/** The port that runs a stage's RUN: a program in a sandbox over the layers so far, and what it changed. */
import type { Digest } from '../../spec/image-spec.ts';
import type { FileTree } from '../tree/file-tree.ts';

export interface RunExecutor {
  /**
   * Rejects with `entrypoint-not-found`, `entrypoint-denied`, `exec-format` and so on where the program cannot be started;
   * an exit code is no error here. Leaves nothing behind when it rejects, is aborted, or its process is killed.
   */
  run(step: RunStep): Promise<RunOutcome>;
}

export interface RunStep {
  /** The stage so far, lowest first; all of them in the layer store, and pinned. */
  readonly diffIds: readonly Digest[];
  /** argv. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** As USER has it; empty is root. */
  readonly user: string;
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none';
  /** `host:address`. */
  readonly extraHosts: readonly string[];
  /** Seconds; clock and randomness start there, from a fixed seed. Absent: the host's. */
  readonly fixedTime?: number;
  readonly memoryBytes?: number;
  /** Another RUN is about to follow: what it takes may be made ready meanwhile. */
  readonly expectsMore?: boolean;
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

export type RunMount =
  /** Writes are seen by the program, and gone after it. */
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly tree: FileTree;
      readonly source: string;
      readonly readonly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      /** The same id is the same directory in every build. */
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readonly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** What a new one begins with. */
      readonly initial?: { readonly tree: FileTree; readonly source: string };
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A file no layer, log or record ever holds. */
  | {
      readonly type: 'secret';
      readonly target: string;
      readonly data: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface RunOutcome {
  readonly exitCode: number;
  /** What ended it where that was not the program itself: one line. */
  readonly reason?: string;
  readonly oomKilled: boolean;
  /** What it changed, as an OCI layer's tar in order of path, times as the program left them; mount points left out. Empty tar: nothing. */
  readonly layer: () => AsyncIterable<Uint8Array>;
  /** Gives back what the layer is read from. */
  release(): Promise<void>;
}

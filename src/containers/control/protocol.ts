/**
 * What is said on a container process' control socket: one connection, one request. The caller sends a REQUEST frame; the
 * container answers with a REPLY frame; for requests that stream, or take long (`wait`, `stop`), others follow until END.
 *
 * ```
 * frame:  u32 byteLength of the payload, little endian | u8 kind | payload
 * ```
 *
 * Frames are those of host/frames.ts. A closed connection before END means the container's process is gone.
 */
import type { ErrorCode } from '../../errors.ts';
import type { NetworkPlan } from '../../host/network/port.ts';
import type { ExecConfig, Resources, RestartPolicy } from '../../spec/engine-api.ts';

/** Caller to container, JSON of ControlRequest. Once. */
export const FRAME_REQUEST = 16;
/** Container to caller, JSON of ControlReply. Once. */
export const FRAME_REPLY = 17;
/** Standard input, or the tar of `files.put`. */
export const FRAME_INPUT = 18;
/** No more input. */
export const FRAME_INPUT_END = 19;
/** Output of the guest, or the bytes asked for. */
export const FRAME_STDOUT = 20;
export const FRAME_STDERR = 21;
/** JSON of { height, width }: the terminal's new size. */
export const FRAME_RESIZE = 22;
/** Container to caller, JSON of ControlReply: how a request that streams came out. Once, last. */
export const FRAME_END = 23;

export type ControlRequest =
  | { readonly op: 'ping' }
  /** The first start waits for this, so that whoever attaches misses nothing. */
  | { readonly op: 'go' }
  /** Streams until the guest ends (END: SandboxExit) or the caller leaves. */
  | { readonly op: 'attach'; readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }
  | { readonly op: 'resize'; readonly height: number; readonly width: number }
  | { readonly op: 'signal'; readonly signal: string }
  /** Signals, waits, kills. Replies when the guest has ended. The container is then stopped by its user. */
  | {
      readonly op: 'stop';
      readonly signal: string;
      readonly timeoutMs: number;
      /** It is started again at once: it does not remove itself. */
      readonly restarts?: boolean;
    }
  /** END: SandboxExit, at the next end of the guest. */
  | { readonly op: 'wait' }
  | { readonly op: 'exec.create'; readonly id: string; readonly config: ExecConfig }
  /** Streams unless `detach`. END: SandboxExit. */
  | {
      readonly op: 'exec.start';
      readonly id: string;
      readonly detach: boolean;
      readonly tty: boolean;
      readonly consoleSize?: readonly [number, number];
    }
  | { readonly op: 'exec.inspect'; readonly id: string }
  | { readonly op: 'exec.resize'; readonly id: string; readonly height: number; readonly width: number }
  | { readonly op: 'top' }
  | { readonly op: 'stats' }
  | { readonly op: 'update'; readonly resources: Resources; readonly restartPolicy?: RestartPolicy }
  | { readonly op: 'files.stat'; readonly path: string }
  /** A tar as STDOUT frames. */
  | { readonly op: 'files.get'; readonly path: string }
  /** A tar as INPUT frames. */
  | {
      readonly op: 'files.put';
      readonly path: string;
      readonly noOverwriteDirNonDir: boolean;
      readonly copyUidGid: boolean;
    }
  | { readonly op: 'files.changes' }
  /** The writable layer as an OCI layer tar, as STDOUT frames. */
  | { readonly op: 'files.layer'; readonly except?: readonly string[] }
  /** The bytes of a file that is there, as INPUT frames. */
  | {
      readonly op: 'files.write';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly op: 'files.seal'; readonly path: string }
  /** The whole root as a tar, as STDOUT frames. */
  | { readonly op: 'files.export' }
  /** The networks of its record have changed. */
  | { readonly op: 'networks.changed'; readonly plan: NetworkPlan }
  /** Freezes the program in a system call, into a file of the host's. Replies when it is there; ends it then. */
  | { readonly op: 'checkpoint'; readonly path: string; readonly leaveRunning: boolean };

export type ControlReply =
  | { readonly ok: true; readonly result?: unknown }
  | {
      readonly ok: false;
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
    };

/** One process inside the container. */
export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  readonly uid: number;
  readonly startedAt: string;
  readonly cpuMs: number;
  readonly args: readonly string[];
}

/** What only the container itself knows; CPU, memory and block I/O of its process are read from the system. */
export interface ProcessStats {
  readonly pids: number;
  /** Guest memories and the kernel's, bytes. */
  readonly memoryBytes: number;
  readonly storageBytes: number;
  /** By network name. */
  readonly networks: Readonly<
    Record<
      string,
      { readonly rxBytes: number; readonly rxPackets: number; readonly txBytes: number; readonly txPackets: number }
    >
  >;
}

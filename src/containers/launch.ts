/**
 * What a container process is told at its start, by whoever starts it (`LaunchDocument`, one JSON line on its standard
 * input), and what it answers (`LaunchReport`s, a line each, on descriptor 3): `ready` when its control socket listens, then,
 * after `go`, `started` or `failed`. It writes its record itself (src/containers/record.ts) before each report.
 */
import type { ErrorCode } from '../errors.ts';
import type { FreezeRequest } from '../host/container/container.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { SandboxSpec } from '../host/sandbox.ts';
import type { HealthConfig, LogConfig, RestartPolicy } from '../spec/engine-api.ts';

export interface LaunchDocument {
  readonly id: string;
  readonly name: string;
  /** Data root of the store. */
  readonly root: string;
  readonly spec: SandboxSpec;
  /** The writable layer's journal, absolute path; made when it is not there. */
  readonly journal: string;
  /** Unix socket or named pipe to listen on. */
  readonly controlSocket: string;
  /** Standard input stays open without anybody attached, and ends when the first one attached leaves. */
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly log: LogConfig & { readonly path: string };
  readonly restartPolicy: RestartPolicy;
  readonly autoRemove: boolean;
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  readonly health?: HealthConfig;
  readonly network: NetworkPlan;
  /** The host's file of a checkpoint that the first run of the program goes on from. */
  readonly checkpoint?: string;
  /** The program is initialised and frozen in place of being run, once. */
  readonly freeze?: FreezeRequest;
}

/**
 * A RUN of a build, in place of a LaunchDocument. Nothing of it is kept: no record, no log, no journal. Its files can be
 * filled before `go` and read after the program's end; it is gone when the launcher closes descriptor 4, whatever the
 * reason.
 */
export interface BuildRunDocument {
  readonly kind: 'build-run';
  readonly spec: SandboxSpec;
  readonly controlSocket: string;
  readonly network: NetworkPlan;
}

export type LaunchReport =
  | { readonly report: 'ready'; readonly pid: number }
  | { readonly report: 'started' }
  | {
      readonly report: 'failed';
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
    };

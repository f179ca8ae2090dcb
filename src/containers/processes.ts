/** What the engine needs of a host that has container processes: start one, speak to one, read what one has logged. */
import type { ControlRequest } from './control/protocol.ts';
import type { BuildRunDocument, LaunchDocument } from './launch.ts';

export interface ContainerProcesses {
  /**
   * Starts the process of a container. Resolves when its control socket listens; the guest has not run yet. Rejects with
   * what the process reports, or 'sandbox-failed' when it ends without a report.
   */
  launch(document: LaunchDocument): Promise<LaunchedProcess>;
  /** The same for a RUN. It lives as long as it is not abandoned, also after its program's end. */
  launchRun(document: BuildRunDocument): Promise<LaunchedProcess>;
  /** Another start is about to follow: makes a process ready for it, unless there is one. */
  prepare(): void;
  /** Sends one request and waits for the reply. Rejects with the reply's error; 'conflict' when nobody listens. */
  connect(socket: string, request: ControlRequest): Promise<ControlSession>;
}

export interface LaunchedProcess {
  readonly pid: number;
  /** Lets the guest run. Rejects when the program cannot be started; the process is gone then. */
  go(): Promise<void>;
  /** Ends it before `go`; a RUN at any time. */
  abandon(): void;
}

export interface ControlSession {
  /** Of the reply. */
  readonly result: unknown;
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  resize(size: { readonly height: number; readonly width: number }): void;
  /** END's value. Rejects with 'sandbox-failed' when the container's process went away before. */
  readonly end: Promise<unknown>;
  /** Leaves. */
  close(): void;
}

/**
 * A container that is more than one program: its kernel lives in shared memory, and every process of it is a thread that
 * runs the same kernel over it. The container process (src/host/process) opens one, starts the image's program in it, and
 * `exec` starts more.
 */
import type { FilesystemChange, PathStat } from '../../spec/engine-api.ts';
import type { ContainerNetwork } from '../network/port.ts';
import type { SandboxExit, SandboxResources, SandboxSpec } from '../sandbox.ts';

/** One program to run in a container. */
export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly program: SandboxSpec['program'];
  /** False: standard input is at its end from the beginning. */
  readonly stdin: boolean;
  readonly deterministic?: boolean;
  readonly clockStart?: number;
  /** In place of running it: calls an export that initialises it, freezes it and ends it. */
  readonly freeze?: FreezeRequest;
}

export interface FreezeRequest {
  /** The host's file the checkpoint goes to (host/checkpoint/format.ts); replaced when it is there. */
  readonly path: string;
  /** The initialising export; absent: Wizer's. */
  readonly init?: string;
}

export interface HostContainerOptions {
  /** Directory of the host for checkpoints of programs that run; absent: none can be made. */
  readonly checkpoints?: string;
  /** The writable layer on disk; absent: it lasts as long as the container. */
  readonly journal?: WritableLayerJournal;
  /** Absent: no sockets. */
  readonly network?: ContainerNetwork;
}

/**
 * Where the writable layer is kept: transactions appended one after the other, each whole or not there after a crash.
 * Synchronous, because a guest's fsync is; opened by path in every thread, so it has to be a path.
 */
export interface WritableLayerJournal {
  /** Absolute path of the journal's file. */
  readonly path: string;
}

export interface ContainerHost {
  /**
   * Boots a container: the image below, the writable layer as the journal has it, mounts, the files every container gets.
   * No guest runs yet. Throws as the runner's machine does: 'store-corrupt', 'not-found', 'invalid-argument', 'no-memory'.
   */
  open(spec: SandboxSpec, options: HostContainerOptions): Promise<HostContainer>;
}

export interface HostContainer {
  /** Starts a process. Throws 'entrypoint-not-found', 'entrypoint-denied', 'exec-format', 'module-denied', 'limit-exceeded' ... */
  start(process: ProcessSpec): Promise<GuestProcess>;
  /** Those that programs started themselves, too: their streams are the ones of the program that the host started. */
  readonly processes: readonly GuestProcess[];
  /** A service over the container's files, safe beside running guests. */
  readonly files: ContainerFiles;
  /**
   * Other limits from now on. Gives those that what runs already keeps: a program that was started without a limit of
   * CPUs cannot be held to one, nor can its memory grow over what it was given.
   */
  update(limits: Pick<SandboxResources, 'memoryBytes' | 'cpus' | 'pids'>): readonly ('memoryBytes' | 'cpus')[];
  /** Everything written so far is on disk when this returns. */
  sync(): Promise<void>;
  /** Bytes held: guest memories, and file data of the writable layer and tmpfs. */
  usage(): { readonly memoryBytes: number; readonly storageBytes: number };
  /** Ends every process, syncs, gives everything back. */
  close(): Promise<void>;
}

export interface GuestProcess {
  /** Inside the container; the first is 1. */
  readonly pid: number;
  /** The program that started it; 0: the host did, or that one has ended. */
  readonly parentPid: number;
  readonly spec: ProcessSpec;
  readonly startedAt: string;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  /** With a terminal everything comes out here, as the terminal would show it. */
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  /** Never rejects; resolves once. */
  wait(): Promise<SandboxExit>;
  /** Linux signal name (`SIGTERM`) or number. KILL ends it at once, also while it computes. */
  signal(name: string): void;
  resize(size: { readonly height: number; readonly width: number }): void;
  /**
   * Takes its stack down in its next call of the host and writes a checkpoint, whose path it resolves with; the caller
   * moves the file where it belongs. Then the program goes on, or ends as if it was killed. One that cannot be frozen goes
   * on in any case. Throws 'unsupported' with the reason, 'timeout' when it made no call, 'conflict'.
   */
  freeze(leaveRunning: boolean): Promise<string>;
  /** CPU time so far. */
  cpuMs(): number;
}

/** What `cp`, `diff`, `commit` and `export` need of a container's files, running or not. Paths are the container's. */
export interface ContainerFiles {
  /** Throws 'not-found'. Symlinks are not followed; `linkTarget` says where one leads. */
  stat(path: string): Promise<PathStat>;
  /** A tar of the file or tree, names relative to its parent (docker's GET archive). */
  archive(path: string): AsyncIterable<Uint8Array>;
  /** Extracts into a directory (docker's PUT archive). Never leaves the container's tree. */
  extract(path: string, tar: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void>;
  /** docker's A/C/D, sorted by path. */
  changes(): Promise<FilesystemChange[]>;
  /**
   * The writable layer as an OCI layer: a tar in order of path, whiteouts as image-spec layer.md has them. `except`:
   * absolute paths that are not told, whatever became of them.
   */
  layer(except?: readonly string[]): AsyncIterable<Uint8Array>;
  /** The whole root as a tar, mounts as empty directories. */
  export(): AsyncIterable<Uint8Array>;
  /** What a file that is there holds from now on, with whose it is: to fill a mount before a program runs. */
  write(path: string, data: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void>;
  /** The mount at the path is read-only from now on. Throws 'conflict' where there is none. */
  seal(path: string): Promise<void>;
}

export interface FileAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ExtractOptions {
  /** Refuse to replace a directory by something else, or the other way round. */
  readonly noOverwriteDirNonDir?: boolean;
  /** Keep the owners of the archive; otherwise everything is root's. */
  readonly copyUidGid?: boolean;
}

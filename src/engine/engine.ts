/**
 * The Engine port: what the CLI, the daemon and embedders ask for. Two implementations pass one test suite: LocalEngine, in
 * this process, and RemoteEngine, which speaks the Engine API to a daemon. What users see and send (`inspect`, `create`,
 * filters) has the Engine API's shapes (src/spec/engine-api.ts), so that the daemon, the remote engine and scripts written
 * for docker all mean the same documents.
 */
import type { LogChunk, LogOptions } from '../containers/logs/ports.ts';
import type { SandboxExit, SandboxHandle, SandboxMount, SandboxResources, Signal } from '../host/sandbox.ts';
import type { Credentials } from '../images/registry/credentials.ts';
import type {
  BuildCacheRecord,
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  DistributionInspect,
  EndpointSettings,
  EventMessage,
  ExecConfig,
  ExecInspect,
  FilesystemChange,
  Filters,
  Network,
  NetworkCreateRequest,
  PathStat,
  Resources,
  RestartPolicy,
  SearchResult,
  TopResponse,
  Volume,
  VolumeCreateRequest,
  WaitResponse,
} from '../spec/engine-api.ts';
import type { BuildUseCases } from './builds.ts';

export type { LogChunk, LogOptions } from '../containers/logs/ports.ts';

export interface Engine {
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  readonly exec: ExecUseCases;
  readonly volumes: VolumeUseCases;
  readonly networks: NetworkUseCases;
  readonly system: SystemUseCases;
  readonly builds: BuildUseCases;
  /** Releases what the engine holds of the host (warm sandboxes, threads). Containers it started with `start` go on. */
  close(): Promise<void>;
}

export interface ImageUseCases {
  pull(reference: string, options?: PullOptions): Promise<PullOutcome>;
  /** To the registry of its name. `all`: every tag of the repository that is here. */
  push(reference: string, options?: PushOptions): Promise<readonly PushedTag[]>;
  /** Repositories of a registry that offers to search them: Docker Hub, unless the term begins with a host. */
  search(term: string, options?: SearchOptions): Promise<readonly SearchResult[]>;
  /** What a registry has under a name, without pulling it. */
  distribution(reference: string, options?: RegistryCallOptions): Promise<DistributionInspect>;
  list(options?: { all?: boolean; reference?: string }): Promise<ImageSummary[]>;
  /** docker's `image inspect` document. */
  inspect(name: string): Promise<Record<string, unknown>>;
  history(name: string): Promise<HistoryEntry[]>;
  tag(source: string, target: string): Promise<void>;
  remove(name: string, options?: { force?: boolean }): Promise<ImageRemoval[]>;
  prune(options?: { all?: boolean }): Promise<{ removed: ImageRemoval[]; reclaimedBytes: number }>;
  /** An OCI layout or docker archive, as a tar stream or a directory of the host. */
  load(source: ImageSource, options?: { signal?: AbortSignal }): Promise<LoadedImage[]>;
  /** One tar that holds the images as an OCI layout docker can load too. */
  save(names: readonly string[]): AsyncIterable<Uint8Array>;
  /** A root filesystem tar as a one-layer image. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<LoadedImage>;
}

/** `name`: what errors call the tar. */
export type ImageSource =
  | { readonly directory: string }
  | { readonly tar: AsyncIterable<Uint8Array>; readonly name?: string };

export interface PullOptions {
  readonly platform?: string;
  /** Of the reference's own registry, in place of those the engine finds by itself. */
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: PullEvent) => void;
}

/** Progress, in docker's words. `id` is the first 12 digits of a layer's digest. */
export interface PullEvent {
  readonly id?: string;
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export interface RegistryCallOptions {
  /** As in PullOptions. */
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

export interface PushOptions extends RegistryCallOptions {
  readonly all?: boolean;
  readonly platform?: string;
  readonly onEvent?: (event: PushEvent) => void;
}

export interface PushEvent extends PullEvent {
  /** With the line that ends a tag. */
  readonly pushed?: PushedTag;
}

export interface PushedTag {
  readonly tag: string;
  readonly digest: string;
  /** Of the manifest. */
  readonly sizeBytes: number;
}

export interface SearchOptions extends RegistryCallOptions {
  /** Default 25, at most 100. */
  readonly limit?: number;
  /** docker's `stars`, `is-official`, `is-automated`. */
  readonly filters?: Filters;
}

export interface PullOutcome {
  /** Fully qualified reference. */
  readonly reference: string;
  readonly digest: string;
  readonly imageId: string;
  /** False when the image was already there as it is upstream. */
  readonly changed: boolean;
}

export interface ImageSummary {
  /** `sha256:<hex>` of the config (docker's image ID). */
  readonly id: string;
  readonly digest: string;
  /** Familiar references, `repository:tag`. */
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly created: string | undefined;
  readonly sizeBytes: number;
  readonly platform: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface HistoryEntry {
  readonly id: string;
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly sizeBytes: number;
  readonly comment: string;
}

export interface ImageRemoval {
  readonly untagged?: string;
  readonly deleted?: string;
}

export interface LoadedImage {
  readonly id: string;
  readonly references: readonly string[];
}

export interface ImportOptions {
  readonly reference?: string;
  readonly message?: string;
  /** Dockerfile instructions: `CMD ["/app.wasm"]`. */
  readonly changes?: readonly string[];
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

/** What `wctr run` can say, in the terms of docker's create request. */
export interface RunOptions {
  /** Reference, image ID, `./file.wasm` or a directory with an OCI layout (both with a path separator). */
  readonly image: string;
  readonly args?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly readonlyRootfs?: boolean;
  readonly mounts?: readonly SandboxMount[];
  readonly resources?: SandboxResources;
  readonly pull?: 'always' | 'missing' | 'never';
  readonly platform?: string;
  readonly isolation?: string;
  readonly autoRemove?: boolean;
  readonly stdio?: { stdin: 'inherit' | 'pipe' | 'null'; stdout: 'inherit' | 'pipe'; stderr: 'inherit' | 'pipe' };
  /** What becomes of function imports nobody granted; default: the image's label `wctr.unknown-imports`, else `deny`. */
  readonly unknownImports?: 'deny' | 'trap';
  readonly deterministic?: boolean;
  /**
   * What becomes of a program that can make sockets, which a foreground run has none of: its calls say "not supported"
   * (`none`, the default), or it is not run at all and its exit says `referred`, for a caller that then creates and starts
   * a container with networks (`refer`).
   */
  readonly sockets?: 'none' | 'refer';
  readonly onPull?: (event: PullEvent) => void;
  /** Told the id as soon as the container exists. */
  readonly onCreated?: (id: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly sandbox: SandboxHandle;
  wait(): Promise<SandboxExit>;
  kill(signal?: Signal): Promise<void>;
}

/** A name, an id, or the beginning of one, is what `name` means throughout. */
export interface ContainerUseCases {
  /**
   * Creates and starts in one. With `autoRemove` the guest is the caller's own: in its process or a child of it (see
   * `isolation`), without log, networks or `exec`, and it ends with the caller. Without, it is a container as `create` and
   * `start` make it, with its streams attached, where there are processes and nothing else than `process` was chosen.
   */
  run(options: RunOptions): Promise<RunningContainer>;
  /** Throws 'no-such-image' (never pulls), 'conflict' (name), 'invalid-argument'. */
  create(
    request: ContainerCreateRequest,
    options?: { name?: string; platform?: string },
  ): Promise<ContainerCreateResponse>;
  /** Idempotent. Rejects with the reason when the program cannot be started. */
  start(name: string, options?: { checkpoint?: string; detachKeys?: string }): Promise<void>;
  /** Stop signal, then KILL after the timeout: the container's own, 10 s, -1 for never. */
  stop(name: string, options?: StopOptions): Promise<void>;
  restart(name: string, options?: StopOptions): Promise<void>;
  /** Throws 'conflict' when it is not running. Default SIGKILL. */
  kill(name: string, signal?: string): Promise<void>;
  pause(name: string): Promise<void>;
  unpause(name: string): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  update(
    name: string,
    changes: Resources & { RestartPolicy?: RestartPolicy },
  ): Promise<{ Warnings: readonly string[] }>;
  /** `signal` ends the waiting, not the container. */
  wait(name: string, condition?: WaitCondition, signal?: AbortSignal): Promise<WaitResponse>;
  remove(name: string, options?: { force?: boolean; volumes?: boolean; link?: boolean }): Promise<void>;
  list(options?: { all?: boolean; limit?: number; size?: boolean; filters?: Filters }): Promise<ContainerSummary[]>;
  inspect(name: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  logs(name: string, options?: LogOptions): AsyncIterable<LogChunk>;
  /** On a container that is not running: connected when it starts, before its first instruction. */
  attach(name: string, options: AttachOptions): Promise<AttachedStreams>;
  resize(name: string, size: TerminalSize): Promise<void>;
  top(name: string, psArgs?: string): Promise<TopResponse>;
  /** One document, or one a second until the iterator is left. */
  stats(name: string, options?: { stream?: boolean; oneShot?: boolean }): AsyncIterable<ContainerStats>;
  changes(name: string): Promise<FilesystemChange[]>;
  /** `statPath` and the archives of `cp`. */
  statPath(name: string, path: string): Promise<PathStat>;
  getArchive(name: string, path: string): Promise<{ stat: PathStat; tar: AsyncIterable<Uint8Array> }>;
  putArchive(name: string, path: string, tar: AsyncIterable<Uint8Array>, options?: PutArchiveOptions): Promise<void>;
  export(name: string): AsyncIterable<Uint8Array>;
  commit(name: string, options?: CommitOptions): Promise<{ Id: string }>;
  /**
   * Freezes a container's program: one that does not run is initialised by an export of it, one that runs is frozen in a
   * system call. It ends then, unless `leaveRunning`. `Id`: of the image, where one was asked for. Throws 'unsupported' for
   * what cannot be frozen, 'conflict' for a name that is taken.
   */
  createCheckpoint(name: string, options: CheckpointOptions): Promise<{ Id?: string }>;
  listCheckpoints(name: string): Promise<{ Name: string }[]>;
  removeCheckpoint(name: string, checkpoint: string): Promise<void>;
  prune(filters?: Filters): Promise<{ ContainersDeleted: readonly string[]; SpaceReclaimed: number }>;
}

export interface StopOptions {
  readonly signal?: string;
  /** Seconds; -1 for ever. */
  readonly timeoutSeconds?: number;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** What was written before, first. */
  readonly logs?: boolean;
  /** False: only what was written before. Default true. */
  readonly stream?: boolean;
}

/** The caller's end of a container's or an exec's streams. */
export interface AttachedStreams {
  /** Closing it is the end of the guest's input. */
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  /** Absent with a terminal: everything is one stream. */
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly tty: boolean;
  /** Leaves; the guest goes on. */
  detach(): Promise<void>;
}

export interface PutArchiveOptions {
  readonly noOverwriteDirNonDir?: boolean;
  readonly copyUidGid?: boolean;
}

export interface CommitOptions {
  /** `repository[:tag]`; absent: an image without a name. */
  readonly reference?: string;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile instructions. */
  readonly changes?: readonly string[];
  /** Default true. */
  readonly pause?: boolean;
}

/** One of `checkpoint` and `reference`, or both. */
export interface CheckpointOptions {
  /** To start the container from later. */
  readonly checkpoint?: string;
  /** `repository[:tag]` of an image whose containers go on there. */
  readonly reference?: string;
  /** Dockerfile instructions for the image. */
  readonly changes?: readonly string[];
  /** The export that initialises the program; default: Wizer's `wizer.initialize`. */
  readonly init?: string;
  readonly leaveRunning?: boolean;
}

export interface ExecUseCases {
  /** Throws 'conflict' when the container is not running, or paused. */
  create(container: string, config: ExecConfig): Promise<{ Id: string }>;
  start(id: string, options: { tty: boolean; consoleSize?: readonly [number, number] }): Promise<AttachedStreams>;
  startDetached(id: string, options?: { tty?: boolean }): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
  resize(id: string, size: TerminalSize): Promise<void>;
}

export interface VolumeUseCases {
  create(request: VolumeCreateRequest): Promise<Volume>;
  list(filters?: Filters): Promise<{ Volumes: readonly Volume[]; Warnings: readonly string[] | null }>;
  inspect(name: string): Promise<Volume>;
  /** Throws 'in-use' while a container, running or not, has it. `force` ignores one that is not there. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Anonymous ones; with the filter `all`, named ones too. */
  prune(filters?: Filters): Promise<{ VolumesDeleted: readonly string[]; SpaceReclaimed: number }>;
}

export interface NetworkUseCases {
  create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }>;
  list(filters?: Filters): Promise<Network[]>;
  inspect(name: string): Promise<Network>;
  connect(name: string, container: string, settings?: EndpointSettings): Promise<void>;
  disconnect(name: string, container: string, options?: { force?: boolean }): Promise<void>;
  remove(name: string): Promise<void>;
  prune(filters?: Filters): Promise<{ NetworksDeleted: readonly string[] }>;
}

/** What a user types at `login`. `server` as written: a host, or an address whose host counts. */
export interface LoginRequest extends Credentials {
  /** Default Docker Hub. */
  readonly server?: string;
  readonly signal?: AbortSignal;
}

export interface LoginOutcome {
  /** For people: `Login Succeeded`. */
  readonly status: string;
  /** To be kept in place of the password, where the registry gives one. */
  readonly identityToken?: string;
}

export interface SystemUseCases {
  /** Asks the registry whether it lets this user in; keeps nothing. Throws 'unauthorized'. */
  login(request: LoginRequest): Promise<LoginOutcome>;
  info(): Promise<Record<string, unknown>>;
  version(): Promise<Record<string, unknown>>;
  diskUsage(): Promise<DiskUsage>;
  /** Past ones from `since` on, then new ones until `until` or for ever. Times as in LogOptions. */
  events(options?: EventOptions): AsyncIterable<EventMessage>;
}

export interface EventOptions {
  readonly since?: string;
  readonly until?: string;
  readonly filters?: Filters;
  readonly signal?: AbortSignal;
}

export interface DiskUsage {
  readonly images: UsageRow;
  readonly containers: UsageRow;
  readonly volumes: UsageRow;
  readonly cache: UsageRow;
  /** Each one, as GET /system/df lists them. Always there in a LocalEngine. */
  readonly items?: {
    readonly Images: readonly Readonly<Record<string, unknown>>[];
    readonly Containers: readonly ContainerSummary[];
    readonly Volumes: readonly Volume[];
    readonly BuildCache: readonly BuildCacheRecord[];
  };
}

export interface UsageRow {
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
}

/**
 * The Engine port: what the CLI, the daemon and embedders ask for. Its one implementation today is LocalEngine, in this
 * process; a second one will speak the Engine API to another. Documents that users see (`inspect`, `history`) keep
 * docker's field names, so that scripts written for docker read them.
 */
import type { SandboxExit, SandboxHandle, SandboxMount, SandboxResources, Signal } from '../host/sandbox.ts';

export interface Engine {
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  readonly system: SystemUseCases;
  /** Releases what the engine holds of the host (warm sandboxes, threads). Running containers end. */
  close(): Promise<void>;
}

export interface ImageUseCases {
  pull(reference: string, options?: PullOptions): Promise<PullOutcome>;
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

export interface ContainerUseCases {
  run(options: RunOptions): Promise<RunningContainer>;
  /** docker's `container inspect` document. */
  inspect(name: string): Promise<Record<string, unknown>>;
}

export interface SystemUseCases {
  info(): Promise<Record<string, unknown>>;
  version(): Promise<Record<string, unknown>>;
  diskUsage(): Promise<DiskUsage>;
}

export interface DiskUsage {
  readonly images: UsageRow;
  readonly containers: UsageRow;
  readonly volumes: UsageRow;
  readonly cache: UsageRow;
}

export interface UsageRow {
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
}

/** The build half of the Engine port: what `wctr build`, the daemon's two build doors and embedders ask for. */
import type { BuildStep } from '../build/solve/build-steps.ts';
import type { FileTree } from '../build/tree/file-tree.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import type { SolveStatus } from '../spec/build-progress.ts';
import type { BuildCacheRecord, Filters } from '../spec/engine-api.ts';

export type { BuildStep } from '../build/solve/build-steps.ts';

export interface BuildUseCases {
  /**
   * Throws `invalid-dockerfile` (with `data.frame`, the place in the file), `build-failed` for a RUN that ended with
   * another code than 0 (`data.exitCode`), 'not-found', 'unsupported', 'cancelled'. What a failed build made stays in the
   * cache only.
   */
  build(request: BuildRequest): Promise<BuildOutcome>;
  /** The cache's records, docker's `builder du`. */
  usage(filters?: Filters): Promise<readonly BuildCacheRecord[]>;
  prune(options?: BuildPruneOptions): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }>;
}

/**
 * Where the files of a build come from: a directory of the engine's host; a tar, as clients of the Engine API send it;
 * a tree somebody else serves (BuildKit's session, a page's own files). `.dockerignore` is applied to all of them.
 */
export type BuildContextSource =
  | { readonly directory: string }
  | { readonly tar: AsyncIterable<Uint8Array> }
  | { readonly tree: FileTree }
  /** `https://….git#ref:subdirectory`, or the http(s) address of a tar or of a Dockerfile. */
  | { readonly address: string };

export interface BuildRequest {
  readonly context: BuildContextSource;
  /** Path inside the context, default `Dockerfile`; or its text, from wherever the caller has it. */
  readonly dockerfile?: { readonly path: string } | { readonly text: string; readonly name: string };
  /** `.dockerignore` text in place of the context's own: `<name>.dockerignore` beside a Dockerfile outside the context. */
  readonly ignore?: string;
  /** `null`: declared without a value; the Dockerfile's default counts then. */
  readonly buildArgs?: Readonly<Record<string, string | null>>;
  /** `--build-context name=…`. */
  readonly contexts?: Readonly<Record<string, BuildContextSource | { readonly image: string }>>;
  readonly target?: string;
  /** `repository[:tag]`. */
  readonly tags?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** `[manifest|index|manifest-descriptor|index-descriptor:]key=value`, without a type: the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** True, or names of stages. */
  readonly noCache?: boolean | readonly string[];
  /** Ask the registry for base images even where they are here. */
  readonly pull?: boolean;
  /** More than one makes an index. Default `wasi/wasm`. */
  readonly platforms?: readonly string[];
  /** Default of RUN; `none` cuts every RUN off. */
  readonly network?: 'default' | 'none' | 'host';
  /** `host:address`. */
  readonly extraHosts?: readonly string[];
  /** Read when a RUN mounts it; never stored, hashed or logged. Undefined: there is none of that id. */
  readonly secret?: (id: string) => Promise<Uint8Array | undefined>;
  /** Clock and randomness of RUN start from a fixed seed, the clock at SOURCE_DATE_EPOCH. */
  readonly reproducible?: boolean;
  /** What is made: default an image in the store under `tags`. */
  readonly outputs?: readonly BuildOutput[];
  readonly compression?: 'uncompressed' | 'gzip';
  readonly cacheFrom?: readonly CacheLocation[];
  readonly cacheTo?: readonly (CacheLocation & { readonly mode?: 'min' | 'max' })[];
  /** in-toto attestation beside the image; makes an index. Default none. */
  readonly provenance?: 'min' | 'max';
  /** Of registries, by host, in place of those the engine finds by itself. */
  readonly credentials?: CredentialSource;
  /** Limits of every RUN. */
  readonly memoryBytes?: number;
  /** Once, before anything is done: for those who show instructions and not a graph, as docker's classic builder. */
  readonly onPlan?: (steps: readonly BuildStep[]) => void;
  readonly onStatus?: (status: SolveStatus) => void;
  readonly signal?: AbortSignal;
}

/**
 * `image`: a record in this store. `none`: only the cache. The others hand the caller one tar: of an OCI layout, of a
 * docker archive, of the files of the target (`files`, for docker's outputs `tar` and `local`), of an edge bundle.
 */
export type BuildOutput =
  | { readonly type: 'image'; readonly push?: boolean }
  | { readonly type: 'none' }
  | {
      readonly type: 'oci' | 'docker' | 'files' | 'edge';
      readonly write: (tar: AsyncIterable<Uint8Array>) => Promise<void>;
    };

export type CacheLocation =
  | { readonly type: 'local'; readonly directory: string }
  | { readonly type: 'registry'; readonly reference: string };

export interface BuildOutcome {
  /** docker's image ID, digest of the config; of the first platform. Absent where no image was made. */
  readonly imageId?: string;
  /** Of the manifest, or of the index. */
  readonly digest?: string;
  readonly references: readonly string[];
}

export interface BuildPruneOptions {
  /** Also steps whose layers an image has: removing them frees nothing, but a later build makes them again. */
  readonly all?: boolean;
  /** Remove the longest unused until no more than this is kept. */
  readonly keepBytes?: number;
  /** docker's `until` (a duration or time), `id`, `type`, `unused-for`. */
  readonly filters?: Filters;
}

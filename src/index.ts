/**
 * The portable public API: everything an embedder needs, with no host in it. `wctr` (Node, Bun), `wctr/deno` and
 * `wctr/browser` export the same with a `Wctr.open()` that brings that host's adapters.
 */
import { FilesTree, type MadeFile } from './build/tree/files-tree.ts';
import type { BuildContextSource, BuildOutcome, BuildRequest } from './engine/builds.ts';
import type {
  Engine,
  ImageSummary,
  LoadedImage,
  PullOptions,
  PullOutcome,
  RunningContainer,
  RunOptions,
} from './engine/engine.ts';
import { WctrError } from './errors.ts';
import type { SyncFileSystem } from './host/ports.ts';
import type { SandboxExit, SandboxMount, SandboxResources, SandboxStats, Signal } from './host/sandbox.ts';

export type { FileTree, TreeEntry } from './build/tree/file-tree.ts';
export type { BuildContextSource, BuildOutcome, BuildOutput, BuildRequest } from './engine/builds.ts';
export type {
  Engine,
  HistoryEntry,
  ImageRemoval,
  ImageSummary,
  LoadedImage,
  PullEvent,
  PullOptions,
  PullOutcome,
  RunOptions,
} from './engine/engine.ts';
export { type ErrorCode, isWctrError, WctrError, type WctrErrorOptions } from './errors.ts';
export type { SyncFileSystem } from './host/ports.ts';
export type { SandboxExit, SandboxMount, SandboxResources, SandboxStats, Signal } from './host/sandbox.ts';

/**
 * What to mount at a path of the container: a directory of the host (an absolute path), a Node-fs-shaped object such as
 * memfs (its root), or `{ tmpfs: true }`. An object lives in this thread, so a container with one needs
 * `isolation: 'inline'`; anything else throws `unsupported`.
 */
export type MountSpec =
  | string
  | SyncFileSystem
  | { readonly path: string; readonly readonly?: boolean }
  | { readonly fs: SyncFileSystem; readonly source?: string; readonly readonly?: boolean }
  | { readonly tmpfs: true; readonly sizeBytes?: number; readonly readonly?: boolean };

/** A directory of the host; files by their paths; or anything else a build takes its files from. */
export type BuildContext =
  | string
  | { readonly files: Readonly<Record<string, string | Uint8Array>> }
  | BuildContextSource;

export interface ContainerOptions {
  readonly args?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Path in the container -> what is mounted there. */
  readonly mounts?: Readonly<Record<string, MountSpec>>;
  readonly readonlyRootfs?: boolean;
  readonly resources?: SandboxResources;
  readonly pull?: 'always' | 'missing' | 'never';
  readonly platform?: string;
  /** `process` (default where there are processes), `worker`, `inline` or `wasmer`. */
  readonly isolation?: string;
  /** Give the container an input stream; without it standard input is empty. */
  readonly stdin?: boolean;
  /**
   * Keep the container, as `docker run` does without `--rm`: it has a process, a log and networks of its own, outlives this
   * program, and stays, with what it wrote, until it is removed. By default it goes when it ends, and ends with this program.
   * With an isolation other than `process`, and in browsers, only the record of how it ended is kept.
   */
  readonly keep?: boolean;
  /** `trap`: function imports nobody granted end the guest that calls them, instead of having the module refused. */
  readonly unknownImports?: 'deny' | 'trap';
  readonly deterministic?: boolean;
  readonly signal?: AbortSignal;
}

/** What a container wrote and how it ended. */
export interface ContainerOutput extends SandboxExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** A running container. Its output streams must be read (or cancelled): a guest waits when nobody reads. */
export class Container {
  readonly id: string;
  readonly name: string;
  readonly #running: RunningContainer;

  constructor(running: RunningContainer) {
    this.id = running.id;
    this.name = running.name;
    this.#running = running;
  }

  /** The operating system's process, where the isolation has one. */
  get pid(): number | undefined {
    return this.#running.sandbox.pid;
  }

  /** Present when the container was started with `stdin: true`. */
  get stdin(): WritableStream<Uint8Array> | undefined {
    return this.#running.sandbox.stdin;
  }

  get stdout(): ReadableStream<Uint8Array> {
    return this.#running.sandbox.stdout ?? emptyStream();
  }

  get stderr(): ReadableStream<Uint8Array> {
    return this.#running.sandbox.stderr ?? emptyStream();
  }

  /** Resolves when the guest has ended, however it ended; never rejects for what the guest did. */
  wait(): Promise<SandboxExit> {
    return this.#running.wait();
  }

  /** Default SIGKILL. Throws `conflict` when the container is not running any more. */
  kill(signal: Signal = 'SIGKILL'): Promise<void> {
    return this.#running.kill(signal);
  }

  stats(): Promise<SandboxStats> {
    return this.#running.sandbox.stats();
  }

  /**
   * Everything the container writes until it ends, as text.
   *
   * @param limitBytes Throws `limit-exceeded` and kills the container when it writes more; default 64 MiB.
   */
  async output(limitBytes = 64 * 1024 * 1024): Promise<ContainerOutput> {
    let total = 0;
    const collect = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      let text = '';
      const reader = stream.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        total += next.value.length;
        if (total > limitBytes) {
          await this.kill().catch(() => {});
          throw new WctrError('limit-exceeded', `container ${this.name} wrote more than ${limitBytes} bytes`);
        }
        text += decoder.decode(next.value, { stream: true });
      }
      return text + decoder.decode();
    };
    const [stdout, stderr, exit] = await Promise.all([collect(this.stdout), collect(this.stderr), this.wait()]);
    return { ...exit, stdout, stderr };
  }
}

/** Pulls images and runs them. One object per store; any number may share a store, also across processes. */
export class Wctr {
  /** Every use case, in docker's terms; the methods of this class are the everyday ones. */
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  pull(reference: string, options?: PullOptions): Promise<PullOutcome> {
    return this.engine.images.pull(reference, options);
  }

  images(): Promise<ImageSummary[]> {
    return this.engine.images.list();
  }

  /** Takes in an OCI layout tar or a docker archive. */
  load(tar: AsyncIterable<Uint8Array>): Promise<LoadedImage[]> {
    return this.engine.images.load({ tar });
  }

  /**
   * Starts a container; pulls the image when it is missing.
   *
   * @param image Reference, image id, or a path of the host (`./app.wasm`, `./oci-layout`).
   */
  async run(image: string, options: ContainerOptions = {}): Promise<Container> {
    return new Container(await this.engine.containers.run(toRunOptions(image, options)));
  }

  /**
   * Builds an image from a Dockerfile.
   *
   * @param context `'./app'`, or `{ files: { Dockerfile: 'FROM scratch …' } }`.
   */
  build(context: BuildContext, options: Omit<BuildRequest, 'context'> = {}): Promise<BuildOutcome> {
    return this.engine.builds.build({ ...options, context: toContext(context) });
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function toContext(context: BuildContext): BuildContextSource {
  if (typeof context === 'string') return { directory: context };
  if (!('files' in context)) return context;
  const files = new Map<string, MadeFile>();
  for (const [path, content] of Object.entries(context.files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    files.set(path.replace(/^(?:\.?\/)+/, ''), { content: bytes, mode: 0o644 });
  }
  return { tree: new FilesTree('the build context', files) };
}

function toRunOptions(image: string, options: ContainerOptions): RunOptions {
  const { env, mounts, stdin, keep, ...same } = options;
  return {
    ...same,
    image,
    env: Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`),
    mounts: Object.entries(mounts ?? {}).map(([destination, spec]) => toMount(destination, spec)),
    autoRemove: keep !== true,
    stdio: { stdin: stdin === true ? 'pipe' : 'null', stdout: 'pipe', stderr: 'pipe' },
  };
}

function toMount(destination: string, spec: MountSpec): SandboxMount {
  if (typeof spec === 'string') return { type: 'bind', destination, source: spec };
  if ('openSync' in spec) return { type: 'fs', destination, fs: spec, source: '/' };
  if ('tmpfs' in spec) {
    const { tmpfs: _, ...rest } = spec;
    return { type: 'tmpfs', destination, ...rest };
  }
  if ('path' in spec) {
    const { path, ...rest } = spec;
    return { type: 'bind', destination, source: path, ...rest };
  }
  return { type: 'fs', destination, source: '/', ...spec };
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** What building takes from its surroundings: stores, base images, what runs a RUN, what remembers it. */
import type { ImageConfig } from '../../images/config.ts';
import type { Leases } from '../../images/store/leases.ts';
import type { Digest, Platform } from '../../spec/image-spec.ts';
import type { BuildCache, StepLayer } from '../cache/build-cache.ts';
import type { RunExecutor } from '../run/executor.ts';
import type { LayerParts, Pins } from '../stage/write-layer.ts';
import type { FileTree } from '../tree/file-tree.ts';

export interface SolveParts extends LayerParts {
  readonly leases: Leases;
  readonly bases: BaseImages;
  readonly cache: BuildCache;
  readonly runs: RunExecutor;
  /** For ADD. Absent where the host reaches no network by itself. */
  readonly download?: Download;
  /** The files of a git repository, as an address with `#ref:directory` names them; kept until the build has ended. */
  readonly repository?: (address: string, what: string) => Promise<FileTree>;
  /** The compressor of layers that leave: the same bytes on every host. Absent: they leave as they are. */
  readonly gzip?: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Makes a bundle for hosts that compile no Wasm at run time; absent where this one cannot. */
  readonly edge?: (
    image: { readonly config: ImageConfig; readonly diffIds: readonly Digest[] },
    name: string,
  ) => Promise<AsyncIterable<Uint8Array>>;
}

export interface BaseImages {
  /**
   * An image of the store, pulled where it is missing. Its layers are there, and pinned. Throws what a pull throws, and
   * `no-matching-platform`, `unsupported` for what is no root file system.
   */
  open(name: string, request: BaseImageRequest): Promise<BaseImage>;
}

export interface BaseImageRequest {
  readonly platform: Platform;
  /** By FROM itself, not only as what the build is for: then nothing else will do. */
  readonly isPlatformAsked: boolean;
  readonly pins: Pins;
  /** Ask the registry even where an image of this name is here. */
  readonly pull: boolean;
  readonly onProgress?: (event: PullStep) => void;
  readonly signal?: AbortSignal;
}

/** `id`: a layer's, absent for the image as a whole. */
export interface PullStep {
  readonly id?: string;
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export interface BaseImage {
  /** `docker.io/library/alpine:latest` */
  readonly reference: string;
  /** Of what the reference names. */
  readonly digest: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly StepLayer[];
}

/** Fetches an address, redirects followed. Throws `not-found` and what the network throws. */
export type Download = (address: string, signal?: AbortSignal) => Promise<{ readonly body: AsyncIterable<Uint8Array> }>;

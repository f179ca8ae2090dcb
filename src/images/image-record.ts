/** What the store knows about one image under one name, without opening its blobs. */
import type { Descriptor, Digest, Platform } from '../spec/image-spec.ts';

export interface ImageRecord {
  /** The canonical reference, or `@<manifest digest>` for an image that has lost its name. */
  readonly key: string;
  /** `docker.io/library/hello:latest` or `…@sha256:…`; absent without a name. */
  readonly reference?: string;
  /** `docker.io/library/hello@sha256:…` when it came from a registry. */
  readonly repoDigest?: string;
  /** What docker calls the image id: the config's digest; of an artifact, whose config says nothing, the manifest's. */
  readonly id: Digest;
  /** What the reference names: an index or a manifest. */
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly platform: Platform;
  /** Every blob the image needs: target, indexes, manifest, config, layers. */
  readonly blobs: readonly Digest[];
  /** Of its tar layers, lowest first. */
  readonly diffIds: readonly Digest[];
  /** Plain tars and Wasm layers, bytes. */
  readonly sizeBytes: number;
  /** RFC 3339, from the config. */
  readonly created?: string;
  /** RFC 3339, when this name was given. */
  readonly taggedAt: string;
}

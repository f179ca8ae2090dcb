/**
 * The port a builder asks before each step. A key names a step by everything its result depends on; a result is the layers
 * it put on top. Keys are SHA-256 over canonical JSON, so equal builds on different hosts share them.
 */
import type { Descriptor, Digest } from '../../spec/image-spec.ts';

export interface BuildCache {
  /** Undefined when unknown, or when a layer of it is gone. What is returned is pinned by the caller's lease first. */
  find(key: Digest, pins: { pin(digests: readonly Digest[]): Promise<void> }): Promise<StepResult | undefined>;
  /**
   * The layers are in the store and pinned. Two builds at once with one key: the first stays, and is returned, unless
   * this one `replaces` it (a build that was told not to use the cache).
   */
  keep(key: Digest, result: StepResult, options?: { readonly replaces?: boolean }): Promise<StepResult>;
}

export interface StepResult {
  /** Of this step alone: none for one that changed no file. */
  readonly layers: readonly StepLayer[];
  /** For people: `RUN make`. */
  readonly description: string;
  readonly kind: 'run' | 'copy' | 'add' | 'workdir' | 'base';
}

export interface StepLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

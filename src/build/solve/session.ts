/** What the stages and platforms of one build share: its pins, its progress, and the steps somebody is at already. */
import { isWctrError, WctrError } from '../../errors.ts';
import type { LayerStore } from '../../images/contracts.ts';
import { chainId } from '../../images/digest.ts';
import { formatPlatform } from '../../images/platform.ts';
import { canonicalName, familiarName, parseReference } from '../../images/reference.ts';
import type { Digest, Platform } from '../../spec/image-spec.ts';
import type { StepLayer, StepResult } from '../cache/build-cache.ts';
import { imageUri, type Material } from '../export/provenance.ts';
import type { Pins } from '../stage/write-layer.ts';
import type { BaseImage, SolveParts } from './ports.ts';
import type { BuildProgress, VertexProgress } from './progress.ts';
import { Slots } from './slots.ts';

export interface Step {
  /** Of the vertex. */
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly kind: StepResult['kind'];
  readonly description: string;
  /** Make it anew, whatever the cache has. */
  readonly isFresh: boolean;
  /** Cheap ones first: the next is asked for only where the cache knows nothing under those before. At least one. */
  readonly keys: readonly (() => Promise<Digest>)[];
  readonly make: (vertex: VertexProgress) => Promise<readonly StepLayer[]>;
}

/** A step that a build used, made now or before: what a cache for others is made of. */
export interface UsedStep {
  readonly keys: readonly Digest[];
  readonly result: StepResult;
}

export interface OpenedBase extends BaseImage {
  readonly vertex: string;
  readonly wasPulled: boolean;
}

/** Programs at a time. */
const RUNS_AT_ONCE = 4;

export class Session {
  readonly parts: SolveParts;
  readonly pins: Pins;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  /** Those of the store; the merged index that is asked for stays as long as the build. */
  readonly layers: Pick<LayerStore, 'rootfs'>;
  /** Of RUNs. */
  readonly slots = new Slots(RUNS_AT_ONCE);
  readonly used: UsedStep[] = [];
  /** What came from outside beside the contexts. */
  readonly materials: Material[] = [];
  readonly #pull: boolean;
  readonly #steps = new Map<Digest, Promise<UsedStep>>();
  readonly #bases = new Map<string, Promise<OpenedBase>>();

  constructor(parts: SolveParts, pins: Pins, progress: BuildProgress, signal: AbortSignal, pull: boolean) {
    this.parts = parts;
    this.pins = pins;
    this.progress = progress;
    this.signal = signal;
    this.#pull = pull;
    this.layers = {
      rootfs: async (diffIds) => {
        await this.pinStack(diffIds);
        return parts.images.layers.rootfs(diffIds);
      },
    };
  }

  /** Keeps the merged index of these layers, which are pinned, from the garbage collector. */
  async pinStack(diffIds: readonly Digest[]): Promise<void> {
    const chain = chainId(this.parts.createHasher, diffIds);
    if (chain !== undefined) await this.pins.pin([chain]);
  }

  /** From the cache, from another stage that is at it, or made. `isMade`: by this call. */
  async step(step: Step): Promise<{ readonly result: StepResult; readonly isMade: boolean }> {
    this.signal.throwIfAborted();
    const vertex = this.progress.start(step.digest, step.name, step.inputs);
    try {
      const first = await (step.keys[0] as () => Promise<Digest>)();
      const running = this.#steps.get(first);
      if (running !== undefined) {
        const { result } = await running;
        vertex.end({ cached: true });
        return { result, isMade: false };
      }
      let isMade = false;
      const taken = this.#take(first, step, async () => {
        isMade = true;
        return step.make(vertex);
      });
      this.#steps.set(first, taken);
      const used = await taken;
      this.used.push(used);
      vertex.end({ cached: !isMade });
      return { result: used.result, isMade };
    } catch (error) {
      vertex.end({ error: vertexError(error, step.name, this.signal) });
      throw error;
    }
  }

  async #take(first: Digest, step: Step, make: () => Promise<readonly StepLayer[]>): Promise<UsedStep> {
    const { cache } = this.parts;
    const keys: Digest[] = [];
    for (const [i, keyOf] of step.keys.entries()) {
      const key = i === 0 ? first : await keyOf();
      const found = step.isFresh ? undefined : await cache.find(key, this.pins);
      if (found !== undefined) {
        for (const missed of keys) await cache.keep(missed, found);
        return { keys: [...keys, key], result: found };
      }
      keys.push(key);
    }
    const layers = await make();
    let result: StepResult = { layers, description: step.description, kind: step.kind };
    // The last key says the most: what somebody else made meanwhile under it is what everybody uses
    for (const key of keys.toReversed()) {
      result = await cache.keep(key, result, step.isFresh ? { replaces: true } : {});
      await this.pins.pin(result.layers.flatMap(({ descriptor, diffId }) => [descriptor.digest, diffId]));
    }
    return { keys, result };
  }

  /** Opened once for each platform. */
  base(name: string, platform: Platform, isAsked: boolean): Promise<OpenedBase> {
    const key = `${formatPlatform(platform)} ${isAsked} ${name}`;
    let opened = this.#bases.get(key);
    if (opened === undefined) {
      opened = this.#openBase(name, platform, isAsked);
      this.#bases.set(key, opened);
    }
    return opened;
  }

  async #openBase(name: string, platform: Platform, isAsked: boolean): Promise<OpenedBase> {
    const shown = canonicalName(parseReference(name));
    const vertex = this.progress.start(
      this.progress.digest('base', shown, formatPlatform(platform)),
      `[internal] load metadata for ${shown}`,
    );
    let wasPulled = false;
    try {
      const base = await this.parts.bases.open(name, {
        platform,
        isPlatformAsked: isAsked,
        pins: this.pins,
        pull: this.#pull,
        signal: this.signal,
        onProgress: ({ id, currentBytes, totalBytes, status }) => {
          wasPulled = true;
          if (id === undefined || currentBytes === undefined) return;
          vertex.status(id, currentBytes, totalBytes ?? 0, /complete/i.test(status));
        },
      });
      vertex.end();
      this.materials.push({ uri: imageUri(familiarName(parseReference(name)), platform), digest: base.digest });
      return { ...base, vertex: vertex.digest, wasPulled };
    } catch (error) {
      vertex.end({ error: vertexError(error, vertex.name, this.signal) });
      throw error;
    }
  }
}

/** BuildKit's clients look for the last two words. */
function vertexError(error: unknown, name: string, signal: AbortSignal): string {
  if (signal.aborted || isWctrError(error, 'cancelled')) return `${name}: context canceled`;
  return error instanceof WctrError || error instanceof Error ? error.message : String(error);
}

/**
 * A Dockerfile's stages for one platform, as a graph: each is built once, as soon as what it needs is there, and only if
 * the target needs it. The state of a stage is the layers it has so far, its config, and its variables.
 */
import { WctrError } from '../../errors.ts';
import type { Digest, Platform } from '../../spec/image-spec.ts';
import type { StepLayer } from '../cache/build-cache.ts';
import type { Dockerfile, StageInstruction } from '../dockerfile/ast.ts';
import type { SourceText, Word } from '../dockerfile/source.ts';
import { type BuildPlan, nameOf, type Origin, originsOf, type PlannedStage } from '../dockerfile/stages.ts';
import type { BuildArgs, StageVariables } from '../dockerfile/variables.ts';
import type { ImageDraft } from '../stage/image-draft.ts';
import type { FileTree } from '../tree/file-tree.ts';
import { LayersTree } from '../tree/layers-tree.ts';
import { placed } from './place.ts';
import type { Session } from './session.ts';
import { buildStage } from './stage.ts';

export interface SolveJob {
  readonly file: Dockerfile;
  readonly plan: BuildPlan;
  readonly platform: Platform;
  readonly context: FileTree;
  /** `--build-context`. */
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly buildArgs: BuildArgs;
  /** Of all that is made, seconds. */
  readonly mtime: number;
  /** Files that a RUN wrote get that time too. */
  readonly retimesRuns: boolean;
  /** Clock of RUN, seconds. Absent: the host's. */
  readonly fixedTime?: number | undefined;
  /** True, or stages by name. */
  readonly noCache: boolean | readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly extraHosts: readonly string[];
  readonly secret: (id: string) => Promise<Uint8Array | undefined>;
  readonly memoryBytes?: number | undefined;
  /** There are others beside this one: names of steps say which is meant. */
  readonly isOneOfSeveral: boolean;
}

export type NamedContext = { readonly tree: FileTree } | { readonly image: string };

/** What a stage has come to. */
export interface StageState {
  readonly layers: readonly StepLayer[];
  readonly draft: ImageDraft;
  readonly variables: StageVariables;
  readonly platform: Platform;
  /** Vertex of the last step that changed a file. */
  readonly vertex: string | undefined;
}

/** Where an instruction takes files from. `layers`: they are those of a stage or image, which the layers name. */
export interface Source {
  readonly tree: FileTree;
  readonly layers: readonly Digest[] | undefined;
  readonly vertex: string | undefined;
}

export class Solver {
  readonly session: Session;
  readonly job: SolveJob;
  readonly #stages = new Map<number, Promise<StageState>>();

  constructor(session: Session, job: SolveJob) {
    this.session = session;
    this.job = job;
  }

  /** The target. When one stage fails the others are given up, and have ended when this throws. */
  async solve(abort: (reason: unknown) => void): Promise<StageState> {
    const { needed, target } = this.job.plan;
    let failure: { readonly error: unknown } | undefined;
    await Promise.all(
      needed.map(({ stage }) =>
        this.stage(stage.index).catch((error: unknown) => {
          if (failure !== undefined) return;
          failure = { error };
          abort(error);
        }),
      ),
    );
    if (failure !== undefined) throw failure.error;
    return this.stage(target.stage.index);
  }

  stage(index: number): Promise<StageState> {
    let state = this.#stages.get(index);
    if (state === undefined) {
      state = buildStage(this, this.job.plan.stages[index] as PlannedStage);
      this.#stages.set(index, state);
    }
    return state;
  }

  layersTree(what: string, layers: readonly StepLayer[]): LayersTree {
    const { layers: store, parts } = this.session;
    return new LayersTree(
      what,
      { fs: parts.fs, layers: store },
      layers.map(({ diffId }) => diffId),
    );
  }

  /** Undefined: the build context itself. */
  async source(origin: Origin | undefined): Promise<Source> {
    if (origin === undefined) return { tree: this.job.context, layers: undefined, vertex: undefined };
    if (origin.kind === 'scratch') return this.#ofLayers('scratch', [], undefined);
    if (origin.kind === 'stage') {
      const { layers, vertex } = await this.stage(origin.index);
      const name = nameOf(this.job.plan.stages[origin.index] as PlannedStage);
      return this.#ofLayers(`stage "${name}"`, layers, vertex);
    }
    if (origin.kind === 'image') return this.#ofImage(origin.name);
    const context = this.job.contexts.get(origin.name);
    if (context === undefined) throw new WctrError('not-found', `there is no build context ${origin.name}`);
    if ('image' in context) return this.#ofImage(context.image);
    return { tree: context.tree, layers: undefined, vertex: undefined };
  }

  async #ofImage(name: string): Promise<Source> {
    const { reference, layers, vertex } = await this.session.base(name, this.job.platform, false);
    return this.#ofLayers(`image ${reference}`, layers, vertex);
  }

  #ofLayers(what: string, layers: readonly StepLayer[], vertex: string | undefined): Source {
    return { tree: this.layersTree(what, layers), layers: layers.map(({ diffId }) => diffId), vertex };
  }

  /** Of an instruction of this stage; those of ONBUILD triggers were not looked at when stages were planned. */
  originsOf(planned: PlannedStage, instruction: StageInstruction, source: SourceText): readonly Origin[] {
    const known = planned.origins.get(instruction);
    if (known !== undefined) return known;
    const { file, contexts } = this.job;
    const named = new Map<string, number>();
    for (const { name, index } of file.stages) if (name !== undefined) named.set(name, index);
    const names = { named, contexts: new Set(contexts.keys()), file: { ...file, source } };
    const origins = originsOf(instruction, names);
    for (const origin of origins) {
      if (origin.kind !== 'stage' || origin.index < planned.stage.index) continue;
      throw new WctrError('invalid-dockerfile', 'an ONBUILD trigger takes files from a stage that is not built yet', {
        hint: 'a stage takes files from stages above it only',
      });
    }
    return origins;
  }

  /** True where this stage is not to be taken from the cache. */
  isFresh(planned: PlannedStage): boolean {
    const { noCache } = this.job;
    if (typeof noCache === 'boolean') return noCache;
    return noCache.some((name) => name.toLowerCase() === nameOf(planned) || name === String(planned.stage.index));
  }

  placed<T>(source: SourceText, { span }: Word, action: () => Promise<T>): Promise<T> {
    return placed(source, span, action);
  }
}

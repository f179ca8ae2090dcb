/** A whole build: reads the definition, builds the target for each platform, and puts it where it is to go. */
import { isWctrError, WctrError } from '../errors.ts';
import { canonicalName, type Reference } from '../images/reference.ts';
import type { SolveStatus } from '../spec/build-progress.ts';
import type { Digest, Platform } from '../spec/image-spec.ts';
import { type Definition, type DefinitionRequest, loadDefinition } from './definition.ts';
import { planStages } from './dockerfile/stages.ts';
import type { BuildArgs } from './dockerfile/variables.ts';
import { type BuiltImages, parseAnnotations, platformDirectory, writeDocuments } from './export/documents.ts';
import { filesTar, keepImage, layoutTar } from './export/outputs.ts';
import { type BuildStep, buildSteps } from './solve/build-steps.ts';
import type { SolveParts } from './solve/ports.ts';
import { BuildProgress, type VertexProgress } from './solve/progress.ts';
import { Session, type UsedStep } from './solve/session.ts';
import { type NamedContext, type SolveJob, Solver, type StageState } from './solve/solve.ts';

export interface BuildJob extends DefinitionRequest {
  /** `--build-context`. */
  readonly contexts?: ReadonlyMap<string, NamedContext>;
  /** At least one. */
  readonly platforms: readonly Platform[];
  readonly buildPlatform: Platform;
  readonly buildArgs?: BuildArgs;
  readonly target?: string;
  readonly references?: readonly Reference[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly noCache?: boolean | readonly string[];
  readonly pull?: boolean;
  readonly network?: SolveJob['network'];
  readonly extraHosts?: readonly string[];
  readonly secret?: SolveJob['secret'];
  readonly reproducible?: boolean;
  readonly memoryBytes?: number;
  readonly outputs: readonly Output[];
  /** After an image was put into the store under its names. */
  readonly push?: (reference: Reference, onProgress: (event: PushStep) => void) => Promise<void>;
  readonly onPlan?: (steps: readonly BuildStep[]) => void;
  readonly onStatus?: (status: SolveStatus) => void;
  readonly signal?: AbortSignal;
}

interface Written<Type extends string> {
  readonly type: Type;
  readonly write: (tar: AsyncIterable<Uint8Array>) => Promise<void>;
}

type ImageOutput = { readonly type: 'image'; readonly push?: boolean } | Written<'oci' | 'docker'>;

export type Output = ImageOutput | { readonly type: 'none' } | Written<'files'>;

export interface PushStep {
  readonly id?: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export interface Built {
  /** Of the first platform. Absent where no image was made. */
  readonly imageId?: Digest;
  /** Of the manifest or index. */
  readonly digest?: Digest;
  /** Steps that were used, for a cache others can use; `isFinal`: of the target itself. */
  readonly used: readonly (UsedStep & { readonly isFinal: boolean })[];
}

/**
 * Throws `invalid-dockerfile`, `not-found` and so on with the place in the file, `build-failed` for a RUN, `cancelled`.
 * A build that fails leaves nothing behind but what the cache keeps and the next collection removes.
 */
export async function build(parts: SolveParts, job: BuildJob): Promise<Built> {
  const { createHasher, leases } = parts;
  const progress = new BuildProgress({ createHasher, onStatus: job.onStatus });
  const lease = leases.open();
  const stop = new AbortController();
  const onAbort = () => stop.abort(job.signal?.reason);
  if (job.signal?.aborted === true) onAbort();
  job.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const session = new Session(parts, lease, progress, stop.signal, job.pull ?? false);
    return await new Build(session, job).run((reason) => stop.abort(reason));
  } catch (error) {
    if (job.signal?.aborted !== true) throw error;
    throw isWctrError(error, 'cancelled')
      ? error
      : new WctrError('cancelled', 'the build was cancelled', { cause: error });
  } finally {
    job.signal?.removeEventListener('abort', onAbort);
    progress.cancel();
    await lease.release();
  }
}

class Build {
  readonly #session: Session;
  readonly #job: BuildJob;

  constructor(session: Session, job: BuildJob) {
    this.#session = session;
    this.#job = job;
  }

  async run(abort: (reason: unknown) => void): Promise<Built> {
    const { platforms, outputs } = this.#job;
    const annotations = parseAnnotations(this.#job.annotations ?? {});
    const { contexts = new Map<string, NamedContext>() } = this.#job;
    const definition = await loadDefinition(
      this.#session.progress,
      this.#job,
      this.#planOptions(platforms[0] as Platform),
    );
    const solvers = platforms.map(
      (platform) => new Solver(this.#session, this.#solveJob(definition, platform, contexts)),
    );
    this.#job.onPlan?.(solvers.flatMap(buildSteps));
    const mtime = solvers[0]?.job.mtime ?? 0;
    const states = await this.#solve(solvers, abort);
    const { used } = this.#session;
    const isFinal = finalSteps(states);
    const result = { used: used.map((step) => ({ ...step, isFinal: isFinal(step) })) };
    const files = outputs.filter((output): output is Written<'files'> => output.type === 'files');
    for (const { write } of files) {
      await this.#exporting('exporting to client tarball', async () => {
        const trees = states.map(({ layers, platform }, i) => ({
          directory: states.length > 1 ? platformDirectory(platform) : '',
          tree: (solvers[i] as Solver).layersTree('the result', layers),
        }));
        await write(filesTar(trees, mtime));
      });
    }
    const images = outputs.filter((output): output is ImageOutput => output.type !== 'files' && output.type !== 'none');
    if (images.length === 0) return result;
    const built = states.map((state, i) => ({ state, platform: platforms[i] as Platform }));
    for (const { draft } of states) draft.addLabels(this.#job.labels ?? {});
    const created = new Date(mtime * 1000).toISOString();
    const documents = await writeDocuments(this.#session.parts, this.#session.pins, built, { annotations, created });
    for (const output of images) await this.#export(output, documents);
    return { ...result, imageId: documents.images[0]?.config.digest as Digest, digest: documents.target.digest };
  }

  /** All of them, though one fails: nothing may go on when this has thrown. */
  async #solve(solvers: readonly Solver[], abort: (reason: unknown) => void): Promise<StageState[]> {
    const ended = await Promise.allSettled(solvers.map((solver) => solver.solve(abort)));
    const failures = ended.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
    // The first to fail made the others give up
    const { signal } = this.#session;
    const cause = signal.aborted && this.#job.signal?.aborted !== true ? signal.reason : failures[0];
    if (failures.length > 0) throw cause;
    return ended.map((one) => (one as PromiseFulfilledResult<StageState>).value);
  }

  async #export(output: ImageOutput, documents: BuiltImages): Promise<void> {
    const { images } = this.#session.parts;
    const { references = [], push } = this.#job;
    if (output.type !== 'image') {
      const what = output.type === 'oci' ? 'oci image' : 'docker image';
      await this.#exporting(`exporting to ${what} format`, () =>
        output.write(layoutTar(images, documents, references, output.type)),
      );
      return;
    }
    await this.#exporting('exporting to image', async (vertex) => {
      vertex.status('exporting layers', 0, 0, true);
      await keepImage(images, documents, references);
      vertex.status(`writing image ${documents.images[0]?.config.digest}`, 0, 0, true);
      for (const reference of references) vertex.status(`naming to ${canonicalName(reference)}`, 0, 0, true);
    });
    if (output.push !== true) return;
    if (references.length === 0 || push === undefined) {
      throw new WctrError('invalid-argument', 'an image without a name cannot be pushed', {
        hint: 'give it one: --tag NAME',
      });
    }
    for (const reference of references) {
      await this.#exporting(`pushing ${canonicalName(reference)}`, (vertex) =>
        push(reference, ({ id, currentBytes, totalBytes }) => {
          if (id !== undefined && currentBytes !== undefined) {
            vertex.status(id, currentBytes, totalBytes ?? 0, currentBytes === totalBytes);
          }
        }),
      );
    }
  }

  async #exporting(name: string, action: (vertex: VertexProgress) => Promise<void>): Promise<void> {
    const { progress, signal } = this.#session;
    signal.throwIfAborted();
    const vertex = progress.start(progress.digest('export', name), name);
    try {
      await action(vertex);
      vertex.end();
    } catch (error) {
      vertex.end({ error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  #planOptions(targetPlatform: Platform) {
    const { buildPlatform, buildArgs = {}, target = '', contexts } = this.#job;
    return { targetPlatform, buildPlatform, buildArgs, target, contexts: new Set(contexts?.keys()) };
  }

  #solveJob(definition: Definition, platform: Platform, contexts: ReadonlyMap<string, NamedContext>): SolveJob {
    const { file, context } = definition;
    const { buildArgs = {}, reproducible = false } = this.#job;
    const plan = planStages(file, this.#planOptions(platform));
    const epoch = buildArgs.SOURCE_DATE_EPOCH ?? plan.globals.get('SOURCE_DATE_EPOCH');
    const mtime = sourceDateEpoch(epoch);
    return {
      ...{ file, plan, platform, context, contexts, buildArgs, mtime },
      retimesRuns: reproducible || (epoch !== undefined && epoch !== ''),
      fixedTime: reproducible ? mtime : undefined,
      noCache: this.#job.noCache ?? false,
      network: this.#job.network ?? 'default',
      extraHosts: this.#job.extraHosts ?? [],
      secret: this.#job.secret ?? (async () => undefined),
      memoryBytes: this.#job.memoryBytes,
      isOneOfSeveral: this.#job.platforms.length > 1,
    };
  }
}

/** Whether a step's layers are in the result. */
function finalSteps(states: readonly StageState[]): (step: UsedStep) => boolean {
  const final = new Set(states.flatMap(({ layers }) => layers.map(({ diffId }) => diffId)));
  return ({ result }) => result.layers.every(({ diffId }) => final.has(diffId));
}

/** Seconds; the epoch itself where nothing else is asked for. */
function sourceDateEpoch(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new WctrError('invalid-argument', `SOURCE_DATE_EPOCH is not a number of seconds: ${text.slice(0, 40)}`, {
    hint: 'use the output of: git log -1 --format=%ct',
  });
}

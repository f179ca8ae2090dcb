/** A whole build: reads the definition, builds the target for each platform, and puts it where it is to go. */
import { isWctrError, WctrError } from '../errors.ts';
import type { Reference } from '../images/reference.ts';
import type { SolveStatus } from '../spec/build-progress.ts';
import type { Digest, Platform } from '../spec/image-spec.ts';
import { type Definition, type DefinitionRequest, loadDefinition, withoutIgnored } from './definition.ts';
import { planStages } from './dockerfile/stages.ts';
import type { BuildArgs } from './dockerfile/variables.ts';
import { type BuiltImages, parseAnnotations } from './export/documents.ts';
import { type Compression, Exporter, type ExportOptions, type Output } from './export/exporter.ts';
import type { Provenance } from './export/provenance.ts';
import { type BuildStep, buildSteps } from './solve/build-steps.ts';
import type { SolveParts } from './solve/ports.ts';
import { BuildProgress } from './solve/progress.ts';
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
  readonly compression?: Compression;
  readonly provenance?: Provenance['mode'];
  readonly push?: ExportOptions['push'];
  readonly onPlan?: (steps: readonly BuildStep[]) => void;
  readonly onStatus?: (status: SolveStatus) => void;
  readonly signal?: AbortSignal;
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

/** Each keeps its variables and its config until all are built. */
const MAX_STAGES = 2500;

class Build {
  readonly #session: Session;
  readonly #job: BuildJob;

  constructor(session: Session, job: BuildJob) {
    this.#session = session;
    this.#job = job;
  }

  async run(abort: (reason: unknown) => void): Promise<Built> {
    const started = new Date().toISOString();
    const { platforms, outputs } = this.#job;
    const annotations = parseAnnotations(this.#job.annotations ?? {});
    const contexts = new Map<string, NamedContext>();
    for (const [name, given] of this.#job.contexts ?? []) {
      contexts.set(name, 'image' in given ? given : { tree: await withoutIgnored(given.tree) });
    }
    const definition = await loadDefinition(
      this.#session.progress,
      this.#job,
      this.#planOptions(platforms[0] as Platform),
    );
    const solvers = platforms.map(
      (platform) => new Solver(this.#session, this.#solveJob(definition, platform, contexts)),
    );
    const count = solvers[0]?.job.plan.needed.length ?? 0;
    if (count > MAX_STAGES) {
      throw new WctrError('limit-exceeded', `the target needs ${count} stages; ${MAX_STAGES} are allowed`);
    }
    this.#job.onPlan?.(solvers.flatMap(buildSteps));
    const mtime = solvers[0]?.job.mtime ?? 0;
    const states = await this.#solve(solvers, abort);
    const { used } = this.#session;
    const isFinal = finalSteps(states);
    const result = { used: used.map((step) => ({ ...step, isFinal: isFinal(step) })) };
    for (const { draft } of states) draft.addLabels(this.#job.labels ?? {});
    const targets = states.map((state, i) => ({
      ...{ state, platform: platforms[i] as Platform },
      tree: (solvers[i] as Solver).layersTree('the result', state.layers),
    }));
    const { references = [], compression, push } = this.#job;
    const exporter = new Exporter(this.#session, targets, {
      ...{ mtime, references, annotations, compression, push },
      provenance: this.#provenance(definition, started, solvers[0]?.job.retimesRuns === true),
    });
    let first: BuiltImages | undefined;
    for (const output of outputs) {
      const made = await exporter.export(output);
      first ??= made;
    }
    if (first === undefined) return result;
    return { ...result, imageId: first.images[0]?.config.digest as Digest, digest: first.target.digest };
  }

  #provenance({ file }: Definition, started: string, isReproducible: boolean): Provenance | undefined {
    const { provenance: mode, buildArgs = {}, labels = {}, target, buildPlatform } = this.#job;
    if (mode === undefined) return undefined;
    const named = (prefix: string, values: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}:${name}`, value]));
    const own = target === undefined || target === '' ? {} : { target };
    const { materials } = this.#session;
    return {
      ...{ mode, buildPlatform, definition: { name: file.source.name, text: file.source.text } },
      materials: [...new Map(materials.map((one) => [`${one.uri} ${one.digest}`, one])).values()].sort((a, b) =>
        a.uri < b.uri ? -1 : 1,
      ),
      parameters: { ...own, ...named('build-arg', buildArgs), ...named('label', labels) },
      ...(isReproducible ? {} : { times: { started, finished: new Date().toISOString() } }),
    };
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

/** `--check`: every rule over a Dockerfile, without building it. */
import { isWctrError, type WctrError } from '../../../errors.ts';
import { frontendDirective } from '../directives.ts';
import { asDockerfile, type ParseOptions, readDockerfile } from '../parse.ts';
import { type PlannedStage, type PlanOptions, planStages } from '../stages.ts';
import { type BuildArgs, globalVariables, StageVariables } from '../variables.ts';
import { type LintConfig, parseLintConfig } from './config.ts';
import { checkDefaults, checkFroms } from './from-checks.ts';
import { LintReport, type LintWarning } from './report.ts';
import { type IgnoredPaths, StageChecks, type StageState } from './stage-checks.ts';
import { checkText, checkTogether } from './static-checks.ts';

/** What a check needs of a base image's config. */
export interface BaseImageFacts {
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly hasShell: boolean;
}

export interface LintOptions extends PlanOptions, ParseOptions {
  /** Instead of the file's own `# check=` directive. */
  readonly config?: LintConfig;
  readonly ignored?: IgnoredPaths;
  /** Undefined for an image whose config is not known: its variables are then not called undefined. */
  readonly baseImage?: (name: string) => BaseImageFacts | undefined;
}

export interface LintResult {
  readonly warnings: readonly LintWarning[];
  /** What stops the build, whether or not there are warnings. */
  readonly error: WctrError | undefined;
  /** There are warnings, and `error=true`. */
  readonly isViolation: boolean;
}

/** Throws for a text that cannot be read at all, and a `check` directive that is wrong; all else is in the result. */
export function lintDockerfile(input: string | Uint8Array, options: LintOptions): LintResult {
  const read = readDockerfile(input, options);
  const config = options.config ?? parseLintConfig(frontendDirective(read.source.text, 'check') ?? '');
  const report = new LintReport(config);
  let error: WctrError | undefined;
  try {
    checkText(read, report);
    const file = asDockerfile(read);
    checkTogether(file, report);
    checkDefaults(file, options, report);
    checkFroms(file, globalVariables(file, options), report);
    const plan = planStages(file, options);
    const stages = options.target ? plan.needed : plan.stages;
    checkStages(stages, plan.globals, options, new StageChecks(file, report, options.ignored));
  } catch (thrown) {
    if (!isWctrError(thrown)) throw thrown;
    error = thrown;
  }
  const { warnings } = report;
  return { warnings, error, isViolation: config.isError && warnings.length > 0 };
}

function checkStages(
  stages: readonly PlannedStage[],
  globals: ReadonlyMap<string, string>,
  options: LintOptions,
  checks: StageChecks,
): void {
  const states = new Map<number, StageState>();
  for (const planned of stages) {
    const state = firstState(planned, states, globals, options);
    states.set(planned.stage.index, state);
    checks.check(planned, state);
  }
}

function firstState(
  { base }: PlannedStage,
  states: ReadonlyMap<number, StageState>,
  globals: ReadonlyMap<string, string>,
  { buildArgs = {}, baseImage }: LintOptions,
): StageState {
  const below = base.kind === 'stage' ? states.get(base.index) : undefined;
  if (below !== undefined) return { ...below, variables: below.variables.child() };
  const facts = base.kind === 'image' ? baseImage?.(base.name) : undefined;
  const isEnvKnown = base.kind === 'scratch' || facts !== undefined;
  const variables = stageVariables(globals, buildArgs, facts?.env ?? []);
  return { variables, isEnvKnown, hasShell: facts?.hasShell ?? false, hasWorkdir: false };
}

function stageVariables(globals: ReadonlyMap<string, string>, buildArgs: BuildArgs, env: readonly string[]) {
  const values = env.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  // Every stage has a PATH, the image's or docker's
  if (!values.some(([name]) => name === 'PATH')) values.push(['PATH', DEFAULT_PATH]);
  return new StageVariables(globals, buildArgs, { values });
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

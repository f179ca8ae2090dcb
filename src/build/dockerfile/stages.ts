/** Which stages there are, what each is built on and takes files from, and which of them the target needs. */
import { parsePlatform } from '../../images/platform.ts';
import type { Platform } from '../../spec/image-spec.ts';
import type { Dockerfile, FromInstruction, Stage, StageInstruction } from './ast.ts';
import { refuse } from './errors.ts';
import { WordExpander } from './expand.ts';
import { fromOf } from './mounts.ts';
import type { Span, Word } from './source.ts';
import { type GlobalOptions, globalVariables } from './variables.ts';

/** Where files come from: another stage, an image, a `--build-context`, or nothing at all. */
export type Origin =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'image'; readonly name: string };

export interface PlannedStage {
  readonly stage: Stage;
  readonly base: Origin;
  /** What FROM names, with its variables substituted. */
  readonly baseName: string;
  /** Of `--platform`. */
  readonly platform: Platform | undefined;
  /** Of COPY --from and RUN --mount=from=, in order, by instruction. */
  readonly origins: ReadonlyMap<StageInstruction, readonly Origin[]>;
  /** Names FROM used, and those it asked for that are not set. */
  readonly variables: { readonly used: ReadonlySet<string>; readonly unset: readonly string[] };
}

export interface BuildPlan {
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: readonly PlannedStage[];
  readonly target: PlannedStage;
  /** What the target needs, itself last, each after what it needs. */
  readonly needed: readonly PlannedStage[];
}

export interface PlanOptions extends GlobalOptions {
  /** Names of `--build-context`: they go before stages and images of the same name. */
  readonly contexts?: ReadonlySet<string>;
}

export const SCRATCH = 'scratch';

/** Throws `invalid-dockerfile`; `not-found` for a target there is not. */
export function planStages(file: Dockerfile, options: PlanOptions): BuildPlan {
  const globals = globalVariables(file, options);
  const named = new Map<string, number>();
  for (const { name, index } of file.stages) if (name !== undefined) named.set(name, index);
  const names: Names = { named, contexts: options.contexts ?? new Set(), file };
  const earlier = new Map<string, number>();
  const stages = file.stages.map((stage) => {
    const planned = planStage(stage, globals, earlier, names, options);
    if (stage.name !== undefined) earlier.set(stage.name, stage.index);
    return planned;
  });
  refuseCycles(stages, file);
  refuseLater(stages, file);
  const target = targetOf(stages, named, options.target ?? '', file);
  return { globals, stages, target, needed: neededFor(target, stages) };
}

interface Names {
  readonly named: ReadonlyMap<string, number>;
  readonly contexts: ReadonlySet<string>;
  readonly file: Dockerfile;
}

function planStage(
  stage: Stage,
  globals: ReadonlyMap<string, string>,
  earlier: ReadonlyMap<string, number>,
  names: Names,
  options: PlanOptions,
): PlannedStage {
  const { file, contexts } = names;
  const expander = new WordExpander(globals, file);
  const { base: written } = stage.from;
  const baseName = expander.word(written).text;
  if (baseName === '') {
    throw refuse(file.source, written.span, `base name (${written.text}) should not be blank`, {
      hint: `give the variable a default: ARG NAME=image, or pass --build-arg`,
    });
  }
  const platform = platformOf(stage.from, expander, globals, file, options);
  const own = stage.name !== undefined && contexts.has(stage.name) ? stage.name : undefined;
  const index = earlier.get(baseName);
  const base: Origin =
    own !== undefined
      ? { kind: 'context', name: own }
      : index !== undefined
        ? { kind: 'stage', index }
        : outsideOrigin(baseName, contexts);
  const origins = new Map<StageInstruction, readonly Origin[]>();
  // A stage replaced by a context of its name is not built at all
  for (const instruction of own === undefined ? stage.instructions : []) {
    const found = originsOf(instruction, names);
    if (found.length > 0) origins.set(instruction, found);
  }
  return { stage, base, baseName, platform, origins, variables: { used: expander.used, unset: expander.unset } };
}

function outsideOrigin(name: string, contexts: ReadonlySet<string>): Origin {
  if (name === SCRATCH) return { kind: 'scratch' };
  return contexts.has(name) ? { kind: 'context', name } : { kind: 'image', name };
}

function platformOf(
  { platform }: FromInstruction,
  expander: WordExpander,
  globals: ReadonlyMap<string, string>,
  file: Dockerfile,
  { targetPlatform }: PlanOptions,
): Platform | undefined {
  if (platform === undefined || platform.text === '') return undefined;
  const own = new WordExpander(globals, file);
  const { text } = own.word(platform);
  for (const name of own.used) expander.used.add(name);
  expander.unset.push(...own.unset);
  const [missing] = own.unset;
  const nearest = missing === undefined ? {} : { nearest: { name: missing, known: [...globals.keys()] } };
  if (text === '') {
    throw refuse(file.source, platform.span, `empty platform value from expression ${platform.text}`, nearest);
  }
  try {
    return parsePlatform(completed(text, targetPlatform));
  } catch (cause) {
    const hint = { hint: 'write os/arch, such as wasip1/wasm or linux/arm64' };
    throw refuse(file.source, platform.span, `failed to parse platform ${platform.text}: "${text}" is not a platform`, {
      ...(missing === undefined ? hint : nearest),
      cause,
    });
  }
}

const SYSTEMS = new Set(['linux', 'windows', 'darwin', 'macos', 'freebsd', 'wasi', 'wasip1', 'wasip2']);

/** `arm64` or `linux` alone take the other half of the target platform. */
function completed(text: string, target: Platform): string {
  if (text.includes('/')) return text;
  return SYSTEMS.has(text.toLowerCase()) ? `${text}/${target.architecture}` : `${target.os}/${text}`;
}

/** Where one instruction takes files from, beside the build context. Used for ONBUILD triggers too. */
export function originsOf(instruction: StageInstruction, { named, contexts, file }: Names): Origin[] {
  if (instruction.kind === 'copy' && instruction.from !== undefined) {
    return [copyOrigin(instruction.from, { named, contexts, file })];
  }
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ written }) => {
    const { from } = fromOf(written, file.source);
    if (from === '') return [];
    const index = named.get(from.toLowerCase());
    return [index === undefined || contexts.has(from) ? outsideOrigin(from, contexts) : { kind: 'stage', index }];
  });
}

function copyOrigin(from: Word, { named, contexts, file }: Names): Origin {
  const hint = `write FROM \${IMAGE} AS name above, and --from=name here`;
  const expanded = new WordExpander({ get: () => undefined }, file).word(from).text;
  if (expanded !== from.text) {
    const what =
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround';
    throw refuse(file.source, from.span, what, { hint });
  }
  if (/^[+-]?\d+$/.test(from.text)) {
    const index = Number(from.text);
    if (index >= 0 && index < file.stages.length) return { kind: 'stage', index };
    throw refuse(file.source, from.span, `invalid stage index ${index}`, {
      hint: `there are ${file.stages.length} stages, counted from 0`,
    });
  }
  if (contexts.has(from.text)) return { kind: 'context', name: from.text };
  const index = named.get(from.text.toLowerCase());
  return index === undefined ? outsideOrigin(from.text, contexts) : { kind: 'stage', index };
}

function stageOrigins(planned: PlannedStage): { index: number; span: Span | undefined }[] {
  const found: { index: number; span: Span | undefined }[] = [];
  if (planned.base.kind === 'stage') found.push({ index: planned.base.index, span: undefined });
  for (const [instruction, origins] of planned.origins) {
    for (const origin of origins) {
      if (origin.kind === 'stage') found.push({ index: origin.index, span: instruction.name.span });
    }
  }
  return found;
}

function refuseCycles(stages: readonly PlannedStage[], file: Dockerfile): void {
  const state = new Uint8Array(stages.length);
  // By hand instead of by recursion: there may be many thousand stages
  for (const root of stages) {
    const path = [{ index: root.stage.index, next: stageOrigins(root) }];
    if (state[root.stage.index] !== 0) continue;
    state[root.stage.index] = 1;
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const edge = top.next.pop();
      if (edge === undefined) {
        state[top.index] = 2;
        path.pop();
        continue;
      }
      const found = stages[edge.index] as PlannedStage;
      if (state[edge.index] === 1) {
        const what = `circular dependency detected on stage: ${nameOf(found)}`;
        throw refuse(file.source, edge.span ?? found.stage.from.span, what, {
          hint: 'a stage takes files from stages above it only',
        });
      }
      if (state[edge.index] !== 0) continue;
      state[edge.index] = 1;
      path.push({ index: edge.index, next: stageOrigins(found) });
    }
  }
}

function refuseLater(stages: readonly PlannedStage[], file: Dockerfile): void {
  for (const planned of stages) {
    const wrong = stageOrigins(planned).find(({ index }) => index > planned.stage.index);
    if (wrong === undefined) continue;
    const later = nameOf(stages[wrong.index] as PlannedStage);
    const what = `cannot copy from stage "${later}", it needs to be defined before current stage "${nameOf(planned)}"`;
    throw refuse(file.source, wrong.span ?? planned.stage.from.span, what, { hint: `move the stage "${later}" up` });
  }
}

export function nameOf({ stage }: PlannedStage): string {
  return stage.name ?? `stage-${stage.index}`;
}

function targetOf(
  stages: readonly PlannedStage[],
  named: ReadonlyMap<string, number>,
  target: string,
  file: Dockerfile,
): PlannedStage {
  const index = target === '' ? stages.length - 1 : named.get(target.toLowerCase());
  const found = index === undefined ? undefined : stages[index];
  if (found !== undefined) return found;
  throw refuse(file.source, { start: 0, end: 0 }, `target stage "${target}" could not be found`, {
    code: 'not-found',
    nearest: { name: target, known: [...named.keys()] },
  });
}

function neededFor(target: PlannedStage, stages: readonly PlannedStage[]): PlannedStage[] {
  const needed = new Set<number>();
  const open = [target.stage.index];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (needed.has(index)) continue;
    needed.add(index);
    for (const edge of stageOrigins(stages[index] as PlannedStage)) open.push(edge.index);
  }
  return stages.filter(({ stage }) => needed.has(stage.index));
}

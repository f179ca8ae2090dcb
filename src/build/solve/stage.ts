/** One stage: its base, the triggers the base brings along, and its instructions one after the other. */
import { WctrError } from '../../errors.ts';
import type { Digest, Platform } from '../../spec/image-spec.ts';
import type { StepLayer, StepResult } from '../cache/build-cache.ts';
import { parseOwner } from '../copy/owner.ts';
import type { StageInstruction } from '../dockerfile/ast.ts';
import { expandInstruction } from '../dockerfile/expand.ts';
import { parseTrigger } from '../dockerfile/parse.ts';
import type { SourceText } from '../dockerfile/source.ts';
import { nameOf, type PlannedStage } from '../dockerfile/stages.ts';
import { StageVariables } from '../dockerfile/variables.ts';
import { ImageDraft } from '../stage/image-draft.ts';
import { writeLayer } from '../stage/write-layer.ts';
import { resolvePath } from '../tree/resolve-path.ts';
import { StageTree } from '../tree/stage-tree.ts';
import { copyStep } from './copy-step.ts';
import { runHistory, runStep, runText } from './run-step.ts';
import type { Step } from './session.ts';
import type { Solver, StageState } from './solve.ts';
import { stepKey } from './step-key.ts';
import { fromVertex, isStep, stepVertex, vertexName } from './step-names.ts';

/** An instruction and the text it stands in: the Dockerfile, or a base image's trigger. */
interface Written {
  readonly instruction: StageInstruction;
  readonly source: SourceText;
}

/** More than any image has; a manifest with more is refused wherever it is read. */
const MAX_LAYERS = 1000;
const MAX_ARGS = 1024;

export async function buildStage(solver: Solver, planned: PlannedStage): Promise<StageState> {
  const { file, plan, mtime, buildArgs, contexts } = solver.job;
  const { base } = planned;
  const created = new Date(mtime * 1000).toISOString();
  const ownPlatform = planned.platform ?? solver.job.platform;
  if (base.kind === 'stage') {
    const below = await solver.stage(base.index);
    const triggers = below.draft.process.OnBuild ?? [];
    const draft = new ImageDraft(created, below.draft);
    const { layers, platform, vertex } = below;
    const start = { layers, draft, variables: below.variables.child(), platform, vertex };
    return new StageBuild(solver, planned, start, 0).run(triggers, planned.baseName);
  }
  const context = base.kind === 'context' ? contexts.get(base.name) : undefined;
  const name =
    base.kind === 'image' ? base.name : context !== undefined && 'image' in context ? context.image : undefined;
  if (name === undefined) {
    const draft = new ImageDraft(created);
    const start = { layers: [], draft, variables: variablesOf(draft), platform: ownPlatform, vertex: undefined };
    const stage = new StageBuild(solver, planned, start, context === undefined ? 0 : 1);
    if (context !== undefined && 'tree' in context) await stage.takeContext(planned);
    return stage.run([], planned.baseName);
  }
  const { from } = planned.stage;
  const opened = await solver.placed(file.source, from.base, () =>
    solver.session.base(name, ownPlatform, planned.platform !== undefined),
  );
  const { config, layers, reference, digest } = opened;
  const draft = new ImageDraft(created, config);
  const platform: Platform = config.platform.os === '' ? ownPlatform : config.platform;
  const vertex = fromVertex(solver, planned);
  const start = { layers, draft, variables: variablesOf(draft), platform, vertex };
  const stage = new StageBuild(solver, planned, start, 1);
  solver.session.progress
    .start(vertex, stage.nextName(`FROM ${reference.replace(/@.*/, '')}@${digest}`), [opened.vertex])
    .end({ cached: !opened.wasPulled });
  return stage.run(config.process.OnBuild ?? [], reference);

  function variablesOf({ env }: ImageDraft): StageVariables {
    return new StageVariables(plan.globals, buildArgs, { values: env.map(pairOf) });
  }
}

export class StageBuild {
  readonly solver: Solver;
  readonly planned: PlannedStage;
  readonly draft: ImageDraft;
  readonly variables: StageVariables;
  readonly platform: Platform;
  #layers: readonly StepLayer[];
  #vertex: string | undefined;
  /** Kept as long as it is what the layers say. */
  #tree: StageTree | undefined;
  #stepCount: number;
  #stepNumber = 0;

  /** `steps`: those before the first instruction, which count too. */
  constructor(solver: Solver, planned: PlannedStage, start: StageState, steps: number) {
    this.solver = solver;
    this.planned = planned;
    this.draft = start.draft;
    this.variables = start.variables;
    this.platform = start.platform;
    this.#layers = start.layers;
    this.#vertex = start.vertex;
    this.#stepCount = steps + planned.stage.instructions.filter(isStep).length;
  }

  get diffIds(): readonly Digest[] {
    return this.#layers.map(({ diffId }) => diffId);
  }

  async run(triggers: readonly string[], image: string): Promise<StageState> {
    const { file } = this.solver.job;
    // A stage replaced by a context of its name keeps nothing of its own
    const isReplaced = this.planned.base.kind === 'context' && this.planned.base.name === this.planned.stage.name;
    const own = isReplaced ? [] : this.planned.stage.instructions;
    const written: Written[] = [
      ...triggers.map((expression): Written => {
        const { trigger, source } = parseTrigger(expression, image);
        return { instruction: trigger, source };
      }),
      ...own.map((instruction): Written => ({ instruction, source: file.source })),
    ];
    this.#stepCount += written.slice(0, triggers.length).filter(({ instruction }) => isStep(instruction)).length;
    const lastRun = written.findLastIndex(({ instruction }) => instruction.kind === 'run');
    for (const [i, one] of written.entries()) {
      this.solver.session.signal.throwIfAborted();
      const id = i < triggers.length ? `trigger ${i}` : one.instruction.span.start;
      await this.solver.placed(one.source, one.instruction.name, () => this.#apply(one, id, i < lastRun));
    }
    const { draft, variables, platform } = this;
    return { layers: this.#layers, draft, variables, platform, vertex: this.#vertex };
  }

  /** A named context of files as the base of a stage. */
  async takeContext(planned: PlannedStage): Promise<void> {
    const { tree } = await this.solver.source(planned.base);
    const { span } = planned.stage.from.base;
    await copyStep(this, {
      ...{ kind: 'copy', heredocs: [], exclude: [], chown: undefined, chmod: undefined, parents: false },
      ...{ link: false, add: undefined },
      from: { tree, layers: undefined, vertex: undefined },
      sources: [{ text: '.', span }],
      destination: { text: '/', span },
      source: this.solver.job.file.source,
      text: `FROM ${planned.baseName}`,
      vertex: fromVertex(this.solver, planned),
    });
  }

  async #apply({ instruction: written, source }: Written, id: string | number, expectsMore: boolean): Promise<void> {
    const { draft, variables } = this;
    const file = { source, escape: this.solver.job.file.escape };
    if (written.kind === 'arg') {
      variables.declare(written, file);
      if (variables.declared.length > MAX_ARGS) {
        throw new WctrError('limit-exceeded', `this stage has more than ${MAX_ARGS} build arguments`);
      }
      draft.remember(written.text, false);
      return;
    }
    const { instruction } = expandInstruction(written, variables, file);
    const before = this.#layers;
    const vertex = stepVertex(this.solver, this.planned, id);
    let text = written.text;
    if (instruction.kind === 'run') {
      const origins = this.solver.originsOf(this.planned, written, source);
      const history = runHistory(this, instruction);
      await runStep(this, { instruction, origins, source, vertex, text: runText(instruction), expectsMore });
      text = history;
    } else if (instruction.kind === 'copy' || instruction.kind === 'add') {
      const [origin] = this.solver.originsOf(this.planned, written, source);
      const isAdd = instruction.kind === 'add';
      await copyStep(this, {
        ...instruction,
        from: await this.solver.source(origin),
        exclude: instruction.exclude.map((word) => word.text),
        parents: !isAdd && instruction.parents,
        add: isAdd ? instruction : undefined,
        source,
        vertex,
      });
    } else {
      draft.apply(instruction, source);
      if (instruction.kind === 'env') {
        for (const { key, value } of instruction.pairs) variables.setEnv(key.text, value.text);
      }
      if (instruction.kind === 'workdir') await this.#makeWorkingDir(vertex, text);
    }
    if (written.kind !== 'onbuild') draft.remember(text, this.#layers !== before);
  }

  async #makeWorkingDir(digest: string, text: string): Promise<void> {
    const { workingDir: path, process } = this.draft;
    const { mtime } = this.solver.job;
    const user = process.User ?? '';
    const key = () => this.key({ kind: 'workdir', path, user, mtime });
    await this.step({
      digest,
      text,
      inputs: [],
      kind: 'workdir',
      keys: [async () => key()],
      make: async () => {
        const tree = this.tree();
        const owner = await parseOwner(user, tree);
        await tree.makeDirectories(await resolvePath(tree, path), { mode: 0o755, ...owner });
        return this.changes(tree);
      },
    });
  }

  key(parts: Parameters<typeof stepKey>[1]): Digest {
    return stepKey(this.solver.session.parts.createHasher, { ...parts, parent: this.diffIds });
  }

  /** Of a step that depends on nothing below it. */
  looseKey(parts: Parameters<typeof stepKey>[1]): Digest {
    return stepKey(this.solver.session.parts.createHasher, parts);
  }

  /** The files so far. Its changes are those since the last step. */
  tree(): StageTree {
    const what = `stage "${nameOf(this.planned)}"`;
    this.#tree ??= new StageTree(what, this.solver.layersTree(what, this.#layers));
    return this.#tree;
  }

  /** What was put into the tree, as a layer, if anything. */
  async changes(tree: StageTree): Promise<readonly StepLayer[]> {
    const { parts, pins, signal } = this.solver.session;
    const changes = tree.takeChanges();
    if (changes.length === 0) return [];
    const descriptor = await writeLayer(parts, pins, changes, { mtime: this.solver.job.mtime, signal });
    return [{ descriptor, diffId: descriptor.digest }];
  }

  /** Takes a step, and what it made on top of the layers. `keepsTree`: the step put the same into the tree. */
  async step(
    step: Omit<Step, 'name' | 'description' | 'isFresh'> & { readonly text: string; readonly keepsTree?: boolean },
  ): Promise<StepResult> {
    const { text, inputs, keepsTree = true } = step;
    const { result, isMade } = await this.solver.session.step({
      ...step,
      name: this.nextName(text),
      inputs: [...new Set([...(this.#vertex === undefined ? [] : [this.#vertex]), ...inputs])],
      description: text,
      isFresh: this.solver.isFresh(this.planned),
    });
    this.#vertex = step.digest;
    if (result.layers.length > 0) this.#layers = [...this.#layers, ...result.layers];
    if (!isMade || !keepsTree) this.#tree = undefined;
    if (this.#layers.length > MAX_LAYERS) {
      throw new WctrError('limit-exceeded', `this stage has more than ${MAX_LAYERS} layers`, {
        hint: 'let one instruction do what many do',
      });
    }
    return result;
  }

  nextName(text: string): string {
    this.#stepNumber += 1;
    return vertexName(this.solver, this.planned, this.#stepNumber, this.#stepCount, text);
  }
}

function pairOf(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

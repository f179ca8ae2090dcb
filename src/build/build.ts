/**
 * Builds an image from a Dockerfile: so far the instructions that need no program to run, on top of nothing or of other
 * stages. The same files make the same image, on every host and on every day.
 */
import { type ErrorCode, isWctrError, WctrError } from '../errors.ts';
import { digestOf } from '../images/digest.ts';
import type { ImageRecord } from '../images/image-record.ts';
import type { Reference } from '../images/reference.ts';
import type { Leases } from '../images/store/leases.ts';
import {
  type Descriptor,
  type ImageConfigDocument,
  type ManifestDocument,
  MEDIA_TYPE,
  type Platform,
} from '../spec/image-spec.ts';
import { headOf, isArchive } from './copy/archive.ts';
import { Copier, type CopyOptions, destinationOf } from './copy/copy.ts';
import { parseMode } from './copy/mode.ts';
import { parseOwner } from './copy/owner.ts';
import { expandSource } from './copy/sources.ts';
import type { AddInstruction, CopyInstruction, Dockerfile, StageInstruction } from './dockerfile/ast.ts';
import { refuse } from './dockerfile/errors.ts';
import { expandInstruction } from './dockerfile/expand.ts';
import type { Word } from './dockerfile/source.ts';
import { type BuildPlan, nameOf, type PlannedStage, planStages } from './dockerfile/stages.ts';
import { type BuildArgs, StageVariables } from './dockerfile/variables.ts';
import { BadPatternError } from './ignore/path-match.ts';
import { ImageDraft } from './stage/image-draft.ts';
import { type LayerParts, type Pins, writeLayer } from './stage/write-layer.ts';
import type { FileTree } from './tree/file-tree.ts';
import { resolvePath } from './tree/resolve-path.ts';
import { StageTree } from './tree/stage-tree.ts';

export interface BuildParts extends LayerParts {
  readonly leases: Leases;
}

export interface BuildOptions {
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  readonly buildArgs?: BuildArgs;
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly references?: readonly Reference[];
  readonly signal?: AbortSignal;
  /** Called before each instruction, with its text. */
  readonly onStep?: (stage: string, text: string) => void;
}

interface BuiltStage {
  readonly tree: StageTree;
  readonly draft: ImageDraft;
  readonly variables: StageVariables;
  readonly layers: readonly Descriptor[];
}

/**
 * Throws `invalid-dockerfile` and `not-found` with the place in the file, `unsupported` for what cannot be built yet.
 * A build that fails leaves nothing behind but what the next collection removes.
 */
export async function buildImage(
  parts: BuildParts,
  file: Dockerfile,
  context: FileTree,
  options: BuildOptions,
): Promise<ImageRecord> {
  const { platform: targetPlatform, buildPlatform, buildArgs = {}, target = '' } = options;
  const plan = planStages(file, { targetPlatform, buildPlatform, buildArgs, target });
  const mtime = sourceDateEpoch(buildArgs.SOURCE_DATE_EPOCH ?? plan.globals.get('SOURCE_DATE_EPOCH'));
  const lease = parts.leases.open();
  try {
    const builder = new Builder(parts, file, context, plan, options, lease, mtime);
    const built = await builder.build();
    return await finish(parts, lease, built, options, mtime);
  } finally {
    await lease.release();
  }
}

/** Seconds; the epoch itself where nothing else is asked for. */
function sourceDateEpoch(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new WctrError('invalid-argument', `SOURCE_DATE_EPOCH is not a number of seconds: ${text.slice(0, 40)}`, {
    hint: 'use the output of: git log -1 --format=%ct',
  });
}

class Builder {
  readonly #parts: BuildParts;
  readonly #file: Dockerfile;
  readonly #context: FileTree;
  readonly #plan: BuildPlan;
  readonly #options: BuildOptions;
  readonly #pins: Pins;
  readonly #mtime: number;
  readonly #built = new Map<number, BuiltStage>();

  constructor(
    parts: BuildParts,
    file: Dockerfile,
    context: FileTree,
    plan: BuildPlan,
    options: BuildOptions,
    pins: Pins,
    mtime: number,
  ) {
    this.#parts = parts;
    this.#file = file;
    this.#context = context;
    this.#plan = plan;
    this.#options = options;
    this.#pins = pins;
    this.#mtime = mtime;
  }

  async build(): Promise<BuiltStage> {
    for (const planned of this.#plan.needed) this.#built.set(planned.stage.index, await this.#stage(planned));
    return this.#built.get(this.#plan.target.stage.index) as BuiltStage;
  }

  async #stage(planned: PlannedStage): Promise<BuiltStage> {
    const below = this.#below(planned);
    const name = nameOf(planned);
    const tree = new StageTree(`stage "${name}"`, below?.tree);
    const draft = new ImageDraft(new Date(this.#mtime * 1000).toISOString(), below?.draft);
    const variables =
      below?.variables.child() ??
      new StageVariables(this.#plan.globals, this.#options.buildArgs ?? {}, { values: draft.env.map(pairOf) });
    const layers: Descriptor[] = [...(below?.layers ?? [])];
    const triggers = below?.draft.process.OnBuild ?? [];
    if (triggers.length > 0) {
      throw this.#unsupported(planned.stage.from.base, 'building on a stage with ONBUILD triggers');
    }
    for (const written of planned.stage.instructions) {
      this.#options.signal?.throwIfAborted();
      this.#options.onStep?.(name, written.text);
      await this.#placed(written, async () => {
        if (written.kind === 'arg') {
          variables.declare(written, this.#file);
          draft.remember(written.text, false);
          return;
        }
        const { instruction } = expandInstruction(written, variables, this.#file);
        await this.#apply(instruction, planned, tree, draft, variables);
        const changes = tree.takeChanges();
        const { signal } = this.#options;
        const layer = { mtime: this.#mtime, ...(signal === undefined ? {} : { signal }) };
        if (changes.length > 0) layers.push(await writeLayer(this.#parts, this.#pins, changes, layer));
        if (written.kind !== 'onbuild') draft.remember(written.text, changes.length > 0);
      });
    }
    return { tree, draft, variables, layers };
  }

  #below({ base, stage }: PlannedStage): BuiltStage | undefined {
    if (base.kind === 'scratch') return undefined;
    if (base.kind === 'stage') return this.#built.get(base.index);
    throw this.#unsupported(stage.from.base, `building on ${base.kind === 'image' ? 'an image' : 'a named context'}`);
  }

  async #apply(
    instruction: StageInstruction,
    planned: PlannedStage,
    tree: StageTree,
    draft: ImageDraft,
    variables: StageVariables,
  ): Promise<void> {
    if (instruction.kind === 'run') throw this.#unsupported(instruction.name, 'RUN');
    if (instruction.kind === 'copy' || instruction.kind === 'add') {
      await this.#copy(instruction, planned, tree, draft);
      return;
    }
    draft.apply(instruction, this.#file.source);
    if (instruction.kind === 'env') {
      for (const { key, value } of instruction.pairs) variables.setEnv(key.text, value.text);
    }
    if (instruction.kind !== 'workdir') return;
    const owner = await parseOwner(draft.process.User ?? '', tree);
    tree.makeDirectories(await resolvePath(tree, draft.workingDir), { mode: 0o755, ...owner });
  }

  async #copy(
    instruction: CopyInstruction | AddInstruction,
    planned: PlannedStage,
    tree: StageTree,
    draft: ImageDraft,
  ): Promise<void> {
    const from = this.#origin(instruction, planned);
    const { chown, chmod, exclude, heredocs } = instruction;
    const options: CopyOptions = {
      exclude: exclude.map(({ text }) => text),
      ...(chown === undefined || chown.text === '' ? {} : { owner: await parseOwner(chown.text, tree) }),
      ...(chmod === undefined || chmod.text === '' ? {} : { mode: parseMode(chmod.text) }),
      ...(instruction.kind === 'copy' && instruction.parents ? { parents: true } : {}),
    };
    const copier = new Copier(tree, destinationOf(instruction.destination.text, draft.workingDir), options);
    for (const source of instruction.sources) {
      if (instruction.kind === 'add') await this.#checkAdd(source, instruction);
      await this.#placed({ name: source }, () => copier.copy(from, source.text));
    }
    for (const { name, content } of heredocs) {
      const bytes = new TextEncoder().encode(content);
      const read = async function* () {
        yield bytes;
      };
      await copier.putFile(name, { kind: 'file', mode: 0o644, uid: 0, gid: 0, size: bytes.length, read });
    }
  }

  async #checkAdd(source: Word, { checksum, unpack }: AddInstruction): Promise<void> {
    if (/^(?:https?|git|ssh):\/\/|^git@/.test(source.text)) throw this.#unsupported(source, 'ADD of an address');
    if (checksum !== undefined) {
      throw refuse(this.#file.source, checksum.span, 'checksum requires HTTP(S) or Git sources');
    }
    if (unpack === false) return;
    for (const path of await expandSource(this.#context, source.text)) {
      const entry = await this.#context.lstat(await resolvePath(this.#context, path));
      if (entry?.read !== undefined && isArchive(await headOf(entry.read()))) {
        throw this.#unsupported(source, 'unpacking an archive by ADD');
      }
    }
  }

  #origin(instruction: CopyInstruction | AddInstruction, { origins, stage }: PlannedStage): FileTree {
    if (instruction.kind === 'add' || instruction.from === undefined) return this.#context;
    const written = stage.instructions.find(({ span }) => span.start === instruction.span.start);
    const [origin] = (written && origins.get(written)) ?? [];
    if (origin?.kind === 'stage') return (this.#built.get(origin.index) as BuiltStage).tree;
    throw this.#unsupported(instruction.from, 'copying from an image');
  }

  #unsupported({ span }: Word, what: string): WctrError {
    return refuse(this.#file.source, span, `${what} is not supported yet`, {
      code: 'unsupported',
      hint: 'so far a build takes FROM scratch or a stage, COPY, and what changes the config alone',
    });
  }

  /** Errors of an instruction get its place, those that have one keep it. */
  async #placed({ name }: { readonly name: Word }, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (error instanceof BadPatternError) throw refuse(this.#file.source, name.span, error.message, { cause: error });
      if (!isWctrError(error) || 'frame' in error.data || !PLACED.has(error.code)) throw error;
      const { code, hint } = error;
      throw refuse(this.#file.source, name.span, error.message, {
        code,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}

/** Codes of mistakes in an instruction, not in the store or the host. */
const PLACED = new Set<ErrorCode>(['invalid-argument', 'not-found', 'conflict']);

async function finish(
  { images, createHasher }: BuildParts,
  pins: Pins,
  { draft, layers }: BuiltStage,
  { platform, labels = {}, references = [] }: BuildOptions,
  mtime: number,
): Promise<ImageRecord> {
  draft.addLabels(labels);
  const document: ImageConfigDocument = {
    created: new Date(mtime * 1000).toISOString(),
    ...(draft.author === undefined ? {} : { author: draft.author }),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: draft.process,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: draft.history,
  };
  const put = async (mediaType: string, value: unknown): Promise<Descriptor> => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    await pins.pin([digestOf(createHasher, bytes)]);
    return images.content.put(mediaType, bytes);
  };
  const config = await put(MEDIA_TYPE.ociConfig, document);
  const named: ManifestDocument = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
  const manifest = await put(MEDIA_TYPE.ociManifest, named);
  let record: ImageRecord | undefined;
  for (const reference of references) record = await images.put({ target: manifest, manifest, reference });
  return record ?? (await images.put({ target: manifest, manifest }));
}

function pairOf(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}

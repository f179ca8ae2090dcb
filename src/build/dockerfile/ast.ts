/**
 * What a Dockerfile says, with the place of every part. Texts still hold their quotes, escapes and variables; `expand`
 * (expand.ts) gives an instruction without them.
 */
import type { Directive, EscapeChar } from './directives.ts';
import type { Heredoc } from './heredoc.ts';
import type { Mount } from './mounts.ts';
import type { SourceText, Span, Word } from './source.ts';

export interface Dockerfile {
  readonly source: SourceText;
  readonly escape: EscapeChar;
  readonly directives: readonly Directive[];
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}

export interface Stage {
  /** From 0. */
  readonly index: number;
  /** Lower case; undefined where the stage has none. */
  readonly name: string | undefined;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

export interface InstructionBase<Kind extends string> {
  readonly kind: Kind;
  /** As written: `RUN`, `run`. */
  readonly name: Word;
  /** From the name to the end, bodies of here-documents included. */
  readonly span: Span;
  readonly firstLine: number;
  readonly lastLine: number;
  /** The line with its continuations joined, as history and progress show it. */
  readonly text: string;
  /** Comments directly above. */
  readonly comments: readonly string[];
  readonly hasEmptyContinuation: boolean;
}

export interface FromInstruction extends InstructionBase<'from'> {
  readonly base: Word;
  readonly platform: Word | undefined;
  /** `AS` as written. */
  readonly as: Word | undefined;
  readonly stageName: Word | undefined;
}

export interface ArgDefinition {
  readonly key: Word;
  readonly value: Word | undefined;
}

export interface ArgInstruction extends InstructionBase<'arg'> {
  readonly args: readonly ArgDefinition[];
}

export interface KeyValue {
  readonly key: Word;
  readonly value: Word;
  /** `ENV key value` instead of `ENV key=value`. */
  readonly isLegacy: boolean;
}

export interface KeyValueInstruction extends InstructionBase<'env' | 'label'> {
  readonly pairs: readonly KeyValue[];
}

/** `["a", "b"]` is `exec`, anything else a line for the shell; the line is empty where nothing was given. */
export type CommandForm =
  | { readonly form: 'exec'; readonly args: readonly Word[] }
  | { readonly form: 'shell'; readonly line: Word };

export interface CommandInstruction extends InstructionBase<'cmd' | 'entrypoint'> {
  readonly command: CommandForm;
}

export type NetworkMode = 'default' | 'none' | 'host';

export interface MountFlag {
  /** The flag's value as written. */
  readonly written: Word;
  /** Undefined while variables are in it. */
  readonly mount: Mount | undefined;
}

export interface RunInstruction extends InstructionBase<'run'> {
  readonly command: CommandForm;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly MountFlag[];
  readonly network: NetworkMode;
  readonly security: 'sandbox' | 'insecure';
}

export interface HeredocSource {
  /** The file's name. */
  readonly name: string;
  readonly content: string;
  readonly expands: boolean;
  readonly span: Span;
}

interface CopyBase<Kind extends string> extends InstructionBase<Kind> {
  readonly sources: readonly Word[];
  /** Files written in the Dockerfile itself. */
  readonly heredocs: readonly HeredocSource[];
  readonly destination: Word;
  readonly chown: Word | undefined;
  readonly chmod: Word | undefined;
  readonly link: boolean;
  readonly exclude: readonly Word[];
}

export interface CopyInstruction extends CopyBase<'copy'> {
  readonly from: Word | undefined;
  readonly parents: boolean;
}

export interface AddInstruction extends CopyBase<'add'> {
  readonly checksum: Word | undefined;
  readonly unpack: boolean | undefined;
  readonly keepGitDir: boolean | undefined;
}

/** Durations in nanoseconds, 0 where none is given. */
export interface HealthTimes {
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface HealthcheckInstruction extends InstructionBase<'healthcheck'> {
  /** Undefined for `HEALTHCHECK NONE`. */
  readonly command: CommandForm | undefined;
  readonly times: HealthTimes;
}

export interface WordInstruction extends InstructionBase<'user' | 'workdir' | 'stopsignal' | 'maintainer'> {
  readonly value: Word;
}

export interface WordsInstruction extends InstructionBase<'expose' | 'volume' | 'shell'> {
  readonly values: readonly Word[];
}

export interface OnbuildInstruction extends InstructionBase<'onbuild'> {
  readonly trigger: TriggerInstruction;
  /** The trigger as the image's config keeps it. */
  readonly expression: string;
}

export type StageInstruction =
  | AddInstruction
  | ArgInstruction
  | CommandInstruction
  | CopyInstruction
  | HealthcheckInstruction
  | KeyValueInstruction
  | OnbuildInstruction
  | RunInstruction
  | WordInstruction
  | WordsInstruction;

export type TriggerInstruction = Exclude<StageInstruction, OnbuildInstruction>;
export type Instruction = StageInstruction | FromInstruction;

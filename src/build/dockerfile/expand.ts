/** Which parts of an instruction have their variables substituted, and how: the table of BuildKit's `Expand` methods. */
import type { CopyInstruction, Dockerfile, KeyValue, MountFlag, RunInstruction, StageInstruction } from './ast.ts';
import { refuse } from './errors.ts';
import { parseMount } from './mounts.ts';
import { expand, LexerError, type LexerOptions, type Variables } from './shell-lexer.ts';
import type { SourceText, Span, Word } from './source.ts';

export interface ExpandedInstruction<T extends StageInstruction> {
  /** Quotes and escapes are gone from everything that is expanded. */
  readonly instruction: T;
  /** Names that were asked for and are not set, once for each word they are in; they became empty. */
  readonly unset: readonly string[];
}

/**
 * CMD, ENTRYPOINT, SHELL, HEALTHCHECK, ONBUILD and MAINTAINER stay as they are; of RUN only the mounts are expanded,
 * the shell does the rest. ARG is for `StageVariables`. Throws `invalid-dockerfile`.
 */
export function expandInstruction<T extends StageInstruction>(
  instruction: T,
  variables: Variables,
  file: Pick<Dockerfile, 'source' | 'escape'>,
): ExpandedInstruction<T> {
  const expander = new WordExpander(variables, file);
  return { instruction: expanded(instruction, expander) as T, unset: expander.unset };
}

export class WordExpander {
  readonly unset: string[] = [];
  readonly used = new Set<string>();
  readonly #variables: Variables;
  readonly #source: SourceText;
  readonly #options: LexerOptions;

  constructor(variables: Variables, file: Pick<Dockerfile, 'source' | 'escape'>) {
    this.#variables = variables;
    this.#source = file.source;
    this.#options = { escape: file.escape };
  }

  get source(): SourceText {
    return this.#source;
  }

  /** One word into one word. */
  word(word: Word): Word {
    return { text: this.#run(word, this.#options).text, span: word.span };
  }

  optional(word: Word | undefined): Word | undefined {
    return word && this.word(word);
  }

  words(words: readonly Word[]): Word[] {
    return words.map((word) => this.word(word));
  }

  /** One word into as many as its value has. */
  split(word: Word): Word[] {
    return this.#run(word, this.#options).words.map((text) => ({ text, span: word.span }));
  }

  /** The body of a here-document: quotes mean nothing in it, and its escape character is always the backslash. */
  body(text: string, span: Span): string {
    return this.#run({ text, span }, { escape: '\\', ignoresQuotes: true }).text;
  }

  #run(word: Word, options: LexerOptions) {
    try {
      const result = expand(word.text, this.#variables, options);
      this.unset.push(...result.unset);
      for (const name of result.used) this.used.add(name);
      return result;
    } catch (error) {
      if (!(error instanceof LexerError)) throw error;
      const { message, index, hint, isLimit } = error;
      throw refuse(this.#source, placeIn(word, index, this.#source), `failed to process "${word.text}": ${message}`, {
        ...(hint === undefined ? {} : { hint }),
        ...(isLimit ? { code: 'limit-exceeded' as const } : {}),
      });
    }
  }
}

/** From `index` to the word's end where the source has the word as it is; the whole word otherwise. */
function placeIn({ text, span }: Word, index: number, source: SourceText): Span {
  const isExact = source.text.slice(span.start, span.end) === text;
  return isExact ? { start: Math.min(span.start + index, span.end), end: span.end } : span;
}

function expanded(instruction: StageInstruction, expander: WordExpander): StageInstruction {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return {
        ...instruction,
        pairs: instruction.pairs.map(
          ({ key, value, isLegacy }): KeyValue => ({ key: expander.word(key), value: expander.word(value), isLegacy }),
        ),
      };
    case 'copy':
      return { ...instruction, ...copyParts(instruction, expander) };
    case 'add':
      return {
        ...instruction,
        ...copyParts(instruction, expander),
        checksum: expander.optional(instruction.checksum),
      };
    case 'run':
      return { ...instruction, mounts: mountsOf(instruction, expander) };
    case 'user':
    case 'workdir':
    case 'stopsignal':
      return { ...instruction, value: expander.word(instruction.value) };
    case 'volume':
      return { ...instruction, values: expander.words(instruction.values) };
    case 'expose':
      return { ...instruction, values: instruction.values.flatMap((word) => expander.split(word)) };
    default:
      return instruction;
  }
}

type CopyParts = Pick<CopyInstruction, 'sources' | 'destination' | 'chown' | 'chmod' | 'heredocs'>;

function copyParts(instruction: CopyParts, expander: WordExpander): CopyParts {
  return {
    chown: expander.optional(instruction.chown),
    chmod: expander.optional(instruction.chmod),
    sources: expander.words(instruction.sources),
    destination: expander.word(instruction.destination),
    heredocs: instruction.heredocs.map((file) =>
      file.expands ? { ...file, content: expander.body(file.content, file.span) } : file,
    ),
  };
}

function mountsOf(instruction: RunInstruction, expander: WordExpander): MountFlag[] {
  return instruction.mounts.map(({ written }) => {
    const substituted = (text: string) => expander.word({ text, span: written.span }).text;
    return { written, mount: parseMount(written, substituted, expander.source) };
  });
}

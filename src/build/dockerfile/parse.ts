/**
 * Dockerfiles, as BuildKit reads them: https://docs.docker.com/reference/dockerfile/. The whole file is read at once,
 * and the first thing that is wrong is refused with its place.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import { jsonWords, type SplitLine, splitLine } from './arguments.ts';
import type {
  ArgInstruction,
  Dockerfile,
  FromInstruction,
  Instruction,
  OnbuildInstruction,
  Stage,
  StageInstruction,
  TriggerInstruction,
} from './ast.ts';
import type { Directive, EscapeChar } from './directives.ts';
import { refuse } from './errors.ts';
import { readHeredocs } from './heredoc.ts';
import { parseAdd, parseCopy } from './instructions/copy.ts';
import { parseFrom } from './instructions/from.ts';
import { parseHealthcheck } from './instructions/healthcheck.ts';
import { parseArg, parseKeyValues } from './instructions/key-values.ts';
import { parseRun } from './instructions/run.ts';
import { baseOf, flagsOf, isEmpty, needs, refuseAt, type Statement } from './instructions/statement.ts';
import { parseCommand, parseExpose, parseShell, parseVolume, parseWord } from './instructions/words.ts';
import { LineReader, type LogicalLine } from './logical-lines.ts';
import { SourceText } from './source.ts';

/** A Dockerfile of more is refused: nobody writes it, and positions are kept for every word. */
export const MAX_DOCKERFILE_BYTES = 4 << 20;

export interface ParseOptions {
  /** The file's name in messages. Default `Dockerfile`. */
  readonly name?: string;
}

const PARSERS: Readonly<Record<string, (statement: Statement) => Instruction>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: (statement) => parseCommand('cmd', statement),
  COPY: parseCopy,
  ENTRYPOINT: (statement) => parseCommand('entrypoint', statement),
  ENV: (statement) => parseKeyValues('env', statement),
  EXPOSE: parseExpose,
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: (statement) => parseKeyValues('label', statement),
  MAINTAINER: (statement) => parseWord('maintainer', statement),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (statement) => parseWord('stopsignal', statement),
  USER: (statement) => parseWord('user', statement),
  VOLUME: parseVolume,
  WORKDIR: (statement) => parseWord('workdir', statement),
};

const WITH_HEREDOCS = new Set(['ADD', 'COPY', 'RUN']);

/** As much of a file as can be read: for checks, which say what they found before the first mistake. */
export interface ReadDockerfile {
  readonly source: SourceText;
  readonly escape: EscapeChar;
  readonly directives: readonly Directive[];
  readonly instructions: readonly Instruction[];
  readonly error: WctrError | undefined;
}

/** Throws `invalid-dockerfile`, and `limit-exceeded` for a file or a line that is too long. */
export function parseDockerfile(input: string | Uint8Array, options: ParseOptions = {}): Dockerfile {
  return asDockerfile(readDockerfile(input, options));
}

/** Throws where not even the text can be read. */
export function readDockerfile(input: string | Uint8Array, options: ParseOptions = {}): ReadDockerfile {
  const { source, isLossy } = sourceOf(input, options.name ?? 'Dockerfile');
  const reader = new LineReader(source, isLossy);
  const instructions: Instruction[] = [];
  let error: WctrError | undefined;
  try {
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      instructions.push(parseInstruction(line, reader, source));
    }
  } catch (thrown) {
    if (!isWctrError(thrown)) throw thrown;
    error = thrown;
  }
  return { source, escape: reader.escape, directives: reader.directives.found, instructions, error };
}

/** Instructions into stages. Throws what `parseDockerfile` throws. */
export function asDockerfile({
  source,
  escape: escapeChar,
  directives,
  instructions,
  error,
}: ReadDockerfile): Dockerfile {
  if (error !== undefined) throw error;
  const globalArgs: ArgInstruction[] = [];
  const stages: { from: FromInstruction; instructions: StageInstruction[] }[] = [];
  for (const instruction of instructions) {
    const stage = stages[stages.length - 1];
    if (instruction.kind === 'from') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else {
      throw refuse(source, instruction.name.span, 'no build stage in current context', {
        hint: 'begin with FROM; only ARG may stand before it',
      });
    }
  }
  if (stages.length === 0) {
    const what = globalArgs.length === 0 ? 'file with no instructions' : 'dockerfile contains no stages to build';
    throw refuse(source, { start: 0, end: 0 }, what, { hint: 'begin with FROM' });
  }
  return {
    source,
    escape: escapeChar,
    directives,
    globalArgs,
    stages: stages.map((stage, index): Stage => ({ index, name: stage.from.stageName?.text.toLowerCase(), ...stage })),
  };
}

/** An ONBUILD trigger of a base image: one instruction. */
export function parseTrigger(expression: string, image: string): { source: SourceText; trigger: TriggerInstruction } {
  const { source, isLossy } = sourceOf(expression, `ONBUILD of ${image}`);
  const reader = new LineReader(source, isLossy);
  const line = reader.next();
  const trigger = line && parseInstruction(line, reader, source);
  if (trigger === undefined || reader.next() !== undefined) {
    throw refuse(source, { start: 0, end: 0 }, 'onbuild trigger should be a single expression');
  }
  return { source, trigger: checkTrigger(trigger, source) };
}

function parseInstruction(line: LogicalLine, reader: LineReader, source: SourceText): Instruction {
  const escapeChar = reader.escape;
  const split = splitLine({ line, start: 0, end: line.text.length }, escapeChar);
  const heredocs = takesHeredocs(split, escapeChar) ? readHeredocs(line, reader, source) : [];
  const end = Math.max(line.span.end, reader.lastEnd);
  const lastLine = Math.max(line.lastLine, reader.lineNumber);
  return dispatch({ source, escapeChar, line, heredocs, end, lastLine, ...split });
}

function dispatch(statement: Statement): Instruction {
  const { text, span } = statement.name;
  const upper = text.toUpperCase();
  const parse = Object.hasOwn(PARSERS, upper) ? PARSERS[upper] : undefined;
  if (parse !== undefined) return parse(statement);
  throw refuse(statement.source, span, `unknown instruction: ${text}`, {
    nearest: { name: text, known: Object.keys(PARSERS) },
  });
}

/** Not the exec form: `<<` means nothing in a JSON array. */
function takesHeredocs(split: SplitLine, escapeChar: Statement['escapeChar']): boolean {
  const isOnbuild = split.name.text.toUpperCase() === 'ONBUILD';
  const { name, rest } = isOnbuild ? splitLine(split.rest, escapeChar) : split;
  return WITH_HEREDOCS.has(name.text.toUpperCase()) && jsonWords(rest).kind !== 'words';
}

function parseOnbuild(statement: Statement): OnbuildInstruction {
  if (isEmpty(statement)) throw needs(statement, 'at least one argument', 'ONBUILD COPY . /app');
  flagsOf(statement);
  const { rest, line, escapeChar, heredocs } = statement;
  const inner: Statement = { ...statement, ...splitLine(rest, escapeChar) };
  const trigger = checkTrigger(dispatchTrigger(inner), statement.source);
  const bodies = heredocs.map(({ raw, name }) => `\n${raw}${name}`).join('');
  return { ...baseOf('onbuild', statement), trigger, expression: `${line.text.slice(rest.start, rest.end)}${bodies}` };
}

function dispatchTrigger(statement: Statement): Instruction {
  if (statement.name.text.toUpperCase() !== 'ONBUILD') return dispatch(statement);
  throw refuseAt(statement, undefined, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", {
    hint: 'write the inner instruction after one ONBUILD',
  });
}

function checkTrigger(trigger: Instruction, source: SourceText): TriggerInstruction {
  if (trigger.kind !== 'from' && trigger.kind !== 'maintainer' && trigger.kind !== 'onbuild') return trigger;
  throw refuse(source, trigger.name.span, `${trigger.kind.toUpperCase()} isn't allowed as an ONBUILD trigger`, {
    hint: 'use any instruction but FROM, MAINTAINER and ONBUILD',
  });
}

function sourceOf(input: string | Uint8Array, name: string): { source: SourceText; isLossy: boolean } {
  const bytes = typeof input === 'string' ? undefined : input;
  const length = bytes?.length ?? (input.length * 3 > MAX_DOCKERFILE_BYTES ? utf8Length(input as string) : 0);
  if (length > MAX_DOCKERFILE_BYTES) {
    throw new WctrError('limit-exceeded', `the Dockerfile has ${length} bytes; ${MAX_DOCKERFILE_BYTES} are allowed`, {
      hint: 'put what makes it long into files, and COPY them',
      data: { file: name, bytes: length, limit: MAX_DOCKERFILE_BYTES },
    });
  }
  if (bytes === undefined) return { source: new SourceText(input as string, name), isLossy: false };
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16) {
    throw new WctrError('invalid-dockerfile', 'the Dockerfile is UTF-16, and has to be UTF-8', {
      hint: 'save it as UTF-8; PowerShell writes UTF-16 with >',
      data: { file: name },
    });
  }
  // The byte order mark is kept, so that offsets are those of the file
  try {
    return { source: new SourceText(decode(bytes, true), name), isLossy: false };
  } catch {
    return { source: new SourceText(decode(bytes, false), name), isLossy: true };
  }
}

function decode(bytes: Uint8Array, fatal: boolean): string {
  return new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(bytes);
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What every instruction is made from, and the checks they share. */
import { jsonWords, type RawFlag, type Stretch, wordOf } from '../arguments.ts';
import type { CommandForm, InstructionBase } from '../ast.ts';
import type { EscapeChar } from '../directives.ts';
import { type RefusalOptions, refuse } from '../errors.ts';
import { type FlagKind, type Flags, parseFlags } from '../flags.ts';
import type { Heredoc } from '../heredoc.ts';
import type { LogicalLine } from '../logical-lines.ts';
import type { SourceText, Span, Word } from '../source.ts';
import { trimSpace } from '../space.ts';

/** An instruction cut into its parts, before its own rules. */
export interface Statement {
  readonly source: SourceText;
  readonly escapeChar: EscapeChar;
  readonly line: LogicalLine;
  readonly name: Word;
  readonly flags: readonly RawFlag[];
  readonly rest: Stretch;
  readonly heredocs: readonly Heredoc[];
  /** Where the line or its last here-document ends. */
  readonly end: number;
  readonly lastLine: number;
}

export function baseOf<Kind extends string>(
  kind: Kind,
  { line, name, end, lastLine, rest }: Statement,
): InstructionBase<Kind> {
  return {
    kind,
    name,
    span: { start: name.span.start, end },
    firstLine: line.firstLine,
    lastLine,
    text: trimSpace(line.text.slice(line.text.indexOf(name.text), rest.end)),
    comments: line.comments,
    hasEmptyContinuation: line.hasEmptyContinuation,
  };
}

export function flagsOf({ flags, source }: Statement, known: Readonly<Record<string, FlagKind>> = {}): Flags {
  return parseFlags(flags, known, source);
}

/** Refuses at a place in the statement; at its name where none is given. */
export function refuseAt(statement: Statement, span: Span | undefined, what: string, options: RefusalOptions = {}) {
  return refuse(statement.source, span ?? statement.name.span, what, options);
}

export function isEmpty({ rest }: Statement): boolean {
  return rest.start >= rest.end;
}

/** `requires at least one argument` and the like, with how it is written. */
export function needs(statement: Statement, what: string, usage: string) {
  return refuseAt(statement, undefined, `${statement.name.text.toUpperCase()} requires ${what}`, {
    hint: `write ${usage}`,
  });
}

/** A JSON array's strings; undefined when the text is something else. Refuses an array with anything but strings. */
export function jsonArray(statement: Statement, stretch: Stretch = statement.rest): readonly Word[] | undefined {
  const found = jsonWords(stretch);
  if (found.kind === 'words') return found.words;
  if (found.kind === 'other') return undefined;
  const span = stretch.line.spanOf(stretch.start, stretch.end);
  throw refuseAt(statement, span, 'when using JSON array syntax, arrays must be comprised of strings only', {
    hint: 'put every element in double quotes',
  });
}

export function commandForm(statement: Statement, stretch: Stretch = statement.rest): CommandForm {
  const args = jsonArray(statement, stretch);
  return args === undefined ? { form: 'shell', line: wordOf(stretch) } : { form: 'exec', args };
}

/** The whole rest as one text: USER, WORKDIR, MAINTAINER, STOPSIGNAL. */
export function wholeRest(statement: Statement, usage: string): Word {
  if (isEmpty(statement)) throw needs(statement, 'exactly one argument', usage);
  return wordOf(statement.rest);
}

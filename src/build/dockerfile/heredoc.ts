/** Here-documents of RUN, COPY and ADD: `<<NAME`, `<<-NAME`, `<<'NAME'`, several in one instruction. */
import { refuse } from './errors.ts';
import type { LineReader, LogicalLine } from './logical-lines.ts';
import { expand, LexerError } from './shell-lexer.ts';
import type { SourceText, Span } from './source.ts';

export interface HeredocMark {
  readonly name: string;
  /** The name had no quotes: variables in the body are substituted. */
  readonly expands: boolean;
  /** `<<-`: leading tabs are taken off. */
  readonly stripsTabs: boolean;
  /** `3<<NAME`; 0 where none is given. */
  readonly descriptor: number;
}

export interface Heredoc extends HeredocMark {
  /** The body as written, with its tabs. */
  readonly raw: string;
  /** The body, without the tabs `<<-` takes off. */
  readonly content: string;
  /** Of the body, terminator not included. */
  readonly span: Span;
}

const MARK = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/;
const NOTHING_SET = { get: () => undefined };

/** Reads `<<NAME`; undefined when the word is none. */
export function heredocMark(word: string): HeredocMark | undefined {
  const match = MARK.exec(word);
  const rest = match?.[3];
  if (match === null || rest === undefined || rest === '') return undefined;
  const bare = words(rest, false);
  const [name] = bare;
  const [quoted] = words(rest, true);
  if (bare.length !== 1 || name === undefined || quoted === undefined) return undefined;
  return {
    name,
    expands: countQuotes(name) === countQuotes(quoted),
    stripsTabs: match[2] === '-',
    descriptor: Number.parseInt(match[1] || '0', 10),
  };
}

/** Throws LexerError where quotes are not closed. */
function words(text: string, keepsQuotes: boolean): readonly string[] {
  return expand(text, NOTHING_SET, { keepsQuotes, keepsUnset: true }).words;
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}

/** The marks of an instruction's whole line. A line whose quotes do not match has none. */
function marksOf(line: string): HeredocMark[] {
  let found: readonly string[];
  try {
    found = expand(line, NOTHING_SET, { keepsQuotes: true, keepsEscapes: true, keepsUnset: true }).words;
  } catch (error) {
    if (error instanceof LexerError) return [];
    throw error;
  }
  return found.map(heredocMark).filter((mark) => mark !== undefined);
}

/** Reads the bodies that follow a line. */
export function readHeredocs(line: LogicalLine, reader: LineReader, source: SourceText): Heredoc[] {
  if (!line.text.includes('<<')) return [];
  return marksOf(line.text).map((mark) => {
    const parts: string[] = [];
    let span: Span | undefined;
    for (;;) {
      const next = reader.body();
      if (next === undefined) {
        throw refuse(source, line.span, 'unterminated heredoc', {
          hint: `end it with a line that holds ${JSON.stringify(mark.name)} alone`,
        });
      }
      span ??= { start: next.offset, end: next.offset };
      const candidate = mark.stripsTabs ? next.text.replace(/^\t+/, '') : next.text;
      if (candidate === mark.name) break;
      parts.push(next.raw);
      span = { start: span.start, end: next.offset + next.raw.length };
    }
    const raw = parts.join('');
    return { ...mark, raw, content: mark.stripsTabs ? withoutTabs(raw) : raw, span };
  });
}

function withoutTabs(text: string): string {
  return text.replace(/(^|\n)\t+/g, '$1');
}

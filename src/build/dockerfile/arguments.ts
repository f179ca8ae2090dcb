/** An instruction's line into its name, its flags and the rest, and the ways the rest is cut into words. */
import type { EscapeChar } from './directives.ts';
import type { LogicalLine } from './logical-lines.ts';
import type { Span, Word } from './source.ts';
import { isSeparatorCode, isSpace, isSpaceCode, skipSpace, trimmedEnd } from './space.ts';

/** A part of a logical line; indices of its text. */
export interface Stretch {
  readonly line: LogicalLine;
  readonly start: number;
  readonly end: number;
}

export interface RawFlag {
  /** With its dashes, quotes and escapes gone: `--chown=a:b`. */
  readonly text: string;
  readonly span: Span;
}

export interface SplitLine {
  readonly name: Word;
  readonly flags: readonly RawFlag[];
  /** What follows the flags, without the space around it. */
  readonly rest: Stretch;
}

export function textOf({ line, start, end }: Stretch): string {
  return line.text.slice(start, end);
}

export function wordOf(stretch: Stretch): Word {
  return { text: textOf(stretch), span: stretch.line.spanOf(stretch.start, stretch.end) };
}

export function splitLine(stretch: Stretch, escapeChar: EscapeChar): SplitLine {
  const { line } = stretch;
  const { text } = line;
  const start = Math.min(skipSpace(text, stretch.start), stretch.end);
  const end = Math.max(start, trimmedEnd(text.slice(0, stretch.end), start));
  let at = start;
  while (at < end && !isSeparatorCode(text.charCodeAt(at))) at += 1;
  const name = wordOf({ line, start, end: at });
  while (at < end && isSeparatorCode(text.charCodeAt(at))) at += 1;
  const { flags, next } = leadingFlags({ line, start: at, end }, escapeChar);
  const rest = Math.min(skipSpace(text, next), end);
  return { name, flags, rest: { line, start: rest, end } };
}

/** Words that begin with `--`, up to the first that does not; a lone `--` ends them too. */
function leadingFlags({ line, start, end }: Stretch, escapeChar: EscapeChar): { flags: RawFlag[]; next: number } {
  const { text } = line;
  const flags: RawFlag[] = [];
  let at = start;
  for (;;) {
    at = Math.min(skipSpace(text, at), end);
    if (at >= end || text[at] !== '-' || text[at + 1] !== '-' || at + 1 >= end) return { flags, next: at };
    const from = at;
    let value = '';
    let quote = '';
    for (; at < end; at += 1) {
      const char = text[at] as string;
      if (quote === '' && isSpace(char)) break;
      if (char === quote) quote = '';
      else if (quote === '' && (char === "'" || char === '"')) quote = char;
      else if (char === escapeChar) {
        if (at + 1 < end) value += text[at + 1];
        at += 1;
      } else value += char;
    }
    at = Math.min(at, end);
    if (value === '--') return { flags, next: at };
    flags.push({ text: value, span: line.spanOf(from, at) });
  }
}

/** Words between white space, no quotes: FROM, EXPOSE, and the paths of COPY, ADD and VOLUME. */
export function plainWords({ line, start, end }: Stretch): Word[] {
  const words: Word[] = [];
  let at = start;
  while (at < end) {
    const from = at;
    while (at < end && !isSeparatorCode(line.text.charCodeAt(at))) at += 1;
    words.push(wordOf({ line, start: from, end: at }));
    while (at < end && isSeparatorCode(line.text.charCodeAt(at))) at += 1;
  }
  return words;
}

/** Words of ENV, LABEL and ARG: quotes and escapes keep white space inside a word, and stay in it. */
export function quotedWords({ line, start, end }: Stretch, escapeChar: EscapeChar): Stretch[] {
  const { text } = line;
  const words: Stretch[] = [];
  let at = start;
  for (;;) {
    while (at < end && isSpaceCode(text.charCodeAt(at))) at += 1;
    if (at >= end) return words;
    const from = at;
    let quote = '';
    let stop = end;
    for (; at < end; at += 1) {
      const char = text[at] as string;
      if (quote === '' && isSpace(char)) break;
      if (char === quote) quote = '';
      else if (char === escapeChar && quote !== "'") {
        // An escape character that ends the line is not part of the word
        if (at + 1 === end) stop = at;
        else if (isHighSurrogate(text.charCodeAt(at + 1))) at += 2;
        else at += 1;
      } else if (quote === '' && (char === "'" || char === '"')) quote = char;
    }
    at = Math.min(at, end);
    const until = Math.min(at, stop);
    if (until > from) words.push({ line, start: from, end: until });
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

export type JsonWords =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  /** An array, but not of strings alone. */
  | { readonly kind: 'mixed' }
  | { readonly kind: 'other' };

/** `["a", "b"]`. Anything that is no JSON array is `other`: a shell's line, or plain words. */
export function jsonWords({ line, start, end }: Stretch): JsonWords {
  const from = skipSpace(line.text, start);
  if (from >= end || line.text[from] !== '[') return { kind: 'other' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(line.text.slice(from, end));
  } catch {
    return { kind: 'other' };
  }
  if (!Array.isArray(parsed)) return { kind: 'other' };
  const words: Word[] = [];
  let at = from;
  for (const value of parsed) {
    if (typeof value !== 'string') return { kind: 'mixed' };
    while (line.text[at] !== '"') at += 1;
    const open = at;
    for (at += 1; line.text[at] !== '"'; at += 1) if (line.text[at] === '\\') at += 1;
    at += 1;
    words.push({ text: wellFormed(value), span: line.spanOf(open, at) });
  }
  return { kind: 'words', words };
}

function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\uFFFD');
}

/** The text of a Dockerfile, and where things are in it. */
/** A stretch of the text: offsets in UTF-16 code units, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** `line` and `column` from 1; a column counts UTF-16 code units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** A piece of the text as it is meant, and where it was written. */
export interface Word {
  /** Without continuations; whether quotes are still in it, each place says. */
  readonly text: string;
  readonly span: Span;
}

const CONTEXT_LINES = 2;
const FRAME_WIDTH = 100;
const TAB = 4;

export class SourceText {
  /** As shown in messages: `Dockerfile`. */
  readonly name: string;
  readonly text: string;
  readonly #lineStarts: readonly number[];

  constructor(text: string, name = 'Dockerfile') {
    this.text = text;
    this.name = name;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  get lineCount(): number {
    return this.#lineStarts.length;
  }

  position(offset: number): Position {
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1, offset };
  }

  /** Offset of the first character of a line, counted from 1. */
  lineStart(line: number): number {
    return this.#lineStarts[line - 1] ?? this.text.length;
  }

  /** A line without what ends it. */
  line(line: number): string {
    const next = this.#lineStarts[line];
    const end = next === undefined ? this.text.length : next - 1;
    return this.text.slice(this.lineStart(line), end).replace(/\r+$/, '');
  }

  /**
   * The line of a span with its neighbours and carets below it, safe to print on a terminal:
   *
   *      2 | FROM alpine
   *      3 | RUNN ls
   *        | ^^^^
   */
  frame(span: Span): string {
    const { line, column } = this.position(span.start);
    const first = Math.max(1, line - CONTEXT_LINES);
    const gutter = Math.max(4, String(line).length);
    const rows: string[] = [];
    for (let at = first; at <= line; at += 1) {
      const from = at === line ? windowStart(column) : 0;
      rows.push(`${String(at).padStart(gutter)} | ${shown(this.line(at), from)}`.trimEnd());
    }
    const whole = this.line(line);
    const from = windowStart(column);
    const before = shown(whole.slice(0, column - 1), from).length;
    const last = Math.min(whole.length, column - 1 + Math.max(1, span.end - span.start));
    const marked = Math.min(shown(whole.slice(column - 1, last), 0).length, FRAME_WIDTH - before);
    rows.push(`${' '.repeat(gutter)} | ${' '.repeat(before)}${'^'.repeat(Math.max(1, marked))}`);
    return rows.join('\n');
  }
}

/** Where the shown part of a long line begins, so that the caret is inside. */
function windowStart(column: number): number {
  return column <= FRAME_WIDTH - 10 ? 0 : column - (FRAME_WIDTH >> 1);
}

/** One sign for each control character, so that the text cannot steer a terminal and the caret stays below its place. */
function shown(line: string, from: number): string {
  return line
    .slice(from, from + FRAME_WIDTH)
    .replaceAll('\t', ' '.repeat(TAB))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD');
}

/** Physical lines into logical ones: comments out, continuations joined, with the way back to where each character was. */
import { DirectiveReader, type EscapeChar } from './directives.ts';
import { refuse } from './errors.ts';
import type { SourceText, Span } from './source.ts';
import { skipSpace, trimSpace } from './space.ts';

/** What docker's scanner takes, newline not counted. */
export const MAX_LINE_BYTES = 65_535;

export class LogicalLine {
  readonly text: string;
  readonly span: Span;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly hasEmptyContinuation: boolean;
  /** Comments directly above, without their `#`; an empty comment starts anew. */
  readonly comments: readonly string[];
  /** Where each piece begins: in `text`, and in the source. */
  readonly #starts: readonly number[];
  readonly #offsets: readonly number[];

  constructor(pieces: readonly Piece[], about: Omit<LogicalLineFacts, 'span'>) {
    const starts: number[] = [];
    let length = 0;
    for (const { text } of pieces) {
      starts.push(length);
      length += text.length;
    }
    this.text = pieces.map(({ text }) => text).join('');
    this.#starts = starts;
    this.#offsets = pieces.map(({ offset }) => offset);
    this.span = { start: pieces[0]?.offset ?? about.end, end: about.end };
    this.firstLine = about.firstLine;
    this.lastLine = about.lastLine;
    this.hasEmptyContinuation = about.hasEmptyContinuation;
    this.comments = about.comments;
  }

  /** Where the character at `index` of the text is in the source. */
  offsetAt(index: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return Math.min((this.#offsets[low] ?? 0) + index - (starts[low] ?? 0), this.span.end);
  }

  spanOf(start: number, end: number): Span {
    const from = this.offsetAt(start);
    return { start: from, end: end > start ? this.offsetAt(end - 1) + 1 : from };
  }
}

interface Piece {
  readonly text: string;
  readonly offset: number;
}

interface LogicalLineFacts {
  readonly span: Span;
  readonly end: number;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly hasEmptyContinuation: boolean;
  readonly comments: readonly string[];
}

interface PhysicalLine {
  /** With its newline. */
  readonly raw: string;
  /** Without `\n` and any `\r` before it. */
  readonly text: string;
  readonly offset: number;
}

export class LineReader {
  readonly directives: DirectiveReader;
  readonly #source: SourceText;
  /** The bytes were no UTF-8: an instruction with a replacement character in it is refused. */
  readonly #isLossy: boolean;
  #at = 0;
  #end = 0;
  #line = 0;
  #comments: string[] = [];

  constructor(source: SourceText, isLossy: boolean) {
    this.#source = source;
    this.#isLossy = isLossy;
    this.directives = new DirectiveReader(source);
    if (source.text.startsWith('\uFEFF')) this.#at = 1;
  }

  get escape(): EscapeChar {
    const directive = this.directives.found.find(({ name }) => name === 'escape');
    return directive?.value === '`' ? '`' : '\\';
  }

  /** Number of the last line read, from 1. */
  get lineNumber(): number {
    return this.#line;
  }

  /** Offset where the last line read ends, newline not included. */
  get lastEnd(): number {
    return this.#end;
  }

  /** The next line that holds an instruction. */
  next(): LogicalLine | undefined {
    for (;;) {
      const first = this.#physical();
      if (first === undefined) return undefined;
      const indent = skipSpace(first.text);
      const text = first.text.slice(indent);
      const offset = first.offset + indent;
      if (this.directives.accept(text, offset)) continue;
      if (text.startsWith('#')) {
        const comment = trimSpace(text.slice(1));
        if (comment === '') this.#comments = [];
        else this.#comments.push(comment);
        continue;
      }
      const kept = this.#beforeContinuation(text);
      if (kept === undefined && text === '') continue;
      return this.#join({ text: kept ?? text, offset }, kept !== undefined, offset + text.length);
    }
  }

  /** The next line as it is, for the body of a here-document. */
  body(): PhysicalLine | undefined {
    const line = this.#physical();
    if (line !== undefined) this.#checkEncoding(line.text, line.offset);
    return line;
  }

  #join(first: Piece, isContinued: boolean, firstEnd: number): LogicalLine {
    const pieces = [first];
    const firstLine = this.#line;
    let end = firstEnd;
    let hasEmptyContinuation = false;
    for (let more = isContinued; more; ) {
      const line = this.#physical();
      if (line === undefined) break;
      const indent = skipSpace(line.text);
      if (line.text[indent] === '#') continue;
      if (indent === line.text.length) {
        hasEmptyContinuation = true;
        continue;
      }
      const kept = this.#beforeContinuation(line.text);
      more = kept !== undefined;
      pieces.push({ text: kept ?? line.text, offset: line.offset });
      end = line.offset + line.text.length;
    }
    for (const { text, offset } of pieces) this.#checkPiece(text, offset);
    const comments = this.#comments;
    this.#comments = [];
    return new LogicalLine(pieces, { end, firstLine, lastLine: this.#line, hasEmptyContinuation, comments });
  }

  /** The line without the escape character that continues it; undefined when it is not continued. */
  #beforeContinuation(text: string): string | undefined {
    let end = text.length;
    while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1;
    const escapeChar = this.escape;
    if (text[end - 1] !== escapeChar || text[end - 2] === escapeChar) return undefined;
    return text.slice(0, end - 1);
  }

  #physical(): PhysicalLine | undefined {
    const whole = this.#source.text;
    const offset = this.#at;
    if (offset >= whole.length) return undefined;
    const newline = whole.indexOf('\n', offset);
    this.#at = newline < 0 ? whole.length : newline + 1;
    this.#line += 1;
    const raw = whole.slice(offset, this.#at);
    this.#checkLength(newline < 0 ? raw : raw.slice(0, -1), offset);
    let end = raw.length;
    while (end > 0 && (raw[end - 1] === '\n' || raw[end - 1] === '\r')) end -= 1;
    this.#end = offset + end;
    return { raw, text: raw.slice(0, end), offset };
  }

  #checkLength(line: string, offset: number): void {
    if (line.length * 3 <= MAX_LINE_BYTES) return;
    if (line.length <= MAX_LINE_BYTES && new TextEncoder().encode(line).length <= MAX_LINE_BYTES) return;
    const what = `dockerfile line greater than max allowed size of ${MAX_LINE_BYTES}`;
    const span = { start: offset, end: offset + 1 };
    throw refuse(this.#source, span, what, { code: 'limit-exceeded', hint: 'break the line up' });
  }

  #checkPiece(text: string, offset: number): void {
    this.#checkEncoding(text, offset);
    const nul = text.indexOf('\0');
    if (nul < 0) return;
    const span = { start: offset + nul, end: offset + nul + 1 };
    throw refuse(this.#source, span, 'there is a NUL character in this instruction', {
      hint: 'a Dockerfile is plain text in UTF-8',
    });
  }

  #checkEncoding(text: string, offset: number): void {
    const wrong = this.#isLossy ? text.indexOf('\uFFFD') : -1;
    if (wrong < 0) return;
    const span = { start: offset + wrong, end: offset + wrong + 1 };
    throw refuse(this.#source, span, 'this line is not valid UTF-8', { hint: 'save the file as UTF-8' });
  }
}

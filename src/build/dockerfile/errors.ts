/** How a Dockerfile is refused: docker's words on one line, the place as data, and what to do. */
import { type ErrorCode, WctrError } from '../../errors.ts';
import { nearestNames } from '../../images/did-you-mean.ts';
import type { SourceText, Span } from './source.ts';

const MAX_MESSAGE_CHARS = 300;

export interface RefusalOptions {
  readonly hint?: string;
  /** What was written, and what would have been right: makes a hint of the nearest, or of all where none is near. */
  readonly nearest?: { readonly name: string; readonly known: readonly string[] };
  readonly code?: ErrorCode;
  readonly cause?: unknown;
}

/**
 * `data` holds `file`, `line`, `column`, `offset`, `length` and `frame` (the line with a caret, several lines, safe to
 * print).
 */
export function refuse(source: SourceText, span: Span, what: string, options: RefusalOptions = {}): WctrError {
  const { line, column, offset } = source.position(span.start);
  const hint = options.hint ?? didYouMean(options.nearest);
  return new WctrError(
    options.code ?? 'invalid-dockerfile',
    `dockerfile parse error on line ${line}: ${oneLine(what)}`,
    {
      ...(hint === undefined ? {} : { hint }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
      data: { file: source.name, line, column, offset, length: span.end - span.start, frame: source.frame(span) },
    },
  );
}

/** `did you mean RUN?` */
function didYouMean(nearest: RefusalOptions['nearest']): string | undefined {
  if (nearest === undefined) return undefined;
  const known = new Map(nearest.known.map((name) => [name.toLowerCase(), name]));
  const [found] = nearestNames(nearest.name.toLowerCase().slice(0, 64), known.keys(), 1);
  const name = found === undefined ? undefined : known.get(found);
  if (name !== undefined) return `did you mean ${name}?`;
  return nearest.known.length > 0 ? `there is ${nearest.known.join(', ')}` : undefined;
}

/** What was quoted from the file must neither break the line nor steer a terminal. */
function oneLine(text: string): string {
  const inert = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD');
  return inert.length > MAX_MESSAGE_CHARS ? `${inert.slice(0, MAX_MESSAGE_CHARS)}…` : inert;
}

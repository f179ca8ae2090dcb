/** Errors of an instruction get its place in the Dockerfile. */
import { isWctrError, WctrError } from '../../errors.ts';
import type { SourceText, Span } from '../dockerfile/source.ts';
import { BadPatternError } from '../ignore/path-match.ts';

/** `data` of an error: `file`, `line`, `column`, `offset`, `length` and `frame`, as those of the parser have it. */
export function placeOf(source: SourceText, span: Span): Record<string, unknown> {
  const { line, column, offset } = source.position(span.start);
  return { file: source.name, line, column, offset, length: span.end - span.start, frame: source.frame(span) };
}

/** Those that have a place keep it, and what was cancelled has none. */
export async function placed<T>(source: SourceText, span: Span, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof BadPatternError) {
      throw new WctrError('invalid-dockerfile', error.message, { cause: error, data: placeOf(source, span) });
    }
    if (!isWctrError(error) || error.code === 'cancelled' || 'frame' in error.data) throw error;
    const { code, message, hint, data } = error;
    throw new WctrError(code, message, {
      cause: error,
      data: { ...data, ...placeOf(source, span) },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

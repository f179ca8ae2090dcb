/** One pattern of a .dockerignore file, read as docker's patternmatcher reads it. */
import { compileExpression } from './expression.ts';
import { BadPatternError, PathPattern } from './path-match.ts';

const ESCAPED = new Set('.+()|{}$');

export class IgnorePattern {
  /** As written, cleaned, without its `!`. */
  readonly text: string;
  /** `!`: what it matches is taken back in. */
  readonly isException: boolean;
  /** Every path it matches begins with this. */
  readonly prefix: string;
  readonly #matches: (path: string) => boolean;

  /** Throws BadPatternError. */
  constructor(text: string, isException: boolean) {
    this.text = text;
    this.isException = isException;
    this.prefix = /^[^*?[\]\\^]*/.exec(text)?.[0] ?? '';
    new PathPattern(text);
    this.#matches = compile(text);
  }

  /** The path itself; whether one of its parents matches, the matcher looks at. */
  matches(path: string): boolean {
    return this.#matches(path);
  }
}

/**
 * `**` is any number of directories, at the end anything at all; `*` and `?` stay within a part; brackets are those of
 * an expression, and what is in them is translated like everything else.
 */
function compile(text: string): (path: string) => boolean {
  const chars = [...text];
  let expression = '';
  let kind: 'exact' | 'prefix' | 'suffix' | 'expression' = 'exact';
  let at = 0;
  for (let turn = 0; at < chars.length; turn += 1) {
    const char = chars[at] as string;
    at += 1;
    if (char === '*' && chars[at] === '*') {
      at += 1;
      if (chars[at] === '/') at += 1;
      const isEnd = at >= chars.length;
      if (isEnd && kind === 'exact') kind = 'prefix';
      else {
        expression += isEnd ? '.*' : '(.*/)?';
        kind = 'expression';
      }
      if (turn === 0) kind = 'suffix';
    } else if (char === '*') {
      expression += '[^/]*';
      kind = 'expression';
    } else if (char === '?') {
      expression += '[^/]';
      kind = 'expression';
    } else if (ESCAPED.has(char)) expression += `\\${char}`;
    else if (char === '\\') {
      expression += `\\${chars[at] ?? ''}`;
      if (at < chars.length) kind = 'expression';
      at += 1;
    } else {
      expression += char;
      if (char === '[' || char === ']') kind = 'expression';
    }
  }
  if (kind === 'exact') return (path) => path === text;
  if (kind === 'prefix') return startsWith(text.slice(0, -2));
  if (kind === 'suffix') return endsWith(text.slice(2));
  try {
    return compileExpression(expression);
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadPatternError(text);
    throw error;
  }
}

function startsWith(prefix: string): (path: string) => boolean {
  return (path) => path.startsWith(prefix);
}

/** `**\/x` is x itself as well. */
function endsWith(suffix: string): (path: string) => boolean {
  const bare = suffix.startsWith('/') ? suffix.slice(1) : undefined;
  return (path) => path.endsWith(suffix) || path === bare;
}

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
    this.prefix = literalEnds(text).head;
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
  const { head, tail } = literalEnds(text);
  try {
    const matches = compileExpression(expression);
    // Most paths differ from most patterns in what needs no expression to see
    return (path) => path.startsWith(head) && path.endsWith(tail) && matches(path);
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadPatternError(text);
    throw error;
  }
}

/** What every match begins and ends with: the text before the first and behind the last character of meaning. */
function literalEnds(text: string): { head: string; tail: string } {
  const head = /^[^*?[\]\\^]*/.exec(text)?.[0] ?? '';
  const last = lastMeaning(text);
  const behind = text.slice(last + 1);
  // The character behind a backslash may name a class, and the slash behind ** belongs to it
  const isTaken = text[last] === '\\' || (text[last] === '*' && behind.startsWith('/'));
  return { head, tail: isTaken ? [...behind].slice(1).join('') : behind };
}

function lastMeaning(text: string): number {
  return Math.max(...['*', '?', '[', ']', '\\', '^'].map((char) => text.lastIndexOf(char)));
}

function startsWith(prefix: string): (path: string) => boolean {
  return (path) => path.startsWith(prefix);
}

/** `**\/x` is x itself as well. */
function endsWith(suffix: string): (path: string) => boolean {
  const bare = suffix.startsWith('/') ? suffix.slice(1) : undefined;
  return (path) => path.endsWith(suffix) || path === bare;
}

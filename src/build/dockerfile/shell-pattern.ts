/**
 * Patterns of `${x#p}`, `${x%p}` and `${x/p/w}`: `*` any text, `?` any character, neither across a newline; a
 * backslash escapes these, itself, and `}` and `/`. Matched by states instead of backtracking, within a budget.
 */

/** A literal character, or one of the two wildcards. */
type Token = { readonly kind: 'char'; readonly char: string } | { readonly kind: 'one' } | { readonly kind: 'many' };

export type ShellPattern = readonly Token[];

/** What is wrong with a pattern, or that it takes too long. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** Characters times pattern positions after which a match is given up: about a second. */
const MAX_STEPS = 20_000_000;

/** Throws PatternError for an escape that has no meaning. */
export function parseShellPattern(text: string): ShellPattern {
  const tokens: Token[] = [];
  const chars = [...text];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] as string;
    if (char === '*') tokens.push({ kind: 'many' });
    else if (char === '?') tokens.push({ kind: 'one' });
    else if (char !== '\\') tokens.push({ kind: 'char', char });
    else {
      at += 1;
      const escaped = chars[at] ?? '';
      if (!'*?\\}/'.includes(escaped) || escaped === '') throw new PatternError(`invalid escape '\\${escaped}'`);
      tokens.push({ kind: 'char', char: escaped });
    }
  }
  return tokens;
}

export function trimPrefix(pattern: ShellPattern, value: string, isLongest: boolean): string {
  const chars = [...value];
  const end = matchEnd(pattern, chars, 0, isLongest, { steps: MAX_STEPS });
  return end === undefined ? value : chars.slice(end).join('');
}

export function trimSuffix(pattern: ShellPattern, value: string, isLongest: boolean): string {
  const chars = [...value].reverse();
  const end = matchEnd([...pattern].reverse(), chars, 0, isLongest, { steps: MAX_STEPS });
  return end === undefined ? value : chars.slice(end).reverse().join('');
}

/** Leftmost matches, each as long as possible. Stops once the result has `maxChars` characters. */
export function replaceMatches(
  pattern: ShellPattern,
  value: string,
  replacement: string,
  isAll: boolean,
  maxChars: number,
): string {
  const chars = [...value];
  const budget = { steps: MAX_STEPS };
  const out: string[] = [];
  let length = 0;
  const add = (text: string) => {
    out.push(text);
    length += text.length;
  };
  let lastEnd = -1;
  for (let at = 0; at <= chars.length && length < maxChars; ) {
    const end = matchEnd(pattern, chars, at, true, budget);
    // An empty match right behind another does not count
    const counts = end !== undefined && !(end === at && at === lastEnd);
    if (counts) {
      add(replacement);
      lastEnd = end;
      if (!isAll) return out.join('') + chars.slice(end).join('');
    }
    if (counts && end > at) at = end;
    else if (end === undefined && pattern[0]?.kind === 'many') {
      // What a leading * did not find from here it finds from no later place of this line
      const newline = chars.indexOf('\n', at);
      const next = newline < 0 ? chars.length + 1 : newline + 1;
      add(chars.slice(at, next).join(''));
      at = next;
    } else {
      if (at < chars.length) add(chars[at] as string);
      at += 1;
    }
  }
  return out.join('');
}

/** Where a match that begins at `from` ends, the nearest or the farthest such place. */
function matchEnd(
  pattern: ShellPattern,
  chars: readonly string[],
  from: number,
  isLongest: boolean,
  budget: { steps: number },
): number | undefined {
  const last = pattern.length;
  let states = closure(pattern, [0]);
  let found: number | undefined;
  for (let at = from; states.length > 0; at += 1) {
    if (states[states.length - 1] === last) {
      found = at;
      if (!isLongest) return found;
    }
    if (at >= chars.length) return found;
    budget.steps -= states.length;
    if (budget.steps < 0) throw new PatternError('it takes too long to match');
    const char = chars[at] as string;
    const next: number[] = [];
    for (const state of states) {
      const token = pattern[state];
      if (token === undefined) continue;
      if (token.kind === 'many') {
        if (char !== '\n') next.push(state);
      } else if (token.kind === 'one' ? char !== '\n' : char === token.char) next.push(state + 1);
    }
    states = closure(pattern, next);
  }
  return found;
}

/** States in ascending order, with those a `*` reaches by matching nothing. */
function closure(pattern: ShellPattern, states: readonly number[]): number[] {
  const all: number[] = [];
  for (let state of states) {
    for (;;) {
      if (all.length === 0 || (all[all.length - 1] as number) < state) all.push(state);
      if (pattern[state]?.kind !== 'many') break;
      state += 1;
    }
  }
  return all;
}

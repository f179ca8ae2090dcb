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
  const end = new Matcher(pattern, chars).end(0, isLongest);
  return end === undefined ? value : chars.slice(end).join('');
}

export function trimSuffix(pattern: ShellPattern, value: string, isLongest: boolean): string {
  const chars = [...value].reverse();
  const end = new Matcher([...pattern].reverse(), chars).end(0, isLongest);
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
  const matcher = new Matcher(pattern, chars);
  const out: string[] = [];
  let length = 0;
  const add = (text: string) => {
    out.push(text);
    length += text.length;
  };
  let lastEnd = -1;
  for (let at = 0; at <= chars.length && length < maxChars; ) {
    const end = matcher.end(at, true);
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

class Matcher {
  readonly #pattern: ShellPattern;
  readonly #chars: readonly string[];
  /** Which positions of the pattern are reached: here, and behind the next character. All zero between calls. */
  #now: Uint8Array;
  #next: Uint8Array;
  #steps = 0;

  constructor(pattern: ShellPattern, chars: readonly string[]) {
    this.#pattern = pattern;
    this.#chars = chars;
    this.#now = new Uint8Array(pattern.length + 1);
    this.#next = new Uint8Array(pattern.length + 1);
  }

  /** Where a match that begins at `from` ends, the nearest or the farthest such place. */
  end(from: number, isLongest: boolean): number | undefined {
    const pattern = this.#pattern;
    const last = pattern.length;
    let found: number | undefined;
    let low = 0;
    let high = 0;
    this.#now[0] = 1;
    for (let at = from; low <= high; at += 1) {
      const now = this.#now;
      const next = this.#next;
      const char = this.#chars[at];
      let nextLow = last + 1;
      let nextHigh = -1;
      for (let state = low; state <= high; state += 1) {
        if (now[state] === 0) continue;
        const token = pattern[state];
        if (token === undefined) {
          found = at;
          continue;
        }
        const isMany = token.kind === 'many';
        // A * that matches nothing: the position behind it is reached too, and comes next
        if (isMany) {
          now[state + 1] = 1;
          if (high === state) high += 1;
        }
        if (char === undefined || (token.kind === 'char' ? char !== token.char : char === '\n')) continue;
        const reached = isMany ? state : state + 1;
        next[reached] = 1;
        nextLow = Math.min(nextLow, reached);
        nextHigh = Math.max(nextHigh, reached);
      }
      this.#steps += high - low + 1;
      now.fill(0, low, high + 1);
      if ((found !== undefined && !isLongest) || this.#steps > MAX_STEPS) {
        next.fill(0);
        if (found !== undefined && !isLongest) return found;
        throw new PatternError('it takes too long to match');
      }
      [this.#now, this.#next] = [next, now];
      low = nextLow;
      high = nextHigh;
    }
    return found;
  }
}

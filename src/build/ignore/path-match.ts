/**
 * Go's filepath.Match on a system with slashes: `*` and `?` within one part of a path, `[a-z]` and `[^a-z]`, a backslash
 * escapes. COPY and ADD find their sources with it.
 */

/** Thrown for a pattern that cannot be read. */
export class BadPatternError extends Error {
  override readonly name = 'BadPatternError';
  constructor(pattern: string) {
    super(`syntax error in pattern: ${pattern}`);
  }
}

type Step =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'many' }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [number, number])[] };

export class PathPattern {
  readonly #steps: readonly Step[];

  /** Throws BadPatternError. */
  constructor(pattern: string) {
    this.#steps = parse(pattern);
  }

  matches(name: string): boolean {
    const chars = [...name];
    const steps = this.#steps;
    let at = 0;
    let step = 0;
    // Where to go on when a later step fails: the last * takes one character more. One place is enough, since what a
    // later * can take is no more than what an earlier one could.
    let retryStep = -1;
    let retryAt = 0;
    while (at < chars.length || step < steps.length) {
      const current = steps[step];
      if (current?.kind === 'many') {
        retryStep = step;
        retryAt = at;
        step += 1;
      } else if (current !== undefined && at < chars.length && takes(current, chars[at] as string)) {
        at += 1;
        step += 1;
      } else if (retryStep >= 0 && retryAt < chars.length && chars[retryAt] !== '/') {
        retryAt += 1;
        at = retryAt;
        step = retryStep + 1;
      } else return false;
    }
    return true;
  }
}

/** True where the text has a wildcard: without one it is a path. */
export function hasWildcard(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '*' || char === '?' || char === '[') return true;
  }
  return false;
}

function takes(step: Step, char: string): boolean {
  if (step.kind === 'char') return step.char === char;
  if (char === '/' && step.kind !== 'class') return false;
  if (step.kind !== 'class') return true;
  const code = char.codePointAt(0) as number;
  return step.ranges.some(([low, high]) => low <= code && code <= high) !== step.isNegated;
}

function parse(pattern: string): Step[] {
  const chars = [...pattern];
  const steps: Step[] = [];
  let at = 0;
  /** One end of a range. */
  const member = (): number => {
    if (at >= chars.length || chars[at] === '-' || chars[at] === ']') throw new BadPatternError(pattern);
    if (chars[at] === '\\') at += 1;
    const code = chars[at]?.codePointAt(0);
    at += 1;
    // Something has to follow: the class is not closed yet
    if (code === undefined || at >= chars.length) throw new BadPatternError(pattern);
    return code;
  };
  while (at < chars.length) {
    const char = chars[at] as string;
    at += 1;
    if (char === '*') steps.push({ kind: 'many' });
    else if (char === '?') steps.push({ kind: 'any' });
    else if (char === '\\') {
      const escaped = chars[at];
      if (escaped === undefined) throw new BadPatternError(pattern);
      steps.push({ kind: 'char', char: escaped });
      at += 1;
    } else if (char !== '[') steps.push({ kind: 'char', char });
    else {
      const isNegated = chars[at] === '^';
      if (isNegated) at += 1;
      const ranges: [number, number][] = [];
      while (ranges.length === 0 || chars[at] !== ']') {
        const low = member();
        if (chars[at] !== '-') ranges.push([low, low]);
        else {
          at += 1;
          ranges.push([low, member()]);
        }
      }
      at += 1;
      steps.push({ kind: 'class', isNegated, ranges });
    }
  }
  return steps;
}

/**
 * Which paths of a build context are left out. The last pattern that matches a path or a directory above it decides;
 * made for walking: what a directory matched is handed on to what is in it.
 */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { cleanPath } from './clean-path.ts';
import { IgnorePattern } from './ignore-pattern.ts';
import { BadPatternError } from './path-match.ts';

const MAX_PATTERNS = 5000;

/** What a directory matched; for `IgnoreMatcher.enter` of what is in it. */
export interface DirectoryMatches {
  readonly isIgnored: boolean;
  /** One byte for each pattern. */
  readonly matched: Uint8Array;
}

export class IgnoreMatcher {
  readonly patterns: readonly IgnorePattern[];
  /** Some pattern has a `!`. */
  readonly hasExceptions: boolean;
  /** Where nothing is matched: for the entries of the context's root. */
  readonly root: DirectoryMatches;
  readonly #exceptions: readonly IgnorePattern[];

  /** Patterns as `parseIgnoreFile` gives them. Throws `invalid-argument`, and `limit-exceeded` for too many. */
  constructor(patterns: readonly string[]) {
    if (patterns.length > MAX_PATTERNS) {
      throw new WctrError(
        'limit-exceeded',
        `there are ${patterns.length} ignore patterns; ${MAX_PATTERNS} are allowed`,
        {
          hint: 'ignore directories instead of files',
        },
      );
    }
    this.patterns = patterns.map(compile).filter((pattern) => pattern !== undefined);
    this.#exceptions = this.patterns.filter(({ isException }) => isException);
    this.hasExceptions = this.#exceptions.length > 0;
    this.root = { isIgnored: false, matched: new Uint8Array(this.patterns.length) };
  }

  /**
   * One step of a walk from the root: an entry of the directory `parent`. Paths have slashes, and neither begin nor end
   * with one.
   */
  enter(path: string, parent: DirectoryMatches): DirectoryMatches {
    const matched = new Uint8Array(this.patterns.length);
    let isIgnored = false;
    for (let i = 0; i < this.patterns.length; i += 1) {
      const pattern = this.patterns[i] as IgnorePattern;
      let matches = parent.matched[i] === 1;
      if (!matches) {
        // An exception takes back only what is out so far, anything else only what is in
        if (pattern.isException !== isIgnored) continue;
        matches = pattern.matches(path);
      }
      if (!matches) continue;
      matched[i] = 1;
      isIgnored = !pattern.isException;
    }
    return { isIgnored, matched };
  }

  /** True when nothing in this directory can come back in: a walk need not look. */
  canSkip(path: string, { isIgnored }: DirectoryMatches): boolean {
    if (!isIgnored) return false;
    const below = `${path}/`;
    return !this.#exceptions.some(({ prefix }) => prefix.startsWith(below) || below.startsWith(prefix));
  }

  /** Whether a walk leaves this path out. */
  ignores(path: string): boolean {
    let state = this.root;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (slash > 0) state = this.enter(path.slice(0, slash), state);
    }
    return this.enter(path, state).isIgnored;
  }

  /** Everything in the context's root is left out by one pattern. */
  get ignoresRoot(): boolean {
    return this.patterns.some(({ text, isException }) => !isException && /^(?:\*|\*\*|\*\*\/\*)$/.test(text));
  }
}

/** The patterns of a .dockerignore file: no comments, no blank lines, cleaned, relative to the context. */
export function parseIgnoreFile(content: string | Uint8Array): string[] {
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  const patterns: string[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split('\n')) {
    if (line.startsWith('#')) continue;
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const isException = trimmed.startsWith('!');
    let pattern = isException ? trimmed.slice(1).trim() : trimmed;
    if (pattern !== '') {
      pattern = cleanPath(pattern);
      if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
    }
    patterns.push(isException ? `!${pattern}` : pattern);
  }
  return patterns;
}

function compile(text: string): IgnorePattern | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const cleaned = cleanPath(trimmed);
  const isException = cleaned.startsWith('!');
  if (cleaned === '!') throw badPattern(text, 'illegal exclusion pattern: "!"');
  try {
    return new IgnorePattern(isException ? cleaned.slice(1) : cleaned, isException);
  } catch (error) {
    if (error instanceof BadPatternError) throw badPattern(text, `syntax error in pattern ${quote(text)}`);
    throw error;
  }
}

function badPattern(pattern: string, message: string): WctrError {
  return new WctrError('invalid-argument', message, {
    hint: 'a backslash escapes * ? [ and itself; close [ with ]',
    data: { pattern },
  });
}

/**
 * The small part of RE2's expressions that an ignore pattern is turned into, and a matcher that goes over a path once
 * whatever the pattern: patterns come with a build context, which may be hostile, and JavaScript's own expressions try
 * every way to split a path between several `*`.
 */

interface CharSet {
  readonly isNegated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

type Term =
  | { readonly kind: 'one' | 'many'; readonly set: CharSet }
  /** `(.*\/)?`: any number of leading directories. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'start' | 'end' | 'edge' | 'no-edge' };

/** What an expression that JavaScript may have backtracks over at most. */
const MAX_LOOPS_FOR_REGEXP = 2;

const NEWLINE = 10;
const SLASH = 47;
const DIRECTORIES = '(.*/)?';
const ANY_BUT_NEWLINE: CharSet = { isNegated: true, ranges: [[10, 10]] };
const DIGITS: CharSet['ranges'] = [[48, 57]];
const WORD: CharSet['ranges'] = [[48, 57], [65, 90], [95, 95], [97, 122]]; // biome-ignore format: pairs
const SPACES: CharSet['ranges'] = [[9, 10], [12, 13], [32, 32]]; // biome-ignore format: pairs
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const POSIX: Readonly<Record<string, CharSet['ranges']>> = {
  alnum: [[48, 57], [65, 90], [97, 122]], // biome-ignore format: pairs
  alpha: [[65, 90], [97, 122]], // biome-ignore format: pairs
  digit: DIGITS,
  lower: [[97, 122]],
  space: [[9, 13], [32, 32]], // biome-ignore format: pairs
  upper: [[65, 90]],
  word: WORD,
};

/** Throws SyntaxError for what RE2 does not take either. The expression is anchored at both ends. */
export function compileExpression(expression: string): (path: string) => boolean {
  const terms = new Reader(expression).read();
  const loops = terms.filter(({ kind }) => kind === 'many' || kind === 'directories').length;
  if (loops > MAX_LOOPS_FOR_REGEXP) return (path) => matches(terms, path);
  const regexp = new RegExp(`^(?:${terms.map(sourceOf).join('')})$(?![^])`, 'u');
  return (path) => regexp.test(path);
}

class Reader {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#chars = [...expression];
  }

  read(): Term[] {
    const terms: Term[] = [];
    while (this.#at < this.#chars.length) {
      const term = this.#term();
      const isLoop = this.#chars[this.#at] === '*' && (term.kind === 'one' || term.kind === 'many');
      if (!isLoop) terms.push(term);
      else {
        while (this.#chars[this.#at] === '*') this.#at += 1;
        terms.push({ kind: 'many', set: (term as { set: CharSet }).set });
      }
    }
    return terms;
  }

  #term(): Term {
    if (this.#startsWith(DIRECTORIES)) {
      this.#at += DIRECTORIES.length;
      return { kind: 'directories' };
    }
    const char = this.#next();
    if (char === '^') return { kind: 'start' };
    if (char === '.') return { kind: 'one', set: ANY_BUT_NEWLINE };
    if (char === '[') return { kind: 'one', set: this.#class() };
    if (char === '*') throw new SyntaxError('nothing to repeat');
    if (char !== '\\') return { kind: 'one', set: single(char) };
    const escaped = this.#chars[this.#at];
    const assertion = { A: 'start', z: 'end', b: 'edge', B: 'no-edge' } as const;
    if (escaped !== undefined && Object.hasOwn(assertion, escaped)) {
      this.#at += 1;
      return { kind: assertion[escaped as keyof typeof assertion] };
    }
    return { kind: 'one', set: this.#escaped() };
  }

  #escaped(): CharSet {
    const char = this.#next();
    const isNegated = char === 'D' || char === 'S' || char === 'W';
    if (char === 'd' || char === 'D') return { isNegated, ranges: DIGITS };
    if (char === 's' || char === 'S') return { isNegated, ranges: SPACES };
    if (char === 'w' || char === 'W') return { isNegated, ranges: WORD };
    if (Object.hasOwn(CONTROL, char)) {
      const code = CONTROL[char] as number;
      return { isNegated: false, ranges: [[code, code]] };
    }
    if (/^[\0-\x7f]$/.test(char) && !/^[A-Za-z0-9]$/.test(char)) return single(char);
    throw new SyntaxError(`invalid escape \\${char}`);
  }

  #class(): CharSet {
    const isNegated = this.#chars[this.#at] === '^';
    if (isNegated) this.#at += 1;
    const ranges: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#chars[this.#at] !== ']'; isFirst = false) {
      const posix = this.#posix();
      if (posix !== undefined) {
        ranges.push(...posix);
        continue;
      }
      const low = this.#member();
      if (typeof low !== 'number') {
        ranges.push(...complete(low));
        continue;
      }
      const isRange = this.#chars[this.#at] === '-' && this.#chars[this.#at + 1] !== ']';
      if (isRange) this.#at += 1;
      const high = isRange ? this.#member() : low;
      if (typeof high !== 'number' || high < low) throw new SyntaxError('invalid range');
      ranges.push([low, high]);
    }
    this.#at += 1;
    return { isNegated, ranges };
  }

  #posix(): CharSet['ranges'] | undefined {
    if (!this.#startsWith('[:')) return undefined;
    const close = this.#chars.indexOf(':', this.#at + 2);
    if (close < 0 || this.#chars[close + 1] !== ']') return undefined;
    const name = this.#chars.slice(this.#at + 2, close).join('');
    const isNegated = name.startsWith('^');
    const ranges = POSIX[isNegated ? name.slice(1) : name];
    if (ranges === undefined) throw new SyntaxError(`no class ${name}`);
    this.#at = close + 2;
    return isNegated ? complete({ isNegated, ranges }) : ranges;
  }

  #member(): number | CharSet {
    const char = this.#next();
    if (char !== '\\') return char.codePointAt(0) as number;
    const set = this.#escaped();
    const [only] = set.ranges;
    return !set.isNegated && set.ranges.length === 1 && only !== undefined && only[0] === only[1] ? only[0] : set;
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new SyntaxError('unexpected end');
    this.#at += 1;
    return char;
  }

  #startsWith(text: string): boolean {
    for (let i = 0; i < text.length; i += 1) if (this.#chars[this.#at + i] !== text[i]) return false;
    return true;
  }
}

function single(char: string): CharSet {
  const code = char.codePointAt(0) as number;
  return { isNegated: false, ranges: [[code, code]] };
}

/** Ranges without negation. */
function complete({ isNegated, ranges }: CharSet): CharSet['ranges'] {
  if (!isNegated) return ranges;
  const out: [number, number][] = [];
  let next = 0;
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (low > next) out.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  out.push([next, 0x10ffff]);
  return out;
}

function has({ isNegated, ranges }: CharSet, code: number): boolean {
  for (const [low, high] of ranges) if (low <= code && code <= high) return !isNegated;
  return isNegated;
}

function sourceOf(term: Term): string {
  switch (term.kind) {
    case 'directories':
      return '(?:[^\\n]*\\/)?';
    case 'start':
      return '(?<![^])';
    case 'end':
      return '(?![^])';
    case 'edge':
      return '\\b';
    case 'no-edge':
      return '\\B';
    default: {
      const members = term.set.ranges.map(([low, high]) => `${hex(low)}-${hex(high)}`).join('');
      return `[${term.set.isNegated ? '^' : ''}${members}]${term.kind === 'many' ? '*' : ''}`;
    }
  }
}

function hex(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/**
 * All ways at once: which terms are reached, two places for each, since inside `directories` is another place than
 * before it. What matches nothing leads forward only, so that one pass over the places finds all that are reached.
 */
function matches(terms: readonly Term[], path: string): boolean {
  const codes = [...path].map((char) => char.codePointAt(0) as number);
  const end = terms.length * 2;
  let now = new Uint8Array(end + 3);
  let next = new Uint8Array(end + 3);
  now[0] = 1;
  for (let at = 0; ; at += 1) {
    const code = codes[at];
    let isAlive = false;
    for (let state = 0; state < end; state += 1) {
      if (now[state] === 0) continue;
      const term = terms[state >> 1] as Term;
      const isInside = (state & 1) === 1;
      if (!isInside && (term.kind === 'many' || term.kind === 'directories' || holds(term, codes, at))) {
        now[state + 2] = 1;
      }
      if (code === undefined) continue;
      if (term.kind === 'directories') {
        if (code !== NEWLINE) next[state | 1] = 1;
        if (code === SLASH) next[(state | 1) + 1] = 1;
      } else if (term.kind === 'one' || term.kind === 'many') {
        if (!has(term.set, code)) continue;
        next[term.kind === 'one' ? state + 2 : state] = 1;
      } else continue;
      isAlive = true;
    }
    if (code === undefined) return now[end] === 1;
    if (!isAlive) return false;
    [now, next] = [next, now];
    next.fill(0);
  }
}

function holds({ kind }: Term, codes: readonly number[], at: number): boolean {
  if (kind === 'start') return at === 0;
  if (kind === 'end') return at === codes.length;
  if (kind !== 'edge' && kind !== 'no-edge') return false;
  const isWord = (index: number) => has({ isNegated: false, ranges: WORD }, codes[index] ?? 0);
  return (isWord(at - 1) !== isWord(at)) === (kind === 'edge');
}

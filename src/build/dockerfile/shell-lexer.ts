/**
 * Substitution and quoting as BuildKit's shell lexer does it: `$x`, `${x}`, `${x:-w}` `${x-w}` `${x:+w}` `${x+w}`
 * `${x:?w}` `${x?w}` `${x#p}` `${x##p}` `${x%p}` `${x%%p}` `${x/p/w}` `${x//p/w}`; a variable that is not set is empty.
 * One pass gives both results: the whole as one word, and the words it falls into (substituted text is split, quoted
 * text is not).
 */
import type { EscapeChar } from './directives.ts';
import {
  PatternError,
  parseShellPattern,
  replaceMatches,
  type ShellPattern,
  trimPrefix,
  trimSuffix,
} from './shell-pattern.ts';
import { isSpace } from './space.ts';

export interface Variables {
  get(name: string): string | undefined;
}

export interface LexerOptions {
  readonly escape?: EscapeChar;
  /** Quotes stay in the result. */
  readonly keepsQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly keepsEscapes?: boolean;
  /** Quotes are characters like any other. */
  readonly ignoresQuotes?: boolean;
  /** `$x` stays as it is where x is not set. */
  readonly keepsUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  readonly words: readonly string[];
  readonly used: ReadonlySet<string>;
  /** Names that were asked for and are not set. */
  readonly unset: ReadonlySet<string>;
}

/** Why a word cannot be expanded; `index` is where in it. The caller knows the place in the file. */
export class LexerError extends Error {
  override readonly name = 'LexerError';
  readonly index: number;
  readonly hint: string | undefined;
  readonly isLimit: boolean;

  constructor(message: string, index: number, options: { hint?: string; isLimit?: boolean } = {}) {
    super(message);
    this.index = index;
    this.hint = options.hint;
    this.isLimit = options.isLimit ?? false;
  }
}

/** A word may grow by substitution: `A=$A$A` doubles with each line. */
export const MAX_EXPANDED_CHARS = 1 << 20;
const MAX_NESTING = 100;

const SPECIAL = new Set('@*#?-$!0');
const FORMS = `use \${x}, \${x:-word}, \${x:+word}, \${x:?word}, \${x#pattern}, \${x%pattern} or \${x/pattern/word}`;

export function expand(word: string, variables: Variables, options: LexerOptions = {}): Expansion {
  const lexer = new Lexer(word, variables, options);
  const { text, words } = lexer.run();
  return { text, words, used: lexer.used, unset: lexer.unset };
}

/** Collects the result both ways: whole, and cut into words. */
class Output {
  readonly parts: string[] = [];
  readonly words: string[] = [];
  #word = '';
  #isOpen = false;

  plain(char: string): void {
    this.parts.push(char);
    this.split(char);
  }

  /** Not cut, whatever it holds. */
  raw(text: string): void {
    this.parts.push(text);
    this.#word += text;
    this.#isOpen = true;
  }

  substituted(text: string): void {
    this.parts.push(text);
    for (const char of text) this.split(char);
  }

  split(char: string): void {
    if (!isSpace(char)) {
      this.#word += char;
      this.#isOpen = true;
    } else if (this.#isOpen) this.#close();
  }

  result(): { text: string; words: string[] } {
    this.#close();
    return { text: this.parts.join(''), words: this.words };
  }

  #close(): void {
    if (this.#word === '') return;
    this.words.push(this.#word);
    this.#word = '';
    this.#isOpen = false;
  }
}

class Lexer {
  readonly used = new Set<string>();
  readonly unset = new Set<string>();
  readonly #text: string;
  readonly #variables: Variables;
  readonly #options: LexerOptions;
  readonly #escape: string;
  #at = 0;
  #depth = 0;
  #length = 0;

  constructor(text: string, variables: Variables, options: LexerOptions) {
    this.#text = text;
    this.#variables = variables;
    this.#options = options;
    this.#escape = options.escape ?? '\\';
  }

  run(): { text: string; words: string[] } {
    return this.#until(undefined, this.#options.keepsEscapes ?? false);
  }

  /** Reads up to `stop`, which is eaten, or to the end. */
  #until(stop: string | undefined, keepsEscapes: boolean): { text: string; words: string[] } {
    const out = new Output();
    const start = this.#at;
    for (let char = this.#peek(); char !== ''; char = this.#peek()) {
      if (char === stop) {
        this.#at += 1;
        return out.result();
      }
      if (char === '$') out.substituted(this.#grown(this.#dollar()));
      else if (char === '<') out.raw(this.#hereMark());
      else if (char === "'" && !this.#options.ignoresQuotes) out.raw(this.#singleQuoted());
      else if (char === '"' && !this.#options.ignoresQuotes) out.raw(this.#doubleQuoted(keepsEscapes));
      else if (char === this.#escape) {
        this.#at += 1;
        if (keepsEscapes) out.raw(char);
        const next = this.#next();
        if (next === '') break;
        out.raw(next);
      } else out.plain(this.#next());
    }
    if (stop === undefined) return out.result();
    throw new LexerError(`syntax error: missing '${stop}'${stop === '/' ? ` in \${}` : ''}`, start, {
      hint: stop === '}' ? 'close the substitution with }' : `write \${name/pattern/replacement}`,
    });
  }

  #singleQuoted(): string {
    const open = this.#at;
    const close = this.#text.indexOf("'", open + 1);
    if (close < 0) throw unclosed('single', open);
    this.#at = close + 1;
    return this.#options.keepsQuotes ? this.#text.slice(open, close + 1) : this.#text.slice(open + 1, close);
  }

  #doubleQuoted(keepsEscapes: boolean): string {
    const open = this.#at;
    const quote = this.#options.keepsQuotes ? '"' : '';
    const parts = [quote];
    this.#at += 1;
    for (;;) {
      const char = this.#peek();
      if (char === '') throw unclosed('double', open);
      if (char === '"') {
        this.#at += 1;
        parts.push(quote);
        return parts.join('');
      }
      if (char === '$') {
        parts.push(this.#grown(this.#dollar()));
        continue;
      }
      this.#at += char.length;
      if (char !== this.#escape) {
        parts.push(char);
        continue;
      }
      if (keepsEscapes) parts.push(char);
      const next = this.#peek();
      if (next === '') continue;
      // Only these can be escaped here; before anything else the escape character is a character
      if (next === '"' || next === '$' || next === this.#escape) {
        this.#at += 1;
        parts.push(next);
      } else parts.push(char);
    }
  }

  /** `<<` and the space behind it stay in one word: they begin a here-document. */
  #hereMark(): string {
    this.#at += 1;
    if (this.#peek() !== '<') return '<';
    const start = this.#at - 1;
    this.#at += 1;
    while (' \t\r'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #dollar(): string {
    const start = this.#at;
    this.#at += 1;
    if (this.#peek() !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      return this.#value(name) ?? (this.#options.keepsUnset ? `$${name}` : '');
    }
    this.#at += 1;
    if (this.#depth >= MAX_NESTING) {
      throw new LexerError(`more than ${MAX_NESTING} substitutions inside each other`, start, { isLimit: true });
    }
    this.#depth += 1;
    const value = this.#braced(start);
    this.#depth -= 1;
    return value;
  }

  #braced(start: number): string {
    const first = this.#peek();
    if (first === '') throw missingBrace(start);
    if (first === '{' || first === '}' || first === ':') {
      throw new LexerError('syntax error: bad substitution', start, { hint: FORMS });
    }
    const name = this.#name();
    const sign = this.#next();
    if (sign === '') throw missingBrace(start);
    if (sign === '}') return this.#value(name) ?? (this.#options.keepsUnset ? `\${${name}}` : '');
    if (sign === '/') return this.#replaced(name, start);
    const emptyIsUnset = sign === ':';
    const operator = emptyIsUnset ? this.#next() : sign;
    const modifier = emptyIsUnset ? `:${operator}` : operator;
    const isTrim = operator === '#' || operator === '%';
    if (operator === '') throw missingBrace(start);
    const isKnown = '-+?#%'.includes(operator);
    const unsupported = () =>
      new LexerError(`unsupported modifier (${modifier}) in substitution`, start, { hint: FORMS });
    if (emptyIsUnset ? isTrim : !isKnown) throw unsupported();
    const word = this.#until('}', isTrim).text;
    const value = this.#value(name);
    // ${x:0:3} of a shell is not for us to judge where unset variables stay as they are
    if (value === undefined && this.#options.keepsUnset) return `\${${name}${modifier}${word}}`;
    if (!isKnown) throw unsupported();
    if (isTrim) return this.#trimmed(operator, word, value ?? '', start);
    const isSet = value !== undefined && !(emptyIsUnset && value === '');
    if (operator === '-') return isSet ? value : word;
    if (operator === '+') return isSet ? word : '';
    if (isSet) return value;
    throw new LexerError(
      `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
      start,
      {
        hint: `give it a value with --build-arg ${name}=…, ARG or ENV`,
      },
    );
  }

  #trimmed(operator: string, word: string, value: string, start: number): string {
    const isLongest = word.startsWith(operator);
    const trim = operator === '#' ? trimPrefix : trimSuffix;
    return matching(isLongest ? word.slice(1) : word, start, (pattern) => trim(pattern, value, isLongest));
  }

  #replaced(name: string, start: number): string {
    const isAll = this.#peek() === '/';
    if (isAll) this.#at += 1;
    const word = this.#until('/', true).text;
    const replacement = this.#until('}', true).text;
    const value = this.#value(name);
    if (value === undefined && this.#options.keepsUnset) return `\${${name}/${word}/${replacement}}`;
    const limit = MAX_EXPANDED_CHARS + 1;
    return matching(word, start, (pattern) => replaceMatches(pattern, value ?? '', replacement, isAll, limit));
  }

  #name(): string {
    const start = this.#at;
    const first = this.#peek();
    if (/^\p{Nd}$/u.test(first)) {
      while (/^\p{Nd}$/u.test(this.#peek())) this.#at += this.#peek().length;
    } else if (SPECIAL.has(first)) this.#at += 1;
    else while (/^[\p{L}\p{Nd}_]$/u.test(this.#peek())) this.#at += this.#peek().length;
    return this.#text.slice(start, this.#at);
  }

  #value(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.unset : this.used).add(name);
    return value;
  }

  #grown(text: string): string {
    this.#length += text.length;
    if (this.#length <= MAX_EXPANDED_CHARS) return text;
    throw new LexerError(`the value grows beyond ${MAX_EXPANDED_CHARS} characters`, this.#at, { isLimit: true });
  }

  /** The character here, as a code point; empty at the end. */
  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : code < 0x10000 ? (this.#text[this.#at] as string) : String.fromCodePoint(code);
  }

  #next(): string {
    const char = this.#peek();
    this.#at += char.length;
    return char;
  }
}

function matching(word: string, index: number, use: (pattern: ShellPattern) => string): string {
  try {
    return use(parseShellPattern(word));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new LexerError(`invalid pattern (${word}) in substitution: ${error.message}`, index);
  }
}

function unclosed(kind: 'single' | 'double', index: number): LexerError {
  return new LexerError(`unexpected end of statement while looking for matching ${kind}-quote`, index, {
    hint: `close the ${kind} quote, or escape it`,
  });
}

function missingBrace(index: number): LexerError {
  return new LexerError("syntax error: missing '}'", index, { hint: 'close the substitution with }' });
}

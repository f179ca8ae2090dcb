/**
 * Parser directives: comments of the form `# name=value` before anything else. `escape` changes how the rest is read;
 * `syntax` names a frontend; `check` configures the lint rules.
 */
import { refuse } from './errors.ts';
import type { SourceText, Span } from './source.ts';
import { skipSpace } from './space.ts';

export type EscapeChar = '\\' | '`';

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  /** As written, without the space around it. */
  readonly value: string;
  readonly span: Span;
}

const FORM = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*$/;
const NAMES = new Set(['syntax', 'escape', 'check']);

/** `name` and `value` of a comment's text (what follows the `#`), undefined when it has not the form of a directive. */
export function matchDirective(comment: string): { name: Directive['name']; value: string } | undefined {
  const match = FORM.exec(comment.slice(skipSpace(comment)));
  const name = match?.[1]?.toLowerCase();
  const value = match?.[2];
  return name !== undefined && value !== undefined && NAMES.has(name)
    ? { name: name as Directive['name'], value }
    : undefined;
}

/** Reads lines from the top until one is no directive. */
export class DirectiveReader {
  readonly #source: SourceText;
  readonly #found: Directive[] = [];
  #done = false;

  constructor(source: SourceText) {
    this.#source = source;
  }

  get found(): readonly Directive[] {
    return this.#found;
  }

  /** `line` begins at its first character that is no space. True when it is a directive. */
  accept(line: string, offset: number): boolean {
    if (this.#done) return false;
    const match = line.startsWith('#') ? matchDirective(line.slice(1)) : undefined;
    if (match === undefined) {
      this.#done = true;
      return false;
    }
    const span = { start: offset, end: offset + line.length };
    if (this.#found.some(({ name }) => name === match.name)) {
      throw refuse(this.#source, span, `only one ${match.name} parser directive can be used`);
    }
    if (match.name === 'escape' && match.value !== '\\' && match.value !== '`') {
      throw refuse(this.#source, span, `invalid escape token '${match.value}' does not match \` or \\`, {
        hint: 'write # escape=` or leave the directive out',
      });
    }
    this.#found.push({ ...match, span });
    return true;
  }
}

/**
 * `syntax` or `check` as the frontend of docker finds them, which skips a shebang line and wants the `#` first in its
 * line; only what comes before the first space counts.
 */
export function frontendDirective(text: string, name: 'syntax' | 'check'): string | undefined {
  const lines = text.replace(/^\uFEFF/, '').split('\n', 64);
  if (lines[0]?.startsWith('#!')) lines.shift();
  for (const raw of lines) {
    const line = raw.replace(/\r$/, '');
    const match = line.startsWith('#') ? matchDirective(line.slice(1)) : undefined;
    if (match === undefined) return undefined;
    if (match.name === name) return match.value.split(' ', 1)[0];
  }
  return undefined;
}

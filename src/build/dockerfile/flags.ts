/** The flags of an instruction: `--name`, `--name=value`; which there are, the instruction says. */
import type { RawFlag } from './arguments.ts';
import { refuse } from './errors.ts';
import type { SourceText, Span, Word } from './source.ts';

/** `text` once, `list` as often as wanted, `switch` is true, false or not given. */
export type FlagKind = 'text' | 'list' | 'switch';

export interface Flags {
  text(name: string): Word | undefined;
  list(name: string): readonly Word[];
  /** Undefined where the flag is not given. */
  switch(name: string): boolean | undefined;
  span(name: string): Span | undefined;
}

export function parseFlags(
  flags: readonly RawFlag[],
  known: Readonly<Record<string, FlagKind>>,
  source: SourceText,
): Flags {
  const given = new Map<string, { values: Word[]; span: Span }>();
  for (const { text, span } of flags) {
    const equals = text.indexOf('=');
    const name = text.slice(2, equals < 0 ? undefined : equals);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      throw refuse(source, span, `unknown flag: --${name}`, unknownHint(name, Object.keys(known)));
    }
    const earlier = given.get(name);
    if (earlier !== undefined && kind !== 'list') {
      throw refuse(source, span, `duplicate flag specified: --${name}`, { hint: 'give it once' });
    }
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    checkValue(kind, name, value, span, source);
    const values = earlier?.values ?? [];
    // The value is the flag's tail, where no quote or escape was taken out of it
    const start = value !== undefined && span.end - span.start === text.length ? span.end - value.length : span.start;
    values.push({ text: value ?? 'true', span: { start, end: span.end } });
    given.set(name, { values, span: earlier?.span ?? span });
  }
  return {
    text: (name) => given.get(name)?.values[0],
    list: (name) => given.get(name)?.values ?? [],
    switch: (name) => {
      const value = given.get(name)?.values[0]?.text;
      return value === undefined ? undefined : value.toLowerCase() === 'true';
    },
    span: (name) => given.get(name)?.span,
  };
}

function checkValue(kind: FlagKind, name: string, value: string | undefined, span: Span, source: SourceText): void {
  if (kind !== 'switch') {
    if (value !== undefined) return;
    throw refuse(source, span, `missing a value on flag: --${name}`, { hint: `write --${name}=VALUE` });
  }
  if (value === '') throw refuse(source, span, `missing a value on flag: --${name}`, { hint: `write --${name} alone` });
  if (value !== undefined && !/^(?:true|false)$/i.test(value)) {
    throw refuse(source, span, `expecting boolean value for flag --${name}, not: ${value}`, {
      hint: 'write true or false',
    });
  }
}

function unknownHint(name: string, known: readonly string[]) {
  if (known.length === 0) return { hint: 'this instruction has no flags' };
  return { nearest: { name: `--${name}`, known: known.map((flag) => `--${flag}`) } };
}

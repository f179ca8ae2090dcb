import { quotedWords, type Stretch, wordOf } from '../arguments.ts';
import type { ArgDefinition, ArgInstruction, KeyValue, KeyValueInstruction } from '../ast.ts';
import type { Word } from '../source.ts';
import { isSeparatorCode } from '../space.ts';
import { baseOf, flagsOf, isEmpty, needs, refuseAt, type Statement } from './statement.ts';

/** `ENV key=value …` and the older `ENV key value`; LABEL likewise. */
export function parseKeyValues(kind: 'env' | 'label', statement: Statement): KeyValueInstruction {
  const upper = kind.toUpperCase();
  if (isEmpty(statement)) throw needs(statement, 'at least one argument', `${upper} key=value`);
  const pairs = pairsOf(upper, statement);
  flagsOf(statement);
  const blank = pairs.find(({ key }) => key.text === '');
  if (blank !== undefined) {
    throw refuseAt(statement, blank.value.span, `${upper} names can not be blank`, {
      hint: `write ${upper} key=value`,
    });
  }
  return { ...baseOf(kind, statement), pairs };
}

function pairsOf(upper: string, statement: Statement): KeyValue[] {
  const words = quotedWords(statement.rest, statement.escapeChar);
  const [first] = words;
  if (first === undefined || equalsOf(first) === undefined) return [legacyPair(upper, statement)];
  return words.map((stretch) => {
    const equals = equalsOf(stretch);
    if (equals !== undefined) return { ...cutAt(stretch, equals), isLegacy: false };
    const { text, span } = wordOf(stretch);
    const what = `Syntax error - can't find = in "${text}". Must be of the form: name=value`;
    throw refuseAt(statement, span, what, { hint: 'put a value with spaces in quotes' });
  });
}

function legacyPair(upper: string, statement: Statement): KeyValue {
  const { line, start, end } = statement.rest;
  let at = start;
  while (at < end && !isSeparatorCode(line.text.charCodeAt(at))) at += 1;
  const key = wordOf({ line, start, end: at });
  while (at < end && isSeparatorCode(line.text.charCodeAt(at))) at += 1;
  if (at >= end) {
    throw refuseAt(statement, key.span, `${upper} must have two arguments`, { hint: `write ${upper} key=value` });
  }
  return { key, value: wordOf({ line, start: at, end }), isLegacy: true };
}

/** `ARG name[=value] …` */
export function parseArg(statement: Statement): ArgInstruction {
  const words = quotedWords(statement.rest, statement.escapeChar);
  if (words.length === 0) throw needs(statement, 'at least one argument', 'ARG name or ARG name=value');
  const args = words.map((stretch): ArgDefinition => {
    const equals = equalsOf(stretch);
    if (equals === undefined) return { key: wordOf(stretch), value: undefined };
    if (equals > stretch.start) return cutAt(stretch, equals);
    const { span } = wordOf(stretch);
    throw refuseAt(statement, span, 'ARG names can not be blank', { hint: 'write ARG name=value' });
  });
  return { ...baseOf('arg', statement), args };
}

/** Index of the first `=`. */
function equalsOf({ line, start, end }: Stretch): number | undefined {
  const at = line.text.slice(start, end).indexOf('=');
  return at < 0 ? undefined : start + at;
}

function cutAt({ line, start, end }: Stretch, equals: number): { key: Word; value: Word } {
  return { key: wordOf({ line, start, end: equals }), value: wordOf({ line, start: equals + 1, end }) };
}

/** A Dockerfile's instructions as short lines with the place of every word, for tables. */

import type { Instruction } from '../../src/build/dockerfile/ast.ts';
import { asDockerfile, parseDockerfile, readDockerfile } from '../../src/build/dockerfile/parse.ts';
import type { SourceText, Word } from '../../src/build/dockerfile/source.ts';
import { isWctrError } from '../../src/errors.ts';

const OF_ALL = new Set(['kind', 'name', 'span', 'firstLine', 'lastLine', 'text', 'comments', 'hasEmptyContinuation']);

/** One line for each instruction: `1:1-1:12 from base="alpine"@1:6`; or one for what is refused. */
export function summary(text: string | Uint8Array): string[] {
  try {
    parseDockerfile(text);
    const read = readDockerfile(text);
    asDockerfile(read);
    return read.instructions.map((instruction) => describeInstruction(instruction, read.source));
  } catch (error) {
    if (!isWctrError(error)) throw error;
    const { line, column } = error.data as { line?: number; column?: number };
    const place = line === undefined ? '' : ` ${line}:${column}`;
    const message = error.message.replace(/^dockerfile parse error on line \d+: /, '');
    return [`${error.code}${place} ${message}${error.hint === undefined ? '' : ` (${error.hint})`}`];
  }
}

function describeInstruction(instruction: Instruction, source: SourceText): string {
  const { span, kind } = instruction;
  const parts = Object.entries(instruction)
    .filter(([key]) => !OF_ALL.has(key))
    .flatMap(([key, value]) => described(key, value, source));
  return [`${place(span.start, source)}-${place(span.end, source)}`, kind, ...parts].join(' ');
}

function described(key: string, value: unknown, source: SourceText): string[] {
  if (value === undefined || value === false) return [];
  const shown = shownValue(value, source);
  return shown === '[]' || shown === '{}' ? [] : [value === true ? key : `${key}=${shown}`];
}

function shownValue(value: unknown, source: SourceText): string {
  if (Array.isArray(value)) return `[${value.map((item) => shownValue(item, source)).join(' ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isWord(value)) return `${JSON.stringify(value.text)}@${place(value.span.start, source)}`;
  if ('kind' in value && 'name' in value && typeof value.name === 'object') {
    return `<${describeInstruction(value as Instruction, source)}>`;
  }
  const parts = Object.entries(value)
    .filter(([key, part]) => key !== 'span' && part !== '' && part !== 0)
    .flatMap(([key, part]) => described(key, part, source));
  return `{${parts.join(' ')}}`;
}

function isWord(value: object): value is Word {
  return Object.keys(value).sort().join() === 'span,text';
}

function place(offset: number, source: SourceText): string {
  const { line, column } = source.position(offset);
  return `${line}:${column}`;
}

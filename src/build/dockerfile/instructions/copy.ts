import { plainWords } from '../arguments.ts';
import type { AddInstruction, CopyInstruction, HeredocSource } from '../ast.ts';
import type { FlagKind } from '../flags.ts';
import { heredocMark } from '../heredoc.ts';
import { LexerError } from '../shell-lexer.ts';
import type { Word } from '../source.ts';
import { baseOf, flagsOf, jsonArray, refuseAt, type Statement } from './statement.ts';

const SHARED: Readonly<Record<string, FlagKind>> = { chown: 'text', chmod: 'text', link: 'switch', exclude: 'list' };
const COPY_FLAGS: Readonly<Record<string, FlagKind>> = { ...SHARED, from: 'text', parents: 'switch' };
const ADD_FLAGS: Readonly<Record<string, FlagKind>> = {
  ...SHARED,
  checksum: 'text',
  unpack: 'switch',
  'keep-git-dir': 'switch',
};

export function parseCopy(statement: Statement): CopyInstruction {
  const words = pathsOf(statement);
  const flags = flagsOf(statement, COPY_FLAGS);
  return {
    ...baseOf('copy', statement),
    ...sourcesAndDestination(words, statement),
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.switch('link') ?? false,
    exclude: flags.list('exclude'),
    from: given(flags.text('from')),
    parents: flags.switch('parents') ?? false,
  };
}

export function parseAdd(statement: Statement): AddInstruction {
  const words = pathsOf(statement);
  const flags = flagsOf(statement, ADD_FLAGS);
  return {
    ...baseOf('add', statement),
    ...sourcesAndDestination(words, statement),
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.switch('link') ?? false,
    exclude: flags.list('exclude'),
    checksum: given(flags.text('checksum')),
    unpack: flags.switch('unpack'),
    keepGitDir: flags.switch('keep-git-dir'),
  };
}

/** An empty value is no value. */
function given(word: Word | undefined): Word | undefined {
  return word === undefined || word.text === '' ? undefined : word;
}

function pathsOf(statement: Statement): readonly Word[] {
  const words = jsonArray(statement) ?? plainWords(statement.rest);
  if (words.length >= 2) return words;
  const name = statement.name.text.toUpperCase();
  const what = `${name} requires at least two arguments, but only one was provided. Destination could not be determined`;
  throw refuseAt(statement, words[0]?.span, what, { hint: `write ${name} source … destination` });
}

function sourcesAndDestination(words: readonly Word[], statement: Statement) {
  const destination = words[words.length - 1] as Word;
  const name = statement.name.text.toUpperCase();
  if (markOf(destination) !== undefined) {
    throw refuseAt(statement, destination.span, `${name} cannot accept a heredoc as a destination`, {
      hint: 'put the destination last',
    });
  }
  const sources: Word[] = [];
  const heredocs: HeredocSource[] = [];
  for (const word of words.slice(0, -1)) {
    const mark = markOf(word);
    const found = mark && statement.heredocs.findLast((heredoc) => heredoc.name === mark.name);
    if (mark === undefined) sources.push(word);
    else heredocs.push({ name: mark.name, content: found?.content ?? '', expands: mark.expands, span: word.span });
  }
  if (heredocs.length < statement.heredocs.length) {
    throw refuseAt(statement, undefined, `${name} needs the name of a heredoc right behind its <<, without spaces`, {
      hint: 'write <<NAME',
    });
  }
  return { sources, heredocs, destination };
}

function markOf(word: Word) {
  try {
    return heredocMark(word.text);
  } catch (error) {
    if (error instanceof LexerError) return undefined;
    throw error;
  }
}

/** The instructions that are a word, a list of words, or a command. */
import { plainWords } from '../arguments.ts';
import type { CommandInstruction, WordInstruction, WordsInstruction } from '../ast.ts';
import { trimSpace } from '../space.ts';
import {
  baseOf,
  commandForm,
  flagsOf,
  isEmpty,
  jsonArray,
  needs,
  refuseAt,
  type Statement,
  wholeRest,
} from './statement.ts';

const WORD_USAGE: Readonly<Record<WordInstruction['kind'], string>> = {
  user: 'USER name, or USER uid:gid',
  workdir: 'WORKDIR /path',
  stopsignal: 'STOPSIGNAL SIGTERM',
  maintainer: 'LABEL org.opencontainers.image.authors=name',
};

export function parseWord(kind: WordInstruction['kind'], statement: Statement): WordInstruction {
  const value = wholeRest(statement, WORD_USAGE[kind]);
  // docker does not look at the flags of STOPSIGNAL
  if (kind !== 'stopsignal') flagsOf(statement);
  return { ...baseOf(kind, statement), value };
}

export function parseExpose(statement: Statement): WordsInstruction {
  const values = plainWords(statement.rest);
  if (values.length === 0) throw needs(statement, 'at least one argument', 'EXPOSE 8080, or EXPOSE 53/udp');
  flagsOf(statement);
  return { ...baseOf('expose', statement), values };
}

export function parseVolume(statement: Statement): WordsInstruction {
  const words = jsonArray(statement) ?? plainWords(statement.rest);
  if (words.length === 0) throw needs(statement, 'at least one argument', 'VOLUME /path');
  flagsOf(statement);
  const values = words.map(({ text, span }) => {
    const path = trimSpace(text);
    if (path !== '') return { text: path, span };
    throw refuseAt(statement, span, 'VOLUME specified can not be an empty string', { hint: 'write VOLUME /path' });
  });
  return { ...baseOf('volume', statement), values };
}

export function parseShell(statement: Statement): WordsInstruction {
  flagsOf(statement);
  const usage = 'SHELL ["/bin/sh", "-c"]';
  const values = jsonArray(statement);
  if (values?.length === 0 || isEmpty(statement)) throw needs(statement, 'at least one argument', usage);
  if (values === undefined) throw needs(statement, 'the arguments to be in JSON form', usage);
  return { ...baseOf('shell', statement), values };
}

export function parseCommand(kind: 'cmd' | 'entrypoint', statement: Statement): CommandInstruction {
  flagsOf(statement);
  return { ...baseOf(kind, statement), command: commandForm(statement) };
}

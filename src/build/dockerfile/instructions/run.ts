import type { MountFlag, NetworkMode, RunInstruction } from '../ast.ts';
import { checkMountFrom, parseMount } from '../mounts.ts';
import { expand, LexerError } from '../shell-lexer.ts';
import type { Word } from '../source.ts';
import { baseOf, commandForm, flagsOf, refuseAt, type Statement } from './statement.ts';

const NETWORKS: readonly NetworkMode[] = ['default', 'none', 'host'];
const SECURITY = ['sandbox', 'insecure'] as const;

/** `RUN [--mount=…] [--network=…] [--security=…] command` */
export function parseRun(statement: Statement): RunInstruction {
  const flags = flagsOf(statement, { mount: 'list', network: 'text', security: 'text' });
  const command = commandForm(statement);
  const mounts = flags.list('mount').map((written) => mountFlag(written, statement));
  const network = oneOf(statement, flags.text('network'), NETWORKS, (value) => `invalid network mode "${value}"`);
  const security = oneOf(statement, flags.text('security'), SECURITY, (value) => `security "${value}" is not valid`);
  return {
    ...baseOf('run', statement),
    command,
    heredocs: statement.heredocs,
    mounts,
    network: network ?? 'default',
    security: security ?? 'sandbox',
  };
}

function mountFlag(written: Word, { source, escapeChar }: Statement): MountFlag {
  checkMountFrom(written, source);
  if (written.text.includes('$')) return { written, mount: undefined };
  const unquote = (value: string) => {
    try {
      return expand(value, { get: () => undefined }, { escape: escapeChar }).text;
    } catch (error) {
      // Whoever expands it refuses it, with the place
      if (error instanceof LexerError) return value;
      throw error;
    }
  };
  return { written, mount: parseMount(written, unquote, source) };
}

function oneOf<T extends string>(
  statement: Statement,
  word: Word | undefined,
  known: readonly T[],
  message: (value: string) => string,
): T | undefined {
  if (word === undefined) return undefined;
  const found = known.find((name) => name === word.text);
  if (found !== undefined) return found;
  throw refuseAt(statement, word.span, message(word.text), { nearest: { name: word.text, known } });
}

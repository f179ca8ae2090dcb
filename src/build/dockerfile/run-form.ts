/** What a RUN is to do, its here-documents put where they belong. */
import type { RunInstruction } from './ast.ts';
import { heredocMark } from './heredoc.ts';
import { LexerError } from './shell-lexer.ts';

export type RunForm =
  /** `RUN ["program", "argument"]` */
  | { readonly kind: 'exec'; readonly args: readonly string[] }
  /** For the shell; here-documents that are only part of the line stay for it to read. */
  | { readonly kind: 'shell'; readonly script: string }
  /** A here-document with a `#!` line: a file of mode 755, called by its path, which the shell is given. */
  | { readonly kind: 'file'; readonly name: string; readonly content: string };

export function runForm({ command, heredocs }: RunInstruction): RunForm {
  if (command.form === 'exec') return { kind: 'exec', args: command.args.map(({ text }) => text) };
  const line = command.line.text;
  const [first] = heredocs;
  if (first === undefined) return { kind: 'shell', script: line };
  if (!isHeredocAlone(line)) {
    return { kind: 'shell', script: `${line}${heredocs.map(({ raw, name }) => `\n${raw}${name}`).join('')}` };
  }
  const { content, name } = first;
  return content.startsWith('#!') ? { kind: 'file', name, content } : { kind: 'shell', script: content };
}

function isHeredocAlone(line: string): boolean {
  try {
    return heredocMark(line) !== undefined;
  } catch (error) {
    if (error instanceof LexerError) return false;
    throw error;
  }
}

/** PS1, PS2 and PS4: their parameters are expanded whenever they are shown. */
import { Expander } from '../expand/expander';
import { XTRACE } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import { Word } from '../syntax/ast';
import { flushQuoted, Lexer } from '../syntax/lexer';
import { Source } from '../syntax/source';
import { TextBuffer } from '../text-buffer';

export function evaluatePrompt(shell: Shell, name: string, standard: string): string {
  const value = shell.variables.get(name);
  if (value === null) return standard;
  if (value.indexOf('$') < 0 && value.indexOf('`') < 0 && value.indexOf('\\') < 0) return value;
  const lexer = new Lexer(new Source(value, shell.line));
  const word = new Word();
  const text = new TextBuffer();
  for (let unit = lexer.peek(); unit >= 0; unit = lexer.peek()) lexer.readInQuotes(word, text, unit, -1);
  flushQuoted(word, text);
  if (lexer.failure.length > 0) return value;
  // what a prompt does is not traced, and its failure ends nothing
  const options = shell.options;
  const status = shell.status;
  const substitution = shell.substitutionStatus;
  shell.options &= ~XTRACE;
  const expanded = new Expander(shell).text(word);
  shell.options = options;
  shell.unwind = RUNNING;
  shell.status = status;
  shell.substitutionStatus = substitution;
  return expanded;
}

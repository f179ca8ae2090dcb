/** Runs text as commands: scripts, `-c`, eval, `.`, traps. */
import { VERBOSE } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import { Lexer } from '../syntax/lexer';
import { Parser } from '../syntax/parser';
import { Source } from '../syntax/source';
import { run } from './executor';

/** Runs a whole text: its status. A syntax error ends a shell that is not interactive. */
export function evaluate(shell: Shell, text: string): i32 {
  if (shell.has(VERBOSE)) {
    shell.stderr().line(text);
    shell.stderr().flush();
  }
  return evaluateSource(shell, new Source(text, 1));
}

/** Line by line: what a line does is done before the next one is read. */
export function evaluateSource(shell: Shell, source: Source): i32 {
  const lexer = new Lexer(source);
  const parser = new Parser(lexer);
  let status = 0;
  while (true) {
    const node = parser.complete();
    if (lexer.failure.length > 0) {
      syntaxError(shell, lexer);
      return 2;
    }
    if (node === null) {
      if (parser.atEnd) break;
    } else {
      status = run(shell, node);
      if (shell.unwind != RUNNING) return shell.status;
    }
    lexer.forget();
  }
  if (lexer.failure.length > 0) {
    syntaxError(shell, lexer);
    return 2;
  }
  shell.status = status;
  return status;
}

/** `sh: line 3: syntax error: unexpected "fi"`. */
function syntaxError(shell: Shell, lexer: Lexer): void {
  const name = shell.script.length > 0 ? shell.script : shell.name;
  const stderr = shell.stderr();
  stderr.line(`${name}: line ${lexer.failureLine}: syntax error: ${lexer.failure}`);
  stderr.flush();
  shell.exit(2);
}

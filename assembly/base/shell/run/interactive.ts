/** A shell that somebody types at: prompts, and errors that end the line only. */
import { EXITING, RUNNING, Shell } from '../state/shell';
import { Lexer } from '../syntax/lexer';
import { Parser } from '../syntax/parser';
import { run } from './executor';
import { evaluatePrompt } from './prompt';
import { runPendingTraps } from './signals';
import { StreamSource } from './stream-source';

class PromptSource extends StreamSource {
  /** A command has begun. */
  isContinued: bool = false;

  more(): bool {
    const shell = this.shell;
    runPendingTraps(shell);
    const prompt = this.isContinued ? evaluatePrompt(shell, 'PS2', '> ') : evaluatePrompt(shell, 'PS1', '$ ');
    shell.stderr().write(prompt);
    shell.stderr().flush();
    this.isContinued = true;
    return super.more();
  }
}

/** Until the end of the input, or `exit`. */
export function interact(shell: Shell): void {
  const source = new PromptSource(shell);
  let line = 1;
  while (true) {
    source.text = '';
    source.line = line;
    source.isContinued = false;
    const lexer = new Lexer(source);
    const parser = new Parser(lexer);
    // what is on the line: usually one list
    while (true) {
      const node = parser.complete();
      line = lexer.line;
      if (lexer.failure.length > 0) {
        shell.complain(`syntax error: ${lexer.failure}`);
        shell.status = 2;
        break;
      }
      if (node === null) {
        if (lexer.position >= source.text.length) break;
        continue;
      }
      run(shell, node);
      if (shell.unwind == EXITING && !shell.wantsExit) shell.unwind = RUNNING;
      if (shell.unwind != RUNNING) break;
      shell.files.flush();
      source.isContinued = false;
      if (lexer.position >= source.text.length) break;
    }
    if (shell.unwind == EXITING) return;
    shell.unwind = RUNNING;
    shell.loops = 0;
    if (lexer.position >= source.text.length && source.text.length == 0) {
      shell.stderr().line('');
      return;
    }
  }
}

/** Command substitution (XCU 2.6.3). */
import { TextWriter } from '../../io/writer';
import { runCopy } from '../run/subshell';
import { memoryFile } from '../state/open-files';
import { Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { NEWLINE } from '../syntax/characters';

/** What the commands wrote to their standard output, without the newlines at its end. */
export function substitute(shell: Shell, command: Node | null): string {
  if (command === null) {
    shell.substitutionStatus = 0;
    return '';
  }
  const copy = shell.copy();
  const output = new TextWriter();
  copy.files.set(1, memoryFile(output));
  // what fails in here is not what is being tested outside
  copy.tested = 0;
  const line = shell.line;
  shell.substitutionStatus = runCopy(shell, copy, command);
  shell.line = line;
  const text = output.take();
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) == NEWLINE) end--;
  if (text.indexOf('\0') < 0) return end == text.length ? text : text.substring(0, end);
  return text.substring(0, end).replaceAll('\0', '');
}

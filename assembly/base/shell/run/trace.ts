/** `set -x`. */
import { Shell } from '../state/shell';
import { quoted } from '../syntax/quote';
import { evaluatePrompt } from './prompt';

export function traceCommand(shell: Shell, args: Array<string>): void {
  const stderr = shell.stderr();
  shell.stdout().flush();
  stderr.write(evaluatePrompt(shell, 'PS4', '+ '));
  for (let i = 0; i < args.length; i++) {
    if (i > 0) stderr.byte(0x20);
    stderr.write(quoted(args[i]));
  }
  stderr.byte(0x0a);
  stderr.flush();
}

export function traceAssignment(shell: Shell, name: string, value: string): void {
  const stderr = shell.stderr();
  shell.stdout().flush();
  const prompt = evaluatePrompt(shell, 'PS4', '+ ');
  stderr.line(`${prompt}${name}=${value.length == 0 ? '' : quoted(value)}`);
  stderr.flush();
}

import { printable } from './format/units.ts';
import { paint, type Terminal } from './terminal.ts';

/**
 * What went wrong and what to do about it, a line each on standard error; inert whatever the texts hold. `frame`: the place
 * in a file, some lines with a mark.
 */
export function complain(terminal: Terminal, message: string, hint?: string, frame?: string): void {
  terminal.err(`${paint(terminal, 'red', 'wctr:')} ${printable(message)}\n`);
  if (frame !== undefined) terminal.err(`${printable(frame)}\n`);
  if (hint !== undefined) terminal.err(`${paint(terminal, 'dim', 'hint:')} ${printable(hint)}\n`);
}

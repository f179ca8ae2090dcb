import { isWctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { compileTemplate } from '../format/template.ts';
import { printable } from '../format/units.ts';
import { paint } from '../terminal.ts';

/** Prints one document per name as a JSON list, or through a template line by line; a missing one fails at the end. */
export async function printDocuments(
  { terminal }: Context,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => Promise<Record<string, unknown>>,
): Promise<number> {
  const render = format === undefined ? undefined : compileTemplate(format);
  const found: Record<string, unknown>[] = [];
  let code = 0;
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      if (!isWctrError(error)) throw error;
      terminal.err(`${paint(terminal, 'red', 'wctr:')} ${printable(error.message)}\n`);
      if (error.hint !== undefined) terminal.err(`${paint(terminal, 'dim', 'hint:')} ${printable(error.hint)}\n`);
      code = 1;
    }
  }
  if (render === undefined) terminal.out(`${JSON.stringify(found, null, 4)}\n`);
  else for (const document of found) terminal.out(`${render(document)}\n`);
  return code;
}

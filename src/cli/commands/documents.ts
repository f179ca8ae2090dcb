import { isWctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { complain } from '../complain.ts';
import { compileTemplate } from '../format/template.ts';

/** Prints one document per name as a JSON list, or through a template line by line; a missing one fails at the end. */
export async function printDocuments(
  { terminal }: Context,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => Promise<object>,
): Promise<number> {
  const render = format === undefined ? undefined : compileTemplate(format);
  const found: object[] = [];
  let code = 0;
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      if (!isWctrError(error)) throw error;
      complain(terminal, error.message, error.hint);
      code = 1;
    }
  }
  if (render === undefined) terminal.out(`${JSON.stringify(found, null, 4)}\n`);
  else for (const document of found) terminal.out(`${render(document)}\n`);
  return code;
}

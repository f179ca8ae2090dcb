import { isWctrError, type WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { complain } from '../complain.ts';
import { printable } from '../format/units.ts';

/** At once for all names; prints, in the order given, each one that worked. Fails at the end where one did not. */
export async function forEachName(
  { terminal }: Context,
  names: readonly string[],
  action: (name: string) => Promise<unknown>,
  options: {
    /** Said, and no failure. */
    readonly forgiven?: (error: WctrError) => boolean;
    /** Not even said. */
    readonly isNothing?: (error: WctrError) => boolean;
  } = {},
): Promise<number> {
  const results = names.map((name) =>
    Promise.resolve(action(name)).then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  );
  let code = 0;
  for (const [i, result] of results.entries()) {
    const failed = await result;
    if (failed === undefined) {
      terminal.out(`${printable(names[i]!)}\n`);
      continue;
    }
    const { error } = failed;
    if (!isWctrError(error)) throw error;
    if (options.isNothing?.(error) === true) continue;
    complain(terminal, error.message, error.hint);
    if (options.forgiven?.(error) !== true) code = 1;
  }
  return code;
}

import type { ImageRemoval } from '../../engine/engine.ts';
import { isWctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { complain } from '../complain.ts';
import { printable } from '../format/units.ts';

export const command: Command = {
  usage: 'IMAGE [IMAGE...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    {
      name: 'force',
      short: 'f',
      type: 'boolean',
      description: 'Remove it also when it has several names or a stopped container',
    },
  ],
  examples: ['wctr image rm hello', 'wctr rmi $(wctr images -q)'],
  async run({ terminal, engine }, names, flags) {
    const { images } = await engine();
    let code = 0;
    for (const name of names) {
      try {
        terminal.out(removalLines(await images.remove(name, { force: flags.bool('force') })));
      } catch (error) {
        if (!isWctrError(error)) throw error;
        complain(terminal, error.message, error.hint);
        code = 1;
      }
    }
    return code;
  },
};

export function removalLines(removals: readonly ImageRemoval[]): string {
  return removals
    .map(({ untagged, deleted }) =>
      untagged === undefined ? `Deleted: ${deleted}\n` : `Untagged: ${printable(untagged)}\n`,
    )
    .join('');
}

import { isWctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';

export const command: Command = {
  usage: 'NETWORK [NETWORK...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [{ name: 'force', short: 'f', type: 'boolean', description: 'Do not mind one that is not there' }],
  examples: ['wctr network rm backend', 'wctr network rm $(wctr network ls -q --filter dangling=true)'],
  async run(context, names, flags) {
    const { networks } = await context.engine();
    return forEachName(context, names, (name) => networks.remove(name), {
      isNothing: (error) => flags.bool('force') && isWctrError(error, 'not-found'),
    });
  },
};

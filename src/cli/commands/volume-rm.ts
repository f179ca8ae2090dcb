import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';

export const command: Command = {
  usage: 'VOLUME [VOLUME...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [{ name: 'force', short: 'f', type: 'boolean', description: 'Do not mind one that is not there' }],
  examples: ['wctr volume rm data', 'wctr volume rm $(wctr volume ls -q --filter dangling=true)'],
  async run(context, names, flags) {
    const { volumes } = await context.engine();
    return forEachName(context, names, (name) => volumes.remove(name, { force: flags.bool('force') }));
  },
};

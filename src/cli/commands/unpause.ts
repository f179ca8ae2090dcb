import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [],
  examples: ['wctr unpause web'],
  async run(context, names) {
    const { containers } = await context.engine();
    return forEachName(context, names, (name) => containers.unpause(name));
  },
};

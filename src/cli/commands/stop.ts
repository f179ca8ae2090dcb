import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';
import { STOP_FLAGS, stopOptions } from './stop-flags.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: STOP_FLAGS,
  examples: ['wctr stop web', 'wctr stop -t 3 $(wctr ps -q)'],
  async run(context, names, flags) {
    const options = stopOptions(flags);
    const { containers } = await context.engine();
    return forEachName(context, names, (name) => containers.stop(name, options));
  },
};

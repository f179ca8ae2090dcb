import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'signal', short: 's', type: 'string', value: 'signal', description: 'Signal to send (default KILL)' },
  ],
  examples: ['wctr kill web', 'wctr kill -s HUP web'],
  async run(context, names, flags) {
    const signal = flags.string('signal');
    const { containers } = await context.engine();
    return forEachName(context, names, (name) => containers.kill(name, signal));
  },
};

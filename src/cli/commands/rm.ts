import type { Command } from '../command.ts';
import { forEachName } from './each-name.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'force', short: 'f', type: 'boolean', description: 'Kill it first when it is running' },
    { name: 'link', short: 'l', type: 'boolean', description: 'Remove the link, not the container' },
    { name: 'volumes', short: 'v', type: 'boolean', description: 'Remove its anonymous volumes too' },
  ],
  examples: ['wctr rm web', 'wctr rm -fv $(wctr ps -aq)'],
  async run(context, names, flags) {
    const force = flags.bool('force');
    const options = { force, link: flags.bool('link'), volumes: flags.bool('volumes') };
    const { containers } = await context.engine();
    return forEachName(context, names, (name) => containers.remove(name.replace(/^\/+/, ''), options), {
      // With -f, one that is not there is told and is no failure: it is as the user wants it.
      forgiven: (error) => force && error.code === 'no-such-container',
    });
  },
};

import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'NETWORK CONTAINER',
  args: [2, 2],
  flags: [{ name: 'force', short: 'f', type: 'boolean', description: 'Do not mind a container that is not there' }],
  examples: ['wctr network disconnect backend web'],
  async run({ engine }, [network, container], flags) {
    const { networks } = await engine();
    await networks.disconnect(network!, container!, { force: flags.bool('force') });
    return 0;
  },
};
